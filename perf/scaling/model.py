#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the Chorale authors
"""What a run would take on many ranks: a discrete-event simulation of the engine's dealing, driven by measured units.

  model.py RESULTS [--ranks 64,256,1024,4096] [--check OTHER …] [--resample STAGE=N …] [--json FILE]

RESULTS      output folder of a run on one rank: run.json, and .chorale/units.tsv with the seconds and bytes of every unit
--check      output folders of the same job on more ranks: their stages' time beside the model's
--resample   take N units of a stage, drawn from the measured ones that had something to do, the first one, which pays for
             what a rank makes once, left out: a sample stands for a larger job
--work       measured seconds of a whole stage (STAGE=SECONDS), to which its resampled units are scaled
--seconds    clock (default) or processor: which measure of a unit counts; processor time where the machine was busy
--cores      of the machine that --check was measured on: more ranks than these share them evenly
--ranks-per-node, --latency, --atomic, --bandwidth, --setup, --start    the machine, see --help

What is simulated, stage by stage, those that join each other dealt as one: each rank begins with its own chunk
(engine/deal.hpp), then draws chunk numbers from one counter that serves one draw at a time; a stage ends for all when the
last unit does; parts go to rank 0 up a tree, those above 64 kB (or 32 MB / ranks) one after another; rank 0 makes the
brief; a tree of messages tells all. The ranks of a node share the load, as far as there are shards. What the first unit
of a stage took beyond the median of the others each rank pays at its own first unit of that stage. Parts take the bytes
that they had on one rank, where they are joined into one; beyond that n ranks send n small parts.
Two efficiencies: of the stages (work by ranks × their time), and of the whole run against one rank, where what is not
dealt (start, load, rank 0's briefs, tables and files) counts in full.
"""
import argparse
import heapq
import json
import math
import pathlib
import random
import statistics


