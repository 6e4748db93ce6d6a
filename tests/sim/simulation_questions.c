/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include "daemon/node_internal.h"

#include <string.h>

/* ---- commands ---- */

void simulation_command(struct simulation *simulation, size_t index, size_t slot, json_t *request)
{
	struct simulation_host *host = &simulation->hosts[index];

	assert_non_null(request);
	assert_true(slot < SIMULATION_REPLIES);
	json_decref(simulation->replies[slot]);
	simulation->replies[slot] = NULL;
	CALL(node_command(host->node, simulation->now, slot, request));
	json_decref(request);
	simulation_drain(simulation, host);
}

json_t *simulation_answer(struct simulation *simulation, size_t slot, duration limit)
{
	instant end = simulation->now + limit;

	for (;;) {
		json_t *reply = simulation->replies[slot];

		if (reply && json_is_true(json_object_get(reply, "last")))
			return reply;
		if (simulation->now >= end)
			return NULL;
		simulation_run(simulation, MILLISECONDS(10));
	}
}

json_t *simulation_ask(struct simulation *simulation, size_t host, json_t *request, duration limit)
{
	simulation_command(simulation, host, 0, request);
	return simulation_answer(simulation, 0, limit);
}

char *simulation_hit(const struct simulation *simulation, size_t host, char text[static HIT_TEXT_SIZE])
{
	return hit_format(host_identity_hit(simulation->hosts[host].identity), text);
}

static const struct hit *true_successor(struct simulation *simulation, const struct simulation_host *host)
{
	const struct hit *self = host_identity_hit(host->identity), *best = NULL;

	for (size_t i = 0; i < simulation->host_count; i++) {
		const struct hit *other = host_identity_hit(simulation->hosts[i].identity);

		if (!simulation->hosts[i].node || other == self)
			continue;
		if (!best || ring_in_arc(self, other, best))
			best = other;
	}
	return best;
}

/* As `status` shows it: the nearest one ahead, and an association with it. */
static bool has_successor(const struct simulation_host *host, const struct hit *successor)
{
	struct overlay_status status;

	overlay_get_status(host->node->overlay, &status);
	for (size_t i = 0; i < status.neighbour_count; i++) {
		const struct overlay_neighbour *neighbour = &status.neighbours[i];

		if (neighbour->member && neighbour->successor && neighbour->associated)
			return hit_equal(&neighbour->hit, successor);
	}
	return false;
}

bool simulation_is_associated(struct simulation *simulation, size_t a, size_t b)
{
	const struct node *node = simulation->hosts[a].node;
	struct host_association_view view;

	for (size_t i = 0; i < node->local_count; i++) {
		if (host_association_find(
			    node->locals[i].host, host_identity_hit(simulation->hosts[b].identity), &view) &&
			view.state == HOST_ESTABLISHED)
			return true;
	}
	return false;
}

bool simulation_all_joined(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		const struct node *node = simulation->hosts[i].node;

		if (node && !overlay_is_joined(node->overlay))
			return false;
	}
	return true;
}

bool simulation_ring_is_right(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		struct simulation_host *host = &simulation->hosts[i];
		const struct hit *successor;

		if (!host->node)
			continue;
		successor = true_successor(simulation, host);
		if (successor && !has_successor(host, successor))
			return false;
	}
	return true;
}
