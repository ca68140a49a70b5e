/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A made-up guest in long mode that does nothing but take demand faults: a
 * user write to a fresh page, delivery through the IDT, a handler of two
 * instructions that writes the entry through a map of the tables, the retry.
 */
#ifndef NOTRAP_BENCHMARKS_FAULTS_H
#define NOTRAP_BENCHMARKS_FAULTS_H

#include "trace/trace.h"

#define FAULTS_MAX (512u * 512u)

/* nr: up to FAULTS_MAX, each on a page of its own.  -errno with a line. */
int faults_write(const char *path, uint32_t nr, struct diag *diag);

#endif
