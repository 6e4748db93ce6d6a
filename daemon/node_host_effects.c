/* SPDX-License-Identifier: MIT */
/**
 * What the HIP hosts of a node want done: each effect goes to ESP, the underlay, the overlay, SIP, or those who
 * monitor.
 */
#include "daemon/node_internal.h"

#include "hip/wire/constants.h"

#include <stdio.h>

static void on_install(const struct local_identity *local, instant now, const struct host_effect *effect)
{
	const struct host_sa *sa = effect->sa;
	struct esp_pair pair = {
		.peer = effect->peer,
		.local = sa->local,
		.remote = sa->remote,
		.spi_in = sa->spi_in,
		.spi_out = sa->spi_out,
		.keys_in = &sa->keys_in,
		.keys_out = &sa->keys_out,
		.standby = sa->standby,
		.limits = {.soft_packets = sa->soft.packets,
			.hard_packets = sa->hard.packets,
			.soft_octets = sa->soft.octets,
			.hard_octets = sa->hard.octets},
	};
	hiphop_error error = esp_install(local->esp, &pair);

	if (!error)
		return;
	log_write(local->node->log, LOG_LEVEL_ERROR, "cannot install an SA: %s", hiphop_error_text(error));
	host_note_sa(local->host, now, pair.spi_in, HOST_SA_LOST);
}

static void tell_association(const struct local_identity *local, instant now, const struct host_effect *effect)
{
	struct node *node = local->node;
	struct host_association_view view;
	char text[ENDPOINT_TEXT_SIZE];
	json_t *remote = NULL;
	const char *path = effect->association.usable ? "direct" : "none";

	if (!node->monitor_count)
		return;
	if (host_association_find(local->host, &effect->peer, &view) && !address_is_unspecified(&view.remote.address))
		remote = json_string(endpoint_format(&view.remote, text));
	node_monitor_event(node, now,
		json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:s}", "event", "association", "hit",
			node_hit_json(&effect->peer), "local_hit", node_hit_json(&local->hit), "state",
			host_state_name(effect->association.state), "path", path, "remote",
			remote ? remote : json_null(), "reason", hiphop_error_text(effect->association.reason)));
}

static void note_way_of_exchange(struct node *node, const struct hit *peer)
{
	struct host_association_view view;

	if (host_association_find(node->host, peer, &view))
		node_access_associated(node, peer, view.overlay_hops);
}

static void on_association(struct node *node, instant now, const struct host_effect *effect)
{
	const struct host_association_change *change = &effect->association;
	struct hit peer = effect->peer;
	struct endpoint remote = effect->remote;
	bool usable = change->usable, carries_hip = change->carries_hip;
	bool in_order = !usable && change->reason == HIPHOP_OK;

	if (usable)
		note_way_of_exchange(node, &peer);
	if (usable && carries_hip) {
		overlay_neighbour_up(node->overlay, now, &peer);
		node_member_is_up(node, now, &peer);
	} else if (!usable && !hit_is_null(&peer) && !esp_has_peer(node->esp, &peer)) {
		overlay_neighbour_down(node->overlay, now, &peer);
		sip_peer_unreachable(node->sip, now, &peer);
	}
	node_locals_follow(node, now, &peer, usable);
	node_bootstrap_association(node, now, &peer, &remote, usable && carries_hip, in_order);
}

static void tell_rekeyed(const struct local_identity *local, instant now, const struct host_effect *effect)
{
	node_monitor_event(local->node, now,
		json_pack("{s:s, s:o, s:o, s:I, s:I}", "event", "rekeyed", "hit", node_hit_json(&effect->peer),
			"local_hit", node_hit_json(&local->hit), "spi_in", (json_int_t)effect->sa->spi_in, "spi_out",
			(json_int_t)effect->sa->spi_out));
}

