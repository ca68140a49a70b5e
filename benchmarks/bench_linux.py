# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux boot to its end: notrap run against QEMU's TCG and Bochs.

usage: bench_linux.py NOTRAP DIRECTORY [ROUNDS [DOCUMENT]]

DIRECTORY holds what scripts/linux-guests made: vmlinux-NAME, vmlinuz-NAME and
initrd-NAME.gz.  Each program boots the same kernel with the same initramfs,
arguments and memory; they take turns ROUNDS times (default 3) and the medians
of their processor time are compared: on a machine that does nothing else that
is the time one waits, and on a busy one it still means something.

QEMU is the machine that notrap models as far as a kernel can tell: isapc
without i8042 and without a local APIC, the vmlinux entered by its PVH note.
Bochs cannot be given a kernel: it boots the bzImage from a CD by ISOLINUX,
once, as it takes minutes; so that ratio is against notrap on the same bzImage.
Recordings are made in turns with live runs: they have a thread beside the
guest's, so what one waits is compared, and processor time told as well.
DOCUMENT is docs/performance.md, whose table is written anew.
"""

import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing

sys.path.insert(0, str(pathlib.Path(__file__).parent / "../scripts"))
from generated import replace_part, table  # noqa: E402

ARGS = ("console=ttyS0 reboot=t panic=-1 nokaslr mitigations=off "
        "notrap.workload=boot notrap.marks=off")
MEMORY = 128
TIMEOUT = 1800

# What the initramfs says when it is done; Bochs has no isa-debug-exit.
LAST_WORDS = b"notrap: pgfault "
REBOOT = b"reboot: machine restart"

# What is asked of the default generation: at most so many times QEMU's time.
GOALS = {"amd64": 2, "686pae": 3}
BOCHS_GOAL = 5  # times faster
RECORD_GOAL = 10  # times slower than live, at most

GOAL_CONFIG = "kvm-2.6.25"
CONFIGS = {
    GOAL_CONFIG: ["mmu=kvm-2.6.25", "bypass=off"],
    "kvm-2.6.25, bypass": ["mmu=kvm-2.6.25", "bypass=on"],
    "kvm-2.6.24": ["mmu=kvm-2.6.24", "bypass=off"],
    "seed": ["mmu=seed", "bypass=off"],
    "kvm-2.6.28": ["mmu=kvm-2.6.28", "bypass=off"],
    "xen": ["mmu=xen", "bypass=off"],
    "ept": ["mmu=ept"],
    "native": ["mmu=native"],
}

ISOLINUX = "/usr/lib/ISOLINUX/isolinux.bin"
LDLINUX = "/usr/lib/syslinux/modules/bios/ldlinux.c32"

BOCHSRC = """\
megs: {memory}
cpu: model=core2_penryn_t9600, count=1, ips=100000000, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={console}
display_library: rfb, options="timeout=0"
clock: sync=none
sound: driver=dummy, waveoutdrv=dummy
speaker: enabled=0
log: {log}
panic: action=fatal
"""


class Failed(Exception):
    pass


class Seconds(typing.NamedTuple):
    processor: float
    elapsed: float


def medians(times):
    return Seconds(statistics.median(t.processor for t in times),
                   statistics.median(t.elapsed for t in times))


def timed(command, console=None, last_words=LAST_WORDS):
    """The guest must have said its last words."""
    begun = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=TIMEOUT).stdout
    elapsed = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if console and console.exists():
        output += console.read_bytes()
    if last_words not in output:
        tail = output[-2000:].decode(errors="replace")
        raise Failed(f"{' '.join(map(str, command))}: not to the end:\n{tail}")
    return Seconds(after.ru_utime + after.ru_stime - before.ru_utime -
                   before.ru_stime, elapsed)


def notrap(program, kernel, initrd, settings, *flags):
    command = [program, "run", kernel, "--initrd", initrd, "--append", ARGS,
               "-D", f"memory={MEMORY}M", *flags]
    for setting in settings:
        command += ["-D", setting]
    return timed(command)


def qemu(kernel, initrd):
    return timed(["qemu-system-x86_64", "-accel", "tcg", "-M",
                  "isapc,i8042=off", "-cpu", "qemu64,-apic", "-m",
                  f"{MEMORY}M", "-nodefaults", "-display", "none", "-serial",
                  "stdio", "-no-reboot", "-device",
                  "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", kernel, "-initrd", initrd,
                  "-append", ARGS])


def make_iso(scratch, kernel, initrd):
    tree = scratch / "iso"
    tree.mkdir()
    for source, name in ((ISOLINUX, "isolinux.bin"), (LDLINUX, "ldlinux.c32"),
                         (kernel, "linux"), (initrd, "initrd")):
        shutil.copy(source, tree / name)
    (tree / "isolinux.cfg").write_text(
        "default linux\nprompt 0\nlabel linux\nkernel linux\n"
        f"append initrd=initrd {ARGS}\n")
    iso = scratch / "linux.iso"
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, "-b",
                    "isolinux.bin", "-c", "boot.cat", "-no-emul-boot",
                    "-boot-load-size", "4", "-boot-info-table", tree],
                   check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return iso


def bochs(kernel, initrd):
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        console = scratch / "console"
        rc = scratch / "bochsrc"
        # Debian's Bochs begins in its debugger.
        commands = scratch / "commands"
        commands.write_text("continue\n")
        rc.write_text(BOCHSRC.format(
            memory=MEMORY, console=console, log=scratch / "log",
            iso=make_iso(scratch, kernel, initrd)))
        return timed(["bochs", "-q", "-f", rc, "-rc", commands],
                     console, REBOOT)


def has_bochs():
    return (shutil.which("bochs") and shutil.which("xorriso") and
            pathlib.Path(ISOLINUX).exists() and pathlib.Path(LDLINUX).exists())


rows = []  # of the table


def tell(kernel, what, seconds, against, ratio, goal=""):
    rows.append((kernel, what, f"{seconds:.2f} s", against, f"{ratio:.2f}",
                 goal))
    print(f"{kernel:8} {what:28} {seconds:7.2f} s  {ratio:6.2f} x {against}"
          f"{'  (goal: ' + goal + ')' if goal else ''}", flush=True)


def compare_with_qemu(program, name, kernel, initrd, rounds):
    runs = {"QEMU TCG": lambda: qemu(kernel, initrd)}
    for config, settings in CONFIGS.items():
        runs[config] = lambda s=settings: notrap(program, kernel, initrd, s)
    times = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            times[key].append(run())
    median = {key: medians(ts).processor for key, ts in times.items()}
    for key, seconds in median.items():
        tell(name, key, seconds, "QEMU TCG", seconds / median["QEMU TCG"],
             f"at most {GOALS[name]}" if key == GOAL_CONFIG else "")


def compare_with_record(program, name, kernel, initrd, rounds):
    lives, records = [], []
    with tempfile.TemporaryDirectory() as scratch:
        trace = pathlib.Path(scratch) / "trace.ntr"
        for _ in range(rounds):
            lives.append(notrap(program, kernel, initrd, CONFIGS[GOAL_CONFIG]))
            records.append(notrap(program, kernel, initrd,
                                  CONFIGS[GOAL_CONFIG], "--record", trace))
        size = trace.stat().st_size / 1e6
    live, record = medians(lives), medians(records)
    tell(name, f"{GOAL_CONFIG}, recorded ({size:.0f} MB)", record.processor,
         GOAL_CONFIG, record.processor / live.processor)
    tell(name, "the same, time elapsed", record.elapsed, GOAL_CONFIG,
         record.elapsed / live.elapsed, f"at most {RECORD_GOAL}")
    spread = [r.elapsed / l.elapsed for r, l in zip(records, lives)]
    print(f"{name:8} of each recording and the live run before it: "
          f"{', '.join(f'{ratio:.2f}' for ratio in spread)} x", flush=True)


def compare_with_bochs(program, name, kernel, initrd):
    ours = notrap(program, kernel, initrd, CONFIGS[GOAL_CONFIG]).processor
    theirs = bochs(kernel, initrd).processor
    tell(name, f"{GOAL_CONFIG}, bzImage", ours, GOAL_CONFIG, 1)
    tell(name, "Bochs, bzImage", theirs, GOAL_CONFIG, theirs / ours,
         f"at least {BOCHS_GOAL}")


def run_all(program, directory, rounds):
    for name in GOALS:
        initrd = directory / f"initrd-{name}.gz"
        kernel = directory / f"vmlinux-{name}"
        if not kernel.exists() or not initrd.exists():
            print(f"{name}: no kernel in {directory}: see scripts/linux-guests")
            continue
        if not shutil.which("qemu-system-x86_64"):
            print("no qemu-system-x86_64")
            continue
        compare_with_qemu(program, name, kernel, initrd, rounds)
        compare_with_record(program, name, kernel, initrd, rounds)
        if has_bochs():
            compare_with_bochs(program, name, directory / f"vmlinuz-{name}",
                               initrd)
        else:
            print("no Bochs (bochs, vgabios, xorriso, isolinux, "
                  "syslinux-common)")


def main():
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    run_all(sys.argv[1], pathlib.Path(sys.argv[2]), rounds)
    if len(sys.argv) > 4:
        replace_part(sys.argv[4], "linux", table(
            ("kernel", "what boots it", "processor time", "against", "ratio",
             "goal"), rows))


try:
    main()
except Failed as failed:
    sys.exit(str(failed))
