/* SPDX-License-Identifier: MIT */
/**
 * The peer protocol engine: RELOAD message contents (RFC 6940) in a HIP BONE (RFC 7086), a ring of host identities
 * (CHORD-RELOAD behind topology.h), and storage of signed values.
 *
 * The engine has no socket, clock, key or thread. Something arrives (overlay_input and its sisters), or a deadline
 * passes (overlay_tick at overlay_next_wake); afterwards the caller drains overlay_next_effect until it says false
 * and carries the effects out. Nothing re-enters: no function here calls the caller back, except for the crypto,
 * randomness and log handed in at creation.
 *
 * Transport. One message is the payload of one HIP DATA packet. The HIP layer retransmits, routes and returns:
 *   - OVERLAY_SEND: if `via` is not null, hand the packet to that associated neighbour first; otherwise ask
 *     overlay_next_hop(destination, NULL). Every later hop asks overlay_next_hop(destination, &previous hop) and
 *     delivers where it says OVERLAY_SELF. A retransmission asks again (but keeps `via`).
 *   - OVERLAY_ANSWER goes back by the route that came with the request. An answer reaches the requester's
 *     overlay_input like any message, with the transaction of the request.
 *   - A request that got no answer for good is reported by overlay_send_failed; RELOAD's own timer is off.
 *   - A Ping to our own position may come back to us through our own ring. It may be handed to overlay_input
 *     with ourselves as the sender, or be dropped.
 *
 * Bounds. What others can make the engine do or keep is bounded, in these places:
 *   - a message: OVERLAY_MESSAGE_MAXIMUM; its format and lists: reload_message_parse (message.h);
 *   - requests answered, per sender and for all strangers together, and signatures that a stranger's Store makes us
 *     verify: overlay_limits.sender_per_second, strangers_per_second (peers.c); the rates themselves: 1024 senders;
 *   - hosts remembered 1024, connections asked for at the same time 16 (engine.h); a host that is named but not
 *     reachable is left alone for overlay_timers.quarantine;
 *   - members named in an Update or Leave: TOPOLOGY_UPDATE_IDS (topology.h); Updates sent to one peer: one at a time;
 *     its checks: one in 5 s (maintenance.c);
 *   - members kept: overlay_limits.associations, the topology's own table has twice as many and 64 places;
 *   - a Store: one Kind, STORAGE_MESSAGE_VALUES values (storage.h), OVERLAY_VALUE_MAXIMUM octets each and what its Kind
 *     allows (kinds.h); all that is stored, and of one owner: overlay_limits;
 *   - a Fetch, Stat or Find: 16 Kinds, each once in Fetch and Stat (storing.c); an answer: one message;
 *   - a RouteQuery: its Update goes to neighbours only; a trace: OVERLAY_TRACE_HOPS;
 *   - values looked at in one answer: 256 (queries.c); our own requests: overlay_limits.pending_requests.
 *
 * Ring position is the low 96 bits of an identifier, everywhere (hip/base/identifier.h).
 */
#ifndef HIPHOP_OVERLAY_OVERLAY_H
#define HIPHOP_OVERLAY_OVERLAY_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/log.h"
#include "hip/base/overlay_route.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct overlay;

/* ---- Limits that are part of the protocol ---- */

/** Octets of one RELOAD message (MessageContents) at most. */
#define OVERLAY_MESSAGE_MAXIMUM 8192
/** Octets of one stored value at most; more is Error_Data_Too_Large. */
#define OVERLAY_VALUE_MAXIMUM 4096
/** OVERLAY_TTL of the messages we originate (RFC 6940 section 6.3.2 allows 100 at most). */
#define OVERLAY_TTL_INITIAL 100
/** Neighbours in one status view, and hops in one trace. */
#define OVERLAY_STATUS_NEIGHBOURS 128
#define OVERLAY_TRACE_HOPS        32
/** Remembered clashes of two owners over one name. */
#define OVERLAY_CONFLICTS 8
/** Longest overlay, topology or hash name, with its zero. */
#define OVERLAY_NAME_SIZE 64
/** Longest sentence of an OVERLAY_EVENT, with its zero. */
#define OVERLAY_EVENT_SIZE 256

/* ---- Kinds (kinds.h has their whole table) ---- */