/* The SAs still stand, but what others want forwarded goes round a peer that does not answer. */
static void on_suspicion(const struct local_identity *local, instant now, const struct hit *peer, bool suspect)
{
	struct node *node = local->node;
	struct hit hit = *peer;

	node_monitor_event(node, now,
		json_pack("{s:s, s:s, s:o}", "event", "hip", "text", suspect ? "does not answer" : "answers again",
			"hit", node_hit_json(&hit)));
	if (!local_is_first(local))
		return;
	if (suspect)
		overlay_neighbour_down(node->overlay, now, &hit);
	else
		overlay_neighbour_up(node->overlay, now, &hit);
}

/* A NOTIFY by its name; its data as hexadecimal digits. */
static void tell_notified(const struct local_identity *local, instant now, const struct host_effect *effect)
{
	char data[2 * 40 + 1] = "";

	for (size_t i = 0; i < effect->length && 2 * i + 2 < sizeof(data); i++)
		snprintf(data + 2 * i, 3, "%02x", effect->octets[i]);
	node_monitor_event(local->node, now,
		json_pack("{s:s, s:s, s:s, s:i, s:o, s:s}", "event", "notify", "direction",
			effect->outgoing ? "out" : "in", "type", hip_notify_type_name(effect->notification), "number",
			effect->notification, "hit", node_hit_json(&effect->peer), "data", data));
}

/* What waited for the association goes, or will never go; the overlay and SIP hear of those of the first identity. */
static void on_any_association(struct local_identity *local, instant now, const struct host_effect *effect)
{
	struct hit peer = effect->peer;

	tell_association(local, now, effect);
	if (effect->association.usable)
		node_flush_misses(local, now, &peer);
	else if (!hit_is_null(&peer) && !esp_has_peer(local->esp, &peer))
		node_drop_misses(local, &peer, false);
	if (local_is_first(local))
		on_association(local->node, now, effect);
	node_prefixes_association(local->node, now, &peer);
}

void node_on_host_effect(struct local_identity *local, instant now, const struct host_effect *effect)
{
	struct node *node = local->node;

	switch (effect->kind) {
	case HOST_SEND:
		node_send_clear(node, effect);
		break;
	case HOST_SEND_ICMP:
		node_send_icmp(node, effect);
		break;
	case HOST_SEND_SEALED:
		node_send_sealed(local, now, effect);
		break;
	case HOST_INSTALL_SA:
		on_install(local, now, effect);
		break;
	case HOST_MOVE_SA:
		node_move_sa(local, now, effect);
		break;
	case HOST_WATCH_SA:
		esp_watch(local->esp, effect->sa->spi_in);
		break;
	case HOST_SEND_PROBE:
		node_send_probe(local, now, effect);
		break;
	case HOST_HANDOVER:
		node_tell_handover(local, now, effect);
		break;
	case HOST_USE_SA:
		esp_use(local->esp, effect->sa->spi_in);
		break;
	case HOST_REMOVE_SA:
		esp_remove(local->esp, effect->sa->spi_in);
		break;
	case HOST_ASSOCIATION:
		on_any_association(local, now, effect);
		break;
	case HOST_SUSPECT:
	case HOST_HEARD_AGAIN:
		on_suspicion(local, now, &effect->peer, effect->kind == HOST_SUSPECT);
		break;
	case HOST_REKEYED:
		tell_rekeyed(local, now, effect);
		break;
	case HOST_LEARNT_HIT:
		node_bootstrap_learnt(node, now, &effect->remote, &effect->peer);
		break;
	case HOST_DATA:
		node_on_host_data(node, now, effect);
		break;
	case HOST_DATA_FAILED:
		overlay_send_failed(node->overlay, now, effect->data->transaction, effect->error);
		break;
	case HOST_NOTIFIED:
		tell_notified(local, now, effect);
		break;
	case HOST_EVENT:
		node_monitor_event(node, now,
			json_pack("{s:s, s:s, s:o}", "event", "hip", "text", effect->event, "hit",
				node_hit_json(&effect->peer)));
		break;
	}
}
