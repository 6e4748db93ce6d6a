/* SPDX-License-Identifier: MIT */
#include "daemon/node_prefixes.h"

#include "daemon/icmp_error.h"
#include "daemon/node_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static bool is_wanted(const struct configuration *configuration)
{
	return configuration->announce_count || configuration->accept_count ||
	       !address_is_unspecified(&configuration->tunnel_ipv4);
}

size_t node_prefixes_timers(const struct node *node)
{
	return node->prefixes ? node->prefixes->owner_count + 1 : 1;
}

static struct prefix_owner *find_or_add_owner(struct node_prefixes *prefixes, const struct hit *hit)
{
	for (size_t i = 0; i < prefixes->owner_count; i++) {
		if (hit_equal(&prefixes->owners[i].hit, hit))
			return &prefixes->owners[i];
	}
	return &prefixes->owners[prefixes->owner_count++];
}

static hiphop_error make_owners(struct node *node)
{
	const struct configuration *configuration = node->configuration;
	struct node_prefixes *prefixes = node->prefixes;

	prefixes->owners = calloc(configuration->accept_count + 1, sizeof(*prefixes->owners));
	if (!prefixes->owners)
		return HIPHOP_NO_MEMORY;
	for (size_t i = 0; i < configuration->accept_count; i++) {
		const struct hit *hit = &configuration->accept[i].owner;
		struct prefix_owner *owner;

		if (node_local_by_hit(node, hit))
			continue; /* one's own are no news */
		owner = find_or_add_owner(prefixes, hit);
		owner->node = node;
		owner->hit = *hit;
		owner->expires = INSTANT_NEVER;
		owner->deadline.kind = NODE_TIMER_PREFIX_OWNER;
		owner->deadline.owner = owner;
	}
	return deadline_heap_reserve(&node->timers, node->bootstrap_count + 16 + node_prefixes_timers(node));
}

static void fill_announced(struct prefix_table *announced, const struct configuration *configuration)
{
	static const struct hit nobody;
	struct ip_prefix one = ip_prefix_of_one(&configuration->tunnel_ipv4);

	/* The configuration has no more of them than fit; one that is there twice is there once. */
	for (size_t i = 0; i < configuration->announce_count; i++)
		(void)prefix_table_add(announced, &configuration->announce[i], &nobody);
	if (!address_is_unspecified(&configuration->tunnel_ipv4))
		(void)prefix_table_add(announced, &one, &nobody);
}

static void fill_tunnel(struct node *node)
{
	struct prefix_tunnel *tunnel = &node->prefixes->tunnel;

	_Static_assert(PREFIX_TUNNEL_HITS >= NODE_LOCALS_MAXIMUM, "all identities fit");
	fill_announced(&tunnel->announced, node->configuration);
	for (size_t i = 0; i < node->local_count; i++)
		tunnel->own[tunnel->own_count++] = node->locals[i].hit;
	tunnel->mtu = ip_prefix_tunnel_mtu(node->configuration->tunnel_mtu);
	tunnel->port = node->configuration->port;
	node_prefixes_addresses(node, NULL, 0);
}

hiphop_error node_prefixes_create(struct node *node)
{
	node->announcement.deadline.kind = NODE_TIMER_PREFIX_ANNOUNCE;
	if (!is_wanted(node->configuration))
		return HIPHOP_OK;
	node->prefixes = calloc(1, sizeof(*node->prefixes));
	if (!node->prefixes)
		return HIPHOP_NO_MEMORY;
	fill_tunnel(node);
	return make_owners(node);
}

void node_prefixes_free(struct node *node)
{
	if (node->prefixes)
		free(node->prefixes->owners);
	free(node->prefixes);
	node->prefixes = NULL;
}

void node_prefixes_start(struct node *node, instant now)
{
	struct node_prefixes *prefixes = node->prefixes;

	node_prefixes_announce(node, now);
	for (size_t i = 0; prefixes && i < prefixes->owner_count; i++)
		node_prefixes_look(&prefixes->owners[i], now);
}

void node_prefixes_timer(struct node *node, instant now, struct deadline *deadline)
{
	if (deadline->kind == NODE_TIMER_PREFIX_OWNER)
		node_prefixes_look(deadline->owner, now);
	else
		node_prefixes_announce(node, now);
}

void node_prefixes_addresses(struct node *node, const struct link_address *links, size_t count)
{
	struct prefix_tunnel *tunnel = node->prefixes ? &node->prefixes->tunnel : NULL;

	if (!tunnel)
		return;
	tunnel->address_count = 0;
	if (!address_is_unspecified(&node->configuration->tunnel_ipv4))
		tunnel->addresses[tunnel->address_count++] = node->configuration->tunnel_ipv4;
	for (size_t i = 0; i < count && tunnel->address_count < PREFIX_TUNNEL_ADDRESSES; i++) {
		if (prefix_table_find(&tunnel->announced, &links[i].address))
			tunnel->addresses[tunnel->address_count++] = links[i].address;
	}
}

/* ---- packets ---- */

/* Tells the sender, where it is of use to him. */
static void answer_dropped(struct node *node, struct packet *packet, prefix_counter cause)
{
	bool too_long = cause == PREFIX_COUNT_DROP_OUT_TOO_LARGE;
	struct packet *answer = NULL;

	if ((too_long || cause == PREFIX_COUNT_DROP_OUT_SOURCE) &&
		icmp_error_may_answer(packet_data(packet), packet->length))
		answer = node_effects_packet(&node->effects, NODE_TUNNEL_WRITE);
	if (answer)
		icmp_error_write(answer, too_long ? ICMP_ERROR_TOO_BIG : ICMP_ERROR_SOURCE, node->prefixes->tunnel.mtu,
			packet_data(packet), packet->length);
}

bool node_prefixes_take(struct node *node, struct packet *packet, struct prefix_way *way)
{
	prefix_verdict verdict = PREFIX_PASS;

	if (node->prefixes)
		verdict = prefix_tunnel_look_out(&node->prefixes->tunnel, packet_data(packet), packet->length, way);
	if (verdict == PREFIX_DROP) {
		answer_dropped(node, packet, way->cause);
		packet->kind = PACKET_DROPPED;
	}
	return verdict == PREFIX_CARRY;
}

bool node_prefixes_unwrap(struct node *node, struct packet *packet)
{
	prefix_verdict verdict = PREFIX_PASS;

	if (node->prefixes)
		verdict = prefix_tunnel_look_in(
			&node->prefixes->tunnel, &packet->peer, packet_data(packet), packet->length);
	if (verdict == PREFIX_CARRY)
		prefix_tunnel_unwrap(&node->prefixes->tunnel, packet);
	return verdict != PREFIX_DROP;
}

const uint8_t *node_prefixes_unwrapped(const struct node *node, const uint8_t *octets, size_t *length)
{
	const uint8_t *inner = node->prefixes ? prefix_tunnel_inner(octets, *length, length) : NULL;

	return inner ? inner : octets;
}
