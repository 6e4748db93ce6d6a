/* SPDX-License-Identifier: MIT */
/**
 * Access control in the node: whose HIT a name in a rule stands for, who is a member of the overlay, who may associate;
 * the rules over a restart and a change of the configuration; what is told of refusals. The rules themselves and the
 * filter of hip0 are daemon/access.h. Inside the node only.
 */
#ifndef HIPHOP_DAEMON_NODE_ACCESS_H
#define HIPHOP_DAEMON_NODE_ACCESS_H

#include "daemon/access.h"
#include "daemon/node.h"
#include "hip/base/map.h"
#include "hip/base/token_bucket.h"
#include "hip/core/host.h"

#include <jansson.h>

/** Hosts remembered as members of the overlay at most, besides those that the overlay engine itself knows. */
#define NODE_MET_MAXIMUM 1024

/** A host of underlay.hosts or overlay.bootstrap, as far as access is concerned. */
struct listed_host {
	struct hit hit;
	bool bootstrap;
	char name[ACCESS_NAME_SIZE]; /**< "" = none */
};

/** Why associations were refused, and the names in `status`. */
#define ASSOCIATE_COUNTERS(X)                                                                                          \
	X(BY_RULE, "associate_refused_by_rule")                                                                        \
	X(UNLISTED, "associate_refused_unlisted")                                                                      \
	X(NAME, "associate_refused_name")                                                                              \
	X(UNCERTIFIED, "associate_refused_uncertified")

typedef enum {
#define ASSOCIATE_COUNTER_MEMBER(name, text) ASSOCIATE_##name,
	ASSOCIATE_COUNTERS(ASSOCIATE_COUNTER_MEMBER)
#undef ASSOCIATE_COUNTER_MEMBER
		ASSOCIATE_COUNTER_COUNT
} associate_counter;

struct node_policy {
	bool associate_listed; /**< access.associate of the configuration read last */
	struct listed_host *listed;
	size_t listed_count;
	struct map met; /**< members that the overlay led to us or us to, longest known first */
	struct token_bucket events;
	uint64_t events_suppressed; /**< since the last one that was told */
	uint64_t counters[ASSOCIATE_COUNTER_COUNT];
};

hiphop_error node_access_create(struct node *node, instant now);
void node_access_free(struct node *node);
void node_access_restore(struct node *node, const struct node_record *record);

/** The answer to the host's question; `context` is the node. Refusals are counted and told. */
host_permission node_may_associate(void *context, instant now, const struct hit *peer, const struct host_claim *claim);
/** Whether this host may associate with `peer` as things stand; nothing is counted. Otherwise (HOST_DENIED) `rule` is
 * the place of the rule against it, or the number of rules when it is not listed. */
host_permission node_would_associate(
	struct node *node, const struct hit *peer, const struct host_claim *claim, size_t *rule);
/** An association stands whose base exchange took so many hops in the overlay. */
void node_access_associated(struct node *node, const struct hit *peer, unsigned overlay_hops);
/** Takes the access part of a configuration, and names and HITs of its hosts; all is copied. HIPHOP_NO_MEMORY: then
 *  nothing has changed. */
hiphop_error node_access_configure(struct node *node, const struct configuration *configuration);
/** The HIT that a name stands for: of a host in the configuration, or pinned. The null HIT when it is nobody's. */
struct hit node_access_hit_of(struct node *node, const char *name);
/** The names are looked up again, and associations that are not allowed any more are closed. Returns the list of the
 *  HITs closed (owned by the caller; NULL without memory). */
json_t *node_access_apply(struct node *node, instant now);
/** A name was pinned on first use: rules about it take effect. */
void node_access_name_known(struct node *node, instant now, const char *name);
/** Writes the rules that were given by command to the state. */
void node_access_persist(struct node *node);

/** Tells monitors of a packet that was refused. */
void node_tell_refusal(struct node *node, instant now, const struct access_refusal *refusal);
/** Tells monitors and the log that `claimed` says it has a name that is pinned to another. */
void node_tell_name_refused(
	struct node *node, instant now, const char *name, const struct hit *claimed, const struct hit *pinned);

const char *associate_counter_name(associate_counter counter);
/** Adds a sentence for each rule that does nothing, since its name stands for nobody. */
void node_access_trouble(const struct node *node, json_t *trouble);

#endif
