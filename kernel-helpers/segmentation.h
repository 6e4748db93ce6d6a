/* SPDX-License-Identifier: MIT */
/**
 * What a network card with segmentation offload does for TCP over IPv6, for the tunnel device: one large packet of the
 * stack is cut into segments that fit the MTU, and segments that follow one another are joined before the stack sees
 * them. (RFC 9293 section 3.1, RFC 8200 section 8.1.) Pure: no system call.
 */
#ifndef HIPHOP_KERNEL_HELPERS_SEGMENTATION_H
#define HIPHOP_KERNEL_HELPERS_SEGMENTATION_H

#include "hip/base/error.h"
#include "hip/base/packet_vector.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A TCP packet over IPv6 that is being cut. Zero it for "nothing left". */
struct superpacket {
	const uint8_t *octets; /**< borrowed until all is given out */
	size_t length;
	size_t tcp;      /**< where the TCP header starts */
	size_t header;   /**< octets of all headers, TCP options included */
	size_t segment;  /**< octets of payload in each segment but the last */
	size_t position; /**< what lies before it has been given out */
};

/** Starts to cut the IPv6 packet at `octets`, whose TCP header starts at `tcp`. HIPHOP_MALFORMED when it is no such
 *  packet or a segment of it would not fit into a packet of a vector; then nothing is left of it. */
hiphop_error superpacket_start(
	struct superpacket *superpacket, const uint8_t *octets, size_t length, size_t tcp, size_t segment);
/** True while superpacket_next has something to give. */
bool superpacket_left(const struct superpacket *superpacket);
/** Writes the next segment, with all its checksums, to a reset packet. Call while something is left. */
void superpacket_next(struct superpacket *superpacket, struct packet *packet);

/** Completes a checksum that the stack has left to the device: over everything from `start`, at start + `offset`, where
 *  the sum over the pseudo-header stands already. False, and nothing changed, when that lies outside of the packet. */
bool checksum_complete(uint8_t *octets, size_t length, size_t start, size_t offset);

/** Consecutive packets of a vector that are one packet for the stack. */
struct segment_run {
	size_t count;   /**< packets; 1 = nothing to join */
	size_t header;  /**< octets of the headers; those of the first packet are for all */
	size_t segment; /**< octets of payload in each packet but the last */
	size_t length;  /**< octets in all: the first packet and the payload of the others */
};

/**
 * Finds how many packets from `first` on are segments of one TCP flow in sequence, alike in all but sequence number,
 * PSH of the last, and checksum, with right checksums. When more than one, the headers of the first are changed to
 * those of the whole, its checksum field to the sum over the pseudo-header, as the stack expects it of a device.
 */
struct segment_run segments_join(struct packet_vector *vector, size_t first);

#endif