/** RFC 7904's own number; USER-NODE-MATCH, so it needs enrolment certificates (crypto.user_name). */
#define OVERLAY_KIND_SIP_REGISTRATION 0x00000001U
/** SIP-REGISTRATION before enrolment, policy FIRST-COME: who stores first under a name owns it. */
#define OVERLAY_KIND_SIP_REGISTRATION_FIRST_COME 0xF0000001U
/** `put` and `get`: a dictionary keyed by the writer's HIT; nobody overwrites another's entry. */
#define OVERLAY_KIND_PUT 0xF0000002U
/** What lies behind a host (docs/hipv2-mapping.md): its own entry, at the Resource-ID of its HIT. */
#define OVERLAY_KIND_PREFIXES 0xF0000003U

/* ---- Creation ---- */

/**
 * Cryptography, handed in: this layer knows no key. `algorithm` is the algorithm number of a HOST_ID parameter
 * (RFC 7401 section 5.2.9), `host_identity` its Host Identity field as on the wire. All functions are synchronous.
 */
struct overlay_crypto {
	void *context;
	/** Signs with our Host Identity. `signature` is filled with buffer_copy; the engine frees it. */
	hiphop_error (*sign)(void *context, const uint8_t *data, size_t length, struct buffer *signature);
	/** HIPHOP_OK or HIPHOP_BAD_SIGNATURE; HIPHOP_UNSUPPORTED for an algorithm we do not have. */
	hiphop_error (*verify)(void *context, uint16_t algorithm, const uint8_t *host_identity,
		size_t host_identity_length, const uint8_t *data, size_t length, const uint8_t *signature,
		size_t signature_length);
	/** The HIT of a Host Identity. */
	hiphop_error (*hit_of)(void *context, uint16_t algorithm, const uint8_t *host_identity,
		size_t host_identity_length, struct hit *hit);
	/** `hash_name` is "sha256", "sha1", … ; writes at most 64 octets. HIPHOP_UNSUPPORTED. */
	hiphop_error (*digest)(void *context, const char *hash_name, const uint8_t *data, size_t length,
		uint8_t out[static 64], size_t *out_length);
	/** The user name that an enrolment certificate gives to a HIT, as text with a zero; HIPHOP_NOT_FOUND. May be
	 *  NULL: then the policies USER-MATCH and USER-NODE-MATCH refuse everybody. */
	hiphop_error (*user_name)(void *context, const struct hit *hit, char *name, size_t name_size);
	/** Our own Host Identity; borrowed until overlay_free. */
	uint16_t algorithm;
	const uint8_t *host_identity;
	size_t host_identity_length;
};

/** OVERLAY_PEER carries the ring; OVERLAY_CLIENT attaches to peers, stores and fetches through them, carries nothing.
 */
typedef enum { OVERLAY_PEER = 0, OVERLAY_CLIENT } overlay_role;

/** Every length of time that governs the engine; a zero takes the default in brackets. */
struct overlay_timers {
	duration stabilise;       /**< between Updates to all neighbours, ± a quarter [15 s] */
	duration update_delay;    /**< a changed neighbour set is told after this, together [200 ms] */
	duration finger_search;   /**< between searches for missing fingers; a fresh member goes faster [60 s] */
	duration bootstrap_probe; /**< between looks for a second ring through bootstrap peers [60 s] */
	duration join_retry;      /**< first pause before trying again to join; doubles up to 16 times this [1 s] */
	duration join_wait;       /**< wait for neighbours to connect, and for the admitting peer's transfer [3 s] */
	duration connect_timeout; /**< an OVERLAY_CONNECT is given up [10 s] */
	duration quarantine;      /**< a dead node that others still name is not tried [30 s] */
	duration surplus_grace; /**< from the last use of an association to its OVERLAY_RELEASE, ± a quarter [60 s] */
	duration replica_hold;  /**< from a change of neighbours to making new replicas [5 s] */
	duration request_timeout; /**< a request is given up even if the HIP layer never reports [10 s] */
	duration request_retry;   /**< pause before a failed request of the user is tried again [1 s] */
};

/** Every number that a stranger or a user can push; a zero takes the default in brackets. */
struct overlay_limits {
	size_t storage_bytes;          /**< of values that we carry for all [16 MiB] */
	size_t storage_values;         /**< [32768] */
	size_t owner_bytes;            /**< of one owner [256 KiB] */
	size_t owner_values;           /**< [256] */
	size_t associations;           /**< members we stay connected to [64] */
	size_t pending_requests;       /**< [512] */
	size_t own_records;            /**< kept records of our own [256] */
	uint32_t sender_per_second;    /**< requests answered for one sender, 4 times that for an associated one;
					   burst 8 times the rate [50] */
	uint32_t strangers_per_second; /**< requests answered for all that are not associated, together; burst 8 times
					  the rate [500] */
};

