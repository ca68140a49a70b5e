# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/processor.md has the tables that the program is made of.

usage: test_processor.py ROOT
"""

import os
import sys

ROOT = sys.argv[1]
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import processor_tables  # noqa: E402
import tap  # noqa: E402


def has(table):
    with open(os.path.join(ROOT, "docs", "processor.md")) as page:
        assert table() in page.read(), "run scripts/update-docs"


tap.run([("processors", has, processor_tables.profiles),
         ("MSRs", has, processor_tables.msrs)])
