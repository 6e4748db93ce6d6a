/* SPDX-License-Identifier: MIT */
/**
 * What the files of the node share. A packet's way: node_packets.c (underlay and tunnel) → host, esp; node_overlay.c
 * joins host and overlay; node_sip.c joins sip and the names; node_names.c looks names up and keeps pins;
 * node_access.c says who may associate; node_bootstrap.c keeps trying the bootstrap list; node_members.c remembers
 * members over a restart; node_prefixes.c has what lies behind this host and others; node_commands.c answers the
 * control socket; node.c has the life of it all and the pump.
 */
#ifndef HIPHOP_DAEMON_NODE_INTERNAL_H
#define HIPHOP_DAEMON_NODE_INTERNAL_H

#include "daemon/configuration.h"
#include "daemon/miss_queue.h"
#include "daemon/node.h"
#include "daemon/node_access.h"
#include "daemon/node_effects.h"
#include "daemon/node_identities.h"
#include "daemon/node_prefixes.h"
#include "hip/base/deadline_heap.h"
#include "hip/base/map.h"
#include "hip/core/host.h"
#include "hip/crypto/host_identity.h"
#include "hip/esp/esp.h"
#include "overlay/overlay.h"
#include "sipglue/sip.h"

/** Timers of the node itself; `kind` of their deadlines. */
enum node_timer {
	NODE_TIMER_BOOTSTRAP = 1,
	NODE_TIMER_PING_SEND,
	NODE_TIMER_PING_GIVE_UP,
	NODE_TIMER_PREFIX_OWNER,
	NODE_TIMER_PREFIX_ANNOUNCE
};

/** An entry of the bootstrap list and how it goes. */
struct node_bootstrap {
	const struct configured_bootstrap *entry;
	struct node *node;
	struct hit hit;           /**< configured or learnt; null = not known */
	bool learnt;              /**< the HIT was learnt, not configured */
	bool usable;              /**< an association with it stands */
	bool pending;             /**< a base exchange with it runs */
	unsigned failures;        /**< in a row */
	struct deadline deadline; /**< next try */
};

/** The first hop that the overlay wants for an own packet to `destination`. */
struct first_hop_wish {
	struct hit destination;
	struct hit via;
	instant expires;
};
#define FIRST_HOP_WISHES 32

/** Parsed Host Identities of the owners of stored values, so that a signature costs one verification. */
struct known_identity {
	struct hit hit;
	struct host_identity *identity;
	uint64_t used;
};
#define KNOWN_IDENTITIES 64

/** A member of the overlay and where it was reached last. */
struct known_member {
	struct hit hit;
	struct endpoint endpoint;
	bool restored; /**< known from before a restart, and not associated with since */
};
#define NODE_MEMBERS_MAXIMUM 16

/** A name pinned to the HIT that it was first seen with. */
struct node_pin {
	struct hit hit;
	char aor[CONFIGURATION_TEXT];
};
#define NODE_PINS_MAXIMUM 65536

/** A value of ours from before a restart, stored again once the node starts. */
struct restored_value {
	struct restored_value *next;
	struct buffer value;
	char key[];
};

/** What a request to the overlay is for; it finds its way back by its token. */
struct node_request;
/** Called once with the result, or with NULL when the node ends: then only what hangs on the request is let go. */
typedef void node_request_done(
	struct node *node, instant now, struct node_request *request, const struct overlay_result *result);
struct node_request {
	uint64_t token; /**< of the request to the overlay; set by node_request_add */
	node_request_done *done;
	uint64_t client; /**< token of the command, or of SIP */
	struct hit hit;  /**< as the user of the request likes */
	char name[CONFIGURATION_TEXT];
	struct buffer value; /**< freed with the request */
	void *context;
	bool flag;
};

struct ping_session;

struct node {
	struct node_environment environment;
	const struct configuration *configuration;
	const struct log *log;
	struct hit self;
	instant started;
	wall_milliseconds wall; /**< at `wall_at` */
	instant wall_at;
	struct node_queue_losses queue_losses;
	const char *state_trouble; /**< borrowed; NULL when the state file can be written */
	bool leaving;              /**< node_leave has begun and its end is not known yet */

	struct local_identity locals[NODE_LOCALS_MAXIMUM]; /**< the identities of this node */
	size_t local_count;
	/* Those of the first identity, where the overlay and SIP are. */
	struct host *host;
	struct esp *esp;
	struct miss_queue *misses;
	struct overlay *overlay;
	struct sip *sip;
	struct access *access; /**< the filter of hip0 */
	struct node_policy policy;
	struct node_prefixes *prefixes; /**< NULL: none are configured */
	struct prefix_announcement announcement;

