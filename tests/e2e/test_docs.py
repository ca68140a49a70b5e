# SPDX-License-Identifier: GPL-2.0-or-later
"""Examples in the documents are what notrap prints now.

usage: test_docs.py NOTRAP MINI_ELF SOURCE_ROOT
"""

import os
import sys

NOTRAP, MINI, ROOT = map(os.path.abspath, sys.argv[1:4])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "meta"))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import doc_examples  # noqa: E402
import generated  # noqa: E402
import tap  # noqa: E402


def is_as_printed(document, part):
    there = generated.part(os.path.join(ROOT, document), part)
    assert there == doc_examples.text(NOTRAP, MINI, document, part), \
        "run scripts/update-docs"


tap.run([(f"{document}: {part}", is_as_printed, document, part)
         for document, part in doc_examples.EXAMPLES])
