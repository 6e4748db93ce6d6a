/* SPDX-License-Identifier: MIT */
/**
 * What the files of the host share: its structs, and the functions that one file offers the others. Nobody outside
 * hip/core includes this.
 *
 *   host.c            life of a host, input, ticks            i1_input.c   I1 → R1
 *   association.c     the table of associations, sessions     i2_input.c   I2 → R2
 *   initiator.c       I1 and I2: where to, when again         r1_input.c   R1 → I2
 *   outgoing.c        building, protecting, sending           r2_input.c   R2 → session
 *   verify.c          MACs, signatures, identities            update.c, close.c, notify.c
 *   candidates.c      own and offered locators                liveness.c   is the peer still there
 *   overlay_path.c    relaying, DATA                          status.c     views and counters
 *   rekey.c           new ESP keys by UPDATE                  key_lifetime.c   when it is time for them
 *   certificates.c, certificate_exchange.c   CERT (RFC 8002)     notifications.c   what may be notified, and when
 *   rekey_keys.c      which keys they are                     state_table.h, state_machine.c   what is allowed when
 *   problem.c         what is told by ICMP                    mobility.h   several paths, and when they change
 *   mobile_router.h   hosts on board, and who serves them
 *   problem.c         what is told by ICMP                    mobility.h   several paths, and when they change
 */
#ifndef HIPHOP_HIP_CORE_HOST_INTERNAL_H
#define HIPHOP_HIP_CORE_HOST_INTERNAL_H

#include "hip/base/deadline_heap.h"
#include "hip/base/map.h"
#include "hip/base/token_bucket.h"
#include "hip/core/certificates.h"
#include "hip/core/data_transport.h"
#include "hip/core/effects.h"
#include "hip/core/host.h"
#include "hip/core/keys.h"
#include "hip/core/locators.h"
#include "hip/core/mobile_router.h"
#include "hip/core/mobility.h"
#include "hip/core/notifications.h"
#include "hip/core/hashed_rates.h"
#include "hip/core/puzzle_difficulty.h"
#include "hip/core/r1_pool.h"
#include "hip/core/rate_table.h"
#include "hip/core/relay.h"
#include "hip/core/returning_senders.h"
#include "hip/core/state_table.h"
#include "hip/crypto/hit_suite.h"
#include "hip/crypto/puzzle.h"
#include "hip/wire/builder.h"
#include "hip/wire/coverage.h"
#include "hip/wire/icmp_problem.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

/* Times of the base exchange. */
#define I1_TRIES                   4                 /* at 0, 1, 3 and 7 s; given up at 15 s */
#define I1_FIRST_TIMEOUT           SECONDS(1)        /* doubles */
#define I1_HURRIED_AFTER           MILLISECONDS(500) /* the last one, when our links change */
#define I1_FALLBACK_TRY            2                 /* from then on by the other transport too */
#define I1_PARALLEL                3                 /* RFC 7401 section 6.6.1 */
#define DOWNGRADE_RESTARTS_MAXIMUM 2                 /* I1s of one exchange that answer an R1 with a wrong group */
#define I2_TRIES_DIRECT            2                 /* for each locator, when there is another way */
#define I2_TRIES_LAST              4                 /* on the last way */
#define I2_FIRST_TIMEOUT           SECONDS(1)
#define EXCHANGE_COMPLETE          SECONDS(10) /* R2-SENT → ESTABLISHED without a sign of life, RFC 7401 section 4.4.1 */
#define FAILED_SHOWN               SECONDS(30)
#define OLD_SA_KEPT                SECONDS(3)
#define PUZZLE_LIFETIME            SECONDS(64)
#define PUZZLE_LIFETIME_EXPONENT   38 /* 2^(38 - 32) = 64 s */
#define PUZZLE_DIFFICULTY_ACCEPTED 20
#define R1S_FOLLOWED               4                /* in one exchange; each costs a puzzle */
#define OLD_R1_DROPPED             2                /* in so many tries; then the peer's counter may have been reset */
#define PARALLEL_R1_WAIT           MILLISECONDS(50) /* at most, for R1s to the other I1s */
#define BUSY_RETRY                 SECONDS(2)       /* after RESPONDER_BUSY_PLEASE_RETRY */
#define QUEUED_PATIENCE            SECONDS(4)       /* after I2_ACKNOWLEDGEMENT */
#define PUZZLE_DIFFICULTY_LOADED   16               /* bits, when no maximum is configured */
#define I2_PREFIX_CELLS            4096
#define NOTIFY_PREFIX_CELLS        1024
#define PROBLEM_PREFIX_CELLS       1024
#define PROBLEM_CREDIT_MAXIMUM     12800 /* octets */
#define PROBLEM_CREDIT_AT_FIRST    1280
#define NOTIFY_PARAMETERS_READ     8 /* NOTIFICATIONs of one packet */
#define I2_PUZZLE_CELLS            4096
#define I2_PUZZLE_TRIES            4 /* Diffie-Hellman computations for one #I, then one in … */
#define I2_PUZZLE_INTERVAL         SECONDS(16)
#define CLOSE_TIMEOUT_MAXIMUM      SECONDS(64)  /* from 1 s it doubles until then */
#define MAXIMUM_SEGMENT_LIFETIME   SECONDS(120) /* RFC 7401 section 4.4.1 */
#define CANDIDATES_MAXIMUM         4
#define ECHO_OCTETS_MAXIMUM        1024
#define OPPORTUNISTS_MAXIMUM       64
#define HELD_MAXIMUM               4096
#define SILENT_AFTER               SECONDS(2)
#define CROSSED_I2_LIVES           SECONDS(3) /* an I2 from before the session may still be on its way */