def deal(n_units, n_ranks):
    """Chunks as engine/deal.cpp makes them: [begin, end) pairs."""
    chunks, begin = [], 0
    while begin < n_units:
        size = max(1, (n_units - begin) // (4 * n_ranks))
        for _ in range(n_ranks):
            if begin >= n_units:
                break
            chunks.append((begin, begin + size))
            begin += size
    return chunks


def simulate_group(stages, n_ranks, machine, known):
    """Time from the start to the last unit's end, and seconds of all ranks together: waiting for the counter, setting up.

    known: for each rank the stages that it has set up for."""
    sums, of_unit = [0.0], []
    for stage in stages:
        for seconds in stage["seconds"]:
            sums.append(sums[-1] + seconds)
            of_unit.append(stage)
    chunks, begin = [], 0
    for stage in stages:  # the rounds of each follow those of the one before
        chunks += [(begin + first, begin + last) for first, last in deal(len(stage["seconds"]), n_ranks)]
        begin += len(stage["seconds"])
    ready = []
    end, set_up = 0.0, 0.0

    def took(rank, first, last):
        nonlocal set_up
        seconds = sums[last] - sums[first]
        for stage in {of_unit[unit]["name"]: of_unit[unit] for unit in range(first, last)}.values():
            needs = ["frame"] + ([stage["name"]] if stage["setup"] > 0 else [])
            for what in needs:
                if what not in known[rank]:
                    known[rank].add(what)
                    more = machine.setup if what == "frame" else stage["setup"]
                    seconds += more
                    set_up += more
        return seconds

    for rank, (first, last) in enumerate(chunks[:n_ranks]):
        heapq.heappush(ready, (took(rank, first, last), rank))
    counter_free, waited, next_chunk = 0.0, 0.0, n_ranks
    while ready:
        now, rank = heapq.heappop(ready)
        end = max(end, now)
        served = max(now + machine.latency, counter_free) + machine.atomic
        counter_free = served
        got = served + machine.latency
        waited += got - now
        if next_chunk < len(chunks):
            first, last = chunks[next_chunk]
            heapq.heappush(ready, (got + took(rank, first, last), rank))
            next_chunk += 1
        else:
            end = max(end, got)
    return end, waited, set_up


def stretched(stages, by):
    return [stage | {"seconds": [by * unit for unit in stage["seconds"]], "setup": by * stage["setup"]} for stage in stages]


def predict(stages, serial, n_ranks, machine):
    tree = math.ceil(math.log2(n_ranks)) * machine.latency if n_ranks > 1 else 0.0
    losses = dict.fromkeys(["setup", "counter", "tail", "gather", "briefs"], 0.0)
    span = 0.0
    work = sum(sum(stage["seconds"]) for stage in stages)
    groups = []
    for stage in stages:
        if stage["name"] in machine.join and groups:
            groups[-1].append(stage)
        else:
            groups.append([stage])
    known = [set() for _ in range(n_ranks)]
    for group in groups:
        time, waited, set_up = simulate_group(group, n_ranks, machine, known)
        mine = sum(sum(stage["seconds"]) for stage in group) / n_ranks
        losses["setup"] += set_up / n_ranks
        losses["counter"] += waited / n_ranks
        losses["tail"] += max(0.0, time - mine - (set_up + waited) / n_ranks)
        gather = 0.0
        for stage in group:
            n_bytes = stage["bytes"] + n_ranks * machine.part
            straight = n_bytes / n_ranks > min(1 << 16, (1 << 25) / n_ranks)
            n_messages = math.ceil(math.log2(n_ranks)) + (n_ranks - 1 if straight else 0) if n_ranks > 1 else 0
            gather += 2 * n_messages * machine.message + 4 * tree + (1 - 1 / n_ranks) * n_bytes / machine.bandwidth
        losses["gather"] += gather
        span += time + gather
    losses["briefs"] = serial["briefs"]
    span += serial["briefs"]
    nodes = math.ceil(n_ranks / machine.ranks_per_node)
    start = machine.start + 2 * tree
    load = serial["load"] / min(n_ranks, machine.ranks_per_node, machine.shards)
    total = start + load + span + serial["finish"]
    once = machine.setup + sum(stage["setup"] for stage in stages)
    alone = machine.start + serial["load"] + work + once + serial["briefs"] + serial["finish"]
    outside = {"start": start, "load": load, "tables and files": serial["finish"]}
    return {
        "ranks": n_ranks, "nodes": nodes, "units_a_rank": sum(len(s["seconds"]) for s in stages) / n_ranks,
        "work_a_rank": work / n_ranks, "stages_seconds": span, "total_seconds": total,
        "dealing_efficiency": work / (work + n_ranks * (losses["counter"] + losses["tail"] + losses["gather"])),
        "stages_efficiency": work / (n_ranks * span), "run_efficiency": alone / (n_ranks * total),
        "losses": {name: seconds / total for name, seconds in (losses | outside).items()},
    }


def read_run(folder, which):
    record = json.loads((folder / "run.json").read_text())
    stages = {}
    for line in (folder / ".chorale/units.tsv").read_text().splitlines()[1:]:
        name, unit, rank, clock, processor, n_bytes = line.split("\t")
        stage = stages.setdefault(name, {"name": name, "seconds": [], "bytes": 0})
        stage["seconds"].append(float(clock if which == "clock" else processor))
        stage["bytes"] += int(n_bytes)
    seconds = record["stage_seconds"]
    serial = {
        "load": sum(s for name, s in seconds.items() if name.startswith("load for ")),
        "briefs": seconds["briefs"],
        "finish": seconds["finish"] + seconds["write"],
    }
    return record, stages, serial


def pairs_of(options):
    return {name: float(value) for name, value in (option.rsplit("=", 1) for option in options)}


def main():
    parser = argparse.ArgumentParser(description="Predicts a run on many ranks from its units on one.")
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--ranks", default="64,256,1024,4096")
    parser.add_argument("--check", type=pathlib.Path, nargs="*", default=[])
    parser.add_argument("--resample", nargs="*", default=[], metavar="STAGE=N")
    parser.add_argument("--work", nargs="*", default=[], metavar="STAGE=SECONDS")
    parser.add_argument("--serial", nargs="*", default=[], metavar="load|briefs|finish=SECONDS")
    parser.add_argument("--seconds", choices=["clock", "processor"], default="clock")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--ranks-per-node", type=int, default=64)
    parser.add_argument("--latency", type=float, default=2e-6, help="of a message, seconds")
    parser.add_argument("--atomic", type=float, default=1e-6, help="service of one draw at the counter, seconds")
    parser.add_argument("--message", type=float, default=5e-6, help="rank 0's cost of taking a message, seconds")
    parser.add_argument("--bandwidth", type=float, default=5e9, help="into rank 0, bytes a second")
    parser.add_argument("--part", type=float, default=1000, help="bytes of a rank's joined part beyond what it says")
    parser.add_argument("--join", nargs="*", default=["pairs", "details", "permutations"], metavar="STAGE",
                        help="stages that are dealt together with the one before (engine::Stage::joins_previous)")
    parser.add_argument("--cores", type=int, help="of the machine of --check; default: one for each rank")
    parser.add_argument("--shards", type=int, default=1, help="of the cohort, which the ranks of a node read in turn")
    parser.add_argument("--start", type=float, default=0.0, help="seconds until the ranks are up")
    parser.add_argument("--setup", type=float, help="seconds of a rank's first unit of all beyond the others, whatever its stage; default: all that "
                             "the first stage's first unit took more, of which some may be that stage's own")
    machine = parser.parse_args()

    record, stages, serial = read_run(machine.results, machine.seconds)
    serial |= pairs_of(machine.serial)
    # what the first unit of a stage takes beyond its like, which stand beside it: units fall in size
    for stage in stages.values():
        like = statistics.median(stage["seconds"][1:9] or stage["seconds"])
        stage["setup"] = max(0.0, stage["seconds"][0] - like)
        stage["seconds"][0] = min(stage["seconds"][0], like)
    first = next(iter(stages.values()))
    if machine.setup is None:
        machine.setup = first["setup"]
    first["setup"] = max(0.0, first["setup"] - machine.setup)

    for folder in machine.check:
        other, measured, _ = read_run(folder, machine.seconds)
        n = other["n_ranks"]
        share = max(1.0, n / machine.cores) if machine.cores else 1.0
        of_rank = argparse.Namespace(**vars(machine) | {"setup": share * machine.setup})
        modelled = predict(stretched(stages.values(), share), serial, n, of_rank)
        accounts = other["rank_seconds"]
        time = sum(accounts[name]["mean"] for name in ("work", "idle", "communication", "checkpoint"))
        print("check  %d ranks: stages %.2f s measured, %.2f s modelled (%+.0f %%)"
              % (n, time, modelled["stages_seconds"], 100 * (modelled["stages_seconds"] / time - 1)))

    random.seed(1)
    for name, n in pairs_of(machine.resample).items():
        stage = stages[name]
        worked = [unit for unit in stage["seconds"][1:] if unit > 0.1 * statistics.mean(stage["seconds"])]
        stage["bytes"] *= n / len(worked)
        stage["seconds"] = random.choices(worked, k=int(n))
    for name, seconds in pairs_of(machine.work).items():
        scale = seconds / sum(stages[name]["seconds"])
        stages[name]["seconds"] = [scale * unit for unit in stages[name]["seconds"]]

    rows = [predict(list(stages.values()), serial, int(n), machine) for n in machine.ranks.split(",")]
    print("\n%s: %d units, %.0f s of work, %.0f MB of parts; first unit of a rank +%.2f s%s; load %.2f s, briefs %.2f s, tables "
          "and files %.2f s\n" % (record["job"], sum(len(s["seconds"]) for s in stages.values()),
                                  sum(sum(s["seconds"]) for s in stages.values()),
                                  sum(s["bytes"] for s in stages.values()) / 1e6, machine.setup,
                                  "".join(", of %s +%.2f s" % (s["name"], s["setup"]) for s in stages.values() if s["setup"] > 0.005),
                                  serial["load"],
                                  serial["briefs"], serial["finish"]))
    print("| ranks | units a rank | work a rank, s | run, s | efficiency of dealing | of the stages | of the run | most is lost to |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        worst = sorted(row["losses"].items(), key=lambda loss: -loss[1])[:3]
        print("| %d | %.1f | %.2f | %.2f | %.1f %% | %.1f %% | %.1f %% | %s |" % (
            row["ranks"], row["units_a_rank"], row["work_a_rank"], row["total_seconds"], 100 * row["dealing_efficiency"],
            100 * row["stages_efficiency"], 100 * row["run_efficiency"],
            ", ".join("%s %.0f %%" % (name, 100 * share) for name, share in worst)))
    if machine.json:
        machine.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
