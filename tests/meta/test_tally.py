# SPDX-License-Identifier: GPL-2.0-or-later
"""The counts and the last line scripts/tally makes of meson's logs.

Usage: test_tally.py TALLY
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tap  # noqa: E402

TALLY = sys.argv[1]

# name, [(speaks TAP, meson's result, stdout)], last line, words in the output
CASES = [
    ("TAP cases are counted one by one",
     [(True, "OK", "1..3\nok 1 - a\nok 2 - b\nok 3 - c\n")],
     "3 passed, 0 failed", []),
    ("several groups in one test",
     [(True, "OK", "1..1\nok 1 - a\n1..2\nok 1 - b\nok 2\n")],
     "3 passed, 0 failed", []),
    ("a failed case is shown with its comments",
     [(True, "FAIL", "1..2\nok 1 - a\nnot ok 2 - b\n# got 1, want 2\n")],
     "1 passed, 1 failed", ["not ok 2 - b", "# got 1, want 2"]),
    ("a failed case in the middle",
     [(True, "FAIL", "1..3\nok 1\nnot ok 2 - b\nguest says hi\nok 3\n")],
     "2 passed, 1 failed", ["not ok 2 - b"]),
    ("a crash takes the cases it promised with it",
     [(True, "ERROR", "1..5\nok 1 - a\nok 2 - b\n")],
     "2 passed, 3 failed", ["3 of 5 cases not reported"]),
    ("a crash after the last case still counts",
     [(True, "ERROR", "1..1\nok 1 - a\n")],
     "1 passed, 1 failed", ["FAILED: t0"]),
    ("a crash before the plan",
     [(True, "ERROR", "")], "0 passed, 1 failed", ["FAILED: t0"]),
    ("a test out of time",
     [(True, "TIMEOUT", "1..2\nok 1 - a\n")],
     "1 passed, 1 failed", ["TIMEOUT"]),
    ("a skipped case",
     [(True, "OK", "1..2\nok 1 - a\nok 2 - b # SKIP no hardware\n")],
     "1 passed, 0 failed, 1 skipped", ["no hardware"]),
    ("a skipped case as cmocka 1.1.5 writes it",
     [(True, "FAIL", "1..2\nok 1 - a\nnot ok 2 # SKIP b\n")],
     "1 passed, 0 failed, 1 skipped", []),
    ("such a skip hides no missing case",
     [(True, "FAIL", "1..3\nok 1 - a\nnot ok 2 # SKIP b\n")],
     "1 passed, 1 failed, 1 skipped", ["1 of 3 cases not reported"]),
    ("a plan of nothing is a skip",
     [(True, "SKIP", "1..0 # SKIP not here\n"), (False, "OK", "")],
     "1 passed, 0 failed, 1 skipped", ["not here"]),
    ("an expected failure of TAP is no failure",
     [(True, "OK", "1..1\nnot ok 1 - a # TODO later\n")],
     "1 passed, 0 failed", []),
    ("a plain test is one case",
     [(False, "OK", "ok\nok\nok\n"), (False, "FAIL", "it broke\n")],
     "1 passed, 1 failed", ["it broke"]),
    ("a plain test that is skipped says why",
     [(False, "SKIP", "no tool here\n"), (False, "OK", "")],
     "1 passed, 0 failed, 1 skipped", ["SKIPPED: t0", "no tool here"]),
    ("a test that should fail and does",
     [(False, "EXPECTEDFAIL", "")], "1 passed, 0 failed", []),
    ("a test that should fail and does not",
     [(False, "UNEXPECTEDPASS", "")], "0 passed, 1 failed", []),
    ("words that look like TAP are not",
     [(True, "OK", "1..1\nokay then\nnothing ok\nok 1 - a\n")],
     "1 passed, 0 failed", []),
    ("the longest are named", [(False, "OK", "")] * 3, "3 passed, 0 failed",
     ["LONGEST: plain: t2 6 s, t1 3 s; 3 tests, 9 s"]),
    ("nothing ran", [], "0 passed, 1 failed", ["no test ran"]),
]


def write_build(build, runs):
    tests, log = [], []
    for number, (speaks_tap, result, stdout) in enumerate(runs):
        command = [f"./t{number}"]
        tests.append({"cmd": command,
                      "protocol": "tap" if speaks_tap else "exitcode"})
        log.append(json.dumps({
            "name": f"notrap:unit / t{number}", "stdout": stdout,
            "stderr": "from stderr\n", "result": result, "returncode": 0,
            "duration": 3 * number + 0.1, "command": command}) + "\n")
    for directory in "meson-info", "meson-logs":
        (build / directory).mkdir()
    (build / "meson-info/intro-tests.json").write_text(json.dumps(tests))
    if runs:
        (build / "meson-logs/log-plain.json").write_text("".join(log))


def check_tally(runs, last, words):
    with tempfile.TemporaryDirectory() as tmp:
        write_build(pathlib.Path(tmp), runs)
        done = subprocess.run([sys.executable, TALLY, f"plain={tmp}:log"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, check=False)
    lines = done.stdout.splitlines()
    assert lines and lines[-1] == last, f"want {last!r}, got:\n{done.stdout}"
    for word in words:
        assert word in done.stdout, f"no {word!r} in:\n{done.stdout}"
    failed = " 0 failed" not in last
    assert done.returncode == int(failed), f"exit {done.returncode}"
    assert not failed or not runs or "from stderr" in done.stdout, done.stdout


tap.run([(name, check_tally, *rest) for name, *rest in CASES])
