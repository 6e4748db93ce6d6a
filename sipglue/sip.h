/* SPDX-License-Identifier: MIT */
/**
 * The SIP registrar and proxy of one host, as an engine: it opens no socket, reads no clock and draws no number.
 *
 * Phones of this host register here (RFC 3261 section 10); their Addresses-of-Record are stored in the overlay through
 * SIP_STORE. A request to a name that is not registered here is looked up through SIP_RESOLVE and forwarded to the
 * proxy at the owner's HIT (section 16). All transactions are stateful (section 17, RFC 6026).
 *
 * libosip2 parses and prints messages; the transactions are our own, because those of libosip2 read the clock, call
 * lrand48, keep a global state and lack the Accepted states of RFC 6026.
 *
 * Local addresses. The daemon keeps one UDP socket and one TCP listener, on `port`, at each of: the own HIT, ::1,
 * 127.0.0.1 (as ::ffff:127.0.0.1), and the address of each of `networks`. Each effect that sends says in `local` from
 * which of them; `local.port` is `port` for datagrams and 0 (the kernel chooses) for SIP_STREAM_CONNECT. The field
 * `transport` of an endpoint is not used here and is 0.
 *
 * An Address-of-Record is text without scheme, domain in lower case: "bob@example.com" (RFC 7904 section 2).
 *
 * After every call that takes `now`: drain sip_next_effect, then set the timer from sip_next_wake.
 */
#ifndef HIPHOP_SIPGLUE_SIP_H
#define HIPHOP_SIPGLUE_SIP_H

#include "hip/base/bytes.h"
#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/log.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The port of SIP over UDP and TCP (RFC 3261 section 19.1.2). */
#define SIP_PORT 5060
/** Largest message, in octets, on datagrams and streams alike. */
#define SIP_MESSAGE_MAXIMUM 65535
/** Room for an Address-of-Record or a contact URI, with its zero. */
#define SIP_TEXT_SIZE 256
/** Targets of one Address-of-Record, and branches of one forked request, at most. */
#define SIP_FORKS_MAXIMUM 10
/** Media ports of one call at most. */
#define SIP_MEDIA_PORTS_MAXIMUM 16
/** UDP ports of relayed media, at the addresses of this host between which it goes: pairs, media on the even port.
 * Below those that the kernel hands out. */
#define SIP_RELAY_PORT_FIRST 20000
#define SIP_RELAY_PORT_LAST  21999
/** Names of streams: those the engine opens have this bit set, those the daemon accepted must not have it. */
#define SIP_CONNECTION_OWN 0x80000000U

/** Local networks with phones at most. */
#define SIP_NETWORKS_MAXIMUM 8

struct sip;

/** A local network whose phones know nothing of HIP. They reach the proxy at `address`; served is who comes from the
 * same `prefix_length` bits (of 128: those of IPv4 stand behind ::ffff:0:0/96). */
struct sip_network {
	struct address address;
	uint8_t prefix_length;
};

/** A zero field takes the default in brackets. */
struct sip_limits {
	uint32_t registrations;     /**< Addresses-of-Record registered here [256] */
	uint32_t transactions;      /**< server and client transactions together [4096] */
	uint32_t transactions_peer; /**< server transactions that one remote address may hold [512] */
	uint32_t calls;             /**< calls followed for their media [256] */
	uint32_t connections;       /**< streams [128] */
	uint32_t minimum_expires_s; /**< shorter registrations get 423 [60] */
	uint32_t maximum_expires_s; /**< longer ones are cut to this [7200] */
	uint32_t default_expires_s; /**< when a phone asks for none [3600] */
};

struct sip_configuration {
	const char *domain; /**< the overlay's domain, e.g. "example.com"; copied */
	struct hit self;
	uint16_t port;                      /**< 0 = SIP_PORT */
	const struct random_source *random; /**< borrowed */
	const struct log *log;              /**< borrowed; may be NULL */
	struct sip_limits limits;
	const struct sip_network *networks; /**< copied */
	size_t network_count;
};

/** HIPHOP_NO_MEMORY; HIPHOP_INVALID_ARGUMENT without domain or random, with a domain over 200 octets, or with more than
 * SIP_NETWORKS_MAXIMUM networks. */
hiphop_error sip_create(const struct sip_configuration *configuration, struct sip **sip);
/** Frees all; says nothing to phones. NULL is allowed. */
void sip_free(struct sip *sip);

/* ---- Transport ---- */

/** A datagram of `length` octets came from `remote` to our socket `local`. The octets are copied as needed. */
void sip_input_datagram(struct sip *sip, instant now, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *octets, size_t length);
/** A stream is up: accepted (`connection` without SIP_CONNECTION_OWN), or the one that SIP_STREAM_CONNECT asked for. */
void sip_stream_opened(
	struct sip *sip, instant now, uint32_t connection, const struct endpoint *local, const struct endpoint *remote);
