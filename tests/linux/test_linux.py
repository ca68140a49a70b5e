# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Linux kernels under the modelled VMX: they run their workload to
the end, its result is the one computed here, and the guest cannot tell one
policy from another: same console, same faults at the same instructions. Final
memory is compared between bypass off and on only: generations differ in when
they set A and D bits of the guest's entries.

--slow: each workload under each policy, and more. -k: only cases whose names
hold WORD (or the word of another -k), as "686pae: gzip"; one that no name holds
prints all names.

usage: test_linux.py NOTRAP [--slow] [-k WORD]...
"""

import guests

ARGS = guests.arguments(__doc__, "--slow")
guests.NOTRAP = ARGS.notrap


def same_everywhere(kernel, words, policies, *values):
    """Also with roi=on; values are settings of all runs."""
    first, memory = None, {}
    for mmu, bypass in policies:
        run = guests.boot(kernel, words, f"mmu={mmu}", f"bypass={bypass}",
                          *values)
        name = f"{mmu} bypass={bypass}"
        assert run.checksum() == guests.result(words, kernel != "amd64"), \
            f"{name}: wrong result\n" + run.console[-600:]
        guest = run.result["guest"]
        digest = guest.pop("memory_digest")
        assert memory.setdefault(mmu, digest) == digest, f"{name}: memory"
        first = first or (name, guest, run.console)
        for word in guest:
            assert guest[word] == first[1][word], \
                f"{word}: {name} {guest[word]}, {first[0]} {first[1][word]}"
        assert run.console == first[2], f"{name}: another console"
        faults = run.result["guest_faults"]
        assert (faults["direct"] > 0) == \
            (bypass == "on" or mmu in ("ept", "native")), faults
        assert not run.result["check"]["broken"], run.result["check"]


def workload(kernel, words):
    same_everywhere(kernel, words, guests.POLICIES)


def audited(kernel):
    """Each shadow entry that changes is looked at."""
    same_everywhere(kernel, "fork notrap.n=3",
                    [("kvm-2.6.25", "on"), ("kvm-2.6.28", "on")],
                    "audit=entry")


def bzimage(kernel):
    """By the other protocol it unpacks itself, and is the same system."""
    one = guests.boot(kernel, "boot")
    two = guests.boot(kernel, "boot", image="vmlinuz")
    assert one.checksum() == two.checksum() == \
        guests.result("boot", kernel != "amd64")
    more = (two.result["guest"]["instructions"] -
            one.result["guest"]["instructions"])
    assert more > 2e9, f"{more} instructions are too few for XZ"


def local_apic(kernel):
    """Found without tables of a firmware, and reached by exits."""
    same_everywhere(kernel, "boot", [("kvm-2.6.25", "off"),
                                     ("kvm-2.6.25", "on")], "apic=on")
    run = guests.boot(kernel, "boot", "apic=on")
    assert "virtual wire mode setup with no configuration" in run.console
    assert run.result["exits"]["page_fault"]["mmio"] > 50, run.text


def model_cycles(kernel):
    """The TSC counts them, and the same guest takes the same time."""
    one, other = (guests.boot(kernel, "boot", "clock=cycles", "mhz=2400")
                  for _ in range(2))
    assert one.text == other.text and one.console == other.console
    mhz = float(one.told(r"tsc: Detected ([0-9.]+) MHz processor"))
    assert abs(mhz - 2400) < 1, mhz


COMPLAINTS = ("unchecked MSR", "general protection", "WARNING:", "Call Trace",
              "BUG:", "Oops", "invalid opcode")


def processor(kernel, cpu):
    """Its CPUID and MSRs are what the kernel expects of such a one."""
    run = guests.boot(kernel, "boot", f"cpu={cpu}")
    assert run.checksum() == guests.result("boot", kernel != "amd64"), \
        run.console[-600:]
    heard = [line for line in run.console.splitlines()
             if any(words in line for words in COMPLAINTS)]
    assert not heard, "\n".join(heard)


SHORT = [("amd64: boots, bypass off and on", same_everywhere, "amd64", "boot",
          [("kvm-2.6.25", "off"), ("kvm-2.6.25", "on")])]
LONG = [(f"{kernel}: {words}, every policy", workload, kernel, words)
        for kernel, words in
        [("amd64", name) for name in guests.WORKLOADS] +
        [("686pae", name) for name in guests.WORKLOADS
         if name not in ("compile", "idle")]] + \
    [(f"{kernel}: {name}", function, kernel)
     for kernel in ("amd64", "686pae")
     for name, function in (("audit=entry", audited),
                            ("apic=on", local_apic),
                            ("clock=cycles", model_cycles),
                            ("its bzImage", bzimage))] + \
    [(f"{kernel}: cpu={cpu}", processor, kernel, cpu)
     for kernel, cpu in (("amd64", "core2"), ("amd64", "k8"),
                         ("amd64", "nehalem"), ("686pae", "pentium3"),
                         ("686pae", "core2"), ("686pae", "k8"))]

guests.tap.run(LONG if ARGS.slow else SHORT, ARGS.k)
