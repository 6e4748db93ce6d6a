/* SPDX-License-Identifier: MIT */
#include "hip/core/data_received.h"

#include <stdlib.h>
#include <string.h>

#define TRANSACTION_KEY_LENGTH (HIT_LENGTH + 8)
#define MIC_IN_KEY             (DATA_RECEIVED_KEY_LENGTH - HIT_LENGTH - 4)

void data_received_start(struct data_received_table *table, size_t maximum, const struct random_source *random)
{
	map_start(&table->by_message, DATA_RECEIVED_KEY_LENGTH, random);
	map_start(&table->by_transaction, TRANSACTION_KEY_LENGTH, random);
	table->maximum = maximum;
}

static void entry_free(struct data_received *entry)
{
	free(entry->route_hits);
	free(entry);
}

void data_received_free(struct data_received_table *table)
{
	struct map_walk walk = map_walk_start(&table->by_message);
	struct data_received *entry;

	while ((entry = map_walk_next(&walk, NULL)) != NULL)
		entry_free(entry);
	map_free(&table->by_message);
	map_free(&table->by_transaction);
}

static void message_key(const struct data_packet *fields, uint8_t key[static DATA_RECEIVED_KEY_LENGTH])
{
	struct writer writer = writer_over(key, DATA_RECEIVED_KEY_LENGTH);

	writer_copy(&writer, fields->sender.octets, HIT_LENGTH);
	writer_u32(&writer, fields->sequence);
	writer_copy(&writer, fields->mic, MIC_IN_KEY);
}

static void transaction_key(const struct hit *sender, uint64_t transaction, uint8_t key[static TRANSACTION_KEY_LENGTH])
{
	struct writer writer = writer_over(key, TRANSACTION_KEY_LENGTH);

	writer_copy(&writer, sender->octets, HIT_LENGTH);
	writer_u64(&writer, transaction);
}

struct data_received *data_received_find(const struct data_received_table *table, const struct data_packet *fields)
{
	uint8_t key[DATA_RECEIVED_KEY_LENGTH];

	message_key(fields, key);
	return map_get(&table->by_message, key);
}

struct data_received *data_received_find_request(
	const struct data_received_table *table, const struct hit *sender, uint64_t transaction)
{
	uint8_t key[TRANSACTION_KEY_LENGTH];

	transaction_key(sender, transaction, key);
	return map_get(&table->by_transaction, key);
}

static struct data_received *entry_make(const struct data_packet *fields, const struct hit *neighbour)
{
	struct data_received *entry = calloc(1, sizeof *entry);

	if (entry == NULL)
		return NULL;
	entry->sender = fields->sender;
	entry->sequence = fields->sequence;
	entry->transaction = fields->transaction;
	entry->answer = fields->acknowledged.count > 0;
	message_key(fields, entry->key);
	if (data_received_set_route(entry, &fields->route, neighbour)) {
		free(entry);
		return NULL;
	}
	return entry;
}

hiphop_error data_received_add(struct data_received_table *table, const struct data_packet *fields,
	const struct hit *neighbour, struct data_received **entry)
{
	uint8_t key[TRANSACTION_KEY_LENGTH];
	struct data_received *made = entry_make(fields, neighbour);

	if (made == NULL)
		return HIPHOP_NO_MEMORY;
	if (map_put(&table->by_message, made->key, made)) {
		entry_free(made);
		return HIPHOP_NO_MEMORY;
	}
	transaction_key(&made->sender, made->transaction, key);
	if (!made->answer && map_put(&table->by_transaction, key, made)) {
		map_remove(&table->by_message, made->key);
		entry_free(made);
		return HIPHOP_NO_MEMORY;
	}
	*entry = made;
	return HIPHOP_OK;
}

struct data_received *data_received_to_replace(const struct data_received_table *table, const struct hit *sender)
{
	struct map_walk walk = map_walk_start(&table->by_message);
	struct data_received *entry, *oldest = NULL, *oldest_of_sender = NULL;
	size_t of_sender = 0;

	if (table->by_message.count < table->maximum)
		return NULL;
	while ((entry = map_walk_next(&walk, NULL)) != NULL) {
		if (oldest == NULL)
			oldest = entry;
		if (!hit_equal(&entry->sender, sender))
			continue;
		if (oldest_of_sender == NULL)
			oldest_of_sender = entry;
		of_sender++;
	}
	return of_sender > table->maximum / 4 ? oldest_of_sender : oldest;
}

void data_received_remove(struct data_received_table *table, struct data_received *entry)
{
	uint8_t key[TRANSACTION_KEY_LENGTH];

	map_remove(&table->by_message, entry->key);
	transaction_key(&entry->sender, entry->transaction, key);
	if (map_get(&table->by_transaction, key) == entry)
		map_remove(&table->by_transaction, key);
	entry_free(entry);
}

hiphop_error data_received_set_route(
	struct data_received *entry, const struct data_route *route, const struct hit *neighbour)
{
	struct hit *hits = NULL;

	if (route->count > 0) {
		hits = malloc(route->count * sizeof *hits);
		if (hits == NULL)
			return HIPHOP_NO_MEMORY;
		memcpy(hits, route->hits, route->count * sizeof *hits);
	}
	free(entry->route_hits);
	entry->route_hits = hits;
	entry->route_count = route->count;
	entry->route_flags = route->flags;
	entry->neighbour = *neighbour;
	return HIPHOP_OK;
}

void data_received_route(const struct data_received *entry, struct data_route *route)
{
	memset(route, 0, sizeof *route);
	route->flags = entry->route_flags;
	route->count = entry->route_count;
	if (entry->route_count > 0)
		memcpy(route->hits, entry->route_hits, entry->route_count * sizeof *route->hits);
}
