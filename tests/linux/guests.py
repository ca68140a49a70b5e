# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Linux as scripts/linux-guests left it, and what it has to say.

The tests look in NOTRAP_LINUX_DIR, or in .deps/linux of the source tree; where
nothing is there, they are skipped.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "meta"))
import tap  # noqa: E402

DIR = pathlib.Path(os.environ.get("NOTRAP_LINUX_DIR", ROOT / ".deps/linux"))
NOTRAP = str(ROOT / "build/notrap")  # a test has its own
APPEND = "console=ttyS0 reboot=t panic=-1 nokaslr mitigations=off"
WORKLOADS = ["boot", "fork", "pipe", "copy", "sort", "gzip", "compile",
             "idle"]

# Every policy, with the bypass where it can be on.
POLICIES = [("kvm-2.6.20-rc3", "off"), ("kvm-2.6.20", "off"),
            ("kvm-2.6.24", "off"), ("seed", "off"), ("seed", "on"), ("kvm-2.6.25", "off"), ("kvm-2.6.25", "on"),
            ("kvm-2.6.28", "off"), ("kvm-2.6.28", "on"),
            ("kvm-2.6.38", "off"), ("kvm-2.6.38", "on"), ("kvm-3.1", "off"),
            ("xen", "off"), ("ept", "off"), ("native", "off")]


def arguments(doc, *flags):
    """What a test was told, its usage being the end of its documentation:
    notrap, the words of -k, the flags."""
    parser = argparse.ArgumentParser(
        usage=doc.split("usage: ")[1].rstrip())
    parser.add_argument("notrap")
    parser.add_argument("-k", metavar="WORD", action="append", default=[],
                        help="only cases whose names hold it, or another -k's")
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def need(kernel, image="vmlinux"):
    """The files of a kernel; the case is skipped without."""
    files = DIR / f"{image}-{kernel}", DIR / f"initrd-{kernel}.gz"
    for path in files:
        if not path.exists():
            raise tap.Skip(f"no {path}: scripts/linux-guests brings it")
    return files


class Console:
    """What the guest wrote."""

    def __init__(self, console):
        self.console = console

    def told(self, pattern):
        found = re.search(pattern, self.console)
        assert found, f"no '{pattern}' in the console's end:\n" + \
            self.console[-600:]
        return found.group(1)

    def checksum(self):
        return self.told(r"notrap: \w+ result ([0-9a-f]{32})\r?\n")

    def pgfault(self):
        """As the guest counts them: in all, and of the workload."""
        return (int(self.told(r"notrap: pgfault (\d+) in all")),
                int(self.told(r"notrap: pgfault \d+ in all, (\d+) of")))


class Run(Console):
    """What a run left: its result (JSON) and the guest's console."""

    def __init__(self, result, console):
        super().__init__(console)
        self.result = json.loads(result)
        self.text = result

    def codes(self):
        """Guest page faults by error code."""
        told = self.result["guest_faults"]["by_error_code"]
        return {int(code, 16): count for code, count in told.items()}


def notrap(*args, status=0, timeout=1200):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout)
    assert done.returncode == status, \
        f"notrap {' '.join(args)}: status {done.returncode}, {done.stderr}"
    return done.stdout


def settings(values):
    return [word for value in values for word in ("-D", value)]


def boot(kernel, words, *values, append=APPEND, more=(), status=0,
         image="vmlinux"):
    """Boots a kernel: words, such as "fork notrap.n=9", choose the workload;
    values are settings. The guest's memory is 128M unless they tell."""
    vmlinux, initrd = need(kernel, image)
    if not any(value.startswith("memory=") for value in values):
        values = ("memory=128M", *values)
    with tempfile.NamedTemporaryFile() as console:
        out = notrap("run", str(vmlinux), "--initrd", str(initrd), "--append",
                     f"{append} notrap.workload={words}", "--format", "json",
                     "--console", console.name, *settings(values), *more,
                     status=status)
        with open(console.name, encoding="utf-8", errors="replace") as text:
            return Run(out, text.read())


def lines(n):
    """As lines() of guests/linux/init."""
    return [f"{i * 7919 % 100003} line {i} {i * i % 977}\n"
            for i in range(1, n + 1)]


def pipe_result(n):
    seven = "".join(line for line in lines(200) if "7" in line)
    counts = seven.count("\n"), len(seven.split()), len(seven)
    return n * "{:9} {:9} {:9}\n".format(*counts)


def sort_result(n):
    return "".join(sorted(lines(n), key=lambda s: (int(s.split()[0]), s)))


def compile_result():
    """tcc on this machine, with the libraries it has in the guest."""
    parts = DIR / "parts-amd64"
    with tempfile.TemporaryDirectory() as work:
        source = pathlib.Path(work) / "source.c"
        source.write_bytes(subprocess.run([ROOT / "guests/linux/make-source"],
                                          check=True,
                                          capture_output=True).stdout)
        subprocess.run([parts / "ld-linux-x86-64.so.2", "--library-path",
                        parts, parts / "tcc", "-c", source, "-o",
                        f"{work}/source.o"], check=True)
        return (pathlib.Path(work) / "source.o").read_bytes()


def result(words, i386=False):
    """The right checksum, computed here."""
    name, *more = words.split()
    n = int(more[0].removeprefix("notrap.n=")) if more else None
    data = {
        "boot": lambda: "Linux " + ("i686" if i386 else "x86_64") + "\n",
        "fork": lambda: f"{n or 200}\n",
        "pipe": lambda: pipe_result(n or 60),
        "copy": lambda: bytes(4 << 20),
        "sort": lambda: sort_result(n or 20000),
        "compile": compile_result,
        "idle": lambda: f"{n or 1}\n",
        "gzip": lambda: "".join(lines(n or 80000)),
    }[name]()
    return hashlib.md5(data if isinstance(data, bytes)
                       else data.encode()).hexdigest()
