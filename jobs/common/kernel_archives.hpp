// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <boost/serialization/array.hpp>
#include <boost/serialization/vector.hpp>

#include "kernels/calibration.hpp"
#include "kernels/cox.hpp"
#include "kernels/kaplan_meier.hpp"
#include "kernels/log_linear.hpp"
#include "kernels/log_rank.hpp"
#include "kernels/max_t.hpp"
#include "kernels/pair_cox.hpp"
#include "kernels/pair_cox_reri.hpp"
#include "kernels/set_cox.hpp"
#include "kernels/two_by_two.hpp"
#include "kernels/two_group.hpp"

/// How results of kernels travel in parts.
namespace boost::serialization {

template <class Archive>
void serialize(Archive& archive, chorale::kernels::TwoGroupFit& f, unsigned) {
  archive& f.n_analysed& f.n_events& f.n_carriers& f.n_carrier_events& f.verdict& f.log_hazard& f.se& f.z& f
      .loglik_null& f.loglik& f.score_chi2& f.observed& f.expected& f.logrank_variance& f.logrank_chi2& f
      .iterations;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::AdjustedFit& f, unsigned) {
  archive& f.n_analysed& f.n_events& f.n_carriers& f.n_carrier_events& f.verdict& f.log_hazard& f.se& f.z& f
      .loglik_null& f.loglik_covariates& f.loglik& f.beta& f.iterations;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::CalibrationGroup& g, unsigned) {
  archive& g.n& g.weight& g.events& g.predicted& g.observed& g.se& g.lower& g.upper;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::KmMedian& m, unsigned) {
  archive& m.time& m.lower& m.upper;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::KmPoint& p, unsigned) {
  archive& p.time& p.at_risk& p.survival& p.se& p.lower& p.upper;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::KmCurve& c, unsigned) {
  archive& c.n_analysed& c.n_events& c.time& c.at_risk& c.events& c.censored& c.survival& c.se& c.lower& c
      .upper;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::ArmCurve& a, unsigned) {
  archive& a.n_analysed& a.n_events& a.median& a.landmarks;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::TwoGroupCurves& c, unsigned) {
  archive& c.carriers& c.others;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::LogRankResult& r, unsigned) {
  archive& r.n_analysed& r.n& r.observed& r.expected& r.variance& r.chi2& r.df;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::TwoByTwo& t, unsigned) {
  archive& t.n11& t.n10& t.n01& t.n00;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::Ratio& r, unsigned) {
  archive& r.estimate& r.lower& r.upper;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::FeaturePair& p, unsigned) {
  archive& p.a& p.b;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::PairCoxFit& f, unsigned) {
  archive& f.counts.n& f.counts.deaths& f.verdict& f.a& f.b& f.ab& f.se_a& f.se_b& f.se_ab& f.covariance& f
      .loglik_null& f.loglik_covariates& f.loglik_without& f.loglik& f.lrt_chi2& f.wald_chi2& f.score_chi2& f
      .beta& f.iterations;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::Extremes& e, unsigned) {
  archive& e.least& e.greatest;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::LogLinear& l, unsigned) {
  archive& l.verdict& l.expected& l.g2& l.log10_p& l.interaction& l.se;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::SetCoxFit& f, unsigned) {
  archive& f.verdict& f.n& f.deaths& f.coefficient& f.se& f.infinite& f.loglik_null& f.loglik_covariates& f
      .loglik_without& f.loglik& f.lrt_chi2& f.wald_chi2& f.beta& f.iterations;
}

template <class Archive>
void serialize(Archive& archive, chorale::kernels::Reri& r, unsigned) {
  archive& r.estimate& r.se& r.lower& r.upper;
}

}  // namespace boost::serialization
