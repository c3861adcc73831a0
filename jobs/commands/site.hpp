// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/config/schema.hpp"

namespace chorale::jobs {

enum class Launcher { mpirun, srun };

/// What differs between clusters: slurm/site.toml.
struct Site {
  std::string partition, account, qos, constraint;
  std::vector<std::string> options, modules, setup;
  Launcher launcher = Launcher::mpirun;
  bool bind = true;
  Index cores_per_node = 0;
  double memory_per_node_gb = 0;
  Index most_ranks_per_node = 8;
  double most_hours = 24;
  Index max_restarts = 20;
  Index max_fruitless = 3;
};

io::Schema<Site> site_schema();

/// FILE; without one $CHORALE_SITE, or slurm/site.toml where it stands, or the defaults.
Site load_site(const std::filesystem::path& file);

/// Asks sinfo for cores and memory of the partition's smallest node, where the site does not say them. They stay 0 when
/// there is no sinfo.
void ask_slurm(Site& site);

}  // namespace chorale::jobs

template <>
struct chorale::io::ConfigWords<chorale::jobs::Launcher> {
  static constexpr std::array words{std::pair{"mpirun", jobs::Launcher::mpirun},
                                    std::pair{"srun", jobs::Launcher::srun}};
};
