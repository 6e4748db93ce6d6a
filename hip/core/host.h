/* SPDX-License-Identifier: MIT */
/**
 * The control plane of one HIP host: its identity and its associations (RFC 7401), as an engine.
 *
 * A caller hands in what arrived (host_input), what the layers above want (host_connect, host_send_data, …) and the
 * passing of time (host_tick at host_next_wake), and after each call takes out what there is to do
 * (host_next_effect until false). The host makes no system call, reads no clock and never calls back, except for the
 * read-only questions of `struct host_environment`.
 *
 * Every packet here starts with the HIP header; the four zero octets of RFC 9028 section 5.1 and the ESP around a
 * sealed packet (RFC 6261) belong to the caller.
 */
#ifndef HIPHOP_HIP_CORE_HOST_H
#define HIPHOP_HIP_CORE_HOST_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/link_address.h"
#include "hip/base/log.h"
#include "hip/base/random.h"
#include "hip/base/time.h"
#include "hip/core/overlay_route.h"
#include "hip/crypto/certificate.h"
#include "hip/crypto/esp_suite.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/domain_identifier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

/** What a peer has shown of certificates (RFC 8002). */
typedef enum {
	HOST_CERTIFICATE_UNKNOWN = 0, /**< it had no occasion to send one yet */
	HOST_CERTIFICATE_PENDING,     /**< the rest of them is still to come */
	HOST_CERTIFICATE_NONE,        /**< it sent none */
	HOST_CERTIFICATE_INVALID,     /**< what it sent does not hold */
	HOST_CERTIFICATE_VALID
} host_certificate_state;

/** Whether this host wants an association. */
typedef enum {
	HOST_DENIED = 0,
	HOST_ALLOWED,
	/** Only with a valid certificate, and there is none. Until the peer has had its occasion this is a yes. */
	HOST_UNCERTIFIED
} host_permission;

/** Who a peer says to be, for `may_associate`. */
struct host_claim {
	bool ours;         /**< this host begins; nothing was heard of the peer yet */
	bool proved;       /**< the peer has proved to have the HIT */
	bool over_overlay; /**< its packet came through the overlay, or the I1 of its exchange did */
	host_certificate_state certificate;
	/** The Domain Identifier of its HOST_ID, once proved. The peer signed it, which proves nothing about the name.
	 */
	struct domain_identifier name;
};

/** Read-only views that the host may ask at any time, inside any call. They must not call into the host. NULL
 *  functions: the local address stays unspecified (the kernel chooses), no traffic ever, OVERLAY_NO_ROUTE, anybody. */
struct host_environment {
	void *context;
	/** The source address that the kernel would use towards `remote`; false when there is no route. */
	bool (*source_address)(void *context, const struct address *remote, struct address *source);
	/** When ESP was last sent to and last heard (opened, verified) from the peer, over all of its SAs. 0: never. */
	void (*traffic)(void *context, const struct hit *peer, instant *sent, instant *heard);
	/** When it was last heard, questions too, on the path that is used. 0: never. NULL: nobody knows. */
	instant (*heard_on_path)(void *context, const struct hit *peer);
	/** Takes octets of a HIP packet out of the credit of ESP with the peer (RFC 8046 section 5.6.1); false when it
	 * has not as many. NULL: there is none. This changes something, outside of the host. */
	bool (*spend_credit)(void *context, const struct hit *peer, instant now, size_t octets);
	/** The next overlay hop towards a HIT or Resource-ID, for a packet that came from the neighbour `arrived_from`
	 * (NULL: it starts here). When that is the destination itself, the packet starts here and goes round it: it
	 * does not answer us. Fills `next` for OVERLAY_HOP. */
	overlay_route (*next_hop)(
		void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next);
	/** Whether this host wants associations with `peer`. Asked before an I1 is sent, for an I1 that came, for an I2
	 * with a right puzzle before anything costly is done with it, and again for whoever has proved to have the HIT.
	 */
	host_permission (*may_associate)(
		void *context, instant now, const struct hit *peer, const struct host_claim *claim);
	/** Verifies the certificates of a proved peer (certificate_verify) at the wall time of `now`. NULL: nobody
	 * does. */
	void (*check_certificates)(void *context, instant now, const struct host_identity *holder,
		const struct certificate_item *items, size_t count, struct certificate_report *report);
	/** Whether another host on this machine receives ESP with this SPI: inbound SAs are found by SPI alone. Asked
	 * for each new SPI; NULL: there is no other. It may call host_has_spi of the others. */
	bool (*spi_is_taken)(void *context, uint32_t spi);
	/** How long an association with this peer stays without traffic (RFC 7402 section 3.3.7). 0, and NULL: as
	 * long as `unused_lifetime` of the configuration. */
	duration (*unused_lifetime)(void *context, const struct hit *peer);
	/** Whether this host, a mobile router, takes `peer` on board. NULL: everybody. */
	bool (*may_board)(void *context, instant now, const struct hit *peer);
};

/** Entries of a configured list of algorithms at most. */
#define HOST_ALGORITHMS_MAXIMUM 8
/** Own addresses that are kept and offered at most. */
#define HOST_ADDRESSES_MAXIMUM 8
/** Locators kept for one peer at most. */
#define HOST_LOCATORS_MAXIMUM 4
/** Associations at once when the configuration says 0. */
#define HOST_ASSOCIATIONS_DEFAULT 4096
/** Ways to a peer beside the first that are used at once at most. */
#define HOST_MORE_WAYS 3
/** Octets of a question inside ESP. */
#define HOST_PROBE_LENGTH 16
/** Octets of content that host_send_data takes at most. */
#define HOST_DATA_MAXIMUM 8192

