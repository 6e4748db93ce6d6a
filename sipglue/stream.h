/* SPDX-License-Identifier: MIT */
/**
 * Streams: which are up, what waits for one that is connecting, and the cutting of octets into messages by
 * Content-Length (RFC 3261 section 18.3). Also the one place that sends, by datagram or stream.
 */
#ifndef HIPHOP_SIPGLUE_STREAM_H
#define HIPHOP_SIPGLUE_STREAM_H

#include "sipglue/engine.h"

/** Sends along `path`. A stream that is gone is replaced by another to the same place, opened when need be, and
 *  `path->connection` follows. HIPHOP_LIMITED, HIPHOP_NO_MEMORY, HIPHOP_TOO_LARGE (queue of a stream that is
 * connecting). */
hiphop_error transport_send(struct sip *sip, struct path *path, struct span octets);
/** True when the stream is up. */
bool stream_is_open(const struct sip *sip, uint32_t connection);
/** DEADLINE_STREAM passed: idle, half a message, or no connect. */
void stream_deadline(struct sip *sip, struct stream *stream);
void streams_free(struct sip *sip);

#endif
