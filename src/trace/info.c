/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers are texts, "0x" and 16 digits: JSON's own have 53 bits with most
 * readers.  Members that are not known are left alone; those that are must be
 * right, and there but for the rare ones.
 */
#include "trace/info.h"
#include "arch/cpu_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/bug.h"
#include "trace/le.h"

static const char *const granularities[] = {
	[TRACE_FULL] = "full",
	[TRACE_PAGES] = "pages",
};

/* Characters that JSON wants escaped take six; all members and their names. */
#define QUOTED(size) (6 * (size) + 2)
#define VCPU_TEXT    (9 * 21 + 56)
_Static_assert(QUOTED(64) + QUOTED(256) + QUOTED(64) + 13 * 21 + 310 +
			       (TRACE_VCPUS_MAX - 1) * VCPU_TEXT <=
		       HEADER_TEXT_MAX,
	       "the longest texts fit in a header");

static json_t *hex(uint64_t val)
{
	return json_sprintf("0x%016" PRIx64, val);
}

/* Bytes that are not UTF-8 (of a path, say) are told as \xNN, as many as fit.
 */
static json_t *escaped(const char *s, size_t size)
{
	char copy[256];
	size_t len = 0;

	for (size_t i = 0;
	     i < size && s[i] && len + 5 <= sizeof(copy) && len + 5 <= size;
	     i++) {
		if ((unsigned char)s[i] < 0x80)
			copy[len++] = s[i];
		else
			len += (size_t)sprintf(copy + len, "\\x%02x",
					       (unsigned char)s[i]);
	}
	return json_stringn(copy, len);
}

static json_t *text(const char *s, size_t size)
{
	json_t *val = json_stringn(s, strnlen(s, size - 1));

	return val ? val : escaped(s, size);
}

/* A member of the few traces where it is not 0. */
static bool add_rare(json_t *doc, const char *member, uint64_t val)
{
	return !val || !json_object_set_new(doc, member, hex(val));
}

static json_t *vcpu(const struct trace_vcpu *v)
{
	json_t *doc =
		json_pack("{so so so so s[oooo]}", "cr0", hex(v->cr0), "cr3",
			  hex(v->cr3), "cr4", hex(v->cr4), "efer", hex(v->efer),
			  "pdpte", hex(v->pdpte[0]), hex(v->pdpte[1]),
			  hex(v->pdpte[2]), hex(v->pdpte[3]));

	if (doc && add_rare(doc, "pkru", v->pkru))
		return doc;
	json_decref(doc);
	return NULL;
}

/* A trace of one processor has no such member. */
static bool add_others(json_t *doc, const struct trace_info *info)
{
	json_t *array;

	if (!info->nr_others)
		return true;
	array = json_array();
	for (uint32_t i = 0; i < info->nr_others; i++)
		if (json_array_append_new(array, vcpu(&info->other[i])))
			break;
	return !json_object_set_new(doc, "vcpus", array) &&
	       json_array_size(array) == info->nr_others;
}

static char *info_dump(const struct trace_info *info)
{
	json_t *doc = json_pack(
		"{so so so so so s[oooo] so so so ss}", "cr0", hex(info->cr0),
		"cr3", hex(info->cr3), "cr4", hex(info->cr4), "efer",
		hex(info->efer), "memory", hex(info->memory), "pdpte",
		hex(info->pdpte[0]), hex(info->pdpte[1]), hex(info->pdpte[2]),
		hex(info->pdpte[3]), "origin",
		text(info->origin, sizeof(info->origin)), "source",
		text(info->source, sizeof(info->source)), "tool",
		text(info->tool, sizeof(info->tool)), "granularity",
		granularities[info->granularity]);
	char *dump = NULL;

	BUG_ON(info->nr_others >= TRACE_VCPUS_MAX);
	if (doc && add_others(doc, info) &&
	    add_rare(doc, "features", info->features) &&
	    add_rare(doc, "image_digest", info->image_digest) &&
	    add_rare(doc, "initrd_digest", info->initrd_digest) &&
	    add_rare(doc, "pkru", info->pkru))
		dump = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(doc);
	return dump;
}

int header_put(uint8_t p[HEADER_MAX], const struct trace_info *info,
	       const struct crc32c *crc, struct diag *diag)
{
	char *dump = info_dump(info);
	uint32_t len, sum;
	uint8_t *at = p;

	if (!dump)
		return diag_set(diag, -ENOMEM, "no memory for a trace header");
	len = (uint32_t)strlen(dump);
	memcpy(at, FILE_MAGIC, FILE_MAGIC_LEN);
	at = put_le32(at + FILE_MAGIC_LEN, TRACE_VERSION);
	at = put_le32(at, len);
	sum = crc32c_update(crc, 0, p, (size_t)(at - p));
	put_le32(at, crc32c_update(crc, sum, dump, len));
	memcpy(p + HEADER_FIXED, dump, len);
	free(dump);
	return (int)(HEADER_FIXED + len);
}

/* What info_parse() found wrong first. */
struct parser {
	const char *member; /* NULL: nothing yet */
};

static void get_text(struct parser *ps, const json_t *doc, const char *member,
		     char *ret, size_t size)
{
	const json_t *val = json_object_get(doc, member);

	if (json_is_string(val) && json_string_length(val) < size)
		memcpy(ret, json_string_value(val),
		       json_string_length(val) + 1);
	else if (!ps->member)
		ps->member = member;
}