/** The next octets of a stream. Messages are cut by Content-Length (RFC 3261 section 18.3). */
void sip_input_stream(struct sip *sip, instant now, uint32_t connection, const uint8_t *octets, size_t length);
/** A stream ended, or its connect failed (`failed`). Not to be called after SIP_STREAM_CLOSE for it. */
void sip_stream_closed(struct sip *sip, instant now, uint32_t connection, bool failed);
/** `peer` cannot be reached (its association failed): requests on their way to it fail now with 503 (section 16.9). */
void sip_peer_unreachable(struct sip *sip, instant now, const struct hit *peer);

/** A datagram that came to a port of SIP_RELAY_OPEN. */
struct sip_relay_arrival {
	uint64_t token;
	bool second_side; /**< at the second of its two addresses */
	bool control;     /**< at the port for RTCP */
	struct endpoint remote;
};
/** Whether it goes on, and `to` where: from the port of the same kind (media, RTCP) at the other address. To be asked
 * for each datagram; says nothing of its contents. */
bool sip_relay_packet(struct sip *sip, instant now, const struct sip_relay_arrival *arrival, struct endpoint *to);
/** The ports of SIP_RELAY_OPEN could not be opened; no SIP_RELAY_CLOSE follows. */
void sip_relay_failed(struct sip *sip, instant now, uint64_t token);

/* ---- Answers of the layers above ---- */

/** One place where an Address-of-Record is served. */
struct sip_target {
	struct hit hit; /**< the host whose proxy serves it; unused when `aor` is set */
	const char
		*aor; /**< NULL, or another Address-of-Record of our domain to look up instead (sip_registration_uri) */
};

/** Answers SIP_RESOLVE. HIPHOP_OK with `count` ≥ 1 targets (over SIP_FORKS_MAXIMUM are ignored); HIPHOP_NOT_FOUND →
 * 404; HIPHOP_REFUSED (the name is pinned to another HIT) → 403; HIPHOP_TIMEOUT → 504; anything else → 500. */
void sip_resolved(struct sip *sip, instant now, uint64_t token, hiphop_error error, const struct sip_target *targets,
	size_t count);
/** Answers SIP_STORE. HIPHOP_OK → 200; HIPHOP_REFUSED (somebody else owns the name) → 403; HIPHOP_TIMEOUT → 504;
 *  anything else → 500. */
void sip_stored(struct sip *sip, instant now, uint64_t token, hiphop_error error);
/** Answers SIP_VERIFY_CALLER. HIPHOP_OK: the name belongs to that HIT, and the request goes on; HIPHOP_TIMEOUT → 504;
 *  anything else (other owner, unknown name) → 403. */
void sip_caller_verified(struct sip *sip, instant now, uint64_t token, hiphop_error error);

/** What was believed about `aor` no longer holds (its pin was changed): answers that are kept are forgotten. */
void sip_forget_name(struct sip *sip, instant now, const char *aor);

/** Brings a registration back after a restart and asks for its record to be stored again. `contact` is a SIP URI,
 *  `quality` its q value times 1000, `expires_s` what is left of its life. HIPHOP_MALFORMED for a bad name or contact,
 *  HIPHOP_LIMITED, HIPHOP_NO_MEMORY. */
hiphop_error sip_restore_registration(
	struct sip *sip, instant now, const char *aor, const char *contact, uint16_t quality, uint32_t expires_s);

/* ---- Time ---- */

void sip_tick(struct sip *sip, instant now);
/** When to call sip_tick next, or INSTANT_NEVER. */
instant sip_next_wake(const struct sip *sip);

/* ---- What the daemon carries out ---- */

typedef enum {
	SIP_SEND_DATAGRAM,  /**< `octets` from `local` to `remote` */
	SIP_STREAM_CONNECT, /**< open a stream named `connection` from `local` to `remote`; answer with
			       sip_stream_opened or _closed */
	SIP_STREAM_SEND,    /**< `octets` on `connection`, after what was sent before; the daemon queues */
	SIP_STREAM_CLOSE,   /**< close `connection` once what was sent has left; nothing more is heard of it */
	SIP_RESOLVE,        /**< look `aor` up (answer with `token` within 10 s; we give up after that) */
	SIP_STORE,   /**< store record `octets` (RFC 7904 SipRegistration) under `aor` for `lifetime_s`; answer with
			`token` */
	SIP_UNSTORE, /**< nobody is registered for `aor` here any longer: take our record away */
	SIP_VERIFY_CALLER, /**< does `aor` belong to `hit`? answer with `token` */
	SIP_MEDIA_OPEN, /**< let `hit` reach `ports` here while call `call_id` lasts; replaces the ports given before */
	SIP_MEDIA_CLOSE, /**< call `call_id` with `hit` is over: forget its ports */
	SIP_RELAY_OPEN,  /**< open UDP ports at `local` and at `remote`, both addresses of this host, and at the next
			    port of each: a stream of media named `token` goes between them (sip_relay_packet) */
	SIP_RELAY_CLOSE, /**< close the ports of `token` */
	SIP_PERSIST_REGISTRATION, /**< keep (`aor`, `contact`) with `quality` and `lifetime_s`, or forget it when
				     `remove` */
	SIP_EVENT /**< `event` for monitors: `aor` is the user, `contact` or `hit`, `call_id`, `status` as they apply */
} sip_effect_kind;

