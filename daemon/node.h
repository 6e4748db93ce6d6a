/* SPDX-License-Identifier: MIT */
/**
 * A whole hiphop host as one pure engine: HIP host, ESP, overlay and SIP joined, without a system call. The daemon
 * runs one of it on sockets and CLOCK_BOOTTIME; a simulation runs thousands of it on virtual time.
 *
 * The rules of every engine of hiphop hold: call an input function or node_tick, then drain node_next_effect until it
 * returns false, then arm one timer for node_next_wake. Pointers in an effect stay valid until the next call into the
 * node other than node_next_effect. Nothing calls back into the node.
 */
#ifndef HIPHOP_DAEMON_NODE_H
#define HIPHOP_DAEMON_NODE_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/ip_prefix.h"
#include "hip/base/link_address.h"
#include "hip/base/log.h"
#include "hip/base/packet_vector.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct configuration;     /* daemon/configuration.h */
struct host_identity;     /* hip/crypto/host_identity.h */
struct certificate_chain; /* hip/crypto/certificate.h */
struct certificate_authorities;

/** One thing that survives a restart. `space` says what it is ("registration", "pin", "value", "bootstrap", "member",
 * "access", "prefixes"). */
struct node_record {
	const char *space;
	const char *key;
	const uint8_t *value;
	size_t length;
	wall_milliseconds expires; /**< 0 = never */
};

struct node_environment {
	const struct configuration *configuration; /**< borrowed for the life of the node */
	const struct host_identity *identity;      /**< the first one; borrowed likewise */
	struct host_identity *const *more;         /**< by the entries of configuration->more; borrowed likewise */
	/** The certificates of the first identity and of each of `more`, count 0 for one without; NULL: none has any.
	 * Borrowed likewise. */
	const struct certificate_chain *certificates;
	const struct certificate_authorities
		*authorities;               /**< for certificates of peers; NULL: nobody; borrowed likewise */
	const struct random_source *random; /**< borrowed */
	uint32_t spi_mask, spi_mark;        /**< as in struct host_configuration */
	const struct log *log;              /**< borrowed; may be NULL */
	/** The source address the kernel would take towards `remote`; false when there is no route. Read-only, must not
	 * call the node. */
	bool (*source_address)(void *context, const struct address *remote, struct address *source);
	void *context;
};

/** Makes a node. The overlay and SIP are on its first identity (daemon/node_identities.h). It sends nothing before
 * node_start. HIPHOP_NO_MEMORY, HIPHOP_INVALID_ARGUMENT. */
hiphop_error node_create(
	const struct node_environment *environment, instant now, wall_milliseconds wall, struct node **node);
void node_free(struct node *node);
/** Hands in what the state file held; before node_start. Unknown spaces and broken values are skipped with a log line.
 */
void node_restore(struct node *node, const struct node_record *record);
/** Begins: base exchanges with the bootstrap peers, R1 pool. Call node_addresses first. */
void node_start(struct node *node, instant now);
/** Begins to leave the overlay in order: hands its values over and says goodbye. Go on running the node until
 * node_has_left. */
void node_leave(struct node *node, instant now);
/** True once the neighbours know, or after a few seconds without their answer; also without node_leave before. */
bool node_has_left(const struct node *node);
/** Sends CLOSE to all. Drain the effects afterwards, then free. */
void node_stop(struct node *node, instant now);
/** Wall time is a separate input, for stored values and logs: call it at start, and whenever the system's clock was
 * stepped or a minute has passed. */
void node_set_wall(struct node *node, instant now, wall_milliseconds wall);

/** The addresses of this host, their interfaces or the routes changed (complete list; hip0's own and loopback may be in
 * it and are skipped). */
void node_addresses(struct node *node, instant now, const struct link_address *links, size_t count);
/** Packets from the underlay: PACKET_DATAGRAM (UDP payloads), PACKET_HIP (IP protocol 139), PACKET_ESP (IP protocol
 * 50), with local and remote set. The vector is changed in place and may come back in NODE_TUNNEL_WRITE or
 * NODE_UNDERLAY_SEND. */
void node_input_underlay(struct node *node, instant now, struct packet_vector *vector);
/** PACKET_INNER packets read from TUN. Changed in place; may come back in NODE_UNDERLAY_SEND. */
void node_input_tunnel(struct node *node, instant now, struct packet_vector *vector);

/** SIP transport. `local` is the socket it came in on (own HIT, ::1, 127.0.0.1, or of sip.listen; port set). */
void node_sip_datagram(struct node *node, instant now, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *octets, size_t length);
/** A SIP stream was accepted (connection < 0x80000000, chosen by the caller, never 0), or one asked for by
 * NODE_SIP_CONNECT (>= 0x80000000) stands. */
