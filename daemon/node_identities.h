/* SPDX-License-Identifier: MIT */
/**
 * The identities of a node (RFC 7401 section 7: a host has more than one). Each has a HIP host, a data plane and a
 * queue of its own, so that nothing but the underlay is shared: its own R1s, associations and keys. Packets find theirs
 * by Receiver HIT, by SPI, or by the source address of an inner packet.
 *
 * The first identity is the member of the overlay and the one of SIP. The others reach peers by known locators; one
 * that has a key file may have the first find a peer in the overlay for it. An anonymous one never does: an association
 * of the first with the same peer at the same time would tell who is behind it.
 */
#ifndef HIPHOP_DAEMON_NODE_IDENTITIES_H
#define HIPHOP_DAEMON_NODE_IDENTITIES_H

#include "daemon/configuration.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/packet_vector.h"
#include "hip/base/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct node_environment;
struct host;
struct host_effect;
struct esp;
struct miss_queue;

/** Identities of a node at most. */
#define NODE_LOCALS_MAXIMUM (1 + CONFIGURATION_MORE)

struct local_identity {
	struct node *node;
	const struct host_identity *identity;
	const struct configured_identity *entry; /**< of identity.more; NULL for the first */
	struct hit hit;
	struct host *host;
	struct esp *esp;
	struct miss_queue *misses;
};

/** Makes the data planes and queues of all identities; their hosts are made later. HIPHOP_NO_MEMORY. */
hiphop_error node_locals_create(struct node *node, const struct node_environment *environment);
void node_locals_free(struct node *node);

bool local_is_first(const struct local_identity *local);
bool local_is_anonymous(const struct local_identity *local);
/** What the identity calls itself. */
const struct domain_identifier *local_name(const struct local_identity *local);

/** The identity with this HIT, or NULL. */
struct local_identity *node_local_by_hit(struct node *node, const struct hit *hit);
/** The identity that an inner IPv6 packet comes from; the first when it is from none, which then refuses it. */
struct local_identity *node_local_of_source(struct node *node, struct packet *packet);
/** The identity that an ESP packet is for, by its SPI; the first when nobody has it. */
struct local_identity *node_local_of_esp(struct node *node, struct packet *packet);
/**
 * The identity that a HIP packet is for. An I1 without Receiver HIT is for the first that is not anonymous and has the
 * HIT Suite of the Initiator (RFC 7401 section 4.1.8), or RSA where none has it (section 6.7 step 5); a NOTIFY without
 * it for one that knows the sender. Whatever fits nobody is for the first, which drops it or, inside the overlay,
 * forwards it.
 */
struct local_identity *node_local_of_hip(struct node *node, const uint8_t *packet, size_t length);
/** Whether an identity other than `local` receives ESP with this SPI. */
bool node_spi_is_taken(const struct local_identity *local, uint32_t spi);

/** Has or makes an association of `local` with `peer`: see above. Errors as host_connect. */
hiphop_error node_local_connect(struct local_identity *local, instant now, const struct hit *peer);
/** The first identity's association with `peer` has become usable, or has ended: for those that waited for it. */
void node_locals_follow(struct node *node, instant now, const struct hit *peer, bool usable);

/** {hit, algorithm, name, anonymous} */
json_t *node_local_json(const struct local_identity *local);
/** All of them, the first one first. */
json_t *node_locals_json(const struct node *node);

#endif
