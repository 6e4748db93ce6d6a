/* SPDX-License-Identifier: MIT */
/**
 * The edits that a forwarder of the overlay makes in its outgoing copy of a packet (RFC 6079 section 6.2, RFC 6028
 * section 3.1). Both parameters lie behind MAC and signature. After the edits, packet_set_checksum (builder.h) with the
 * new hop.
 */
#ifndef HIPHOP_HIP_WIRE_RELAY_EDIT_H
#define HIPHOP_HIP_WIRE_RELAY_EDIT_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stddef.h>
#include <stdint.h>

/** Lowers OVERLAY_TTL by one, in place. HIPHOP_LIMITED when it is zero already: drop, NOTIFY OVERLAY_TTL_EXCEEDED.
 *  HIPHOP_NOT_FOUND without the parameter, HIPHOP_MALFORMED when it is too short; else the errors of packet_parse. */
hiphop_error relay_decrement_ttl(uint8_t *packet, size_t length);

/** Appends `hit` to ROUTE_VIA: the packet grows by 16 octets, `*length` with it, and the header length by 2; what
 * follows the parameter moves. `capacity` is the room at `packet`. HIPHOP_TOO_LARGE when there are 32 HITs already,
 * when the parameters would pass 2008 octets, or when the room ends: drop and count. HIPHOP_NOT_FOUND without ROUTE_VIA
 * (nothing to record), HIPHOP_MALFORMED when it has no whole number of HITs; else the errors of packet_parse. On error
 * nothing changed. */
hiphop_error relay_append_via(uint8_t *packet, size_t *length, size_t capacity, const struct hit *hit);

#endif
