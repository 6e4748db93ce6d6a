/* SPDX-License-Identifier: MIT */
/**
 * The edits of those who hand packets on: a forwarder of the overlay (RFC 6079 section 6.2, RFC 6028 section 3.1) and a
 * mobile router (RELAY_FROM and RELAY_TO of RFC 9028 section 5.6) in their outgoing copy of a packet. All these
 * parameters lie behind MAC and signature. After the edits, packet_set_checksum (builder.h) with the new hop.
 */
#ifndef HIPHOP_HIP_WIRE_RELAY_EDIT_H
#define HIPHOP_HIP_WIRE_RELAY_EDIT_H

#include "hip/base/endpoint.h"
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

/** Octets of RELAY_FROM or RELAY_TO in a packet. */
#define RELAYED_ENDPOINT_LENGTH 24
/**
 * Puts RELAY_FROM or RELAY_TO (`type`) with an endpoint into a packet without payload: `*length` and the header length
 * grow by RELAYED_ENDPOINT_LENGTH. `capacity` is the room at `packet`. HIPHOP_EXISTS when there is one already;
 * HIPHOP_TOO_LARGE when the parameters would pass 2008 octets, or the room ends; HIPHOP_INVALID_ARGUMENT for another
 * type or a payload; else the errors of packet_parse. On error nothing changed.
 */
hiphop_error relay_put_endpoint(
	uint8_t *packet, size_t *length, size_t capacity, uint16_t type, const struct endpoint *endpoint);
/** Takes it out again and gives the endpoint. HIPHOP_NOT_FOUND, HIPHOP_MALFORMED, HIPHOP_UNSUPPORTED (protocol). */
hiphop_error relay_take_endpoint(uint8_t *packet, size_t *length, uint16_t type, struct endpoint *endpoint);

#endif
