/* SPDX-License-Identifier: MIT */
#include "hip/core/locators.h"

#include <stdlib.h>
#include <string.h>

/* Who was last said to be at an address, for questions that only know an address. */
struct locator_owner {
	struct hit peer;
};

void locators_start(struct locator_cache *cache, const struct random_source *random)
{
	map_start(&cache->lists, HIT_LENGTH, random);
	map_start(&cache->addresses, sizeof(struct address), random);
	cache->learnt_only = 0;
}

static void free_all(struct map *map)
{
	struct map_walk walk = map_walk_start(map);
	void *value;

	while ((value = map_walk_next(&walk, NULL)))
		free(value);
	map_free(map);
}

void locators_free(struct locator_cache *cache)
{
	free_all(&cache->lists);
	free_all(&cache->addresses);
}

const struct locator_list *locators_of(const struct locator_cache *cache, const struct hit *peer)
{
	return map_get(&cache->lists, peer->octets);
}

static void drop_owner(struct locator_cache *cache, const struct hit *peer, const struct endpoint *locator)
{
	struct locator_owner *owner = map_get(&cache->addresses, locator->address.octets);

	if (owner && hit_equal(&owner->peer, peer))
		free(map_remove(&cache->addresses, locator->address.octets));
}

static void drop_list(struct locator_cache *cache, const struct hit *peer)
{
	struct locator_list *list = map_get(&cache->lists, peer->octets);

	for (size_t i = 0; i < list->count; i++)
		drop_owner(cache, peer, &list->endpoints[i]);
	if (!list->configured)
		cache->learnt_only--;
	free(map_remove(&cache->lists, peer->octets));
}

static void drop_oldest_learnt(struct locator_cache *cache)
{
	struct map_walk walk = map_walk_start(&cache->lists);
	struct locator_list *list;
	const void *key;

	while ((list = map_walk_next(&walk, &key))) {
		struct hit peer;

		if (list->configured)
			continue;
		memcpy(peer.octets, key, HIT_LENGTH);
		drop_list(cache, &peer);
		return;
	}
}

static hiphop_error list_for(
	struct locator_cache *cache, const struct hit *peer, bool configured, struct locator_list **found)
{
	struct locator_list *list = map_get(&cache->lists, peer->octets);

	*found = list;
	if (list)
		return HIPHOP_OK;
	if (configured && cache->lists.count - cache->learnt_only >= LOCATOR_PEERS_CONFIGURED_MAXIMUM)
		return HIPHOP_LIMITED;
	if (!configured && cache->learnt_only >= LOCATOR_PEERS_LEARNT_MAXIMUM)
		drop_oldest_learnt(cache);
	list = calloc(1, sizeof *list);
	if (!list || map_put(&cache->lists, peer->octets, list)) {
		free(list);
		return HIPHOP_NO_MEMORY;
	}
	cache->learnt_only++;
	*found = list;
	return HIPHOP_OK;
}

static size_t place_of(const struct locator_list *list, const struct endpoint *locator)
{
	size_t place = 0;

	while (place < list->count && !endpoint_equal(&list->endpoints[place], locator))
		place++;
	return place;
}

static void take_out(struct locator_list *list, size_t place)
{
	if (place < list->configured)
		list->configured--;
	list->count--;
	memmove(&list->endpoints[place], &list->endpoints[place + 1],
		(list->count - place) * sizeof list->endpoints[0]);
}

static void put_in(struct locator_list *list, size_t place, const struct endpoint *locator)
{
	memmove(&list->endpoints[place + 1], &list->endpoints[place],
		(list->count - place) * sizeof list->endpoints[0]);
	list->endpoints[place] = *locator;
	list->count++;
}

static void note_owner(struct locator_cache *cache, const struct hit *peer, const struct endpoint *locator)
{
	struct locator_owner *owner = map_get(&cache->addresses, locator->address.octets);

	if (owner) {
		owner->peer = *peer;
		return;
	}
	owner = malloc(sizeof *owner);
	if (!owner)
		return;
	owner->peer = *peer;
	if (map_put(&cache->addresses, locator->address.octets, owner))
		free(owner);
}

hiphop_error locators_learn(
	struct locator_cache *cache, const struct hit *peer, const struct endpoint *locator, bool configured)
{
	struct locator_list *list;
	hiphop_error error;
	size_t place;

	/* What a person configured may be on the link or on this machine; what a stranger told may not. */
	if (address_is_unspecified(&locator->address) || (!configured && !address_is_usable_locator(&locator->address)))
		return HIPHOP_REFUSED;
	error = list_for(cache, peer, configured, &list);
	if (error)
		return error;
	place = place_of(list, locator);
	if (place < list->configured)
		return HIPHOP_OK;
	if (place < list->count)
		take_out(list, place);
	if (list->count == HOST_LOCATORS_MAXIMUM) {
		if (list->configured == HOST_LOCATORS_MAXIMUM)
			return HIPHOP_LIMITED;
		drop_owner(cache, peer, &list->endpoints[list->count - 1]);
		list->count--;
	}
	put_in(list, list->configured, locator);
	if (configured) {
		if (!list->configured)
			cache->learnt_only--;
		list->configured++;
	}
	note_owner(cache, peer, locator);
	return HIPHOP_OK;
}

void locators_forget_learnt(struct locator_cache *cache, const struct hit *peer)
{
	struct locator_list *list = map_get(&cache->lists, peer->octets);

	if (!list)
		return;
	if (!list->configured) {
		drop_list(cache, peer);
		return;
	}
	while (list->count > list->configured)
		drop_owner(cache, peer, &list->endpoints[--list->count]);
}

bool locators_peer_at(const struct locator_cache *cache, const struct address *address, struct hit *peer)
{
	const struct locator_owner *owner = map_get(&cache->addresses, address->octets);

	if (owner)
		*peer = owner->peer;
	return owner != NULL;
}
