/* SPDX-License-Identifier: MIT */
#include "hip/crypto/algorithm_name.h"

#include <stddef.h>

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static const char *skip_joints(const char *text)
{
	while (*text == '-' || *text == '_')
		text++;
	return text;
}

bool algorithm_is_called(const char *written, const char *name)
{
	if (!name)
		return false;
	for (;;) {
		written = skip_joints(written);
		name = skip_joints(name);
		if (lower(*written) != lower(*name))
			return false;
		if (!*written)
			return true;
		written++;
		name++;
	}
}
