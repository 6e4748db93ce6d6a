/* SPDX-License-Identifier: MIT */
/**
 * RSA public keys in the form of RFC 3110 section 2, for the files of this layer that use OpenSSL.
 */
#ifndef HIPHOP_HIP_CRYPTO_OPENSSL_RSA_H
#define HIPHOP_HIP_CRYPTO_OPENSSL_RSA_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct evp_pkey_st;

#define RSA_MODULUS_BITS_MINIMUM 2048
#define RSA_MODULUS_BITS_MAXIMUM 4096

/** A public key from exponent length | exponent | modulus. HIPHOP_TRUNCATED, HIPHOP_MALFORMED (leading zeros, an even
 *  number, exponent 1), HIPHOP_UNSUPPORTED (sizes outside our limits), HIPHOP_NO_MEMORY. */
hiphop_error rsa_key_from_octets(struct span octets, struct evp_pkey_st **out);

/** The octets of a key, at most `capacity`. HIPHOP_UNSUPPORTED for sizes outside our limits, HIPHOP_NO_MEMORY. */
hiphop_error rsa_octets_of_key(const struct evp_pkey_st *key, uint8_t *out, size_t capacity, size_t *length);

#endif
