/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the boot information of every protocol is made of. */
#include <string.h>

#include "platform/image.h"

#define VIDEO_START UINT64_C(0xa0000)
#define ROM_START   UINT64_C(0xf0000)

void put_le(uint8_t *to, uint64_t val, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(val >> (8 * i));
}

uint64_t info_take(struct boot_info *info, uint64_t size)
{
	uint64_t gpa = info->next;

	info->next += size;
	BUG_ON(info->next > LOW_END);
	memset(info->ram + gpa, 0, size);
	return gpa;
}

uint64_t info_string(struct boot_info *info, const char *s)
{
	uint64_t size = strlen(s) + 1;
	uint64_t gpa = info_take(info, size);

	memcpy(info->ram + gpa, s, size);
	return gpa;
}

uint64_t info_strings_size(const struct boot_files *files)
{
	uint64_t size = strlen(files->cmdline) + 1;

	for (unsigned int i = 0; i < files->nr_modules; i++)
		size += strlen(files->module[i].args) + 1;
	return size;
}

void memory_map(uint64_t ram_size, struct map_entry map[static MAP_ENTRIES])
{
	map[0] = (struct map_entry){0, LOW_END, MAP_RAM};
	map[1] = (struct map_entry){LOW_END, VIDEO_START - LOW_END,
				    MAP_RESERVED};
	map[2] = (struct map_entry){ROM_START, HIGH_START - ROM_START,
				    MAP_RESERVED};
	map[3] = (struct map_entry){HIGH_START, ram_size - HIGH_START, MAP_RAM};
}
