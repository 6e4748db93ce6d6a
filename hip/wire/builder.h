/* SPDX-License-Identifier: MIT */
/**
 * Building HIP packets into a caller's buffer. The octets are a valid packet after every call (the header length is
 * kept up), so MAC and signature can be computed over them with coverage.h: reserve, parse, compute, fill in.
 *
 *     packet_builder_start(&builder, buffer, sizeof buffer, HIP_PACKET_CLOSE, 0, &sender, &receiver);
 *     parameter_opaque_write(&builder, PARAMETER_ECHO_REQUEST_SIGNED, nonce);
 *     mac = packet_builder_reserve(&builder, PARAMETER_HIP_MAC, 48);
 *     signature = parameter_signature_reserve(&builder, PARAMETER_HIP_SIGNATURE, algorithm, 64);
 *     error = packet_builder_finish(&builder, &length);
 *     … packet_parse, coverage_of_mac → mac, coverage_of_signature → signature …
 *     packet_set_checksum(buffer, length, carrier, &local, &remote);
 */
#ifndef HIPHOP_HIP_WIRE_BUILDER_H
#define HIPHOP_HIP_WIRE_BUILDER_H

#include "hip/base/bytes.h"
#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/wire/constants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Remembers its first failure: later calls return it and do nothing. */
struct packet_builder {
	struct writer writer;
	uint16_t last_type;
	bool inner;       /**< parameters only, for ENCRYPTED */
	bool has_payload; /**< no parameter may follow */
	hiphop_error error;
};

/** Writes the fixed header (version 2, Next Header 59, checksum 0). The buffer is borrowed.
 *  HIPHOP_TOO_LARGE when `capacity` is below 40. */
hiphop_error packet_builder_start(struct packet_builder *builder, void *buffer, size_t capacity, uint8_t packet_type,
	uint16_t controls, const struct hit *sender, const struct hit *receiver);
/** Starts parameters without a header: what will be encrypted into ENCRYPTED (RFC 7401 section 5.2.18). */
hiphop_error packet_builder_start_inner(struct packet_builder *builder, void *buffer, size_t capacity);

/** Adds a parameter and its zero padding.
 *   HIPHOP_INVALID_ARGUMENT  type below the last one, equal to it though it may not repeat, or a payload is already
 * there HIPHOP_TOO_LARGE         buffer full, or parameters over HIP_PARAMETERS_MAXIMUM */
hiphop_error packet_builder_add(struct packet_builder *builder, uint16_t type, const void *contents, size_t length);
/** Adds a parameter of `length` zero octets and returns where its contents are, for MACs, signatures and ciphertext to
 * be filled in later; NULL on the errors of packet_builder_add (packet_builder_finish tells which). */
uint8_t *packet_builder_reserve(struct packet_builder *builder, uint16_t type, size_t length);
/** Adds an already encoded parameter (parameter_view.encoded) as it stands, unknown types too. Errors as
 * packet_builder_add, HIPHOP_INVALID_ARGUMENT when it is not one whole parameter. */
hiphop_error packet_builder_add_encoded(struct packet_builder *builder, struct span encoded);
/** Puts a payload behind the parameters and sets Next Header. Once, last. HIPHOP_INVALID_ARGUMENT, HIPHOP_TOO_LARGE. */
hiphop_error packet_builder_payload(
	struct packet_builder *builder, uint8_t next_header, const void *data, size_t length);
/** The first error, or HIPHOP_OK and in `*length` the octets of the packet with payload (or of the inner parameters).
 */
hiphop_error packet_builder_finish(const struct packet_builder *builder, size_t *length);

/** What carries a HIP packet; decides its checksum. */
typedef enum {
	HIP_CARRIER_UDP, /**< in UDP: the checksum is zero (RFC 9028 section 5.1); addresses are not looked at */
	HIP_CARRIER_IP,  /**< IP protocol 139: pseudo-header of IPv6, or of IPv4 when both addresses are (RFC 7401
			    section 5.1.1) */
	HIP_CARRIER_ESP  /**< inside ESP (RFC 6261): IPv6 pseudo-header with the HITs of the SA's two ends as addresses
			  */
} hip_carrier;

/** A HIT as an address, for HIP_CARRIER_ESP. */
static inline struct address hit_as_address(const struct hit *hit)
{
	struct address address;

	for (size_t i = 0; i < sizeof address.octets; i++)
		address.octets[i] = hit->octets[i];
	return address;
}

/** Computes and stores the checksum; it covers pseudo-header, HIP header and parameters, not a payload (the length of
 * RFC 7401 section 5.1.1 is that of the header length field). `source` and `destination` as in the IP header that will
 * carry it; NULL is allowed for HIP_CARRIER_UDP. HIPHOP_MALFORMED when the octets are no HIP packet. */
hiphop_error packet_set_checksum(uint8_t *packet, size_t length, hip_carrier carrier, const struct address *source,
	const struct address *destination);
/** HIPHOP_BAD_CHECKSUM, HIPHOP_MALFORMED. RFC 7401 section 5.4.2: drop silently. */
hiphop_error packet_verify_checksum(const uint8_t *packet, size_t length, hip_carrier carrier,
	const struct address *source, const struct address *destination);

#endif