	struct node_effects effects;
	struct deadline_heap timers;

	struct node_bootstrap *bootstrap;
	size_t bootstrap_count;
	struct first_hop_wish wishes[FIRST_HOP_WISHES];
	size_t next_wish;
	struct known_identity identities[KNOWN_IDENTITIES];
	uint64_t identity_clock;

	struct map pins; /**< AoR digest → struct node_pin */
	struct map requests;
	uint64_t next_token;
	struct restored_value *restored_values;
	struct known_member members[NODE_MEMBERS_MAXIMUM]; /**< longest known first */
	size_t member_count;
	struct map media; /**< call and peer → its open ports */

	struct ping_session *pings;
	uint16_t next_ping_identifier;
	uint64_t *monitors;
	size_t monitor_count;

	uint64_t dropped_associate; /**< base exchanges refused by access.associate */
};

/* node.c */
/** Whether the configuration lets this host ask peers whose HIT it does not know. */
bool node_asks_opportunistically(const struct node *node);
/** Carries effects between the engines until none is left. */
void node_pump(struct node *node, instant now);
wall_milliseconds node_wall(const struct node *node, instant now);
void node_persist(struct node *node, const char *space, const char *key, const void *value, size_t length,
	wall_milliseconds expires);
void node_forget(struct node *node, const char *space, const char *key);

/* node_packets.c */
/** Sends a HIP packet of the host in the clear. */
void node_send_clear(struct node *node, const struct host_effect *effect);
/** Sends a HIP packet inside the ESP to a neighbour (RFC 6261). */
void node_send_icmp(struct node *node, const struct host_effect *effect);
void node_send_sealed(struct local_identity *local, instant now, const struct host_effect *effect);
/** Sends a question about a path, or the answer to one, inside the ESP to a peer. */
void node_send_probe(struct local_identity *local, instant now, const struct host_effect *effect);
/* node_hosts.c */
/** Makes the HIP host of each identity. Errors as host_create. */
hiphop_error node_hosts_create(struct node *node, instant now);

/* node_host_effects.c */
/** Carries out one effect of the host of this identity. */
void node_on_host_effect(struct local_identity *local, instant now, const struct host_effect *effect);

/* node_packets.c, further */
/** Gives ESP its new route, and sends what waited for the peer to be found there. */
void node_move_sa(struct local_identity *local, instant now, const struct host_effect *effect);
/** Seals and sends an inner IPv6 packet of the node's own, or lets it wait for the base exchange; from the identity
 * that is its source. */
void node_send_inner(struct node *node, instant now, const uint8_t *packet, size_t length);
/** Hands on what the data plane found out about SAs; false when that was nothing. Part of node_pump. */
bool node_note_sas(struct node *node, instant now);
/** Sends what waited for `peer`. */
void node_flush_misses(struct local_identity *local, instant now, const struct hit *peer);
/** Throws away what waited for `peer`, and tells the applications by ICMPv6: it cannot be reached, or must not be. */
void node_drop_misses(struct local_identity *local, const struct hit *peer, bool prohibited);

/* node_overlay.c */
hiphop_error node_overlay_create(struct node *node, instant now, wall_milliseconds wall);
void node_overlay_free(struct node *node);
/** The table that HIP forwards by. */
overlay_route node_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next);
void node_on_host_data(struct node *node, instant now, const struct host_effect *effect);
void node_on_overlay_effect(struct node *node, instant now, const struct overlay_effect *effect);
/** Adds a request and gives it a token. NULL without memory; the caller then fails the operation. */
struct node_request *node_request_add(struct node *node, node_request_done *done, uint64_t client);
/** Takes it back after the overlay refused to begin it. */
void node_request_drop(struct node *node, struct node_request *request);

/* node_bootstrap.c */
hiphop_error node_bootstrap_create(struct node *node);
void node_bootstrap_free(struct node *node);
void node_bootstrap_start(struct node *node, instant now);
void node_bootstrap_timer(struct node *node, instant now, struct node_bootstrap *bootstrap);
void node_bootstrap_restore(struct node *node, const struct node_record *record);
void node_bootstrap_learnt(struct node *node, instant now, const struct endpoint *remote, const struct hit *hit);
/** An association came up or ended, in order or not; `remote` is set for an opportunistic exchange without an answer.
 */
void node_bootstrap_association(struct node *node, instant now, const struct hit *peer, const struct endpoint *remote,
	bool usable, bool in_order);