/* ---- sending ---- */

/* A packet being built; see outgoing.c. */
struct outgoing {
	struct packet_builder builder;
	uint8_t type;
	size_t length;
	uint8_t octets[HIP_PACKET_MAXIMUM];
};

/* What protects a packet: MAC under `keys` (NULL: none), and our signature. */
struct protection {
	const struct exchange_keys *keys;
	uint16_t mac_type;       /* PARAMETER_HIP_MAC or PARAMETER_HIP_MAC_2 */
	struct span host_id;     /* for HIP_MAC_2 */
	uint16_t signature_type; /* PARAMETER_HIP_SIGNATURE or PARAMETER_HIP_SIGNATURE_2 */
};

/* Where a packet goes. */
struct way {
	bool overlay;
	struct endpoint local, remote; /* direct */
	struct hit neighbour;          /* overlay: the hop to seal it to */
};

/* A packet being taken in. */
struct incoming {
	const struct host_arrival *arrival;
	const uint8_t *octets; /* payload included */
	size_t length;
	struct packet_view view;
	bool overlay; /* it has our OVERLAY_ID and came inside a neighbour's ESP */
	instant now;
	const struct state_rule *rule; /* of the state table, for the state it came in */
};

/* ---- associations ---- */

struct retransmission {
	unsigned tries;
	uint32_t id;
	instant sent;
};

/* How far a session is with certificates (certificate_exchange.c). On probation the effects that tell of the session
 * are withheld. */
struct certificate_progress {
	bool probation;
	struct queued_effect *install, *change;
	uint8_t first; /* of ours in the R2 */
	uint8_t sent;  /* of ours that the peer has, or will have by this exchange */
	uint8_t next;  /* … and with the UPDATE under way */
	struct retransmission update;
	instant until; /* the peer's are awaited */
};

/* What a finished base exchange left behind: keys, peer, SAs. */
struct session {
	host_state state; /* R2_SENT, ESTABLISHED, CLOSING or CLOSED */
	bool initiator;
	bool direct;      /* has a pair of SAs; false: HIP goes over the overlay ("path: none") */
	bool has_sas;     /* they are installed now */
	bool carries_hip; /* ESP was agreed as HIP_TRANSPORT_MODE: HIP packets may ride in it (RFC 6261) */
	uint8_t overlay_hops;
	bool idle;            /* silent, since nothing was sent and nothing heard */
	uint16_t opaque_mark; /* I2s to R1s from before it are of an exchange that this one ended */
	struct endpoint local, remote;
	uint32_t spi_in, spi_out;
	struct exchange_keys keys;
	/* Of the last Diffie-Hellman: RFC 7402 section 6.10 step 1 wants the old key when only one end has a new one.
	 */
	struct diffie_hellman *own_key;
	struct buffer peer_public;
	struct host_identity *identity; /* the peer's */
	instant began;

	uint64_t peer_counter; /* R1_COUNTER that we followed as Initiator; 0: none */
	struct buffer r2;      /* in R2_SENT, the direct R2 as sent, for an I2 that comes again; made anew later */

	instant control_sent, control_heard; /* verified HIP packets */
	instant keepalive_heard;             /* verified too, but the same each time: no answer to anything */
	struct token_bucket keepalives;      /* that are verified */
	uint32_t own_update;                 /* next Update ID */
	uint32_t peer_update;                /* next expected of the peer */
	uint64_t peer_updates;               /* those before it that came: bit 0 is the last of them */
	struct retransmission probe;         /* UPDATE under way; tries 0: none */
	instant silent_since;                /* ESP sent and nothing heard from then on; 0: all is well */
	instant suspected;                   /* when HOST_SUSPECT was told; 0: it was not */
	instant last_look;

	uint32_t credit;           /* octets of HIP packets that may go where the peer has not answered */
	struct mobility *mobility; /* NULL: one path, and nothing to choose; see mobility.h */
	struct rekeying *rekeying; /* not yet finished; see rekey.c */
	bool has_abandoned, has_abandoned_part;
	uint32_t abandoned;      /* Update ID of a request for new keys that was given up */
	uint32_t abandoned_part; /* of the peer's part of one */
	instant abandoned_until; /* so long the peer may wait for what goes with that part */
	instant keyed;           /* when the keys came into use */
	instant rekey_at, expire_at;
	struct host_key_limits soft; /* of the SAs; the hard ones are the same for all of a suite */
	unsigned rekeys;
	bool proven; /* the peer uses the keys too: the retired pair may go */

