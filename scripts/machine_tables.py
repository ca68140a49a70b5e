# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of docs/machines.md, from what notrap machines prints."""

import json
import subprocess

from generated import table

SHOWN = ["cost.exit", "cost.delivery", "cost.tlb-l2"]
TAGS = ["R", "D", "M:hi", "M:med", "M:lo", "A"]


def sheet(notrap, *args):
    done = subprocess.run([notrap, "machines", *args, "--format", "json"],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def number(row):
    """A value with its range and its tag."""
    span = "" if row["min"] is None else f" [{row['min']}..{row['max']}]"
    return f"{row['value']}{span} {row['tag']}"


def machines(notrap):
    rows = []
    for line in sheet(notrap)["machines"]:
        numbers = {row["key"]: row
                   for row in sheet(notrap, line["name"])["numbers"]}
        rows.append([f"`{line['name']}`", line["part"], line["year"],
                     line["mhz"], number(numbers["maxphyaddr"]),
                     *(number(numbers[key]) for key in SHOWN),
                     line["features"]])
    return table(["`machine=`", "part", "year", "MHz", "maxphyaddr",
                  *(f"`{key}`" for key in SHOWN), "features"], rows)


def hypervisors(notrap):
    rows = []
    for line in sheet(notrap, "--hypervisors")["hypervisors"]:
        numbers = {row["key"]: row for row in
                   sheet(notrap, "--hypervisors", line["name"])["numbers"]}
        rows.append([f"`{line['name']}`", line["what"], line["mmus"],
                     number(numbers["cost.dispatch"])])
    return table(["`hypervisor=`", "what it is", "`era`: of `mmu=`",
                  "`cost.dispatch`"], rows)


def keys(notrap):
    rows = []
    for flags in [], ["--hypervisors"]:
        free = False
        for row in sheet(notrap, *flags, "generic")["numbers"]:
            if row["section"] == "tlb":  # its keys are names
                if free:
                    continue
                free = True
                row["key"] = "any name"
            rows.append([f"[{row['section']}]", f"`{row['key']}`",
                         row["what"]])
    return table(["section", "key", "what it is"], rows)


def worth(notrap):
    """How many numbers of each file have which tag."""
    rows = []
    for flags, kind in ([], "machines"), (["--hypervisors"], "hypervisors"):
        for line in sheet(notrap, *flags)[kind]:
            tags = [row["tag"] for row in
                    sheet(notrap, *flags, line["name"])["numbers"]]
            rows.append([f"`{kind}/{line['name']}.ini`",
                         *(tags.count(tag) for tag in TAGS)])
    return table(["file", *TAGS], rows)


PARTS = {"machines": machines, "hypervisors": hypervisors, "keys": keys,
         "worth": worth}