/** All pointers but crypto.host_identity, random and log are copied; those three are borrowed until overlay_free. */
struct overlay_configuration {
	const char *name;     /**< overlay name; at most OVERLAY_NAME_SIZE - 1 octets */
	const char *topology; /**< "chord" */
	const char *hash;     /**< hash of resource names, "sha256" */
	overlay_role role;
	struct hit self;
	bool has_bootstrap; /**< bootstrap peers are configured, so being alone is not "joined" */
	unsigned replicas;  /**< copies besides the responsible peer's, 0 to 3; 2 is usual */
	struct overlay_crypto crypto;
	const struct random_source *random;
	const struct log *log; /**< may be NULL */
	struct overlay_limits limits;
	struct overlay_timers timers;
};

/** HIPHOP_INVALID_ARGUMENT, HIPHOP_UNSUPPORTED (no such topology), HIPHOP_NO_MEMORY. A peer is a ring of one at once.
 */
hiphop_error overlay_create(const struct overlay_configuration *configuration, instant now, wall_milliseconds wall,
	struct overlay **overlay);
/** Forgets everything without telling anybody (overlay_leave does). NULL is fine. */
void overlay_free(struct overlay *overlay);

/* ---- Input ---- */

/** One message as the HIP layer delivers it; its DATA signature is verified already. */
struct overlay_arrival {
	struct hit sender;    /**< who signed the DATA packet */
	struct hit receiver;  /**< what it was sent to: our HIT, or a Resource-ID that we are responsible for */
	uint64_t transaction; /**< TRANSACTION_ID */
	unsigned hops;        /**< overlay hops it took, 1 when the sender is the neighbour it came from */
	const void *route;    /**< opaque to the engine; handed back in OVERLAY_ANSWER (copied) */
	size_t route_length;  /**< at most 1024 octets, else the message is dropped */
};

/** A RELOAD MessageContents arrived, request or answer. What breaks the format is dropped or answered with an Error. */
void overlay_input(struct overlay *overlay, instant now, wall_milliseconds wall, const struct overlay_arrival *arrival,
	const uint8_t *contents, size_t length);
/** The request with this transaction failed for good: no route, no answer. Unknown transactions are ignored. */
void overlay_send_failed(struct overlay *overlay, instant now, uint64_t transaction, hiphop_error error);
/** An encrypted association with that HIT stands, whoever asked for it. Call it again when the peer has restarted.
 *  Without memory for it the engine tries again with the next messages and stabilisations. */
void overlay_neighbour_up(struct overlay *overlay, instant now, const struct hit *hit);
/** It is gone, or the attempt that OVERLAY_CONNECT asked for has failed and no association stands. After an
 *  OVERLAY_RELEASE that is no death: nothing is repaired, and the host may be asked for again at any time. */
void overlay_neighbour_down(struct overlay *overlay, instant now, const struct hit *hit);
/** A bootstrap peer is associated, whoever asked for it (implies overlay_neighbour_up): look for our place in its ring,
 *  and join or merge. Calling it again looks again. */
void overlay_bootstrap_up(struct overlay *overlay, instant now, const struct hit *hit);

/* ---- Routing (RFC 6940 section 10.3) ---- */

/**
 * Where a packet for `destination` (HIT or Resource-ID) goes from here. `arrived_from` is the neighbour it came from,
 * or NULL for a packet of our own. Greedy over associated members; an associated host that is the destination itself
 * gets it directly, member or not. While we are not joined, our own packets go to a bootstrap peer; those of others
 * see a ring of one. A packet is never sent back to where it came from. When `arrived_from` is the destination itself,
 * which does not hear us, the packet goes round it.
 */
overlay_route overlay_next_hop(
	const struct overlay *overlay, const struct hit *destination, const struct hit *arrived_from, struct hit *next);

/** Whether a host is a member of our ring as far as we know: it has said so to us, or a member has named it and a
 *  connection to it is wanted. */
bool overlay_knows_member(const struct overlay *overlay, const struct hit *hit);

/* ---- Requests of the user: each ends in one OVERLAY_RESULT with its token ---- */

