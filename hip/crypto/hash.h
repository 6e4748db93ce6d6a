/* SPDX-License-Identifier: MIT */
/**
 * Digests and keyed digests over lists of spans: RHASH, HIP_MAC, and plain digests for who needs one by name.
 *
 * RHASH is the hash function of the Responder's HIT Suite (RFC 7401 sections 2.2 and 5.2.10). What is hashed is a list
 * of spans, so that a packet need not be edited or copied first.
 */
#ifndef HIPHOP_HIP_CRYPTO_HASH_H
#define HIPHOP_HIP_CRYPTO_HASH_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { HASH_NONE = 0, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 } hash_algorithm;

/** Octets of the longest digest here. */
#define HASH_LENGTH_MAXIMUM 64
/** Octets of the longest RHASH: SHA-384. */
#define RHASH_LENGTH_MAXIMUM 48

/** RHASH of a HIT Suite ID as in the OGA nibble: 1 SHA-256, 2 SHA-384, 3 SHA-1; HASH_NONE for any other. */
hash_algorithm rhash_of_suite(uint8_t hit_suite);
/** Octets of a digest; 0 for HASH_NONE. */
size_t hash_length(hash_algorithm algorithm);
/** By the name that configuration uses ("sha1", "sha256", "sha384", "sha512"); HASH_NONE for any other. */
hash_algorithm hash_by_name(const char *name);

/**
 * Digest of the concatenated spans into `out`, which has room for hash_length() octets.
 * HIPHOP_UNSUPPORTED for HASH_NONE, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error hash_spans(hash_algorithm algorithm, const struct span *spans, size_t count, uint8_t *out);

/** HMAC (RFC 2104) of the concatenated spans into `out`, hash_length() octets. Errors as hash_spans. */
hiphop_error hmac_spans(
	hash_algorithm algorithm, struct span key, const struct span *spans, size_t count, uint8_t *out);

/**
 * Checks an HMAC of its natural length, in constant time. HIPHOP_BAD_MAC when it does not fit or `mac` has another
 * length; else errors as hash_spans.
 */
hiphop_error hmac_verify(
	hash_algorithm algorithm, struct span key, const struct span *spans, size_t count, struct span mac);

/**
 * The same with the set-up paid once, for who hashes in a loop. One thread at a time. (OpenSSL 3.0 still allocates a
 * small state for each digest, later releases do not; a failure of that is HIPHOP_CRYPTO.)
 */
struct hash_context;
/** HIPHOP_UNSUPPORTED, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. Free with hash_context_free. */
hiphop_error hash_context_new(hash_algorithm algorithm, struct hash_context **out);
/** NULL is allowed. */
void hash_context_free(struct hash_context *context);
hiphop_error hash_context_compute(struct hash_context *context, const struct span *spans, size_t count, uint8_t *out);

struct hmac_context;
/** Copies the key. HIPHOP_UNSUPPORTED, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. Free with hmac_context_free, which wipes. */
hiphop_error hmac_context_new(hash_algorithm algorithm, struct span key, struct hmac_context **out);
/** NULL is allowed. */
void hmac_context_free(struct hmac_context *context);
hiphop_error hmac_context_compute(struct hmac_context *context, const struct span *spans, size_t count, uint8_t *out);

#endif
