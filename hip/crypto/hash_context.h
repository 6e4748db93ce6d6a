/* SPDX-License-Identifier: MIT */
/**
 * The pieces of hash_context_compute, for this layer only: start, any number of adds, finish.
 */
#ifndef HIPHOP_HIP_CRYPTO_HASH_CONTEXT_H
#define HIPHOP_HIP_CRYPTO_HASH_CONTEXT_H

#include "hip/crypto/hash.h"

/** Each gives HIPHOP_CRYPTO on failure. */
hiphop_error hash_context_begin(struct hash_context *context);
hiphop_error hash_context_add(struct hash_context *context, const struct span *spans, size_t count);
hiphop_error hash_context_end(struct hash_context *context, uint8_t *out);

#endif
