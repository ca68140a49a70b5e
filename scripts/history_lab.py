# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings and replays for scripts/validate-history, and their figures."""

import json
import os
import re
import subprocess

MACHINES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                        "machines")
MEMORY = "128M"  # of the recorded Linux guests


class Lab:
    """Records guests into a directory and replays traces; each once."""

    def __init__(self, notrap, guests, traces, work):
        self.notrap, self.guests = notrap, guests
        self.traces, self.work = traces, work
        self.seen = {}

    def __tell(self, *args):
        done = subprocess.run([self.notrap, *args], capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"notrap {' '.join(args)}: {done.stderr}")
        return done.stdout

    def record(self, image, words, *settings, mmu="native"):
        """The trace of a reference guest's workload.  Where no hypervisor
        shows, unless another mmu is asked for: before 2.6.38 they report
        fetches to a guest without NX."""
        settings = [f"mmu={mmu}", *settings]
        path = os.path.join(self.work, f"{image} {words} {' '.join(settings)}"
                            .replace(" ", "_").replace("=", "-") + ".ntr")
        if not os.path.exists(path):
            self.__tell("run", os.path.join(self.guests, f"{image}.elf"),
                        "--append", words, "--console", "none", "--record",
                        path, *(word for setting in settings
                                for word in ("-D", setting)))
        return path

    def trace(self, name):
        return os.path.join(self.traces, f"{name}.ntr")

    def replay(self, path, *settings):
        """One result."""
        key = path, settings
        if key not in self.seen:
            words = [word for setting in settings for word in ("-D", setting)]
            out = self.__tell("replay", path, "--format", "json", *words)
            lines = out.splitlines()
            assert len(lines) == 1, f"{len(lines)} results of {settings}"
            self.seen[key] = json.loads(lines[0])
        return self.seen[key]

    def sweep(self, name, traces, *settings):
        """All points of traces by name: the directory, and (trace, result)
        pairs."""
        directory = os.path.join(self.work, name)
        if directory not in self.seen:
            words = [word for setting in settings for word in ("-D", setting)]
            self.__tell("sweep", *map(self.trace, traces), *words, "-o",
                        directory)
            with open(os.path.join(directory, "sweep.json"),
                      encoding="utf-8") as file:
                self.seen[directory] = [json.loads(line) for line in file]
        return directory, [
            (os.path.basename(result["source"]["path"]).removesuffix(".ntr"),
             result) for result in self.seen[directory]]

    def plot(self, directory, path, *args):
        self.__tell("plot", directory, *args, "-o", path)

    def replays(self, path, machines, *settings):
        """One result a machine, in their order; one pass over the trace."""
        key = path, tuple(machines), settings
        if key not in self.seen:
            words = [word for setting in settings for word in ("-D", setting)]
            out = self.__tell("replay", path, "--format", "json", "-D",
                              "machine=" + ",".join(machines), *words)
            self.seen[key] = [json.loads(line) for line in out.splitlines()]
            assert len(self.seen[key]) == len(machines)
        return self.seen[key]

    def machine(self, name, change, pattern, text):
        """A copy of a file of machines/ with a change that has a name."""
        path = os.path.join(self.work, f"{name}-{change}.ini")
        with open(os.path.join(MACHINES, f"{name}.ini"),
                  encoding="utf-8") as file:
            fresh, found = re.subn(pattern, text, file.read())
        assert found, f"{name}: no {pattern}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(fresh)
        return path

    def linux(self, name, *settings):
        return self.replay(self.trace(name), f"memory={MEMORY}", *settings)


def cost_range(text):
    """'N' or 'N:MIN..MAX' as least, typical, most."""
    typical, _, rest = text.partition(":")
    least, _, most = rest.partition("..")
    return int(least or typical), int(typical), int(most or typical)


def cycles(result):
    """Least, typical and most, from counts and costs; the second is the
    model's own total."""
    total = [0, 0, 0]
    for key, count in result["cost_counts"].items():
        for i, cost in enumerate(cost_range(result["config"][key])):
            total[i] += count * cost
    assert total[1] == result["cycles"]["total"], "cycles do not add up"
    return total


def exits(result, reason):
    return result["exits"]["by_reason"].get(reason, 0)


def causes(result):
    return result["exits"]["page_fault"]


def percent(part, whole):
    return f"{100 * part / whole:.1f} %"
