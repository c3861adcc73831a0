# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# One round of scipy's side: carriers of both of every pair as X' X of a sparse matrix.
#   python3 perf/peers/pair_counts_vs_scipy.py LISTS
# LISTS as pair_lists writes them: int64 patients, features, entries; int64 (features + 1) offsets; int32 patients.
# Prints one line: processor seconds, sum and sum of squares over all pairs.
import sys
import time

import numpy
import scipy.sparse

with open(sys.argv[1], "rb") as file:
    n_patients, n_features, n_entries = numpy.fromfile(file, numpy.int64, 3)
    offset = numpy.fromfile(file, numpy.int64, n_features + 1).astype(numpy.int32)
    patient = numpy.fromfile(file, numpy.int32, n_entries)
x = scipy.sparse.csc_matrix((numpy.ones(n_entries, numpy.int32), patient, offset), shape=(n_patients, n_features))

start = time.process_time()
both = x.T @ x
seconds = time.process_time() - start

n11, single = both.data, numpy.diff(offset).astype(numpy.int64)
total = n11.sum(dtype=numpy.int64) - single.sum()
squares = numpy.einsum("i,i->", n11, n11, dtype=numpy.int64) - (single * single).sum()
print(f"{seconds:.3f} {total // 2} {squares // 2}")
