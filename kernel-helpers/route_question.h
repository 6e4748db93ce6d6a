/* SPDX-License-Identifier: MIT */
/**
 * Asks the kernel which way a packet would take (RTM_GETROUTE). Sends nothing to the network, changes nothing, and
 * needs no privilege once the descriptor is open.
 */
#ifndef HIPHOP_KERNEL_HELPERS_ROUTE_QUESTION_H
#define HIPHOP_KERNEL_HELPERS_ROUTE_QUESTION_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct route_question {
	struct address local;  /**< source; unspecified = the kernel chooses */
	struct address remote; /**< of the same family, unless `local` is unspecified */
	uint32_t interface;    /**< to leave by; 0 = the kernel chooses */
	bool about_entry;      /**< only `dealt_out` and `is_special` are wanted */
};

struct route_answer {
	uint32_t interface;    /**< which it would leave by; with IPv6 not always the one asked for */
	bool to_others;        /**< an address of another host, not of this one, nor a group */
	struct address source; /**< of IPv6, when the kernel was to choose; else unspecified */
	bool is_special;       /**< `about_entry`: the entry is no default route */
	bool dealt_out;        /**< the entry has several next hops, among which a hash of each flow decides */
};

struct route_asker {
	int descriptor; /**< -1 when not open */
	uint32_t asked; /**< number of the last question */
};

/** HIPHOP_SYSTEM. */
hiphop_error route_asker_open(struct route_asker *asker);
void route_asker_close(struct route_asker *asker);
/** Answered at once. False when there is no route: "it may be on the link" is none. */
bool route_ask(struct route_asker *asker, const struct route_question *question, struct route_answer *answer);

#endif
