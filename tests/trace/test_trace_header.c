/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file header, its JSON text, and the checksum everything stands on. */
#include "tape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/crc32c.h"
#include "trace/info.h"
#include "trace/le.h"

/* In these texts ' is ". */
#define ZERO         "'0x0000000000000000'"
#define FULL         "{'granularity':'full',"
#define CRS          "'cr0':" ZERO ",'cr3':" ZERO ",'cr4':" ZERO ",'efer':" ZERO ","
#define MORE         "'memory':" ZERO ",'pdpte':[" ZERO "," ZERO "," ZERO "," ZERO "],"
#define TEXT         "'origin':'','source':'','tool':''}"
#define GOOD         FULL CRS MORE
#define VCPU         "{" CRS "'pdpte':[" ZERO "," ZERO "," ZERO "," ZERO "]}"
#define SIXTY        "123456789012345678901234567890123456789012345678901234567890"
#define SOURCE(text) GOOD "'origin':'','tool':'','source':'" text "'}"

static const struct {
	const char *name;
	const char *says; /* NULL: it is good */
	const char *text;
} texts[] = {
	{"good", NULL, GOOD TEXT},
	{"one more", NULL, FULL "'x':[1]," CRS MORE TEXT},
	{"pages", NULL, "{'granularity':'pages'," CRS MORE TEXT},
	{"features", NULL, GOOD "'features':'0x000000000000000a'," TEXT},
	{"no features", "features", GOOD "'features':'smap'," TEXT},
	{"processor 4", NULL, GOOD "'features':'0x0000000004000000'," TEXT},
	{"processor 5", "features",
	 GOOD "'features':'0x0000000005000000'," TEXT},
	{"features of 33 bits", "features",
	 GOOD "'features':'0x0000000100000000'," TEXT},
	{"no PKRU", "pkru", GOOD "'pkru':4," TEXT},
	{"digests", NULL,
	 GOOD "'image_digest':'0x000000000000000a','initrd_digest':"
	      "'0x0000000000000000'," TEXT},
	{"no digest", "initrd_digest", GOOD "'initrd_digest':7," TEXT},
	{"half", "granularity", "{'granularity':'half'," CRS MORE TEXT},
	{"nothing", "header: ", ""},
	{"no end", "header: ", FULL CRS MORE},
	{"two", "header: ", GOOD TEXT GOOD TEXT},
	{"no object", "granularity", "[1,2]"},
	{"twice", "header: ", FULL "'granularity':'full'," CRS MORE TEXT},
	{"number", "cr0", FULL "'cr0':1," TEXT},
	{"short", "cr0", FULL "'cr0':'0x00'," TEXT},
	{"capital", "cr0", FULL "'cr0':'0x000000000000000A'," TEXT},
	{"0X", "cr0", FULL "'cr0':'0X0000000000000000'," TEXT},
	{"sign", "cr0", FULL "'cr0':'0x-000000000000001'," TEXT},
	{"three", "pdpte", FULL CRS "'memory':" ZERO ",'pdpte':[0]," TEXT},
	{"no tool", "tool", GOOD "'origin':'','source':''}"},
	{"63 bytes", NULL, SOURCE(SIXTY "123")},
	{"64 bytes", "source", SOURCE(SIXTY "1234")},
	{"a 0", "header: ", SOURCE("\\u0000")},
	{"no UTF-8", "header: ", SOURCE("\xff")},
	{"four processors", NULL,
	 GOOD "'vcpus':[" VCPU "," VCPU "," VCPU "]," TEXT},
	{"five", "vcpus",
	 GOOD "'vcpus':[" VCPU "," VCPU "," VCPU "," VCPU "]," TEXT},
	{"no other", "vcpus", GOOD "'vcpus':[]," TEXT},
	{"a number of them", "vcpus", GOOD "'vcpus':2," TEXT},
	{"one without registers", "cr0", GOOD "'vcpus':[" VCPU ",{}]," TEXT},
};

static void json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *says = texts[i].says;
		struct trace_info info;
		struct diag diag = {""};
		char text[2048], *p;
		int err;

		assert_true(strlen(texts[i].text) < sizeof(text));
		strcpy(text, texts[i].text);
		for (p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		err = info_parse(text, (uint32_t)(p - text), &info, &diag);
		if (err != (says ? -EINVAL : 0) ||
		    !strstr(diag.msg, says ? says : ""))
			fail_msg("%s: got %d \"%s\", want \"%s\"",
				 texts[i].name, err, diag.msg,
				 says ? says : "");
	}
}

