/* SPDX-License-Identifier: MIT */
/* Cryptography that is fast and repeats, and still fails on tampering: a signature is a keyed hash. */
#ifndef FAKE_CRYPTO_H
#define FAKE_CRYPTO_H

#include "hip/base/map.h"
#include "overlay/overlay.h"

#include <stdio.h>
#include <string.h>

#define FAKE_ALGORITHM 7

struct fake_identity {
	uint8_t host_identity[16];
};

static void fake_hash(const void *key16, const void *data, size_t length, uint8_t *out, size_t out_length)
{
	uint8_t key[16];

	for (size_t i = 0; i < out_length; i += 8) {
		memcpy(key, key16, 16);
		key[15] = (uint8_t)(key[15] ^ (i + 1));
		uint64_t part = map_hash(key, data, length);
		for (size_t j = 0; j < 8 && i + j < out_length; j++)
			out[i + j] = (uint8_t)(part >> (8 * j));
	}
}

static hiphop_error fake_sign(void *context, const uint8_t *data, size_t length, struct buffer *signature)
{
	struct fake_identity *identity = context;
	uint8_t mac[32];

	fake_hash(identity->host_identity, data, length, mac, sizeof(mac));
	return buffer_copy(signature, mac, sizeof(mac));
}

static hiphop_error fake_verify(void *context, uint16_t algorithm, const uint8_t *host_identity,
	size_t host_identity_length, const uint8_t *data, size_t length, const uint8_t *signature,
	size_t signature_length)
{
	uint8_t mac[32];

	(void)context;
	if (algorithm != FAKE_ALGORITHM)
		return HIPHOP_UNSUPPORTED;
	if (host_identity_length != 16 || signature_length != sizeof(mac))
		return HIPHOP_BAD_SIGNATURE;
	fake_hash(host_identity, data, length, mac, sizeof(mac));
	return memcmp(mac, signature, sizeof(mac)) ? HIPHOP_BAD_SIGNATURE : HIPHOP_OK;
}

static hiphop_error fake_hit_of(
	void *context, uint16_t algorithm, const uint8_t *host_identity, size_t host_identity_length, struct hit *hit)
{
	static const uint8_t key[16] = {1};

	(void)context;
	(void)algorithm;
	fake_hash(key, host_identity, host_identity_length, hit->octets + 4, 12);
	memcpy(hit->octets, "\x20\x01\x00\x22", 4);
	return HIPHOP_OK;
}

static hiphop_error fake_digest(void *context, const char *hash_name, const uint8_t *data, size_t length,
	uint8_t out[static 64], size_t *out_length)
{
	static const uint8_t key[16] = {2};

	(void)context;
	if (strcmp(hash_name, "sha256"))
		return HIPHOP_UNSUPPORTED;
	fake_hash(key, data, length, out, 32);
	*out_length = 32;
	return HIPHOP_OK;
}

/* Fills `identity` from a number and gives its HIT. */
static inline struct hit fake_identity_start(struct fake_identity *identity, unsigned number)
{
	struct hit hit;

	memset(identity, 0, sizeof(*identity));
	snprintf((char *)identity->host_identity, sizeof(identity->host_identity), "host %u", number);
	fake_hit_of(NULL, FAKE_ALGORITHM, identity->host_identity, 16, &hit);
	return hit;
}

static inline struct overlay_crypto fake_crypto(struct fake_identity *identity)
{
	return (struct overlay_crypto){.context = identity,
		.sign = fake_sign,
		.verify = fake_verify,
		.hit_of = fake_hit_of,
		.digest = fake_digest,
		.algorithm = FAKE_ALGORITHM,
		.host_identity = identity->host_identity,
		.host_identity_length = 16};
}

#endif