	struct certificate_progress *certificates; /* NULL: none to send, and none is awaited */

	uint8_t close_nonce[16];
	unsigned close_tries;
	instant close_over;    /* CLOSING and CLOSED last until then */
	struct ending *ending; /* NULL: the end has been told */
};

/* What the Initiator has agreed to by its I2. */
struct acceptance {
	uint64_t counter; /* R1_COUNTER of the R1 */
	instant puzzle_over;
	struct exchange_keys keys;
	struct esp_key_pair esp_keys;
	struct diffie_hellman *own_key;
	struct buffer peer_public;
	struct host_identity *identity;
	bool anonymous;        /* the R1 had the A control */
	struct buffer host_id; /* encoded, for HIP_MAC_2 */
	uint32_t spi_in;
	bool carries_hip;
	uint8_t random_i[RHASH_LENGTH_MAXIMUM];
	struct buffer i2;         /* for direct ways */
	struct buffer i2_overlay; /* with OVERLAY_ID, for the way over the overlay; empty: there is none */
	struct way ways[CANDIDATES_MAXIMUM + 1];
	size_t way_count, way;
	uint8_t overlay_hops;
	uint8_t certificates_sent; /* of ours, in the I2 */
};

/* An R1 that was found good, and the search for the solution of its puzzle; see solving.c. */
struct solving {
	struct puzzle_search search;
	uint64_t counter;
	instant over;       /* the puzzle has had its lifetime */
	instant not_before; /* an R1 of a newer generation may still come */
	bool solved;
	struct host_identity *identity; /* of the Responder */
	struct host_arrival arrival;
	bool overlay;
	size_t length;
	uint8_t r1[];
};

/* Our base exchange as Initiator, under way. */
struct initiation {
	host_state phase; /* I1_SENT or I2_SENT */
	unsigned tries;
	instant sent;
	struct endpoint targets[HOST_LOCATORS_MAXIMUM + 1]; /* where the I1 goes, best first */
	size_t target_count;
	bool parallel;                          /* the first I1 went to several of them */
	unsigned offers;                        /* R1s followed so far */
	unsigned restarts;                      /* I1s sent at once for an R1 with a downgrade */
	hiphop_error trouble;                   /* with the last R1 that was signed well */
	bool busy;                              /* the Responder said so: another puzzle must be solved */
	bool queued;                            /* it said that it has our I2 */
	bool wants_puzzle;                      /* in I2_SENT: an I1 has gone out for another R1 */
	struct solving *solving;                /* NULL: no puzzle is being solved; else TIMER_EXCHANGE is for it */
	struct acceptance *acceptance;          /* in I2_SENT */
	struct peer_certificates *certificates; /* of the Responder, in the R1 followed last; NULL: none */
	struct ending *ending;
};

enum timer_kind {
	TIMER_EXCHANGE, /* I1 or I2 again; end of FAILED */
	TIMER_SESSION,  /* R2-SENT over; CLOSE again; CLOSED over */
	TIMER_RETIRED,  /* the old SAs have had their time */
	TIMER_LIVENESS,
	TIMER_KEYS, /* UPDATE of a rekeying again; the keys are old */
	TIMER_READDRESS,
	TIMER_PATHS,        /* announcements, checks and questions; see mobility.h */
	TIMER_CERTIFICATES, /* an UPDATE with some of ours again; the peer's do not come */
	TIMER_ROUTER,       /* an UPDATE about mobile routers again; a ticket wants more time */
	TIMER_KINDS
};

/* What the deadlines of the host are for: struct deadline, `kind`. */
enum deadline_kind { DEADLINE_ASSOCIATION, DEADLINE_OPPORTUNIST };

struct association {
	struct hit peer;
	bool held;
	bool failed;
	bool anonymous;         /* the peer's identity has the A control */
	uint8_t pathless_tries; /* exchanges for want of a path since there was one, or since links of one of us changed
				 */
	uint32_t told;          /* part of the digest of the locators in the peer's last I2; 0: none */
	struct domain_identifier *name;         /* what it calls itself, or NULL */
	struct peer_certificates *certificates; /* what it has sent of them, or NULL */
	instant since;
	duration round_trip;
	struct session *session;
	struct session *retired; /* replaced by `session`; its SAs still receive */
	struct initiation *initiation;
	struct router_dealings *dealings; /* with mobile routers, or NULL */
	struct token_bucket answers;      /* R2s again, ACKs, CLOSE_ACKs */
	instant timers[TIMER_KINDS];      /* INSTANT_NEVER: not set */
	struct deadline deadline;         /* the earliest of them */
};

/* An I1 with NULL Responder HIT, under way. */
struct opportunist {
	struct opportunist *next;
	struct endpoint remote;
	struct endpoint fallback; /* the same by the other transport; tried when has_fallback */
	bool has_fallback;
	hiphop_error trouble; /* with the last R1 that was signed well */
	unsigned tries;
	instant sent;
	struct deadline timer;
};

/* What I1s may cost; see i1_limits.c. */
struct i1_limits {
	struct token_bucket all, second_way;
	struct hashed_rates prefixes, second_prefixes;
	struct returning_senders returning;
};

