/* SPDX-License-Identifier: MIT */
/**
 * Vectors of packets: the unit in which data moves from end to end, never one packet at a time. A packet is changed
 * in place on its way (inner IPv6 ↔ ESP ↔ UDP datagram); head and tail room make that possible without a copy.
 */
#ifndef HIPHOP_HIP_BASE_PACKET_VECTOR_H
#define HIPHOP_HIP_BASE_PACKET_VECTOR_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stddef.h>
#include <stdint.h>

/** Packets in one vector at most. */
#define PACKET_VECTOR_MAXIMUM 64
/** Free octets before the data of a fresh packet: room for an IPv6 header, or for ESP header, IV and UDP marker. */
#define PACKET_HEADROOM 128
/** Octets of data that a fresh packet can hold, tail room for ESP padding and ICV not counted. */
#define PACKET_DATA_MAXIMUM 9000
#define PACKET_CAPACITY     (PACKET_HEADROOM + PACKET_DATA_MAXIMUM + 128)

/** What the octets of a packet are right now. */
typedef enum {
	PACKET_DROPPED = 0, /**< nothing; skip it */
	PACKET_INNER,       /**< an IPv6 packet between HITs, from or for TUN */
	PACKET_DATAGRAM,    /**< the payload of a UDP datagram of the underlay: HIP behind four zero octets, ESP, or a
			       keepalive */
	PACKET_HIP,         /**< a HIP packet (IP protocol 139 payload, or unframed) */
	PACKET_ESP,         /**< an ESP packet (IP protocol 50 payload, or unframed) */
	PACKET_CONTROL,     /**< a HIP packet that came inside ESP from `peer` (RFC 6261) */
	PACKET_MISS,        /**< an inner IPv6 packet for `peer`, to whom there is no SA yet */
	PACKET_ICMP,        /**< a message of ICMP, or of ICMPv6 without its checksum, for the underlay */
	PACKET_PROBE        /**< a question to `peer` whether a path works, or its answer; travels inside ESP
			       (hip/core/path_probe.h) */
} packet_kind;

struct packet {
	struct endpoint local;  /**< our end in the underlay; address unspecified = let the kernel choose */
	struct endpoint remote; /**< the other end in the underlay */
	struct hit peer;        /**< set for all that came out of ESP or was sealed, and for PACKET_MISS */
	uint16_t kind;          /**< packet_kind */
	uint16_t offset;        /**< where the data starts in `octets` */
	uint16_t length;        /**< octets of data */
	uint16_t copy;          /**< after sealing: not 0 when a copy is to go by another path (esp_copy_way) */
	uint8_t octets[PACKET_CAPACITY];
};

/** Some 600 KB: allocate once, keep. */
struct packet_vector {
	size_t count;
	struct packet packets[PACKET_VECTOR_MAXIMUM];
};

static inline uint8_t *packet_data(struct packet *packet)
{
	return packet->octets + packet->offset;
}

/** Makes `packet` fresh (head room free, length 0, kind dropped, endpoints zero). The octets are not touched. */
void packet_reset(struct packet *packet);
/** Puts a copy of `data` in a reset packet. HIPHOP_TOO_LARGE over PACKET_DATA_MAXIMUM; then the packet is dropped. */
hiphop_error packet_fill(struct packet *packet, packet_kind kind, const void *data, size_t length);
/** Adds a reset packet at the end and returns it, or NULL when the vector is full. */
struct packet *packet_vector_add(struct packet_vector *vector);

#endif
