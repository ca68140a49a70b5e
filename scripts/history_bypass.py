# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bypass alone saved, by generation and processor, and what took its
place: tables and a picture of docs/validation.md."""

from generated import table
from history_lab import cycles
from history_lab import percent as signed_percent

GENERATIONS = ["seed", "kvm-2.6.25", "kvm-2.6.28", "kvm-2.6.38"]
# By year; those after 2011 show what would have come of it.
MACHINES = ["prescott", "merom", "penryn", "nehalem", "sandy-bridge",
            "haswell", "skylake"]
LOADS = ["linux-compile", "linux-sort", "linux-fork", "linux-pae-fork"]

# What took the place of the bypass, on one processor with one set of software
# costs, so that nothing but the mechanism differs.
PLACE = ["machine=nehalem", "hypervisor=kvm-2.6.28", "roi=on",
         "mmu=kvm-2.6.25,kvm-2.6.28,kvm-2.6.38,kvm-3.1,ept", "bypass=off,on"]
BASE = ("kvm-2.6.25", "off")
STEPS = [("the bypass", "kvm-2.6.25", "on"),
         ("out of sync instead, 2.6.28", "kvm-2.6.28", "off"),
         ("both, 2.6.28", "kvm-2.6.28", "on"),
         ("2.6.38 without the bypass", "kvm-2.6.38", "off"),
         ("2.6.38 with it", "kvm-2.6.38", "on"),
         ("3.1, which has none", "kvm-3.1", "off"),
         ("EPT", "ept", "off")]


def percent(part, whole):
    return signed_percent(part, whole).replace("-0.0 %", "0.0 %")


def sweep(lab):
    """The directory of all points, and results by load and point."""
    directory, results = lab.sweep(
        "bypass", LOADS, "roi=on", "hypervisor=era",
        "machine=" + ",".join(MACHINES), "mmu=" + ",".join(GENERATIONS),
        "bypass=off,on")
    found = {}
    for load, result in results:
        config = result["config"]
        found[load, config["mmu"], config["machine"],
              config["bypass"]] = result
    return directory, found


def pair(found, load, mmu, machine):
    return [found[load, mmu, machine, bypass] for bypass in ("off", "on")]


def counted(lab):
    """Exits and faults: the same on every processor."""
    _, found = sweep(lab)
    rows = []
    for load in LOADS:
        for mmu in GENERATIONS:
            off, on = pair(found, load, mmu, MACHINES[0])
            before, after = off["exits"]["total"], on["exits"]["total"]
            assert all(pair(found, load, mmu, machine)[1]["exits"]["total"]
                       == after for machine in MACHINES)
            rows.append([f"`{load}`" if mmu == GENERATIONS[0] else "",
                         f"`{mmu}`", on["guest_faults"]["total"],
                         on["bypass"]["possible"],
                         percent(on["bypass"]["direct"],
                                 on["bypass"]["possible"]),
                         before, after, percent(before - after, before)])
    return table(["trace", "generation", "page faults of the guest",
                  "of pages not present", "of these past the hypervisor",
                  "exits without", "with the bypass", "exits saved"], rows)


def saved(found, load, mmu, machine):
    off, on = (cycles(result)[1]
               for result in pair(found, load, mmu, machine))
    return percent(off - on, off)


def priced(lab):
    """The same in cycles."""
    _, found = sweep(lab)
    rows = [[f"`{load}`" if mmu == GENERATIONS[0] else "", f"`{mmu}`",
             *(saved(found, load, mmu, machine) for machine in MACHINES)]
            for load in LOADS for mmu in GENERATIONS]
    return table(["trace", "generation", *MACHINES], rows)


def each_fault(lab):
    """Of every guest fault of a load: what a saving is made of."""
    _, found = sweep(lab)
    rows = []
    for mmu in GENERATIONS:
        row = [f"`{mmu}`"]
        for machine in MACHINES:
            off, on = pair(found, "linux-compile", mmu, machine)
            row.append(round((cycles(off)[1] - cycles(on)[1]) /
                             on["guest_faults"]["total"]))
        rows.append(row)
    return table(["generation", *MACHINES], rows)


# What differs, of all that is paid for.
UNITS = [("exits", "cost.exit"), ("faults injected", "cost.inject"),
         ("guest table references by KVM", "cost.guest-walk-ref"),
         ("tables read ahead", "cost.prefetch-page"),
         ("tables zapped", "cost.sp-zap")]


def work(lab):
    """What the bypass takes away, and what it adds."""
    _, found = sweep(lab)
    rows = []
    for mmu in GENERATIONS:
        off, on = (result["cost_counts"]
                   for result in pair(found, "linux-fork", mmu, "nehalem"))
        rows.append([f"`{mmu}`", *(f"{on[key] - off[key]:+d}"
                                   for _, key in UNITS)])
    return table(["generation", *(name for name, _ in UNITS)], rows)


def place(lab):
    """What came instead saves more."""
    _, results = lab.sweep("place", LOADS, *PLACE)
    total = {(load, result["config"]["mmu"], result["config"]["bypass"]):
             cycles(result)[1] for load, result in results}
    rows = []
    for load in LOADS:
        was = total[load, *BASE]
        rows.append([f"`{load}`", *(
            percent(was - total[load, mmu, bypass], was)
            for _, mmu, bypass in STEPS)])
    return table(["trace", *(name for name, _, _ in STEPS)], rows)


def picture(lab, path):
    directory, _ = sweep(lab)
    lab.plot(directory, path, "--kind", "heat", "--x", "machine", "--y",
             "mmu", "--z", "saved")


TABLES = {
    "history bypass": counted,
    "history bypass cycles": priced,
    "history bypass a fault": each_fault,
    "history bypass work": work,
    "history bypass place": place,
}
PICTURES = {"bypass-saved.png": ("history bypass cycles", picture)}
