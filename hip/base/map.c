/* SPDX-License-Identifier: MIT */
#include "hip/base/map.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 16

struct map_entry {
	struct map_entry *chain;          /* next in the bucket */
	struct map_entry *before, *after; /* order of insertion */
	void *value;
	uint32_t hash; /* its low half; with a short key behind it an entry is a third smaller */
	uint8_t key[]; /* key_length octets */
};

static uint64_t load(const uint8_t *octets, size_t length)
{
	uint64_t value = 0;

	for (size_t i = length; i-- > 0;)
		value = value << 8 | octets[i];
	return value;
}

/* Written out, so that the compiler makes one load of it. */
static uint64_t load_word(const uint8_t *octets)
{
	return (uint64_t)octets[0] | (uint64_t)octets[1] << 8 | (uint64_t)octets[2] << 16 | (uint64_t)octets[3] << 24 |
	       (uint64_t)octets[4] << 32 | (uint64_t)octets[5] << 40 | (uint64_t)octets[6] << 48 |
	       (uint64_t)octets[7] << 56;
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_rounds(uint64_t v[static 4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[0] = rotate_left(v[0], 32);
		v[2] += v[3];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[2] = rotate_left(v[2], 32);
	}
}

uint64_t map_hash(const uint8_t key[static 16], const void *data, size_t length)
{
	const uint8_t *octets = data;
	uint64_t k0 = load_word(key);
	uint64_t k1 = load_word(key + 8);
	uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
	size_t left = length;

	for (; left >= 8; left -= 8, octets += 8) {
		uint64_t word = load_word(octets);

		v[3] ^= word;
		sip_rounds(v, 2);
		v[0] ^= word;
	}
	k0 = load(octets, left) | (uint64_t)length << 56;
	v[3] ^= k0;
	sip_rounds(v, 2);
	v[0] ^= k0;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_start(struct map *map, size_t key_length, const struct random_source *random)
{
	*map = (struct map){.key_length = key_length <= MAP_KEY_MAXIMUM ? key_length : MAP_KEY_MAXIMUM};
	random_fill(random, map->hash_key, sizeof map->hash_key);
}

void map_free(struct map *map)
{
	struct map_entry *entry = map->first;

	while (entry) {
		struct map_entry *after = entry->after;

		free(entry);
		entry = after;
	}
	free(map->buckets);
	map->buckets = NULL;
	map->first = map->last = NULL;
	map->bucket_count = map->count = 0;
}

static uint32_t hash_of(const struct map *map, const void *key)
{
	return (uint32_t)map_hash(map->hash_key, key, map->key_length);
}

static struct map_entry **bucket_of(const struct map *map, uint32_t hash)
{
	return &map->buckets[hash & (map->bucket_count - 1)];
}

/* Where the pointer to the entry of `key` is, or NULL. */
static struct map_entry **find(const struct map *map, const void *key, uint32_t hash)
{
	if (!map->bucket_count)
		return NULL;
	for (struct map_entry **link = bucket_of(map, hash); *link; link = &(*link)->chain)
		if ((*link)->hash == hash && memcmp((*link)->key, key, map->key_length) == 0)
			return link;
	return NULL;
}

void *map_get(const struct map *map, const void *key)
{
	struct map_entry **link = map->count ? find(map, key, hash_of(map, key)) : NULL;

	return link ? (*link)->value : NULL;
}

/* Doubles the buckets when they are full. Without memory the old ones serve on, only slower. */
static hiphop_error grow(struct map *map)
{
	size_t wanted = map->bucket_count ? 2 * map->bucket_count : FIRST_BUCKETS;
	struct map_entry **buckets;

	if (map->count < map->bucket_count)
		return HIPHOP_OK;
	buckets = calloc(wanted, sizeof(struct map_entry *));
	if (!buckets)
		return map->bucket_count ? HIPHOP_OK : HIPHOP_NO_MEMORY;
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = wanted;
	for (struct map_entry *entry = map->first; entry; entry = entry->after) {
		struct map_entry **bucket = bucket_of(map, entry->hash);

		entry->chain = *bucket;
		*bucket = entry;
	}
	return HIPHOP_OK;
}

static void link_entry(struct map *map, struct map_entry *entry)
{
	struct map_entry **bucket = bucket_of(map, entry->hash);

	entry->chain = *bucket;
	*bucket = entry;
	entry->before = map->last;
	if (map->last)
		map->last->after = entry;
	else
		map->first = entry;
	map->last = entry;
	map->count++;
}

hiphop_error map_put(struct map *map, const void *key, void *value)
{
	uint32_t hash = hash_of(map, key);
	struct map_entry **link = find(map, key, hash);
	struct map_entry *entry;

	if (!value)
		return HIPHOP_INVALID_ARGUMENT;
	if (link) {
		(*link)->value = value;
		return HIPHOP_OK;
	}
	entry = calloc(1, offsetof(struct map_entry, key) + map->key_length);
	if (!entry)
		return HIPHOP_NO_MEMORY;
	if (grow(map)) {
		free(entry);
		return HIPHOP_NO_MEMORY;
	}
	entry->hash = hash;
	entry->value = value;
	memcpy(entry->key, key, map->key_length);
	link_entry(map, entry);
	return HIPHOP_OK;
}

void *map_remove(struct map *map, const void *key)
{
	struct map_entry **link = find(map, key, hash_of(map, key));
	struct map_entry *entry = link ? *link : NULL;
	void *value;

	if (!entry)
		return NULL;
	*link = entry->chain;
	*(entry->before ? &entry->before->after : &map->first) = entry->after;
	*(entry->after ? &entry->after->before : &map->last) = entry->before;
	map->count--;
	value = entry->value;
	free(entry);
	return value;
}

struct map_walk map_walk_start(const struct map *map)
{
	return (struct map_walk){map->first};
}

void *map_walk_next(struct map_walk *walk, const void **key)
{
	struct map_entry *entry = walk->next;

	if (!entry)
		return NULL;
	walk->next = entry->after;
	if (key)
		*key = entry->key;
	return entry->value;
}
