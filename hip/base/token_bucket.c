/* SPDX-License-Identifier: MIT */
#include "hip/base/token_bucket.h"

struct token_bucket token_bucket_start(uint32_t per_second, uint32_t burst, instant now)
{
	duration interval = per_second ? SECONDS(1) / per_second : SECONDS(1);

	return (struct token_bucket){
		.interval = interval ? interval : 1, .burst = burst, .tokens = burst, .refilled = now};
}

static void refill(struct token_bucket *bucket, instant now)
{
	uint64_t earned;

	if (now <= bucket->refilled)
		return;
	earned = (now - bucket->refilled) / bucket->interval;
	if (earned >= bucket->burst - bucket->tokens) {
		bucket->tokens = bucket->burst;
		bucket->refilled = now;
		return;
	}
	bucket->tokens += (uint32_t)earned;
	bucket->refilled += earned * bucket->interval;
}

bool token_bucket_take(struct token_bucket *bucket, instant now)
{
	refill(bucket, now);
	if (!bucket->tokens)
		return false;
	bucket->tokens--;
	return true;
}
