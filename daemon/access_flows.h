/* SPDX-License-Identifier: MIT */
/**
 * The flows that access control has let pass: a bounded table, so that a packet of a known flow costs one look-up and
 * no walk through the rules. A full table gives up the flow least recently used; a peer that has its full share, one of
 * its own, so that nobody pushes out the flows of others.
 */
#ifndef HIPHOP_DAEMON_ACCESS_FLOWS_H
#define HIPHOP_DAEMON_ACCESS_FLOWS_H

#include "hip/base/identifier.h"
#include "hip/base/map.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Flows remembered at most, in all and of one peer. */
#define ACCESS_FLOW_MAXIMUM      16384
#define ACCESS_PEER_FLOW_MAXIMUM 4096

/** What a flow looks like from this host. No padding: it is a key of octets. */
struct access_flow_key {
	struct hit peer;
	struct hit local; /**< which of this host's identities it is with */
	uint8_t protocol;
	uint8_t echo; /**< ICMPv6 echo: 1 when this host asks, 2 when the peer does; else 0 */
	uint16_t local_port;
	uint16_t remote_port;
};

/** Places of the lists that a flow is in. */
enum access_flow_list { ACCESS_FLOWS_OF_ALL, ACCESS_FLOWS_OF_PEER, ACCESS_FLOW_LISTS };

struct access_flow {
	struct access_flow_key key;
	bool ours;        /**< this host began it */
	bool calls;       /**< it is let in as media of a call, and only as long as that lasts */
	uint32_t checked; /**< the generation of the rules that it was last held against */
	instant expires;
	struct access_flow_peer *peer;
	struct access_flow *newer[ACCESS_FLOW_LISTS], *older[ACCESS_FLOW_LISTS];
};

struct access_flow_ends {
	struct access_flow *newest, *oldest;
};

struct access_flows {
	struct map by_key;
	struct map peers;
	struct access_flow_ends ends;
	const struct random_source *random;
};

/** `random` is borrowed. */
void access_flows_start(struct access_flows *flows, const struct random_source *random);
void access_flows_free(struct access_flows *flows);
/** The flow, unless it has been silent for too long: then it is forgotten. NULL without one. */
struct access_flow *access_flows_find(struct access_flows *flows, instant now, const struct access_flow_key *key);
/** Adds a flow that is not there yet; NULL without memory. */
struct access_flow *access_flows_add(struct access_flows *flows, instant now, const struct access_flow_key *key);
/** A packet of the flow passed. */
void access_flows_touch(struct access_flows *flows, instant now, struct access_flow *flow);
void access_flows_forget(struct access_flows *flows, struct access_flow *flow);
void access_flows_forget_peer(struct access_flows *flows, const struct hit *peer);

#endif
