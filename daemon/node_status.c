/* SPDX-License-Identifier: MIT */
/**
 * What `hiphop status` and `hiphop peers` show (docs/control.md).
 */
#include "daemon/node_certificates.h"
#include "daemon/node_internal.h"
#include "daemon/node_router.h"
#include "daemon/version.h"

#include <stdlib.h>
#include <string.h>

json_t *node_hit_json(const struct hit *hit)
{
	char text[HIT_TEXT_SIZE];

	return json_string(hit_format(hit, text));
}

const struct configured_host *node_configured_host(const struct node *node, const struct hit *hit)
{
	for (size_t i = 0; i < node->configuration->host_count; i++) {
		if (hit_equal(&node->configuration->hosts[i].hit, hit))
			return &node->configuration->hosts[i];
	}
	return NULL;
}

static json_t *endpoint_json(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (address_is_unspecified(&endpoint->address))
		return json_null();
	return json_string(endpoint_format(endpoint, text));
}

static json_t *locators_json(const struct host_association_view *view)
{
	json_t *locators = json_array();

	for (size_t i = 0; i < view->locator_count; i++)
		json_array_append_new(locators, endpoint_json(&view->locators[i]));
	return locators;
}

static json_t *left(uint64_t limit, uint64_t used_in, uint64_t used_out)
{
	uint64_t used = used_in > used_out ? used_in : used_out;
	uint64_t rest = limit > used ? limit - used : 0;

	/* Without a limit worth showing. */
	return rest > UINT64_C(1) << 60 ? json_null() : json_integer((json_int_t)rest);
}

static json_t *seconds_until(instant now, instant then)
{
	return json_integer(then > now ? (json_int_t)((then - now) / SECONDS(1)) : 0);
}

static json_t *keys_json(const struct local_identity *local, instant now, const struct host_association_view *view)
{
	struct esp_usage usage;

	if (!view->spi_in || !esp_usage(local->esp, view->spi_in, &usage))
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "age_s",
		(json_int_t)((now - view->keyed) / SECONDS(1)), "rekeys", (json_int_t)view->rekeys, "spi_in",
		(json_int_t)view->spi_in, "spi_out", (json_int_t)view->spi_out, "packets_in",
		(json_int_t)usage.packets_in, "packets_out", (json_int_t)usage.packets_out, "bytes_in",
		(json_int_t)usage.octets_in, "bytes_out", (json_int_t)usage.octets_out, "rekeying", view->rekeying,
		"rekey_in_s", seconds_until(now, view->rekey_at), "expire_in_s", seconds_until(now, view->expire_at),
		"packets_left", left(view->soft.packets, usage.packets_in, usage.packets_out), "bytes_left",
		left(view->soft.octets, usage.octets_in, usage.octets_out));
}

json_t *node_name_json(const struct domain_identifier *name)
{
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE] = "";

	if (name)
		domain_identifier_format(name, text);
	return *text ? json_string(text) : json_null();
}

json_t *node_association_json(const struct local_identity *local, instant now, const struct host_association_view *view)
{
	const struct configured_host *named = node_configured_host(local->node, &view->peer);
	json_t *association = json_object();
	uint64_t octets_in, octets_out;

	esp_volume(local->esp, &view->peer, &octets_in, &octets_out);
	json_object_set_new(association, "hit", node_hit_json(&view->peer));
	json_object_set_new(association, "name", named && named->name[0] ? json_string(named->name) : json_null());
	json_object_set_new(association, "local_hit", node_hit_json(&local->hit));
	json_object_set_new(association, "claimed_name", node_name_json(view->name));
	json_object_set_new(association, "anonymous", json_boolean(view->anonymous));
	json_object_set_new(association, "certificate", node_certificate_json(view));
	json_object_set_new(association, "state", json_string(host_state_name(view->state)));
	json_object_set_new(association, "path", json_string(view->path));
	json_object_set_new(association, "transport", json_string(transport_name(view->remote.transport)));
	json_object_set_new(association, "local", endpoint_json(&view->local));
	json_object_set_new(association, "remote", endpoint_json(&view->remote));
	json_object_set_new(association, "suite", json_string(view->suite));
	json_object_set_new(association, "hip_cipher", json_string(view->hip_cipher));
	json_object_set_new(association, "dh_group", json_string(view->dh_group));
	json_object_set_new(association, "rtt_ms",
		view->round_trip ? json_real((double)(view->round_trip / 1000) / 1000.0) : json_null());
	json_object_set_new(association, "bytes_in", json_integer((json_int_t)octets_in));
	json_object_set_new(association, "bytes_out", json_integer((json_int_t)octets_out));
	json_object_set_new(association, "overlay_hops", json_integer(view->overlay_hops));
	json_object_set_new(association, "last_handover_s",
		view->handover.count ? json_integer((json_int_t)((now - view->handover.at) / SECONDS(1)))
				     : json_null());
	json_object_set_new(association, "handovers", json_integer((json_int_t)view->handover.count));
	json_object_set_new(association, "handover", node_handover_json(now, &view->handover));
	json_object_set_new(association, "paths", node_paths_json(local, now, &view->peer));
	json_object_set_new(association, "since_s", json_integer((json_int_t)((now - view->since) / SECONDS(1))));
	json_object_set_new(association, "keys", keys_json(local, now, view));
	json_object_set_new(association, "held", json_boolean(view->held));
	json_object_set_new(association, "locators", locators_json(view));
	return association;
}

