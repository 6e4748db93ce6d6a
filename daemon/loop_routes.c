/* SPDX-License-Identifier: MIT */
/** Routes to prefixes behind other hosts: the node wishes them, the helper makes them. */
#include "daemon/loop.h"

#include "kernel-helpers/clocks.h"

void loop_route(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	helper_choice choice = effect->kind == NODE_ROUTE_ADD ? HELPER_ADD_ROUTE : HELPER_REMOVE_ROUTE;
	hiphop_error error = helper_ask_route(&hiphopd->helper, choice, &effect->prefix);
	if (error)
		node_route_answer(hiphopd->node, clock_now(), error);
}
