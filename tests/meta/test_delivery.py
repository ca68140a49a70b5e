#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/delivery.md: every difference names its test, and the test exists.

usage: test_delivery.py ROOT
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
import tap  # noqa: E402

ROOT = pathlib.Path(sys.argv[1])
NAMED = re.compile(r"`(test_\w+\.(?:c|py)): (\w+)`")


def rows():
    """(line number, cells) of each row under "Differences"."""
    text = (ROOT / "docs/delivery.md").read_text(encoding="utf-8")
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            inside = line == "## Differences"
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if (inside and line.startswith("|") and cells[0] != "what" and
                not re.match(r"\|[-:|]+$", line)):
            yield number, cells


def every_row_names_a_test():
    found = list(rows())
    assert len(found) >= 15, f"only {len(found)} rows"
    for number, cells in found:
        assert len(cells) == 5, f"line {number}: {len(cells)} cells"
        assert NAMED.search(cells[-1]), f"line {number} names no test"


def every_test_exists():
    for number, cells in rows():
        for name, function in NAMED.findall(" ".join(cells)):
            files = list((ROOT / "tests").rglob(name))
            assert len(files) == 1, f"line {number}: {name}: {files}"
            text = files[0].read_text(encoding="utf-8")
            run = rf"cmocka_unit_test\({function}\)|^def {function}\("
            assert re.search(run, text, re.M), \
                f"line {number}: {name} does not run {function}"


def limits_lead_here():
    text = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    assert "(delivery.md)" in text


tap.run([
    ("every row names a test", every_row_names_a_test),
    ("every test exists", every_test_exists),
    ("docs/limits.md leads here", limits_lead_here),
])
