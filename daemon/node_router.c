/* SPDX-License-Identifier: MIT */
#include "daemon/node_router.h"

#include "daemon/node_internal.h"

#include <string.h>

/* ---- life ---- */

void node_router_configure(const struct node *node, struct host_configuration *host)
{
	const struct configured_router *router = &node->configuration->router;

	host->mobile_router = router->serves;
	host->inside = (const char(*)[LINK_NAME_SIZE])router->inside;
	host->inside_count = router->inside_count;
}

bool node_may_board(const struct node *node, const struct hit *peer)
{
	const struct configured_router *router = &node->configuration->router;

	for (size_t i = 0; i < router->host_count; i++) {
		if (hit_equal(&router->hosts[i].hit, peer))
			return true;
	}
	return router->host_count == 0;
}

void node_router_start(struct node *node, instant now)
{
	const struct hit *router = &node->configuration->router.use.hit;

	if (!hit_is_null(router))
		host_use_router(node->host, now, router);
}

/* ---- ESP ---- */

/* The way on; false when it stays here. */
static bool find_hop(struct node *node, instant now, struct packet *packet)
{
	struct reader reader = reader_over(packet_data(packet), packet->length);
	struct host_esp_hop hop = {
		.local = packet->local, .remote = packet->remote, .spi = reader_u32(&reader), .length = packet->length};

	if (packet->remote.transport != TRANSPORT_UDP || reader_status(&reader) ||
		!host_forward_esp(node->host, now, &hop))
		return false;
	packet->local = hop.local;
	packet->remote = hop.remote;
	return true;
}

/* The vector that came goes to the tunnel; what is handed on goes out with what else leaves. */
static void send_on(struct node *node, struct packet *packet)
{
	struct packet *out = node_effects_packet(&node->effects, NODE_UNDERLAY_SEND);

	if (out && !packet_fill(out, PACKET_DATAGRAM, packet_data(packet), packet->length)) {
		out->local = packet->local;
		out->remote = packet->remote;
	}
	packet->kind = PACKET_DROPPED;
}

void node_router_forward(struct node *node, instant now, struct packet_vector *vector)
{
	if (!node->configuration->router.serves)
		return;
	for (size_t i = 0; i < vector->count; i++) {
		struct packet *packet = &vector->packets[i];

		if (packet->kind == PACKET_ESP && find_hop(node, now, packet))
			send_on(node, packet);
	}
}

/* ---- status ---- */

static json_t *endpoints_json(const struct endpoint *endpoints, size_t count)
{
	json_t *list = json_array();
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(endpoint_format(&endpoints[i], text)));
	return list;
}

static json_t *hit_or_null(const struct hit *hit)
{
	return hit_is_null(hit) ? json_null() : node_hit_json(hit);
}

static json_t *boarder_json(instant now, const struct host_boarder_view *view)
{
	bool behind = !hit_is_null(&view->carrier);
	char text[ENDPOINT_TEXT_SIZE];

	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "hit", node_hit_json(&view->hit), "behind",
		hit_or_null(&view->carrier), "at",
		behind ? json_null() : json_string(endpoint_format(&view->remote, text)), "tickets",
		(json_int_t)view->tickets, "unconfirmed", (json_int_t)view->unconfirmed, "bytes_in",
		(json_int_t)view->octets_in, "bytes_out", (json_int_t)view->octets_out, "expires_s",
		behind || view->expires < now ? json_null()
					      : json_integer((json_int_t)((view->expires - now) / SECONDS(1))));
}

static json_t *boarders_json(const struct node *node, instant now)
{
	json_t *list = json_array();
	struct host_boarder_view view;

	for (size_t i = 0; host_boarder_at(node->host, i, &view); i++)
		json_array_append_new(list, boarder_json(now, &view));
	return list;
}

json_t *node_router_json(const struct node *node, instant now)
{
	struct host_router_view view;
	bool on_board;

	host_router(node->host, &view);
	on_board = view.state == HOST_ROUTER_REGISTERED || view.state == HOST_ROUTER_LEAVING;
	return json_pack("{s:b, s:o, s:I, s:o, s:o, s:s, s:o, s:o, s:I, s:I}", "serves", view.serves, "uplinks",
		endpoints_json(view.uplinks, view.uplink_count), "delegations", (json_int_t)view.delegations,
		"on_board", boarders_json(node, now), "router", hit_or_null(&view.router), "state",
		host_router_state_name(view.state), "locators",
		endpoints_json(view.locators, on_board ? view.locator_count : 0), "failure",
		view.state == HOST_ROUTER_REFUSED ? json_integer(view.failure) : json_null(), "tickets",
		(json_int_t)view.tickets, "confirmed", (json_int_t)view.confirmed);
}
