/* SPDX-License-Identifier: MIT */
/**
 * What happens to the links of alice and bob in a while, drawn from a seed: plain data that can be run, shortened and
 * printed.
 */
#ifndef HIPHOP_TESTS_SIM_MOVE_SCHEDULE_H
#define HIPHOP_TESTS_SIM_MOVE_SCHEDULE_H

#include "tests/sim/moves.h"

#include <stdio.h>

/** Steps of one schedule at most. */
#define SCHEDULE_STEPS 48

/** What happens; names and doings are in move_schedule.c. */
enum step_kind {
	STEP_DOWN,    /**< a link goes */
	STEP_UP,      /**< it comes back */
	STEP_ADDRESS, /**< it has another address; flag: of IPv4 */
	STEP_ADD,     /**< one more link; flag: of IPv4; value: its preference */
	STEP_REMOVE,
	STEP_SILENCE, /**< value: 1 in, 2 out, 3 both */
	STEP_HEAL,
	STEP_NAT,    /**< the link moves behind the host's NAT, or away from there */
	STEP_REBIND, /**< the host's NAT forgets its mappings */
	STEP_SUSPEND,
	STEP_RESUME,
	STEP_LOSS,   /**< on all ways; value per mille */
	STEP_JITTER, /**< likewise; value in ms */
	STEP_CLAIM,  /**< the host says to have an address of nobody; value: its preference */
	STEP_UNCLAIM,
	STEP_PAUSE, /**< its stream stops */
	STEP_TALK,  /**< and goes on */
	STEP_KINDS
};

struct step {
	duration at; /**< after the beginning */
	uint8_t kind;
	uint8_t host;
	uint8_t link; /**< of those that the host has then, counted from 0, modulo their number */
	bool flag;
	uint16_t value;
};

struct move_schedule {
	uint64_t seed;
	duration round_trip;
	nat_filter filter;
	size_t count;
	struct step steps[SCHEDULE_STEPS]; /**< by time */
	bool ipv4;                         /**< family of the links that work in the end */
	uint16_t kept;                     /**< bits: which of the other links are healed too */
};

enum move_trouble { MOVE_WELL = 0, MOVE_LOST, MOVE_LOST_AGAIN, MOVE_JUDGED, MOVE_GREW };

/** What came of it. */
struct move_outcome {
	enum move_trouble trouble; /**< the first that there was */
	char what[320];            /**< in words; "" = nothing */
	duration took;             /**< from the end until both streams flowed */
	bool same;                 /**< the association is the one from the beginning */
	uint32_t handovers;
};

void move_schedule_draw(struct move_schedule *schedule, uint64_t seed);
/** Runs it from a new beginning. */
void move_schedule_run(const struct move_schedule *schedule, struct move_outcome *outcome);
/** Runs it on what is there, which ends with alice and bob each having one link that works. For one run after another.
 */
void move_schedule_continue(const struct move_schedule *schedule, struct moves *moves, struct move_outcome *outcome);
/** Leaves out what is not needed for it to go wrong in the same manner. `outcome` is then that of the short one. */
void move_schedule_shorten(struct move_schedule *schedule, struct move_outcome *outcome);
void move_schedule_print(const struct move_schedule *schedule, FILE *file);

#endif
