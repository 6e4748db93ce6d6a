/* SPDX-License-Identifier: MIT */
/**
 * Elliptic curves for the files of this layer that use OpenSSL: a table, private keys drawn from our own random source,
 * and keys to and from x | y. OpenSSL's types are only named here.
 */
#ifndef HIPHOP_HIP_CRYPTO_OPENSSL_CURVE_H
#define HIPHOP_HIP_CRYPTO_OPENSSL_CURVE_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/random.h"

#include <stddef.h>
#include <stdint.h>

struct evp_pkey_st;

/** Octets of the longest coordinate: P-521. */
#define CURVE_COORDINATE_MAXIMUM 66

/** All have cofactor 1. */
struct curve {
	const char *name; /**< as OpenSSL calls it */
	int nid;
	uint8_t coordinate_length; /**< octets of x and of y */
	uint8_t order_length;      /**< octets of a scalar, of r and of s */
	uint16_t order_bits;
};

extern const struct curve curve_p256, curve_p384, curve_p521, curve_secp160r1;

/** A private scalar, uniform in 1 … n - 1, big-endian, order_length octets. Wipe it. HIPHOP_CRYPTO when `random` gives
 * nothing usable. */
hiphop_error curve_draw_scalar(const struct curve *curve, const struct random_source *random, uint8_t *scalar);

/** A key pair from its scalar. HIPHOP_MALFORMED outside 1 … n - 1, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error curve_key_from_scalar(const struct curve *curve, const uint8_t *scalar, struct evp_pkey_st **out);

/** A public key from x | y. HIPHOP_MALFORMED when the length is wrong or it is no point of the curve, HIPHOP_NO_MEMORY.
 */
hiphop_error curve_key_from_point(const struct curve *curve, struct span point, struct evp_pkey_st **out);

/** x | y of a key: 2 * coordinate_length octets into `point`. HIPHOP_CRYPTO. */
hiphop_error curve_point_of_key(const struct curve *curve, const struct evp_pkey_st *key, uint8_t *point);

#endif
