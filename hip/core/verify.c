/* SPDX-License-Identifier: MIT */
#include "hip/core/host_internal.h"

static hiphop_error check_mac(struct host *host, const struct incoming *in, const struct exchange_keys *keys,
	uint16_t type, const struct coverage *coverage)
{
	size_t length = hash_length(keys->rhash);
	struct span mac;
	hiphop_error error = parameter_opaque_read(packet_find(&in->view, type), &mac);

	if (!error)
		error = hmac_verify(keys->rhash, (struct span){keys->incoming.integrity, length}, coverage->spans,
			coverage->count, mac);
	if (error)
		count(host, HOST_COUNT_DROP_MAC);
	return error;
}

bool mac_fits(const struct incoming *in, const struct exchange_keys *keys)
{
	const struct span key = {keys->incoming.integrity, hash_length(keys->rhash)};
	struct coverage coverage;
	struct span mac;

	return !coverage_of_mac(&in->view, &coverage) &&
	       !parameter_opaque_read(packet_find(&in->view, PARAMETER_HIP_MAC), &mac) &&
	       !hmac_verify(keys->rhash, key, coverage.spans, coverage.count, mac);
}

hiphop_error verify_mac(struct host *host, const struct incoming *in, const struct exchange_keys *keys)
{
	struct coverage coverage;
	hiphop_error error = coverage_of_mac(&in->view, &coverage);

	if (error) {
		count(host, HOST_COUNT_DROP_MAC);
		return error;
	}
	return check_mac(host, in, keys, PARAMETER_HIP_MAC, &coverage);
}

hiphop_error verify_mac_2(
	struct host *host, const struct incoming *in, const struct exchange_keys *keys, struct span host_id)
{
	struct coverage coverage;
	hiphop_error error = coverage_of_mac_2(&in->view, host_id, &coverage);

	if (error) {
		count(host, HOST_COUNT_DROP_MAC);
		return error;
	}
	return check_mac(host, in, keys, PARAMETER_HIP_MAC_2, &coverage);
}

static hiphop_error check_signature(const struct incoming *in, const struct host_identity *identity, uint16_t type)
{
	struct parameter_signature signature;
	struct coverage coverage;
	hiphop_error error = parameter_signature_read(packet_find(&in->view, type), &signature);

	if (error)
		return error;
	if (signature.algorithm != host_identity_algorithm(identity))
		return HIPHOP_BAD_SIGNATURE;
	error = type == PARAMETER_HIP_SIGNATURE_2 ? coverage_of_signature_2(&in->view, &coverage)
						  : coverage_of_signature(&in->view, &coverage);
	if (error)
		return error;
	return host_identity_verify(identity, coverage.spans, coverage.count, signature.signature);
}

hiphop_error verify_signature(
	struct host *host, const struct incoming *in, const struct host_identity *identity, uint16_t type)
{
	hiphop_error error = check_signature(in, identity, type);

	if (error)
		count(host, HOST_COUNT_DROP_SIGNATURE);
	return error;
}

hiphop_error verify_protected(struct host *host, const struct incoming *in, const struct session *session)
{
	hiphop_error error = verify_mac(host, in, &session->keys);

	return error ? error : verify_signature(host, in, session->identity, PARAMETER_HIP_SIGNATURE);
}

hiphop_error verify_identity(
	struct host *host, const struct hit *hit, const struct parameter_view *host_id, struct host_identity **identity)
{
	struct parameter_host_id read;
	hiphop_error error = parameter_host_id_read(host_id, &read);

	if (!error)
		error = hit_check(hit, read.algorithm, read.host_identity);
	if (!error)
		error = host_identity_from_octets(read.algorithm, read.host_identity, identity);
	if (error)
		count(host, error == HIPHOP_NO_MEMORY ? HOST_COUNT_DROP_NO_MEMORY : HOST_COUNT_DROP_IDENTITY);
	return error;
}
