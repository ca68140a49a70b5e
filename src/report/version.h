/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's version, as meson.build has it: "0.1.0". */
#ifndef NOTRAP_REPORT_VERSION_H
#define NOTRAP_REPORT_VERSION_H

const char *notrap_version(void);

#endif
