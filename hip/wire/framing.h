/* SPDX-License-Identifier: MIT */
/**
 * How HIP and ESP share one UDP port (RFC 9028 section 5.1, RFC 3948 section 2).
 */
#ifndef HIPHOP_HIP_WIRE_FRAMING_H
#define HIPHOP_HIP_WIRE_FRAMING_H

#include "hip/base/bytes.h"

#include <stddef.h>
#include <stdint.h>

/** Octets of zero before a HIP packet in UDP. */
#define FRAMING_MARKER_LENGTH 4

typedef enum {
	FRAMING_INVALID,  /**< none of these: drop */
	FRAMING_HIP,      /**< four zero octets, then a HIP packet */
	FRAMING_ESP,      /**< an ESP packet: a non-zero SPI and at least a sequence number */
	FRAMING_KEEPALIVE /**< one octet 0xFF */
} framing_kind;

/** Says what a UDP payload is. `*contents` (may be NULL) is then the HIP packet without the marker, or the whole ESP
 *  packet; else empty. */
framing_kind framing_classify(const uint8_t *datagram, size_t length, struct span *contents);
/** Writes the marker before a HIP packet. */
void framing_write_marker(uint8_t marker[static FRAMING_MARKER_LENGTH]);

#endif
