/* SPDX-License-Identifier: MIT */
#include "hip/core/packet_signature.h"

#include "hip/wire/coverage.h"
#include "hip/wire/parameters.h"

#include <string.h>

hiphop_error packet_add_host_id(struct packet_builder *builder, const struct host_identity *identity)
{
	const struct parameter_host_id host_id = {
		.algorithm = host_identity_algorithm(identity),
		.host_identity = host_identity_octets(identity),
	};
	return parameter_host_id_write(builder, &host_id);
}

hiphop_error packet_reserve_signature(struct packet_builder *builder, const struct host_identity *identity)
{
	parameter_signature_reserve(builder, PARAMETER_HIP_SIGNATURE, host_identity_algorithm(identity),
		host_identity_signature_length(identity));
	return builder->error;
}

hiphop_error packet_sign(uint8_t *octets, size_t length, const struct host_identity *identity)
{
	struct packet_view packet;
	struct parameter_signature reserved;
	struct coverage coverage;
	uint8_t signature[HOST_IDENTITY_SIGNATURE_MAXIMUM];

	hiphop_error error = packet_parse(octets, length, &packet);
	if (error)
		return error;
	error = parameter_signature_read(packet_find(&packet, PARAMETER_HIP_SIGNATURE), &reserved);
	if (error)
		return error;
	if (reserved.signature.length != host_identity_signature_length(identity))
		return HIPHOP_INVALID_ARGUMENT;
	error = coverage_of_signature(&packet, &coverage);
	if (error)
		return error;
	error = host_identity_sign(identity, coverage.spans, coverage.count, signature);
	if (error)
		return error;
	memcpy(octets + (reserved.signature.data - octets), signature, reserved.signature.length);
	return HIPHOP_OK;
}

hiphop_error packet_verify_signature(const struct packet_view *packet, const struct host_identity *identity)
{
	struct parameter_signature signature;
	struct coverage coverage;

	if (parameter_signature_read(packet_find(packet, PARAMETER_HIP_SIGNATURE), &signature))
		return HIPHOP_BAD_SIGNATURE;
	if (signature.algorithm != host_identity_algorithm(identity))
		return HIPHOP_BAD_SIGNATURE;
	if (coverage_of_signature(packet, &coverage))
		return HIPHOP_BAD_SIGNATURE;
	return host_identity_verify(identity, coverage.spans, coverage.count, signature.signature);
}