/** What is done with several paths to a peer at once. */
typedef enum {
	HOST_PATHS_BEST = 0, /**< the best is used */
	HOST_PATHS_SPREAD,   /**< flows are spread over those that work */
	HOST_PATHS_DUPLICATE /**< small real-time packets go by the two best */
} host_paths_use;

/** How much the ESP keys of an association may be used. 0: no limit of this kind but that of the suite. */
struct host_key_limits {
	duration time;
	uint64_t packets, octets; /**< of one SA, in one direction */
};

/** Everything is copied at creation, except what is said to be borrowed. */
struct host_configuration {
	const struct host_identity *identity; /**< with its private key; borrowed, outlives the host */
	const struct random_source *random;   /**< borrowed */
	const struct log *log;                /**< borrowed; NULL = silent */
	struct host_environment environment;

	/** The identity is anonymous (RFC 7401 sections 5.1.2 and 7): all packets have the A control, an I1 with NULL
	 * Responder HIT is never answered, and there can be no part in an overlay and no name. */
	bool anonymous;
	struct domain_identifier name; /**< sent in the HOST_ID of R1 and I2 (RFC 7401 section 5.2.9); zero: none */
	/** The certificates of `identity`, sent in R1 and I2 and, where these are full, R2 and UPDATE (RFC 8002);
	 * borrowed; NULL = none. */
	const struct certificate_chain *certificates;
	bool refuse_anonymous;    /**< drop I1s and I2s that have the A control (RFC 7401 section 6.9 step 17) */
	bool refuse_opportunists; /**< answer no I1 with NULL Responder HIT (RFC 7401 section 4.1.8) */
	bool never_opportunistic; /**< host_connect_opportunistic refuses */
	bool never_icmp;          /**< no HOST_SEND_ICMP (RFC 7401 section 5.4) */

	/** Take part in the overlay: HIP rides in ESP with those who want it too, and OVERLAY_ID is sent, understood
	 * and forwarded. */
	bool overlay;
	uint32_t overlay_id; /**< RFC 6079 section 4.1 */
	uint8_t overlay_ttl; /**< of packets that start here; 0 = 32 */

	/* Preferences, best first, used as they stand: who gives a weak algorithm wants it. A count of 0 takes the
	 * default, without any that the tables of hip/crypto call weak. None stands twice. */
	uint8_t hit_suites[HOST_ALGORITHMS_MAXIMUM]; /**< of peers, and of HIT_SUITE_LIST; the own one among them */
	size_t hit_suite_count;
	uint8_t dh_groups[HOST_ALGORITHMS_MAXIMUM];
	size_t dh_group_count;
	uint8_t hip_ciphers[HOST_ALGORITHMS_MAXIMUM]; /**< at most 6 (RFC 7401 section 5.2.8) */
	size_t hip_cipher_count;
	uint8_t esp_suites[HOST_ALGORITHMS_MAXIMUM]; /**< at most 6 (RFC 7402 section 5.1.2) */
	size_t esp_suite_count;
	uint16_t transports[2]; /**< enum transport, best first: which of UDP and plain IP to use; 0 of them = UDP alone
				 */
	size_t transport_count;

	uint8_t puzzle_difficulty; /**< #K of own puzzles while all is calm, 0 to 20; RFC 7401 section 7 wants 0 */
	uint8_t puzzle_difficulty_maximum; /**< #K under load; 0 = 16, never above 20 */
	/** Own inbound SPIs have these bits of `spi_mark`, so that the edge can tell ESP that may be ours from the rest
	 * by its first octets. 0 = all bits are random; at most 16 of them should be set. */
	uint32_t spi_mask, spi_mark;
	uint16_t port;       /**< own UDP port, told to peers in LOCATOR_SET; 0 = 10500 */
	size_t associations; /**< at most; 0 = HOST_ASSOCIATIONS_DEFAULT */
	/** First R1_COUNTER (RFC 7401 section 4.1.4): greater at each start of the same identity, reboots included, by
	 * at least 1 for each second that the last run took. Wall time in seconds does. 0 = 1. */
	uint64_t r1_generation;
	/** R1s sent in all, but for a quarter more for known peers and for who comes again; 0 = 1000. One source prefix
	 * is sure of a twentieth and gets up to a quarter while most is unused. */
	uint32_t i1_per_second;
	uint32_t i2_per_second; /**< I2s with a right puzzle whose DH is computed, a quarter for a prefix; 0 = 200 */
	/** New ESP keys are asked for by UPDATE when these are reached (RFC 7402 section 6.8), or a random fifth
	 * earlier, so that both ends seldom begin at once. Time 0 = one hour; at most three quarters of `expire` and of
	 * what the suite allows (hip/core/key_lifetime.c). */
	struct host_key_limits rekey;
	/** Keys that could not be renewed are given up when these are reached, and a base exchange begins. Time 0 = a
	 * quarter of the time above later, at least a minute. */
	struct host_key_limits expire;
	/** Rekey from the KEYMAT that is there, and with a new Diffie-Hellman only when its end is near. */
	bool rekey_without_diffie_hellman;
	duration unused_lifetime; /**< UAL of RFC 7401 section 4.4.1, for associations nobody holds; 0 = 5 minutes */
	/** So long a peer may be silent, in a tunnel say, before its association is given up, while new exchanges are
	 * tried now and then; 0 = 3 minutes. */
	duration patience;
	host_paths_use paths;
	bool rekey_on_move; /**< new ESP keys and SPIs after each move to another address of ours */
	/** Be a mobile router for hosts on board: see host_use_router. `inside` are the names of the interfaces on
	 * board; hosts may come there alone, and the world is not told their addresses. None: all are inside and
	 * outside. */
	bool mobile_router;
	const char (*inside)[LINK_NAME_SIZE]; /**< borrowed */
	size_t inside_count;
};

