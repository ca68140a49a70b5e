# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of docs/processor.md, from the lists the program is made of."""

import os
import re
import subprocess

from generated import table

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
LETTERS = dict(zip("p32kn", ("plain", "pentium3", "core2", "k8", "nehalem")))
KINDS = {
    "RW": "{mask} may change, else #GP", "RO": "#GP",
    "BITS": "{mask} is taken, the rest stays", "KEPT": "dropped",
    "WO": "dropped; a read is #GP",
    "PMC": "bits 31:0, their sign up to {mask}",
    "CLEAR": "control as written; 0 alone to the others",
    "PAT": "types are checked", "MTRR_DEF": "types are checked",
    "MTRR_BASE": "types and width are checked",
    "MTRR_FIX": "types are checked",
}


def arguments(entry):
    """Split at the commas that are outside of strings."""
    return re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', entry)


def entries(path, macro, *includes):
    """Arguments of each macro(...) of a list, expanded by the compiler."""
    text = "".join(f'#include "{name}"\n' for name in includes)
    text += f'#define {macro}(...) @@ __VA_ARGS__ @@\n#include "{path}"\n'
    done = subprocess.run(["cc", "-E", "-P", f"-I{ROOT}/src", "-xc", "-"],
                          input=text, capture_output=True, text=True,
                          check=True)
    for entry in re.findall("@@(.*?)@@", done.stdout, re.S):
        entry = re.sub(r'"\s*"', "", " ".join(entry.split()))
        yield [part.strip() for part in arguments(entry)]


def number(expression):
    return eval(re.sub(r"(\d)U?L+\b", r"\1", expression), {})


def bit_names(prefix):
    with open(f"{ROOT}/src/arch/cpuid_bits.h") as header:
        return [(int(nr), name) for name, nr in re.findall(
            rf"#define {prefix}_(\w+)\s+BIT\((\d+)\)", header.read())]


def shown(value, prefix):
    return " ".join(name for nr, name in bit_names(prefix) if value >> nr & 1)


def profiles():
    rows = []
    for (_, name, _, _, ecx, edx, ext_ecx, ext_edx, width, _, what,
         source) in entries("arch/cpu_profiles.def", "PROFILE",
                            "arch/cpuid_bits.h"):
        features = [shown(number(edx), "CPUID_1_EDX"),
                    shown(number(ecx), "CPUID_1_ECX"),
                    shown(number(ext_edx), "CPUID_EXT_EDX"),
                    shown(number(ext_ecx), "CPUID_EXT_ECX")]
        rows.append([f"`{name.strip(chr(34))}`", what.strip(chr(34)),
                     " ".join(filter(None, features)), width,
                     source.strip(chr(34))])
    return table(["`cpu=`", "what it is", "CPUID shows", "address bits",
                  "source"], rows)


def msrs():
    rows = []
    with open(f"{ROOT}/src/platform/msrs.def") as source:
        text = source.read()
    for entry in re.findall(r"^MSR\((.*?)\)$", text, re.S | re.M):
        (_, first, count, who, vendor, kind, reset, mask, name,
         source) = [part.strip() for part in arguments(entry)]
        last = int(first, 0) + int(count) - 1
        numbers = first if int(count) == 1 else f"{first}..{last:#x}"
        names = [LETTERS[letter] for letter in who.strip('"')]
        if vendor != "ANY":
            names[0] += f" ({vendor.title() if vendor == 'INTEL' else vendor})" \
                if names[0] == "plain" else ""
        mask = "any bit" if mask == "UINT64_MAX" else mask
        rows.append([numbers, name.strip(chr(34)), ", ".join(names),
                     KINDS[kind].format(mask=mask), reset,
                     source.strip(chr(34))])
    return table(["number", "name", "processors", "a write", "at the start",
                  "source"], rows)
