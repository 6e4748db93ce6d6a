/* SPDX-License-Identifier: MIT */
#include "hip/crypto/host_identity.h"
#include "hip/crypto/signing_key.h"
#include "hip/wire/constants.h"

#include <stdlib.h>
#include <string.h>

struct host_identity {
	struct signing_key *key;
	struct hash_context *hash; /* RHASH, kept for signing; NULL in a public identity */
	hash_algorithm rhash;
	struct hit hit;
	uint16_t octets_length;
	uint8_t octets[]; /* a host keeps one of these for each peer: no longer than it must be */
};

/* ---- HITs ---- */

static const struct {
	uint16_t algorithm;
	uint8_t suite;
} suites[] = {
	{HI_ALGORITHM_RSA, HIT_SUITE_RSA_DSA_SHA256},
	{HI_ALGORITHM_ECDSA, HIT_SUITE_ECDSA_SHA384},
	{HI_ALGORITHM_ECDSA_LOW, HIT_SUITE_ECDSA_LOW_SHA1},
};

uint8_t hit_suite_of_algorithm(uint16_t algorithm)
{
	for (size_t n = 0; n < sizeof suites / sizeof suites[0]; n++) {
		if (suites[n].algorithm == algorithm)
			return suites[n].suite;
	}
	return 0;
}

hiphop_error hit_from_octets(uint16_t algorithm, struct span octets, struct hit *hit)
{
	/* RFC 7401 section 3.2 */
	static const uint8_t context_id[] = {
		0xF0, 0xEF, 0xF0, 0x2F, 0xBF, 0xF4, 0x3D, 0x0F, 0xE7, 0x93, 0x0C, 0x3C, 0x6E, 0x61, 0x74, 0xEA};
	/* 2001:20::/28, the low nibble left for the OGA ID */
	static const uint8_t prefix[] = {0x20, 0x01, 0x00, 0x20};
	const size_t hash_part = HIT_LENGTH - sizeof prefix;

	uint8_t suite = hit_suite_of_algorithm(algorithm);
	hash_algorithm hash = rhash_of_suite(suite);
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	const struct span input[] = {{context_id, sizeof context_id}, octets};
	hiphop_error error = hash_spans(hash, input, 2, digest);
	if (error)
		return error;
	memcpy(hit->octets, prefix, sizeof prefix);
	hit->octets[3] |= suite;
	/* Encode_96 of RFC 7343 section 2: the middle of the digest */
	memcpy(hit->octets + sizeof prefix, digest + (hash_length(hash) - hash_part) / 2, hash_part);
	return HIPHOP_OK;
}

hiphop_error hit_check(const struct hit *hit, uint16_t algorithm, struct span octets)
{
	struct hit computed;
	hiphop_error error = hit_from_octets(algorithm, octets, &computed);
	if (error)
		return error;
	return hit_equal(hit, &computed) ? HIPHOP_OK : HIPHOP_BAD_IDENTITY;
}

/* ---- Making identities ---- */

static const char *const kind_names[] = {
	[HOST_IDENTITY_ECDSA_P256] = "ecdsa-p256",
	[HOST_IDENTITY_ECDSA_P384] = "ecdsa-p384",
	[HOST_IDENTITY_RSA_2048] = "rsa-2048",
	[HOST_IDENTITY_RSA_3072] = "rsa-3072",
	[HOST_IDENTITY_ECDSA_LOW] = "ecdsa-low",
};
#define KIND_COUNT (sizeof kind_names / sizeof kind_names[0])

hiphop_error host_identity_kind_by_name(const char *name, host_identity_kind *kind)
{
	for (size_t n = 0; n < KIND_COUNT; n++) {
		if (!strcmp(kind_names[n], name)) {
			*kind = (host_identity_kind)n;
			return HIPHOP_OK;
		}
	}
	return HIPHOP_NOT_FOUND;
}

const char *host_identity_kind_name(host_identity_kind kind)
{
	return (size_t)kind < KIND_COUNT ? kind_names[kind] : "unknown";
}

static hiphop_error complete(struct host_identity *identity)
{
	hiphop_error error =
		hit_from_octets(signing_key_algorithm(identity->key), host_identity_octets(identity), &identity->hit);
	if (error)
		return error;
	identity->rhash = rhash_of_suite(hit_suite(&identity->hit));
	if (signing_key_is_private(identity->key))
		error = hash_context_new(identity->rhash, &identity->hash);
	return error ? error : signing_key_prepare(identity->key, identity->rhash);
}

/* Takes `key` over when it succeeds. */
static hiphop_error make(struct signing_key *key, struct host_identity **out)
{
	uint8_t octets[HOST_IDENTITY_OCTETS_MAXIMUM];
	size_t length;
	hiphop_error error = signing_key_octets(key, octets, &length);
	if (error)
		return error;
	*out = calloc(1, offsetof(struct host_identity, octets) + length);
	if (!*out)
		return HIPHOP_NO_MEMORY;
	(*out)->key = key;
	(*out)->octets_length = (uint16_t)length;
	memcpy((*out)->octets, octets, length);
	return HIPHOP_OK;
}