/**
 * Makes a host without associations. `*host` is owned by the caller; host_free. The first R1s are signed here.
 * HIPHOP_NO_MEMORY, HIPHOP_CRYPTO, HIPHOP_INVALID_ARGUMENT (no identity, no private key, no random source; an ESP suite
 * without encryption in an overlay, RFC 6261 section 4; an anonymous identity in an overlay, or with a name; an
 * algorithm twice in its list), HIPHOP_REFUSED (an identity whose HIT Suite is not in the list),
 * HIPHOP_UNSUPPORTED (an algorithm in the lists that the crypto layer does not have).
 */
hiphop_error host_create(const struct host_configuration *configuration, instant now, struct host **host);
/** Frees it all, without a word to the peers (host_close_all says goodbye). NULL is allowed. */
void host_free(struct host *host);

/** This host's own HIT. */
struct hit host_hit(const struct host *host);

/* ---- something arrived ---------------------------------------------------------------------------------------- */

/** Where a HIP packet came from. */
struct host_arrival {
	struct endpoint local;  /**< our end; zero when inside_esp */
	struct endpoint remote; /**< the sender's end, transport included; zero when inside_esp */
	bool inside_esp;        /**< it was inside a verified ESP packet with next header 139 (RFC 6261) */
	struct hit neighbour;   /**< for inside_esp: the peer of that SA */
};

/** Takes one HIP packet, from the wire or out of ESP. Bad packets are counted and dropped; nothing is reported to the
 *  caller but through effects and counters. `packet` is not kept. */
void host_input(
	struct host *host, instant now, const struct host_arrival *arrival, const uint8_t *packet, size_t length);

/* ---- wishes of the layers above ------------------------------------------------------------------------------- */

/**
 * Has or makes an association with `peer` (RFC 7401 section 6.6): over the known locators, else through the overlay.
 * The outcome comes as HOST_ASSOCIATION; nothing comes when the association is already usable or under way.
 * HIPHOP_INVALID_ARGUMENT (own HIT, or not a host's), HIPHOP_REFUSED (may_associate says no), HIPHOP_NO_PROPOSAL (a HIT
 * Suite that is not in our list), HIPHOP_NOT_FOUND (no locator and no route), HIPHOP_LIMITED (too many associations),
 * HIPHOP_NO_MEMORY.
 */
hiphop_error host_connect(struct host *host, instant now, const struct hit *peer);
/**
 * Opportunistic mode (RFC 7401 section 4.1.8): an I1 with NULL Responder HIT to `remote`; the R1 is matched by address
 * and port. HOST_LEARNT_HIT tells who answered, then HOST_ASSOCIATION the outcome. When nobody answers:
 * HOST_ASSOCIATION with a zero peer and `remote` filled. An R1 with the A control is no answer (RFC 7401 section 6.8
 * step 9): the HIT of who answers is for keeping. HIPHOP_EXISTS (one pending per endpoint), HIPHOP_LIMITED,
 * HIPHOP_REFUSED (never_opportunistic).
 */
hiphop_error host_connect_opportunistic(struct host *host, instant now, const struct endpoint *remote);
/** Marks a peer as held (an overlay neighbour): kept alive and watched even without traffic, never closed for
 *  idleness. May come before the association exists; remembered until it is taken back. */
void host_hold(struct host *host, instant now, const struct hit *peer, bool hold);
/** CLOSE (RFC 7401 section 5.3.7). The SAs are removed at once. HIPHOP_NOT_FOUND. */
hiphop_error host_close(struct host *host, instant now, const struct hit *peer);
/** CLOSE to everybody, once, for a shutdown: send the effects and free the host without waiting for answers. */
void host_close_all(struct host *host, instant now);
/**
 * Notes where a peer may be reached; the newest of its kind first, HOST_LOCATORS_MAXIMUM each, the cache is bounded.
 * `configured` entries are never pushed out by learnt ones. HIPHOP_REFUSED (an address that no peer may have),
 * HIPHOP_LIMITED, HIPHOP_NO_MEMORY.
 */
hiphop_error host_learn_locator(
	struct host *host, const struct hit *peer, const struct endpoint *locator, bool configured);
/** The locators that are kept for a peer, best first, at most `capacity`; returns how many. */
size_t host_locators(const struct host *host, const struct hit *peer, struct endpoint *locators, size_t capacity);
/** Whether this host receives ESP with this SPI, or has offered it in an exchange under way. */
bool host_has_spi(const struct host *host, uint32_t spi);
/**
 * The addresses of this host, complete; what address_is_usable_locator refuses is ignored, and so is what goes beyond
 * HOST_ADDRESSES_MAXIMUM. To be called again when anything about them, or a route, has changed: associations move at
 * once to what is there now (RFC 8046, hip/core/mobility.c).
 */
