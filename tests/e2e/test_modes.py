# SPDX-License-Identifier: GPL-2.0-or-later
"""mini in every paging mode, with every feature of paging: no policy can be
told from another by the guest, error codes are as the manual has them, and a
replay is what the live run was.

usage: test_modes.py NOTRAP MINI MINI_PAE MINI_32
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402
from results import first_difference  # noqa: E402

NOTRAP = sys.argv[1]
IMAGES = dict(zip(("64", "pae", "32"), sys.argv[2:5]))
IMAGES["57"] = IMAGES["64"]

# Without a hypervisor, which no other may be told from, and beneath EPT.  But
# where there is no NX the older ones report fetches all the same: see LATER.
DIRECT = [("native", "off"), ("ept", "off")]

POLICIES = [("kvm-2.6.20-rc3", "off"), ("kvm-2.6.20", "off"),
            ("kvm-2.6.24", "off"), ("seed", "off"), ("seed", "on"),
            ("kvm-2.6.25", "off"), ("kvm-2.6.25", "on"),
            ("kvm-2.6.28", "off")]

# These tell fetches apart by the guest's EFER.NXE, as hardware does without a
# hypervisor; the older ones by their own, which is always 1 (docs/limits.md).
LATER = [("kvm-2.6.38", "off"), ("kvm-2.6.38", "on"), ("kvm-3.1", "off"),
         ("xen", "off")]

# What the guest turns on, and what its processor therefore needs.
SETS = {
    "32": ["", "smep smap", "smep global"],
    "pae": ["", "nx=0", "smep smap global", "nx=0 smep"],
    "64": ["", "nx=0", "smep smap pku", "pcid invpcid global", "pcid",
           "smap pku pcid invpcid nx=0"],
    "57": ["", "smep smap pku pcid invpcid global"],
}

WORKLOADS = ["touch pages=300 rw=r", "fork procs=3 pages=12 exec=1",
             "switch rounds=20 pages=24", "mixed seed=5 rounds=16", "rights rounds=2"]


def words_of(mode, chosen):
    """The guest's words and the processor's features."""
    words = [word if "=" in word else f"{word}=1" for word in chosen.split()]
    features = [word for word in chosen.split()
                if "=" not in word and word != "global"]
    if mode == "57":
        words.append("mode=57")
        features.append("la57")
    return " ".join(words), "+".join(features) or "none"


def settings(values):
    return [word for value in values for word in ("-D", value)]


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done.stdout


def run(mode, append, *values, more=(), status=0):
    """What each configuration printed, and the console of the first."""
    with tempfile.NamedTemporaryFile() as console:
        out = notrap("run", IMAGES[mode], "--append", append, "--format",
                     "json", "--console", console.name, *settings(values),
                     *more, status=status)
        with open(console.name, encoding="ascii", errors="replace") as text:
            return out.splitlines(), text.read()


def all_of(policies):
    """Settings for one command: each MMU with each setting of the bypass."""
    mmus, bypass = (dict.fromkeys(words) for words in zip(*policies))
    return [f"mmu={','.join(mmus)}", f"bypass={','.join(bypass)}"]


def policy_of(result):
    return result["config"]["mmu"], result["config"]["bypass"]


def check_complete(results, policies):
    missing = set(policies) - set(map(policy_of, results))
    assert not missing, f"not run: {missing}"


def has_nx(mode, chosen):
    return mode != "32" and "nx=0" not in chosen


def without_fetch_bit(codes):
    """Counts of error codes as a hypervisor counts them that never sees I/D."""
    counts = collections.Counter()
    for code, count in codes.items():
        counts[f"0x{int(code, 16) & ~0x10:x}"] += count
    return dict(counts)


def faults_seen(console):
    found = re.findall(r"^faults 0x([0-9a-f]+) (\d+)\r?$", console, re.M)
    return {f"0x{code}": int(count) for code, count in found}


def rights_faults(chosen, rounds):
    """By the manual's rules, not by the guest's."""
    nx = "nx=0" not in chosen
    smep, smap, pku = (word in chosen.split()
                       for word in ("smep", "smap", "pku"))
    count = collections.Counter({0x14: 1, 0x6: 2 + rounds})
    for _ in range(rounds):
        count.update({0x7: 2, 0x5: 1, 0x15: nx})
        count.update({0x1: smap, 0x3: 2 + smap})
        count.update({0x11: 2 * smep + (nx or smep)})
        for access, write in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 0)) * pku:
            denied = access or write
            count.update({0x25: access, 0x27: denied, 0x21: 2 * access,
                          0x23: denied})
            count.update({(0x21 if access else 0x1): smap})
    return {f"0x{code:x}": n for code, n in count.items() if n}


def check_policy(where, result, guest):
    ours = result["guest_faults"]["by_error_code"]
    assert ours == guest, f"{where}: counted {ours}, guest saw {guest}"
    assert result["check"]["audit_violations"] == 0, f"{where}: audit"


def same_everywhere(mode, append, features, policies):
    """One guest under all of them, told by digests; what it saw as faults."""
    lines, console = run(mode, append, *all_of(policies),
                         f"features={features}", "audit=entry")
    assert re.search(r"^ok 0x", console, re.M), f"{append}: {console}"
    results = [json.loads(line) for line in lines]
    check_complete(results, policies)
    seen, first = faults_seen(console), None
    for result in results:
        where = f"{append} {policy_of(result)}"
        check_policy(where, result, seen)
        guest = result["guest"]
        view = [guest[name] for name in
                ("console_digest", "fault_digest", "instructions")]
        first = first or view
        assert view == first, f"{where}: the guest can tell the difference"
    return first, seen


def transparent(mode, chosen, workload):
    words, features = words_of(mode, chosen)
    append = f"{workload} {words}".strip()
    nx = has_nx(mode, chosen)
    rights = workload.startswith("rights")
    views = []
    # Those that do not see fetches as the first do are a group of their own.
    for policies in DIRECT, POLICIES + (LATER if nx and rights else []):
        view, seen = same_everywhere(mode, append, features, policies)
        views.append((view, without_fetch_bit(seen)))
        if rights:
            want = rights_faults(chosen + (" nx=0" if mode == "32" else ""),
                                 2)
            if policies is DIRECT and not nx and "smep" not in chosen.split():
                want = without_fetch_bit(want)
            assert seen == want, f"{append}: {seen}, expected {want}"
    if nx:
        assert views[0] == views[1], f"{append}: DIRECT can be told"
    assert views[0][1] == views[1][1], f"{append}: {views}"


# What a replay cannot know, or live runs have not got.
NOT_COMPARED = ("source", "tlb", "version", "config", "config_changed",
                "cost_sources")
FREE = [
    f"cost.{key}=0"
    for key in ("tlb-l2", "walk", "walk-l1", "walk-l2", "walk-l3",
                "walk-mem", "ad-assist")
]


def comparable(line, granularity):
    """Named by its policy; "config" is not compared otherwise."""
    result = json.loads(line)
    policy = "{} {}".format(*policy_of(result))
    # An instruction across two pages of a `pages` trace (docs/limits.md).
    if granularity == "pages":
        result["exits"].pop("by_rip")
    for name in NOT_COMPARED:
        result.pop(name, None)
    for name in ("status", "line", "memory_digest", "console_digest"):
        result["guest"].pop(name)
    for name in FREE:
        result["cost_counts"].pop(name.partition("=")[0])
    return {policy: result}


def same_digest(one, other):
    """A recording does not depend on what the hypervisor did."""
    digests = [json.loads(notrap("replay", path, "--format", "json"))
               ["source"]["digest"] for path in (one, other)]
    assert digests[0] == digests[1], digests


def replayed(mode, chosen, workload, granularity):
    """Recorded once, replayed under each policy; cut in the middle, too."""
    words, features = words_of(mode, chosen)
    append = f"{workload} {words}".strip()
    with tempfile.TemporaryDirectory() as scratch:
        trace = f"{scratch}/trace"
        run(mode, append, f"features={features}",
            more=("--record", trace, "--granularity", granularity))
        verified = notrap("trace", "verify", trace)
        assert "no rule broken" in verified, verified
        other = "native" if has_nx(mode, chosen) else "kvm-2.6.20"
        run(mode, append, f"features={features}", f"mmu={other}", "bypass=off",
            more=("--record", f"{scratch}/other", "--granularity",
                  granularity))
        same_digest(trace, f"{scratch}/other")
        policies = (DIRECT if has_nx(mode, chosen) else []) + POLICIES
        values = all_of(policies) + FREE
        live, _ = run(mode, append, *values, f"features={features}")
        # Of the features the trace's header tells.
        replay = notrap("replay", trace, "--format", "json",
                        *settings(values)).splitlines()
        check_complete(map(json.loads, replay), policies)
        for one, other in zip(live, replay, strict=True):
            found = first_difference(comparable(one, granularity),
                                     comparable(other, granularity))
            assert not found, f"{append} {found}"
        cut_in_two(trace, scratch)


def cut_in_two(trace, scratch):
    """The parts have the faults of the whole: PKRU and tables go with them."""
    whole = json.loads(notrap("replay", trace, "--format", "json"))
    middle = whole["guest"]["instructions"] // 2
    codes = collections.Counter()
    for part in (("--to-insn", str(middle)), ("--from-insn", str(middle))):
        notrap("trace", "cut", trace, "-o", f"{scratch}/part", *part)
        replay = json.loads(notrap("replay", f"{scratch}/part", "--format",
                                   "json"))
        codes.update(replay["guest_faults"]["by_error_code"])
        os.remove(f"{scratch}/part")
    want = whole["guest_faults"]["by_error_code"]
    assert dict(codes) == want, f"parts {dict(codes)}, whole {want}"


def lacks(feature, words):
    """A processor does not have what it is not said to have."""
    _, console = run("64", f"hello {words}", status=1)
    assert f"lacks {feature}" in console, console


CASES = [(f"transparency: {mode} {chosen or 'plain'}: {workload}",
          transparent, mode, chosen, workload)
         for mode, sets in SETS.items() for chosen in sets
         for workload in (WORKLOADS if chosen in (sets[0], sets[-1])
                          else WORKLOADS[-2:])]
CASES += [(f"replay: {mode} {chosen or 'plain'}: {workload}", replayed, mode,
           chosen, workload, granularity)
          for mode, sets in SETS.items() for chosen in (sets[0], sets[-1])
          for workload, granularity in (("rights rounds=2", "full"),
                                        ("mixed seed=5 rounds=16", "pages"))]
CASES += [(f"replay: {mode} plain: absent", replayed, mode, sets[0], "absent",
           "pages") for mode, sets in SETS.items()]
CASES += [(f"not there: {feature}", lacks, feature, words)
          for feature, words in (("SMEP", "smep=1"), ("SMAP", "smap=1"),
                                 ("PKU", "pku=1"), ("PCID", "pcid=1"),
                                 ("INVPCID", "invpcid=1"),
                                 ("5-level paging", "mode=57"))]

tap.run(CASES)
