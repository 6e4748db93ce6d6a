/* SPDX-License-Identifier: MIT */
/**
 * Diffie-Hellman key pairs and shared secrets (RFC 7401 section 5.2.7).
 *
 * | id | group               | public value                      | shared secret Kij             |
 * |----|---------------------|-----------------------------------|-------------------------------|
 * | 3  | 1536-bit MODP (3526)| 192 octets, padded to the prime   | 192 octets, padded likewise   |
 * | 4  | 3072-bit MODP (3526)| 384                               | 384                           |
 * | 7  | NIST P-256 (5903)   | 64: x | y                         | 32: x                         |
 * | 8  | NIST P-384 (5903)   | 96: x | y                         | 48: x                         |
 * | 9  | NIST P-521 (5903)   | 132: x | y                        | 66: x                         |
 * | 10 | secp160r1 (SECG)    | 40: x | y                         | 20: x                         |
 * | 11 | 2048-bit MODP (3526)| 256                               | 256                           |
 *
 * Private keys are drawn from the given random source for every group, so that a simulation repeats.
 */
#ifndef HIPHOP_HIP_CRYPTO_DIFFIE_HELLMAN_H
#define HIPHOP_HIP_CRYPTO_DIFFIE_HELLMAN_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/random.h"

#include <stddef.h>
#include <stdint.h>

/** Octets of the longest public value and of the longest shared secret: group 4. */
#define DIFFIE_HELLMAN_PUBLIC_MAXIMUM 384
#define DIFFIE_HELLMAN_SECRET_MAXIMUM 384

struct diffie_hellman_group {
	uint8_t id;           /**< Group ID */
	const char *name;     /**< for configuration and status: "modp-1536", "p-256" … */
	const char *alias;    /**< another way to write it, strongSwan's; NULL when it is the same */
	const char *weakness; /**< why it is off unless switched on; NULL when it is not weak */
	size_t public_length; /**< octets of a public value */
	size_t secret_length; /**< octets of the shared secret */
};

/** The group with this id, or NULL when we do not have it. Static storage. */
const struct diffie_hellman_group *diffie_hellman_group_by_id(uint8_t id);
/** By name or alias as algorithm_is_called compares them, or NULL. */
const struct diffie_hellman_group *diffie_hellman_group_by_name(const char *name);
/** Row by row in order of id, NULL at the end. */
const struct diffie_hellman_group *diffie_hellman_group_at(size_t index);

/** Kij. Wipe with shared_secret_clear as soon as KEYMAT has been made from it. */
struct shared_secret {
	size_t length;
	uint8_t octets[DIFFIE_HELLMAN_SECRET_MAXIMUM];
};
void shared_secret_clear(struct shared_secret *secret);

/** A key pair in one group. The caller owns it. One thread at a time. */
struct diffie_hellman;

/** A new key pair. HIPHOP_UNSUPPORTED for an unknown group, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error diffie_hellman_new(uint8_t group_id, const struct random_source *random, struct diffie_hellman **out);
/** The same key for one more owner, who frees it too. */
struct diffie_hellman *diffie_hellman_share(struct diffie_hellman *key);
/** NULL is allowed. Wipes the private key when this was the last owner. */
void diffie_hellman_free(struct diffie_hellman *key);
uint8_t diffie_hellman_group_id(const struct diffie_hellman *key);
/** The Public Value field. Owned by `key`. */
struct span diffie_hellman_public_value(const struct diffie_hellman *key);

/**
 * The shared secret with the owner of `peer_public_value`, which comes from a stranger.
 * HIPHOP_MALFORMED when it has the wrong length, is not a point of the curve, or is not in 2 … p - 2;
 * HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. On any error `secret` is cleared.
 */
hiphop_error diffie_hellman_agree(
	struct diffie_hellman *key, struct span peer_public_value, struct shared_secret *secret);

#endif