void host_set_links(struct host *host, instant now, const struct link_address *links, size_t count);
/** The same, of addresses of which nothing else is known. */
void host_set_addresses(struct host *host, instant now, const struct address *addresses, size_t count);
/** ESP came in for an SPI that nobody has (a peer that still has an association from before a restart). Answers with
 *  a rate-limited NOTIFY INVALID_SPI when the peer is known by this address, else with nothing. */
void host_unknown_spi(
	struct host *host, instant now, const struct endpoint *local, const struct endpoint *remote, uint32_t spi);

/**
 * Begins to renew the ESP keys of an association by UPDATE now (RFC 7402 section 6.8), with a new Diffie-Hellman or, as
 * far as KEYMAT reaches, without. HOST_REKEYED tells when they are in use. HIPHOP_NOT_FOUND (no SAs with this peer, or
 * a base exchange is making new ones), HIPHOP_EXISTS (under way), HIPHOP_LIMITED (one was given up
 * that the peer may still wait for), HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error host_rekey(struct host *host, instant now, const struct hit *peer, bool diffie_hellman);

/** What the data plane finds out about a pair of SAs. */
typedef enum {
	HOST_SA_HEARD,      /**< the first packet came in on it */
	HOST_SA_SOFT_LIMIT, /**< a soft limit is reached */
	HOST_SA_HARD_LIMIT, /**< a hard limit is reached */
	HOST_SA_LOST,       /**< it could not be installed */
	HOST_SA_SENDS       /**< the first packet after HOST_WATCH_SA goes out */
} host_sa_notice;
/** Tells it, for the pair with this inbound SPI. Of SPIs that nobody has any more it is ignored. */
void host_note_sa(struct host *host, instant now, uint32_t spi_in, host_sa_notice notice);

/** Tells that ESP of the pair with this inbound SPI, opened and verified, came by another way than that on which it is
 *  sent: the peer has moved, or a NAT has another mapping. */
void host_note_elsewhere(
	struct host *host, instant now, uint32_t spi_in, const struct endpoint *local, const struct endpoint *remote);
/** Tells that the first ESP since HOST_MOVE_SA came in, `gap` after the last before it; 0 when there was none. */
void host_note_resumed(struct host *host, instant now, uint32_t spi_in, duration gap);
/** A question came out of the ESP of `peer`, or an answer to one of ours (hip/core/path_probe.c): HOST_PROBE_LENGTH
 *  octets, by the way from `remote` to `local`. */
void host_probe_input(struct host *host, instant now, const struct hit *peer, const struct endpoint *local,
	const struct endpoint *remote, const uint8_t octets[static HOST_PROBE_LENGTH]);

/** ESP came over plain IP that no host of this machine has an SA for: tells its sender by ICMP, at a low rate (RFC 7401
 *  section 4.3, RFC 7402 section 5.4.1). */
void host_unmatched_esp(struct host *host, instant now, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *packet, size_t length);

/* ---- mobile routers (docs/moving-networks.md) ---------------------------------------------------------------------
 */

/** How it stands with the mobile router that this host uses. */
typedef enum {
	HOST_ROUTER_NONE,        /**< none is wanted */
	HOST_ROUTER_SEEKING,     /**< there is no association with it */
	HOST_ROUTER_REGISTERING, /**< it has been asked */
	HOST_ROUTER_REGISTERED,  /**< this host is on board */
	HOST_ROUTER_LEAVING,     /**< it is still, and has taken its tickets back */
	HOST_ROUTER_REFUSED      /**< it does not take us; asked again after a while */
} host_router_state;
/** "none", "seeking" and so on. Static. */
const char *host_router_state_name(host_router_state state);

/**
 * Registers with a mobile router (RFC 8003) as soon as there is an association with it, which is sought again and
 * again. On board, all that leaves by the address where the router is goes through it; the peers are told its locators,
 * and each gets a ticket by which they believe the router where it is. NULL: leave; the tickets are taken back.
 */
void host_use_router(struct host *host, instant now, const struct hit *router);

/** ESP that a mobile router hands on. */
struct host_esp_hop {
	struct endpoint local, remote; /**< in: where it came in, and from where; out: where it goes */
	uint32_t spi;
	size_t length; /**< octets, for the counts */
};
/** Whether an ESP packet is to be handed on, between a host on board and one of its peers; then `hop` says where to.
 * False when it is for this host, or
 * nobody's. */
bool host_forward_esp(struct host *host, instant now, struct host_esp_hop *hop);

/** What a host on board is to its router. */
struct host_boarder_view {
	struct hit hit;
	struct hit carrier;             /**< the router on board that it is behind; null: none */
	struct endpoint remote;         /**< where it is; zero behind another router */
	size_t tickets;                 /**< that it gave */
	size_t unconfirmed;             /**< of these, whose peers have not answered since this router moved */
	uint64_t octets_in, octets_out; /**< of ESP for it and from it */
	instant expires;
};
/** Fills in the host on board at `index`; false beyond the last. */
bool host_boarder_at(const struct host *host, size_t index, struct host_boarder_view *view);

struct host_router_view {
	host_router_state state;
	struct hit router;
	uint8_t failure;               /**< Failure Type of REG_FAILED, when REFUSED */
	struct endpoint local, remote; /**< where it is reached, when REGISTERED */
	const struct endpoint
		*locators; /**< where it is reached by the world. Valid until the next call into the host. */
	size_t locator_count;
	instant expires;
	size_t tickets, confirmed;      /**< given to peers, and of these which they have */
	bool serves;                    /**< this host is a mobile router itself */
	size_t boarders, delegations;   /**< hosts and tickets on board of it */
	const struct endpoint *uplinks; /**< where it is reached. Valid until the next call into the host. */
	size_t uplink_count;
};
void host_router(const struct host *host, struct host_router_view *view);

