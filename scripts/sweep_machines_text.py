# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of docs/sweep-machines.md, from the results of a sweep."""

import math
import os

from generated import table


def trace_of(result):
    return os.path.splitext(os.path.basename(result["source"]["path"]))[0]


class Points:
    """Results with their rows of `notrap report --by point`, by processor,
    generation, bypass and trace."""

    def __init__(self, results, rows, machines):
        self.of, self.traces, self.mmus = {}, [], []
        self.machines = machines  # as notrap machines tells of them
        assert len(results) == len(rows)
        for result, row in zip(results, rows):
            config, trace = result["config"], trace_of(result)
            key = config["machine"], config["mmu"], config["bypass"]
            self.of.setdefault(key, {})[trace] = result, row
            if trace not in self.traces:
                self.traces.append(trace)
            if config["mmu"] not in self.mmus:
                self.mmus.append(config["mmu"])

    def has(self, machine, mmu, bypass="off"):
        return (machine, mmu, bypass) in self.of

    def results(self, machine, mmu, bypass):
        return [result for result, _ in
                self.of[machine, mmu, bypass].values()]

    def rows(self, machine, mmu, bypass):
        return [row for _, row in self.of[machine, mmu, bypass].values()]

    def total(self, key, figure):
        return sum(figure(result) for result in self.results(*key))


def mean_ratio(ratios):
    """Geometric: a trace counts as much as any other, however long it is."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def per_fault(points, key):
    exits = points.total(key, lambda r: r["exits"]["page_fault_total"])
    return exits / points.total(key, lambda r: r["guest_faults"]["total"])


def exits(points, key):
    return points.total(key, lambda r: r["exits"]["total"])


def latency(points, key):
    """Microseconds from a guest fault's access to its retry, of all faults."""
    count = points.total(key, lambda r: r["latency"]["guest_fault"]["count"])
    cycles = points.total(key, lambda r: r["latency"]["guest_fault"]["sum"])
    return cycles / count / int(points.results(*key)[0]["config"]["mhz"])


def slower(points, key, wanted=lambda trace: True):
    return mean_ratio([row["native_times"]
                       for trace, (_, row) in points.of[key].items()
                       if wanted(trace)])


def is_linux(trace):
    return trace.startswith("linux-")


def saves(points, machine, mmu):
    """Of the cycles, by the bypass; and over the traces, least to most."""
    rows = points.rows(machine, mmu, "on")
    changes = [row["bypass_change_percent"] for row in rows]
    mean = 100 * (1 - mean_ratio([1 + change / 100 for change in changes]))
    least, most = (f"{-change:.1f}".replace("-0.0", "0.0")
                   for change in (max(changes), min(changes)))
    return f"{mean:.1f} ({least} to {most})".replace("-0.0", "0.0")


def pays_on(points, machine, mmu):
    """Traces on which it pays: at the typical costs, and at any of theirs."""
    rows = points.rows(machine, mmu, "on")
    typical = sum(row["bypass_change_percent"] < 0 for row in rows)
    sure = sum(row["bypass_change_percent_high"] < 0 for row in rows)
    return f"{typical}, surely {sure} of {len(rows)}"


def both(points, machine, mmu, figure):
    """Without the bypass / with it, where there is one."""
    return " / ".join(figure(points, (machine, mmu, bypass))
                      for bypass in ("off", "on")
                      if points.has(machine, mmu, bypass))


def row_of(points, machine, mmu):
    has_bypass = points.has(machine, mmu, "on")
    return [f"`{machine}`" if mmu == points.mmus[0] else "", f"`{mmu}`",
            both(points, machine, mmu, lambda p, key: str(exits(p, key))),
            both(points, machine, mmu,
                 lambda p, key: f"{per_fault(p, key):.2f}"),
            both(points, machine, mmu, lambda p, key: f"{slower(p, key):.2f}"),
            both(points, machine, mmu,
                 lambda p, key: f"{latency(p, key):.2f}"),
            saves(points, machine, mmu) if has_bypass else "",
            pays_on(points, machine, mmu) if has_bypass else ""]


def whole(points):
    """A row for each processor and generation."""
    rows = [row_of(points, machine["name"], mmu)
            for machine in points.machines for mmu in points.mmus
            if points.has(machine["name"], mmu)]
    return table(["processor", "`mmu=`", "exits", "#PF exits a guest fault",
                  "times native", "a guest fault, us", "bypass saves, %",
                  "pays on"], rows)


def glance(points, wanted):
    """Times native, the better of bypass off and on, as a map."""
    rows = []
    for machine in points.machines:
        cells = []
        for mmu in points.mmus:
            keys = [(machine["name"], mmu, bypass) for bypass in ("off", "on")
                    if points.has(machine["name"], mmu, bypass)]
            times = [slower(points, key, wanted) for key in keys
                     if any(map(wanted, points.traces))]
            cells.append(f"{min(times):.2f}" if times else "-")
        rows.append([f"`{machine['name']}`", machine["year"], *cells])
    return table(["processor", "year", *(f"`{mmu}`" for mmu in points.mmus)],
                 rows)


def swept(points):
    """What was run."""
    nr = sum(len(found) for found in points.of.values())
    traces = ", ".join(f"`{trace}`" for trace in points.traces)
    return (f"{nr} points: {len(points.machines)} processors, "
            f"{len(points.mmus)} values of `mmu=`, the bypass off and on "
            f"where there is one, and {len(points.traces)} traces: {traces}.")


def parts(points, left_out, example):
    return {
        "swept": swept(points),
        "left out": "```\n" + left_out + "```",
        "linux": glance(points, is_linux),
        "others": glance(points, lambda trace: not is_linux(trace)),
        "whole": whole(points),
        "example": "```\n" + example + "```",
    }