static bool parse_hex(const json_t *val, uint64_t *ret)
{
	const char *s = json_string_value(val);

	*ret = 0;
	if (!s || json_string_length(val) != 18 || s[0] != '0' || s[1] != 'x')
		return false;
	for (s += 2; *s; s++) {
		if (*s >= '0' && *s <= '9')
			*ret = *ret << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*ret = *ret << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return false;
	}
	return true;
}

static void get_hex(struct parser *ps, const json_t *doc, const char *member,
		    uint64_t *ret)
{
	if (!parse_hex(json_object_get(doc, member), ret) && !ps->member)
		ps->member = member;
}

static void get_rare(struct parser *ps, const json_t *doc, const char *member,
		     uint64_t *ret)
{
	if (json_object_get(doc, member))
		get_hex(ps, doc, member, ret);
}

static void get_pdptes(struct parser *ps, const json_t *doc, uint64_t ret[4])
{
	const json_t *array = json_object_get(doc, "pdpte");
	bool ok = json_array_size(array) == 4;

	for (size_t i = 0; i < 4 && ok; i++)
		ok = parse_hex(json_array_get(array, i), &ret[i]);
	if (!ok && !ps->member)
		ps->member = "pdpte";
}

static void get_others(struct parser *ps, const json_t *doc,
		       struct trace_info *ret)
{
	const json_t *array = json_object_get(doc, "vcpus");
	size_t nr = json_array_size(array);

	if (!array)
		return;
	if (!nr || nr >= TRACE_VCPUS_MAX) {
		if (!ps->member)
			ps->member = "vcpus";
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		const json_t *from = json_array_get(array, i);
		struct trace_vcpu *to = &ret->other[i];

		get_hex(ps, from, "cr0", &to->cr0);
		get_hex(ps, from, "cr3", &to->cr3);
		get_hex(ps, from, "cr4", &to->cr4);
		get_hex(ps, from, "efer", &to->efer);
		get_pdptes(ps, from, to->pdpte);
		get_rare(ps, from, "pkru", &to->pkru);
	}
	ret->nr_others = (uint32_t)nr;
}

static void get_granularity(struct parser *ps, const json_t *doc,
			    enum trace_granularity *ret)
{
	const char *name =
		json_string_value(json_object_get(doc, "granularity"));

	for (unsigned int i = 0; name && i < ARRAY_LEN(granularities); i++) {
		if (!strcmp(name, granularities[i])) {
			*ret = (enum trace_granularity)i;
			return;
		}
	}
	if (!ps->member)
		ps->member = "granularity";
}

static void get_features(struct parser *ps, const json_t *doc, uint64_t *ret)
{
	get_rare(ps, doc, "features", ret);
	if (!ps->member &&
	    (*ret >> 32 || profile_of((uint32_t)*ret) >= NR_PROFILES))
		ps->member = "features";
}

int info_parse(const char *text, uint32_t len, struct trace_info *ret,
	       struct diag *diag)
{
	struct trace_info info = {0};
	struct parser ps = {0};
	json_error_t error;
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!doc)
		return diag_set(diag, -EINVAL, "header: %s", error.text);
	get_granularity(&ps, doc, &info.granularity);
	get_hex(&ps, doc, "cr0", &info.cr0);
	get_hex(&ps, doc, "cr3", &info.cr3);
	get_hex(&ps, doc, "cr4", &info.cr4);
	get_hex(&ps, doc, "efer", &info.efer);
	get_hex(&ps, doc, "memory", &info.memory);
	get_pdptes(&ps, doc, info.pdpte);
	get_features(&ps, doc, &info.features);
	get_rare(&ps, doc, "image_digest", &info.image_digest);
	get_rare(&ps, doc, "initrd_digest", &info.initrd_digest);
	get_rare(&ps, doc, "pkru", &info.pkru);
	get_others(&ps, doc, &info);
	get_text(&ps, doc, "origin", info.origin, sizeof(info.origin));
	get_text(&ps, doc, "source", info.source, sizeof(info.source));
	get_text(&ps, doc, "tool", info.tool, sizeof(info.tool));
	json_decref(doc);
	if (ps.member)
		return diag_set(diag, -EINVAL,
				"header: \"%s\" is missing or wrong",
				ps.member);
	*ret = info;
	return 0;
}

int header_get(const uint8_t *p, uint32_t len, const struct crc32c *crc,
	       struct trace_info *ret, struct diag *diag)
{
	uint32_t version, text_len, sum;
	int err;

	if (len < FILE_MAGIC_LEN || memcmp(p, FILE_MAGIC, FILE_MAGIC_LEN))
		return diag_set(diag, -EINVAL, "not a notrap trace");
	if (len < HEADER_FIXED)
		return diag_set(diag, -EINVAL, "ends within its header");
	version = get_le32(p + 8);
	if (version != TRACE_VERSION)
		return diag_set(diag, -EINVAL,
				"a trace of version %" PRIu32
				", and only version %d can be read",
				version, TRACE_VERSION);
	text_len = get_le32(p + 12);
	if (text_len > HEADER_TEXT_MAX)
		return diag_set(diag, -EINVAL, "header: longer than any");
	if (text_len > len - HEADER_FIXED)
		return diag_set(diag, -EINVAL, "ends within its header");
	sum = crc32c_update(crc, 0, p, 16);
	sum = crc32c_update(crc, sum, p + HEADER_FIXED, text_len);
	if (sum != get_le32(p + 16))
		return diag_set(diag, -EINVAL,
				"header: the checksum at offset 16 does not "
				"match");
	err = info_parse((const char *)p + HEADER_FIXED, text_len, ret, diag);
	return err ? err : (int)(HEADER_FIXED + text_len);
}
