/* SPDX-License-Identifier: MIT */
/**
 * Public-key cryptography for targets that run thousands of exchanges a second. It stands in for
 * hip/crypto/openssl_signing_key.c and openssl_key_agreement.c, keeps their contracts and lengths, and still fails on
 * tampering: a signature is a keyed hash of the digest, a shared secret the difference of two public values. (The real
 * ones meet strangers' octets in fuzz_host_identity and fuzz_key_agreement.) Include it in one file of a target.
 */
#ifndef HIPHOP_TESTS_FUZZ_CHEAP_CRYPTO_H
#define HIPHOP_TESTS_FUZZ_CHEAP_CRYPTO_H

#include "hip/base/map.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/openssl_key_octets.h"
#include "hip/crypto/signing_key.h"
#include "hip/wire/constants.h"

#include <stdlib.h>
#include <string.h>

/* ---- signing_key.h: ECDSA P-256 and P-384 by their lengths ---- */

struct signing_key {
	size_t length;
	bool is_private;
	uint8_t octets[2 + 96];
};

static hiphop_error signing_key_make(struct span octets, bool is_private, struct signing_key **out)
{
	struct signing_key *key = calloc(1, sizeof *key);

	if (!key)
		return HIPHOP_NO_MEMORY;
	key->length = octets.length;
	key->is_private = is_private;
	memcpy(key->octets, octets.data, octets.length);
	*out = key;
	return HIPHOP_OK;
}

hiphop_error signing_key_generate(host_identity_kind kind, struct signing_key **out)
{
	static uint8_t octets[2 + 64] = {0, HI_ECDSA_CURVE_NIST_P256};

	(void)kind;
	octets[65]++;
	return signing_key_make((struct span){octets, sizeof octets}, true, out);
}

hiphop_error signing_key_from_seed(const struct random_source *random, struct signing_key **out)
{
	uint8_t octets[2 + 64] = {0, HI_ECDSA_CURVE_NIST_P256};

	random_fill(random, octets + 2, 64);
	return signing_key_make((struct span){octets, sizeof octets}, true, out);
}

hiphop_error signing_key_from_pem(const char *text, size_t length, struct signing_key **out)
{
	(void)text;
	(void)length;
	(void)out;
	return HIPHOP_UNSUPPORTED;
}

hiphop_error signing_key_from_octets(uint16_t algorithm, struct span octets, struct signing_key **out)
{
	if (algorithm != HI_ALGORITHM_ECDSA)
		return HIPHOP_UNSUPPORTED;
	if (octets.length < 2)
		return HIPHOP_TRUNCATED;
	if (octets.data[0] || octets.length != (octets.data[1] == HI_ECDSA_CURVE_NIST_P256 ? 66 : 98))
		return HIPHOP_MALFORMED;
	return signing_key_make(octets, false, out);
}

hiphop_error signing_key_to_pem(const struct signing_key *key, struct buffer *text)
{
	(void)key;
	(void)text;
	return HIPHOP_UNSUPPORTED;
}

/* Of certificates: none fits to a cheap key. */
hiphop_error key_octets(const struct evp_pkey_st *key, uint16_t *algorithm,
	uint8_t octets[static HOST_IDENTITY_OCTETS_MAXIMUM], size_t *length)
{
	(void)key;
	(void)algorithm;
	(void)octets;
	(void)length;
	return HIPHOP_UNSUPPORTED;
}

void signing_key_free(struct signing_key *key)
{
	free(key);
}

uint16_t signing_key_algorithm(const struct signing_key *key)
{
	(void)key;
	return HI_ALGORITHM_ECDSA;
}

bool signing_key_is_private(const struct signing_key *key)
{
	return key->is_private;
}

size_t signing_key_signature_length(const struct signing_key *key)
{
	return key->length - 2;
}

hiphop_error signing_key_octets(const struct signing_key *key, uint8_t *out, size_t *length)
{
	memcpy(out, key->octets, key->length);
	*length = key->length;
	return HIPHOP_OK;
}

hiphop_error signing_key_prepare(struct signing_key *key, hash_algorithm hash)
{
	(void)key;
	(void)hash;
	return HIPHOP_OK;
}

static void cheap_signature(const struct signing_key *key, struct span digest, uint8_t *out)
{
	uint64_t part = map_hash(key->octets + 2, digest.data, digest.length);

	for (size_t i = 0; i < key->length - 2; i += 8) {
		memcpy(out + i, &part, 8);
		part = part * 6364136223846793005U + 1;
	}
}

hiphop_error signing_key_sign(struct signing_key *key, struct span digest, uint8_t *out)
{
	if (!key->is_private)
		return HIPHOP_WRONG_STATE;
	cheap_signature(key, digest, out);
	return HIPHOP_OK;
}

hiphop_error signing_key_verify(struct signing_key *key, struct span digest, struct span signature)
{
	uint8_t expected[96];

	cheap_signature(key, digest, expected);
	if (signature.length != key->length - 2 || memcmp(expected, signature.data, signature.length) != 0)
		return HIPHOP_BAD_SIGNATURE;
	return HIPHOP_OK;
}

/* ---- diffie_hellman.h ---- */

struct diffie_hellman {
	const struct diffie_hellman_group *group;
	unsigned owners;
	uint8_t public_value[DIFFIE_HELLMAN_PUBLIC_MAXIMUM];
};

hiphop_error diffie_hellman_new(uint8_t group_id, const struct random_source *random, struct diffie_hellman **out)
{
	struct diffie_hellman *key = calloc(1, sizeof *key);

	if (!key)
		return HIPHOP_NO_MEMORY;
	key->group = diffie_hellman_group_by_id(group_id);
	if (!key->group) {
		free(key);
		return HIPHOP_UNSUPPORTED;
	}
	key->owners = 1;
	random_fill(random, key->public_value, key->group->public_length);
	*out = key;
	return HIPHOP_OK;
}

struct diffie_hellman *diffie_hellman_share(struct diffie_hellman *key)
{
	key->owners++;
	return key;
}

void diffie_hellman_free(struct diffie_hellman *key)
{
	if (key && --key->owners == 0)
		free(key);
}

uint8_t diffie_hellman_group_id(const struct diffie_hellman *key)
{
	return key->group->id;
}

struct span diffie_hellman_public_value(const struct diffie_hellman *key)
{
	return (struct span){key->public_value, key->group->public_length};
}

hiphop_error diffie_hellman_agree(
	struct diffie_hellman *key, struct span peer_public_value, struct shared_secret *secret)
{
	shared_secret_clear(secret);
	if (peer_public_value.length != key->group->public_length || !peer_public_value.data[0])
		return HIPHOP_MALFORMED;
	secret->length = key->group->secret_length;
	for (size_t i = 0; i < secret->length; i++)
		secret->octets[i] = key->public_value[i] ^ peer_public_value.data[i];
	return HIPHOP_OK;
}

#endif
