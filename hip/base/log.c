/* SPDX-License-Identifier: MIT */
#include "hip/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LINE_SIZE 513

void log_write(const struct log *log, log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	int length;

	if (!log || !log->write || level > log->maximum)
		return;
	va_start(arguments, format);
	length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	/* What a stranger sent may be in the line; it must not begin a line of its own or drive a terminal. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	log->write(log->context, level, line);
}
