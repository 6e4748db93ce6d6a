/* SPDX-License-Identifier: MIT */
#include "hip/core/on_board.h"

#include "hip/base/bytes.h"

#include <stdlib.h>
#include <string.h>

/* By this an SPI that a registered host sends with is found. */
struct outward_key {
	uint32_t number, spi;
};

/* By this the ticket of a host for a peer is found. */
struct pair_key {
	uint32_t owner;
	struct hit peer;
};

static struct pair_key pair_key(const struct boarder *owner, const struct hit *peer)
{
	return (struct pair_key){owner->number, *peer};
}

static struct outward_key outward_key(const struct boarder *via, uint32_t spi)
{
	return (struct outward_key){via->number, spi};
}

void on_board_start(struct on_board *table, const struct random_source *random)
{
	memset(table, 0, sizeof *table);
	map_start(&table->hosts, HIT_LENGTH, random);
	map_start(&table->by_endpoint, sizeof(struct endpoint), random);
	map_start(&table->tickets, TICKET_ID_LENGTH, random);
	map_start(&table->by_pair, sizeof(struct pair_key), random);
	map_start(&table->inward, sizeof(uint32_t), random);
	map_start(&table->outward, sizeof(struct outward_key), random);
}

/* ---- SPIs ---- */

static void remove_spis(struct on_board *table, struct delegated *ticket)
{
	for (size_t i = 0; i < ticket->what.pair_count; i++) {
		const struct delegation_pair *pair = &ticket->what.pairs[i];
		struct outward_key key = outward_key(ticket->via, pair->spi_out);

		if (map_get(&table->inward, &pair->spi_in) == ticket)
			map_remove(&table->inward, &pair->spi_in);
		if (map_get(&table->outward, &key) == ticket)
			map_remove(&table->outward, &key);
	}
}

static hiphop_error add_spis(struct on_board *table, struct delegated *ticket)
{
	hiphop_error error = HIPHOP_OK;

	for (size_t i = 0; i < ticket->what.pair_count && !error; i++) {
		const struct delegation_pair *pair = &ticket->what.pairs[i];
		struct outward_key key = outward_key(ticket->via, pair->spi_out);

		error = map_put(&table->inward, &pair->spi_in, ticket);
		if (!error)
			error = map_put(&table->outward, &key, ticket);
	}
	return error;
}

/* By a ticket of another pair. */
static bool is_taken(const struct map *map, const void *key, const struct delegated *by_other_than)
{
	const struct delegated *holder = map_get(map, key);

	return holder && holder != by_other_than;
}

static bool collides(const struct on_board *table, const struct boarder *via, const struct delegated *ticket,
	const struct parameter_delegation *delegation, on_board_own_spi *own, void *own_context)
{
	for (size_t i = 0; i < delegation->pair_count; i++) {
		const struct delegation_pair *pair = &delegation->pairs[i];
		struct outward_key key = outward_key(via, pair->spi_out);

		if (is_taken(&table->inward, &pair->spi_in, ticket) || is_taken(&table->outward, &key, ticket) ||
			(own && own(own_context, pair->spi_in)))
			return true;
	}
	return false;
}

/* ---- tickets ---- */

struct delegated *on_board_ticket(const struct on_board *table, const uint8_t id[static TICKET_ID_LENGTH])
{
	return map_get(&table->tickets, id);
}

void on_board_withdraw(struct on_board *table, struct delegated *ticket)
{
	struct pair_key key = pair_key(ticket->owner, &ticket->what.peer);

	if (table->gone)
		table->gone(table->context, ticket);
	remove_spis(table, ticket);
	map_remove(&table->tickets, ticket->what.grant.id);
	if (map_get(&table->by_pair, &key) == ticket)
		map_remove(&table->by_pair, &key);
	ticket->owner->tickets--;
	bytes_wipe(ticket, sizeof *ticket);
	free(ticket);
}

static void withdraw_all_of(struct on_board *table, const struct boarder *boarder)
{
	struct map_walk walk = map_walk_start(&table->tickets);
	struct delegated *ticket;

	while ((ticket = map_walk_next(&walk, NULL))) {
		if (ticket->owner == boarder || ticket->via == boarder)
			on_board_withdraw(table, ticket);
	}
}

