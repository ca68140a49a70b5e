# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/results.md says of processors: cycles, the time of a page fault,
and what an exit has to cost for the bypass to pay.

One sweep: the workloads on processors from 2005 on, under the first and the
last release with the bypass.  Intervals are those of `notrap report
--uncertainty`, which knows which costs two results have in common.
"""

from generated import table

MACHINES = ["prescott", "merom", "penryn", "nehalem", "sandy-bridge",
            "haswell", "skylake", "k10"]
FIRST, LAST = "kvm-2.6.25", "kvm-2.6.38"
SETTINGS = ["mmu=" + ",".join((FIRST, LAST)), "machine=" + ",".join(MACHINES),
            "hypervisor=era", "bypass=off,on", "roi=on"]


class Processors:
    """Results, and the rows `notrap report --by point` has of them."""

    def __init__(self, guests, results, rows, guest_of):
        self.guests = guests
        self.of = {}
        assert len(results) == len(rows)
        for result, row in zip(results, rows):
            config = result["config"]
            key = (guest_of(result), config["machine"], config["mmu"],
                   config["bypass"])
            self.of[key] = result, row

    def result(self, guest, machine, mmu=FIRST, bypass="off"):
        found = self.of.get((guest, machine, mmu, bypass))
        return found and found[0]

    def row(self, guest, machine, mmu=FIRST, bypass="on"):
        found = self.of.get((guest, machine, mmu, bypass))
        return found and found[1]


def million(result):
    return f"{result['cycles']['total'] / 1e6:.1f}" if result else "-"


def per_machine(p, cell, mmus=(FIRST,)):
    """Rows of workloads, columns of processors."""
    rows = []
    for guest in p.guests:
        for mmu in mmus:
            name = [f"`{guest}`"] + ([f"`{mmu}`"] if len(mmus) > 1 else [])
            rows.append(name + [cell(guest, machine, mmu)
                                for machine in MACHINES])
    return table([""] * (1 + (len(mmus) > 1)) + MACHINES, rows)


def cycle_table(p):
    return per_machine(p, lambda guest, machine, mmu: " / ".join(
        million(p.result(guest, machine, mmu, bypass))
        for bypass in ("off", "on")))


def saved_cell(p, guest, machine, mmu):
    row = p.row(guest, machine, mmu)
    if not row:
        return "-"
    least, most = sorted(-row[f"bypass_change_percent_{end}"]
                         for end in ("low", "high"))
    return (f"{-row['bypass_change_percent']:.1f} "
            f"[{least:.1f}..{most:.1f}]").replace("-0.0", "0.0")


def saved_table(p):
    return per_machine(p, lambda *point: saved_cell(p, *point), (FIRST, LAST))


def even_cell(p, guest, machine, mmu):
    row = p.row(guest, machine, mmu)
    if not row:
        return "-"
    words = [row[key].removesuffix(" cycles") for key in
             ("bypass_pays", "bypass_pays_best", "bypass_pays_worst")]
    if words[1] == words[2]:
        return words[0]
    return f"{words[0]} [{words[1]}..{words[2]}]"


def even_table(p):
    """With what an exit costs there, to compare."""
    rows = [["an exit costs", ""]]
    for machine in MACHINES:
        cost = p.result(p.guests[0], machine)["config"]["cost.exit"]
        typical, _, span = cost.partition(":")
        rows[0].append(typical + (f" [{span}]" if span else ""))
    for guest in p.guests:
        for mmu in FIRST, LAST:
            rows.append([f"`{guest}`", f"`{mmu}`",
                         *(even_cell(p, guest, machine, mmu)
                           for machine in MACHINES)])
    return table(["", "", *MACHINES], rows)


def latency_table(p):
    rows = []
    for guest in p.guests:
        for machine in MACHINES:
            cells = []
            for bypass in "off", "on":
                result = p.result(guest, machine, FIRST, bypass)
                if not result:
                    cells += ["-"] * 4
                    continue
                mhz = int(result["config"]["mhz"])
                times = result["latency"]["guest_fault"]
                cells += [f"{times[point] / mhz:.1f}"
                          for point in ("mean", "p50", "p90", "p99")]
            rows.append([f"`{guest}`" if machine == MACHINES[0] else "",
                         machine, *cells])
    return table(["", "processor", "off: mean", "p50", "p90", "p99",
                  "on: mean", "p50", "p90", "p99"], rows)


def claim(holds, what):
    assert holds, f"the figures no longer bear the words: {what}"


def pairs(p, mmu):
    return {(guest, machine): p.row(guest, machine, mmu)
            for guest in p.guests for machine in MACHINES
            if p.row(guest, machine, mmu)}


def exit_cost(p, machine):
    cost = p.result(p.guests[0], machine)["config"]["cost.exit"]
    return int(cost.split(":")[0])


def saved_words(p):
    """Which processors matter, and how much."""
    first = {key: -row["bypass_change_percent"]
             for key, row in pairs(p, FIRST).items()}
    last = {key: -row["bypass_change_percent"]
            for key, row in pairs(p, LAST).items()}
    most = max(first, key=first.get)
    claim(max(last.values()) < first[most], "less is saved in the end")
    spread = {}
    for guest in p.guests:
        mine = [value for (g, _), value in first.items() if g == guest]
        spread[guest] = max(mine) - min(mine)
    wide = max(spread, key=spread.get)
    machines = [m for m in MACHINES if (p.guests[0], m) in first]
    dear = max(machines, key=lambda m: exit_cost(p, m))
    cheap = min(machines, key=lambda m: exit_cost(p, m))
    claim(spread[wide] < max(first.values()) - min(first.values()),
          "workloads differ more than processors")
    return (f"In 2.6.25 the bypass takes away up to {first[most]:.1f} % of "
            f"all cycles (`{most[0]}` on {most[1]}), in 2.6.38 at most "
            f"{max(last.values()):.1f} %. What decides is the workload: with "
            "the same workload processors differ by no more than "
            f"{spread[wide]:.1f} points (`{wide}`), although an exit costs "
            f"{exit_cost(p, dear) / exit_cost(p, cheap):.1f} times as many "
            f"cycles on {dear} as on {cheap}. Most of what an exit costs is "
            "the hypervisor's software, and that is the same number of "
            "cycles in each column.")


def even_words(p):
    first, last = pairs(p, FIRST), pairs(p, LAST)
    always = sum(row["bypass_pays_worst"] == "any" for row in first.values())
    pays = sum(row["bypass_change_percent"] < 0 for row in last.values())
    open_ = sum(row["bypass_change_percent_low"] < 0
                < row["bypass_change_percent_high"] for row in last.values())
    claim(2 * always > len(first), "it pays at any cost in most")
    return (f"In 2.6.25 the bypass pays at any cost of an exit in {always} of "
            f"{len(first)} cells, however the other costs are chosen from "
            "their ranges: it takes exits away and adds no work. In 2.6.38 "
            "it adds some: the typical costs say that it pays in "
            f"{pays} of {len(last)} cells, and in {open_} the ranges leave "
            "open whether it does.")


def latency_words(p):
    """How much shorter, in percent."""
    less = {point: {} for point in ("mean", "p50", "p99")}
    for guest, machine in pairs(p, FIRST):
        off, on = (p.result(guest, machine, FIRST, bypass)
                   ["latency"]["guest_fault"] for bypass in ("off", "on"))
        for point, values in less.items():
            values[guest, machine] = 100 * (1 - on[point] / off[point])
    mean = less["mean"]
    most, least = max(mean, key=mean.get), min(mean, key=mean.get)
    return ("With the bypass the mean page fault takes "
            f"{mean[least]:.0f} % (`{least[0]}`, {least[1]}) to "
            f"{mean[most]:.0f} % (`{most[0]}`, {most[1]}) less time, the "
            f"median {min(less['p50'].values()):.0f} to "
            f"{max(less['p50'].values()):.0f} %, the slowest percent "
            f"{min(less['p99'].values()):.0f} to "
            f"{max(less['p99'].values()):.0f} %: it is one exit less of "
            "several, and faults on pages that are present stay as they "
            "are.")


def parts(p):
    return {
        "processor cycles": cycle_table(p),
        "processor saved": saved_table(p),
        "processor words": saved_words(p),
        "processor even": even_table(p),
        "processor even words": even_words(p),
        "processor latency": latency_table(p),
        "processor latency words": latency_words(p),
    }
