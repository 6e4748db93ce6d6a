/* SPDX-License-Identifier: MIT */
#include "hip/esp/security_association.h"

#include <stdlib.h>
#include <string.h>

void security_associations_start(struct security_association_table *table, const struct random_source *random)
{
	map_start(&table->by_spi, sizeof(uint32_t), random);
	map_start(&table->by_peer, HIT_LENGTH, random);
}

static void free_pair(struct security_association *pair)
{
	if (!pair)
		return;
	esp_cipher_free(pair->seal);
	esp_cipher_free(pair->open);
	replay_window_free(&pair->window);
	free(pair);
}

void security_associations_free(struct security_association_table *table)
{
	struct map_walk walk = map_walk_start(&table->by_spi);
	struct security_association *pair;
	struct security_association_peer *peer;

	while ((pair = map_walk_next(&walk, NULL)))
		free_pair(pair);
	walk = map_walk_start(&table->by_peer);
	while ((peer = map_walk_next(&walk, NULL))) {
		route_free(&peer->route);
		free(peer);
	}
	map_free(&table->by_spi);
	map_free(&table->by_peer);
}

struct security_association *security_association_by_spi(
	const struct security_association_table *table, uint32_t spi_in)
{
	return map_get(&table->by_spi, &spi_in);
}

struct security_association_peer *security_association_peer_find(
	const struct security_association_table *table, const struct hit *peer)
{
	return map_get(&table->by_peer, peer);
}

static hiphop_error make_pair(const struct esp_pair *parameters, struct security_association **out)
{
	struct security_association *pair = calloc(1, sizeof(*pair));
	hiphop_error error;

	if (!pair)
		return HIPHOP_NO_MEMORY;
	pair->spi_in = parameters->spi_in;
	pair->spi_out = parameters->spi_out;
	lifetime_start(pair, &parameters->limits);
	error = esp_cipher_new(parameters->keys_out, ESP_SEAL, &pair->seal);
	if (!error)
		error = esp_cipher_new(parameters->keys_in, ESP_OPEN, &pair->open);
	if (error)
		free_pair(pair);
	else
		*out = pair;
	return error;
}

static hiphop_error find_or_add_peer(
	struct security_association_table *table, const struct hit *hit, struct security_association_peer **out)
{
	struct security_association_peer *peer = security_association_peer_find(table, hit);

	if (!peer) {
		peer = calloc(1, sizeof(*peer));
		if (!peer)
			return HIPHOP_NO_MEMORY;
		peer->hit = *hit;
		if (map_put(&table->by_peer, hit, peer)) {
			free(peer);
			return HIPHOP_NO_MEMORY;
		}
	}
	*out = peer;
	return HIPHOP_OK;
}

static void forget_peer_without_pairs(struct security_association_table *table, struct security_association_peer *peer)
{
	if (peer->pair_count)
		return;
	map_remove(&table->by_peer, &peer->hit);
	route_free(&peer->route);
	free(peer);
}

static void move_to_front(struct security_association_peer *peer, struct security_association *pair)
{
	size_t place = 0;

	while (peer->pairs[place] != pair)
		place++;
	memmove(peer->pairs + 1, peer->pairs, place * sizeof(peer->pairs[0]));
	peer->pairs[0] = pair;
}

hiphop_error security_association_add(struct security_association_table *table, const struct esp_pair *parameters)
{
	struct security_association_peer *peer;
	struct security_association *pair;
	hiphop_error error;

	if (security_association_by_spi(table, parameters->spi_in))
		return HIPHOP_EXISTS;
	error = make_pair(parameters, &pair);
	if (error)
		return error;
	error = find_or_add_peer(table, &parameters->peer, &peer);
	if (error) {
		free_pair(pair);
		return error;
	}
	error = peer->pair_count < ESP_PAIRS_PER_PEER ? map_put(&table->by_spi, &pair->spi_in, pair) : HIPHOP_LIMITED;
	if (error) {
		free_pair(pair);
		forget_peer_without_pairs(table, peer);
		return error;
	}
	pair->peer = peer;
	if (!parameters->standby || !peer->pair_count) {
		(void)route_set(&peer->route, &(struct esp_route){.first = {parameters->local, parameters->remote}});
		peer->route.changed = false;
	}
	peer->pairs[peer->pair_count++] = pair;
	if (!parameters->standby)
		move_to_front(peer, pair);
	return HIPHOP_OK;
}

hiphop_error security_association_use(struct security_association_table *table, uint32_t spi_in)
{
	struct security_association *pair = security_association_by_spi(table, spi_in);

	if (!pair)
		return HIPHOP_NOT_FOUND;
	move_to_front(pair->peer, pair);
	return HIPHOP_OK;
}

static void take_out_of_peer(struct security_association_peer *peer, const struct security_association *pair)
{
	uint8_t kept = 0;

	for (size_t i = 0; i < peer->pair_count; i++) {
		if (peer->pairs[i] != pair)
			peer->pairs[kept++] = peer->pairs[i];
	}
	peer->pair_count = kept;
}

hiphop_error security_association_remove(struct security_association_table *table, uint32_t spi_in)
{
	struct security_association *pair = map_remove(&table->by_spi, &spi_in);

	if (!pair)
		return HIPHOP_NOT_FOUND;
	lifetime_forget(table, pair);
	take_out_of_peer(pair->peer, pair);
	forget_peer_without_pairs(table, pair->peer);
	free_pair(pair);
	return HIPHOP_OK;
}
