/* SPDX-License-Identifier: MIT */
#include "daemon/prefix_table.h"

#include <string.h>

/* How many entries do not come behind `prefix`. */
static size_t count_up_to(const struct prefix_table *table, const struct ip_prefix *prefix)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_prefix_compare(&table->entries[middle].prefix, prefix) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Says of each entry which one is around it: of those before it, the last that is not over yet. */
static void link_entries(struct prefix_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct prefix_entry *entry = &table->entries[i];
		int around = (int)i - 1;

		while (around >= 0 && !ip_prefix_is_inside(&entry->prefix, &table->entries[around].prefix))
			around = table->entries[around].around;
		entry->around = (int16_t)around;
	}
}

hiphop_error prefix_table_add(struct prefix_table *table, const struct ip_prefix *prefix, const struct hit *owner)
{
	size_t place = count_up_to(table, prefix);

	if (place > 0 && ip_prefix_equal(&table->entries[place - 1].prefix, prefix))
		return HIPHOP_EXISTS;
	if (table->count >= PREFIX_TABLE_MAXIMUM)
		return HIPHOP_LIMITED;
	memmove(&table->entries[place + 1], &table->entries[place], (table->count - place) * sizeof(table->entries[0]));
	table->entries[place] = (struct prefix_entry){.prefix = *prefix, .owner = *owner};
	table->count++;
	link_entries(table);
	return HIPHOP_OK;
}

const struct prefix_entry *prefix_table_get(const struct prefix_table *table, const struct ip_prefix *prefix)
{
	size_t place = count_up_to(table, prefix);

	return place > 0 && ip_prefix_equal(&table->entries[place - 1].prefix, prefix) ? &table->entries[place - 1]
										       : NULL;
}

const struct prefix_entry *prefix_table_find(const struct prefix_table *table, const struct address *address)
{
	struct ip_prefix one = ip_prefix_of_one(address);
	int place = (int)count_up_to(table, &one) - 1;

	/* Whatever the address is in is around the last entry that begins before it, or is that entry. */
	while (place >= 0 && !ip_prefix_has(&table->entries[place].prefix, address))
		place = table->entries[place].around;
	return place >= 0 ? &table->entries[place] : NULL;
}
