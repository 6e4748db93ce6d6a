/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hkdf.h"

#include <string.h>

#define BLOCKS_MAXIMUM 255

size_t hkdf_capacity(hash_algorithm hash)
{
	return BLOCKS_MAXIMUM * hash_length(hash);
}

hiphop_error hkdf_extract(hash_algorithm hash, struct span salt, struct span input, uint8_t *pseudorandom_key)
{
	return hmac_spans(hash, salt, &input, 1, pseudorandom_key);
}

/* T(1), T(2) … each depend on the one before, so that a later index starts from the beginning too. Draws are rare and
 * short; keeping no block means one secret fewer to guard. */
static hiphop_error expand(struct hmac_context *hmac, size_t block_length, const struct span *info, size_t count,
	size_t index, uint8_t *out, size_t length)
{
	uint8_t block[HASH_LENGTH_MAXIMUM], counter;
	struct span input[HKDF_INFO_SPANS_MAXIMUM + 2] = {{block, 0}};
	for (size_t n = 0; n < count; n++)
		input[n + 1] = info[n];
	input[count + 1] = (struct span){&counter, 1};

	hiphop_error error = HIPHOP_OK;
	for (size_t start = 0; !error && start < index + length; start += block_length) {
		counter = (uint8_t)(start / block_length + 1);
		error = hmac_context_compute(hmac, input, count + 2, block);
		input[0].length = block_length;
		size_t from = index > start ? index - start : 0;
		size_t to = index + length - start < block_length ? index + length - start : block_length;
		if (!error && from < to)
			memcpy(out + start + from - index, block + from, to - from);
	}
	bytes_wipe(block, sizeof block);
	return error;
}

hiphop_error hkdf_expand(hash_algorithm hash, const uint8_t *pseudorandom_key, const struct span *info, size_t count,
	size_t index, uint8_t *out, size_t length)
{
	if (count > HKDF_INFO_SPANS_MAXIMUM)
		return HIPHOP_INVALID_ARGUMENT;
	if (index > hkdf_capacity(hash) || length > hkdf_capacity(hash) - index)
		return HIPHOP_LIMITED;
	if (!length)
		return HIPHOP_OK;
	struct hmac_context *hmac;
	hiphop_error error = hmac_context_new(hash, (struct span){pseudorandom_key, hash_length(hash)}, &hmac);
	if (!error)
		error = expand(hmac, hash_length(hash), info, count, index, out, length);
	hmac_context_free(hmac);
	if (error)
		bytes_wipe(out, length);
	return error;
}
