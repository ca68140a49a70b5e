# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of documents that a script writes, between two comments."""

import re


def replace_part(path, name, text):
    """What stands between `<!-- name -->` and `<!-- end of name -->`."""
    with open(path, encoding="utf-8") as file:
        old = file.read()
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    fresh, found = re.subn(pattern, lambda _: begin + text + end, old,
                           flags=re.S)
    assert found == 1, f"{path}: no place for {name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(fresh)


def table(head, rows):
    """Markdown; cells are turned into text."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |"
              for row in rows]
    return "\n".join(lines)


def part(path, name):
    """What stands there now."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = re.search(re.escape(f"<!-- {name} -->\n") + "(.*?)"
                      + re.escape(f"\n<!-- end of {name} -->"), text, re.S)
    assert found, f"{path}: no place for {name}"
    return found.group(1)
