/* SPDX-License-Identifier: MIT */
/**
 * ECDSA with the deterministic nonces of RFC 6979, for identities made from a seed: a simulation then repeats octet by
 * octet. Not hardened against who measures its time; hosts of the real world sign by way of the library.
 */
#ifndef HIPHOP_HIP_CRYPTO_DETERMINISTIC_ECDSA_H
#define HIPHOP_HIP_CRYPTO_DETERMINISTIC_ECDSA_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/crypto/hash.h"
#include "hip/crypto/openssl_curve.h"

#include <stdint.h>

/** Signs `digest`, made with `hash`; r | s into `out`, 2 * order_length octets. `scalar` is the private key,
 *  order_length octets. Only for curves whose order fills its octets (P-256, P-384): else HIPHOP_UNSUPPORTED.
 *  HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error deterministic_ecdsa_sign(
	const struct curve *curve, const uint8_t *scalar, hash_algorithm hash, struct span digest, uint8_t *out);

#endif
