# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/quickstart from the build on: what it prints and leaves behind.

usage: test_quickstart.py SOURCE_ROOT BUILD_ROOT
"""

import csv
import glob
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

ROOT, BUILD = sys.argv[1:3]
PLOTS = ["linux-exits", "linux-coverage", "exits", "ladder"]


def run(*args, cwd="/"):
    return subprocess.run([f"{ROOT}/scripts/quickstart", *args], text=True,
                          capture_output=True, timeout=900, cwd=cwd)


def names(pattern):
    paths = glob.glob(f"{ROOT}/traces/{pattern}")
    return {os.path.splitext(os.path.basename(path))[0] for path in paths}


def read_sweep(directory):
    """{trace: {bypass: exits}}, the same by JSON and by CSV."""
    found, again = {}, {}
    with open(f"{directory}/sweep.json", encoding="utf-8") as file:
        for result in map(json.loads, file):
            name = os.path.basename(result["source"]["path"])[:-len(".ntr")]
            found.setdefault(name, {})[result["config"]["bypass"]] = \
                result["exits"]["total"]
    with open(f"{directory}/sweep.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = os.path.basename(row["source.path"])[:-len(".ntr")]
            again.setdefault(name, {})[row["config.bypass"]] = \
                int(row["exits.total"])
    assert found == again, f"{found}\n{again}"
    return found


def whole():
    """Linux first; every trace off and on; plots that are plots."""
    with tempfile.TemporaryDirectory() as scratch:
        done = run("--built", BUILD, "--output", "here", cwd=scratch)
        assert done.returncode == 0, done.stderr
        linux = done.stdout.index("What Debian Linux did")
        assert linux < done.stdout.index("Programs under perf"), done.stdout
        assert "linux-fork" in done.stdout[linux:], done.stdout
        out = f"{scratch}/here"
        for directory, traces in [
                ("linux", names("linux-*.ntr")),
                ("traces", names("*.ntr") - names("linux-*.ntr"))]:
            found = read_sweep(f"{out}/{directory}")
            assert set(found) == traces, f"{set(found)}, not {traces}"
            for name, of in found.items():
                assert of["on"] < of["off"], f"{name}: {of}"
        for plot in PLOTS:
            with open(f"{out}/{plot}.png", "rb") as file:
                assert file.read(8) == b"\x89PNG\r\n\x1a\n", plot
            with open(f"{out}/{plot}.svg", encoding="utf-8") as file:
                assert "</svg>" in file.read(), plot


def usage():
    done = run("--help")
    assert done.returncode == 0 and "--built DIR" in done.stdout, done
    done = run("--speed")
    assert done.returncode == 2 and "Usage" in done.stderr, done
    done = run("--output")
    assert done.returncode == 1 and "--output wants" in done.stderr, done


tap.run([("usage", usage), ("from the build on", whole)])