/* The ticket that stands, when this host may speak of it; it may have come through another before. */
static hiphop_error find_own(const struct on_board *table, const struct boarder *via,
	const struct parameter_delegation *delegation, struct delegated **found)
{
	struct boarder *owner = on_board_find(table, &delegation->owner);
	struct delegated *ticket = on_board_ticket(table, delegation->grant.id);

	*found = ticket;
	if (!owner || on_board_carrier(owner) != via)
		return HIPHOP_REFUSED;
	if (ticket && (ticket->owner != owner || !hit_equal(&ticket->what.peer, &delegation->peer)))
		return HIPHOP_REFUSED;
	return HIPHOP_OK;
}

static hiphop_error make_ticket(struct on_board *table, struct boarder *via,
	const struct parameter_delegation *delegation, struct delegated **made)
{
	struct boarder *owner = on_board_find(table, &delegation->owner);
	struct pair_key key = pair_key(owner, &delegation->peer);
	struct delegated *ticket = calloc(1, sizeof *ticket);

	*made = NULL;
	if (!ticket)
		return HIPHOP_NO_MEMORY;
	ticket->owner = owner;
	ticket->via = via;
	ticket->what.grant = delegation->grant;
	ticket->what.peer = delegation->peer;
	owner->tickets++;
	if (map_put(&table->tickets, delegation->grant.id, ticket) || map_put(&table->by_pair, &key, ticket)) {
		on_board_withdraw(table, ticket);
		return HIPHOP_NO_MEMORY;
	}
	*made = ticket;
	return HIPHOP_OK;
}

/* The one of this pair, whatever its ID. */
static struct delegated *ticket_of_pair(const struct on_board *table, const struct parameter_delegation *delegation)
{
	struct pair_key key = pair_key(on_board_find(table, &delegation->owner), &delegation->peer);

	return map_get(&table->by_pair, &key);
}

static bool is_full(const struct on_board *table, const struct parameter_delegation *delegation)
{
	const struct boarder *owner = on_board_find(table, &delegation->owner);

	return table->tickets.count >= ON_BOARD_TICKETS_MAXIMUM || owner->tickets >= ON_BOARD_TICKETS_OF_ONE;
}

static hiphop_error judge(const struct on_board *table, const struct boarder *via,
	const struct parameter_delegation *delegation, on_board_own_spi *own, void *own_context,
	delegation_refusal_reason *reason, struct delegated **found)
{
	const struct delegated *former;

	*reason = DELEGATION_NOT_YOURS;
	if (find_own(table, via, delegation, found))
		return HIPHOP_REFUSED;
	if (!delegation->grant.lifetime)
		return HIPHOP_OK;
	former = ticket_of_pair(table, delegation);
	*reason = DELEGATION_TOO_MANY;
	if (!former && is_full(table, delegation))
		return HIPHOP_REFUSED;
	*reason = DELEGATION_SPI_COLLIDES;
	return collides(table, via, former, delegation, own, own_context) ? HIPHOP_REFUSED : HIPHOP_OK;
}

hiphop_error on_board_delegate(struct on_board *table, instant now, struct boarder *via,
	const struct parameter_delegation *delegation, on_board_own_spi *own, void *own_context,
	delegation_refusal_reason *reason, struct delegated **ticket)
{
	hiphop_error error = judge(table, via, delegation, own, own_context, reason, ticket);

	if (error)
		return error;
	if (!delegation->grant.lifetime) {
		if (*ticket)
			on_board_withdraw(table, *ticket);
		*ticket = NULL;
		return HIPHOP_OK;
	}
	if (!*ticket && ticket_of_pair(table, delegation))
		on_board_withdraw(table, ticket_of_pair(table, delegation));
	if (!*ticket && make_ticket(table, via, delegation, ticket))
		return HIPHOP_NO_MEMORY;
	remove_spis(table, *ticket);
	(*ticket)->via = via;
	(*ticket)->what = *delegation;
	(*ticket)->expires = instant_after(now, SECONDS(delegation->grant.lifetime));
	if (delegation->sequence > (*ticket)->sequence)
		(*ticket)->sequence = delegation->sequence;
	(*ticket)->has_way = false;
	(*ticket)->passed_on = (*ticket)->passing = (*ticket)->refused = false;
	if (!add_spis(table, *ticket))
		return HIPHOP_OK;
	on_board_withdraw(table, *ticket);
	*ticket = NULL;
	return HIPHOP_NO_MEMORY;
}

