/* SPDX-License-Identifier: MIT */
/**
 * UDP over IPv6 between HITs: the little of a kernel that simulated phones and proxies need.
 */
#ifndef HIPHOP_TESTS_SIM_INNER_UDP_H
#define HIPHOP_TESTS_SIM_INNER_UDP_H

#include "hip/base/bytes.h"
#include "hip/base/endpoint.h"
#include "hip/base/packet_vector.h"

/** Makes `packet` an inner packet from `source` to `destination` with this payload. The checksum is right. */
void inner_udp_write(struct packet *packet, const struct endpoint *source, const struct endpoint *destination,
	const uint8_t *payload, size_t length);
/** Reads one; false when it is no UDP, or its checksum is wrong. The payload points into the packet. */
bool inner_udp_read(struct packet *packet, struct endpoint *source, struct endpoint *destination, struct span *payload);

#endif
