/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hit_suite.h"
#include "hip/crypto/algorithm_name.h"
#include "hip/wire/constants.h"

static const struct hit_suite_entry suites[] = {
	{HIT_SUITE_RSA_DSA_SHA256, "rsa", "rsa-sha256", NULL},
	{HIT_SUITE_ECDSA_SHA384, "ecdsa", "ecdsa-sha384", NULL},
	{HIT_SUITE_ECDSA_LOW_SHA1, "ecdsa-low", "ecdsa-low-sha1", "SHA-1 and a curve of 160 bits"},
};
#define SUITE_COUNT (sizeof suites / sizeof suites[0])

const struct hit_suite_entry *hit_suite_by_id(uint8_t id)
{
	for (size_t n = 0; n < SUITE_COUNT; n++) {
		if (suites[n].id == id)
			return &suites[n];
	}
	return NULL;
}

const struct hit_suite_entry *hit_suite_by_name(const char *name)
{
	for (size_t n = 0; n < SUITE_COUNT; n++) {
		if (algorithm_is_called(name, suites[n].name) || algorithm_is_called(name, suites[n].alias))
			return &suites[n];
	}
	return NULL;
}

const struct hit_suite_entry *hit_suite_at(size_t index)
{
	return index < SUITE_COUNT ? &suites[index] : NULL;
}
