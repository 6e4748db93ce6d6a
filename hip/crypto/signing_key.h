/* SPDX-License-Identifier: MIT */
/**
 * The key behind a host identity, for this layer only: what OpenSSL does, and nothing of HIP but the forms of keys
 * (RFC 3110 section 2, RFC 7401 section 5.2.9) and signatures. It signs and verifies digests.
 */
#ifndef HIPHOP_HIP_CRYPTO_SIGNING_KEY_H
#define HIPHOP_HIP_CRYPTO_SIGNING_KEY_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/random.h"
#include "hip/crypto/hash.h"
#include "hip/crypto/host_identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct signing_key;

/** Errors as the functions of host_identity.h that use them. */
hiphop_error signing_key_generate(host_identity_kind kind, struct signing_key **out);
hiphop_error signing_key_from_seed(const struct random_source *random, struct signing_key **out);
hiphop_error signing_key_from_pem(const char *text, size_t length, struct signing_key **out);
hiphop_error signing_key_from_octets(uint16_t algorithm, struct span octets, struct signing_key **out);
hiphop_error signing_key_to_pem(const struct signing_key *key, struct buffer *text);
void signing_key_free(struct signing_key *key);

/** The HI algorithm. */
uint16_t signing_key_algorithm(const struct signing_key *key);
bool signing_key_is_private(const struct signing_key *key);
size_t signing_key_signature_length(const struct signing_key *key);
/** The HI octets into `out`, which has room for HOST_IDENTITY_OCTETS_MAXIMUM. HIPHOP_UNSUPPORTED, HIPHOP_CRYPTO. */
hiphop_error signing_key_octets(const struct signing_key *key, uint8_t *out, size_t *length);

/** Chooses the hash of all digests that follow. HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. Call it once, before the next two. */
hiphop_error signing_key_prepare(struct signing_key *key, hash_algorithm hash);
/** Exactly signing_key_signature_length() octets into `out`. */
hiphop_error signing_key_sign(struct signing_key *key, struct span digest, uint8_t *out);
/** HIPHOP_BAD_SIGNATURE, HIPHOP_NO_MEMORY. */
hiphop_error signing_key_verify(struct signing_key *key, struct span digest, struct span signature);

#endif