/* ---- DATA for the overlay (RFC 6078, 6079) -------------------------------------------------------------------- */

/**
 * Sends contents of the peer protocol to a HIT or a Resource-ID, retransmitted until acknowledged. HOST_DATA_FAILED
 * tells when that did not work. `route` NULL: by the topology. `ttl` 0: the configured one.
 * HIPHOP_TOO_LARGE (over HOST_DATA_MAXIMUM), HIPHOP_NOT_FOUND (no route now), HIPHOP_LIMITED (too many outstanding),
 * HIPHOP_NO_MEMORY, HIPHOP_INVALID_ARGUMENT (no overlay configured).
 */
hiphop_error host_send_data(struct host *host, instant now, const struct hit *destination, uint64_t transaction,
	const struct data_route *route, uint8_t ttl, const uint8_t *content, size_t length);
/** Answers a HOST_DATA: to its sender, by its route, carrying the acknowledgement when it has not gone yet. The answer
 *  is cached for retransmissions of the request. Errors as host_send_data. */
hiphop_error host_answer_data(struct host *host, instant now, const struct hit *requester, uint64_t transaction,
	const struct data_route *route, const uint8_t *content, size_t length);

/* ---- time and effects ----------------------------------------------------------------------------------------- */

/** Does what has become due. Early calls do nothing. */
void host_tick(struct host *host, instant now);
/** When to call host_tick next; INSTANT_NEVER when nothing is pending. */
instant host_next_wake(const struct host *host);

/** States of an association (RFC 7401 section 4.4.2). */
typedef enum {
	HOST_UNASSOCIATED = 0,
	HOST_I1_SENT,
	HOST_I2_SENT,
	HOST_R2_SENT,
	HOST_ESTABLISHED,
	HOST_CLOSING,
	HOST_CLOSED,
	HOST_FAILED /**< E-FAILED */
} host_state;

/** "I1-SENT" and so on, as the RFC writes them. */
const char *host_state_name(host_state state);

typedef enum {
	/** Send `octets` (a HIP packet, checksum done, no UDP marker) from `local` to `remote`, by `remote.transport`.
	 *  An unspecified local address: let the kernel choose. */
	HOST_SEND = 1,
	/** Send `octets` (a HIP packet) inside the ESP to `peer`, with next header 139. */
	HOST_SEND_SEALED,
	/** Send `octets` (an ICMP message, or one of ICMPv6 without its checksum, as the addresses are) from `local` to
	 * `remote`: something was wrong with what came over plain IP from there (RFC 7401 section 5.4). */
	HOST_SEND_ICMP,
	/** Install the pair of SAs `sa` with `peer`. It comes before any HOST_REMOVE_SA of the pair it replaces; from
	 * now on the new outbound SA is used. */
	HOST_INSTALL_SA,
	/** All pairs with the peer of the pair with sa->spi_in now go by sa->route, the first way of which is from
	 * `local` to `remote`. When that is verified, what waited for the peer can go. */
	HOST_MOVE_SA,
	/** Tell HOST_SA_SENDS when something is sealed by the pair with sa->spi_in again. */
	HOST_WATCH_SA,
	/** Send `octets` (a question, or an answer) inside the ESP to `peer`, as a dummy packet (RFC 4303 section 2.6),
	 * from `local` to `remote`. */
	HOST_SEND_PROBE,
	/** The association with `peer` goes by another path: `handover`. */
	HOST_HANDOVER,
	/** The pair with sa->spi_in, installed on standby, is the one that sends from now on. */
	HOST_USE_SA,
	/** Remove the pair with sa->spi_in. */
	HOST_REMOVE_SA,
	/** The association with `peer` has become usable, or has ended: `association`. */
	HOST_ASSOCIATION,
	/** `peer` has not answered three UPDATEs: it is not there, or not on this path. Its SAs stand while a new
	 * exchange is tried, but who can go round it should. HOST_HEARD_AGAIN or HOST_ASSOCIATION follows. */
	HOST_SUSPECT,
	/** The association with `peer` goes on under new ESP keys: `sa` has the SPIs. */
	HOST_REKEYED,
	/** A suspected `peer` has been heard over the SAs that it had. */
	HOST_HEARD_AGAIN,
	/** Opportunistic mode: `peer` is who answers at `remote`. */
	HOST_LEARNT_HIT,
	/** DATA for this host: `data`. */
	HOST_DATA,
	/** DATA to data->receiver, data->transaction was not acknowledged: `error`. */
	HOST_DATA_FAILED,
	/** Something for `hiphop monitor`: `event`, one short lower-case phrase; `peer` and `remote` where they apply.
	 */
	HOST_EVENT,
	/** A NOTIFY went to `peer` (`outgoing`) or came from it, verified: `notification`, and its data in `octets`.
	 * Not told of keepalives. */
	HOST_NOTIFIED
} host_effect_kind;

/** Where ESP to a peer goes. */
struct host_route {
	bool unverified; /**< only as many octets as came from the peer lately (RFC 8046 section 5.6) */
	uint8_t use;     /**< host_paths_use */
	uint8_t more_count;
	struct {
		struct endpoint local, remote;
	} more[HOST_MORE_WAYS]; /**< further ways for `use` */
};

