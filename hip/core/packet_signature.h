/* SPDX-License-Identifier: MIT */
/**
 * HIP_SIGNATURE over a whole packet (RFC 7401 section 6.4.2), for the packets that carry their own HOST_ID: DATA and
 * NOTIFY over the overlay.
 */
#ifndef HIPHOP_HIP_CORE_PACKET_SIGNATURE_H
#define HIPHOP_HIP_CORE_PACKET_SIGNATURE_H

#include "hip/base/error.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"

#include <stddef.h>
#include <stdint.h>

/** Adds the HOST_ID of `identity`, without a domain identifier. Errors as packet_builder_add. */
hiphop_error packet_add_host_id(struct packet_builder *builder, const struct host_identity *identity);
/** Adds a HIP_SIGNATURE whose octets packet_sign fills in. Errors as packet_builder_add. */
hiphop_error packet_reserve_signature(struct packet_builder *builder, const struct host_identity *identity);
/** Fills in the reserved HIP_SIGNATURE of a finished packet. HIPHOP_NOT_FOUND without one, HIPHOP_WRONG_STATE without a
 *  private key, HIPHOP_CRYPTO, HIPHOP_NO_MEMORY, errors of packet_parse. */
hiphop_error packet_sign(uint8_t *octets, size_t length, const struct host_identity *identity);
/** HIPHOP_BAD_SIGNATURE when HIP_SIGNATURE is not there, of another algorithm, or does not fit; HIPHOP_NO_MEMORY. */
hiphop_error packet_verify_signature(const struct packet_view *packet, const struct host_identity *identity);

#endif
