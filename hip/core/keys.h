/* SPDX-License-Identifier: MIT */
/**
 * The keys of one association, as both ends derive them in the base exchange (RFC 7401 section 6.5, RFC 7402
 * section 7).
 */
#ifndef HIPHOP_HIP_CORE_KEYS_H
#define HIPHOP_HIP_CORE_KEYS_H

#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/hip_cipher.h"
#include "hip/crypto/keymat.h"
#include "hip/crypto/puzzle.h"

/** Plain data with secrets inside: wipe with exchange_keys_clear. */
struct exchange_keys {
	hash_algorithm rhash;
	const struct hip_cipher *cipher;
	uint16_t suite;                     /**< ESP suite */
	uint16_t keymat_index;              /**< where the ESP keys start, for ESP_INFO */
	struct hip_keys outgoing, incoming; /**< of HIP packets */
	struct keymat keymat;               /**< behind the ESP keys, for rekeying */
	uint8_t group;                      /**< Diffie-Hellman group; with #I and #J for a new KEYMAT */
	uint8_t i[RHASH_LENGTH_MAXIMUM], j[RHASH_LENGTH_MAXIMUM];
};

/** The keys of a pair of SAs. Their home is the data plane; here they only pass through. Wipe with
 * esp_key_pair_clear. */
struct esp_key_pair {
	struct esp_keys out, in;
};

/** What both ends agreed on. */
struct exchange_agreement {
	struct diffie_hellman *own_key;
	struct span peer_public_value;
	struct puzzle_parties parties;
	struct span i, j; /**< #I and #J */
	const struct hip_cipher *cipher;
	uint16_t suite;
	struct hit own; /**< one of the parties */
};

/** Derives all keys. HIPHOP_MALFORMED (bad public value), HIPHOP_NO_MEMORY, HIPHOP_CRYPTO, HIPHOP_UNSUPPORTED. On any
 *  error `keys` and `esp` are wiped. */
hiphop_error exchange_keys_derive(
	const struct exchange_agreement *agreement, struct exchange_keys *keys, struct esp_key_pair *esp);
void exchange_keys_clear(struct exchange_keys *keys);
void esp_key_pair_clear(struct esp_key_pair *pair);

#endif
