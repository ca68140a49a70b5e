# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reference costs by how many pages a loop goes through, and how far
apart: published tables against every file of machines/.

The published ones are of InstLatx64 (github.com/InstLatx64/InstLatx64, commit
087af2c), files *MemLat*.txt: load-to-use latency in cycles by the size that is
gone through and the stride.  A step is read where the data stays in one cache,
so that nothing but translation grows.
"""

import subprocess

from generated import table

SIZES = [32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072,
         4096, 6144, 8192, 12288, 16384, 24576, 32768]  # KiB
STRIDES = [4, 8, 16]  # KiB
READS = 2048          # or so, and one round at least

# Largest size without a rise, in KiB, at each of STRIDES; None: it cannot be
# told from what the caches do.  HASHED: up to there no rise, and 1536 pages.
HASHED = "none to 24576"


class Part:
    """A processor's published steps: (stride, size, cycles, size, cycles),
    and where they are from if not from the file that names the processor."""

    def __init__(self, machine, source, first=None, second=None, reach1=None,
                 reach2=None):
        self.machine, self.source = machine, source
        self.step = [first, second]
        self.reach = [reach1, reach2]


PARTS = [
    Part("prescott", "0000F43 Prescott", None, (4, 256, 28, 384, 65),
         None, [256, 512, 1024]),
    Part("merom", "00006F6 Conroe", (16, 64, 3, 96, 5),
         (4, 1024, 16, 1536, 23), [64, 64, 64], [1024, 1024, 1024]),
    Part("penryn", "0010676 Yorkfield", (16, 64, 3, 96, 5),
         (4, 1024, 17, 2048, 25), [64, 64, 64], [1024, 1024, 1024]),
    Part("nehalem", "00106A2 Nehalem-EP; 00106E5 Lynnfield",
         (16, 256, 10, 512, 17), (4, 2048, 47, 3072, 56),
         [256, 256, 256], [2048, 2048, 2048]),
    Part("westmere", "00206C2 Gulftown", (16, 256, 10, 512, 17),
         (4, 2048, 57, 4096, 66), [256, 256, 256], [2048, 2048, 2048]),
    Part("sandy-bridge", "00206A7 SandyBridge3", (8, 256, 12, 512, 19),
         (4, 2048, 37, 3072, 46), [256, 256, 256], [2048, 2048, 2048]),
    Part("ivy-bridge", "00306A9 IvyBridge", None, (4, 2048, 37, 4096, 47),
         [256, 256, 256], [2048, 2048, 2048]),
    Part("haswell", "00306C3 Haswell", (16, 256, 12, 384, 20),
         (16, 4096, 43, 8192, 51), [256, 256, 256], [None, 4096, 4096]),
    Part("broadwell", "0040671 BroadwellH; 00406F1 BroadwellE",
         (16, 256, 12, 384, 20), None, [256, 256, 256],
         [None, None, HASHED]),
    Part("skylake", "0050654 SkylakeX, a server's", (4, 256, 14, 384, 23),
         None, [256, 256, 256], None),
    Part("cascade-lake", "0050654 SkylakeX", (4, 256, 14, 384, 23), None,
         [256, 256, 256], [None, None, HASHED]),
    Part("ice-lake", "00A0671 RocketLake", (4, 256, 13, 384, 20), None,
         [256, 256, 256], None),
    Part("sapphire-rapids", "0090672 AlderLake", (4, 384, 15, 512, 22), None,
         [384, 384, 384], None),
    Part("k10", "0100FA0 Thuban", (4, 128, 17, 384, 20),
         (4, 2048, 56, 4096, 80), [192, None, None], [2048, 2048, 2048]),
    Part("zen2", "0830F10 Rome", (4, 256, 13, 384, 19),
         (4, 8192, 53, 12288, 65), [256, 512, 1024], [8192, 8192, 8192]),
    Part("zen3", "0A20F10 Vermeer2", (4, 256, 15, 384, 20), None,
         [256, 512, 1024], None),
]

# In the picture; the colours of notrap plot (Okabe and Ito).
SHOWN = {"prescott": "#000000", "merom": "#D55E00", "nehalem": "#E69F00",
         "haswell": "#009E73", "skylake": "#0072B2", "zen3": "#CC79A7"}


class Strides:
    """Cycles of translation for each read, by processor, stride and size.

    The published loops are chains, each address read from the one before.  So
    walks cannot overlap there, and here each processor has one walker.
    """

    def __init__(self, lab):
        self.lab = lab
        self.files = [lab.machine(part.machine, "serial",
                                  r"(?m)^walkers = \d+", "walkers = 1")
                      for part in PARTS]

    def added(self, stride, size):
        """{machine: cycles}; two recordings differ in nothing but rounds, as
        the first one finds what the writes before it have left."""
        words = size // stride
        rounds = 1, 1 + max(1, READS // words)
        few, many = (self.lab.replays(
            self.lab.record("mini", f"stride pages={size // 4} "
                            f"stride={stride * 1024} rounds={n} hz=0"),
            self.files, "mmu=native", "roi=on") for n in rounds)
        reads = (rounds[1] - rounds[0]) * words
        return {part.machine: (more["cycles"]["translation"] -
                               less["cycles"]["translation"]) / reads
                for part, less, more in zip(PARTS, few, many)}

    def of(self, machine, stride, size):
        return self.added(stride, size)[machine]

    def reach(self, machine, stride):
        """Largest sizes before the first rise, and before a second one."""
        costs = [self.of(machine, stride, size) for size in SIZES]
        lookup = next((cost for cost in costs if cost > 0.5), 0)
        held = [size for size, cost in zip(SIZES, costs) if cost <= 0.5]
        found = [size for size, cost in zip(SIZES, costs)
                 if cost <= lookup + 0.5]
        return held[-1], found[-1]


def places(reach):
    return "-" if not reach else ", ".join(
        "?" if one is None else str(one) for one in reach)


def reaches(lab):
    """How much each level holds, in KiB, at each stride."""
    strides = Strides(lab)
    rows = []
    for part in PARTS:
        ours = [strides.reach(part.machine, stride) for stride in STRIDES]
        first = [one[0] for one in ours]
        second = [one[1] for one in ours]
        # A single level: what it does not hold is walked for.
        if part.machine == "prescott":
            first, second = None, first
        rows.append([f"`{part.machine}`", places(part.reach[0]),
                     places(first), places(part.reach[1]), places(second)])
    return table(["processor", "first level, published", "ours",
                  "second (or only) level, published", "ours"], rows)


# Where nothing is published: (stride, size, size), beyond what it misses.
ELSEWHERE = [(4, 256, 512), (4, 6144, 16384)]


def step(strides, part, which):
    """The published step, ours, their ratio."""
    known = part.step[which]
    if part.machine == "prescott" and which == 0:
        return ["-", "-", "-"]
    stride, low, was, high, now = known or (
        *ELSEWHERE[which][:2], 0, ELSEWHERE[which][2], 0)
    ours = strides.of(part.machine, stride, high) - \
        strides.of(part.machine, stride, low)
    if not known:
        return ["-", f"{ours:.1f}", "-"]
    return [f"{was} to {now} ({low} to {high} KiB, stride {stride} KiB)",
            f"{ours:.1f}", f"{ours / (now - was):.2f}"]


def steps(lab):
    strides = Strides(lab)
    rows = [[f"`{part.machine}`", *step(strides, part, 0),
             *step(strides, part, 1), part.source] for part in PARTS]
    return table(["processor", "first level missed: published, cycles",
                  "ours", "ratio", "second level missed: published, cycles",
                  "ours", "ratio", "of"], rows)


def published(machine):
    """Where each step has ended: pages, cycles more than without a miss."""
    part = next(part for part in PARTS if part.machine == machine)
    cycles = 0
    for step_of in part.step:
        if step_of:
            _, _, was, high, now = step_of
            cycles += now - was
            yield high // 4, cycles


def picture(lab, path):
    """Ours as lines, and a circle where a published step has ended."""
    strides = Strides(lab)
    blocks, plots, circles = [], [], []
    for i, (machine, colour) in enumerate(SHOWN.items()):
        lines = [f"{size // 4} {strides.of(machine, 4, size):.3f}"
                 for size in SIZES]
        blocks.append(f"$data{i} << EOD\n" + "\n".join(lines) + "\nEOD")
        plots.append(f"$data{i} with linespoints lw 2 pt 7 ps 0.6 "
                     f"lc rgb '{colour}' title '{machine}'")
        lines = [f"{pages} {cycles}" for pages, cycles in published(machine)]
        blocks.append(f"$step{i} << EOD\n" + "\n".join(lines) + "\nEOD")
        circles.append(f"$step{i} with points lw 2 pt 6 ps 2 "
                       f"lc rgb '{colour}' notitle")
    plots += [*circles, "NaN with points lw 2 pt 6 ps 2 lc rgb '#666666' "
              "title 'published'"]
    script = "\n".join(blocks + [
        "set terminal pngcairo size 900,520 noenhanced font 'Sans,11'",
        f"set output '{path}'",
        "set logscale x 2; set xrange [8:8192]; set yrange [0:*]",
        "set xlabel 'pages, one read in each, again and again'",
        "set ylabel 'cycles of translation for each read'",
        "set key left top; set grid back lc rgb '#dddddd'; set border 3",
        "set xtics nomirror; set ytics nomirror",
        "plot " + ", ".join(plots)])
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


TABLES = {"history stride reach": reaches, "history stride steps": steps}

# Of docs/: with which table, and how.
PICTURES = {"stride.png": ("history stride steps", picture)}
