/* SPDX-License-Identifier: MIT */
/**
 * Prefixes behind hosts, in the node: what this host announces, what it has accepted from whom, the kernel's routes to
 * that, and the packets. What may be carried is daemon/prefix_tunnel.h, what is stored in the overlay
 * daemon/prefix_record.h. Inside the node only; node->prefixes is NULL where nothing is configured.
 */
#ifndef HIPHOP_DAEMON_NODE_PREFIXES_H
#define HIPHOP_DAEMON_NODE_PREFIXES_H

#include "daemon/node.h"
#include "daemon/prefix_record.h"
#include "daemon/prefix_tunnel.h"
#include "hip/base/deadline_heap.h"

#include <jansson.h>

/** What became of a prefix that an owner announces. */
typedef enum {
	PREFIX_CLAIM_ACCEPTED,
	PREFIX_CLAIM_REFUSED, /**< no entry of prefixes.accept is for it */
	PREFIX_CLAIM_TAKEN,   /**< another owner has it */
	PREFIX_CLAIM_LIMITED  /**< there are too many */
} prefix_claim;

/** A host that an entry of prefixes.accept names. */
struct prefix_owner {
	struct node *node;
	struct hit hit;
	struct prefix_record record;           /**< what it announces; nothing: no record */
	uint8_t claims[PREFIX_RECORD_MAXIMUM]; /**< prefix_claim of each */
	instant expires;                       /**< of the record; INSTANT_NEVER without */
	instant fetched;                       /**< when its record was last asked for; 0 = never */
	instant next_fetch;
	bool pending;      /**< it is being fetched */
	unsigned misses;   /**< in a row: no record came */
	unsigned absences; /**< in a row: the overlay said that there is none */
	struct deadline deadline;
};

/** A route that the kernel was asked for. */
struct prefix_route {
	struct ip_prefix prefix;
	hiphop_error error; /**< HIPHOP_OK: it is there */
};

struct node_prefixes {
	struct prefix_tunnel tunnel;
	struct prefix_owner *owners;
	size_t owner_count;
	struct prefix_route routes[PREFIX_TABLE_MAXIMUM];
	size_t route_count;
	bool asking;                  /**< a NODE_ROUTE_ effect has not been answered */
	struct node_effect asked_for; /**< which */
};

/** What is announced, also where nothing is configured any more: then that is announced once. */
struct prefix_announcement {
	bool before; /**< something was announced before this start */
	bool stored; /**< the overlay has what is announced now */
	struct deadline deadline;
};

/* node_prefixes.c */
/** HIPHOP_NO_MEMORY. */
hiphop_error node_prefixes_create(struct node *node);
void node_prefixes_free(struct node *node);
/** How many timers may be set at once. */
size_t node_prefixes_timers(const struct node *node);
void node_prefixes_start(struct node *node, instant now);
void node_prefixes_timer(struct node *node, instant now, struct deadline *deadline);
/** The addresses of this host. */
void node_prefixes_addresses(struct node *node, const struct link_address *links, size_t count);
/** Looks at a packet from the tunnel device: true when it is to be carried by `way`. Otherwise it goes on as it is, or
 * is dropped and, where that is of use, answered with an ICMP error. */
bool node_prefixes_take(struct node *node, struct packet *packet, struct prefix_way *way);
/** Looks at an inner packet from a peer, and takes one that is carried out of what it is carried in. False: it is not
 * for us. */
bool node_prefixes_unwrap(struct node *node, struct packet *packet);
/** What a sender knows of a packet that may have been wrapped. */
const uint8_t *node_prefixes_unwrapped(const struct node *node, const uint8_t *octets, size_t *length);

/* node_prefix_records.c */
void node_prefixes_restore(struct node *node, const struct node_record *record);
/** Stores what is announced, or that it is nothing any more. */
void node_prefixes_announce(struct node *node, instant now);
/** Tells the overlay that this host announces nothing while it is away. */
void node_prefixes_withdraw(struct node *node, instant now);
/** Asks for the owner's record when it is time, and forgets one that is too old. */
void node_prefixes_look(struct prefix_owner *owner, instant now);
/** An association with `peer` stands or has ended: its record may be new, or gone. */
void node_prefixes_association(struct node *node, instant now, const struct hit *peer);

/* node_prefix_routes.c */
/** Asks the kernel for the next change of a route, one at a time. */
void node_prefixes_route(struct node *node);
/** What failed is tried again. */
void node_prefixes_forget_failures(struct node *node);
/** "installed", "failed" or "pending". Static. */
const char *node_prefixes_route_state(const struct node_prefixes *prefixes, const struct ip_prefix *prefix);

/* node_prefix_status.c */
/** {announced, accepted, refused, awaited} */
json_t *node_prefixes_json(const struct node *node, instant now);
void node_prefixes_trouble(const struct node *node, json_t *trouble);
/** Of the packets; 0 where nothing is configured. */
uint64_t node_prefixes_counter(const struct node *node, prefix_counter counter);
/** Tells monitors of a prefix: `what` is "accepted", "refused" or "withdrawn"; `reason` may be NULL. */
void node_prefixes_tell(struct node *node, instant now, const char *what, const struct ip_prefix *prefix,
	const struct hit *owner, const char *reason);
/** Why a claim was not accepted, in a few words; NULL for one that was. */
const char *node_prefixes_claim_reason(prefix_claim claim);

#endif
