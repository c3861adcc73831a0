#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""table.py strong|weak RUNS SETTING…: medians over the rounds of scaling.sh, as Markdown on stdout and as JSON beside RUNS.

Speed-up compares with the first setting; efficiency is speed-up by cores (strong), time of the first by time (weak).
`command` is the whole command by the clock, launcher included; the other seconds are the run's own.
Imbalance: work of the busiest rank by the mean, less one. Shares are of the ranks' stages, from the run records.
"""
import json
import pathlib
import statistics
import sys

kind, runs, settings = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]


def cores(setting):
    ranks, threads = setting.split("x")
    return int(ranks) * int(threads)


def share(record, name):
    seconds = record["rank_seconds"]
    return seconds[name]["mean"] / sum(account["mean"] for account in seconds.values())


rows = []
for setting in settings:
    folders = sorted(runs.glob(setting + "-*"))
    records = [json.loads((run / "run.json").read_text()) for run in folders]
    median = lambda of: statistics.median(map(of, records))
    rows.append({
        "ranks": records[0]["n_ranks"],
        "threads": records[0]["n_threads"],
        "runs": len(records),
        "seconds": median(lambda r: r["stage_seconds"]["total"]),
        "command": statistics.median(float((run / "command_seconds").read_text()) for run in folders),
        "imbalance": median(lambda r: r["rank_seconds"]["work"]["imbalance"]),
        "idle": median(lambda r: share(r, "idle")),
        "communication": median(lambda r: share(r, "communication")),
        "checkpoint": median(lambda r: share(r, "checkpoint")),
    })
first = rows[0]
for row, setting in zip(rows, settings):
    row["speed_up"] = first["seconds"] / row["seconds"]
    row["command_speed_up"] = first["command"] / row["command"]
    row["efficiency"] = row["speed_up"] * (cores(settings[0]) / cores(setting) if kind == "strong" else 1)

(runs.parent / (kind + ".json")).write_text(json.dumps({"kind": kind, "host": records[0]["host"], "rows": rows}, indent=1) + "\n")
print("| ranks × threads | s, median of %d | speed-up | efficiency | imbalance | idle | communication | checkpoint | command, s | its speed-up |" % first["runs"])
print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
for row in rows:
    print("| %d × %d | %.2f | %.2f | %.0f %% | %.1f %% | %.1f %% | %.2f %% | %.2f %% | %.2f | %.2f |" % (
        row["ranks"], row["threads"], row["seconds"], row["speed_up"], 100 * row["efficiency"], 100 * row["imbalance"],
        100 * row["idle"], 100 * row["communication"], 100 * row["checkpoint"], row["command"],
        row["command_speed_up"]))
