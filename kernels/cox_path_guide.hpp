// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#pragma once

#include <memory>
#include <span>

#include "kernels/cox_path.hpp"

namespace chorale::kernels {

struct CoxPathGuideData;  // kernels/cox_path_replicate.hpp

/// What replicates of a path take from that of the full data. Copies share it.
struct CoxPathGuide {
  CoxPath full;  ///< its penalties are those of every replicate
  std::shared_ptr<const CoxPathGuideData> data;
};

/// Follows the path of the full data and keeps its coefficients, its curvature at some penalties, and the dense
/// columns in single precision.
///
/// options   of every replicate as well: `weight` times a replicate's own; where `lambda` is given the full path
///           follows all of it, and `stop_early`, `stop_after_worse` end replicates only
/// Throws    ShapeError as cox_path
/// Cost      a path, about a dozen matrices of all columns (each like two walks), 4 n n_dense + 128 n bytes
CoxPathGuide make_cox_path_guide(const CoxPathDesign& design, const CoxPathOptions& options = {});

/// Arrays that replicates use one after the other: one for each thread.
class CoxPathRoom {
 public:
  struct Arrays;
  CoxPathRoom();
  ~CoxPathRoom();
  CoxPathRoom(CoxPathRoom&&) noexcept;
  CoxPathRoom& operator=(CoxPathRoom&&) noexcept;
  Arrays& arrays() { return *arrays_; }

 private:
  std::unique_ptr<Arrays> arrays_;
};

/// The path of one bootstrap replicate: cox_path with the guide's design, options and penalties, and these weights.
///
/// All penalties at once, up to 32 lanes a block, each from the full data's solution. Walks at some penalties (knots, as
/// many as fit a block) and the replicate's own curvature at one of them, its products in whole numbers of 11 bits,
/// which says how far the full data's curvature is off everywhere. Between knots coefficients lie on a line, slopes on
/// a parabola by the full data's curvature. Then walks of every penalty, until the last step is below 1e-5 and what a
/// further one would move, judged by the steps before, below 5e-8. Single precision does where 10,000 rows or more
/// even out its errors (1e-8 dense, 5e-8 rare carriers) and the curvature does not enlarge them (no diagonal of its
/// inverse above 30); elsewhere these walks are in double precision, and the bound is 1e-8, half of cox_path's. Slopes
/// of all columns are seen at the knots, which lie so close that between two of them a slope leaves its line by less
/// than a tenth of its bound.
///
/// Dense columns are rounded to 24 bits of their distance from the mean, in units of the rounded column, so that a
/// column of two values stays exact; others move coefficients by 1e-8 of their standard error.
///
/// Where that does not lead to the end within ten walks (few events, coefficients that run away, curvature that is
/// not positive), cox_path itself follows the path. What comes out depends on the guide and on the weights alone.
///
/// weight   n_patients, >= 0, times the timeline's and the guide's
/// Throws   ShapeError as cox_path
/// Cost     100,000 patients on a Zen 5 core (v4): 0.049 s for 200 dense columns, 0.075 s for 14 dense and 500 sparse,
///          where cox_path takes 0.23 and 0.19 s; a room keeps 4 n_dense + 4 lanes bytes for each row drawn
/// Threads  one: a room for each
/// Oracle   cox_path
CoxPath cox_path(const CoxPathGuide& guide, std::span<const double> weight, CoxPathRoom& room);

}  // namespace chorale::kernels
