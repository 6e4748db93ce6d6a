/* SPDX-License-Identifier: MIT */
/**
 * Paths and handovers as `hiphop peers` and `hiphop monitor` show them (docs/control.md).
 */
#include "daemon/node_internal.h"

static json_t *endpoint_json(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (address_is_unspecified(&endpoint->address))
		return json_null();
	return json_string(endpoint_format(endpoint, text));
}

static json_t *milliseconds_json(duration length)
{
	return length ? json_real((double)(length / 1000) / 1000.0) : json_null();
}

static const char *preference_name(uint8_t preference)
{
	static const char *const names[] = {[LINK_NORMAL] = "normal", [LINK_PREFER] = "prefer", [LINK_AVOID] = "avoid"};

	return preference < sizeof(names) / sizeof(names[0]) ? names[preference] : "normal";
}

static json_t *path_json(instant now, const struct host_path_view *path)
{
	json_t *heard = path->heard ? json_real((double)((now - path->heard) / MILLISECONDS(1)) / 1000.0) : json_null();

	return json_pack("{s:o, s:o, s:s, s:b, s:b, s:s, s:s, s:b, s:i, s:o, s:f, s:o, s:b}", "local",
		endpoint_json(&path->local), "remote", endpoint_json(&path->remote), "state", path->state, "current",
		path->current, "also_used", path->more, "known_by", path->origin, "preference",
		preference_name(path->preference), "metered", path->metered, "cost", path->cost, "rtt_ms",
		milliseconds_json(path->round_trip), "loss_percent", (double)path->loss / 10.0, "heard_s", heard,
		"on_probation", path->held_until > now);
}

json_t *node_paths_json(const struct local_identity *local, instant now, const struct hit *peer)
{
	json_t *paths = json_array();
	struct host_path_view path;

	for (size_t i = 0; host_path_at(local->host, peer, i, &path); i++)
		json_array_append_new(paths, path_json(now, &path));
	return paths;
}

json_t *node_handover_json(instant now, const struct host_handover_view *handover)
{
	if (!handover->count)
		return json_null();
	return json_pack("{s:s, s:f, s:o, s:o, s:o}", "reason", handover->reason, "ago_s",
		(double)((now - handover->at) / MILLISECONDS(1)) / 1000.0, "gap_ms",
		handover->resumed ? json_real((double)(handover->gap / 1000) / 1000.0) : json_null(), "from_local",
		endpoint_json(&handover->from_local), "from_remote", endpoint_json(&handover->from_remote));
}

void node_tell_handover(const struct local_identity *local, instant now, const struct host_effect *effect)
{
	const struct host_handover *handover = &effect->handover;

	node_monitor_event(local->node, now,
		json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "event",
			handover->resumed ? "resumed" : "handover", "hit", node_hit_json(&effect->peer), "local_hit",
			node_hit_json(&local->hit), "reason", handover->reason, "local", endpoint_json(&effect->local),
			"remote", endpoint_json(&effect->remote), "from_local", endpoint_json(&handover->from_local),
			"from_remote", endpoint_json(&handover->from_remote), "gap_ms",
			handover->resumed ? json_real((double)(handover->gap / 1000) / 1000.0) : json_null()));
}