/** A pair of ESP SAs of one association (RFC 7402). Keys are wiped when the effect is taken away. */
struct host_sa {
	struct endpoint local, remote; /**< outer addresses and transport */
	uint32_t spi_in, spi_out;      /**< in the ESP packets that we receive, and that we send */
	uint8_t suite;                 /**< ESP suite, RFC 7402 section 5.1.2 */
	struct host_route route;       /**< HOST_MOVE_SA */
	struct esp_keys keys_in, keys_out;
	/** HOST_INSTALL_SA: it only receives, and the older pair sends, until HOST_USE_SA (RFC 7402 section 3.3.2). */
	bool standby;
	/** HOST_INSTALL_SA: behind `soft` of it the caller tells HOST_SA_SOFT_LIMIT; behind `hard` the SA carries
	 * nothing more, and the caller tells HOST_SA_HARD_LIMIT. In packets and encrypted octets of one direction; 0 =
	 * none. */
	struct host_key_limits soft, hard;
};

/** A change of path. */
struct host_handover {
	const char *reason;                      /**< "link gone", "deprecated", "silent" or "better path"; static */
	struct endpoint from_local, from_remote; /**< the effect's `local` and `remote` are where it goes now */
	bool resumed;                            /**< the peer is heard again, `gap` after it was last heard before */
	duration gap;
};

struct host_association_change {
	host_state state; /**< HOST_R2_SENT or HOST_ESTABLISHED: usable. HOST_FAILED, HOST_CLOSED, HOST_CLOSING: over */
	bool usable;      /**< SAs are installed, ESP may be sent; false in an exchange that ended with path "none" */
	bool carries_hip; /**< ESP as HIP_TRANSPORT_MODE was agreed (RFC 6261): the peer may be an overlay neighbour */
	bool renewed;     /**< there was a usable association before; it has been replaced */
	/** Why it ended; HIPHOP_OK when usable or closed in order. HIPHOP_TIMEOUT: nobody answered. HIPHOP_DOWNGRADED
	 * and HIPHOP_NO_PROPOSAL: nobody did as he should, and this is what was wrong with the last R1. */
	hiphop_error reason;
	bool initiator;       /**< we sent the I1 */
	uint8_t overlay_hops; /**< overlay hops that its I1 took; 0 = direct */
};

/** DATA that arrived (or failed). Pointers live as long as the effect. */
struct host_data {
	struct hit sender,
		receiver;     /**< of the HIP header; the receiver may be a Resource-ID that we are responsible for */
	struct hit neighbour; /**< whose ESP it came out of */
	uint64_t transaction; /**< TRANSACTION_ID (RFC 6078) */
	uint8_t hops;         /**< overlay hops it took: entries of ROUTE_VIA + 1 */
	uint8_t ttl;          /**< what was left of OVERLAY_TTL */
	struct data_route route; /**< the way back, for host_answer_data */
	const uint8_t *content;
	size_t length;
	const uint8_t *identity; /**< the sender's verified Host Identity (the HI field of HOST_ID) */
	size_t identity_length;
	uint16_t algorithm; /**< of that Host Identity, RFC 7401 section 5.2.9 */
};

/** Plain data. What is behind pointers is valid until the next call into the host (host_next_effect included). */
struct host_effect {
	host_effect_kind kind;
	struct hit peer;
	struct endpoint local, remote;
	const uint8_t *octets; /**< HOST_SEND, HOST_SEND_SEALED, HOST_SEND_ICMP */
	size_t length;
	hiphop_error error;
	const struct host_sa *sa;                   /**< the SA kinds; only INSTALL carries keys. HOST_REKEYED */
	struct host_association_change association; /**< HOST_ASSOCIATION */
	const struct host_data *data;               /**< HOST_DATA, HOST_DATA_FAILED */
	struct host_handover handover;              /**< HOST_HANDOVER */
	const char *event;                          /**< HOST_EVENT; static storage */
	uint16_t notification;                      /**< HOST_NOTIFIED: Notify Message Type */
	bool outgoing;                              /**< HOST_NOTIFIED */
};

/** The next thing to carry out, in order; false when there is none. */
bool host_next_effect(struct host *host, struct host_effect *effect);

/* ---- status --------------------------------------------------------------------------------------------------- */

/** One path of an association. */
struct host_path_view {
	struct endpoint local, remote;
	const char *state;  /**< "ACTIVE" …; static */
	const char *origin; /**< how the peer's locator is known; static */
	bool current;       /**< it is used */
	bool more;          /**< it is used as well (spread, duplicate) */
	uint8_t preference; /**< link_preference of our link */
	bool metered;
	uint16_t cost;
	uint16_t loss;       /**< of questions, per mille */
	duration round_trip; /**< 0 = not known */
	instant heard;       /**< 0 = never */
	instant held_until;  /**< it has failed before: until then it is not preferred to one that works; 0 = not */
};

/** The last handover of an association. */
struct host_handover_view {
	uint32_t count;     /**< in all; 0: none, and the rest is nothing */
	const char *reason; /**< of the last; static */
	instant at;
	bool resumed;
	duration gap;
	struct endpoint from_local, from_remote;
};

