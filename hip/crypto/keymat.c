/* SPDX-License-Identifier: MIT */
#include "hip/crypto/keymat.h"
#include "hip/crypto/hkdf.h"

#include <string.h>

hiphop_error keymat_start(struct keymat *keymat, hash_algorithm rhash, const struct shared_secret *secret,
	struct span i, struct span j, const struct hit *hit_a, const struct hit *hit_b)
{
	*keymat = (struct keymat){.rhash = rhash};
	size_t length = hash_length(rhash);
	if (!length || length > RHASH_LENGTH_MAXIMUM)
		return HIPHOP_UNSUPPORTED;
	if (i.length != length || j.length != length || secret->length > sizeof secret->octets)
		return HIPHOP_INVALID_ARGUMENT;
	bool a_is_lower = hit_compare(hit_a, hit_b) < 0;
	keymat->lower = a_is_lower ? *hit_a : *hit_b;
	keymat->greater = a_is_lower ? *hit_b : *hit_a;

	uint8_t salt[2 * RHASH_LENGTH_MAXIMUM];
	memcpy(salt, i.data, length);
	memcpy(salt + length, j.data, length);
	return hkdf_extract(rhash, (struct span){salt, 2 * length}, (struct span){secret->octets, secret->length},
		keymat->pseudorandom_key);
}

void keymat_clear(struct keymat *keymat)
{
	bytes_wipe(keymat, sizeof *keymat);
}

size_t keymat_capacity(const struct keymat *keymat)
{
	return hkdf_capacity(keymat->rhash);
}

hiphop_error keymat_draw(struct keymat *keymat, void *out, size_t length)
{
	const struct span info[] = {{keymat->lower.octets, HIT_LENGTH}, {keymat->greater.octets, HIT_LENGTH}};
	hiphop_error error = hkdf_expand(keymat->rhash, keymat->pseudorandom_key, info, 2, keymat->index, out, length);
	if (!error)
		keymat->index += (uint32_t)length;
	return error;
}

hiphop_error keymat_advance(struct keymat *keymat, uint32_t index)
{
	if (index < keymat->index)
		return HIPHOP_MALFORMED;
	if (index > keymat_capacity(keymat))
		return HIPHOP_LIMITED;
	keymat->index = index;
	return HIPHOP_OK;
}

void hip_keys_clear(struct hip_keys *keys)
{
	bytes_wipe(keys, sizeof *keys);
}

/* Both draws take "encryption, integrity" of the greater host and then of the lower: one draw, cut in four. */
struct key_pair_places {
	uint8_t *greater_encryption, *greater_integrity, *lower_encryption, *lower_integrity;
};

static hiphop_error draw_four(
	struct keymat *keymat, size_t encryption_length, size_t integrity_length, const struct key_pair_places *places)
{
	uint8_t drawn[2 * (HIP_CIPHER_KEY_MAXIMUM + RHASH_LENGTH_MAXIMUM)];
	hiphop_error error = keymat_draw(keymat, drawn, 2 * (encryption_length + integrity_length));
	if (error)
		return error;
	const uint8_t *next = drawn;
	memcpy(places->greater_encryption, next, encryption_length);
	next += encryption_length;
	memcpy(places->greater_integrity, next, integrity_length);
	next += integrity_length;
	memcpy(places->lower_encryption, next, encryption_length);
	next += encryption_length;
	memcpy(places->lower_integrity, next, integrity_length);
	bytes_wipe(drawn, sizeof drawn);
	return HIPHOP_OK;
}

static bool is_party(const struct keymat *keymat, const struct hit *hit)
{
	return hit_equal(hit, &keymat->lower) || hit_equal(hit, &keymat->greater);
}

hiphop_error keymat_draw_hip_keys(struct keymat *keymat, const struct hip_cipher *cipher, const struct hit *own,
	struct hip_keys *outgoing, struct hip_keys *incoming)
{
	if (!is_party(keymat, own))
		return HIPHOP_INVALID_ARGUMENT;
	*outgoing = (struct hip_keys){0};
	*incoming = (struct hip_keys){0};
	bool own_is_greater = hit_equal(own, &keymat->greater);
	struct hip_keys *greater = own_is_greater ? outgoing : incoming;
	struct hip_keys *lower = own_is_greater ? incoming : outgoing;
	const struct key_pair_places places = {
		greater->encryption, greater->integrity, lower->encryption, lower->integrity};
	return draw_four(keymat, cipher->key_length, hash_length(keymat->rhash), &places);
}

hiphop_error keymat_draw_esp_keys(struct keymat *keymat, uint16_t suite, const struct hit *own,
	struct esp_keys *outgoing, struct esp_keys *incoming)
{
	const struct esp_suite *row = esp_suite_by_id(suite);
	if (!row)
		return HIPHOP_UNSUPPORTED;
	if (!is_party(keymat, own))
		return HIPHOP_INVALID_ARGUMENT;
	*outgoing = (struct esp_keys){.suite = suite};
	*incoming = (struct esp_keys){.suite = suite};
	bool own_is_greater = hit_equal(own, &keymat->greater);
	struct esp_keys *greater = own_is_greater ? outgoing : incoming;
	struct esp_keys *lower = own_is_greater ? incoming : outgoing;
	const struct key_pair_places places = {
		greater->encryption, greater->authentication, lower->encryption, lower->authentication};
	return draw_four(keymat, esp_suite_encryption_key_length(row), row->authentication_length, &places);
}
