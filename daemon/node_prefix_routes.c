/* SPDX-License-Identifier: MIT */
/* The kernel's routes to accepted prefixes follow the table, one change at a time, each answered before the next. */
#include "daemon/node_internal.h"
#include "daemon/node_prefixes.h"

static struct prefix_route *find_route(struct node_prefixes *prefixes, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < prefixes->route_count; i++) {
		if (ip_prefix_equal(&prefixes->routes[i].prefix, prefix))
			return &prefixes->routes[i];
	}
	return NULL;
}

static void drop_route(struct node_prefixes *prefixes, struct prefix_route *route)
{
	*route = prefixes->routes[--prefixes->route_count];
}

static void ask(struct node *node, enum node_effect_kind kind, const struct ip_prefix *prefix)
{
	struct node_prefixes *prefixes = node->prefixes;

	prefixes->asked_for = (struct node_effect){.kind = kind, .prefix = *prefix};
	prefixes->asking = node_effects_push(&node->effects, &prefixes->asked_for);
}

/* A route to what is not accepted any more. */
static struct prefix_route *find_surplus(struct node_prefixes *prefixes)
{
	for (size_t i = 0; i < prefixes->route_count; i++) {
		if (!prefix_table_get(&prefixes->tunnel.accepted, &prefixes->routes[i].prefix))
			return &prefixes->routes[i];
	}
	return NULL;
}

static const struct prefix_entry *find_missing(struct node_prefixes *prefixes)
{
	const struct prefix_table *accepted = &prefixes->tunnel.accepted;

	for (size_t i = 0; i < accepted->count && prefixes->route_count < PREFIX_TABLE_MAXIMUM; i++) {
		if (!find_route(prefixes, &accepted->entries[i].prefix))
			return &accepted->entries[i];
	}
	return NULL;
}

void node_prefixes_route(struct node *node)
{
	struct node_prefixes *prefixes = node->prefixes;
	struct prefix_route *surplus;
	const struct prefix_entry *missing;

	if (prefixes->asking)
		return;
	while ((surplus = find_surplus(prefixes)) && surplus->error)
		drop_route(prefixes, surplus);
	if (surplus)
		ask(node, NODE_ROUTE_REMOVE, &surplus->prefix);
	else if ((missing = find_missing(prefixes)))
		ask(node, NODE_ROUTE_ADD, &missing->prefix);
}

void node_prefixes_forget_failures(struct node *node)
{
	struct node_prefixes *prefixes = node->prefixes;

	for (size_t i = prefixes->route_count; i > 0; i--) {
		if (prefixes->routes[i - 1].error)
			drop_route(prefixes, &prefixes->routes[i - 1]);
	}
}

static void note_answer(struct node *node, hiphop_error error)
{
	struct node_prefixes *prefixes = node->prefixes;
	const struct ip_prefix *prefix = &prefixes->asked_for.prefix;
	bool adding = prefixes->asked_for.kind == NODE_ROUTE_ADD;
	struct prefix_route *route = find_route(prefixes, prefix);
	char text[IP_PREFIX_TEXT_SIZE];

	if (error)
		log_write(node->log, LOG_LEVEL_WARNING, "the route to %s could not be %s: %s",
			ip_prefix_format(prefix, text), adding ? "made" : "removed", hiphop_error_text(error));
	/* One that cannot be removed is no route of ours. */
	if (!adding && route)
		drop_route(prefixes, route);
	else if (adding && !route && prefixes->route_count < PREFIX_TABLE_MAXIMUM)
		prefixes->routes[prefixes->route_count++] = (struct prefix_route){*prefix, error};
}

void node_route_answer(struct node *node, instant now, hiphop_error error)
{
	if (!node->prefixes || !node->prefixes->asking)
		return;
	node->prefixes->asking = false;
	note_answer(node, error);
	node_prefixes_route(node);
	node_pump(node, now);
}

const char *node_prefixes_route_state(const struct node_prefixes *prefixes, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < prefixes->route_count; i++) {
		if (ip_prefix_equal(&prefixes->routes[i].prefix, prefix))
			return prefixes->routes[i].error ? "failed" : "installed";
	}
	return "pending";
}
