/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/bug.h"
#include "base/hash.h"

#define FIRST_CAUSE  (CHAIN_DIRECT + 1)
#define FIRST_REASON (FIRST_CAUSE + NR_CAUSES)

_Static_assert(FIRST_REASON + NR_EXIT_REASONS <= UINT8_MAX,
	       "a step fits in a byte");

unsigned int chain_of_cause(unsigned int cause)
{
	return FIRST_CAUSE + cause;
}

unsigned int chain_of_reason(unsigned int reason)
{
	return FIRST_REASON + reason;
}

static const char *step_name(unsigned int what)
{
	if (what == CHAIN_DIRECT)
		return "direct";
	if (what < FIRST_REASON)
		return cause_name((enum pf_cause)(what - FIRST_CAUSE));
	return exit_reason_name(what - FIRST_REASON);
}

/* False: there is no room for it. */
static bool append(struct chain_key *key, uint8_t what)
{
	unsigned int last = key->nr - 1u;

	if (key->nr && key->what[last] == what) {
		if (key->times[last] < CHAIN_TIMES)
			key->times[last]++;
		return true;
	}
	if (key->nr == CHAIN_STEPS)
		return false;
	key->what[key->nr] = what;
	key->times[key->nr++] = 1;
	return true;
}

struct chain_key chain_key(const struct chain_tape *tape,
			   const struct chain_moment *from,
			   const struct chain_moment *to)
{
	struct chain_key key = {0};

	BUG_ON(from->nr > to->nr || to->nr > tape->nr);
	if (tape->nr - from->nr > CHAIN_TAPE) {
		key.more = 1;
		return key;
	}
	for (uint64_t i = from->nr; i < to->nr && !key.more; i++)
		key.more = !append(&key, tape->step[i % CHAIN_TAPE]);
	return key;
}

void chain_text(const struct chain_key *key, char buf[CHAIN_TEXT_MAX])
{
	size_t len = 0;

	buf[0] = 0;
	for (unsigned int i = 0; i < key->nr; i++) {
		const char *plus = key->times[i] == CHAIN_TIMES ? "+" : "";

		len += (size_t)snprintf(buf + len, CHAIN_TEXT_MAX - len, "%s%s",
					i ? " > " : "",
					step_name(key->what[i]));
		if (key->times[i] > 1)
			len += (size_t)snprintf(buf + len, CHAIN_TEXT_MAX - len,
						" x%u%s", key->times[i], plus);
	}
	if (key->more)
		snprintf(buf + len, CHAIN_TEXT_MAX - len, "%s...",
			 len ? " > " : "");
}

#define SLOT_BITS 9 /* twice the chains: never more than half full */

_Static_assert(BIT(SLOT_BITS) >= 2 * CHAINS_MAX, "room in the hash");

/* In the order in which they came; slots say where: index + 1. */
struct chains {
	uint16_t slot[BIT(SLOT_BITS)];
	struct chain *chain[CHAINS_MAX];
	size_t nr;
	struct chain *other; /* NULL: none */
};

struct chains *chains_create(void)
{
	return calloc(1, sizeof(struct chains));
}

void chains_destroy(struct chains *chains)
{
	if (!chains)
		return;
	chains_reset(chains);
	free(chains);
}

void chains_reset(struct chains *chains)
{
	for (size_t i = 0; i < chains->nr; i++)
		free(chains->chain[i]);
	free(chains->other);
	*chains = (struct chains){0};
}

static struct chain *clone(const struct chain *chain, bool *failed)
{
	struct chain *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *chain;
	*failed |= !copy;
	return copy;
}

struct chains *chains_clone(const struct chains *chains)
{
	struct chains *copy = malloc(sizeof(*copy));
	bool failed = false;

	if (!copy)
		return NULL;
	*copy = *chains;
	for (size_t i = 0; i < chains->nr; i++)
		copy->chain[i] = clone(chains->chain[i], &failed);
	if (chains->other)
		copy->other = clone(chains->other, &failed);
	if (!failed)
		return copy;
	chains_destroy(copy);
	return NULL;
}

static struct chain *create(struct chain_key key)
{
	struct chain *chain = calloc(1, sizeof(*chain));

	BUG_ON(!chain);
	chain->key = key;
	return chain;
}

static struct chain *find(struct chains *chains, const struct chain_key *key)
{
	uint64_t hash = fnv64(FNV64_INIT, key, sizeof(*key));
	size_t i = hash_u64(hash, SLOT_BITS);

	for (; chains->slot[i]; i = (i + 1) % ARRAY_LEN(chains->slot)) {
		struct chain *chain = chains->chain[chains->slot[i] - 1];

		if (!memcmp(&chain->key, key, sizeof(*key)))
			return chain;
	}
	if (chains->nr < CHAINS_MAX) {
		chains->chain[chains->nr++] = create(*key);
		chains->slot[i] = (uint16_t)chains->nr;
		return chains->chain[chains->nr - 1];
	}
	if (!chains->other)
		chains->other = create((struct chain_key){0});
	return chains->other;
}

void chains_add(struct chains *chains, const struct chain_key *key,
		uint64_t exits, struct cost_range cycles)
{
	struct chain *chain = find(chains, key);

	chain->exits += exits;
	latency_add(&chain->latency, cycles);
}

size_t chains_sorted(const struct chains *chains,
		     const struct chain *ret[CHAINS_MAX])
{
	size_t nr = chains ? chains->nr : 0;

	for (size_t n = 0; n < nr; n++) {
		const struct chain *chain = chains->chain[n];
		size_t i = n;

		for (; i &&
		       ret[i - 1]->latency.typ.count < chain->latency.typ.count;
		     i--)
			ret[i] = ret[i - 1];
		ret[i] = chain;
	}
	return nr;
}

const struct chain *chains_other(const struct chains *chains)
{
	return chains ? chains->other : NULL;
}
