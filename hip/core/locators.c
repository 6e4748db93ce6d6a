/* SPDX-License-Identifier: MIT */
#include "hip/core/locators.h"

#include <stdlib.h>
#include <string.h>

void locators_start(struct locator_cache *cache, const struct random_source *random)
{
	map_start(&cache->lists, HIT_LENGTH, random);
	map_start(&cache->addresses, sizeof(struct address), random);
	cache->learnt_only = 0;
}

static void list_free(struct locator_list *list)
{
	if (list)
		free(list->endpoints);
	free(list);
}

void locators_free(struct locator_cache *cache)
{
	struct map_walk walk = map_walk_start(&cache->lists);
	struct locator_list *list;

	while ((list = map_walk_next(&walk, NULL)))
		list_free(list);
	map_free(&cache->lists);
	map_free(&cache->addresses);
}

const struct locator_list *locators_of(const struct locator_cache *cache, const struct hit *peer)
{
	return map_get(&cache->lists, peer->octets);
}

/* The list has this locator no more. */
static void disown(struct locator_cache *cache, const struct locator_list *list, const struct endpoint *locator)
{
	if (map_get(&cache->addresses, locator->address.octets) == list)
		map_remove(&cache->addresses, locator->address.octets);
}

static void drop_list(struct locator_cache *cache, struct locator_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		disown(cache, list, &list->endpoints[i]);
	if (!list->configured)
		cache->learnt_only--;
	map_remove(&cache->lists, list->peer.octets);
	list_free(list);
}

static void drop_oldest_learnt(struct locator_cache *cache)
{
	struct map_walk walk = map_walk_start(&cache->lists);
	struct locator_list *list;

	while ((list = map_walk_next(&walk, NULL))) {
		if (list->configured)
			continue;
		drop_list(cache, list);
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
	list->peer = *peer;
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

static hiphop_error make_room(struct locator_list *list)
{
	uint8_t capacity = (uint8_t)(list->count + 1);
	struct endpoint *endpoints;

	if (capacity <= list->capacity)
		return HIPHOP_OK;
	endpoints = realloc(list->endpoints, capacity * sizeof *endpoints);
	if (!endpoints)
		return HIPHOP_NO_MEMORY;
	list->endpoints = endpoints;
	list->capacity = capacity;
	return HIPHOP_OK;
}

static void put_in(struct locator_list *list, size_t place, const struct endpoint *locator)
{
	memmove(&list->endpoints[place + 1], &list->endpoints[place],
		(list->count - place) * sizeof list->endpoints[0]);
	list->endpoints[place] = *locator;
	list->count++;
}

/* Puts the locator among those of its kind, in front. */
static hiphop_error insert(
	struct locator_cache *cache, struct locator_list *list, const struct endpoint *locator, bool configured)
{
	size_t place = place_of(list, locator);

	if (place < list->configured)
		return HIPHOP_OK;
	if (place < list->count)
		take_out(list, place);
	if (list->count == HOST_LOCATORS_MAXIMUM) {
		if (list->configured == HOST_LOCATORS_MAXIMUM)
			return HIPHOP_LIMITED;
		disown(cache, list, &list->endpoints[--list->count]);
	}
	if (make_room(list))
		return HIPHOP_NO_MEMORY;
	put_in(list, list->configured, locator);
	if (configured && !list->configured++)
		cache->learnt_only--;
	/* Without memory for it, only questions that know the address alone are not answered. */
	(void)map_put(&cache->addresses, locator->address.octets, list);
	return HIPHOP_OK;
}

hiphop_error locators_learn(
	struct locator_cache *cache, const struct hit *peer, const struct endpoint *locator, bool configured)
{
	struct locator_list *list;
	hiphop_error error;

	/* What a person configured may be on the link or on this machine; what a stranger told may not. */
	if (address_is_unspecified(&locator->address) || (!configured && !address_is_usable_locator(&locator->address)))
		return HIPHOP_REFUSED;
	error = list_for(cache, peer, configured, &list);
	if (error)
		return error;
	error = insert(cache, list, locator, configured);
	if (!list->count)
		drop_list(cache, list);
	return error;
}

void locators_forget_learnt(struct locator_cache *cache, const struct hit *peer)
{
	struct locator_list *list = map_get(&cache->lists, peer->octets);

	if (!list)
		return;
	if (!list->configured) {
		drop_list(cache, list);
		return;
	}
	while (list->count > list->configured)
		disown(cache, list, &list->endpoints[--list->count]);
}

bool locators_peer_at(const struct locator_cache *cache, const struct address *address, struct hit *peer)
{
	const struct locator_list *list = map_get(&cache->addresses, address->octets);

	if (list)
		*peer = list->peer;
	return list != NULL;
}
