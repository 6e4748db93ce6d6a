/* SPDX-License-Identifier: MIT */
/**
 * Host Identities (RFC 7401 section 5.2.9) and their HITs (RFC 7401 section 3.2, RFC 7343 section 2).
 *
 * A `struct host_identity` is a public key, with or without its private key, parsed once and kept ready: verifying
 * with a kept object costs the mathematics and little else. Not changed after it is made, but it holds scratch
 * contexts: one thread at a time. The caller owns it and frees it.
 *
 * | Algorithm (HI)   | HIT Suite (RHASH) | keys                   | signature                                      |
 * |------------------|-------------------|------------------------|------------------------------------------------|
 * | 5 RSA            | 1 (SHA-256)       | 2048 to 4096 bits      | RSASSA-PSS, MGF1 and salt of RHASH's length    |
 * | 7 ECDSA          | 2 (SHA-384)       | P-256, P-384           | r | s, each as long as the curve's order       |
 * | 9 ECDSA_LOW      | 3 (SHA-1)         | secp160r1              | r | s, 21 octets each                          |
 *
 * Signatures hash with RHASH of the signer's HIT Suite. Elliptic curve HIs are curve id (2 octets) | x | y (the form
 * of RFC 6605 section 4, without a point-format octet); RSA HIs have the form of RFC 3110 section 2.
 */
#ifndef HIPHOP_HIP_CRYPTO_HOST_IDENTITY_H
#define HIPHOP_HIP_CRYPTO_HOST_IDENTITY_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/random.h"
#include "hip/crypto/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_identity;

/** What can be generated. The names for configuration are in host_identity_kind_by_name. */
typedef enum {
	HOST_IDENTITY_ECDSA_P256 = 0, /**< the default */
	HOST_IDENTITY_ECDSA_P384,
	HOST_IDENTITY_RSA_2048,
	HOST_IDENTITY_RSA_3072,
	HOST_IDENTITY_ECDSA_LOW /**< secp160r1; for tests of interworking only, too weak for use */
} host_identity_kind;

/** Octets of HI at most that host_identity_from_octets takes: RSA-4096. */
#define HOST_IDENTITY_OCTETS_MAXIMUM 521
/** Octets of the longest signature: RSA-4096. */
#define HOST_IDENTITY_SIGNATURE_MAXIMUM 512
/** Characters of PEM text at most that host_identity_from_pem takes. */
#define HOST_IDENTITY_PEM_MAXIMUM 16384

/** "ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "ecdsa-low". HIPHOP_NOT_FOUND for any other name. */
hiphop_error host_identity_kind_by_name(const char *name, host_identity_kind *kind);
const char *host_identity_kind_name(host_identity_kind kind);

/** A new key pair from the system's generator (by way of the crypto library). RSA takes up to some seconds.
 *  HIPHOP_NO_MEMORY, HIPHOP_CRYPTO, HIPHOP_INVALID_ARGUMENT for an unknown kind. */
hiphop_error host_identity_generate(host_identity_kind kind, struct host_identity **out);

/** An ECDSA P-256 key pair whose private key is drawn from `random`, and which signs with the deterministic nonces of
 *  RFC 6979: the same octets from `random` give the same identity and the same signatures. For simulations.
 *  HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error host_identity_from_seed(const struct random_source *random, struct host_identity **out);

/** Reads a private key from PEM text (PKCS#8, or the older forms; not encrypted); never touches a file or a terminal.
 *  HIPHOP_MALFORMED, HIPHOP_TOO_LARGE, HIPHOP_UNSUPPORTED (another algorithm, curve or size; an encrypted key),
 * HIPHOP_NO_MEMORY. */
hiphop_error host_identity_from_pem(const char *text, size_t length, struct host_identity **out);

/** The private key as PKCS#8 PEM text, which `openssl pkey` reads; not zero-terminated. The text is as secret as the
 *  key: free it with host_identity_pem_free, which wipes. HIPHOP_WRONG_STATE without a private key, HIPHOP_NO_MEMORY.
 */
hiphop_error host_identity_to_pem(const struct host_identity *identity, struct buffer *text);
void host_identity_pem_free(struct buffer *text);

/** A public-only identity from the Algorithm and Host Identity fields of a HOST_ID. The octets come from a stranger:
 *  every length, the curve point and the RSA numbers are checked. HIPHOP_MALFORMED, HIPHOP_TRUNCATED,
 * HIPHOP_UNSUPPORTED (unknown algorithm or curve; RSA under 2048 or over 4096 bits or with an exponent over 8 octets),
 * HIPHOP_NO_MEMORY. */
hiphop_error host_identity_from_octets(uint16_t algorithm, struct span octets, struct host_identity **out);

/** NULL is allowed. Wipes the private key. */
void host_identity_free(struct host_identity *identity);

/** The Host Identity field of HOST_ID. Owned by `identity`. */
struct span host_identity_octets(const struct host_identity *identity);
/** The Algorithm field of HOST_ID. */
uint16_t host_identity_algorithm(const struct host_identity *identity);
/** Owned by `identity`. */
const struct hit *host_identity_hit(const struct host_identity *identity);
/** HIT Suite ID, 1 to 3: the OGA nibble of the HIT. */
uint8_t host_identity_suite(const struct host_identity *identity);
/** The hash of the HIT Suite; RHASH of exchanges where this host is the Responder. */
hash_algorithm host_identity_rhash(const struct host_identity *identity);
bool host_identity_has_private_key(const struct host_identity *identity);
/** Octets of every signature by this identity. */
size_t host_identity_signature_length(const struct host_identity *identity);

/** Signs the concatenated spans into `out`, which has room for host_identity_signature_length() octets.
 *  HIPHOP_WRONG_STATE without a private key, HIPHOP_NO_MEMORY, HIPHOP_CRYPTO. */
hiphop_error host_identity_sign(
	const struct host_identity *identity, const struct span *spans, size_t count, uint8_t *out);

/** HIPHOP_BAD_SIGNATURE when it does not fit or its length is wrong; HIPHOP_NO_MEMORY. */
hiphop_error host_identity_verify(
	const struct host_identity *identity, const struct span *spans, size_t count, struct span signature);

/** HIT Suite ID of an HI algorithm (5 → 1, 7 → 2, 9 → 3); 0 for any other. */
uint8_t hit_suite_of_algorithm(uint16_t algorithm);

/** The HIT of a Host Identity, without parsing the key: the cheap check before host_identity_from_octets.
 *  HIPHOP_UNSUPPORTED for an unknown algorithm, HIPHOP_NO_MEMORY. */
hiphop_error hit_from_octets(uint16_t algorithm, struct span octets, struct hit *hit);

/** HIPHOP_BAD_IDENTITY when `hit` is not the HIT of that Host Identity; else errors as hit_from_octets. */
hiphop_error hit_check(const struct hit *hit, uint16_t algorithm, struct span octets);

#endif
