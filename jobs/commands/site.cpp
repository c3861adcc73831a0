// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "jobs/commands/site.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "jobs/commands/shell.hpp"

namespace chorale::jobs {

io::Schema<Site> site_schema() {
  io::Schema<Site> schema("", "What differs between clusters: slurm/site.toml, read by 'chorale submit'.");
  schema.field("partition", &Site::partition).help("empty: the cluster's default");
  schema.field("account", &Site::account).help("empty: the user's default");
  schema.field("qos", &Site::qos).help("empty: the user's default");
  schema.field("constraint", &Site::constraint).help("features that nodes must have");
  schema.field("options", &Site::options).help("further options of sbatch, such as \"--exclusive\"");
  schema.field("modules", &Site::modules).help("loaded before the program starts");
  schema.field("setup", &Site::setup).help("shell lines after that");
  schema.field("launcher", &Site::launcher).help("what starts the ranks");
  schema.field("bind", &Site::bind).help("ranks and their threads stay on cores of their own");
  schema.field("cores_per_node", &Site::cores_per_node)
      .unit("cores")
      .at_least(0)
      .help("0: as sinfo says of the partition's smallest node");
  schema.field("memory_per_node_gb", &Site::memory_per_node_gb)
      .unit("10^9 bytes")
      .at_least(0)
      .help("0: as sinfo says of the partition's smallest node");
  schema.field("most_ranks_per_node", &Site::most_ranks_per_node)
      .unit("ranks")
      .at_least(1)
      .help("by default no more ranks than this: threads share memory that ranks do not");
  schema.field("most_hours", &Site::most_hours).unit("hours").above(0).help("longest time a job may ask for");
  schema.field("max_restarts", &Site::max_restarts)
      .unit("starts")
      .at_least(0)
      .help("a job that was started again so often gives up");
  schema.field("max_fruitless", &Site::max_fruitless)
      .unit("starts")
      .at_least(1)
      .help("a job that lost a rank or a node so often without finishing a unit gives up");
  return schema;
}

Site load_site(const std::filesystem::path& file) {
  std::filesystem::path path = file;
  if (const char* name = std::getenv("CHORALE_SITE"); path.empty() && name != nullptr) path = name;
  if (path.empty() && std::filesystem::exists("slurm/site.toml")) path = "slurm/site.toml";
  if (path.empty()) return {};
  const io::Node root = io::load_config(path);
  return site_schema().parse(&root);
}

void ask_slurm(Site& site) {
  if (site.cores_per_node > 0 && site.memory_per_node_gb > 0) return;
  std::vector<std::string> command{"sinfo", "--noheader", "--Node", "--format=%c %m"};
  if (!site.partition.empty()) command.push_back("--partition=" + site.partition);
  const Said said = ask(command);
  if (said.code != 0) return;
  Index cores = 0;
  double mebibytes = 0;
  std::istringstream in(said.text);
  double c = 0, m = 0;
  while (in >> c >> m) {
    cores = cores == 0 ? static_cast<Index>(c) : std::min(cores, static_cast<Index>(c));
    mebibytes = mebibytes == 0 ? m : std::min(mebibytes, m);
  }
  if (site.cores_per_node == 0) site.cores_per_node = cores;
  if (site.memory_per_node_gb == 0) site.memory_per_node_gb = mebibytes * 1048576e-9;
}

}  // namespace chorale::jobs