/** The Resource-ID of a name: the low 96 bits of its hash under OGA nibble 0. HIPHOP_UNSUPPORTED, HIPHOP_CRYPTO. */
hiphop_error overlay_resource_id_of_name(const struct overlay *overlay, const char *name, struct hit *resource_id);
/** The Resource-ID of a host: of its HIT's octets, where policy NODE-MATCH lets that host alone store. Errors likewise.
 */
hiphop_error overlay_resource_id_of_node(const struct overlay *overlay, const struct hit *hit, struct hit *resource_id);

/**
 * Signs `value` and stores it under our HIT. With `keep` it is stored again before `lifetime_s` ends, and whenever
 * the ring has changed, until overlay_remove; the result comes for the first try and later failures are events.
 * HIPHOP_TOO_LARGE (value or lifetime over the Kind's limit), HIPHOP_UNSUPPORTED (unknown Kind), HIPHOP_LIMITED (too
 * many records or requests), HIPHOP_NO_MEMORY; no result follows then. The result's error: HIPHOP_REFUSED when the
 * name belongs to another, HIPHOP_NOT_FOUND when there is no route, HIPHOP_TIMEOUT.
 */
hiphop_error overlay_store(struct overlay *overlay, instant now, wall_milliseconds wall, uint64_t token, uint32_t kind,
	const struct hit *resource, const uint8_t *value, size_t length, uint32_t lifetime_s, bool keep);
/** Stores a nonexistent value over ours (RFC 6940 section 7.4.1.3) and stops keeping it. Errors as overlay_store. */
hiphop_error overlay_remove(struct overlay *overlay, instant now, wall_milliseconds wall, uint64_t token, uint32_t kind,
	const struct hit *resource);
/** Fetches all values of a Kind; only those whose signature, owner and policy fit are in the result. No value at all is
 *  HIPHOP_NOT_FOUND in the result. HIPHOP_UNSUPPORTED, HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error overlay_fetch(
	struct overlay *overlay, instant now, uint64_t token, uint32_t kind, const struct hit *resource);
/** Like fetch, without the values themselves: lengths, storage times and owners as the responsible peer says. */
hiphop_error overlay_stat(
	struct overlay *overlay, instant now, uint64_t token, uint32_t kind, const struct hit *resource);
/** Asks the responsible peer for the Resource-ID closest to `resource` that has values of `kind` (RFC 6940 7.4.4). */
hiphop_error overlay_find(
	struct overlay *overlay, instant now, uint64_t token, uint32_t kind, const struct hit *resource);
/** RELOAD Ping to a HIT or Resource-ID: who answers, over how many hops, how fast. */
hiphop_error overlay_ping(struct overlay *overlay, instant now, uint64_t token, const struct hit *destination);
/** Asks hop by hop (RouteQuery) where a message for `destination` would go; the result has the path from our first hop.
 */
hiphop_error overlay_trace(struct overlay *overlay, instant now, uint64_t token, const struct hit *destination);
/** Hands our data over and tells the neighbours (RFC 6940 section 10.9). The result comes when they have acknowledged,
 *  or after join_wait; until overlay_free the engine then answers nothing and joins nothing. */
hiphop_error overlay_leave(struct overlay *overlay, instant now, uint64_t token);

/* ---- Time ---- */

/** Does what is due. Calling it early or late is harmless. */
void overlay_tick(struct overlay *overlay, instant now, wall_milliseconds wall);
/** When to call overlay_tick next; may be INSTANT_NEVER. Ask again after every call into the engine. */
instant overlay_next_wake(const struct overlay *overlay);

/* ---- Effects ---- */

typedef enum {
	OVERLAY_EFFECT_NONE = 0,
	OVERLAY_SEND,    /**< `send`: originate a request */
	OVERLAY_ANSWER,  /**< `answer`: answer a request by its route */
	OVERLAY_CONNECT, /**< `connect`: an association is wanted; overlay_neighbour_up (at once when one stands
			    already) or overlay_neighbour_down follows */
	OVERLAY_RELEASE, /**< `release`: the overlay has no use for this association any more; close it once it is idle.
			    The other side may still need it, and messages may still be routed over it */
	OVERLAY_RESULT,  /**< `result`: a request of the user has ended */
	OVERLAY_JOINED,  /**< `event`: the status `joined` became true */
	OVERLAY_PARTED,  /**< `event`: the status `joined` became false */
	OVERLAY_EVENT    /**< `event`: something a person may want to know */
} overlay_effect_type;