void node_sip_stream_opened(struct node *node, instant now, uint32_t connection, const struct endpoint *local,
	const struct endpoint *remote);
void node_sip_stream_data(struct node *node, instant now, uint32_t connection, const uint8_t *octets, size_t length);
void node_sip_stream_closed(struct node *node, instant now, uint32_t connection, bool failed);

/** A datagram that came to a port of NODE_MEDIA_OPEN. */
struct node_media_arrival {
	uint64_t token;
	bool second_side; /**< at the second address, `remote` of the effect */
	bool control;     /**< at the port for RTCP */
	struct endpoint remote;
};
/** Whether it goes on, and `to` where: from the port of the same kind at the other address. Has no effects, so that a
 * vector of them can be asked about in a row. */
bool node_media_packet(struct node *node, instant now, const struct node_media_arrival *arrival, struct endpoint *to);
/** The ports of NODE_MEDIA_OPEN could not be opened. */
void node_media_failed(struct node *node, instant now, uint64_t token);

/** A request from the control socket, a JSON object such as {"command":"ping","target":"bob"} (docs/control.md). The
 *  answer comes as NODE_REPLY with the same token, at once or later; "monitor" answers many times until
 * node_command_gone. */
void node_command(struct node *node, instant now, uint64_t token, json_t *request /* borrowed */);
/** The client went away; answers for it are dropped. */
void node_command_gone(struct node *node, uint64_t token);

/** The configuration file was read again, as NODE_RELOAD with this token asked, or without a request (token 0). Takes
 * the access part of it; associations and flows that it does not forbid go on. All is copied. NULL: it could not be
 * read, and `trouble` says why, in one sentence. */
void node_reload(
	struct node *node, instant now, uint64_t token, const struct configuration *configuration, const char *trouble);

/** What came of the last NODE_ROUTE_ADD or NODE_ROUTE_REMOVE; each is to be answered, and there is one at a time. */
void node_route_answer(struct node *node, instant now, hiphop_error error);
/** Why the state file cannot be written, in words, for `status`; NULL when it can. Borrowed until the next call. */
void node_set_state_trouble(struct node *node, const char *trouble);
/** Packets that the kernel has lost since the start because a queue was full, by what the queue holds; for `status`. */
struct node_queue_losses {
	uint64_t data, control, i1;
};
void node_set_queue_losses(struct node *node, const struct node_queue_losses *losses);

void node_tick(struct node *node, instant now);
instant node_next_wake(const struct node *node);

enum node_effect_kind {
	NODE_UNDERLAY_SEND, /**< vector: packets of kind PACKET_DATAGRAM, PACKET_HIP or PACKET_ESP to send from local to
			       remote; others are to be skipped */
	NODE_TUNNEL_WRITE,  /**< vector: packets of kind PACKET_INNER to write to TUN; others are to be skipped */
	NODE_SIP_DATAGRAM,  /**< local, remote, octets */
	NODE_SIP_CONNECT,   /**< connection, local, remote: open a TCP stream from the local address (any port) */
	NODE_SIP_STREAM,    /**< connection, octets: send on the stream */
	NODE_SIP_CLOSE,     /**< connection */
	NODE_MEDIA_OPEN, /**< token, local, remote: open UDP ports at both (addresses of this host) and at the next port
			    of each, for a stream of media between them; what comes there: node_media_packet */
	NODE_MEDIA_CLOSE,  /**< token */
	NODE_PERSIST,      /**< record: store, replacing the old value of (space, key) */
	NODE_FORGET,       /**< record: delete (space, key) */
	NODE_RELOAD,       /**< token: read the configuration file again, then node_reload */
	NODE_ROUTE_ADD,    /**< prefix: route it to the tunnel device, then node_route_answer */
	NODE_ROUTE_REMOVE, /**< prefix: remove that route, then node_route_answer */
	NODE_REPLY         /**< token, text (one JSON object, no newline), last: whether the request is done */
};

struct node_effect {
	enum node_effect_kind kind;
	struct packet_vector *vector; /**< the input vector, or one of the node's own */
	struct endpoint local, remote;
	uint32_t connection;
	const uint8_t *octets;
	size_t length;
	struct node_record record;
	struct ip_prefix prefix;
	uint64_t token;
	const char *text;
	bool last;
};

/** Takes the next thing to carry out. False when there is none left. */
bool node_next_effect(struct node *node, struct node_effect *effect);

/** The status object that `hiphop status --json` prints (docs/control.md). The caller owns it; NULL without memory. */
json_t *node_status(struct node *node, instant now);

#endif
