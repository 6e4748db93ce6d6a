/* SPDX-License-Identifier: MIT */
#include "daemon/identity_kind.h"

#include <stdio.h>

#define ALGORITHM_RSA   5 /* RFC 7401 section 5.2.9 */
#define ALGORITHM_ECDSA 7

const char *identity_kind_name(const struct host_identity *identity, char room[static IDENTITY_KIND_SIZE])
{
	/* A Host Identity of ECDSA is its curve in 2 octets and both coordinates. */
	const size_t p256_length = 2 + 64;
	switch (host_identity_algorithm(identity)) {
	case ALGORITHM_RSA:
		snprintf(room, IDENTITY_KIND_SIZE, "rsa-%zu", host_identity_signature_length(identity) * 8);
		break;
	case ALGORITHM_ECDSA:
		snprintf(room, IDENTITY_KIND_SIZE, "ecdsa-%s",
			host_identity_octets(identity).length > p256_length ? "p384" : "p256");
		break;
	default:
		snprintf(room, IDENTITY_KIND_SIZE, "ecdsa-low");
		break;
	}
	return room;
}
