/* SPDX-License-Identifier: MIT */
/**
 * What MACs and signatures cover, as a list of spans over the packet's own octets (RFC 7401 section 6.4). A packet is
 * never edited for this: the spans skip the octets that count as zero or as another value and put constants in their
 * place. The same functions serve the receiver and the sender (on a built packet whose MAC and signature are still
 * placeholders).
 */
#ifndef HIPHOP_HIP_WIRE_COVERAGE_H
#define HIPHOP_HIP_WIRE_COVERAGE_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/wire/packet.h"

#include <stddef.h>

#define COVERAGE_SPANS_MAXIMUM 12

/** Feed the spans in order to the MAC or hash. They point into the packet, into static constants and
 * (coverage_of_mac_2) into the given HOST_ID; the struct may be copied. No span is empty. */
struct coverage {
	size_t count;
	struct span spans[COVERAGE_SPANS_MAXIMUM];
};

/** Octets in all spans. */
size_t coverage_length(const struct coverage *coverage);

/** Up to HIP_MAC; checksum zero, header length as if the packet ended there. HIPHOP_NOT_FOUND without HIP_MAC. */
hiphop_error coverage_of_mac(const struct packet_view *view, struct coverage *coverage);
/** Up to HIP_MAC_2, then the Responder's HOST_ID parameter exactly as it was in R1: `host_id` is all of it with Type,
 * Length and padding (parameter_view.encoded). The header length counts it. HIPHOP_NOT_FOUND without HIP_MAC_2,
 *  HIPHOP_INVALID_ARGUMENT when `host_id` is not a whole HOST_ID parameter, HIPHOP_TOO_LARGE when the sum passes the
 * header length. */
hiphop_error coverage_of_mac_2(const struct packet_view *view, struct span host_id, struct coverage *coverage);
/** Up to HIP_SIGNATURE. HIPHOP_NOT_FOUND. */
hiphop_error coverage_of_signature(const struct packet_view *view, struct coverage *coverage);
/** Up to HIP_SIGNATURE_2 of R1, with Receiver's HIT, and Opaque and Random #I of PUZZLE, zero. HIPHOP_NOT_FOUND without
 *  HIP_SIGNATURE_2 or PUZZLE, HIPHOP_MALFORMED when PUZZLE is too short or longer than PUZZLE_RANDOM_MAXIMUM allows. */
hiphop_error coverage_of_signature_2(const struct packet_view *view, struct coverage *coverage);
/** Up to RVS_HMAC (RFC 8004 section 4.2.1) or RELAY_HMAC (RFC 9028 section 5.8). HIPHOP_NOT_FOUND. */
hiphop_error coverage_of_relay_mac(const struct packet_view *view, uint16_t type, struct coverage *coverage);

#endif
