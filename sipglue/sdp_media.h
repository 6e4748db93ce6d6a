/* SPDX-License-Identifier: MIT */
/**
 * The ports that an SDP body (RFC 4566) asks a peer to send media to.
 */
#ifndef HIPHOP_SIPGLUE_SDP_MEDIA_H
#define HIPHOP_SIPGLUE_SDP_MEDIA_H

#include "sipglue/message.h"

/** Reads the m= lines of `message`, if its body is SDP: RTP port and RTCP port (the next one, or `a=rtcp`, RFC 3605, or
 * the same under `a=rtcp-mux`, RFC 5761). Returns false when it has no SDP that can be read. Streams with port 0 are
 * off. */
bool sdp_media_ports(
	const struct message *message, struct sip_media_port ports[static SIP_MEDIA_PORTS_MAXIMUM], size_t *count);

#endif