/* ---- hosts ---- */

struct boarder *on_board_find(const struct on_board *table, const struct hit *hit)
{
	return map_get(&table->hosts, hit->octets);
}

struct boarder *on_board_at(const struct on_board *table, const struct endpoint *remote)
{
	return map_get(&table->by_endpoint, remote);
}

struct boarder *on_board_carrier(struct boarder *boarder)
{
	return boarder->carrier ? boarder->carrier : boarder;
}

static struct boarder *make_boarder(struct on_board *table, const struct hit *hit)
{
	struct boarder *made = calloc(1, sizeof *made);

	if (!made)
		return NULL;
	made->hit = *hit;
	made->number = table->next_number++;
	if (map_put(&table->hosts, hit->octets, made)) {
		free(made);
		return NULL;
	}
	return made;
}

static void drop_boarder(struct on_board *table, struct boarder *boarder)
{
	withdraw_all_of(table, boarder);
	if (!boarder->carrier && on_board_at(table, &boarder->remote) == boarder)
		map_remove(&table->by_endpoint, &boarder->remote);
	map_remove(&table->hosts, boarder->hit.octets);
	free(boarder);
}

static void drop_those_behind(struct on_board *table, const struct boarder *carrier)
{
	struct map_walk walk = map_walk_start(&table->hosts);
	struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL))) {
		if (boarder->carrier == carrier)
			drop_boarder(table, boarder);
	}
}

/* Puts a host at its endpoint. */
static hiphop_error place(struct on_board *table, struct boarder *boarder, const struct endpoint *remote)
{
	struct boarder *there = on_board_at(table, remote);
	bool was_placed = on_board_at(table, &boarder->remote) == boarder;
	hiphop_error error;

	if (there == boarder)
		return HIPHOP_OK;
	if (there)
		return HIPHOP_EXISTS;
	error = map_put(&table->by_endpoint, remote, boarder);
	if (error)
		return error;
	if (was_placed)
		map_remove(&table->by_endpoint, &boarder->remote);
	boarder->remote = *remote;
	return HIPHOP_OK;
}

static hiphop_error obtain(struct on_board *table, const struct hit *hit, struct boarder **found)
{
	*found = on_board_find(table, hit);
	if (*found && (*found)->carrier) {
		drop_boarder(table, *found);
		*found = NULL;
	}
	if (*found)
		return HIPHOP_OK;
	if (table->hosts.count >= ON_BOARD_HOSTS_MAXIMUM)
		return HIPHOP_LIMITED;
	*found = make_boarder(table, hit);
	return *found ? HIPHOP_OK : HIPHOP_NO_MEMORY;
}

hiphop_error on_board_register(struct on_board *table, instant now, const struct hit *hit, const struct endpoint *local,
	const struct endpoint *remote, instant expires)
{
	bool is_new = !on_board_find(table, hit) || on_board_find(table, hit)->carrier;
	struct boarder *boarder;
	hiphop_error error = obtain(table, hit, &boarder);

	if (error)
		return error;
	error = place(table, boarder, remote);
	if (error && is_new)
		drop_boarder(table, boarder);
	if (error)
		return error;
	boarder->local = *local;
	boarder->expires = expires;
	if (is_new) {
		boarder->packets_out = token_bucket_start(ON_BOARD_PACKETS_PER_SECOND, ON_BOARD_PACKETS_BURST, now);
		boarder->packets_in = boarder->packets_out;
		boarder->strange_packets = token_bucket_start(ON_BOARD_STRANGE_PER_SECOND, ON_BOARD_STRANGE_BURST, now);
		boarder->esp_in = token_bucket_start(ON_BOARD_ESP_PER_SECOND, ON_BOARD_ESP_BURST, now);
		boarder->esp_out = boarder->esp_in;
	}
	return HIPHOP_OK;
}

