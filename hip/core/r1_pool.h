/* SPDX-License-Identifier: MIT */
/**
 * R1s signed ahead of time, so that an I1 costs no public-key operation and no state (RFC 7401 section 6.7.1).
 *
 * A generation has a Diffie-Hellman key pair for each group that is asked for, and with it one signed R1 for each level
 * of puzzle difficulty, since #K is under the signature. The counter of a generation is its R1_COUNTER. A generation is
 * offered for a time that begins with its first R1 and ends early when an I2 has used it, and is kept for a while for
 * I2s on their way. The next one is made ready (r1_preparation.c, in ticks) before it takes over. So a flood of I1
 * costs at most a few signatures in a quarter of a minute, and a host that nobody asks makes none.
 */
#ifndef HIPHOP_HIP_CORE_R1_POOL_H
#define HIPHOP_HIP_CORE_R1_POOL_H

#include "hip/base/map.h"
#include "hip/base/time.h"
#include "hip/core/host.h"
#include "hip/core/puzzle_difficulty.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/wire/constants.h"

/** Generations kept, the current one included: so many that none has to go before its R1_POOL_ACCEPTED are over. */
#define R1_POOL_GENERATIONS 10
/** A generation is offered this long at most. */
#define R1_POOL_OFFERED SECONDS(120)
/** A generation that an I2 has used is replaced after this long (so that a burst of I2s shares one). */
#define R1_POOL_OFFERED_USED SECONDS(15)
/** A generation is accepted this long after it was last offered: Delta S, not less than the puzzle's lifetime. */
#define R1_POOL_ACCEPTED SECONDS(130)
/** Solved puzzles remembered in one generation; more come from an attacker, and are refused. */
#define R1_POOL_SOLVED_MAXIMUM 16384

/** One group of a generation. */
struct r1_entry {
	struct diffie_hellman *key;
	bool offered;         /**< an I1 was answered with it */
	uint8_t certificates; /**< own certificates in its R1s */
	/** Signed, by level of difficulty; Receiver's HIT, Opaque and #I still zero. No data: not made yet. */
	struct buffer r1[PUZZLE_LEVELS];
};

struct r1_generation {
	uint64_t counter;                                  /**< R1_COUNTER; 0: empty */
	instant offered;                                   /**< since when; 0: not yet */
	instant retired;                                   /**< 0: not yet */
	bool used;                                         /**< by an I2 */
	struct map solved;                                 /**< #I (its first octets) of I2s that were accepted */
	struct r1_entry *entries[HOST_ALGORITHMS_MAXIMUM]; /**< in the order of the configured groups */
};

struct r1_pool {
	const struct random_source *random;
	uint64_t counter;
	size_t current;
	struct r1_generation generations[R1_POOL_GENERATIONS];
};

/** `first_counter` >= 1 grows from start to start of the program. */
void r1_pool_start(struct r1_pool *pool, const struct random_source *random, uint64_t first_counter);
void r1_pool_free(struct r1_pool *pool);
/** The generation of now. */
struct r1_generation *r1_pool_current(struct r1_pool *pool);
/** An R1 of the present generation goes out: its time begins, if it has not. */
void r1_pool_note_offer(struct r1_pool *pool, instant now);
/** When the present generation has had its time; INSTANT_NEVER before its first R1. */
instant r1_pool_due(const struct r1_pool *pool);
/** The generation after the present one, to be made ready. The oldest one makes room for it. */
struct r1_generation *r1_pool_next(struct r1_pool *pool);
/** The next generation, which is ready, becomes the present one. */
void r1_pool_turn(struct r1_pool *pool, instant now);
/** The generation of an R1_COUNTER, or NULL when it was not offered or is not accepted any more. */
struct r1_generation *r1_pool_find(struct r1_pool *pool, uint64_t counter, instant now);
/** The R1 of an entry for a level of difficulty, else the nearest there is, an easier one first. `*level` becomes the
 *  one found. NULL when none is made yet. */
const struct buffer *r1_entry_find(const struct r1_entry *entry, unsigned *level);
/** Whether this #I has been used in an accepted I2 of the generation. */
bool r1_generation_is_solved(const struct r1_generation *generation, struct span i);
/** Notes that it has. HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error r1_generation_note_solved(struct r1_generation *generation, struct span i);

#endif
