/* SPDX-License-Identifier: MIT */
#include "hip/crypto/hash_context.h"

#include <openssl/evp.h>

#include <stdlib.h>

struct hash_context {
	EVP_MD *digest;
	EVP_MD_CTX *state;
};

static const char *const library_names[] = {
	[HASH_SHA1] = "SHA1",
	[HASH_SHA256] = "SHA256",
	[HASH_SHA384] = "SHA384",
	[HASH_SHA512] = "SHA512",
};

hiphop_error hash_context_new(hash_algorithm algorithm, struct hash_context **out)
{
	*out = NULL;
	if (!hash_length(algorithm))
		return HIPHOP_UNSUPPORTED;
	struct hash_context *context = calloc(1, sizeof *context);
	if (!context)
		return HIPHOP_NO_MEMORY;
	context->digest = EVP_MD_fetch(NULL, library_names[algorithm], NULL);
	context->state = EVP_MD_CTX_new();
	if (!context->digest || !context->state || !EVP_DigestInit_ex2(context->state, context->digest, NULL)) {
		hiphop_error error = context->digest && context->state ? HIPHOP_CRYPTO : HIPHOP_NO_MEMORY;
		hash_context_free(context);
		return error;
	}
	*out = context;
	return HIPHOP_OK;
}

void hash_context_free(struct hash_context *context)
{
	if (!context)
		return;
	EVP_MD_CTX_free(context->state);
	EVP_MD_free(context->digest);
	free(context);
}

hiphop_error hash_context_begin(struct hash_context *context)
{
	/* The algorithm is kept, so that it is not looked up again. */
	return EVP_DigestInit_ex2(context->state, NULL, NULL) ? HIPHOP_OK : HIPHOP_CRYPTO;
}

hiphop_error hash_context_add(struct hash_context *context, const struct span *spans, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		if (spans[n].length && !EVP_DigestUpdate(context->state, spans[n].data, spans[n].length))
			return HIPHOP_CRYPTO;
	}
	return HIPHOP_OK;
}

hiphop_error hash_context_end(struct hash_context *context, uint8_t *out)
{
	return EVP_DigestFinal_ex(context->state, out, NULL) ? HIPHOP_OK : HIPHOP_CRYPTO;
}
