/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files by name, which are built in, and by path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "machine/machine.h"

static const struct {
	const struct machine_file *file;
	const size_t *nr;
	const char *what;
} lists[NR_MACHINE_KINDS] = {
	[KIND_MACHINE] = {machine_builtin, &machine_nr_builtin, "machine"},
	[KIND_HYPERVISOR] = {hypervisor_builtin, &hypervisor_nr_builtin,
			     "hypervisor"},
};

const struct machine_file *machine_files(enum machine_kind kind, size_t *nr)
{
	*nr = *lists[kind].nr;
	return lists[kind].file;
}

bool machine_is_path(const char *which)
{
	size_t len = strlen(which);

	return strchr(which, '/') ||
	       (len > 4 && !strcmp(which + len - 4, ".ini"));
}

/* --- Those built in --------------------------------------------------------
 */

static int no_such_name(enum machine_kind kind, const char *which,
			struct diag *diag)
{
	char list[300] = "";
	struct suggest near;
	size_t nr, len = 0;
	const struct machine_file *file = machine_files(kind, &nr);

	suggest_init(&near, which);
	for (size_t i = 0; i < nr; i++) {
		suggest_offer(&near, file[i].name);
		if (len < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len,
						"%s%s", i ? ", " : "",
						file[i].name);
	}
	if (suggest_best(&near))
		return diag_set(diag, -EINVAL,
				"%s=%.60s: there is none of this name; did you "
				"mean \"%s\"? (or a FILE.ini)",
				lists[kind].what, which, suggest_best(&near));
	return diag_set(diag, -EINVAL,
			"%s=%.60s: there is none of this name; there are %s, "
			"or a FILE.ini",
			lists[kind].what, which, list);
}

static const struct machine_file *find_file(enum machine_kind kind,
					    const char *name)
{
	size_t nr;
	const struct machine_file *file = machine_files(kind, &nr);

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(file[i].name, name))
			return &file[i];
	return NULL;
}

static int read_builtin(enum machine_kind kind, const char *which,
			struct ini *ret, uint64_t *digest, struct diag *diag)
{
	const struct machine_file *file = find_file(kind, which);

	if (!file)
		return no_such_name(kind, which, diag);
	*digest = fnv64(FNV64_INIT, file->text, file->len);
	return ini_parse(file->text, file->len, file->path, ret, diag);
}

/* --- By path ----------------------------------------------------------------
 */

static int read_path(const char *path, struct ini *ret, uint64_t *digest,
		     struct diag *diag)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t len;
	int err;

	if (!file)
		return diag_set(diag, -EINVAL, "%.300s: %s", path,
				strerror(errno));
	text = malloc(INI_MAX + 1);
	if (!text) {
		err = diag_set(diag, -ENOMEM, "no memory for %.300s", path);
		goto close_file;
	}
	len = fread(text, 1, INI_MAX + 1, file);
	if (ferror(file)) {
		err = diag_set(diag, -EINVAL, "%.300s: %s", path,
			       strerror(errno));
	} else {
		*digest = fnv64(FNV64_INIT, text, len);
		err = ini_parse(text, len, path, ret, diag);
	}
	free(text);
close_file:
	fclose(file);
	return err;
}

int machine_read(enum machine_kind kind, const char *which, struct ini *ret,
		 uint64_t *digest, struct diag *diag)
{
	return machine_is_path(which)
		       ? read_path(which, ret, digest, diag)
		       : read_builtin(kind, which, ret, digest, diag);
}

static int read_digest(enum machine_kind kind, uint64_t digest, struct ini *ret,
		       struct diag *diag)
{
	size_t nr;
	const struct machine_file *file = machine_files(kind, &nr);

	for (size_t i = 0; i < nr; i++)
		if (fnv64(FNV64_INIT, file[i].text, file[i].len) == digest)
			return ini_parse(file[i].text, file[i].len,
					 file[i].path, ret, diag);
	return diag_set(diag, -ENOENT, "no %s has such a digest",
			lists[kind].what);
}

int machine_read_again(enum machine_kind kind, const char *which,
		       uint64_t digest, struct ini *ret, struct diag *diag)
{
	uint64_t now;
	int err;

	if (!machine_is_path(which))
		return read_digest(kind, digest, ret, diag);
	err = read_path(which, ret, &now, diag);
	if (err || now == digest)
		return err ? -ENOENT : 0;
	ini_finish(ret);
	return diag_set(diag, -ENOENT, "%.300s: has changed", which);
}

/* --- To the end --------------------------------------------------------------
 */

int machine_load(const char *which, struct machine_model *ret,
		 struct diag *diag)
{
	uint64_t digest = 0;
	struct ini ini;
	int err = machine_read(KIND_MACHINE, which, &ini, &digest, diag);

	if (err)
		return err;
	err = machine_from_ini(&ini, ret, diag);
	if (!err)
		ret->digest = digest;
	ini_finish(&ini);
	return err;
}

int hypervisor_load(const char *which, struct hypervisor *ret,
		    struct diag *diag)
{
	uint64_t digest = 0;
	struct ini ini;
	int err = machine_read(KIND_HYPERVISOR, which, &ini, &digest, diag);

	if (err)
		return err;
	err = hypervisor_from_ini(&ini, ret, diag);
	if (!err)
		ret->digest = digest;
	ini_finish(&ini);
	return err;
}

int hypervisor_load_for_mmu(const char *mmu, struct hypervisor *ret,
			    struct diag *diag)
{
	size_t nr;
	const struct machine_file *file = machine_files(KIND_HYPERVISOR, &nr);

	for (size_t i = 0; i < nr; i++) {
		struct hypervisor hv;
		int err = hypervisor_load(file[i].name, &hv, diag);

		if (err)
			return err;
		if (!hypervisor_is_for(&hv, mmu))
			continue;
		*ret = hv;
		return 0;
	}
	return hypervisor_load(file[0].name, ret, diag);
}