struct host_association_view {
	struct hit peer;
	host_state state;
	bool usable;      /**< has SAs */
	bool carries_hip; /**< as in struct host_association_change */
	bool suspect;     /**< HOST_SUSPECT was told and nothing has been heard since */
	bool held;
	bool initiator;
	const char *path;              /**< "direct" or "none" (HIP goes over the overlay, no way for ESP). Static. */
	struct endpoint local, remote; /**< of the SAs, or of the exchange under way */
	uint32_t spi_in, spi_out;      /**< 0 without SAs */
	const char *suite;             /**< name of the ESP suite, "" without SAs. Static. */
	const char *hip_cipher;        /**< agreed in the base exchange, "" before it. Static. */
	const char *dh_group;          /**< likewise */
	duration round_trip;           /**< last measured, 0 = not known */
	uint8_t overlay_hops;          /**< of its I1; 0 = direct */
	instant since;                 /**< when it came into this state */
	bool anonymous;                /**< the peer's identity has the A control: it is not to be stored */
	/** What the peer calls itself (RFC 7401 section 5.2.9), or NULL. Its own word: nothing proves it. Valid until
	 * the next call into the host. */
	const struct domain_identifier *name;
	host_certificate_state certificate_state;
	/** What came of its certificates, or NULL. Valid until the next call into the host. */
	const struct certificate_report *certificate;
	bool on_probation;                 /**< it has no ESP yet: the rest of its certificates is awaited */
	instant keyed;                     /**< when its ESP keys came into use; 0 without SAs */
	instant rekey_at, expire_at;       /**< when they are renewed for their age, and given up */
	unsigned rekeys;                   /**< how often they were renewed by UPDATE since the base exchange */
	bool rekeying;                     /**< they are being renewed */
	struct host_key_limits soft, hard; /**< of the SAs */
	struct host_handover_view handover;
	const struct endpoint *locators; /**< known, best first; valid until the next call into the host */
	size_t locator_count;
};

/** Fills `view` with the path at `index` of the association with `peer`; false beyond the last. One that has only ever
 *  had one path has that. */
bool host_path_at(const struct host *host, const struct hit *peer, size_t index, struct host_path_view *view);
size_t host_association_count(const struct host *host);
/** Fills `view` with the association at `index` (order of making), 0 to count - 1; false beyond. */
bool host_association_at(const struct host *host, size_t index, struct host_association_view *view);
/** Fills `view` with the association with `peer`; false when there is none. */
bool host_association_find(const struct host *host, const struct hit *peer, struct host_association_view *view);

/** How much strangers ask of this host, and what it asks of them (RFC 7401 section 4.1.1). */
struct host_load {
	uint8_t difficulty;                    /**< #K of puzzles now */
	uint8_t calm_difficulty, maximum;      /**< and between which it moves */
	uint32_t i1_per_second, i2_per_second; /**< that came in the last second looked at, refused ones too */
	uint32_t i1_limit, i2_limit;           /**< as configured */
	size_t associations, associations_limit;
};
void host_load(const struct host *host, struct host_load *load);

/** How often a Notify Message Type went out, and came in verified. */
struct host_notify_count {
	const char *name; /**< "unknown" for the last one, which counts all types that we do not know. Static. */
	uint64_t sent, received;
};
/** Fills in the count at `index`; false beyond the last. */
bool host_notify_count_at(const struct host *host, size_t index, struct host_notify_count *count);

