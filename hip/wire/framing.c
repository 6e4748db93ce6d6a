/* SPDX-License-Identifier: MIT */
#include "hip/wire/framing.h"

#include <string.h>

#define KEEPALIVE_OCTET 0xff
/* SPI and sequence number. */
#define ESP_HEADER_LENGTH 8

static const uint8_t marker_octets[FRAMING_MARKER_LENGTH];

framing_kind framing_classify(const uint8_t *datagram, size_t length, struct span *contents)
{
	struct span rest = {NULL, 0};
	framing_kind kind = FRAMING_INVALID;

	if (length == 1 && datagram[0] == KEEPALIVE_OCTET) {
		kind = FRAMING_KEEPALIVE;
	} else if (length > FRAMING_MARKER_LENGTH && memcmp(datagram, marker_octets, FRAMING_MARKER_LENGTH) == 0) {
		kind = FRAMING_HIP;
		rest = (struct span){datagram + FRAMING_MARKER_LENGTH, length - FRAMING_MARKER_LENGTH};
	} else if (length >= ESP_HEADER_LENGTH) {
		kind = FRAMING_ESP;
		rest = (struct span){datagram, length};
	}
	if (contents)
		*contents = rest;
	return kind;
}

void framing_write_marker(uint8_t marker[static FRAMING_MARKER_LENGTH])
{
	memcpy(marker, marker_octets, FRAMING_MARKER_LENGTH);
}
