/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rights: each way in which a present page can be denied, by the user and by
 * the kernel, with the error code that the manual gives for it.
 */
#include "user/user.h"

/* Error codes, SDM vol. 3A, "Page-Fault Exceptions". */
#define P  0x1
#define W  0x2
#define U  0x4
#define I  0x10
#define PK 0x20

#define KEY        5
#define KEY_ACCESS (1u << 2 * KEY)
#define KEY_WRITE  (2u << 2 * KEY)

/* user/start.S */
u64 try_read(const volatile void *addr);
u64 try_write(volatile void *addr);
u64 try_exec(const volatile void *addr);
extern const char try_failed[], try_exec_failed[];
void just_ret(void);

static void catch_at(const char *where)
{
	syscall4(SYS_CATCH, (uptr)where, 0, 0, 0);
}

static u64 probe(const volatile void *addr, u64 how)
{
	return syscall4(SYS_PROBE, (uptr)addr, how, 0, 0);
}

static void set_key(const volatile void *addr, u64 key)
{
	check("rights: set a key", key,
	      syscall4(SYS_PKEY, (uptr)addr, PAGE_SIZE, key, 0), 0);
}

static void write_pkru(u32 val)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef" /* WRPKRU */
			 :
			 : "a"(val), "c"(0), "d"(0)
			 : "memory");
}

static u32 read_pkru(void)
{
	u32 low, high;

	__asm__ volatile(".byte 0x0f, 0x01, 0xee" /* RDPKRU */
			 : "=a"(low), "=d"(high)
			 : "c"(0));
	check("rights: upper half of PKRU", 0, high, 0);
	return low;
}

static u64 fault_if(bool faults, u64 code)
{
	return faults ? FAULTED | code : 0;
}

/* What user code may not: fetch from NX, write to text, reach the kernel. */
static void by_user(volatile u8 *page, bool nx)
{
	const void *text = (const void *)(uptr)just_ret;

	check("rights: user reads", 0, try_read(page), 0);
	check("rights: user writes", 0, try_write(page), 0);
	check("rights: user writes text", 0, try_write((volatile void *)text),
	      FAULTED | P | W | U);
	check("rights: user reads the kernel", 0,
	      try_read((const void *)(uptr)DIRECT_BASE), FAULTED | P | U);
	check("rights: user writes the kernel", 0,
	      try_write((void *)(uptr)DIRECT_BASE), FAULTED | P | W | U);
	catch_at(try_exec_failed);
	check("rights: user executes text", 0, try_exec(text), 0);
	check("rights: user executes data", 0, try_exec(page),
	      fault_if(nx, P | U | I));
	catch_at(try_failed);
}

/* SMAP and SMEP; RFLAGS.AC is about SMAP alone. */
static void by_kernel(volatile u8 *page, u64 features)
{
	bool smap = features & RIGHTS_SMAP, smep = features & RIGHTS_SMEP;
	bool nx = features & RIGHTS_NX;
	const void *text = (const void *)(uptr)just_ret;

	check("rights: kernel reads", 0, probe(page, PROBE_READ),
	      fault_if(smap, P));
	check("rights: kernel writes", 0, probe(page, PROBE_WRITE),
	      fault_if(smap, P | W));
	check("rights: kernel reads with AC", 0,
	      probe(page, PROBE_READ | PROBE_AC), 0);
	check("rights: kernel writes with AC", 0,
	      probe(page, PROBE_WRITE | PROBE_AC), 0);
	check("rights: kernel writes text with AC", 0,
	      probe(text, PROBE_WRITE | PROBE_AC), FAULTED | P | W);
	check("rights: kernel writes text", 0, probe(text, PROBE_WRITE),
	      FAULTED | P | W);
	check("rights: kernel executes text", 0, probe(text, PROBE_EXEC),
	      fault_if(smep, P | I));
	check("rights: kernel executes text with AC", 0,
	      probe(text, PROBE_EXEC | PROBE_AC), fault_if(smep, P | I));
	check("rights: kernel executes data", 0, probe(page, PROBE_EXEC),
	      fault_if(nx || smep, P | I));
}

/* A key counts for user pages, whoever asks; not for fetches. */
static void by_key(volatile u8 *page, u64 features, u32 pkru)
{
	bool ad = pkru & KEY_ACCESS, wd = pkru & KEY_WRITE;
	bool smap = features & RIGHTS_SMAP;

	set_key(page, KEY);
	write_pkru(pkru);
	check("rights: PKRU", pkru, read_pkru(), pkru);
	check("rights: user reads", pkru, try_read(page),
	      fault_if(ad, P | U | PK));
	check("rights: user writes", pkru, try_write(page),
	      fault_if(ad || wd, P | W | U | PK));
	check("rights: kernel reads", pkru, probe(page, PROBE_READ | PROBE_AC),
	      fault_if(ad, P | PK));
	check("rights: kernel writes", pkru,
	      probe(page, PROBE_WRITE | PROBE_AC),
	      fault_if(ad || wd, P | W | PK));
	if (smap)
		check("rights: kernel reads under SMAP", pkru,
		      probe(page, PROBE_READ), FAULTED | P | (ad ? PK : 0));
	check("rights: system call reads", pkru,
	      syscall4(SYS_SUM, (uptr)page, 1, 0, 0) == 0ull - E_FAULT, ad);
	set_key(page, 0);
	check("rights: user writes with key 0", pkru, try_write(page), 0);
	write_pkru(0);
}

u64 prog_rights(u64 features, u64 rounds, u64 c)
{
	volatile u8 *page = u_mmap(1, 0);
	u64 sum = features;

	(void)c;
	u_mark(MARK_BEGIN);
	catch_at(try_failed);
	*page = 0;
	for (u64 i = 0; i < rounds; i++) {
		by_user(page, features & RIGHTS_NX);
		by_kernel(page, features);
		if (features & RIGHTS_PKU) {
			by_key(page, features, 0);
			by_key(page, features, KEY_WRITE);
			by_key(page, features, KEY_ACCESS);
			by_key(page, features, KEY_ACCESS | KEY_WRITE);
			by_key(page, features, ~(KEY_ACCESS | KEY_WRITE | 3));
		}
		sum = mix(sum, *page);
		/* On another frame. */
		u_munmap(page, 1);
		page = u_mmap(1, 0);
		*page = (u8)i;
	}
	u_mark(MARK_END);
	return sum;
}
