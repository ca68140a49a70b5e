/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

int guest_add_initrd(struct guest_request *request, const char *initrd,
		     struct diag *diag)
{
	if (!*initrd || *initrd == ' ')
		return diag_set(diag, -EINVAL,
				"--initrd wants a file's name first: \"%.60s\"",
				initrd);
	if (request->nr_initrds == LOADER_MODULES)
		return diag_set(diag, -EINVAL, "more than %d times --initrd",
				LOADER_MODULES);
	request->initrd[request->nr_initrds++] = initrd;
	return 0;
}

static int read_module(const char *text, struct boot_module *ret,
		       struct diag *diag)
{
	size_t len = strcspn(text, " ");
	char path[4096];

	if (len >= sizeof(path))
		return diag_set(diag, -EINVAL, "--initrd: a path of %zu bytes",
				len);
	snprintf(path, sizeof(path), "%.*s", (int)len, text);
	ret->args = text + len + (text[len] == ' ');
	return image_read(path, &ret->image, diag);
}

static uint64_t digest_module(uint64_t digest, const struct boot_module *module)
{
	digest = fnv64(digest, module->image.data, module->image.size);
	return fnv64(digest, module->args, strlen(module->args) + 1);
}

int guest_read(const struct guest_request *request, struct guest *ret,
	       struct diag *diag)
{
	int err;

	*ret = (struct guest){
		.files = {.cmdline = request->args, .module = ret->module},
		.path = request->kernel,
		.initrd = request->initrd,
	};
	err = image_read(request->kernel, &ret->files.kernel, diag);
	if (err)
		return err;
	ret->digest = fnv64(FNV64_INIT, ret->files.kernel.data,
			    ret->files.kernel.size);
	for (unsigned int i = 0; i < request->nr_initrds; i++) {
		err = read_module(request->initrd[i], &ret->module[i], diag);
		if (err) {
			guest_free(ret);
			return err;
		}
		ret->initrd_digest = digest_module(
			i ? ret->initrd_digest : FNV64_INIT, &ret->module[i]);
		ret->files.nr_modules++;
	}
	return 0;
}

void guest_free(struct guest *guest)
{
	for (unsigned int i = 0; i < guest->files.nr_modules; i++)
		image_free(&guest->module[i].image);
	image_free(&guest->files.kernel);
	*guest = (struct guest){0};
}

void guest_describe_initrds(const struct guest *guest, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < guest->files.nr_modules && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s",
				       i ? "; " : "", guest->initrd[i]);
}

void guest_describe(const struct guest *guest, char *buf, size_t size)
{
	const char *cmdline = guest->files.cmdline;
	size_t at = (size_t)snprintf(buf, size, "%s", guest->path);

	for (unsigned int i = 0; i < guest->files.nr_modules && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, " --initrd %s",
				       guest->initrd[i]);
	if (*cmdline && at < size)
		snprintf(buf + at, size - at, " %s", cmdline);
}
