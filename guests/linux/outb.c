// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * outb PORT VALUE: writes a byte to an I/O port, from ring 3 by leave of
 * ioperm(2).  With it an initramfs marks its region of interest (port 0xf5)
 * and ends the machine (port 0xf4).
 *
 * Freestanding, so that one compiler serves both architectures without the
 * other's libc.  Exit status: 0, or 1 for wrong arguments or no leave.
 */
#ifdef __x86_64__
#define NR_EXIT   60
#define NR_IOPERM 173
#else
#define NR_EXIT   1
#define NR_IOPERM 101
#endif

static long syscall3(long nr, long a, long b, long c)
{
	long ret;

#ifdef __x86_64__
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
#else
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory");
#endif
	return ret;
}

/* Decimal, or hexadecimal after 0x.  -1: anything else, or above max. */
static long number(const char *s, long max)
{
	long base = 10, n = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -1;
	for (; *s; s++) {
		long digit = *s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10;

		if (digit < 0 || digit >= base)
			return -1;
		n = n * base + digit;
		if (n > max)
			return -1;
	}
	return n;
}

/* sp: as the kernel leaves it, argc and then the argument pointers. */
__attribute__((noreturn, used)) static void begin(const long *sp)
{
	const char *const *argv = (const char *const *)(sp + 1);
	long port = -1, value = -1, status = 1;

	if (sp[0] == 3) {
		port = number(argv[1], 0xffff);
		value = number(argv[2], 0xff);
	}
	if (port >= 0 && value >= 0 && !syscall3(NR_IOPERM, port, 1, 1)) {
		__asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
		status = 0;
	}
	for (;;)
		syscall3(NR_EXIT, status, 0, 0);
}

#ifdef __x86_64__
__asm__(".globl _start\n"
	"_start:\n"
	"	movq %rsp, %rdi\n"
	"	call begin\n");
#else
__asm__(".globl _start\n"
	"_start:\n"
	"	pushl %esp\n"
	"	call begin\n");
#endif
