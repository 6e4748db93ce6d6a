/* SPDX-License-Identifier: MIT */
/**
 * The puzzle (RFC 7401 sections 4.1.2, 6.3 and appendix A). #I and #J have the length of RHASH, which is that of the
 * Responder's HIT Suite.
 *
 * The Responder keeps no state: #I is an HMAC under a rotating secret over #K, the Opaque field, the generation and
 * both HITs, so that it can be recognised when it comes back in I2, together with the difficulty that was asked for
 * then. It does not bind addresses, since the I2 may come from
 * another address than the I1.
 */
#ifndef HIPHOP_HIP_CRYPTO_PUZZLE_H
#define HIPHOP_HIP_CRYPTO_PUZZLE_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/crypto/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The two HITs and the hash of one exchange; what both ends put into the puzzle. */
struct puzzle_parties {
	hash_algorithm rhash;
	struct hit initiator;
	struct hit responder;
};

/* ---- The Responder's side ---- */

#define PUZZLE_SECRET_LENGTH 32

/** The secrets behind #I. Plain data with secrets inside: wipe with puzzle_source_clear. */
struct puzzle_source {
	const struct random_source *random; /**< borrowed */
	duration lifetime;                  /**< time from one secret to the next */
	instant rotated;                    /**< when the current secret began */
	uint64_t generation;                /**< counts secrets from 1; may serve as R1 counter */
	uint8_t current[PUZZLE_SECRET_LENGTH];
	uint8_t previous[PUZZLE_SECRET_LENGTH];
};

/** `lifetime` > 0: a puzzle is good for at least `lifetime` and at most twice that. Draws both secrets. */
void puzzle_source_start(
	struct puzzle_source *source, const struct random_source *random, duration lifetime, instant now);
void puzzle_source_clear(struct puzzle_source *source);
/** When the next secret is due. Rotation also happens by itself in the next two calls. */
instant puzzle_source_next_rotation(const struct puzzle_source *source);
/** Changes secrets if `now` demands it; true when it did (time for fresh R1s). */
bool puzzle_source_rotate(struct puzzle_source *source, instant now);

/**
 * #I for these parties, hash_length(rhash) octets into `i`, for a puzzle of `difficulty` bits. A different `opaque` (it
 * goes into PUZZLE's Opaque field) gives a different #I: use a counter, so that no Initiator gets one #I twice under
 * one Diffie-Hellman key. HIPHOP_UNSUPPORTED for HASH_NONE, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error puzzle_make(struct puzzle_source *source, instant now, const struct puzzle_parties *parties,
	uint8_t difficulty, uint16_t opaque, uint8_t *i);

/**
 * Checks a SOLUTION: first that #I was made by this source with this `opaque` and this `difficulty`, which is the #K of
 * the SOLUTION, and is not too old; then that #J solves it with `difficulty` bits. So an Initiator cannot choose #K,
 * and the caller needs not know what it asked for. HIPHOP_BAD_PUZZLE when anything does not fit, wrong lengths
 * included. HIPHOP_UNSUPPORTED, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error puzzle_check(struct puzzle_source *source, instant now, const struct puzzle_parties *parties,
	uint8_t difficulty, uint16_t opaque, struct span i, struct span j);

/** Only the second half: that the low `difficulty` bits of RHASH(#I | HIT-I | HIT-R | #J) are zero. Errors as
 * puzzle_check. */
hiphop_error puzzle_verify(const struct puzzle_parties *parties, uint8_t difficulty, struct span i, struct span j);

/* ---- The Initiator's side ---- */

/** A search that can be done in slices. Plain data; copy, drop or restart it freely. */
struct puzzle_search {
	struct puzzle_parties parties;
	uint8_t difficulty;
	uint64_t tries; /**< hashes so far */
	uint8_t i[RHASH_LENGTH_MAXIMUM];
	uint8_t j[RHASH_LENGTH_MAXIMUM]; /**< once solved: #J, hash_length(rhash) octets */
};

/** #J starts at a random number. `difficulty` is #K from the network: the caller decides how much it is willing to do
 * (2^K hashes on average). HIPHOP_MALFORMED when `i` has not RHASH's length or #K has more bits than RHASH,
 * HIPHOP_UNSUPPORTED for HASH_NONE. */
hiphop_error puzzle_search_start(struct puzzle_search *search, const struct puzzle_parties *parties, uint8_t difficulty,
	struct span i, const struct random_source *random);

/** At most `tries` more hashes (about a million a second). HIPHOP_OK: search->j is the solution. HIPHOP_LIMITED: not
 * found yet, call again. HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error puzzle_search_run(struct puzzle_search *search, uint64_t tries);

#endif
