// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "engine/ledger.hpp"
#include "jobs/common/evaluation.hpp"
#include "jobs/common/evaluation_tables.hpp"
#include "jobs/common/kernel_archives.hpp"
#include "jobs/common/risk_groups.hpp"
#include "jobs/prognosis/procedure.hpp"
#include "kernels/calibration.hpp"
#include "kernels/cox_zph.hpp"

namespace boost::serialization {

template <class Archive>
void serialize(Archive& archive, chorale::kernels::ZphTest& t, unsigned) {
  archive& t.verdict& t.chi2& t.df& t.log10_p;
}

}  // namespace boost::serialization

namespace chorale::jobs::prognosis {

/// A term as the tables and the model file need to know it.
struct TermNote {
  std::string name, variable;
  Variable::Kind kind = Variable::Kind::number;
  std::string level;  ///< categories: the level that it stands for
  bool indicates_missing = false;
  double when_missing = kernels::missing;
  double mean = 0, sd = 0;  ///< of all patients, gaps filled
  double scale = 1;         ///< as Candidates::scale

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& name& variable& kind& level& indicates_missing& when_missing& mean& sd& scale;
  }
};

/// A variable as the model file needs to know it.
struct VariableNote {
  std::string name;
  Variable::Kind kind = Variable::Kind::number;
  Index n_missing = 0;
  std::vector<std::string> levels;  ///< that the model knows: the reference and those with a term
  std::string reference;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& name& kind& n_missing& levels& reference;
  }
};

/// The model of all patients beside its coefficients.
struct FitNote {
  std::string verdict;
  Index n_analysed = 0, n_events = 0;
  double loglik_null = kernels::missing, loglik = kernels::missing, score_chi2 = kernels::missing;
  std::vector<double> se, robust_se;  ///< (n_terms); NaN where there is none
  std::vector<double> acceleration;   ///< (n_terms); NaN where BCa has none
  std::vector<kernels::ZphTest> zph;  ///< (n_terms)
  kernels::ZphTest zph_global;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& verdict& n_analysed& n_events& loglik_null& loglik& score_chi2& se& robust_se& acceleration& zph&
        zph_global;
  }
};

struct PathNote {
  std::vector<double> lambda, dev_ratio, criterion, error;
  std::vector<Index> n_nonzero;
  Index chosen = -1;
  std::string verdict;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& lambda& dev_ratio& criterion& error& n_nonzero& chosen& verdict;
  }
};

/// Cumulative baseline hazard of one stratum.
struct Baseline {
  std::string stratum;
  std::vector<double> time, cumulative;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& stratum& time& cumulative;
  }
};

/// A predictor beside a scheme held in a field.
struct SchemeComparison {
  Index scheme = 0;
  std::string predictor;  ///< "model" or "risk groups"
  Measure::Kind measure = Measure::Kind::harrell_c;
  Index n = 0, n_events = 0;
  double ours = kernels::missing, theirs = kernels::missing, se = kernels::missing;
  std::string trouble;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& scheme& predictor& measure& n& n_events& ours& theirs& se& trouble;
  }
};

/// The procedure on all patients, and everything that is asked of its model.
struct FullModel {
  Model model;
  FitNote fit;
  PathNote path;
  std::vector<TermNote> terms;
  std::vector<VariableNote> variables;
  std::vector<Score> scores;           ///< (n_measures), apparent
  std::vector<double> no_information;  ///< (n_measures)
  std::vector<kernels::CalibrationGroup> calibration;
  double centre = 0;
  std::vector<Baseline> baselines;
  RiskGroups groups;
  std::vector<SchemeComparison> schemes;
  engine::Ledger ledger;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& model& fit& path& terms& variables& scores& no_information& calibration& centre& baselines&
        groups& schemes& ledger;
  }
};

/// The procedure on a bootstrap sample, measured on the sample, on all patients, and on those not in the sample.
struct Replicate {
  Index number = 0;
  Model model;
  std::vector<double> boot, original, oob;         ///< (n_measures)
  std::vector<double> boot_error, original_error;  ///< (n_horizons · n_groups), survival observed − predicted

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& number& model& boot& original& oob& boot_error& original_error;
  }
};

struct Part {
  std::vector<FullModel> full;  ///< one, of the first stage
  std::vector<Replicate> replicates;
  std::vector<LevelScores> left_out;
  std::vector<std::vector<std::uint8_t>> entered;  ///< per half sample: (n_terms)

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& full& replicates& left_out& entered;
  }
};

}  // namespace chorale::jobs::prognosis
