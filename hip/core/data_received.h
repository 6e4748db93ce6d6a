/* SPDX-License-Identifier: MIT */
/**
 * What a host remembers of the DATA messages it has taken, so that a repetition is not delivered twice and its answer
 * finds the way back: by sender, SEQ_DATA and MIC (RFC 6078 section 5.3.1), and by sender and TRANSACTION_ID. Bounded;
 * the oldest makes room, but one sender cannot push out everybody else.
 */
#ifndef HIPHOP_HIP_CORE_DATA_RECEIVED_H
#define HIPHOP_HIP_CORE_DATA_RECEIVED_H

#include "hip/base/deadline_heap.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/map.h"
#include "hip/base/time.h"
#include "hip/core/data_packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sender, SEQ_DATA and as much of the MIC as a key of a map holds. */
#define DATA_RECEIVED_KEY_LENGTH MAP_KEY_MAXIMUM

struct data_received {
	struct deadline timer; /**< the acknowledgement, then the end of remembering */
	struct hit sender;
	struct hit neighbour; /**< who delivered the latest copy */
	uint32_t sequence;
	uint64_t transaction;
	bool answer;              /**< it carried an ACK_DATA */
	bool acknowledge_pending; /**< waits for an answer to ride on */
	bool answered;
	uint32_t answer_sequence; /**< SEQ_DATA of our answer */
	instant forget_at;
	uint16_t route_flags; /**< the way back of the latest copy, in little memory */
	uint8_t route_count;
	struct hit *route_hits;
	uint8_t key[DATA_RECEIVED_KEY_LENGTH];
};

struct data_received_table {
	struct map by_message;     /* struct data_received, oldest first */
	struct map by_transaction; /* requests only */
	size_t maximum;
};

void data_received_start(struct data_received_table *table, size_t maximum, const struct random_source *random);
/** Frees all entries; their timers must not be used any more. */
void data_received_free(struct data_received_table *table);

/** The entry of a message seen before, or NULL. */
struct data_received *data_received_find(const struct data_received_table *table, const struct data_packet *fields);
/** The remembered request of `sender` under `transaction`, or NULL. */
struct data_received *data_received_find_request(
	const struct data_received_table *table, const struct hit *sender, uint64_t transaction);
/** Adds an entry for a new message; its timer is not set. The table must not be full. HIPHOP_NO_MEMORY. */
hiphop_error data_received_add(struct data_received_table *table, const struct data_packet *fields,
	const struct hit *neighbour, struct data_received **entry);
/** The entry that should make room for one of `sender` when the table is full, or NULL while it is not: the oldest of
 *  `sender` when it has a quarter of the table, else the oldest of all. */
struct data_received *data_received_to_replace(const struct data_received_table *table, const struct hit *sender);
/** Takes it out and frees it; cancel its timer before. */
void data_received_remove(struct data_received_table *table, struct data_received *entry);

/** Notes the way back and the neighbour of a later copy. Without memory the former way stays: HIPHOP_NO_MEMORY. */
hiphop_error data_received_set_route(
	struct data_received *entry, const struct data_route *route, const struct hit *neighbour);
/** The way back, unpacked. */
void data_received_route(const struct data_received *entry, struct data_route *route);

#endif