/** Which request a result ends. */
typedef enum {
	OVERLAY_REQUEST_STORE,
	OVERLAY_REQUEST_REMOVE,
	OVERLAY_REQUEST_FETCH,
	OVERLAY_REQUEST_STAT,
	OVERLAY_REQUEST_FIND,
	OVERLAY_REQUEST_PING,
	OVERLAY_REQUEST_TRACE,
	OVERLAY_REQUEST_LEAVE
} overlay_request_type;

struct overlay_send {
	struct hit destination; /**< HIT or Resource-ID: the Receiver HIT of the DATA packet */
	struct hit via;         /**< first hop, associated; the null HIT: ask overlay_next_hop */
	uint64_t transaction;
	uint8_t ttl;
	const uint8_t *contents;
	size_t length;
};

struct overlay_answer {
	struct hit receiver; /**< who asked */
	uint64_t transaction;
	const void *route; /**< as it came in with the request */
	size_t route_length;
	const uint8_t *contents;
	size_t length;
};

struct overlay_connect {
	struct hit hit;
	struct hit via; /**< who named it, or the null HIT: route the I1 through this associated neighbour (RFC
			   6940 10.6) */
};

struct overlay_value {
	struct hit owner;     /**< its signer (fetch: verified) */
	const uint8_t *value; /**< NULL for stat */
	size_t length;        /**< octets of the value, also for stat */
	uint32_t lifetime_s;  /**< what is left of its life */
	wall_milliseconds storage_time;
};

struct overlay_result {
	uint64_t token;
	overlay_request_type request;
	hiphop_error error;
	uint32_t kind;
	struct hit resource;                /**< what was asked for; for find: what was found */
	struct hit answering;               /**< who answered: where the record is held; null when nobody did */
	unsigned hops;                      /**< overlay hops that the answer took */
	duration round_trip;                /**< from the (last) sending to the answer */
	bool partial;                       /**< some values did not fit the answer, or failed verification */
	const struct overlay_value *values; /**< fetch and stat */
	size_t value_count;
	const struct hit
		*path; /**< trace: each hop in order, the responsible peer last; store: the replicas promised */
	size_t path_length;
};

struct overlay_effect {
	overlay_effect_type type;
	union {
		struct overlay_send send;
		struct overlay_answer answer;
		struct overlay_connect connect;
		struct hit release;
		struct overlay_result result;
		const char *event; /**< one sentence */
	};
};

/** Takes the next effect, oldest first. False when there is none. Pointers in it are valid until the next call into
 *  the engine (overlay_next_effect included). */
bool overlay_next_effect(struct overlay *overlay, struct overlay_effect *effect);

/* ---- Status ---- */

struct overlay_neighbour {
	struct hit hit;
	bool associated;
	bool member;      /**< of our ring; the rest are bootstrap peers, clients, wanted nodes */
	bool successor;   /**< in our neighbour table, ahead */
	bool predecessor; /**< in our neighbour table, behind */
	bool finger;
	bool bootstrap;
	instant heard; /**< last message from it; 0 = never */
};

/** Two owners that claimed one name (FIRST-COME), noticed when two rings met. */
struct overlay_conflict {
	struct hit resource, winner, loser;
	instant at;
};

struct overlay_status {
	char name[OVERLAY_NAME_SIZE];
	char topology[OVERLAY_NAME_SIZE];
	overlay_role role;
	/** Another member is in our ring (a client: a peer is attached), or no bootstrap is configured. */
	bool joined;
	size_t members; /**< members we are connected to, ourselves not counted */
	size_t neighbour_count;
	struct overlay_neighbour neighbours[OVERLAY_STATUS_NEIGHBOURS];
	size_t stored_values, stored_bytes; /**< carried for all */
	size_t own_records;                 /**< kept records of our own */
	size_t pending_requests;
	size_t conflict_count;
	struct overlay_conflict conflicts[OVERLAY_CONFLICTS];
	uint64_t refused; /**< messages dropped or refused: malformed, over a limit, forbidden */
};

/** Fills the whole struct; nearest successors first, then by ring position. */
void overlay_get_status(const struct overlay *overlay, struct overlay_status *status);
/** True as in overlay_status.joined. */
bool overlay_is_joined(const struct overlay *overlay);

#endif
