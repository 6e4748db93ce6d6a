/* SPDX-License-Identifier: MIT */
/**
 * SDP (RFC 4566) that crosses a media relay: what an end says about where it wants its media, and the same description
 * with the relay in that place. Every line that says nothing of addresses stays as it is, octet for octet.
 *
 * Put in: c=, the port of m=, a=rtcp (RFC 3605), and the address in o=, by which phones tell the family. Taken out,
 * since it tells of ways past the relay: ICE (RFC 8839), alternative addresses (RFC 6947), and bundling (RFC 9143),
 * which would have one port stand for several streams.
 */
#ifndef HIPHOP_SIPGLUE_SDP_REWRITE_H
#define HIPHOP_SIPGLUE_SDP_REWRITE_H

#include "sipglue/message.h"

/** Streams (m= lines) that are read; those behind them are switched off. */
#define SDP_STREAMS_MAXIMUM 8
/** Lines of a description at most. */
#define SDP_LINES_MAXIMUM 512

/** What one m= line asks for. */
struct sdp_stream {
	bool off;               /**< port 0, or nothing that can be relayed: not over UDP, or to a multicast address */
	bool held;              /**< on hold in the old way (RFC 3264 section 8.4): nothing is to be sent there */
	struct address address; /**< unspecified when it is held, or given by a name */
	uint16_t port;          /**< of media; 0 when off */
	uint16_t control_port;  /**< of RTCP: a=rtcp, or the next one; 0 when off, or when there is none */
};

struct sdp_description {
	struct sdp_stream streams[SDP_STREAMS_MAXIMUM];
	size_t count;
};

/** True when the body is SDP by its type. */
bool sdp_is_body(const struct message *message);
/** HIPHOP_MALFORMED (no v=0, an m= or c= line that cannot be read, a stream without c=), HIPHOP_TOO_LARGE. */
hiphop_error sdp_read(struct span body, struct sdp_description *description);
/** Writes `body`, which sdp_read took, with the relay at `local`: stream i gets ports[i] for media and the next one for
 * RTCP, or is switched off where that is 0. `count` ports; further streams are switched off. HIPHOP_NO_MEMORY. Free
 * with buffer_free. */
hiphop_error sdp_write(
	struct span body, const struct address *local, const uint16_t *ports, size_t count, struct buffer *out);

#endif
