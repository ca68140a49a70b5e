/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target as an ordinary program: it runs over the files named, and those
 * in directories named, and speaks TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static unsigned int run_file(const char *path, unsigned int number)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		printf("not ok %u - %s: %s\n", number, path, strerror(errno));
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	printf("ok %u - %s\n", number, path);
	fflush(stdout);
	return 1;
}

static unsigned int run_directory(const char *path, unsigned int number)
{
	struct dirent **names;
	int nr = scandir(path, &names, NULL, alphasort);
	unsigned int ran = 0;

	if (nr < 0)
		return run_file(path, number);
	for (int i = 0; i < nr; i++) {
		char name[1024];

		snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			ran += run_file(name, number + ran);
		free(names[i]);
	}
	free(names);
	return ran;
}

int main(int argc, char **argv)
{
	unsigned int ran = 0;

	for (int i = 1; i < argc; i++)
		ran += run_directory(argv[i], 1 + ran);
	printf("1..%u\n", ran);
	return ran ? 0 : 1;
}
