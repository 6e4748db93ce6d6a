/* SPDX-License-Identifier: MIT */
/**
 * HKDF (RFC 5869): what KEYMAT is made with.
 */
#ifndef HIPHOP_HIP_CRYPTO_HKDF_H
#define HIPHOP_HIP_CRYPTO_HKDF_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/crypto/hash.h"

#include <stddef.h>
#include <stdint.h>

/** Octets that Expand can give: 255 times the hash's length. */
size_t hkdf_capacity(hash_algorithm hash);

/** Extract: a pseudorandom key of hash_length() octets. Errors as hmac_spans. */
hiphop_error hkdf_extract(hash_algorithm hash, struct span salt, struct span input, uint8_t *pseudorandom_key);

/**
 * Expand: `length` octets of the output from octet `index` on. `pseudorandom_key` has hash_length() octets; `info` is
 * the concatenation of at most HKDF_INFO_SPANS_MAXIMUM spans. HIPHOP_LIMITED past hkdf_capacity(); else errors as
 * hmac_spans; on any error `out` is wiped.
 */
#define HKDF_INFO_SPANS_MAXIMUM 4
hiphop_error hkdf_expand(hash_algorithm hash, const uint8_t *pseudorandom_key, const struct span *info, size_t count,
	size_t index, uint8_t *out, size_t length);

#endif