/* Octets of an I1 that may wait. */
#define I1_WAITING_MAXIMUM 256

/* An I1 for whose group the R1 is being made, at most one each. */
struct waiting_i1 {
	struct host_arrival arrival;
	size_t length; /* 0: none */
	uint8_t octets[I1_WAITING_MAXIMUM];
};

struct host {
	struct host_configuration configuration;
	const struct host_identity *identity;
	const struct random_source *random;
	const struct log *log;
	struct hit self;
	struct relay_place place;

	struct association **all; /* in order of making */
	size_t count, capacity;
	size_t over; /* sessions that are CLOSING or CLOSED: they make room for the living */
	struct map by_peer;
	struct map by_spi; /* SPI in → association */
	struct map held;   /* peers that are held, whether associated or not */
	struct locator_cache locators;
	struct opportunist *opportunists;
	size_t opportunist_count;
	struct deadline_heap deadlines;
	struct effect_queue effects;

	struct link_address links[HOST_ADDRESSES_MAXIMUM]; /* the most liked first */
	size_t link_count;
	bool links_known; /* the system has told, if only that there are none */

	struct r1_pool r1_pool;
	struct puzzle_source puzzles;
	instant sliced; /* when a slice of a puzzle was last worked on */
	struct puzzle_difficulty difficulty;
	instant r1_work_at; /* INSTANT_NEVER: when the generation has had its time */
	struct waiting_i1 waiting[HOST_ALGORITHMS_MAXIMUM];
	uint16_t next_opaque;
	struct i1_limits i1_limits;
	struct hashed_rates i2_prefixes, i2_puzzles, notify_prefixes, problem_prefixes;
	struct token_bucket i2_rate, r1_rate, on_demand_rate, notify_rate, unmatched_rate, problem_rate;
	uint32_t problem_credit; /* octets that ICMP messages may have: strange packets had as many */
	struct rate_table *neighbour_rates, *notify_rates;
	struct certificate_space certificate_space;
	struct mobile_router router;
	struct relay_rates *relay_rates;
	struct data_transport *transport; /* NULL without overlay */

	uint64_t counters[HOST_COUNTER_COUNT];
	uint64_t notified[NOTIFICATION_RULES + 1], heard_of[NOTIFICATION_RULES + 1]; /* NOTIFYs out and in, by row */
	uint8_t work[RELAY_PACKET_MAXIMUM + 64];
	uint8_t relayed[HIP_PACKET_MAXIMUM]; /* what the effect taken last has to say to a mobile router */
};

/* Octets of an address that tell one holder from another: an IPv4 host has one address, an IPv6 host at least a /64. */
static inline size_t address_prefix_length(const struct address *address)
{
	return address_is_ipv4(address) ? sizeof address->octets : 8;
}

static inline bool sender_is_anonymous(const struct incoming *in)
{
	return in->view.controls & HIP_CONTROL_ANONYMOUS;
}

static inline void count(struct host *host, host_counter counter)
{
	host->counters[counter]++;
}

/* host.c */
/* Whether the environment wants associations with this peer. */
host_permission peer_may_associate(
	const struct host *host, instant now, const struct hit *peer, const struct host_claim *claim);
/* Tells the sender of a packet that cannot be processed that it cannot, when it proves to be our peer, or to have
 * solved our puzzle (I2 with an unknown critical parameter). */
void tell_breach(struct host *host, const struct incoming *in, uint16_t notification);
/* Adds to a claim what the peer's HOST_ID, now proved, says of it. */
void claim_is_proved(struct host_claim *claim, const struct parameter_view *host_id);
/* Whether identities of the HIT Suite of this HIT are taken. */
bool hit_suite_is_accepted(const struct host *host, const struct hit *hit);

/* association.c */
struct association *association_find(const struct host *host, const struct hit *peer);
/* The association with `peer`, made when there is none. HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error association_obtain(struct host *host, instant now, const struct hit *peer, struct association **found);
/* The peer as the log has it. The log is kept, so it does not have the HIT of an anonymous peer (RFC 7401 section
 * 5.1.2). Returns `text`. */
char *association_peer_text(const struct association *association, char text[static HIT_TEXT_SIZE]);
/* Notes what the finished base exchange told about the peer besides its key: the A control and the name in its HOST_ID.
 * A name that cannot be read or kept is none. */
void association_note_peer(struct association *association, bool anonymous, const struct parameter_view *host_id);
/* The peer's certificates are those of its last base exchange: takes `*certificates` (which becomes NULL) over. */
void association_note_certificates(
	struct host *host, struct association *association, struct peer_certificates **certificates);
