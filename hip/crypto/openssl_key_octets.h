/* SPDX-License-Identifier: MIT */
/**
 * A library key as the Algorithm and Host Identity of HOST_ID. For this layer only.
 */
#ifndef HIPHOP_HIP_CRYPTO_OPENSSL_KEY_OCTETS_H
#define HIPHOP_HIP_CRYPTO_OPENSSL_KEY_OCTETS_H

#include "hip/base/error.h"
#include "hip/crypto/host_identity.h"

#include <stddef.h>
#include <stdint.h>

struct evp_pkey_st;

/** HIPHOP_UNSUPPORTED for keys that no Host Identity can have, HIPHOP_CRYPTO, HIPHOP_NO_MEMORY. */
hiphop_error key_octets(const struct evp_pkey_st *key, uint16_t *algorithm,
	uint8_t octets[static HOST_IDENTITY_OCTETS_MAXIMUM], size_t *length);

#endif
