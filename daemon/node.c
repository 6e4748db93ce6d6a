/* SPDX-License-Identifier: MIT */
#include "daemon/node_internal.h"
#include "daemon/node_router.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static void warn_of_nameless(const struct node *node)
{
	const struct configuration *configuration = node->configuration;
	const char *reason = configuration->associate_listed      ? "access.associate is \"listed\""
			     : !node_asks_opportunistically(node) ? "access.opportunistic forbids to ask"
								  : NULL;
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < configuration->bootstrap_count && reason; i++) {
		if (hit_is_null(&configuration->bootstrap[i].hit))
			log_write(node->log, LOG_LEVEL_WARNING, "bootstrap %s is of no use without its hit, since %s",
				endpoint_format(&configuration->bootstrap[i].endpoint, text), reason);
	}
}

static void learn_configured_hosts(struct node *node)
{
	const struct configuration *configuration = node->configuration;

	for (size_t i = 0; i < node->local_count; i++) {
		for (size_t j = 0; j < configuration->host_count; j++)
			host_learn_locator(node->locals[i].host, &configuration->hosts[j].hit,
				&configuration->hosts[j].endpoint, true);
	}
}

static hiphop_error create_engines(struct node *node, instant now, wall_milliseconds wall)
{
	hiphop_error error = node_locals_create(node, &node->environment);

	if (!error)
		error = node_access_create(node, now);
	if (!error)
		error = node_overlay_create(node, now, wall);
	if (!error)
		error = node_hosts_create(node, now);
	if (!error)
		error = node_sip_create(node);
	if (!error)
		error = node_bootstrap_create(node);
	if (!error)
		error = node_prefixes_create(node);
	return error;
}

hiphop_error node_create(
	const struct node_environment *environment, instant now, wall_milliseconds wall, struct node **out)
{
	struct node *node = calloc(1, sizeof(*node));
	hiphop_error error;

	if (!node)
		return HIPHOP_NO_MEMORY;
	node->environment = *environment;
	node->configuration = environment->configuration;
	node->log = environment->log;
	node->self = *host_identity_hit(environment->identity);
	node->started = now;
	node->wall = wall;
	node->wall_at = now;
	node->next_ping_identifier = (uint16_t)random_u32(environment->random);
	node_effects_start(&node->effects);
	deadline_heap_start(&node->timers);
	map_start(&node->pins, 32, environment->random);
	map_start(&node->requests, sizeof(uint64_t), environment->random);
	map_start(&node->media, HIT_LENGTH, environment->random);
	error = create_engines(node, now, wall);
	if (error) {
		node_free(node);
		return error;
	}
	learn_configured_hosts(node);
	warn_of_nameless(node);
	*out = node;
	return HIPHOP_OK;
}

static void free_restored_values(struct node *node)
{
	while (node->restored_values) {
		struct restored_value *value = node->restored_values;

		node->restored_values = value->next;
		buffer_free(&value->value);
		free(value);
	}
}

void node_free(struct node *node)
{
	if (!node)
		return;
	node_ping_free(node);
	/* Before the owners of its deadlines, which it marks as not set. */
	deadline_heap_free(&node->timers);
	/* Before SIP, since it may be waiting for some of them. */
	node_overlay_free(node);
	node_sip_free(node);
	map_free(&node->requests);
	node_locals_free(node);
	node_access_free(node);
	node_prefixes_free(node);
	node_bootstrap_free(node);
	node_names_free(node);
	free_restored_values(node);
	node_effects_free(&node->effects);
	free(node->monitors);
	free(node);
}

/* ---- what survives a restart ---- */

void node_persist(struct node *node, const char *space, const char *key, const void *value, size_t length,
	wall_milliseconds expires)
{
	struct node_effect effect = {.kind = NODE_PERSIST, .record = {space, key, value, length, expires}};

	node_effects_push(&node->effects, &effect);
}

void node_forget(struct node *node, const char *space, const char *key)
{
	struct node_effect effect = {.kind = NODE_FORGET, .record = {.space = space, .key = key}};

	node_effects_push(&node->effects, &effect);
}

/* Values of `hiphop put` are stored again when the node starts. */
static void restore_value(struct node *node, const struct node_record *record)
{
	size_t key_size = strlen(record->key) + 1;
	struct restored_value *value = calloc(1, sizeof(*value) + key_size);

	if (!value)
		return;
	memcpy(value->key, record->key, key_size);
	if (buffer_copy(&value->value, record->value, record->length)) {
		free(value);
		return;
	}
	value->next = node->restored_values;
	node->restored_values = value;
}

static const struct {
	const char *space;
	void (*restore)(struct node *node, const struct node_record *record);
} restorers[] = {
	{"registration", node_registration_restore},
	{"pin", node_pin_restore},
	{"value", restore_value},
	{"bootstrap", node_bootstrap_restore},
	{"member", node_member_restore},
	{"access", node_access_restore},
	{"prefixes", node_prefixes_restore},
};

void node_restore(struct node *node, const struct node_record *record)
{
	for (size_t i = 0; i < sizeof(restorers) / sizeof(restorers[0]); i++) {
		if (strcmp(restorers[i].space, record->space) == 0) {
			restorers[i].restore(node, record);
			return;
		}
	}
	log_write(node->log, LOG_LEVEL_WARNING, "the state file has a record of unknown kind '%s'", record->space);
}

/* ---- time ---- */

