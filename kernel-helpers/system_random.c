/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/system_random.h"

#include "hip/base/bytes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/** getrandom for up to 256 octets cannot be interrupted or cut once the generator is seeded. */
static bool kernel_fill(uint8_t *out, size_t length)
{
	while (length > 0) {
		ssize_t got = getrandom(out, length < 256 ? length : 256, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		out += got;
		length -= (size_t)got;
	}
	return true;
}

static void refill(struct system_random *random)
{
	/* It worked at start. Should it ever fail, no protocol of ours is safe any more: ending is the only right
	 * answer. */
	if (!kernel_fill(random->pool, sizeof random->pool))
		abort();
	random->left = sizeof random->pool;
}

static void system_fill(void *context, void *out, size_t length)
{
	struct system_random *random = context;
	uint8_t *to = out;
	while (length > 0) {
		if (random->left == 0)
			refill(random);
		size_t part = length < random->left ? length : random->left;
		uint8_t *from = random->pool + sizeof random->pool - random->left;
		memcpy(to, from, part);
		bytes_wipe(from, part);
		random->left -= part;
		to += part;
		length -= part;
	}
}

hiphop_error system_random_start(struct system_random *random, struct random_source *source)
{
	random->left = 0;
	if (!kernel_fill(random->pool, sizeof random->pool))
		return HIPHOP_SYSTEM;
	random->left = sizeof random->pool;
	*source = (struct random_source){.fill = system_fill, .context = random};
	return HIPHOP_OK;
}

void system_random_stop(struct system_random *random)
{
	bytes_wipe(random->pool, sizeof random->pool);
	random->left = 0;
}
