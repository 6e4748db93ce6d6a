/* SPDX-License-Identifier: MIT */
/**
 * KEYMAT, the keying material of an association (RFC 7401 section 6.5, RFC 7402 section 7): HKDF (RFC 5869) with RHASH
 * over Kij, salt #I | #J, info the two HITs, smaller first.
 *
 * KEYMAT is read by octet index. In a base exchange the four HIP keys come first, then four ESP keys; rekeying goes on
 * drawing ESP keys from the index in ESP_INFO, or from index 0 of a new KEYMAT when there was a new Diffie-Hellman
 * exchange.
 */
#ifndef HIPHOP_HIP_CRYPTO_KEYMAT_H
#define HIPHOP_HIP_CRYPTO_KEYMAT_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/esp_suite.h"
#include "hip/crypto/hash.h"
#include "hip/crypto/hip_cipher.h"

#include <stddef.h>
#include <stdint.h>

/** Plain data with secrets inside: wipe with keymat_clear. */
struct keymat {
	hash_algorithm rhash;
	uint8_t pseudorandom_key[RHASH_LENGTH_MAXIMUM]; /**< HKDF-Extract's output */
	struct hit lower, greater;                      /**< info */
	uint32_t index;                                 /**< octets drawn so far: where the next draw starts */
};

/**
 * Makes KEYMAT at index 0. `i` and `j` are #I and #J of the base exchange (kept by the association for later rekeying),
 * hash_length() octets each. HIPHOP_UNSUPPORTED for HASH_NONE, HIPHOP_INVALID_ARGUMENT for a wrong length,
 * HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error keymat_start(struct keymat *keymat, hash_algorithm rhash, const struct shared_secret *secret,
	struct span i, struct span j, const struct hit *hit_a, const struct hit *hit_b);
void keymat_clear(struct keymat *keymat);

/** Octets that KEYMAT has in all: 255 times RHASH's length. */
size_t keymat_capacity(const struct keymat *keymat);

/**
 * Draws `length` octets at keymat->index and moves the index on. HIPHOP_LIMITED when KEYMAT does not reach that far: a
 * new Diffie-Hellman exchange is due; then nothing is drawn. HIPHOP_NO_MEMORY, HIPHOP_CRYPTO.
 */
hiphop_error keymat_draw(struct keymat *keymat, void *out, size_t length);

/** Where to go on drawing, for ESP_INFO's KEYMAT Index. An index behind the own one would use keys twice:
 * HIPHOP_MALFORMED; HIPHOP_LIMITED past the end. */
hiphop_error keymat_advance(struct keymat *keymat, uint32_t index);

/** The keys of HIP packets in one direction. */
struct hip_keys {
	uint8_t encryption[HIP_CIPHER_KEY_MAXIMUM]; /**< hip_cipher.key_length octets */
	uint8_t integrity[RHASH_LENGTH_MAXIMUM];    /**< hash_length(rhash) octets */
};
void hip_keys_clear(struct hip_keys *keys);

/**
 * Draws the four HIP keys: HIP-gl encryption, HIP-gl integrity, HIP-lg encryption, HIP-lg integrity; `outgoing` are
 * those of `own` (either HIT of the KEYMAT), `incoming` the peer's. Errors as keymat_draw; HIPHOP_INVALID_ARGUMENT for
 * a foreign HIT.
 */
hiphop_error keymat_draw_hip_keys(struct keymat *keymat, const struct hip_cipher *cipher, const struct hit *own,
	struct hip_keys *outgoing, struct hip_keys *incoming);

/**
 * Draws the four ESP keys: SA-gl encryption, SA-gl authentication, SA-lg encryption, SA-lg authentication. Errors as
 * keymat_draw; HIPHOP_UNSUPPORTED for an unknown suite, HIPHOP_INVALID_ARGUMENT for a foreign HIT.
 */
hiphop_error keymat_draw_esp_keys(struct keymat *keymat, uint16_t suite, const struct hit *own,
	struct esp_keys *outgoing, struct esp_keys *incoming);

#endif
