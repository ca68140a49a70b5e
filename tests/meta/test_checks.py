# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks of the tree complain about what they are there for.

Each case makes a small tree with one thing wrong and runs the check on it:
the line of the check that must fail does, and no other.

Usage: test_checks.py CHECK-LAYERS CHECK-HEADERS CHECK-FORMAT
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tap  # noqa: E402

LAYERS, HEADERS, FORMAT = sys.argv[1:4]

GOOD = {
    "src/base/types.h": "#include <stdint.h>\n",
    "src/base/types.c": '#include "base/types.h"\n',
    "src/mem/mem.h": '#include "base/types.h"\n',
    "src/live/vcpu.c": '#include <unicorn/unicorn.h>\n#include "mem/mem.h"\n',
    "benchmarks/bare.c": "#include <unicorn/unicorn.h>\n",
}

ORDER, ROWS, OBEY, INTERNAL, UNICORN, CAPSTONE = range(1, 7)

# name, files that differ, the case of check-layers that must fail
LAYER_CASES = [
    ("a sound tree passes", {}, None),
    ("a module without a row", {"src/extra/x.h": ""}, ROWS),
    ("a source outside the modules", {"src/x.c": ""}, ROWS),
    ("an include of a higher module",
     {"src/base/types.h": '#include "mem/mem.h"\n'}, OBEY),
    ("an include of an unrelated module",
     {"src/mem/mem.h": '#include "cpu/cpu.h"\n'}, OBEY),
    ("an include spread over blanks",
     {"src/base/types.h": '  #  include "mem/mem.h"\n'}, OBEY),
    ("an include in a list of facts",
     {"src/base/list.def": '#include "mem/mem.h"\n'}, OBEY),
    ("our header in angle brackets",
     {"src/base/types.h": "#include <mem/mem.h>\n"}, OBEY),
    ("an include without its module",
     {"src/mem/mem.h": '#include "mem.h"\n'}, OBEY),
    ("an include by a relative path",
     {"src/mem/mem.h": '#include "../cli/cli.h"\n'}, OBEY),
    ("live includes sim",
     {"src/live/vcpu.c": '#include "sim/sim.h"\n'}, OBEY),
    ("somebody includes cli",
     {"src/report/text.c": '#include "cli/cli.h"\n'}, OBEY),
    ("another module's internal.h",
     {"src/cpu/tlb.c": '#include "mem/internal.h"\n'}, INTERNAL),
    ("one's own internal.h is fine",
     {"src/cpu/tlb.c": '#include "cpu/internal.h"\n'}, None),
    ("unicorn.h in sim",
     {"src/sim/sim.c": "#include <unicorn/unicorn.h>\n"}, UNICORN),
    ("unicorn's x86.h in a test of sim",
     {"tests/sim/test.c": "#include <unicorn/x86.h>\n"}, UNICORN),
    ("capstone.h in cpu",
     {"src/cpu/decode.c": "#include <capstone.h>\n"}, CAPSTONE),
    ("capstone/x86.h in cpu",
     {"src/cpu/decode.c": "#include <capstone/x86.h>\n"}, CAPSTONE),
]

# name, the header, whether it passes
HEADER_CASES = [
    ("a sound header passes",
     "#ifndef A_H\n#define A_H\nstruct a { int x; };\n#endif\n", True),
    ("a header that needs another one first", "size_t f(void);\n", False),
    ("a header without a guard", "struct a { int x; };\n", False),
    ("a header with a warning",
     "#ifndef A_H\n#define A_H\nstatic inline int f(long x) { return x; }\n"
     "#endif\n", False),
    ("a header of the module's second library",
     "#ifndef A_H\n#define A_H\n#include <extra.h>\n#endif\n", True),
]


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True,
                          check=False)


def check_layers(differ, wrong):
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        write_tree(root, {**GOOD, **differ})
        done = output_of(sys.executable, LAYERS, "--root", tmp)
    failed = [int(line.split()[2]) for line in done.stdout.splitlines()
              if line.startswith("not ok")]
    want = [] if wrong is None else [wrong]
    # An include of another's internal.h may break the rows as well.
    if wrong == INTERNAL and OBEY in failed:
        failed.remove(OBEY)
    assert failed == want, f"want {want} to fail, got:\n{done.stdout}"
    assert done.returncode == (1 if want else 0), f"exit {done.returncode}"


def check_table():
    """The script with a row moved before what it names."""
    with open(LAYERS, encoding="utf-8") as file:
        text = file.read()
    row = '    "paging": "base arch mem",\n'
    assert row in text, "the row of paging has another form now"
    text = text.replace(row, "").replace("TABLE = {\n", "TABLE = {\n" + row)
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        write_tree(root, {**GOOD, "check": text})
        done = output_of(sys.executable, str(root / "check"), "--root", tmp)
    assert f"not ok {ORDER}" in done.stdout, done.stdout
    assert "paging: mem is not an earlier row" in done.stdout, done.stdout


def check_headers(text, passes):
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        write_tree(root, {"src/base/a.h": text, "src/base/a.c": ""})
        write_tree(root, {"extra/extra.h": ""})
        # Two libraries in one module, the second with one directory more.
        write_tree(root, {"build/compile_commands.json": json.dumps([{
            "directory": str(root / "build"), "file": f"../src/base/{name}.c",
            "command": f"cc {more} -I../src -std=c17 -Wall -Wconversion "
                       f"-Werror -MD -MQ {name}.o -MF {name}.d -o {name}.o "
                       f"-c ../src/base/{name}.c"}
            for name, more in (("a", ""), ("b", "-isystem../extra"))])})
        done = output_of(sys.executable, HEADERS, "--root", tmp,
                         "--build", str(root / "build"))
    got = "\nok 1 - base/a.h" in done.stdout
    assert got == passes, f"want {passes}, got:\n{done.stdout}"
    assert done.returncode == (0 if passes else 1), f"exit {done.returncode}"


def check_format(text, want):
    style = pathlib.Path(FORMAT).resolve().parents[1] / ".clang-format"
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        write_tree(root, {"src/base/a.c": text})
        shutil.copy(style, root)
        done = output_of(FORMAT, tmp)
    if done.returncode == 77:
        raise tap.Skip("no clang-format 14")
    assert done.returncode == want, f"exit {done.returncode}:\n{done.stdout}"
    assert want == 0 or "src/base/a.c" in done.stdout, done.stdout


tap.run(
    [("layers: " + name, check_layers, differ, wrong)
     for name, differ, wrong in LAYER_CASES] +
    [("layers: a row that names a later one", check_table)] +
    [("headers: " + name, check_headers, text, passes)
     for name, text, passes in HEADER_CASES] +
    [("format: a sound file passes", check_format, "int f(int x);\n", 0),
     ("format: a file to be formatted", check_format, "int f( int x );\n", 1)])
