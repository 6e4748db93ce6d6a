/* SPDX-License-Identifier: MIT */
/**
 * Who may come in on hip0. Joining an overlay must not expose every service that listens on [::]: a new inbound flow
 * passes only by a rule of `access.inbound`, or as media of a call in progress. Answers to what this host began always
 * pass.
 *
 * The filter keeps a bounded table of flows, least recently used out first. It is pure: packets and time come in, a
 * verdict comes out.
 */
#ifndef HIPHOP_DAEMON_ACCESS_H
#define HIPHOP_DAEMON_ACCESS_H

#include "daemon/configuration.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access;

/** Flows remembered at most. */
#define ACCESS_FLOW_MAXIMUM 16384
/** Media openings at most. */
#define ACCESS_MEDIA_MAXIMUM 1024

/**
 * `rules` is borrowed for the life of the filter; `sip_port` is what ACCESS_SIP opens (UDP and TCP).
 * HIPHOP_NO_MEMORY.
 */
hiphop_error access_create(const struct configured_access *rules, size_t rule_count, uint16_t sip_port,
	const struct random_source *random, struct access **access);
void access_free(struct access *access);

/** Notes the flow of a packet that this host sends to `peer`, so that its answers pass. `packet` is a whole IPv6
 * packet. */
void access_outbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length);
/**
 * Whether an IPv6 packet from `peer` may go to the applications. Packets that cannot be understood (no whole transport
 * header in a first fragment, too many extension headers) do not pass. Fragments other than the first pass: without
 * their first they are never put together.
 */
bool access_inbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length);
/** Opens or closes a local UDP port to `peer` for the media of a call. HIPHOP_NO_MEMORY, HIPHOP_LIMITED. Opening twice
 * counts twice. */
hiphop_error access_media(struct access *access, const struct hit *peer, uint16_t port, bool open);
/** Inbound packets that did not pass so far. */
uint64_t access_refused(const struct access *access);

#endif
