/* SPDX-License-Identifier: MIT */
#include "hip/core/rekey_keys.h"

static size_t esp_keys_length(const struct exchange_keys *keys)
{
	const struct esp_suite *suite = esp_suite_by_id(keys->suite);

	return 2 * (esp_suite_encryption_key_length(suite) + suite->authentication_length);
}

bool rekey_keymat_reaches(const struct exchange_keys *keys, uint32_t index)
{
	return index <= UINT16_MAX && index + esp_keys_length(keys) <= keymat_capacity(&keys->keymat);
}

static hiphop_error renew_keymat(const struct rekey_material *material, struct exchange_keys *keys)
{
	struct diffie_hellman *key = material->new_own_key ? material->new_own_key : material->own_key;
	struct span public = material->new_peer_public.length ? material->new_peer_public : material->peer_public;
	const struct hit lower = keys->keymat.lower, greater = keys->keymat.greater;
	size_t length = hash_length(keys->rhash);
	struct shared_secret secret;
	hiphop_error error = diffie_hellman_agree(key, public, &secret);

	if (!error)
		error = keymat_start(&keys->keymat, keys->rhash, &secret, (struct span){keys->i, length},
			(struct span){keys->j, length}, &lower, &greater);
	shared_secret_clear(&secret);
	return error;
}

hiphop_error rekey_derive(const struct rekey_material *material, const struct hit *own, struct exchange_keys *keys,
	struct esp_key_pair *esp)
{
	uint16_t greater = material->own_index > material->peer_index ? material->own_index : material->peer_index;
	hiphop_error error;

	if (material->new_own_key || material->new_peer_public.length)
		error = renew_keymat(material, keys);
	else
		error = keymat_advance(&keys->keymat, greater);
	if (error)
		return error;
	keys->keymat_index = (uint16_t)keys->keymat.index;
	return keymat_draw_esp_keys(&keys->keymat, keys->suite, own, &esp->out, &esp->in);
}
