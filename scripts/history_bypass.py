# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bypass alone saved, by generation and processor: tables and a
picture of docs/validation.md."""

import subprocess

from generated import table
from history_lab import cycles, percent

GENERATIONS = ["seed", "kvm-2.6.25", "kvm-2.6.28", "kvm-2.6.38"]
# By year; the last shows what would have come of it.
MACHINES = ["prescott", "merom", "penryn", "nehalem", "westmere",
            "sandy-bridge", "haswell"]
WITH_EPT = ["nehalem", "westmere", "sandy-bridge", "haswell"]
LOADS = ["linux-fork", "linux-compile", "linux-sort", "linux-pae-fork"]

COLOURS = {"seed": "#0072b2", "kvm-2.6.25": "#d55e00",
           "kvm-2.6.28": "#009e73", "kvm-2.6.38": "#cc79a7"}


def points(lab, load):
    """Results by (generation, bypass, machine); era's software costs."""
    found = {}
    for mmu in GENERATIONS:
        for result in lab.replays(
                lab.trace(load), "memory=128M", "roi=on", "hypervisor=era",
                f"mmu={mmu}", "bypass=off,on",
                "machine=" + ",".join(MACHINES)):
            config = result["config"]
            found[mmu, config["bypass"], config["machine"]] = result
    return found


def saved(found, mmu, machine):
    """Share of the cycles that the bypass takes away."""
    off, on = (cycles(found[mmu, bypass, machine])[1]
               for bypass in ("off", "on"))
    return (off - on) / off


def not_present(result):
    """Guest faults that an error code's P bit tells from all others."""
    return sum(n for code, n in
               result["guest_faults"]["by_error_code"].items()
               if not int(code, 16) & 1)


def bypass(lab):
    rows = []
    for load in LOADS:
        found = points(lab, load)
        for mmu in GENERATIONS:
            off, on = (found[mmu, state, "merom"] for state in ("off", "on"))
            faults = on["guest_faults"]
            rows.append([
                f"`{load}`" if mmu == GENERATIONS[0] else "", f"`{mmu}`",
                percent(faults["direct"], not_present(on)),
                percent(off["exits"]["total"] - on["exits"]["total"],
                        off["exits"]["total"]),
                *(percent(saved(found, mmu, machine), 1)
                  for machine in MACHINES)])
    return table(["trace", "generation", "not-present faults that went past",
                  "exits saved", *MACHINES], rows)


def faults(lab):
    """Of each guest fault of the load."""
    found = points(lab, LOADS[0])
    rows = []
    for mmu in GENERATIONS:
        row = [f"`{mmu}`"]
        for machine in MACHINES:
            off, on = (found[mmu, state, machine] for state in ("off", "on"))
            row.append(round((cycles(off)[1] - cycles(on)[1]) /
                             on["guest_faults"]["total"]))
        rows.append(row)
    return table(["generation", *MACHINES], rows)


def ept(lab):
    """What replaced it: the same processors with EPT."""
    rows = []
    for load in LOADS:
        found = points(lab, load)
        row = [f"`{load}`"]
        for result in lab.replays(lab.trace(load), "memory=128M", "roi=on",
                                  "hypervisor=kvm-3.1", "mmu=ept",
                                  "machine=" + ",".join(WITH_EPT)):
            was = cycles(found["kvm-2.6.38", "on",
                               result["config"]["machine"]])[1]
            row.append(percent(was - cycles(result)[1], was))
        rows.append(row)
    return table(["trace", *WITH_EPT], rows)


def script(lab, path):
    """Of gnuplot: a panel a trace, a curve a generation."""
    lines = [f'set terminal pngcairo size 1100,720 noenhanced font '
             f'"sans-serif,10"', f'set output "{path}"',
             'set multiplot layout 2,2 title "Cycles that the bypass saved, '
             'percent"',
             'set border 3', 'set grid ytics linetype 1 lc rgb "#e6e6e6"',
             'set xtics nomirror rotate by -30', 'set ytics nomirror',
             f'set xrange [-0.5:{len(MACHINES) - 0.5}]', 'set yrange [-2:*]',
             'set key top right', 'set xtics (' +
             ", ".join(f'"{name}" {i}' for i, name in enumerate(MACHINES)) +
             ")"]
    for load in LOADS:
        found = points(lab, load)
        lines.append(f'set title "{load}"')
        curves, data = [], []
        for mmu in GENERATIONS:
            curves.append(f'"-" with linespoints lw 2 pt 7 lc rgb '
                          f'"{COLOURS[mmu]}" title "{mmu}"')
            data += [f"{i} {100 * saved(found, mmu, machine):.3f}"
                     for i, machine in enumerate(MACHINES)] + ["e"]
        lines += ["plot " + ", ".join(curves), *data]
    return "\n".join(lines) + "\n"


def picture(lab, path):
    subprocess.run(["gnuplot", "-d"], input=script(lab, path), text=True,
                   check=True)


TABLES = {
    "history bypass": bypass,
    "history bypass a fault": faults,
    "history bypass and ept": ept,
}