/* Frees an association that has neither session nor initiation left and is not shown as failed. */
void association_release_if_idle(struct host *host, struct association *association);
void association_free_all(struct host *host);
host_state association_state(const struct association *association);
bool association_is_usable(const struct association *association);
/* Usable, and HIP may ride in its ESP. */
bool association_is_neighbour(const struct association *association);
uint32_t association_new_spi(struct host *host);
void association_set_timer(struct host *host, struct association *association, enum timer_kind kind, instant at);
void association_cancel_timer(struct host *host, struct association *association, enum timer_kind kind);
/* The deadline has passed: gives the earliest timer its turn. The association may be gone afterwards. */
void association_expire(struct host *host, instant now, struct association *association);
/* Makes a session with its ending; everything else zero. NULL for want of memory. */
struct session *session_make(void);
void session_free(struct session *session);
/* The commit of a base exchange: `session` becomes the session of the association, the old one retires, the
 * initiation ends. `install` is the HOST_INSTALL_SA effect of the session (NULL when it is not direct) and `change`
 * the HOST_ASSOCIATION effect; both are filled here, the first with `esp_keys`. Cannot fail: spi_in has been
 * registered. */
void session_commit(struct host *host, instant now, struct association *association, struct session *session,
	const struct esp_key_pair *esp_keys, struct queued_effect *install, struct queued_effect *change);
/* Registers an SPI for the association. HIPHOP_NO_MEMORY. */
hiphop_error association_register_spi(struct host *host, struct association *association, uint32_t spi);
void association_unregister_spi(struct host *host, uint32_t spi);
/* Tells that the pair of a session is to be removed, by its ending, which it has. */
void session_tell_removal(struct host *host, struct session *session, const struct hit *peer);
/* ESP has no path any more: takes the SAs away and tells so. The association stays, its packets go over the overlay.
 * HIPHOP_NO_MEMORY: nothing changed. */
hiphop_error session_lose_path(struct host *host, struct association *association);
/* Tells that the association is over and why; the state is what association_state says then, or `shown`. */
void session_end(
	struct host *host, instant now, struct association *association, host_state shown, hiphop_error reason);
/* Drops the session altogether (its SAs too). */
void session_drop(struct host *host, struct association *association);
void association_retired_over(struct host *host, struct association *association);
/* TIMER_SESSION: gives the state machine its event. */
void association_session_timer(struct host *host, instant now, struct association *association);
void session_heard(struct host *host, instant now, struct association *association);
/* Fills a HOST_INSTALL_SA for the pair of a session. */
void session_fill_install(const struct host *host, const struct association *association, const struct session *session,
	const struct esp_key_pair *keys, struct queued_effect *install);
/* Puts an effect that was made into the queue for the pair of a session. */
void session_tell_sa(
	struct host *host, const struct session *session, const struct hit *peer, struct queued_effect *effect);

/* outgoing.c */
/* HOST_ID of this host, with its name. Borrows the host. */
struct parameter_host_id own_host_id(const struct host *host);
void outgoing_start(struct host *host, struct outgoing *out, uint8_t type, const struct hit *receiver);
/* OVERLAY_ID and, when the route is not empty, ROUTE_DST: covered parameters. */
void outgoing_overlay_covered(struct host *host, struct outgoing *out, const struct data_route *route);
/* OVERLAY_TTL and, when `record`, an empty ROUTE_VIA: parameters behind the signature. */
void outgoing_overlay_uncovered(struct host *host, struct outgoing *out, bool record);
/* Adds MAC and signature over what is there. */
hiphop_error outgoing_protect(struct host *host, struct outgoing *out, const struct protection *protection);
hiphop_error outgoing_finish(struct outgoing *out);
/* Echoes what the packet `in` asks to (RFC 7401 sections 5.2.20 to 5.2.23), all of it or as much as ECHO_OCTETS_MAXIMUM
 * allows: the signed request in front of MAC and signature, the unsigned ones behind them. `in` NULL: nothing. */
void outgoing_echo_signed(struct outgoing *out, const struct incoming *in);
void outgoing_echo_unsigned(struct outgoing *out, const struct incoming *in);
/* Octets that MAC and signature take at most, and those that the echoes asked for by `in` do (NULL: none). */
size_t outgoing_protection_room(const struct host *host);
size_t outgoing_echo_room(const struct incoming *in);
/* Makes the effect that sends these octets; checksum done. NULL for want of memory. */
struct queued_effect *outgoing_effect(struct host *host, const struct way *way, const uint8_t *octets, size_t length);
/* Makes it and queues it. HIPHOP_NO_MEMORY. */
hiphop_error outgoing_send(struct host *host, const struct way *way, const uint8_t *octets, size_t length);
/* The way to an endpoint; false when there is no route. */
bool way_to_endpoint(struct host *host, const struct endpoint *remote, struct way *way);
/* The way to `destination` over the overlay, not through the SA with `avoid` (NULL: any). False without one. */
bool way_over_overlay(struct host *host, const struct hit *destination, const struct hit *avoid, struct way *way);
/* The way to hand a packet to this neighbour. False when it has no SAs. */
bool way_to_neighbour(struct host *host, const struct hit *neighbour, struct way *way);
/* The way for HIP packets of an association that has a session. False without one. */
bool way_of_session(struct host *host, const struct association *association, struct way *way);
/* The way back to the hop that a packet came from. */
void way_of_arrival(const struct host_arrival *arrival, struct way *way);
/* The way back to the sender of a packet, and its ROUTE_DST (count 0 when the packet came direct). False when the first
 * hop is gone. */
