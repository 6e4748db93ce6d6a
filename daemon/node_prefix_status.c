/* SPDX-License-Identifier: MIT */
/* What people and programs see of prefixes. */
#include "daemon/node_internal.h"
#include "daemon/node_prefixes.h"

const char *node_prefixes_claim_reason(prefix_claim claim)
{
	static const char *const reasons[] = {NULL, "no entry of prefixes.accept allows it",
		"another host has announced it", "there are too many prefixes"};

	return reasons[claim];
}

static json_t *prefix_json(const struct ip_prefix *prefix)
{
	char text[IP_PREFIX_TEXT_SIZE];

	return json_string(ip_prefix_format(prefix, text));
}

static json_t *owner_name_json(const struct node *node, const struct hit *owner)
{
	const struct configured_host *named = node_configured_host(node, owner);

	return named && named->name[0] ? json_string(named->name) : json_null();
}

static json_t *announced_json(const struct node *node)
{
	const struct prefix_table *announced = &node->prefixes->tunnel.announced;
	json_t *list = json_array();

	for (size_t i = 0; i < announced->count; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:b}", "prefix", prefix_json(&announced->entries[i].prefix), "stored",
				      node->announcement.stored));
	return list;
}

static void add_claims(const struct prefix_owner *owner, instant now, json_t *accepted, json_t *refused)
{
	const struct node *node = owner->node;
	json_int_t expires_s = owner->expires > now ? (json_int_t)((owner->expires - now) / SECONDS(1)) : 0;

	for (size_t i = 0; i < owner->record.count; i++) {
		const struct ip_prefix *prefix = &owner->record.prefixes[i];
		json_t *claim = json_pack("{s:o, s:o, s:o}", "prefix", prefix_json(prefix), "owner",
			node_hit_json(&owner->hit), "name", owner_name_json(node, &owner->hit));

		if (owner->claims[i] == PREFIX_CLAIM_ACCEPTED) {
			json_object_set_new(
				claim, "route", json_string(node_prefixes_route_state(node->prefixes, prefix)));
			json_object_set_new(claim, "expires_s", json_integer(expires_s));
		} else {
			json_object_set_new(claim, "reason",
				json_string(node_prefixes_claim_reason((prefix_claim)owner->claims[i])));
		}
		json_array_append_new(owner->claims[i] == PREFIX_CLAIM_ACCEPTED ? accepted : refused, claim);
	}
}

static void add_awaited(const struct prefix_owner *owner, json_t *awaited)
{
	if (!owner->record.count)
		json_array_append_new(awaited, json_pack("{s:o, s:o}", "owner", node_hit_json(&owner->hit), "name",
						       owner_name_json(owner->node, &owner->hit)));
}

json_t *node_prefixes_json(const struct node *node, instant now)
{
	json_t *accepted = json_array(), *refused = json_array(), *awaited = json_array();

	for (size_t i = 0; node->prefixes && i < node->prefixes->owner_count; i++) {
		add_claims(&node->prefixes->owners[i], now, accepted, refused);
		add_awaited(&node->prefixes->owners[i], awaited);
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "announced", node->prefixes ? announced_json(node) : json_array(),
		"accepted", accepted, "refused", refused, "awaited", awaited);
}

void node_prefixes_trouble(const struct node *node, json_t *trouble)
{
	char text[IP_PREFIX_TEXT_SIZE], sentence[256];

	for (size_t i = 0; node->prefixes && i < node->prefixes->route_count; i++) {
		const struct prefix_route *route = &node->prefixes->routes[i];

		if (!route->error)
			continue;
		snprintf(sentence, sizeof(sentence), "The route to the accepted prefix %s cannot be made: %s.",
			ip_prefix_format(&route->prefix, text), hiphop_error_text(route->error));
		json_array_append_new(trouble, json_string(sentence));
	}
}

uint64_t node_prefixes_counter(const struct node *node, prefix_counter counter)
{
	return node->prefixes ? node->prefixes->tunnel.counters[counter] : 0;
}

void node_prefixes_tell(struct node *node, instant now, const char *what, const struct ip_prefix *prefix,
	const struct hit *owner, const char *reason)
{
	char text[IP_PREFIX_TEXT_SIZE], hit[HIT_TEXT_SIZE];
	json_t *event;

	log_write(node->log, LOG_LEVEL_INFO, "prefix %s of %s: %s%s%s", ip_prefix_format(prefix, text),
		hit_format(owner, hit), what, reason ? ": " : "", reason ? reason : "");
	if (!node->monitor_count)
		return;
	event = json_pack(
		"{s:s, s:s, s:s, s:o}", "event", "prefix", "what", what, "prefix", text, "hit", node_hit_json(owner));
	if (event && reason)
		json_object_set_new(event, "reason", json_string(reason));
	node_monitor_event(node, now, event);
}