typedef enum {
	SIP_EVENT_REGISTERED,    /**< aor, contact, lifetime_s */
	SIP_EVENT_UNREGISTERED,  /**< aor, contact: the phone took it back */
	SIP_EVENT_EXPIRED,       /**< aor, contact */
	SIP_EVENT_CALL_STARTED,  /**< aor = the called name or URI, contact = the caller's URI, hit = peer (or own),
				    call_id */
	SIP_EVENT_CALL_ANSWERED, /**< the same, with status 200 */
	SIP_EVENT_CALL_FAILED,   /**< the same, with the final status */
	SIP_EVENT_CALL_ENDED     /**< hit, call_id */
} sip_event;

/** The word of an event for JSON: "sip-registered", "call-started" … Static storage. */
const char *sip_event_text(sip_event event);

struct sip_media_port {
	uint16_t port;
	uint8_t protocol; /**< 17 = UDP, 6 = TCP */
};

/** Plain data; which fields count is said at each kind, the rest is zero. Text is never NULL when it counts. */
struct sip_effect {
	sip_effect_kind kind;
	struct endpoint local, remote;
	uint32_t connection;
	struct span octets;
	uint64_t token;
	const char *aor;
	const char *contact;
	const char *call_id;
	uint32_t lifetime_s;
	uint16_t quality; /**< q value times 1000 */
	bool remove;
	struct hit hit;
	struct sip_media_port ports[SIP_MEDIA_PORTS_MAXIMUM];
	size_t port_count;
	sip_event event;
	uint16_t status;
};

/** Takes the next effect out; false when there is none. Its pointers stay valid until the next call into the engine. */
bool sip_next_effect(struct sip *sip, struct sip_effect *effect);

/* ---- Status ---- */

struct sip_registration_status {
	const char *aor;
	const char *contact;
	uint16_t quality;
	uint32_t expires_s;
};
/** Calls `visit` for each contact, in order of registration. Text is valid during the visit. */
void sip_walk_registrations(const struct sip *sip, instant now,
	void (*visit)(void *context, const struct sip_registration_status *status), void *context);

struct sip_call_status {
	const char *call_id;
	const char *caller; /**< URI of the From */
	const char *callee; /**< URI of the To */
	struct hit peer;    /**< the other host, or our own HIT for a call inside this host */
	bool answered;
	uint32_t age_s;
};
/** Calls `visit` for each call, oldest first. Text is valid during the visit. */
void sip_walk_calls(const struct sip *sip, instant now,
	void (*visit)(void *context, const struct sip_call_status *status), void *context);

/** A stream of media that is relayed, and its two ends. */
struct sip_relay_status {
	const char *call_id;
	uint16_t port; /**< ours, at both addresses; RTCP is on the next */
	struct sip_relay_end_status {
		struct address local;
		struct endpoint remote; /**< where its media goes; port 0 while that is not known */
		uint64_t packets;       /**< that came from there */
		uint64_t refused;       /**< that came to its port from elsewhere */
	} ends[2];
};
/** Calls `visit` for each stream. Text is valid during the visit. */
void sip_walk_relays(
	const struct sip *sip, void (*visit)(void *context, const struct sip_relay_status *status), void *context);

struct sip_counters {
	uint64_t requests_in, responses_in; /**< parsed */
	uint64_t malformed;                 /**< could not be parsed, or over a limit of the parser */
	uint64_t retransmissions_in;        /**< absorbed by a transaction */
	uint64_t retransmissions_out;       /**< sent again by us */
	uint64_t forwarded;                 /**< requests sent on, one per branch */
	uint64_t refused;         /**< answered 403: foreign REGISTER, unproven caller, relaying for strangers */
	uint64_t limited;         /**< dropped or answered 503 because of a limit */
	uint64_t stray_responses; /**< without a transaction (dropped, RFC 6026 section 7.2) */
	uint64_t relayed;         /**< datagrams of media that went on */
	uint64_t relay_refused;   /**< from somebody who is no end of the call */
	uint64_t relay_limited;   /**< relays, streams and datagrams over a limit */
	uint64_t relay_failed;    /**< streams whose ports could not be opened */
	uint64_t lost_for_memory; /**< messages or effects lost because memory was short */
	uint32_t registrations, calls, transactions, connections; /**< now */
};
struct sip_counters sip_counters(const struct sip *sip);

#endif
