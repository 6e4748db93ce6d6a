/* SPDX-License-Identifier: MIT */
#include "hip/core/rate_table.h"

#include "hip/base/map.h"
#include "hip/base/token_bucket.h"

#include <stdlib.h>

struct rate_entry {
	struct hit hit;
	struct token_bucket bucket;
	struct rate_entry *newer, *older;
};

struct rate_table {
	struct map by_hit;
	struct rate_entry *newest, *oldest; /* by last use */
	size_t maximum;
	uint32_t per_second;
	uint32_t burst;
};

hiphop_error rate_table_create(uint32_t per_second, uint32_t burst, size_t entries, const struct random_source *random,
	struct rate_table **table)
{
	if (per_second == 0 || burst == 0 || entries == 0 || random == NULL)
		return HIPHOP_INVALID_ARGUMENT;

	struct rate_table *made = calloc(1, sizeof *made);
	if (made == NULL)
		return HIPHOP_NO_MEMORY;
	made->maximum = entries;
	made->per_second = per_second;
	made->burst = burst;
	map_start(&made->by_hit, HIT_LENGTH, random);
	*table = made;
	return HIPHOP_OK;
}

void rate_table_free(struct rate_table *table)
{
	if (table == NULL)
		return;
	while (table->oldest != NULL) {
		struct rate_entry *entry = table->oldest;
		table->oldest = entry->newer;
		free(entry);
	}
	map_free(&table->by_hit);
	free(table);
}

static void take_out_of_order(struct rate_table *table, struct rate_entry *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		table->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		table->oldest = entry->newer;
}

static void put_newest(struct rate_table *table, struct rate_entry *entry)
{
	entry->newer = NULL;
	entry->older = table->newest;
	if (table->newest != NULL)
		table->newest->newer = entry;
	else
		table->oldest = entry;
	table->newest = entry;
}

static void forget_oldest(struct rate_table *table)
{
	struct rate_entry *entry = table->oldest;

	take_out_of_order(table, entry);
	map_remove(&table->by_hit, entry->hit.octets);
	free(entry);
}

static struct rate_entry *add_entry(struct rate_table *table, const struct hit *hit, instant now)
{
	struct rate_entry *entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	entry->hit = *hit;
	entry->bucket = token_bucket_start(table->per_second, table->burst, now);

	if (table->by_hit.count >= table->maximum)
		forget_oldest(table);
	if (map_put(&table->by_hit, hit->octets, entry)) {
		free(entry);
		return NULL;
	}
	put_newest(table, entry);
	return entry;
}

bool rate_table_take(struct rate_table *table, const struct hit *hit, instant now)
{
	struct rate_entry *entry = map_get(&table->by_hit, hit->octets);

	if (entry != NULL) {
		take_out_of_order(table, entry);
		put_newest(table, entry);
	} else {
		entry = add_entry(table, hit, now);
	}
	return entry != NULL && token_bucket_take(&entry->bucket, now);
}

size_t rate_table_count(const struct rate_table *table)
{
	return table->by_hit.count;
}
