/* SPDX-License-Identifier: MIT */
/**
 * Who signed a packet that carries its own HOST_ID: the check of HOST_ID against the Sender HIT, and a bounded cache of
 * parsed identities whose signature has been verified once, the oldest out.
 */
#ifndef HIPHOP_HIP_CORE_KNOWN_SENDERS_H
#define HIPHOP_HIP_CORE_KNOWN_SENDERS_H

#include "hip/base/error.h"
#include "hip/base/map.h"
#include "hip/base/random.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/packet.h"

#include <stddef.h>

struct known_senders {
	struct map by_hit; /* struct host_identity, in the order in which they were met */
	size_t maximum;
};

void known_senders_start(struct known_senders *senders, size_t maximum, const struct random_source *random);
void known_senders_free(struct known_senders *senders);

/** The identity of a sender, until it is known whether its signature fits. */
struct claimed_sender {
	struct host_identity *identity;
	bool fresh; /**< made for this packet, not in the cache */
};

/**
 * Finds the identity behind the Sender HIT: in the cache, else from HOST_ID, whose HIT must be the sender's. A packet
 * without HOST_ID is fine for a sender in the cache (RFC 6078 section 4). Afterwards call known_senders_remember or
 * known_senders_dismiss. HIPHOP_BAD_IDENTITY (no HOST_ID, not of this HIT, not a key), HIPHOP_NO_MEMORY.
 */
hiphop_error known_senders_claim(
	struct known_senders *senders, const struct packet_view *packet, struct claimed_sender *claimed);
/** The signature was right: keeps a fresh identity. It stays valid until the next call of remember; without memory
 *  it is lost, HIPHOP_NO_MEMORY. */
hiphop_error known_senders_remember(struct known_senders *senders, struct claimed_sender *claimed);
/** The packet was wrong: frees a fresh identity. */
void known_senders_dismiss(struct claimed_sender *claimed);

#endif