/** Counters: packets in and out by type, and every reason to drop one. */
#define HOST_COUNTERS(X)                                                                                               \
	X(I1_IN, "i1_in")                                                                                              \
	X(R1_IN, "r1_in")                                                                                              \
	X(I2_IN, "i2_in")                                                                                              \
	X(R2_IN, "r2_in")                                                                                              \
	X(UPDATE_IN, "update_in")                                                                                      \
	X(NOTIFY_IN, "notify_in")                                                                                      \
	X(CLOSE_IN, "close_in")                                                                                        \
	X(CLOSE_ACK_IN, "close_ack_in")                                                                                \
	X(DATA_IN, "data_in")                                                                                          \
	X(UPDATE_PROXY_IN, "update_proxy_in")                                                                          \
	X(I1_OUT, "i1_out")                                                                                            \
	X(R1_OUT, "r1_out")                                                                                            \
	X(I2_OUT, "i2_out")                                                                                            \
	X(R2_OUT, "r2_out")                                                                                            \
	X(UPDATE_OUT, "update_out")                                                                                    \
	X(NOTIFY_OUT, "notify_out")                                                                                    \
	X(CLOSE_OUT, "close_out")                                                                                      \
	X(CLOSE_ACK_OUT, "close_ack_out")                                                                              \
	X(DATA_OUT, "data_out")                                                                                        \
	X(UPDATE_PROXY_OUT, "update_proxy_out")                                                                        \
	X(REKEY_BEGUN, "rekey_begun")                                                                                  \
	X(REKEY_ANSWERED, "rekey_answered")                                                                            \
	X(REKEY_CROSSED, "rekey_crossed")                                                                              \
	X(REKEY_DONE, "rekey_done")                                                                                    \
	X(REKEY_FAILED, "rekey_failed")                                                                                \
	X(KEYS_EXPIRED, "keys_expired")                                                                                \
	X(HANDOVER_LINK_GONE, "handover_link_gone")                                                                    \
	X(HANDOVER_DEPRECATED, "handover_deprecated")                                                                  \
	X(HANDOVER_SILENT, "handover_silent")                                                                          \
	X(HANDOVER_BETTER, "handover_better_path")                                                                     \
	X(LOCATOR_SET_OUT, "locator_set_out")                                                                          \
	X(LOCATOR_SET_IN, "locator_set_in")                                                                            \
	X(LOCATOR_OBSERVED, "locator_observed")                                                                        \
	X(CHECKS_OUT, "checks_out")                                                                                    \
	X(CHECKS_ANSWERED, "checks_answered")                                                                          \
	X(CHECKS_FAILED, "checks_failed")                                                                              \
	X(CHECKS_BEYOND_CREDIT, "checks_beyond_credit")                                                                \
	X(RESUMED, "resumed")                                                                                          \
	X(DROP_LOCATOR, "drop_locator")                                                                                \
	X(DROP_OLD_LOCATOR_SET, "drop_old_locator_set")                                                                \
	X(RETRANSMITTED, "retransmitted")                                                                              \
	X(FORWARDED, "forwarded")                                                                                      \
	X(R1_SIGNED_ON_DEMAND, "r1_signed_on_demand")                                                                  \
	X(BOARDED, "boarded")                                                                                          \
	X(BOARDING_REFUSED, "boarding_refused")                                                                        \
	X(DELEGATION_TAKEN, "delegation_taken")                                                                        \
	X(DELEGATION_REFUSED, "delegation_refused")                                                                    \
	X(TICKET_TAKEN, "ticket_taken")                                                                                \
	X(RELAYED_HIP, "relayed_hip")                                                                                  \
	X(RELAYED_ESP, "relayed_esp")                                                                                  \
	X(PROXY_MOVES, "proxy_moves")                                                                                  \
	X(PROXY_CONFIRMED, "proxy_confirmed")                                                                          \
	X(PROXY_UNANSWERED, "proxy_unanswered")                                                                        \
	X(DROP_MALFORMED, "drop_malformed")                                                                            \
	X(DROP_CHECKSUM, "drop_checksum")                                                                              \
	X(DROP_UNSUPPORTED, "drop_unsupported")                                                                        \
	X(DROP_UNKNOWN_TYPE, "drop_unknown_type")                                                                      \
	X(DROP_NOT_FOR_US, "drop_not_for_us")                                                                          \
	X(DROP_OWN_HIT, "drop_own_hit")                                                                                \
	X(DROP_NO_ASSOCIATION, "drop_no_association")                                                                  \
	X(DROP_WRONG_STATE, "drop_wrong_state")                                                                        \
	X(DROP_I1_RATE, "drop_i1_rate")                                                                                \
	X(DROP_I2_RATE, "drop_i2_rate")                                                                                \
	X(DROP_R1_RATE, "drop_r1_rate")                                                                                \
	X(DROP_UPDATE_RATE, "drop_update_rate")                                                                        \
	X(DROP_ICMP_RATE, "drop_icmp_rate")                                                                            \
	X(ICMP_OUT, "icmp_out")                                                                                        \
	X(DROP_NOTIFY_RATE, "drop_notify_rate")                                                                        \
	X(DROP_FORWARD_RATE, "drop_forward_rate")                                                                      \
	X(DROP_PUZZLE, "drop_puzzle")                                                                                  \
	X(DROP_PUZZLE_TOO_HARD, "drop_puzzle_too_hard")                                                                \
	X(DROP_OLD_R1, "drop_old_r1")                                                                                  \
	X(DROP_NO_PROPOSAL, "drop_no_proposal")                                                                        \
	X(DROP_DOWNGRADE, "drop_downgrade")                                                                            \
	X(DOWNGRADE_RESTARTS, "downgrade_restarts")                                                                    \
	X(DROP_DH, "drop_dh")                                                                                          \
	X(DROP_DECRYPTION, "drop_decryption")                                                                          \
	X(DROP_IDENTITY, "drop_identity")                                                                              \
	X(DROP_MAC, "drop_mac")                                                                                        \
	X(DROP_SIGNATURE, "drop_signature")                                                                            \
	X(DROP_POLICY, "drop_policy")                                                                                  \
	X(DROP_REPLAYED, "drop_replayed")                                                                              \
	X(DROP_ECHO, "drop_echo")                                                                                      \
	X(DROP_TOO_MANY, "drop_too_many")                                                                              \
	X(DROP_NO_MEMORY, "drop_no_memory")                                                                            \
	X(DROP_NOT_SEALED, "drop_overlay_not_sealed")                                                                  \
	X(DROP_TRANSPORT_MODE, "drop_transport_mode")                                                                  \
	X(DROP_OTHER_OVERLAY, "drop_other_overlay")                                                                    \
	X(DROP_TTL, "drop_overlay_ttl")                                                                                \
	X(DROP_ROUTE, "drop_overlay_route")                                                                            \
	X(DROP_NO_ROUTE, "drop_no_route")                                                                              \
	X(DROP_DATA, "drop_data")                                                                                      \
	X(DROP_TICKET, "drop_ticket")                                                                                  \
	X(DROP_RELAY, "drop_relay")                                                                                    \
	X(DROP_RELAY_RATE, "drop_relay_rate")                                                                          \
	X(DROP_RELAYED_ESP, "drop_relayed_esp")

typedef enum {
#define HOST_COUNTER_MEMBER(name, text) HOST_COUNT_##name,
	HOST_COUNTERS(HOST_COUNTER_MEMBER)
#undef HOST_COUNTER_MEMBER
		HOST_COUNTER_COUNT
} host_counter;

/** Since host_create. 0 for a number out of range. */
uint64_t host_counter_value(const struct host *host, host_counter counter);
/** The name in `status`, as in the list above; "" out of range. */
const char *host_counter_name(host_counter counter);

#endif
