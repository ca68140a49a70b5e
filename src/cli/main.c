/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: find the command and run it. */
#include "cli/commands.h"

int main(int argc, char **argv)
{
	return commands_main(argc, argv);
}