static json_t *list_json(algorithm_kind kind, const struct algorithm_list *list)
{
	json_t *names = json_array();
	struct algorithm algorithm;

	for (size_t i = 0; i < list->count; i++) {
		if (algorithm_by_id(kind, list->ids[i], &algorithm))
			json_array_append_new(names, json_string(algorithm.name));
	}
	return names;
}

/* What this host offers to its peers. */
static json_t *offers_json(const struct configuration *configuration)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "hit_suites",
		list_json(ALGORITHM_HIT_SUITE, &configuration->hit_suites), "dh_groups",
		list_json(ALGORITHM_DH_GROUP, &configuration->dh_groups), "hip_ciphers",
		list_json(ALGORITHM_HIP_CIPHER, &configuration->hip_ciphers), "esp_suites",
		list_json(ALGORITHM_ESP_SUITE, &configuration->esp_suites));
}

json_t *node_associations_json(const struct node *node, instant now)
{
	json_t *associations = json_array();
	struct host_association_view view;

	for (size_t i = 0; i < node->local_count; i++) {
		const struct local_identity *local = &node->locals[i];

		for (size_t j = 0; host_association_at(local->host, j, &view); j++)
			json_array_append_new(associations, node_association_json(local, now, &view));
	}
	return associations;
}

static json_t *neighbour_json(const struct overlay_neighbour *neighbour)
{
	return json_pack("{s:o, s:b, s:b, s:b, s:b}", "hit", node_hit_json(&neighbour->hit), "associated",
		neighbour->associated, "successor", neighbour->successor, "predecessor", neighbour->predecessor,
		"finger", neighbour->finger);
}

static const char *role_name(const struct configuration *configuration, const struct overlay_status *status)
{
	if (configuration->outside_overlay)
		return "none";
	return status->role == OVERLAY_CLIENT ? "client" : "peer";
}

static json_t *overlay_json(const struct node *node, const struct overlay_status *status)
{
	json_t *list = json_array();

	for (size_t i = 0; i < status->neighbour_count; i++) {
		if (status->neighbours[i].member)
			json_array_append_new(list, neighbour_json(&status->neighbours[i]));
	}
	return json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:o}", "name", status->name, "role",
		role_name(node->configuration, status), "topology", status->topology, "joined", status->joined,
		"neighbours", (json_int_t)status->members, "stored", (json_int_t)status->stored_values, "own",
		(json_int_t)status->own_records, "members", list);
}

static void add_registration(void *context, const struct sip_registration_status *status)
{
	json_array_append_new(context, json_pack("{s:s+, s:s, s:I}", "aor", "sip:", status->aor, "contact",
					       status->contact, "expires_s", (json_int_t)status->expires_s));
}

static void add_call(void *context, const struct sip_call_status *status)
{
	json_array_append_new(
		context, json_pack("{s:s, s:s, s:s, s:o, s:b, s:I}", "call_id", status->call_id, "caller",
				 status->caller, "callee", status->callee, "peer", node_hit_json(&status->peer),
				 "answered", status->answered, "age_s", (json_int_t)status->age_s));
}

static json_t *sip_json(const struct node *node, instant now)
{
	json_t *registrations = json_array(), *calls = json_array();

	sip_walk_registrations(node->sip, now, add_registration, registrations);
	sip_walk_calls(node->sip, now, add_call, calls);
	return json_pack("{s:s, s:o, s:o, s:o}", "domain", node->configuration->sip_domain, "registrations",
		registrations, "calls", calls, "relays", node_relays_json(node));
}

