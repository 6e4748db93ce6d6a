/* SPDX-License-Identifier: MIT */
/**
 * How hard own puzzles are (RFC 7401 sections 4.1.1 and 4.1.2): #K rises with the load of the Responder and falls again
 * when it has been calm for a while.
 *
 * There are PUZZLE_LEVELS levels between the configured #K and a maximum, so that an R1 can be signed ahead for each.
 * Load is looked at once a second, as the greatest of three pressures, each in per cent: I1s against the R1s that may
 * be sent, I2s against those that may be computed, and how full the table of associations is. At 100 the level rises by
 * one, but for I1s, which anybody can forge and which cost little, not to the highest; it falls by one when the
 * pressure has stayed below 50 for ten seconds. In between it stays.
 */
#ifndef HIPHOP_HIP_CORE_PUZZLE_DIFFICULTY_H
#define HIPHOP_HIP_CORE_PUZZLE_DIFFICULTY_H

#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUZZLE_LEVELS      4
#define PUZZLE_LOAD_WINDOW SECONDS(1)
/** Windows that must be calm before the level falls. */
#define PUZZLE_CALM_WINDOWS 10
/** Per cent of the association table: from here on it presses. */
#define PUZZLE_FILL_PRESSES 75
#define PUZZLE_FILL_RAISES  90

struct puzzle_difficulty {
	uint8_t base, maximum;       /**< #K at the lowest and highest level */
	uint32_t i1_limit, i2_limit; /**< a second; more is a pressure of 100 */
	unsigned level;              /**< 0 to PUZZLE_LEVELS - 1 */
	unsigned calm;               /**< windows of calm so far */
	uint64_t i1, i2;             /**< in the window that is open */
	instant window_began;
	bool window_is_open;
	uint32_t i1_rate, i2_rate; /**< a second, in the last window */
	unsigned fill;             /**< per cent, at its end */
};

/** `maximum` >= `base`; both limits >= 1. */
struct puzzle_difficulty puzzle_difficulty_start(uint8_t base, uint8_t maximum, uint32_t i1_limit, uint32_t i2_limit);
/** #K of a level. */
uint8_t puzzle_difficulty_of(const struct puzzle_difficulty *difficulty, unsigned level);
/** An I1 (an I2) has come, whatever becomes of it. */
void puzzle_difficulty_note_i1(struct puzzle_difficulty *difficulty, instant now);
void puzzle_difficulty_note_i2(struct puzzle_difficulty *difficulty, instant now);
/** Ends the window when it is time. `fill`: how full the table of associations is, in per cent. True when the level has
 *  changed. Early calls do nothing. */
bool puzzle_difficulty_tick(struct puzzle_difficulty *difficulty, instant now, unsigned fill);
/** When to call that; INSTANT_NEVER while nothing comes and the level is the lowest. */
instant puzzle_difficulty_next_wake(const struct puzzle_difficulty *difficulty);

#endif
