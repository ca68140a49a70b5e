# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest by three protocols: mini as a multiboot image, by its PVH entry
(ELF64 and ELF32) and as a bzImage.  It checks what its loader promised, and
does the same work whichever that was.

usage: test_boot.py NOTRAP MINI MINI_PVH64 MINI_BZIMAGE MINI_PAE MINI_PVH32
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI, PVH64, BZIMAGE, PAE, PVH32 = sys.argv[1:7]
LINE = "touch pages=64 hz=0"
BOX = tempfile.TemporaryDirectory()


def start(image, *args, line=LINE):
    console = os.path.join(BOX.name, "console")
    done = subprocess.run(
        [NOTRAP, "run", image, "--append", line, "--format", "json",
         "--console", console, *args],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
        check=False)
    return done, console


def run(image, *args, line=LINE):
    """The result, and the lines of the console."""
    done, console = start(image, *args, line=line)
    assert done.returncode == 0, f"{image} {args}: {done.stderr}"
    docs = [json.loads(doc) for doc in done.stdout.splitlines()]
    with open(console, encoding="ascii") as text:
        return docs[0] if len(docs) == 1 else docs, text.read().splitlines()


def make_file(name, size):
    path = os.path.join(BOX.name, name)
    data = bytes((7 * at + size) % 251 for at in range(size))
    with open(path, "wb") as file:
        file.write(data)
    return path, data


def module_line(data, args=""):
    """What mini says of a module."""
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xffffffff
    return f"module {len(data)} bytes sum 0x{total:x} {args}".rstrip()


def alike(image, other):
    """Nothing of the work tells which entry it was."""
    one, want = run(image)
    two, got = run(other)
    assert got == want, (got, want)
    assert "ok 0x4035787b65f6a09d" in got, got
    assert one["guest_faults"] == two["guest_faults"]
    assert one["guest"]["fault_digest"] == two["guest"]["fault_digest"]
    assert one["guest"]["instructions"] != two["guest"]["instructions"], \
        "the same way in"


def transparent(image):
    """No policy shows, through the first pages of another loader either."""
    docs, _ = run(image, "-D", "mmu=kvm-2.6.24,kvm-2.6.25", "-D",
                  "bypass=off,on")
    assert len({doc["guest"]["console_digest"] for doc in docs}) == 1


def initrd(image, args):
    path, data = make_file("initrd", 5001)
    words = f"{path} {args}" if args else path
    _, lines = run(image, "--initrd", words)
    assert module_line(data, args) in lines, lines


def modules():
    """Multiboot: all of them, in order, each with its arguments."""
    first, one = make_file("first", 1)
    second, two = make_file("second", 4096)
    _, lines = run(MINI, "--initrd", first + " a b", "--initrd", second)
    assert [line for line in lines if line.startswith("module")] == \
        [module_line(one, "a b"), module_line(two)], lines


def cut(image):
    """A file that ends early is bad input, and one line says so."""
    path = os.path.join(BOX.name, "cut")
    with open(image, "rb") as whole, open(path, "wb") as part:
        data = whole.read()
        part.write(data[:len(data) // 8])  # symbols may be cut
    done, _ = start(path)
    assert done.returncode == 2, done
    assert done.stdout == "" and done.stderr.count("\n") == 1, done
    assert f"truncated at offset {os.path.getsize(path)}" in done.stderr, done


def too_little(image):
    """What the line says is enough."""
    path, data = make_file("large", 3 << 20)
    done, _ = start(image, "--initrd", path, "-D", "memory=4M")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    assert "the guest has 4M" in done.stderr, done.stderr
    needs = done.stderr.split("memory=")[1].split(",")[0]
    _, lines = run(image, "--initrd", path, "-D", "memory=" + needs)
    assert module_line(data) in lines, lines


tap.run([
    ("PVH, ELF64, as multiboot", alike, MINI, PVH64),
    ("bzImage as multiboot", alike, MINI, BZIMAGE),
    ("PVH, ELF32, as multiboot", alike, PAE, PVH32),
    ("PVH under four policies", transparent, PVH64),
    ("bzImage under four policies", transparent, BZIMAGE),
    ("a module by multiboot", initrd, MINI, "x=1 y"),
    ("an initrd by PVH, ELF64", initrd, PVH64, "x=1 y"),
    ("an initrd by PVH, ELF32", initrd, PVH32, ""),
    ("an initrd by a bzImage", initrd, BZIMAGE, ""),
    ("two modules", modules),
    ("a multiboot image that is cut", cut, MINI),
    ("a PVH image that is cut", cut, PVH64),
    ("a bzImage that is cut", cut, BZIMAGE),
    ("too little memory for multiboot", too_little, MINI),
    ("too little memory for PVH", too_little, PVH64),
    ("too little memory for a bzImage", too_little, BZIMAGE),
])
