/* SPDX-License-Identifier: MIT */
/**
 * A ticket lets a mobile router speak for a host on board towards one of its peers (after draft-melen-hip-mr). Here is
 * what the peer keeps of it, and the protection that it gives to UPDATE-PROXY packets.
 */
#ifndef HIPHOP_HIP_CORE_TICKET_H
#define HIPHOP_HIP_CORE_TICKET_H

#include "hip/base/error.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

#include <stdbool.h>
#include <stdint.h>

/** A ticket lives so long at most without being given anew, in seconds. */
#define TICKET_LIFETIME_MAXIMUM 3600

/** Makes a fresh ticket of the longest lifetime. */
void ticket_make(const struct random_source *random, struct ticket_grant *grant);

/** What the peer of a host on board keeps. Zeroed is none. */
struct held_ticket {
	bool valid;
	uint8_t id[TICKET_ID_LENGTH];
	uint8_t key[TICKET_KEY_LENGTH];
	instant expires;
	bool was_used;
	uint32_t sequence; /**< the greatest SEQ that came with it */
};

/** Takes a ticket that the host on board itself gave, signed: a new one, more time for an old one, or (lifetime 0) the
 * end of it. Time beyond TICKET_LIFETIME_MAXIMUM is cut. */
void ticket_take(struct held_ticket *held, instant now, const struct ticket_grant *grant);
/** Wipes it. */
void ticket_forget(struct held_ticket *held);
/** Whether it is this ticket, and its time is not over. */
bool ticket_is(const struct held_ticket *held, instant now, const uint8_t id[static TICKET_ID_LENGTH]);

typedef enum {
	TICKET_SEQUENCE_NEW,
	TICKET_SEQUENCE_AGAIN, /**< the one that came last */
	TICKET_SEQUENCE_OLD    /**< from before that: a replay, or one that was overtaken */
} ticket_sequence;
/** Judges the SEQ of a packet whose MAC was right; nothing is noted. */
ticket_sequence ticket_judge(const struct held_ticket *held, uint32_t sequence);
/** Notes a new one. */
void ticket_note(struct held_ticket *held, uint32_t sequence);

/** Adds TICKET_ID and HIP_MAC (HMAC-SHA-256 under the key) to an UPDATE-PROXY that has everything else, and ends it.
 *  Errors of the builder, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error ticket_protect(struct packet_builder *builder, const uint8_t id[static TICKET_ID_LENGTH],
	const uint8_t key[static TICKET_KEY_LENGTH], size_t *length);
/** HIPHOP_BAD_MAC; else as hmac_verify. In constant time. */
hiphop_error ticket_verify(const struct packet_view *view, const uint8_t key[static TICKET_KEY_LENGTH]);

#endif