/* node_members.c */
void node_member_restore(struct node *node, const struct node_record *record);
/** Begins base exchanges with the members known from before. */
void node_members_start(struct node *node, instant now);
/** An encrypted association with a host of the overlay stands. */
void node_member_is_up(struct node *node, instant now, const struct hit *hit);

/* node_names.c */
/** Text of an Address-of-Record without its scheme, in lower-case domain; false when it is none. */
bool node_aor_normalise(const char *text, char aor[static CONFIGURATION_TEXT]);
struct node_pin *node_pin_find(struct node *node, const char *aor);
hiphop_error node_pin_set(struct node *node, const char *aor, const struct hit *hit);
void node_pin_restore(struct node *node, const struct node_record *record);
void node_names_free(struct node *node);
/** A name was looked up: `owner` when error is HIPHOP_OK or HIPHOP_REFUSED (pinned to another). */
struct name_answer {
	hiphop_error error; /**< HIPHOP_OK, HIPHOP_NOT_FOUND, HIPHOP_REFUSED, HIPHOP_TIMEOUT … */
	struct hit owner;
	struct hit holder;
	uint32_t expires_s;
};
typedef void node_name_done(struct node *node, instant now, uint64_t client, void *context, const char *aor,
	const struct name_answer *answer);
/** Looks an AoR of the overlay's domain up; pins it on first use when `pin`. `done` is called once, later. */
hiphop_error node_name_lookup(struct node *node, instant now, const char *aor, bool pin, node_name_done *done,
	uint64_t client, void *context);

/* node_sip.c */
hiphop_error node_sip_create(struct node *node);
void node_sip_free(struct node *node);
void node_on_sip_effect(struct node *node, instant now, const struct sip_effect *effect);
void node_registration_restore(struct node *node, const struct node_record *record);

/* node_media.c */
void node_on_relay_effect(struct node *node, const struct sip_effect *effect);
/** `sip.relays` of the status. */
json_t *node_relays_json(const struct node *node);

/* node_ping.c */
/** What a try of a ping brought. */
struct ping_answer {
	const struct local_identity *from;
	uint32_t sequence;
	bool answered;
	duration round_trip;
	bool last;
};
typedef void node_ping_done(
	struct node *node, instant now, uint64_t client, const struct hit *target, const struct ping_answer *answer);
/** What is to be pinged, and how. */
struct ping_order {
	const struct local_identity *from; /**< borrowed for the life of the node */
	struct hit target;
	uint32_t count;
	duration interval, timeout;
};
/** Sends ICMPv6 echo requests through ESP; `done` once per try. HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error node_ping_start(
	struct node *node, instant now, const struct ping_order *order, node_ping_done *done, uint64_t client);
/** Looks at an inner packet from a peer; true when it is the answer to one of our pings (and is not for TUN). */
bool node_ping_input(struct node *node, instant now, const struct hit *peer, const uint8_t *packet, size_t length);
void node_ping_timer(struct node *node, instant now, struct deadline *deadline);
void node_ping_gone(struct node *node, uint64_t client);
void node_ping_free(struct node *node);

/* node_values.c */
/** Stores a value of `hiphop put` under our HIT and keeps it stored. HIPHOP_TOO_LARGE, HIPHOP_LIMITED,
 * HIPHOP_NO_MEMORY. */
hiphop_error node_value_store(struct node *node, instant now, const char *key, const uint8_t *value, size_t length);

/* node_commands.c and node_status.c */
void node_reply(struct node *node, uint64_t token, json_t *answer /* stolen */, bool last);
/** Sends an event to every monitor. `event` is stolen; NULL is ignored. */
void node_monitor_event(struct node *node, instant now, json_t *event);
/** An association of `local`. */
json_t *node_association_json(
	const struct local_identity *local, instant now, const struct host_association_view *view);
/** Tells monitors of a handover, and of the first packet after it. */
void node_tell_handover(const struct local_identity *local, instant now, const struct host_effect *effect);
/** The paths of an association, and its last handover, or null. */
json_t *node_paths_json(const struct local_identity *local, instant now, const struct hit *peer);
json_t *node_handover_json(instant now, const struct host_handover_view *handover);
/** The associations of all identities. */
json_t *node_associations_json(const struct node *node, instant now);
json_t *node_hit_json(const struct hit *hit);
/** The text of a name, or null. */
json_t *node_name_json(const struct domain_identifier *name);
const struct configured_host *node_configured_host(const struct node *node, const struct hit *hit);

#endif
