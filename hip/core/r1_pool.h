/* SPDX-License-Identifier: MIT */
/**
 * R1s signed ahead of time, so that an I1 costs no signature and no state (RFC 7401 section 6.7.1).
 *
 * A generation has one Diffie-Hellman key pair and one signed R1 for each group, made when the group is first asked
 * for. The counter of a generation is its R1_COUNTER. A generation is replaced when it is old or has been used by an
 * I2, and kept for a while for I2s on their way. So an I1 costs at most a few signatures a minute, whatever arrives.
 */
#ifndef HIPHOP_HIP_CORE_R1_POOL_H
#define HIPHOP_HIP_CORE_R1_POOL_H

#include "hip/base/map.h"
#include "hip/base/time.h"
#include "hip/core/host.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/wire/constants.h"

/** Generations kept, the current one included. */
#define R1_POOL_GENERATIONS 8
/** A generation is offered this long at most. */
#define R1_POOL_OFFERED SECONDS(120)
/** A generation that an I2 has used is replaced after this long (so that a burst of I2s shares one). */
#define R1_POOL_OFFERED_USED SECONDS(15)
/** A generation is accepted this long after it was last offered: Delta S, not less than the puzzle's lifetime. */
#define R1_POOL_ACCEPTED SECONDS(130)
/** Solved puzzles remembered in one generation; more come from an attacker, and are refused. */
#define R1_POOL_SOLVED_MAXIMUM 16384

struct r1_entry {
	struct diffie_hellman *key; /**< NULL: not made yet */
	size_t length;
	uint8_t octets[HIP_PACKET_MAXIMUM]; /**< signed; Receiver's HIT, Opaque and #I still zero */
};

struct r1_generation {
	uint64_t counter; /**< R1_COUNTER; 0: empty */
	instant made;
	instant retired; /**< 0: still offered */
	bool used;
	struct map solved; /**< #I (its first octets) of I2s that were accepted */
	struct r1_entry *entries[HOST_ALGORITHMS_MAXIMUM];
};

struct r1_pool {
	const struct random_source *random;
	uint64_t counter;
	size_t current;
	struct r1_generation generations[R1_POOL_GENERATIONS];
};

/** `first_counter` >= 1 grows from start to start of the program. */
void r1_pool_start(struct r1_pool *pool, const struct random_source *random, uint64_t first_counter, instant now);
void r1_pool_free(struct r1_pool *pool);
/** The generation to offer now; begins a new one when the old has had its time. */
struct r1_generation *r1_pool_offered(struct r1_pool *pool, instant now);
/** The generation of an R1_COUNTER, or NULL when it is not accepted (any more). */
struct r1_generation *r1_pool_find(struct r1_pool *pool, uint64_t counter, instant now);
/** Whether this #I has been used in an accepted I2 of the generation. */
bool r1_generation_is_solved(const struct r1_generation *generation, struct span i);
/** Notes that it has. HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error r1_generation_note_solved(struct r1_generation *generation, struct span i);

#endif
