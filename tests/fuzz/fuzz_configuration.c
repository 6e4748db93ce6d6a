/* SPDX-License-Identifier: MIT */
/** A configuration file of any contents: read whole, or refused with one sentence and nothing left behind. */
#include "daemon/configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The library's lexer loses the string that it was reading when the file ends in it; hiphopd ends then as well. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct configuration nothing;
	static int file = -1;
	struct configuration configuration;
	char path[64], message[512];

	if (file < 0)
		file = memfd_create("configuration", MFD_CLOEXEC);
	/* Includes would read the machine's own files. */
	if (memmem(data, size, "@include", 8))
		return 0;
	if (file < 0 || ftruncate(file, 0) < 0 || pwrite(file, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	hiphop_error error = configuration_read(path, &configuration, message, sizeof message);
	if (error && (!*message || memchr(message, 0, sizeof message) == NULL ||
			     memcmp(&configuration, &nothing, sizeof nothing) != 0))
		abort();
	configuration_free(&configuration);
	return 0;
}
