/* SPDX-License-Identifier: MIT */
/**
 * The keys of a rekeying (RFC 7402 section 6.10 steps 1 to 3). Inside hip/core only.
 */
#ifndef HIPHOP_HIP_CORE_REKEY_KEYS_H
#define HIPHOP_HIP_CORE_REKEY_KEYS_H

#include "hip/core/keys.h"

/** What both ends have said. */
struct rekey_material {
	struct diffie_hellman *own_key;     /**< of the last Diffie-Hellman */
	struct span peer_public;            /**< likewise */
	struct diffie_hellman *new_own_key; /**< NULL: we have made none */
	struct span new_peer_public;        /**< length 0: the peer has sent none */
	uint16_t own_index, peer_index;     /**< KEYMAT Index of both ESP_INFO */
};

/** Whether the KEYMAT of `keys` has one more set of ESP keys at `index`, within what ESP_INFO can say. */
bool rekey_keymat_reaches(const struct exchange_keys *keys, uint32_t index);

/**
 * Makes the new ESP keys of `own` from `keys`, which are those in use before and go on with the new KEYMAT: from a new
 * KEYMAT when there is a new Diffie-Hellman key of one end or both, else from the one that is there, at the greater
 * index. The HIP keys stay. HIPHOP_LIMITED (the end of KEYMAT), HIPHOP_MALFORMED (the public value), HIPHOP_NO_MEMORY,
 * HIPHOP_CRYPTO: then `keys` and `esp` are of no use.
 */
hiphop_error rekey_derive(const struct rekey_material *material, const struct hit *own, struct exchange_keys *keys,
	struct esp_key_pair *esp);

#endif
