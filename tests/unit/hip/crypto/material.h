/* SPDX-License-Identifier: MIT */
/** What the tests of this layer share: octets from hex, spans from text, and a random source that says what it is told.
 */
#ifndef HIPHOP_TESTS_UNIT_HIP_CRYPTO_MATERIAL_H
#define HIPHOP_TESTS_UNIT_HIP_CRYPTO_MATERIAL_H

#include "hip/base/bytes.h"
#include "hip/base/random.h"

#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

/** Octets of hex text, spaces allowed, into `out`; returns a span over them. */
static inline struct span from_hex(const char *text, uint8_t *out, size_t capacity)
{
	size_t length = 0;
	for (; *text; text++) {
		unsigned octet;
		if (*text == ' ')
			continue;
		assert_int_equal(sscanf(text, "%2x", &octet), 1);
		assert_true(length < capacity);
		out[length++] = (uint8_t)octet;
		text++;
	}
	return (struct span){out, length};
}

static inline void assert_hex(const uint8_t *actual, size_t length, const char *text)
{
	uint8_t expected[1024];
	struct span span = from_hex(text, expected, sizeof expected);
	assert_int_equal(length, span.length);
	assert_memory_equal(actual, span.data, length);
}

static inline struct span from_text(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

/** Gives the octets of `next`, again and again. */
struct told_random {
	struct span next;
	size_t position;
};

static inline void told_random_fill(void *context, void *out, size_t length)
{
	struct told_random *told = context;
	for (size_t n = 0; n < length; n++)
		((uint8_t *)out)[n] = told->next.data[told->position++ % told->next.length];
}

static inline struct random_source told_random_start(struct told_random *told, struct span next)
{
	*told = (struct told_random){next, 0};
	return (struct random_source){told_random_fill, told};
}

#endif
