/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NOTRAP_CLI_COMMANDS_H
#define NOTRAP_CLI_COMMANDS_H

/* All of the program behind main(); an enum cli_status. */
int commands_main(int argc, char **argv);

#endif
