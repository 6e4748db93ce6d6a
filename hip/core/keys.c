/* SPDX-License-Identifier: MIT */
#include "hip/core/keys.h"

#include "hip/base/bytes.h"

#include <string.h>

static hiphop_error draw_all(
	const struct exchange_agreement *agreement, struct exchange_keys *keys, struct esp_key_pair *esp)
{
	hiphop_error error = keymat_draw_hip_keys(
		&keys->keymat, agreement->cipher, &agreement->own, &keys->outgoing, &keys->incoming);

	if (error)
		return error;
	keys->keymat_index = (uint16_t)keys->keymat.index;
	return keymat_draw_esp_keys(&keys->keymat, agreement->suite, &agreement->own, &esp->out, &esp->in);
}

hiphop_error exchange_keys_derive(
	const struct exchange_agreement *agreement, struct exchange_keys *keys, struct esp_key_pair *esp)
{
	const struct puzzle_parties *parties = &agreement->parties;
	struct shared_secret secret;
	hiphop_error error;

	keys->rhash = parties->rhash;
	keys->cipher = agreement->cipher;
	keys->suite = agreement->suite;
	keys->group = diffie_hellman_group_id(agreement->own_key);
	error = diffie_hellman_agree(agreement->own_key, agreement->peer_public_value, &secret);
	if (!error)
		error = keymat_start(&keys->keymat, parties->rhash, &secret, agreement->i, agreement->j,
			&parties->initiator, &parties->responder);
	shared_secret_clear(&secret);
	if (!error)
		error = draw_all(agreement, keys, esp);
	if (!error) {
		/* keymat_start has checked the lengths. */
		memcpy(keys->i, agreement->i.data, agreement->i.length);
		memcpy(keys->j, agreement->j.data, agreement->j.length);
	}
	if (error) {
		exchange_keys_clear(keys);
		esp_key_pair_clear(esp);
	}
	return error;
}

void exchange_keys_clear(struct exchange_keys *keys)
{
	bytes_wipe(keys, sizeof *keys);
}

void esp_key_pair_clear(struct esp_key_pair *pair)
{
	bytes_wipe(pair, sizeof *pair);
}