wall_milliseconds node_wall(const struct node *node, instant now)
{
	return node->wall + (now - node->wall_at) / MILLISECONDS(1);
}

void node_set_wall(struct node *node, instant now, wall_milliseconds wall)
{
	node->wall = wall;
	node->wall_at = now;
}

static void run_timer(struct node *node, instant now, struct deadline *deadline)
{
	switch ((enum node_timer)deadline->kind) {
	case NODE_TIMER_BOOTSTRAP:
		node_bootstrap_timer(node, now, deadline->owner);
		break;
	case NODE_TIMER_PING_SEND:
	case NODE_TIMER_PING_GIVE_UP:
		node_ping_timer(node, now, deadline);
		break;
	case NODE_TIMER_PREFIX_OWNER:
	case NODE_TIMER_PREFIX_ANNOUNCE:
		node_prefixes_timer(node, now, deadline);
		break;
	}
}

void node_tick(struct node *node, instant now)
{
	struct deadline *deadline;

	while ((deadline = deadline_heap_pop(&node->timers, now)))
		run_timer(node, now, deadline);
	for (size_t i = 0; i < node->local_count; i++)
		host_tick(node->locals[i].host, now);
	overlay_tick(node->overlay, now, node_wall(node, now));
	sip_tick(node->sip, now);
	node_pump(node, now);
}

instant node_next_wake(const struct node *node)
{
	instant wake = deadline_heap_next(&node->timers);

	for (size_t i = 0; i < node->local_count; i++)
		wake = instant_earlier(wake, host_next_wake(node->locals[i].host));
	wake = instant_earlier(wake, overlay_next_wake(node->overlay));
	return instant_earlier(wake, sip_next_wake(node->sip));
}

/* ---- the pump ---- */

static bool pump_host(struct local_identity *local, instant now)
{
	struct host_effect effect;
	bool any = false;

	while (host_next_effect(local->host, &effect)) {
		node_on_host_effect(local, now, &effect);
		any = true;
	}
	return any;
}

static bool pump_overlay(struct node *node, instant now)
{
	struct overlay_effect effect;
	bool any = false;

	while (overlay_next_effect(node->overlay, &effect)) {
		node_on_overlay_effect(node, now, &effect);
		any = true;
	}
	return any;
}

static bool pump_sip(struct node *node, instant now)
{
	struct sip_effect effect;
	bool any = false;

	while (sip_next_effect(node->sip, &effect)) {
		node_on_sip_effect(node, now, &effect);
		any = true;
	}
	return any;
}

void node_pump(struct node *node, instant now)
{
	bool any;

	do {
		any = node_note_sas(node, now);
		for (size_t i = 0; i < node->local_count; i++)
			any |= pump_host(&node->locals[i], now);
		any |= pump_overlay(node, now);
		any |= pump_sip(node, now);
	} while (any);
}

bool node_next_effect(struct node *node, struct node_effect *effect)
{
	return node_effects_next(&node->effects, effect);
}

/* ---- beginning and end ---- */

static void store_restored_values(struct node *node, instant now)
{
	for (struct restored_value *value = node->restored_values; value; value = value->next)
		node_value_store(node, now, value->key, value->value.data, value->value.length);
	free_restored_values(node);
}

void node_start(struct node *node, instant now)
{
	/* The names in rules are those of pins, which were restored in any order. */
	json_decref(node_access_apply(node, now));
	node_bootstrap_start(node, now);
	node_router_start(node, now);
	node_members_start(node, now);
	store_restored_values(node, now);
	node_prefixes_start(node, now);
	node_pump(node, now);
}

static void on_left(struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	(void)now;
	(void)request;
	(void)result;
	node->leaving = false;
}

void node_leave(struct node *node, instant now)
{
	struct node_request *request = node_request_add(node, on_left, 0);

	if (!request)
		return;
	node->leaving = true;
	node_prefixes_withdraw(node, now);
	if (overlay_leave(node->overlay, now, request->token)) {
		node->leaving = false;
		node_request_drop(node, request);
	}
	node_pump(node, now);
}

bool node_has_left(const struct node *node)
{
	return !node->leaving;
}

void node_stop(struct node *node, instant now)
{
	for (size_t i = 0; i < node->local_count; i++)
		host_close_all(node->locals[i].host, now);
	node_pump(node, now);
}

/* ---- the rest of what comes in ---- */

void node_addresses(struct node *node, instant now, const struct link_address *links, size_t count)
{
	for (size_t i = 0; i < node->local_count; i++)
		host_set_links(node->locals[i].host, now, links, count);
	node_prefixes_addresses(node, links, count);
	node_pump(node, now);
}

void node_sip_datagram(struct node *node, instant now, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *octets, size_t length)
{
	sip_input_datagram(node->sip, now, local, remote, octets, length);
	node_pump(node, now);
}

void node_sip_stream_opened(struct node *node, instant now, uint32_t connection, const struct endpoint *local,
	const struct endpoint *remote)
{
	sip_stream_opened(node->sip, now, connection, local, remote);
	node_pump(node, now);
}

void node_sip_stream_data(struct node *node, instant now, uint32_t connection, const uint8_t *octets, size_t length)
{
	sip_input_stream(node->sip, now, connection, octets, length);
	node_pump(node, now);
}

void node_sip_stream_closed(struct node *node, instant now, uint32_t connection, bool failed)
{
	sip_stream_closed(node->sip, now, connection, failed);
	node_pump(node, now);
}
