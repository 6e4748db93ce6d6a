/* SPDX-License-Identifier: MIT */
#include "daemon/node_certificates.h"
#include "daemon/node_internal.h"
#include "daemon/node_router.h"

#include "hip/crypto/hash.h"
#include "hip/wire/constants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- views that the host asks for ---- */

static bool ask_source_address(void *context, const struct address *remote, struct address *source)
{
	struct node *node = ((struct local_identity *)context)->node;

	return node->environment.source_address(node->environment.context, remote, source);
}

static void ask_traffic(void *context, const struct hit *peer, instant *sent, instant *heard)
{
	const struct local_identity *local = context;

	esp_traffic(local->esp, peer, sent, heard);
}

static instant ask_heard_on_path(void *context, const struct hit *peer)
{
	return esp_heard_on_route(((struct local_identity *)context)->esp, peer);
}

static bool spend_credit(void *context, const struct hit *peer, instant now, size_t octets)
{
	return esp_spend_credit(((struct local_identity *)context)->esp, peer, now, octets);
}

static overlay_route ask_next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	return node_next_hop(((struct local_identity *)context)->node, destination, arrived_from, next);
}

static bool ask_spi(void *context, uint32_t spi)
{
	return node_spi_is_taken(context, spi);
}

static duration ask_unused_lifetime(void *context, const struct hit *peer)
{
	const struct configuration *configuration = ((struct local_identity *)context)->node->configuration;

	for (size_t i = 0; i < configuration->host_count; i++) {
		if (hit_equal(&configuration->hosts[i].hit, peer))
			return SECONDS(configuration->hosts[i].unused_seconds);
	}
	return 0;
}

static bool ask_may_board(void *context, instant now, const struct hit *peer)
{
	(void)now;
	return node_may_board(((struct local_identity *)context)->node, peer);
}

static host_permission ask_may_associate(
	void *context, instant now, const struct hit *peer, const struct host_claim *claim)
{
	struct node *node = ((struct local_identity *)context)->node;

	/* The identities of a host do not talk to each other over the underlay. */
	return node_local_by_hit(node, peer) ? HOST_DENIED : node_may_associate(node, now, peer, claim);
}

/* ---- making ---- */

/* OVERLAY_ID is the low 32 bits of the SHA-1 of the overlay's name (RFC 6940 section 6.3.2, RFC 7086 section 5.1). */
static hiphop_error overlay_id_of_name(const char *name, uint32_t *id)
{
	struct span span = {(const uint8_t *)name, strlen(name)};
	uint8_t digest[HASH_LENGTH_MAXIMUM];
	hiphop_error error = hash_spans(HASH_SHA1, &span, 1, digest);
	struct reader reader = reader_over(digest, hash_length(HASH_SHA1));

	reader_skip(&reader, hash_length(HASH_SHA1) - 4);
	*id = reader_u32(&reader);
	return error;
}

static void take_list(const struct algorithm_list *list, uint8_t *ids, size_t *count)
{
	_Static_assert(ALGORITHM_LIST_MAXIMUM == HOST_ALGORITHMS_MAXIMUM, "a configured list fits");
	memcpy(ids, list->ids, list->count);
	*count = list->count;
}

static bool opportunistic_is(const struct configuration *configuration, opportunistic_choice choice)
{
	return configuration->opportunistic == OPPORTUNISTIC_BOTH || configuration->opportunistic == choice;
}

bool node_asks_opportunistically(const struct node *node)
{
	return opportunistic_is(node->configuration, OPPORTUNISTIC_ASK);
}

static host_paths_use paths_use(const struct configuration *configuration)
{
	static const host_paths_use uses[] = {[PATH_MODE_BEST] = HOST_PATHS_BEST,
		[PATH_MODE_SPREAD] = HOST_PATHS_SPREAD,
		[PATH_MODE_DUPLICATE] = HOST_PATHS_DUPLICATE};

	return configuration->path_mode < sizeof(uses) / sizeof(uses[0]) ? uses[configuration->path_mode]
									 : HOST_PATHS_BEST;
}

static hiphop_error create_host(struct local_identity *local, instant now)
{
	struct node *node = local->node;
	const struct configuration *configuration = node->configuration;
	struct host_configuration host = {
		.identity = local->identity,
		.random = node->environment.random,
		.log = node->log,
		.environment = {.context = local,
			.source_address = ask_source_address,
			.traffic = ask_traffic,
			.heard_on_path = ask_heard_on_path,
			.spend_credit = spend_credit,
			.next_hop = ask_next_hop,
			.may_associate = ask_may_associate,
			.check_certificates = node_check_certificates,
			.spi_is_taken = ask_spi,
			.unused_lifetime = ask_unused_lifetime,
			.may_board = ask_may_board},
		.anonymous = local_is_anonymous(local),
		.name = *local_name(local),
		.certificates = node_own_certificates(local),
		.refuse_anonymous = configuration->refuse_anonymous,
		.refuse_opportunists = !opportunistic_is(configuration, OPPORTUNISTIC_ANSWER),
		.never_icmp = !configuration->icmp,
		.never_opportunistic = !opportunistic_is(configuration, OPPORTUNISTIC_ASK),
		.overlay = local_is_first(local) && !configuration->outside_overlay,
		.transport_count = configuration->transport_count,
		.spi_mask = node->environment.spi_mask,
		.spi_mark = node->environment.spi_mark,
		.port = configuration->port,
		.r1_generation = node_wall(node, now) / 1000,
		.rekey = {.time = SECONDS(configuration->rekey_seconds),
			.packets = configuration->rekey_packets,
			.octets = configuration->rekey_bytes},
		.rekey_without_diffie_hellman = !configuration->rekey_dh,
		.unused_lifetime = SECONDS(configuration->unused_seconds),
		.paths = paths_use(configuration),
		.rekey_on_move = configuration->rekey_on_move,
		.patience = SECONDS(configuration->patience_seconds),
	};
	hiphop_error error = overlay_id_of_name(configuration->overlay_name, &host.overlay_id);

	if (error)
		return error;
	if (local_is_first(local))
		node_router_configure(node, &host);
	memcpy(host.transports, configuration->transports, sizeof(host.transports));
	take_list(&configuration->hit_suites, host.hit_suites, &host.hit_suite_count);
	take_list(&configuration->dh_groups, host.dh_groups, &host.dh_group_count);
	take_list(&configuration->hip_ciphers, host.hip_ciphers, &host.hip_cipher_count);
	take_list(&configuration->esp_suites, host.esp_suites, &host.esp_suite_count);
	return host_create(&host, now, &local->host);
}

static hiphop_error create_hosts(struct node *node, instant now)
{
	hiphop_error error = HIPHOP_OK;

	for (size_t i = 0; i < node->local_count && !error; i++)
		error = create_host(&node->locals[i], now);
	node->host = node->locals[0].host;
	return error;
}

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
		error = create_hosts(node, now);
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

static void on_host_effect(struct local_identity *local, instant now, const struct host_effect *effect)
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

static bool pump_host(struct local_identity *local, instant now)
{
	struct host_effect effect;
	bool any = false;

	while (host_next_effect(local->host, &effect)) {
		on_host_effect(local, now, &effect);
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
