/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hash.h"
#include "hip/crypto/hash_context.h"
#include "hip/wire/constants.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_LENGTH_MAXIMUM 128

struct hash_row {
	const char *name;
	uint8_t length;
	uint8_t block_length;
	uint8_t hit_suite; /* 0: no HIT Suite uses it */
};

static const struct hash_row rows[] = {
	[HASH_NONE] = {"", 0, 0, 0},
	[HASH_SHA1] = {"sha1", 20, 64, HIT_SUITE_ECDSA_LOW_SHA1},
	[HASH_SHA256] = {"sha256", 32, 64, HIT_SUITE_RSA_DSA_SHA256},
	[HASH_SHA384] = {"sha384", 48, 128, HIT_SUITE_ECDSA_SHA384},
	[HASH_SHA512] = {"sha512", 64, 128, 0},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

hash_algorithm rhash_of_suite(uint8_t hit_suite)
{
	for (size_t n = HASH_SHA1; hit_suite && n < ROW_COUNT; n++) {
		if (rows[n].hit_suite == hit_suite)
			return (hash_algorithm)n;
	}
	return HASH_NONE;
}

size_t hash_length(hash_algorithm algorithm)
{
	return (size_t)algorithm < ROW_COUNT ? rows[algorithm].length : 0;
}

hash_algorithm hash_by_name(const char *name)
{
	for (size_t n = HASH_SHA1; n < ROW_COUNT; n++) {
		if (!strcmp(rows[n].name, name))
			return (hash_algorithm)n;
	}
	return HASH_NONE;
}

hiphop_error hash_context_compute(struct hash_context *context, const struct span *spans, size_t count, uint8_t *out)
{
	hiphop_error error = hash_context_begin(context);
	if (!error)
		error = hash_context_add(context, spans, count);
	return error ? error : hash_context_end(context, out);
}

hiphop_error hash_spans(hash_algorithm algorithm, const struct span *spans, size_t count, uint8_t *out)
{
	struct hash_context *context;
	hiphop_error error = hash_context_new(algorithm, &context);
	if (error)
		return error;
	error = hash_context_compute(context, spans, count, out);
	hash_context_free(context);
	return error;
}

/* HMAC is built on the plain digest: cheaper to start again than the library's own, which copies three contexts. */
struct hmac_context {
	struct hash_context *hash;
	size_t length;
	size_t block_length;
	uint8_t inner[BLOCK_LENGTH_MAXIMUM];
	uint8_t outer[BLOCK_LENGTH_MAXIMUM];
};

static hiphop_error hmac_set_key(struct hmac_context *context, struct span key)
{
	uint8_t block[BLOCK_LENGTH_MAXIMUM] = {0};
	hiphop_error error = HIPHOP_OK;
	if (key.length > context->block_length)
		error = hash_context_compute(context->hash, &key, 1, block);
	else if (key.length)
		memcpy(block, key.data, key.length);
	for (size_t n = 0; n < context->block_length; n++) {
		context->inner[n] = block[n] ^ 0x36;
		context->outer[n] = block[n] ^ 0x5c;
	}
	bytes_wipe(block, sizeof block);
	return error;
}

hiphop_error hmac_context_new(hash_algorithm algorithm, struct span key, struct hmac_context **out)
{
	*out = NULL;
	if (!hash_length(algorithm))
		return HIPHOP_UNSUPPORTED;
	struct hmac_context *context = calloc(1, sizeof *context);
	if (!context)
		return HIPHOP_NO_MEMORY;
	context->length = rows[algorithm].length;
	context->block_length = rows[algorithm].block_length;
	hiphop_error error = hash_context_new(algorithm, &context->hash);
	if (!error)
		error = hmac_set_key(context, key);
	if (error) {
		hmac_context_free(context);
		return error;
	}
	*out = context;
	return HIPHOP_OK;
}

void hmac_context_free(struct hmac_context *context)
{
	if (!context)
		return;
	hash_context_free(context->hash);
	bytes_wipe(context, sizeof *context);
	free(context);
}

hiphop_error hmac_context_compute(struct hmac_context *context, const struct span *spans, size_t count, uint8_t *out)
{
	uint8_t inner_digest[HASH_LENGTH_MAXIMUM];
	const struct span inner = {context->inner, context->block_length};
	const struct span outer[] = {{context->outer, context->block_length}, {inner_digest, context->length}};

	hiphop_error error = hash_context_begin(context->hash);
	if (!error)
		error = hash_context_add(context->hash, &inner, 1);
	if (!error)
		error = hash_context_add(context->hash, spans, count);
	if (!error)
		error = hash_context_end(context->hash, inner_digest);
	if (!error)
		error = hash_context_compute(context->hash, outer, 2, out);
	bytes_wipe(inner_digest, sizeof inner_digest);
	return error;
}

hiphop_error hmac_spans(hash_algorithm algorithm, struct span key, const struct span *spans, size_t count, uint8_t *out)
{
	struct hmac_context *context;
	hiphop_error error = hmac_context_new(algorithm, key, &context);
	if (error)
		return error;
	error = hmac_context_compute(context, spans, count, out);
	hmac_context_free(context);
	return error;
}

hiphop_error hmac_verify(
	hash_algorithm algorithm, struct span key, const struct span *spans, size_t count, struct span mac)
{
	uint8_t expected[HASH_LENGTH_MAXIMUM];
	hiphop_error error = hmac_spans(algorithm, key, spans, count, expected);
	if (error)
		return error;
	bool fits = mac.length == hash_length(algorithm) && bytes_equal_constant_time(expected, mac.data, mac.length);
	bytes_wipe(expected, sizeof expected);
	return fits ? HIPHOP_OK : HIPHOP_BAD_MAC;
}
