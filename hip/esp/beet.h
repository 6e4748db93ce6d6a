/* SPDX-License-Identifier: MIT */
/**
 * The inner IPv6 header of BEET mode: taken off before sealing, made again after opening (RFC 7402 appendix B). What
 * the SA fixes (both HITs) does not travel; hop limit, traffic class and flow label are set anew at the receiver.
 */
#ifndef HIPHOP_HIP_ESP_BEET_H
#define HIPHOP_HIP_ESP_BEET_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stddef.h>
#include <stdint.h>

#define BEET_INNER_HEADER_LENGTH 40
#define BEET_PROTOCOL_NONE       59
#define BEET_PROTOCOL_HIP        139

struct beet_header {
	struct hit source, destination;
	uint16_t payload_length; /**< octets behind the header */
	uint8_t next_header;
};

/** Reads the header of an inner packet. HIPHOP_TRUNCATED, HIPHOP_MALFORMED (not IPv6, or a length that does not fit).
 */
hiphop_error beet_read(const uint8_t *packet, size_t length, struct beet_header *header);
/** Writes a header of BEET_INNER_HEADER_LENGTH octets with hop limit 64. */
void beet_write(uint8_t *packet, uint8_t next_header, uint16_t payload_length, const struct hit *source,
	const struct hit *destination);

#endif
