/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats, each in a file of its own, the two of ChampSim in one. */
#ifndef NOTRAP_IMPORT_FORMATS_H
#define NOTRAP_IMPORT_FORMATS_H

#include "import/import.h"

extern const struct import_format import_champsim;
extern const struct import_format import_champsim_cloudsuite;
extern const struct import_format import_drmemtrace;
extern const struct import_format import_lackey;
extern const struct import_format import_perf;

#endif