/* Takes `key` over, also on failure. */
static hiphop_error wrap(struct signing_key *key, struct host_identity **out)
{
	*out = NULL;
	hiphop_error error = make(key, out);
	if (error) {
		signing_key_free(key);
		return error;
	}
	error = complete(*out);
	if (error) {
		host_identity_free(*out);
		*out = NULL;
	}
	return error;
}

hiphop_error host_identity_generate(host_identity_kind kind, struct host_identity **out)
{
	struct signing_key *key;
	*out = NULL;
	hiphop_error error = signing_key_generate(kind, &key);
	return error ? error : wrap(key, out);
}

hiphop_error host_identity_from_seed(const struct random_source *random, struct host_identity **out)
{
	struct signing_key *key;
	*out = NULL;
	hiphop_error error = signing_key_from_seed(random, &key);
	return error ? error : wrap(key, out);
}

/* A PEM file may hold a private key that does not belong to its public key: try it once. */
static hiphop_error try_private_key(const struct host_identity *identity)
{
	static const uint8_t text[] = "hiphop";
	const struct span input = {text, sizeof text};
	uint8_t signature[HOST_IDENTITY_SIGNATURE_MAXIMUM];
	hiphop_error error = host_identity_sign(identity, &input, 1, signature);
	if (!error)
		error = host_identity_verify(
			identity, &input, 1, (struct span){signature, host_identity_signature_length(identity)});
	return error == HIPHOP_BAD_SIGNATURE || error == HIPHOP_CRYPTO ? HIPHOP_MALFORMED : error;
}

hiphop_error host_identity_from_pem(const char *text, size_t length, struct host_identity **out)
{
	struct signing_key *key;
	*out = NULL;
	hiphop_error error = signing_key_from_pem(text, length, &key);
	if (!error)
		error = wrap(key, out);
	if (!error)
		error = try_private_key(*out);
	if (error) {
		host_identity_free(*out);
		*out = NULL;
	}
	return error;
}

hiphop_error host_identity_to_pem(const struct host_identity *identity, struct buffer *text)
{
	return signing_key_to_pem(identity->key, text);
}

void host_identity_pem_free(struct buffer *text)
{
	if (text->data)
		bytes_wipe(text->data, text->length);
	buffer_free(text);
}

hiphop_error host_identity_from_octets(uint16_t algorithm, struct span octets, struct host_identity **out)
{
	struct signing_key *key;
	*out = NULL;
	hiphop_error error = signing_key_from_octets(algorithm, octets, &key);
	return error ? error : wrap(key, out);
}

void host_identity_free(struct host_identity *identity)
{
	if (!identity)
		return;
	signing_key_free(identity->key);
	hash_context_free(identity->hash);
	free(identity);
}

/* ---- Asking them ---- */

struct span host_identity_octets(const struct host_identity *identity)
{
	return (struct span){identity->octets, identity->octets_length};
}

uint16_t host_identity_algorithm(const struct host_identity *identity)
{
	return signing_key_algorithm(identity->key);
}

const struct hit *host_identity_hit(const struct host_identity *identity)
{
	return &identity->hit;
}

uint8_t host_identity_suite(const struct host_identity *identity)
{
	return hit_suite(&identity->hit);
}

hash_algorithm host_identity_rhash(const struct host_identity *identity)
{
	return identity->rhash;
}

bool host_identity_has_private_key(const struct host_identity *identity)
{
	return signing_key_is_private(identity->key);
}

size_t host_identity_signature_length(const struct host_identity *identity)
{
	return signing_key_signature_length(identity->key);
}

/* ---- Signatures ---- */

static hiphop_error compute_digest(
	const struct host_identity *identity, const struct span *spans, size_t count, uint8_t *digest)
{
	return identity->hash ? hash_context_compute(identity->hash, spans, count, digest)
			      : hash_spans(identity->rhash, spans, count, digest);
}

hiphop_error host_identity_sign(
	const struct host_identity *identity, const struct span *spans, size_t count, uint8_t *out)
{
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	hiphop_error error = compute_digest(identity, spans, count, digest);
	if (error)
		return error;
	return signing_key_sign(identity->key, (struct span){digest, hash_length(identity->rhash)}, out);
}

hiphop_error host_identity_verify(
	const struct host_identity *identity, const struct span *spans, size_t count, struct span signature)
{
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	hiphop_error error = compute_digest(identity, spans, count, digest);
	if (error)
		return error;
	return signing_key_verify(identity->key, (struct span){digest, hash_length(identity->rhash)}, signature);
}
