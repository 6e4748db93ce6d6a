/* SPDX-License-Identifier: MIT */
/*
 * Where sealed packets go: one route for each peer, whichever pair of SAs is used. To an address where the peer has not
 * answered yet, only as much is sent as came from it lately (credit-based authorisation, RFC 8046 section 5.6).
 */
#include "hip/esp/security_association.h"

#include "hip/base/bytes.h"

#include <stdlib.h>

/* CreditAgingFactor and CreditAgingInterval of RFC 8046 section 5.6.2. */
#define CREDIT_KEPT_OF_8 7
#define CREDIT_INTERVAL  SECONDS(5)
/* Beyond this many intervals nothing is left of any credit that matters. */
#define CREDIT_INTERVALS_MAXIMUM 256
/* Packets by another way are told this often at most, and those by the same as last time so often: whoever was told may
 * have been without memory. */
#define ELSEWHERE_INTERVAL MILLISECONDS(50)
/* So many packets by the first way, each within this time of one by another, and the replay window is widened. */
#define INTERLEAVED_ENOUGH 8
#define INTERLEAVED_WITHIN MILLISECONDS(200)
#define ELSEWHERE_AGAIN    SECONDS(1)
/* UDP packets up to this length, inner header included, are copied: voice, games, sensors. */
#define COPY_LARGEST 400

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define INNER_HEADER 40

static bool has_extras(struct peer_route *route)
{
	if (!route->extras)
		route->extras = calloc(1, sizeof *route->extras);
	return route->extras != NULL;
}

hiphop_error route_set(struct peer_route *route, const struct esp_route *wanted)
{
	size_t count = wanted->more_count < ESP_MORE_WAYS ? wanted->more_count : ESP_MORE_WAYS;

	route->first = wanted->first;
	route->unverified = wanted->unverified;
	route->changed = true;
	route->heard = 0;
	if (route->extras)
		route->extras->count = 0;
	if (!count || wanted->use == ESP_WAYS_FIRST)
		return HIPHOP_OK;
	if (!has_extras(route))
		return HIPHOP_NO_MEMORY;
	route->extras->use = wanted->use;
	route->extras->count = count;
	for (size_t i = 0; i < count; i++)
		route->extras->ways[i] = wanted->more[i];
	return HIPHOP_OK;
}

void route_free(struct peer_route *route)
{
	free(route->extras);
	route->extras = NULL;
}

/* ---- what comes ---- */

static void age_credit(struct peer_route *route, instant now)
{
	uint64_t intervals = (now - route->aged) / CREDIT_INTERVAL;

	if (intervals > CREDIT_INTERVALS_MAXIMUM)
		route->credit = 0;
	for (uint64_t i = 0; i < intervals && route->credit; i++)
		route->credit = route->credit * CREDIT_KEPT_OF_8 / 8;
	route->aged = intervals > CREDIT_INTERVALS_MAXIMUM ? now : route->aged + intervals * CREDIT_INTERVAL;
}

uint64_t route_credit(struct peer_route *route, instant now)
{
	if (now >= route->aged + CREDIT_INTERVAL)
		age_credit(route, now);
	return route->credit;
}

static bool comes_by(const struct packet *packet, const struct esp_way *way)
{
	return endpoint_equal(&packet->remote, &way->remote) &&
	       (address_is_unspecified(&way->local.address) ||
		       address_equal(&packet->local.address, &way->local.address));
}

/* The peer spreads what it sends over ways of different length: then what is late is no replay. */
static void note_interleaved(instant now, struct security_association *pair)
{
	struct route_extras *extras = pair->peer->route.extras;

	if (!extras || now >= extras->other_heard + INTERLEAVED_WITHIN || pair->window.wide)
		return;
	if (++extras->interleaved >= INTERLEAVED_ENOUGH)
		(void)replay_window_widen(&pair->window);
}

static void note_other_way(struct security_association_table *table, instant now, struct security_association *pair,
	const struct packet *packet)
{
	struct peer_route *route = &pair->peer->route;
	duration interval;

	if (!has_extras(route))
		return;
	route->extras->other_heard = now;
	interval = comes_by(packet, &route->extras->other) ? ELSEWHERE_AGAIN : ELSEWHERE_INTERVAL;
	if (route->extras->told && now < instant_after(route->extras->told, interval))
		return;
	route->extras->other.local = packet->local;
	route->extras->other.remote = packet->remote;
	route->extras->told = now;
	lifetime_tell_again(table, pair, ESP_NOTICE_ELSEWHERE);
}

void route_heard(struct security_association_table *table, instant now, struct security_association *pair,
	const struct packet *packet, size_t length, bool is_probe)
{
	struct peer_route *route = &pair->peer->route;

	/* A question is answered, which is as long. */
	if (!is_probe)
		route->credit = route_credit(route, now) + length;
	if (comes_by(packet, &route->first)) {
		route->heard = now;
		note_interleaved(now, pair);
	} else {
		note_other_way(table, now, pair, packet);
	}
	if (is_probe || !route->changed)
		return;
	route->changed = false;
	if (!has_extras(route))
		return;
	route->extras->gap = pair->peer->heard ? now - pair->peer->heard : 0;
	lifetime_tell_again(table, pair, ESP_NOTICE_RESUMED);
}

/* ---- what goes ---- */

/* The packets of one flow keep their order, so they go one way. */
static uint32_t flow_of(const uint8_t *inner, size_t length)
{
	uint32_t hash = inner[6];
	size_t ports = inner[6] == PROTOCOL_TCP || inner[6] == PROTOCOL_UDP ? INNER_HEADER : 0;

	for (size_t i = 0; ports && i < 4 && ports + i < length; i++)
		hash = (hash ^ inner[ports + i]) * UINT32_C(0x01000193);
	for (size_t i = 1; i < 4; i++)
		hash = (hash ^ (i == 1 ? inner[i] & 0xfU : inner[i])) * UINT32_C(0x01000193);
	return hash ^ hash >> 16;
}

static const struct esp_way *way_of_flow(const struct peer_route *route, const uint8_t *inner, size_t length)
{
	size_t place = flow_of(inner, length) % (route->extras->count + 1);

	return place ? &route->extras->ways[place - 1] : &route->first;
}

static bool is_worth_a_copy(const uint8_t *inner, size_t length)
{
	return inner[6] == PROTOCOL_UDP && length <= COPY_LARGEST;
}

bool route_choose(struct peer_route *route, instant now, struct packet *packet, const uint8_t *inner, size_t length)
{
	const struct esp_way *way = &route->first;
	/* Data that flows as fast as it comes would leave nothing for the checks that end this. */
	size_t kept = inner ? ESP_CREDIT_OF_CHECKS : 0;

	if (route->unverified && route_credit(route, now) < length + kept)
		return false;
	packet->copy = 0;
	if (route->extras && route->extras->count && inner) {
		if (route->extras->use == ESP_WAYS_SPREAD)
			way = way_of_flow(route, inner, packet->length);
		else
			packet->copy = is_worth_a_copy(inner, packet->length);
	}
	packet->local = way->local;
	packet->remote = way->remote;
	return true;
}

void route_sent(struct peer_route *route, size_t length)
{
	if (route->unverified)
		route->credit -= length < route->credit ? length : route->credit;
}
