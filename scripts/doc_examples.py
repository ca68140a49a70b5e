# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands with what they print, for the documents; of our reference guest."""

import os
import shlex
import subprocess
import tempfile


def lines_of(box, notrap, command):
    words = shlex.split(command)
    done = subprocess.run([os.path.abspath(notrap), *words], cwd=box,
                          check=True, capture_output=True, text=True)
    return done.stdout.rstrip("\n").split("\n")


def heads(lines, keep):
    """Of each table the head and so many rows; those left out are dots."""
    shown, rows = [], None
    for line in lines:
        if not line or line.startswith("=") or line.startswith("-"):
            rows = None
        elif rows is None:
            rows = 0
        else:
            rows += 1
        if rows is None or rows <= keep:
            shown.append(line)
        elif rows == keep + 1:
            shown.append("...")
    return shown


def example(notrap, mini, *commands, keep=None):
    """All are shown, and the output of the last one."""
    with tempfile.TemporaryDirectory() as box:
        os.symlink(os.path.abspath(mini), os.path.join(box, "mini.elf"))
        for command in commands:
            lines = lines_of(box, notrap, command)
    while lines and not lines[0]:
        lines = lines[1:]
    shown = [f"$ notrap {command}" for command in commands]
    shown += heads(lines, keep) if keep else [""] + lines
    return "\n".join(("    " + line).rstrip() for line in shown)


def record(workload, name):
    return f'run mini.elf --append "{workload}" --record {name}'


def result(workload, *settings):
    words = " ".join(["-D " + setting for setting in settings])
    return (f'run mini.elf --append "{workload}" {words} --format json -o '
            "result.json")


FORK = "fork procs=20 pages=32"

# document, part: commands, rows that are shown of each table
EXAMPLES = {
    ("docs/sweep.md", "sweep"): (
        [record("touch pages=1024", "touch.trace"),
         record("mixed seed=1", "mixed.trace"),
         "sweep touch.trace mixed.trace -D bypass=off,on -D "
         "shadow-pages=64,1024 -o out"], None),
    ("docs/result-file.md", "by-rip"): (
        [result(FORK, "bypass=on"), "report --by rip result.json"], 2),
    ("docs/result-file.md", "by-chain"): (
        [result("touch pages=1024", "bypass=off"),
         "report --by chain result.json"], None),
    ("docs/result-file.md", "diff"): (
        [record(FORK, "fork.ntr"),
         "diff fork.ntr -D mmu=kvm-2.6.20,kvm-2.6.25 --list --limit 1"], 3),
    ("docs/result-file.md", "bound"): (
        [record("mixed seed=1", "mixed.ntr"), "bound mixed.ntr"], 6),
}


def text(notrap, mini, document, part):
    commands, keep = EXAMPLES[document, part]
    return example(notrap, mini, *commands, keep=keep)
