# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
#
# Reads the tables of a study once with data.table::fread and prints the seconds.
# usage: Rscript ingest_vs_fread.R STUDY THREADS
suppressMessages(library(data.table))
arguments <- commandArgs(TRUE)
setDTthreads(as.integer(arguments[2]))
tables <- Sys.glob(file.path(arguments[1], "data_*.txt"))
seconds <- system.time(for (table in tables) {
  first <- readLines(table, n = 16)
  fread(table, sep = "\t", quote = "", skip = sum(cumprod(startsWith(first, "#"))), showProgress = FALSE)
})[["elapsed"]]
cat(seconds, "\n")