/* Texts that need care: what comes back, and that the longest fits. */
static void strange_texts(void **state)
{
	struct trace_info info = {.source = "caf\xc3\xa9", .tool = "caf\xe9"};
	struct trace_info got;
	uint8_t header[HEADER_MAX];
	struct crc32c crc;
	struct diag diag;
	int len;

	(void)state;
	crc32c_init(&crc);
	memset(info.origin, 0xff, sizeof(info.origin) - 1);
	len = header_put(header, &info, &crc, &diag);
	assert_true(len > 0);
	assert_int_equal(header_get(header, (uint32_t)len, &crc, &got, &diag),
			 len);
	assert_string_equal(got.source, "caf\xc3\xa9");
	assert_string_equal(got.tool, "caf\\xe9");
	assert_int_equal(strlen(got.origin), 252);
	assert_memory_equal(got.origin, "\\xff\\xff", 8);

	memset(info.source, 1, sizeof(info.source));
	memset(info.tool, 1, sizeof(info.tool));
	memset(info.origin, 1, sizeof(info.origin));
	len = header_put(header, &info, &crc, &diag);
	assert_true(len > 0);
	assert_int_equal(header_get(header, (uint32_t)len, &crc, &got, &diag),
			 len);
	assert_int_equal(strlen(got.origin), sizeof(info.origin) - 1);
}

static uint32_t change_version(uint8_t *p, uint32_t len)
{
	put_le32(p + 8, 2);
	return len;
}

static uint32_t change_length(uint8_t *p, uint32_t len)
{
	put_le32(p + 12, UINT32_MAX);
	return len;
}

static uint32_t lengthen(uint8_t *p, uint32_t len)
{
	put_le32(p + 12, len - HEADER_FIXED + 1);
	return len;
}

static uint32_t change_text(uint8_t *p, uint32_t len)
{
	p[HEADER_FIXED + 5] ^= 1;
	return len;
}

static uint32_t change_magic(uint8_t *p, uint32_t len)
{
	p[0] = 'N';
	return len;
}

static uint32_t empty(uint8_t *p, uint32_t len)
{
	(void)p;
	return len - len;
}

static uint32_t cut(uint8_t *p, uint32_t len)
{
	(void)p;
	return len - 1;
}

static const struct {
	const char *name, *says;
	uint32_t (*change)(uint8_t *p, uint32_t len);
} headers[] = {
	{"version 2", "version 2, and only version 1", change_version},
	{"longer than any", "longer than any", change_length},
	{"longer than there is", "ends within its header", lengthen},
	{"cut", "ends within its header", cut},
	{"changed", "checksum", change_text},
	{"another magic", "not a notrap trace", change_magic},
	{"empty", "not a notrap trace", empty},
};

static void bad_headers(void **state)
{
	const char *path = scratch_path("header");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct trace_info info = {.granularity = TRACE_FULL};
		uint8_t header[HEADER_MAX];
		struct trace_reader *r;
		struct diag diag = {""};
		struct crc32c crc;
		int len;

		crc32c_init(&crc);
		len = header_put(header, &info, &crc, &diag);
		file_store(path, header,
			   headers[i].change(header, (uint32_t)len));
		assert_int_equal(trace_reader_open(path, &r, &diag), -EINVAL);
		if (!strstr(diag.msg, headers[i].says) ||
		    !strstr(diag.msg, path))
			fail_msg("%s: got \"%s\", want \"%s\"", headers[i].name,
				 diag.msg, headers[i].says);
	}
	scratch_remove();
}

static void not_there(void **state)
{
	struct trace_reader *r;
	struct diag diag;

	(void)state;
	assert_int_equal(trace_reader_open("/none/such", &r, &diag), -ENOENT);
	assert_string_equal(diag.msg, "/none/such: cannot be opened: "
				      "No such file or directory");
	assert_int_equal(trace_reader_open("/tmp", &r, &diag), -EINVAL);
	assert_string_equal(diag.msg, "/tmp: is not a regular file");
	trace_reader_close(NULL);
}

/* Bit by bit, as the definition has it. */
static uint32_t slow_crc(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	while (len--) {
		for (int bit = 0; bit < 8; bit++) {
			bool out = (crc ^ (uint32_t)(*p >> bit)) & 1;

			crc = crc >> 1 ^ (out ? 0x82f63b78 : 0);
		}
		p++;
	}
	return ~crc;
}

static void checksum(void **state)
{
	struct crc32c crc;
	uint8_t data[300];

	(void)state;
	crc32c_init(&crc);
	/* The catalogue's check value, and one of RFC 3720, B.4. */
	assert_int_equal(crc32c_update(&crc, 0, "123456789", 9), 0xe3069283);
	memset(data, 0, 32);
	assert_int_equal(crc32c_update(&crc, 0, data, 32), 0x8a9136aa);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * i + 7 * i);
	for (size_t from = 0; from < 20; from++) {
		for (size_t to = from; to <= sizeof(data); to++) {
			uint32_t first = crc32c_update(&crc, 0, data, from);

			assert_int_equal(crc32c_update(&crc, first, data + from,
						       to - from),
					 slow_crc(0, data, to));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),        cmocka_unit_test(strange_texts),
		cmocka_unit_test(bad_headers), cmocka_unit_test(not_there),
		cmocka_unit_test(checksum),
	};

	return cmocka_run_group_tests_name("trace_header", tests, NULL, NULL);
}