static void add_counter(json_t *counters, const char *name, uint64_t value)
{
	if (value)
		json_object_set_new(counters, name, json_integer((json_int_t)value));
}

static uint64_t host_sum(const struct node *node, host_counter counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < node->local_count; i++)
		sum += host_counter_value(node->locals[i].host, counter);
	return sum;
}

static uint64_t esp_sum(const struct node *node, esp_counter counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < node->local_count; i++)
		sum += esp_counter_value(node->locals[i].esp, counter);
	return sum;
}

static uint64_t lost_sum(const struct node *node)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < node->local_count; i++)
		sum += miss_queue_lost(node->locals[i].misses);
	return sum;
}

/* Of all identities. Only what has counted, so that the list stays readable. */
static json_t *counters_json(const struct node *node, const struct overlay_status *overlay)
{
	struct sip_counters sip = sip_counters(node->sip);
	json_t *counters = json_object();

	for (int i = 0; i < HOST_COUNTER_COUNT; i++)
		add_counter(counters, host_counter_name((host_counter)i), host_sum(node, (host_counter)i));
	for (int i = 0; i < ESP_COUNTER_COUNT; i++)
		add_counter(counters, esp_counter_name((esp_counter)i), esp_sum(node, (esp_counter)i));
	add_counter(counters, "queue_lost_data", node->queue_losses.data);
	add_counter(counters, "queue_lost_control", node->queue_losses.control);
	add_counter(counters, "queue_lost_i1", node->queue_losses.i1);
	add_counter(counters, "access_refused", access_refused(node->access));
	for (int i = 0; i < ACCESS_COUNTER_COUNT; i++)
		add_counter(counters, access_counter_name((access_counter)i),
			access_counter_value(node->access, (access_counter)i));
	for (int i = 0; i < PREFIX_COUNTER_COUNT; i++)
		add_counter(counters, prefix_counter_name((prefix_counter)i),
			node_prefixes_counter(node, (prefix_counter)i));
	for (int i = 0; i < ASSOCIATE_COUNTER_COUNT; i++)
		add_counter(counters, associate_counter_name((associate_counter)i), node->policy.counters[i]);
	add_counter(counters, "waiting_lost", lost_sum(node));
	add_counter(counters, "effects_lost", node->effects.lost);
	add_counter(counters, "overlay_refused", overlay->refused);
	add_counter(counters, "sip_malformed", sip.malformed);
	add_counter(counters, "sip_refused", sip.refused);
	add_counter(counters, "sip_limited", sip.limited);
	add_counter(counters, "relayed", sip.relayed);
	add_counter(counters, "relay_refused", sip.relay_refused);
	add_counter(counters, "relay_limited", sip.relay_limited);
	add_counter(counters, "relay_failed", sip.relay_failed);
	return counters;
}

/* NOTIFYs of all identities by the name of their type. Only what has counted. */
static json_t *notifications_json(const struct node *node)
{
	json_t *all = json_object();
	struct host_notify_count count;

	for (size_t index = 0; host_notify_count_at(node->locals[0].host, index, &count); index++) {
		uint64_t sent = 0, received = 0;

		for (size_t i = 0; i < node->local_count; i++) {
			host_notify_count_at(node->locals[i].host, index, &count);
			sent += count.sent;
			received += count.received;
		}
		if (sent || received)
			json_object_set_new(all, count.name,
				json_pack("{s:I, s:I}", "sent", (json_int_t)sent, "received", (json_int_t)received));
	}
	return all;
}

static void add_trouble(json_t *trouble, const char *format, const char *first, const char *second)
{
	char sentence[512];

	snprintf(sentence, sizeof(sentence), "%s%s%s", format, first, second);
	json_array_append_new(trouble, json_string(sentence));
}

static void add_conflicts(json_t *trouble, const struct overlay_status *overlay)
{
	char winner[HIT_TEXT_SIZE], loser[HIT_TEXT_SIZE];

	for (size_t i = 0; i < overlay->conflict_count; i++) {
		hit_format(&overlay->conflicts[i].winner, winner);
		hit_format(&overlay->conflicts[i].loser, loser);

		char both[2 * HIT_TEXT_SIZE + 16];

		snprintf(both, sizeof(both), "%s and %s", winner, loser);
		add_trouble(trouble, "Two hosts claim one name; the first has it: ", both, ".");
	}
}

/* Whoever switched them on for a test should not forget it. */
static void add_weak(json_t *trouble, algorithm_kind kind, const struct algorithm_list *list)
{
	struct algorithm algorithm;

	for (size_t i = 0; i < list->count; i++) {
		if (algorithm_by_id(kind, list->ids[i], &algorithm) && algorithm.weakness)
			add_trouble(trouble, "A weak algorithm is switched on: ", algorithm.name, ".");
	}
}