bool way_back(struct host *host, const struct incoming *in, struct data_route *route, struct way *way);
void count_out(struct host *host, uint8_t type);

/* verify.c: each counts what it drops */
/* Whether HIP_MAC is under these keys; counts nothing. */
bool mac_fits(const struct incoming *in, const struct exchange_keys *keys);
hiphop_error verify_mac(struct host *host, const struct incoming *in, const struct exchange_keys *keys);
hiphop_error verify_mac_2(
	struct host *host, const struct incoming *in, const struct exchange_keys *keys, struct span host_id);
hiphop_error verify_signature(
	struct host *host, const struct incoming *in, const struct host_identity *identity, uint16_t type);
/* Both, as UPDATE, CLOSE and CLOSE_ACK have them. */
hiphop_error verify_protected(struct host *host, const struct incoming *in, const struct session *session);
/* The identity of a HOST_ID, when it is that of `hit`. Made for the caller to free. */
hiphop_error verify_identity(struct host *host, const struct hit *hit, const struct parameter_view *host_id,
	struct host_identity **identity);

/* candidates.c */
/* Our own usable locators as a LOCATOR_SET, those that are meant for the peer of `session` (NULL: there is none yet).
 * Nothing when there is none. */
void candidates_offer(const struct host *host, const struct session *session, struct parameter_locator_set *set);
/* Whether a link of ours is meant for the peer of a session: hosts on board of a router and the world are kept apart.
 */
bool candidates_link_fits(const struct host *host, const struct session *session, const struct link_address *link);
/* A locator of a peer as an endpoint; false for what cannot be used from here, our own addresses too. */
bool candidates_endpoint(const struct host *host, const struct locator *locator, struct endpoint *endpoint);
/* The priority of a peer's locator that has none (RFC 8445 section 5.1.2.1), by how it is known. */
uint32_t candidates_priority(path_origin origin);
/* Takes over what the system says about our own addresses, the most liked first. */
void candidates_set_links(struct host *host, const struct link_address *links, size_t count);
const struct link_address *candidates_link(const struct host *host, const struct address *address);
/* Whether all of our links are liked as much as each other. */
bool candidates_are_alike(const struct host *host);
/* The usable ones of a received LOCATOR_SET, preferred first, at most `capacity`; returns how many. `preferred` tells
 * whether the first is one that the peer prefers. */
size_t candidates_take(struct host *host, const struct parameter_locator_set *set, struct endpoint *endpoints,
	size_t capacity, bool *preferred);
/* Of the addresses and their priorities; never 0. */
uint64_t candidates_digest(const struct parameter_locator_set *set);
/* Learns all of them for a peer. */
void candidates_learn(struct host *host, const struct hit *peer, const struct parameter_locator_set *set);
bool transport_is_used(const struct host *host, uint16_t transport);

/* initiator.c */
/* Begins a base exchange, or goes on with the one under way. Errors as host_connect. */
hiphop_error initiator_begin(struct host *host, instant now, struct association *association);
/* TIMER_EXCHANGE: gives the state machine its event. */
void initiator_timer(struct host *host, instant now, struct association *association);
void initiator_opportunist_timer(struct host *host, instant now, struct opportunist *opportunist);
void initiator_send_i2(struct host *host, instant now, struct association *association);
/* An R1 had a wrong group: another I1 on the way that it came, a few times in one exchange (RFC 7401 section 6.8 step
 * 7). */
void initiator_restart(struct host *host, struct association *association, const struct incoming *in);
/* Our links have changed: an I1 that is not answered yet is tried anew, soon. */
void initiator_hurry(struct host *host, instant now, struct association *association);
/* An I1 of the peer came from `remote` and lost against ours: ours goes there too. */
void initiator_meet(struct host *host, instant now, struct association *association, const struct endpoint *remote);
/* An I2 of the peer, its puzzle solved, came from `in` and lost against ours: ours goes there too, when that is another
 * place. */
void initiator_meet_i2(struct host *host, struct association *association, const struct incoming *in);
void initiation_end(struct host *host, struct association *association);
/* An exchange whose first I1 has been sent. NULL for want of memory. */
struct initiation *initiation_make(host_state phase);
void acceptance_free(struct acceptance *acceptance);
struct opportunist *opportunist_at(struct host *host, const struct endpoint *remote);
void opportunist_drop(struct host *host, struct opportunist *opportunist);

/* solving.c */
/* Begins to solve the puzzle of a verified R1, instead of any other for the exchange; solving->identity is for the
 * caller to fill. HIPHOP_MALFORMED, HIPHOP_UNSUPPORTED, HIPHOP_NO_MEMORY. */
hiphop_error solving_begin(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_puzzle *puzzle, uint64_t counter);
/* The next slice. Goes on to r1_solved, or comes again by TIMER_EXCHANGE, or gives up. */
void solving_run(struct host *host, instant now, struct association *association);
void solving_free(struct solving *solving);
/* r1_input.c: the I2 of an R1 whose puzzle is solved. */
void r1_solved(struct host *host, instant now, struct association *association);

