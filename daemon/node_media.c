/* SPDX-License-Identifier: MIT */
/** Media that the router relays for phones of its local networks: between SIP, which decides, and the daemon's ports.
 */
#include "daemon/node_internal.h"

void node_on_relay_effect(struct node *node, const struct sip_effect *effect)
{
	const struct node_effect out = {
		.kind = effect->kind == SIP_RELAY_OPEN ? NODE_MEDIA_OPEN : NODE_MEDIA_CLOSE,
		.token = effect->token,
		.local = effect->local,
		.remote = effect->remote,
	};

	node_effects_push(&node->effects, &out);
}

bool node_media_packet(struct node *node, instant now, const struct node_media_arrival *arrival, struct endpoint *to)
{
	const struct sip_relay_arrival asked = {
		.token = arrival->token,
		.second_side = arrival->second_side,
		.control = arrival->control,
		.remote = arrival->remote,
	};

	return sip_relay_packet(node->sip, now, &asked, to);
}

void node_media_failed(struct node *node, instant now, uint64_t token)
{
	sip_relay_failed(node->sip, now, token);
	node_pump(node, now);
}

/* ---- status ---- */

static json_t *end_json(const struct sip_relay_end_status *end)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
	json_t *where = end->remote.port ? json_string(endpoint_format(&end->remote, remote)) : json_null();

	return json_pack("{s:s, s:o, s:I, s:I}", "local", address_format(&end->local, local), "remote", where,
		"packets", (json_int_t)end->packets, "refused", (json_int_t)end->refused);
}

static void add_relay(void *context, const struct sip_relay_status *status)
{
	json_array_append_new(
		context, json_pack("{s:s, s:i, s:[o, o]}", "call_id", status->call_id, "port", (int)status->port,
				 "ends", end_json(&status->ends[0]), end_json(&status->ends[1])));
}

json_t *node_relays_json(const struct node *node)
{
	json_t *relays = json_array();

	if (relays)
		sip_walk_relays(node->sip, add_relay, relays);
	return relays;
}
