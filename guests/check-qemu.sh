#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# check-qemu.sh MINI_ELF: runs the guest's workloads on QEMU (TCG), a second
# opinion about the guest itself: exit status, "ok", and the page faults that
# README.md promises, whatever the memory size, timer and direct map.  Not
# part of the project's tests, as these do not need QEMU.

set -u
elf=${1:?usage: check-qemu.sh MINI_ELF}
passed=0 failed=0

run() # memory, command line: the console, then "status N"
{
	timeout 60 qemu-system-x86_64 -M pc -m "$1" -kernel "$elf" \
		-append "$2" -serial stdio -display none -monitor none \
		-device isa-debug-exit,iobase=0xf4,iosize=1 -no-reboot </dev/null
	echo "status $?"
}

verdict() # name, got, want
{
	if [ "$2" == "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED %s\n  got:  %s\n  want: %s\n' "$1" "$2" "$3"
	fi
}

faults() # memory, command line, expected "code count" pairs, in order
{
	local total=0 want='' pair

	for pair in "${@:3}"; do
		want+="faults $pair;"
		total=$((total + ${pair#* }))
	done
	want+="faults total $total;status 1;"
	verdict "-m $1 $2" \
		"$(run "$1" "$2" | grep -E '^(FAILED|faults|status)' | tr '\n' ';')" \
		"$want"
}

says() # command line, expected line, expected status
{
	verdict "$1" "$(run 32 "$1" | grep -Fx -e "$2" -e "status $3" |
		tr '\n' ';')" "$2;status $3;"
}

for memory in 16 64 256; do
	for keys in '' 'hz=0' 'direct=2m' 'hz=5000 warm=0'; do
		faults $memory "hello $keys" '0x6 1' '0x14 1'
		faults $memory "touch pages=1030 $keys" '0x6 1031' '0x14 1'
		faults $memory "touch pages=99 rw=r again=2 $keys" \
			'0x4 99' '0x6 1' '0x14 1'
		faults $memory "touch pages=99 by=kernel $keys" \
			'0x2 99' '0x6 1' '0x14 1'
		faults $memory "touch pages=99 by=kernel rw=r $keys" \
			'0x0 99' '0x6 1' '0x14 1'
		faults $memory "touch pages=99 populate=1 $keys" \
			'0x6 1' '0x14 1'
		faults $memory "touch pages=99 populate=1 rw=r $keys" \
			'0x6 1' '0x14 1'
		faults $memory "fork procs=5 pages=7 $keys" \
			'0x6 8' '0x7 45' '0x14 6'
		faults $memory "fork procs=5 pages=7 size=20 exec=1 $keys" \
			'0x6 26' '0x7 45' '0x14 11'
		faults $memory "switch rounds=100 $keys" \
			'0x6 2' '0x7 4' '0x14 2'
		faults $memory "switch rounds=9 pages=30 $keys" \
			'0x6 31' '0x7 62' '0x14 2'
		faults $memory "stride pages=31 stride=8192 $keys" \
			'0x6 17' '0x14 1'
		faults $memory "mmap rounds=20 $keys" '0x6 321' '0x14 1'
		faults $memory "mixed seed=3 $keys" '0x0 1' '0x2 2' \
			'0x3 15' '0x4 259' '0x6 230' '0x7 656' '0x14 46'
	done
done

says 'touch pages=0' "bad value in 'pages=0': want a number from 1 to 262144" 5
says 'touch again' "unknown workload 'again'" 5
says 'touch fork' "two workloads: 'touch' and 'fork'" 5
says 'touch colour=red' "unknown key 'colour=red'" 5
says 'mmap pages=1' "key 'pages=1' has no meaning for mmap" 5
says 'touch pages=100000' 'FAILED out of memory' 3
says 'wild' 'faults 0x10 1' 7
says 'absent' 'ok 0x0000000000000000' 1

echo "$passed passed, $failed failed"
[ $failed == 0 ]
