/* SPDX-License-Identifier: MIT */
/**
 * One DATA packet of the overlay as a struct (RFC 6078 section 4, RFC 7086 section 5): built and signed, or read and
 * its PAYLOAD_MIC checked. Stateless.
 */
#ifndef HIPHOP_HIP_CORE_DATA_PACKET_H
#define HIPHOP_HIP_CORE_DATA_PACKET_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/core/overlay_route.h"
#include "hip/crypto/hash.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/packet.h"
#include "hip/wire/parameters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct data_packet {
	struct hit sender;   /**< set when read; the identity's when built */
	struct hit receiver; /**< HIT or Resource-ID */
	bool has_sequence;   /**< a message; without it, a bare acknowledgement */
	uint32_t sequence;
	struct parameter_sequence_list acknowledged; /**< count 0: none */
	uint64_t transaction;
	uint32_t overlay_id;
	uint16_t ttl; /**< 0 when read from a packet without OVERLAY_TTL */
	/** When built: ROUTE_DST, or with count 0 an empty ROUTE_VIA. When read: the way back (relay_route_back). */
	struct data_route route;
	struct span content;               /**< with has_sequence; borrowed */
	uint8_t mic[RHASH_LENGTH_MAXIMUM]; /**< when read: of the first PAYLOAD_MIC, zero-filled. Checked by
					      data_packet_verify_mic */
};

/** Builds and signs into `*octets`, owned by the caller (buffer_free). The checksum is left zero. HIPHOP_TOO_LARGE,
 *  HIPHOP_NO_MEMORY, HIPHOP_CRYPTO, HIPHOP_WRONG_STATE (no private key). */
hiphop_error data_packet_build(
	const struct data_packet *fields, const struct host_identity *identity, struct buffer *octets);

/**
 * Reads what `self` received. Checks what must be there: SEQ_DATA or ACK_DATA, PAYLOAD_MIC and a payload with SEQ_DATA,
 * OVERLAY_ID of 4 and TRANSACTION_ID of 8 octets, a Sender that is a host. No MIC and no signature is checked.
 * HIPHOP_MALFORMED.
 */
hiphop_error data_packet_read(const struct packet_view *packet, const struct hit *self, struct data_packet *fields);

/** Checks every PAYLOAD_MIC against the payload, with the hash of the sender's HIT Suite. HIPHOP_BAD_MAC,
 *  HIPHOP_UNSUPPORTED (unknown suite, or another Next Header than 253), HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error data_packet_verify_mic(const struct packet_view *packet);

#endif