/* state_machine.c: does what the state table says (state_actions.h), and nothing else. */
void state_machine_packet(struct host *host, state_event event, struct incoming *in);
/* A wish or a timer of an association; afterwards it may be gone. HIPHOP_OK when there is nothing to do, else what the
 * action says. `reason` is for STATE_EVENT_LOST. */
hiphop_error state_machine_run(
	struct host *host, instant now, struct association *association, state_event event, hiphop_error reason);

/* DATA needs no association (RFC 6078). */
void data_input(struct host *host, struct incoming *in);
/* A NOTIFY that came over the overlay tells about DATA, in any state. */
void notify_overlay_input(struct host *host, struct incoming *in);

/* close.c */
/* The session, whose end has been told, goes to CLOSING, and a CLOSE goes out. */
void close_begin(struct host *host, instant now, struct association *association);
/* A session goes: if it was CLOSING or CLOSED, it is no longer counted as one. */
void close_forget(struct host *host, const struct session *session);

/* i2_input.c: whether an I2 has a right solution of a puzzle of ours that was not used yet. Nothing is counted. */
bool i2_is_solved(struct host *host, const struct incoming *in);

/* i1_limits.c */
/* HIPHOP_NO_MEMORY; i1_limits_free in any case. */
hiphop_error i1_limits_start(
	struct i1_limits *limits, uint32_t per_second, const struct random_source *random, instant now);
void i1_limits_free(struct i1_limits *limits);
/* Whether a direct I1 from here is read. `packet` has at least a HIP header. */
bool i1_is_admitted(struct host *host, instant now, const struct endpoint *remote, const uint8_t *packet);

/* i1_input.c */
/* Makes, where it lacks them, the key pair of a group (by its place among the configured ones) and the R1 for a level
 * of difficulty. HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error r1_entry_prepare(struct host *host, struct r1_generation *generation, size_t place, unsigned level);
void i1_answer_waiting(struct host *host, instant now, const struct waiting_i1 *waiting);

/* r1_preparation.c */
/* Has the R1 of a group made, and this I1 answered with it. */
void r1_preparation_ask(struct host *host, const struct incoming *in, size_t place);
/* Something may have to be made: the difficulty has changed, say. */
void r1_preparation_hurry(struct host *host, instant now);
void r1_preparation_tick(struct host *host, instant now);
instant r1_preparation_next_wake(const struct host *host);

/* Whether an R1 with this Opaque field was sent before the one for which host->next_opaque was `mark`. */
bool opaque_is_before(uint16_t opaque, uint16_t mark);
/* The overlay hops that the I1 behind a puzzle took, from its Opaque field; 0 = direct. */
uint8_t opaque_overlay_hops(uint16_t opaque);

/* update.c */
/* Sends an UPDATE with a SEQ in the clear; again with the same one when it is not acknowledged. */
void update_probe(struct host *host, instant now, struct association *association);
/* What outgoing_protect needs for HIP_MAC and HIP_SIGNATURE of a session. */
struct protection session_protection(const struct session *session);

/* rekey.c */
/* Begins a rekeying. Errors as host_rekey. */
hiphop_error rekey_begin(struct host *host, instant now, struct association *association, bool diffie_hellman);
/* Whether this is a time and a way for an UPDATE with ESP_INFO. */
bool rekey_is_possible(const struct incoming *in, const struct association *association);
/* HIPHOP_MALFORMED for a DIFFIE_HELLMAN or an ESP_INFO with which nothing is to be done (RFC 7402 section 6.9 step 1).
 */
hiphop_error rekey_check(const struct incoming *in, const struct session *session);
/* Takes the peer's part. `*answered` tells whether the answer acknowledges the UPDATE. On errors it is not to be
 * acknowledged: HIPHOP_REFUSED (it goes with a request that was given up, or with other SAs than those in use while a
 * request of ours is outstanding), HIPHOP_MALFORMED (the public value), HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error rekey_take(struct host *host, const struct incoming *in, struct association *association,
	uint32_t update_id, const struct parameter_sequence_list *acks, bool *answered);
/* The peer's part with this Update ID was taken, and the rekeying given up: with one more acknowledgment the peer would
 * take keys into use that this host has no more. */
bool rekey_gave_up(const struct session *session, uint32_t update_id);
/* The request has come again: sends the same answer. False when it was not that one. */
bool rekey_answers_again(struct host *host, instant now, struct association *association, uint32_t update_id);
/* Whether one of these acknowledges our part, for the first time. */
bool rekey_waits_for(const struct session *session, const struct parameter_sequence_list *acks);
void rekey_acknowledged(
	struct host *host, instant now, struct association *association, const struct parameter_sequence_list *acks);
/* Whether this is the inbound SPI of a pair that is installed on standby. */
bool rekey_has(const struct session *session, uint32_t spi_in);
/* The pair that is installed on standby; false when there is none. */
bool rekey_standby(const struct session *session, uint32_t *spi_in, uint32_t *spi_out);
/* The peer was heard on that pair, so it has all that it needs. */
void rekey_heard(struct host *host, instant now, struct association *association);
/* Sends what was not acknowledged again when it is time, or gives up. */
void rekey_timer(struct host *host, instant now, struct association *association);
/* When rekey_timer has something to do. Only while there is a rekeying. */
instant rekey_wake(const struct association *association);
/* Ends a rekeying without new keys; what was installed for it is removed. */
void rekey_drop(struct host *host, struct session *session, const struct hit *peer);