static json_t *trouble_json(const struct node *node, const struct overlay_status *overlay)
{
	json_t *trouble = json_array();
	char text[ENDPOINT_TEXT_SIZE];

	add_weak(trouble, ALGORITHM_HIT_SUITE, &node->configuration->hit_suites);
	add_weak(trouble, ALGORITHM_DH_GROUP, &node->configuration->dh_groups);
	add_weak(trouble, ALGORITHM_HIP_CIPHER, &node->configuration->hip_ciphers);
	add_weak(trouble, ALGORITHM_ESP_SUITE, &node->configuration->esp_suites);
	if (!overlay->joined)
		add_trouble(trouble, "The overlay is not joined: no bootstrap peer answers", "", ".");
	for (size_t i = 0; i < node->bootstrap_count; i++) {
		const struct node_bootstrap *bootstrap = &node->bootstrap[i];

		endpoint_format(&bootstrap->entry->endpoint, text);
		if (!bootstrap->usable && bootstrap->failures > 0)
			add_trouble(trouble, "The bootstrap peer ", text, " does not answer.");
		if (bootstrap->usable && bootstrap->learnt)
			add_trouble(trouble, "The HIT of the bootstrap peer ", text,
				" was learnt, not configured; anybody there could have answered.");
	}
	add_conflicts(trouble, overlay);
	node_access_trouble(node, trouble);
	node_certificates_trouble(node, trouble);
	node_prefixes_trouble(node, trouble);
	if (node->state_trouble)
		add_trouble(trouble,
			"The state file cannot be written, so what is stored now would not survive a restart: ",
			node->state_trouble, ".");
	return trouble;
}

void node_set_queue_losses(struct node *node, const struct node_queue_losses *losses)
{
	node->queue_losses = *losses;
}

void node_set_state_trouble(struct node *node, const char *trouble)
{
	node->state_trouble = trouble;
}

/* Of all identities: the hardest puzzles, and what comes in all. */
static struct host_load sum_of_loads(const struct node *node)
{
	struct host_load sum;

	host_load(node->locals[0].host, &sum);
	for (size_t i = 1; i < node->local_count; i++) {
		struct host_load load;

		host_load(node->locals[i].host, &load);
		if (load.difficulty > sum.difficulty)
			sum.difficulty = load.difficulty;
		sum.i1_per_second += load.i1_per_second;
		sum.i2_per_second += load.i2_per_second;
		sum.i1_limit += load.i1_limit;
		sum.i2_limit += load.i2_limit;
		sum.associations += load.associations;
		sum.associations_limit += load.associations_limit;
	}
	return sum;
}

/* How hard own puzzles are, and what makes them so. */
static json_t *puzzle_json(const struct node *node)
{
	struct host_load load = sum_of_loads(node);

	return json_pack("{s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "difficulty", load.difficulty, "calm",
		load.calm_difficulty, "maximum", load.maximum, "i1_per_s", (json_int_t)load.i1_per_second, "i1_limit",
		(json_int_t)load.i1_limit, "i2_per_s", (json_int_t)load.i2_per_second, "i2_limit",
		(json_int_t)load.i2_limit, "associations", (json_int_t)load.associations, "associations_limit",
		(json_int_t)load.associations_limit);
}

json_t *node_status(struct node *node, instant now)
{
	struct overlay_status *overlay = calloc(1, sizeof(*overlay));
	json_t *status;

	if (!overlay)
		return NULL;
	overlay_get_status(node->overlay, overlay);
	status = json_pack("{s:o, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "hit", node_hit_json(&node->self),
		"identities", node_locals_json(node), "version", HIPHOP_VERSION, "uptime_s",
		(json_int_t)((now - node->started) / SECONDS(1)), "overlay", overlay_json(node, overlay),
		"associations", node_associations_json(node, now), "offers", offers_json(node->configuration), "sip",
		sip_json(node, now), "trouble", trouble_json(node, overlay), "counters", counters_json(node, overlay));
	if (status)
		json_object_set_new(status, "puzzle", puzzle_json(node));
	if (status)
		json_object_set_new(status, "mobile_router", node_router_json(node, now));
	if (status)
		json_object_set_new(status, "prefixes", node_prefixes_json(node, now));
	if (status)
		json_object_set_new(status, "notifications", notifications_json(node));
	free(overlay);
	return status;
}
