#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check-bochs.sh BUILD [MODEL]: runs the strict guests on Bochs, a second
# opinion about what they expect; prints what fails there.  Machine-check banks
# do, as Bochs 2.7 has none.  Needs Debian's bochs, bochs-term and seabios
# (for a VGA BIOS).  Not part of the project's tests, as these need no Bochs.

set -eu
build=${1:?usage: check-bochs.sh BUILD [MODEL]}
model=${2:-core2_penryn_t9600}
here=$(dirname "$(readlink -f "$0")")
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT

for bits in 32 64; do
	objcopy -O binary "$build/guests/strict/strict-$bits.elf" "$box/image"
	cc -c -DIMAGE="\"$box/image\"" "$here/rom.S" -o "$box/rom.o"
	objcopy -O binary -j .rom "$box/rom.o" "$box/rom"
	cat >"$box/rc" <<-END
		romimage: file=$box/rom, address=0xffff0000
		vgaromimage: file=/usr/share/seabios/vgabios-isavga.bin
		vga: extension=none
		display_library: term
		sound: driver=dummy
		memory: guest=64, host=64
		cpu: model=$model, reset_on_triple_fault=0, ignore_bad_msrs=0
		com1: enabled=1, mode=file, dev=$box/console
		log: $box/log
		panic: action=fatal
	END
	echo c >"$box/commands"
	# It halts at the end and says so on its console alone.
	TERM=xterm timeout -s KILL 10 script -qc \
		"bochs -q -rc $box/commands -f $box/rc" /dev/null \
		>/dev/null 2>&1 </dev/null || true
	echo "$bits-bit code on $model: $(grep -c '^ok' "$box/console") ok"
	grep -v -E '^(ok|skip)' "$box/console" || true
	rm "$box/console"
done
