/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow model of x86 translation: what the manual says of one access, for
 * tests to compare everything else with.
 *
 * Written apart from src/: no header of the project is included, the library
 * is built without its include path, and the style is another on purpose.  It
 * first follows the tables down as far as they lead, then asks one rule of the
 * manual after the other about the whole way.  SDM vol. 3A, "Paging": the
 * sections on each mode, "Access Rights", "Page-Fault Exceptions", "Accessed
 * and Dirty Flags", "Protection Keys".
 *
 * Left out: supervisor protection keys, shadow stacks, SGX, EPT.
 */
#ifndef NOTRAP_TESTS_ORACLE_ORACLE_H
#define NOTRAP_TESTS_ORACLE_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

enum oracle_mode {
	ORACLE_OFF,
	ORACLE_32,
	ORACLE_PAE,
	ORACLE_4LEVEL,
	ORACLE_5LEVEL,
};

/*
 * What a hypervisor's walk did otherwise than the processor, so that a known
 * difference can be told from an unknown one.  All false: the processor.
 */
struct oracle_quirks {
	bool no_reserved;  /* reserved bits are not looked at */
	bool rights_first; /* R/W, U/S, XD of an entry before the next is read
			    */
	bool reads_zeros;  /* of a table that is not in memory */
	bool id_always;    /* a fetch sets I/D whatever NXE and SMEP are */
};

struct oracle_cpu {
	enum oracle_mode mode;
	struct oracle_quirks quirks;
	uint64_t cr3;
	uint64_t pdpte[4]; /* PAE: as loaded, oracle_pdpte_loads() was true */
	bool wp;           /* CR0 */
	bool pse, smep, smap, pke; /* CR4 */
	bool nxe;                  /* EFER */
	uint32_t pkru;
	bool has_1g;    /* CPUID: 1 GiB pages */
	int maxphyaddr; /* 36..52 */
	/* Reads `bytes` (4 or 8) at pa; what is not there reads as ones. */
	uint64_t (*read)(void *memory, uint64_t pa, int bytes);
	void *memory;
};

struct oracle_access {
	uint64_t va;
	bool write, fetch; /* neither: a read */
	int cpl;
	/* By the processor itself, as of the GDT, a TSS or a stack in event
	 * delivery: a supervisor access at any CPL. */
	bool implicit;
	bool ac; /* RFLAGS.AC */
};

/* An entry that the walk met, top first; PDPTEs in registers are not. */
struct oracle_entry {
	uint64_t at; /* its address */
	int bytes;
	uint64_t was;
	/*
	 * Bits 5 (A) and 6 (D) after the access: `set` are set then for
	 * certain, `may` either way, the rest as they were.
	 */
	uint64_t set, may;
};

#define ORACLE_ENTRIES 5

struct oracle_result {
	enum { ORACLE_OK, ORACLE_PF, ORACLE_GP } what;
	uint64_t pa;        /* ORACLE_OK */
	uint64_t page_size; /* ORACLE_OK; 0: paging is off */
	uint32_t code;      /* ORACLE_PF: the whole error code */
	uint64_t cr2;       /* ORACLE_PF */
	bool reserved;      /* ORACLE_PF: by a reserved bit */
	int level;          /* of the last entry that counts; 3: a PDPTE too */
	struct oracle_entry entry[ORACLE_ENTRIES];
	int nr_entries;
};

struct oracle_result oracle_translate(const struct oracle_cpu *cpu,
				      const struct oracle_access *access);

/* PAE: may MOV to CR3 load this PDPTE?  If not, it raises #GP(0). */
bool oracle_pdpte_loads(const struct oracle_cpu *cpu, uint64_t pdpte);

/* Could an entry that was met be `now` after the access? */
bool oracle_entry_may_be(const struct oracle_entry *entry, uint64_t now);

#endif
