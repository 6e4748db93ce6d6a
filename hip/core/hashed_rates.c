/* SPDX-License-Identifier: MIT */
#include "hip/core/hashed_rates.h"

#include "hip/base/map.h"

#include <stdlib.h>

hiphop_error hashed_rates_start(
	struct hashed_rates *rates, duration interval, uint32_t burst, size_t cells, const struct random_source *random)
{
	size_t count = 1;

	*rates = (struct hashed_rates){.interval = interval, .burst = interval * burst};
	if (!interval || !burst || !cells || cells > SIZE_MAX / 2 / sizeof *rates->cells || !random)
		return HIPHOP_INVALID_ARGUMENT;
	while (count < cells)
		count *= 2;
	rates->cells = calloc(count, sizeof *rates->cells);
	if (!rates->cells)
		return HIPHOP_NO_MEMORY;
	rates->count = count;
	random_fill(random, rates->hash_key, sizeof rates->hash_key);
	return HIPHOP_OK;
}

void hashed_rates_free(struct hashed_rates *rates)
{
	free(rates->cells);
	*rates = (struct hashed_rates){.cells = NULL};
}

bool hashed_rates_take(struct hashed_rates *rates, const void *key, size_t length, instant now, uint32_t share)
{
	instant *cell = &rates->cells[map_hash(rates->hash_key, key, length) & (rates->count - 1)];
	duration price = rates->interval / share, debt = *cell > now ? *cell - now : 0;

	if (debt + price > rates->burst)
		return false;
	*cell = instant_after(now, debt + price);
	return true;
}
