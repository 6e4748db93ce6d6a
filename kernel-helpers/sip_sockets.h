/* SPDX-License-Identifier: MIT */
/**
 * Where SIP phones reach this host: UDP and TCP at its own HIT, at ::1, at 127.0.0.1 and at addresses in local networks
 * (RFC 3261 section 18), and the TCP streams from and to there. Numbers and buffers are bounded.
 */
#ifndef HIPHOP_KERNEL_HELPERS_SIP_SOCKETS_H
#define HIPHOP_KERNEL_HELPERS_SIP_SOCKETS_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Addresses in local networks at most. */
#define SIP_MORE_PLACES 8
/** Places to listen: own HIT, ::1, 127.0.0.1, and those. */
#define SIP_PLACES (3 + SIP_MORE_PLACES)
/** Octets of one datagram or of one read of a stream at most. */
#define SIP_MESSAGE_MAXIMUM 65535
/** Octets that wait to be sent on one stream at most. */
#define SIP_STREAM_BACKLOG (256 * 1024)

struct sip_place {
	struct endpoint local;
	int datagram; /**< UDP socket, -1 when not open */
	int listener; /**< TCP listener, -1 when not open */
};

struct sip_sockets {
	struct sip_place places[SIP_PLACES];
	size_t count; /**< places that are asked for */
	uint64_t send_errors;
};

/** A SIP stream over TCP. */
struct sip_stream {
	int descriptor; /**< -1 when closed */
	bool connecting;
	struct endpoint local, remote;
	uint8_t *backlog; /**< what could not be sent yet */
	size_t backlog_length;
};

void sip_sockets_start(struct sip_sockets *sockets);
/** One more place to open: an address in a local network. Beyond SIP_MORE_PLACES, HIPHOP_LIMITED. */
hiphop_error sip_sockets_add(struct sip_sockets *sockets, const struct address *address);
/** Opens what can be opened at `port`; one of the first three places that is not there stays closed. The addresses need
 * not be there yet: what is opened works from the moment when they are. HIPHOP_EXISTS when the port is taken at
 * any of them, HIPHOP_SYSTEM when an added place, or not one, could be opened (`where`, if not NULL, says where). */
hiphop_error sip_sockets_open(
	struct sip_sockets *sockets, const struct hit *own, uint16_t port, struct endpoint *where);
void sip_sockets_close(struct sip_sockets *sockets);

/** Receives one datagram of a place into `octets` (SIP_MESSAGE_MAXIMUM of room). False when nothing waits. */
bool sip_datagram_receive(
	struct sip_sockets *sockets, size_t place, struct endpoint *remote, uint8_t *octets, size_t *length);
/** Sends from the place whose address is `local` (unspecified: the first that fits the family). Failures are counted.
 */
void sip_datagram_send(struct sip_sockets *sockets, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *octets, size_t length);

/** Takes one waiting connection. HIPHOP_NOT_FOUND when none waits, HIPHOP_NO_MEMORY, HIPHOP_SYSTEM. */
hiphop_error sip_stream_accept(const struct sip_sockets *sockets, size_t place, struct sip_stream *stream);
/** Takes one waiting connection and closes it at once: used when there are too many. False when none waits. */
bool sip_stream_reject(const struct sip_sockets *sockets, size_t place);
/** Begins a connection from the address of `local` (unspecified: the kernel chooses). HIPHOP_SYSTEM. */
hiphop_error sip_stream_connect(struct sip_stream *stream, const struct endpoint *local, const struct endpoint *remote);
/** Call when a connecting stream becomes writable. HIPHOP_SYSTEM when the connection failed. */
hiphop_error sip_stream_finish_connect(struct sip_stream *stream);
/** Reads up to `capacity` octets. HIPHOP_OK with length 0: nothing waits. HIPHOP_NOT_FOUND: the peer closed.
 * HIPHOP_SYSTEM. */
hiphop_error sip_stream_read(struct sip_stream *stream, uint8_t *octets, size_t capacity, size_t *length);
/** Sends, or keeps what the kernel does not take yet. HIPHOP_TOO_LARGE over SIP_STREAM_BACKLOG, HIPHOP_NO_MEMORY,
 * HIPHOP_SYSTEM; the stream is then to be closed. */
hiphop_error sip_stream_write(struct sip_stream *stream, const uint8_t *octets, size_t length);
/** Call when the stream is writable: sends what waits. HIPHOP_SYSTEM. */
hiphop_error sip_stream_flush(struct sip_stream *stream);
/** True while the loop should wait for the stream to become writable. */
bool sip_stream_wants_write(const struct sip_stream *stream);
void sip_stream_close(struct sip_stream *stream);

#endif