/* key_lifetime.c */
void key_lifetime_start(struct host *host, instant now, struct association *association);
/* Sets the timer for what comes next. */
void key_lifetime_arm(struct host *host, instant now, struct association *association);
void key_lifetime_timer(struct host *host, instant now, struct association *association);
/* The limits of a pair under the keys of this suite; the soft ones a random fifth earlier. */
struct host_key_limits key_lifetime_hard(const struct host *host, uint16_t suite);
struct host_key_limits key_lifetime_soft(const struct host *host, uint16_t suite);
/* A rekeying came to nothing: the next try is later. */
void key_lifetime_rekey_failed(struct host *host, instant now, struct association *association);
/* The retired pair has had its time, unless the peer may still send by it. */
void key_lifetime_retired_timer(struct host *host, instant now, struct association *association);

/* problem.c */
/* Tells the sender of a packet by ICMP that something is wrong at `pointer`, or that it may not; at a low rate, and
 * only when it came over plain IP. The checksum of the packet is right. */
void problem_of_packet(struct host *host, const struct incoming *in, icmp_problem_kind kind, size_t pointer);
/* The same, that something is wrong, when there is no association with the sender, not even one under way. */
void problem_of_stranger(struct host *host, const struct incoming *in, size_t pointer);
/* The packet needs an association, and there is none for one of its HITs (RFC 7401 section 5.4.4). */
void problem_of_hits(struct host *host, const struct incoming *in);

/* notify.c */
/* Tells the sender of a packet what was wrong with it, when the table (notifications.h) allows it for what the sender
 * has shown, and so do the rates: by peer, by source prefix and in all. */
void notify_sender(struct host *host, const struct incoming *in, uint16_t notification, struct span data,
	notification_proof shown);
/* A NOTIFY was sent, to be counted and shown. */
void notify_note_sent(struct host *host, const struct hit *peer, uint16_t notification, struct span data);
void notify_keepalive(struct host *host, instant now, struct association *association);
/* Tells the peer of a session something, when the rates allow it. */
void notify_peer(
	struct host *host, instant now, const struct association *association, uint16_t notification, struct span data);

/* certificate_exchange.c */
/* Takes the CERT parameters of a packet proved to be of `holder`. HIPHOP_NO_MEMORY, counted. */
hiphop_error certificates_take(struct host *host, instant now, const struct packet_view *view,
	const struct host_identity *holder, struct peer_certificates **certificates);
void certificates_free(struct host *host, struct peer_certificates *certificates);
/* Takes those of a packet of the session's peer, and decides about the probation. Afterwards it may be closed. */
void certificates_came(struct host *host, const struct incoming *in, struct association *association);
/* Decides about a session on probation, when there is something to decide. Afterwards it may be closed. */
void certificates_settle(struct host *host, instant now, struct association *association);
/* CERT group and CERT ID of the one that does not hold, for INVALID_CERTIFICATE. */
struct span certificates_culprit(const struct peer_certificates *certificates, uint8_t octets[static 2]);
/* Own certificates. */
size_t certificates_count(const struct host *host);
/* Gives a session what it needs for certificates: ours from `first` on are in the R2, those below `sent` in the
 * exchange. HIPHOP_NO_MEMORY. */
hiphop_error certificates_prepare(struct host *host, struct session *session, const struct peer_certificates *theirs,
	bool probation, size_t first, size_t sent);
void certificates_progress_free(struct session *session);
bool session_on_probation(const struct session *session);
/* A session begins: what the base exchange did not carry follows. */
void certificates_begin(struct host *host, instant now, struct association *association);
void certificates_acknowledged(
	struct host *host, instant now, struct association *association, const struct parameter_sequence_list *acks);
/* Whether an UPDATE with some of ours is among these that are acknowledged. */
bool certificates_wait_for(const struct session *session, const struct parameter_sequence_list *acks);
void certificates_arm(struct host *host, struct association *association);
/* TIMER_CERTIFICATES */
void certificates_timer(struct host *host, instant now, struct association *association);

/* liveness.c */
struct esp_traffic {
	instant sent, heard; /* 0: never */
};
struct esp_traffic esp_traffic_of(const struct host *host, const struct association *association);
void liveness_start(struct host *host, instant now, struct association *association);
void liveness_timer(struct host *host, instant now, struct association *association);
/* Whether another exchange may be tried, because there was none lately or there is a path; notes that it is. */
bool liveness_may_retry(struct association *association, instant now);
/* Looks after the association now. */
void liveness_hurry(struct host *host, instant now, struct association *association);

/* overlay_path.c */
/* Decides about a packet that has OVERLAY_ID or came inside ESP. True when it is for this host. */
bool overlay_path_accepts(struct host *host, struct incoming *in);
/* Hands the effects of the DATA transport on. */
void overlay_path_pump(struct host *host);

#endif
