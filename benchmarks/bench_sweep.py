# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap sweep with one process and with two, in turns; the best of three.

usage: bench_sweep.py NOTRAP DIRECTORY      (of traces)
"""

import pathlib
import subprocess
import sys
import tempfile
import time

NOTRAP = sys.argv[1]
TRACES = sorted(map(str, pathlib.Path(sys.argv[2]).glob("*.ntr")))
SETTINGS = ["-D", "bypass=off,on", "-D", "mmu=seed,kvm-2.6.25",
            "-D", "shadow-pages=128,256,512,1024"]
ROUNDS = 3


def seconds(workers):
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        subprocess.run([NOTRAP, "sweep", *TRACES, *SETTINGS, "-j",
                        str(workers), "-o", f"{scratch}/out"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - began


best = {1: 1e9, 2: 1e9}
for _ in range(ROUNDS):
    for number in best:
        best[number] = min(best[number], seconds(number))
print(f"sweep of 16 configurations over {len(TRACES)} traces: "
      f"-j 1 {best[1]:.2f} s, -j 2 {best[2]:.2f} s, "
      f"{best[1] / best[2]:.2f} x (goal 1.9, two idle processors)")