bool on_board_leave(struct on_board *table, const struct hit *hit)
{
	struct boarder *boarder = on_board_find(table, hit);

	if (!boarder || boarder->carrier)
		return false;
	drop_those_behind(table, boarder);
	drop_boarder(table, boarder);
	return true;
}

hiphop_error on_board_set_behind(struct on_board *table, struct boarder *carrier, const struct hit *hit, bool left)
{
	struct boarder *boarder = on_board_find(table, hit);

	if (boarder && !boarder->carrier)
		return HIPHOP_REFUSED;
	if (left) {
		if (boarder && boarder->carrier == carrier)
			drop_boarder(table, boarder);
		return HIPHOP_OK;
	}
	if (boarder && boarder->carrier != carrier) {
		drop_boarder(table, boarder);
		boarder = NULL;
	}
	if (boarder)
		return HIPHOP_OK;
	if (table->hosts.count >= ON_BOARD_HOSTS_MAXIMUM)
		return HIPHOP_LIMITED;
	boarder = make_boarder(table, hit);
	if (!boarder)
		return HIPHOP_NO_MEMORY;
	boarder->carrier = carrier;
	return HIPHOP_OK;
}

void on_board_free(struct on_board *table)
{
	struct map_walk walk = map_walk_start(&table->hosts);
	struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL)))
		drop_boarder(table, boarder);
	map_free(&table->hosts);
	map_free(&table->by_endpoint);
	map_free(&table->tickets);
	map_free(&table->by_pair);
	map_free(&table->inward);
	map_free(&table->outward);
}

/* ---- ESP ---- */

bool on_board_has_spi(const struct on_board *table, uint32_t spi)
{
	return map_get(&table->inward, &spi) != NULL;
}

static bool is_locator(const struct delegated *ticket, const struct endpoint *endpoint)
{
	for (size_t i = 0; ticket && i < ticket->what.locator_count; i++) {
		if (endpoint_equal(&ticket->what.locators[i], endpoint))
			return true;
	}
	return false;
}

struct delegated *on_board_inward(const struct on_board *table, uint32_t spi, const struct endpoint *from)
{
	struct delegated *ticket = map_get(&table->inward, &spi);

	return is_locator(ticket, from) ? ticket : NULL;
}

bool on_board_knows_peer(
	const struct on_board *table, const struct boarder *owner, const struct hit *peer, const struct endpoint *from)
{
	struct pair_key key = pair_key(owner, peer);

	return is_locator(map_get(&table->by_pair, &key), from);
}

struct delegated *on_board_outward(const struct on_board *table, const struct boarder *via, uint32_t spi)
{
	struct outward_key key = outward_key(via, spi);

	return map_get(&table->outward, &key);
}

void on_board_forget_ways(struct on_board *table)
{
	struct map_walk walk = map_walk_start(&table->tickets);
	struct delegated *ticket;

	while ((ticket = map_walk_next(&walk, NULL)))
		ticket->has_way = false;
}

/* ---- time ---- */

static bool expire_tickets(struct on_board *table, instant now)
{
	struct map_walk walk = map_walk_start(&table->tickets);
	struct delegated *ticket;
	bool any = false;

	while ((ticket = map_walk_next(&walk, NULL))) {
		if (now < ticket->expires)
			continue;
		on_board_withdraw(table, ticket);
		any = true;
	}
	return any;
}

/* The walk may not meet one that has gone with another, so it begins anew. */
static bool expire_one_host(struct on_board *table, instant now)
{
	struct map_walk walk = map_walk_start(&table->hosts);
	struct boarder *boarder;

	while ((boarder = map_walk_next(&walk, NULL))) {
		if (!boarder->carrier && now >= boarder->expires)
			return on_board_leave(table, &boarder->hit);
	}
	return false;
}

bool on_board_expire(struct on_board *table, instant now)
{
	bool any = expire_tickets(table, now);

	while (expire_one_host(table, now))
		any = true;
	return any;
}
