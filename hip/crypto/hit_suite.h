/* SPDX-License-Identifier: MIT */
/**
 * The HIT Suites of RFC 7401 section 5.2.10: which identities a host takes part with, by name.
 */
#ifndef HIPHOP_HIP_CRYPTO_HIT_SUITE_H
#define HIPHOP_HIP_CRYPTO_HIT_SUITE_H

#include <stddef.h>
#include <stdint.h>

/** One row: 1 RSA/SHA-256, 2 ECDSA/SHA-384, 3 ECDSA_LOW/SHA-1. */
struct hit_suite_entry {
	uint8_t id;           /**< four-bit HIT Suite ID, as in the OGA nibble of the HIT */
	const char *name;     /**< for configuration and status: "rsa", "ecdsa", "ecdsa-low" */
	const char *alias;    /**< another way to write it */
	const char *weakness; /**< why it is off unless switched on; NULL when it is not weak */
};

/** The row, or NULL when we do not have it. Static storage. */
const struct hit_suite_entry *hit_suite_by_id(uint8_t id);
/** By name or alias as algorithm_is_called compares them, or NULL. */
const struct hit_suite_entry *hit_suite_by_name(const char *name);
/** Row by row in order of id, NULL at the end. */
const struct hit_suite_entry *hit_suite_at(size_t index);

#endif
