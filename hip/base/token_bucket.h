/* SPDX-License-Identifier: MIT */
/**
 * A rate limit: so many a second, with a burst. Plain data; copy it freely.
 */
#ifndef HIPHOP_HIP_BASE_TOKEN_BUCKET_H
#define HIPHOP_HIP_BASE_TOKEN_BUCKET_H

#include "hip/base/time.h"

#include <stdbool.h>

struct token_bucket {
	duration interval; /**< time that earns one token */
	uint32_t burst;    /**< tokens at most */
	uint32_t tokens;
	instant refilled;
};

/** `per_second` >= 1; full at the start. */
struct token_bucket token_bucket_start(uint32_t per_second, uint32_t burst, instant now);
/** Takes one token; false when there is none. */
bool token_bucket_take(struct token_bucket *bucket, instant now);

#endif
