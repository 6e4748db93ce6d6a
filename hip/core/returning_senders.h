/* SPDX-License-Identifier: MIT */
/**
 * Who is refused now and asks again a little later, as a real Initiator does (RFC 7401 section 6.6) and a flood from
 * forged addresses does not: in a flood, those are served first.
 *
 * What is kept of a refusal is a fingerprint of four octets in a table of fixed size, the oldest of four out, and only
 * while a rate limit refuses anybody. The table has room for what a flood of 200,000 a second leaves in two seconds.
 */
#ifndef HIPHOP_HIP_CORE_RETURNING_SENDERS_H
#define HIPHOP_HIP_CORE_RETURNING_SENDERS_H

#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Octets of the table, once there is one. */
#define RETURNING_SENDERS_OCTETS ((size_t)2 << 20)
/** One that comes again sooner is a repetition of the same. */
#define RETURNING_NOT_BEFORE MILLISECONDS(500)
/** One that comes later is as new. */
#define RETURNING_NOT_AFTER SECONDS(16)

struct returning_senders {
	uint8_t hash_key[16];
	uint32_t *marks; /**< in sets of four; NULL before the first refusal */
};

void returning_senders_start(struct returning_senders *senders, const struct random_source *random);
void returning_senders_free(struct returning_senders *senders);
/** For a sender that is about to be refused: true when it was refused before, not too long ago and not just now; then
 *  that is forgotten. Otherwise it is noted. Without memory for the table nobody returns. */
bool returning_senders_note(struct returning_senders *senders, const void *key, size_t length, instant now);

#endif
