/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects lines, so that an unbuffered FILE costs one write a line. */
#include "platform/console.h"

#include <errno.h>

#include "base/hash.h"

void console_init(struct console *con, uint8_t *buf, size_t size, FILE *tee)
{
	*con = (struct console){
		.buf = buf,
		.size = size,
		.tee = tee,
		.digest = FNV64_INIT,
	};
}

void console_flush(struct console *con)
{
	size_t len = con->line_len;

	con->line_len = 0;
	if (!con->tee || con->tee_errno || !len)
		return;
	errno = 0;
	if (fwrite(con->line, 1, len, con->tee) != len || fflush(con->tee))
		con->tee_errno = errno ? errno : EIO;
}

void console_put(struct console *con, uint8_t byte)
{
	con->total++;
	con->digest = fnv64(con->digest, &byte, 1);
	if (con->len < con->size)
		con->buf[con->len++] = byte;

	con->line[con->line_len++] = byte;
	if (byte == '\n' || con->line_len == CONSOLE_LINE)
		console_flush(con);
}
