/* SPDX-License-Identifier: MIT */
/** The host's own addresses, told to the node whenever they have changed and settled. */
#include "daemon/loop.h"

#include "kernel-helpers/clocks.h"

static void on_settled(uv_timer_t *timer)
{
	loop_network_tell(timer->data);
}

static void on_change(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	(void)status;
	(void)events;
	/* A timer that runs already is left alone: steady changes must not put the list off for ever. */
	if (network_watch_consume(hiphopd->network) && !uv_is_active((uv_handle_t *)&hiphopd->settle))
		uv_timer_start(&hiphopd->settle, on_settled, NETWORK_SETTLE / MILLISECONDS(1), 0);
}

void loop_network_tell(struct hiphopd *hiphopd)
{
	struct address addresses[NETWORK_ADDRESSES];
	struct link_address links[NETWORK_ADDRESSES];
	size_t count;
	hiphop_error error = network_watch_addresses(hiphopd->network, addresses, &count);
	if (error) {
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "the addresses of this host cannot be listed: %s",
			hiphop_error_text(error));
		return;
	}
	for (size_t i = 0; i < count; i++)
		links[i] = (struct link_address){.address = addresses[i]};
	node_addresses(hiphopd->node, clock_now(), links, count);
	loop_carry_out(hiphopd);
}

void loop_network_route(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	helper_choice choice = effect->kind == NODE_ROUTE_ADD ? HELPER_ADD_ROUTE : HELPER_REMOVE_ROUTE;
	hiphop_error error = helper_ask_route(&hiphopd->helper, choice, &effect->prefix);
	if (error)
		node_route_answer(hiphopd->node, clock_now(), error);
}

bool loop_network_start(struct hiphopd *hiphopd)
{
	uv_timer_init(&hiphopd->loop, &hiphopd->settle);
	hiphopd->settle.data = hiphopd;
	return loop_watch_start(
		hiphopd, &hiphopd->network_watch, network_watch_descriptor(hiphopd->network), 0, on_change);
}

void loop_network_stop(struct hiphopd *hiphopd)
{
	loop_watch_stop(&hiphopd->network_watch);
	uv_close((uv_handle_t *)&hiphopd->settle, NULL);
}
