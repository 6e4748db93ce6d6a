/* SPDX-License-Identifier: MIT */
/**
 * The requests of the control socket (docs/control.md): a table of commands, and those that need no file of their own.
 */
#include "daemon/identity_kind.h"
#include "daemon/json_text.h"
#include "daemon/node_commands.h"
#include "daemon/node_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MONITORS_MAXIMUM 32

/* ---- answers ---- */

void node_reply(struct node *node, uint64_t token, json_t *answer, bool last)
{
	struct node_effect effect = {.kind = NODE_REPLY, .token = token, .last = last};
	char *text;

	text = json_object_set_new(answer, "last", json_boolean(last)) ? NULL : json_text(answer, JSON_COMPACT);
	json_decref(answer);
	effect.text = text;
	if ((!text || !node_effects_push(&node->effects, &effect)) && last)
		node_effects_out_of_memory(&node->effects, token);
	free(text);
}

static const struct {
	hiphop_error error;
	const char *code;
} codes[] = {
	{HIPHOP_NOT_FOUND, "not found"},
	{HIPHOP_TIMEOUT, "timeout"},
	{HIPHOP_REFUSED, "refused"},
	{HIPHOP_LIMITED, "limited"},
	{HIPHOP_TOO_LARGE, "too large"},
	{HIPHOP_WRONG_STATE, "wrong state"},
	{HIPHOP_MALFORMED, "malformed"},
};

static const char *code_of(hiphop_error error)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].error == error)
			return codes[i].code;
	}
	return "failed";
}

static json_t *error_json(hiphop_error error, const char *what)
{
	char sentence[512];

	snprintf(sentence, sizeof(sentence), "%s: %s.", what, hiphop_error_text(error));
	return json_pack("{s:b, s:s, s:s}", "ok", 0, "error", sentence, "code", code_of(error));
}

void node_reply_error(struct node *node, uint64_t token, hiphop_error error, const char *what)
{
	node_reply(node, token, error_json(error, what), true);
}

static void reply_sentence(struct node *node, uint64_t token, hiphop_error error, const char *sentence)
{
	node_reply(node, token, json_pack("{s:b, s:s, s:s}", "ok", 0, "error", sentence, "code", code_of(error)), true);
}

void node_reply_malformed(struct node *node, uint64_t token, const char *sentence)
{
	node_reply(
		node, token, json_pack("{s:b, s:s+, s:s}", "ok", 0, "error", sentence, ".", "code", "malformed"), true);
}

static void reply_lookup_error(struct node *node, uint64_t token, hiphop_error error)
{
	if (error == HIPHOP_MALFORMED)
		reply_sentence(node, token, error, "That is no SIP name, such as sip:bob@example.com.");
	else
		node_reply_error(node, token, error, "The name could not be looked up");
}

/* ---- targets by HIT, by name of the configuration, or by Address-of-Record ---- */

/* What to do once a NAME has become a HIT. */
struct target_command {
	void (*go)(struct node *node, instant now, uint64_t token, const struct hit *target, json_t *command);
	json_t *command;
};

static bool target_by_configuration(const struct node *node, const char *name, struct hit *target)
{
	for (size_t i = 0; i < node->configuration->host_count; i++) {
		if (strcmp(node->configuration->hosts[i].name, name) == 0) {
			*target = node->configuration->hosts[i].hit;
			return true;
		}
	}
	return false;
}

static void on_target_resolved(struct node *node, instant now, uint64_t token, void *context, const char *aor,
	const struct name_answer *answer)
{
	struct target_command *waiting = context;
	char what[CONFIGURATION_TEXT + 32];

	snprintf(what, sizeof(what), "The name %s could not be resolved", aor);
	if (answer->error)
		node_reply_error(node, token, answer->error, what);
	else
		waiting->go(node, now, token, &answer->owner, waiting->command);
	json_decref(waiting->command);
	free(waiting);
}

static hiphop_error resolve_target(
	struct node *node, instant now, uint64_t token, const char *name, const struct target_command *command)
{
	struct target_command *waiting = malloc(sizeof(*waiting));
	hiphop_error error;

	if (!waiting)
		return HIPHOP_NO_MEMORY;
	*waiting = *command;
	json_incref(waiting->command);
	error = node_name_lookup(node, now, name, false, on_target_resolved, token, waiting);
	if (error) {
		json_decref(waiting->command);
		free(waiting);
	}
	return error;
}

static void with_target(struct node *node, instant now, uint64_t token, const struct target_command *command)
{
	const char *name = json_string_value(json_object_get(command->command, "target"));
	struct hit target;
	hiphop_error error;

	if (!name) {
		node_reply_malformed(node, token, "The request needs a target");
	} else if (!hit_parse(name, &target) || target_by_configuration(node, name, &target)) {
		command->go(node, now, token, &target, command->command);
	} else if (!strchr(name, '@')) {
		node_reply_error(node, token, HIPHOP_NOT_FOUND,
			"No HIT, name of a configured host or sip: address is called that");
	} else {
		error = resolve_target(node, now, token, name, command);
		if (error)
			reply_lookup_error(node, token, error);
	}
}

/* The number at `key`, brought within its bounds, or `fallback` when it is absent. False, with an answer, when it is no
 * whole number. */
static bool take_number(struct node *node, uint64_t token, json_t *command, const char *key, json_int_t fallback,
	json_int_t least, json_int_t most, json_int_t *number)
{
	json_t *value = json_object_get(command, key);
	char sentence[64];

	*number = value ? json_integer_value(value) : fallback;
	*number = *number < least ? least : *number > most ? most : *number;
	if (!value || json_is_integer(value))
		return true;
	snprintf(sentence, sizeof(sentence), "%s must be a whole number", key);
	node_reply_malformed(node, token, sentence);
	return false;
}

static bool take_timeout(struct node *node, uint64_t token, json_t *command, json_int_t *timeout_ms)
{
	return take_number(node, token, command, "timeout_ms", 5000, 100, 60000, timeout_ms);
}

/* True when packets can be sent to it: a host, and not this one. Otherwise the answer has said so. */
static bool check_reachable(struct node *node, uint64_t token, const struct hit *target)
{
	bool own = node_local_by_hit(node, target) != NULL;
	const struct host_claim claim = {.ours = true};
	size_t rule;

	if (!own && hit_is_host(target) && !node_would_associate(node, target, &claim, &rule)) {
		reply_sentence(node, token, HIPHOP_REFUSED,
			"This host may not associate with it; `hiphop access` shows the rules.");
		return false;
	}
	if (!own && hit_is_host(target))
		return true;
	reply_sentence(node, token, HIPHOP_REFUSED,
		own ? "That is this host itself." : "That is a name of the overlay, not the HIT of a host.");
	return false;
}

/* ---- ping ---- */

static json_t *milliseconds_json(duration length)
{
	/* Three digits behind the point are microseconds; more would be noise. */
	return json_real((double)(length / 1000) / 1000.0);
}

static void add_path(const struct local_identity *local, json_t *answer, const struct hit *target)
{
	struct host_association_view view;
	char text[ENDPOINT_TEXT_SIZE];

	if (!host_association_find(local->host, target, &view))
		return;
	json_object_set_new(answer, "path", json_string(view.path));
	json_object_set_new(answer, "transport", json_string(transport_name(view.remote.transport)));
	json_object_set_new(answer, "local", json_string(endpoint_format(&view.local, text)));
	json_object_set_new(answer, "remote", json_string(endpoint_format(&view.remote, text)));
	json_object_set_new(answer, "overlay_hops", json_integer(view.overlay_hops));
}

static void on_ping(
	struct node *node, instant now, uint64_t token, const struct hit *target, const struct ping_answer *ping)
{
	json_t *answer;

	(void)now;
	if (ping->answered) {
		answer = json_pack("{s:b, s:o}", "ok", 1, "rtt_ms", milliseconds_json(ping->round_trip));
		add_path(ping->from, answer, target);
	} else {
		answer = json_pack("{s:b, s:s, s:s}", "ok", 0, "error", "No answer in time.", "code", "timeout");
	}
	json_object_set_new(answer, "target", node_hit_json(target));
	json_object_set_new(answer, "sequence", json_integer(ping->sequence));
	node_reply(node, token, answer, ping->last);
}

/* The identity of this host that a command names by its HIT, the first when it names none. False after an answer. */
static bool take_from(struct node *node, uint64_t token, json_t *command, const struct local_identity **from)
{
	json_t *value = json_object_get(command, "from");
	const char *text = json_string_value(value);
	struct hit hit;

	*from = value ? NULL : &node->locals[0];
	if (text && !hit_parse(text, &hit))
		*from = node_local_by_hit(node, &hit);
	if (!*from)
		node_reply_error(node, token, HIPHOP_NOT_FOUND, "This host has no identity of that HIT to send from");
	return *from != NULL;
}

static void ping_target(struct node *node, instant now, uint64_t token, const struct hit *target, json_t *command)
{
	struct ping_order order = {.target = *target};
	json_int_t count, interval_ms, timeout_ms;
	hiphop_error error;

	if (!check_reachable(node, token, target) || !take_from(node, token, command, &order.from) ||
		!take_number(node, token, command, "count", 1, 1, 1000000, &count) ||
		!take_number(node, token, command, "interval_ms", 1000, 10, 60000, &interval_ms) ||
		!take_timeout(node, token, command, &timeout_ms))
		return;
	order.count = (uint32_t)count;
	order.interval = MILLISECONDS(interval_ms);
	order.timeout = MILLISECONDS(timeout_ms);
	error = node_ping_start(node, now, &order, on_ping, token);
	if (error)
		node_reply_error(node, token, error, "This target cannot be pinged");
}

static void command_ping(struct node *node, instant now, uint64_t token, json_t *command)
{
	with_target(node, now, token, &(struct target_command){ping_target, command});
}

/* ---- trace ---- */

static void on_trace_ping(
	struct node *node, instant now, uint64_t token, const struct hit *target, const struct ping_answer *ping)
{
	struct node_request *request = map_get(&node->requests, &token);
	json_t *answer;

	(void)now;
	if (!request)
		return;
	answer = request->context;
	request->context = NULL;
	json_object_set_new(answer, "ok", json_boolean(ping->answered));
	if (ping->answered)
		json_object_set_new(answer, "rtt_ms", milliseconds_json(ping->round_trip));
	else
		json_object_update_new(
			answer, json_pack("{s:s, s:s}", "error", "The target did not answer.", "code", "timeout"));
	add_path(ping->from, answer, target);
	node_reply(node, request->client, answer, true);
	node_request_drop(node, request);
}

static json_t *trace_hops(const struct overlay_result *result)
{
	json_t *hops = json_array();

	for (size_t i = 0; !result->error && i < result->path_length; i++)
		json_array_append_new(hops, json_pack("{s:o, s:n}", "hit", node_hit_json(&result->path[i]), "rtt_ms"));
	return hops;
}

/* The request that only carries a half-made answer to the ping. */
static void on_trace_given_up(
	struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	(void)node;
	(void)now;
	(void)result;
	json_decref(request->context);
}

/* The overlay's part is known; now the target itself is asked. A target outside the overlay has no hops. */
static void on_traced(struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	struct node_request *next;
	struct ping_order order = {.from = &node->locals[0],
		.target = request->hit,
		.count = 1,
		.interval = SECONDS(1),
		.timeout = MILLISECONDS((uintptr_t)request->context)};
	hiphop_error error;

	if (!result)
		return;
	next = node_request_add(node, on_trace_given_up, request->client);
	if (!next) {
		node_reply_error(node, request->client, HIPHOP_NO_MEMORY, "The trace failed");
		return;
	}
	next->context = json_pack("{s:o, s:o}", "target", node_hit_json(&request->hit), "hops", trace_hops(result));
	error = node_ping_start(node, now, &order, on_trace_ping, next->token);
	if (error) {
		json_decref(next->context);
		node_request_drop(node, next);
		node_reply_error(node, request->client, error, "The target cannot be pinged");
	}
}

static void trace_target(struct node *node, instant now, uint64_t token, const struct hit *target, json_t *command)
{
	struct node_request *request;
	json_int_t timeout_ms;
	hiphop_error error;

	if (!check_reachable(node, token, target) || !take_timeout(node, token, command, &timeout_ms))
		return;
	request = node_request_add(node, on_traced, token);
	if (!request) {
		node_reply_error(node, token, HIPHOP_NO_MEMORY, "The trace failed");
		return;
	}
	request->hit = *target;
	request->context = (void *)(uintptr_t)timeout_ms;
	error = overlay_trace(node->overlay, now, request->token, target);
	if (error) {
		node_request_drop(node, request);
		node_reply_error(node, token, error, "The target cannot be traced");
	}
}

static void command_trace(struct node *node, instant now, uint64_t token, json_t *command)
{
	with_target(node, now, token, &(struct target_command){trace_target, command});
}

/* ---- names ---- */

static void on_resolved(struct node *node, instant now, uint64_t token, void *context, const char *aor,
	const struct name_answer *answer)
{
	const struct node_pin *pin = node_pin_find(node, aor);
	json_t *object;
	char text[CONFIGURATION_TEXT + 4];

	(void)now;
	(void)context;
	if (answer->error) {
		node_reply_error(node, token, answer->error,
			answer->error == HIPHOP_REFUSED
				? "The name is pinned to another HIT (hiphop trust changes that)"
				: "The name could not be resolved");
		return;
	}
	snprintf(text, sizeof(text), "sip:%.*s", (int)sizeof(text) - 5, aor);
	object = json_pack("{s:b, s:s, s:[o], s:[o*], s:o, s:i}", "ok", 1, "aor", text, "hits",
		node_hit_json(&answer->owner), "holders",
		hit_is_null(&answer->holder) ? NULL : node_hit_json(&answer->holder), "pinned",
		pin ? node_hit_json(&pin->hit) : json_null(), "expires_s", (int)answer->expires_s);
	node_reply(node, token, object, true);
}

static void command_resolve(struct node *node, instant now, uint64_t token, json_t *command)
{
	const char *aor = json_string_value(json_object_get(command, "aor"));
	hiphop_error error;

	if (!aor) {
		node_reply_malformed(node, token, "resolve needs an aor");
		return;
	}
	error = node_name_lookup(node, now, aor, false, on_resolved, token, NULL);
	if (error)
		reply_lookup_error(node, token, error);
}

static void command_trust(struct node *node, instant now, uint64_t token, json_t *command)
{
	const char *name = json_string_value(json_object_get(command, "aor"));
	const char *text = json_string_value(json_object_get(command, "hit"));
	char aor[CONFIGURATION_TEXT];
	const struct node_pin *pin;
	json_t *previous;
	struct hit hit;
	hiphop_error error;

	if (!name || !text || !node_aor_normalise(name, aor) || hit_parse(text, &hit) || !hit_is_host(&hit)) {
		node_reply_malformed(node, token, "trust needs a sip: address and a HIT");
		return;
	}
	pin = node_pin_find(node, aor);
	previous = pin ? node_hit_json(&pin->hit) : json_null();
	error = node_pin_set(node, aor, &hit);
	if (error) {
		json_decref(previous);
		node_reply_error(node, token, error, "The pin could not be kept");
		return;
	}
	sip_forget_name(node->sip, now, aor);
	json_decref(node_access_apply(node, now));
	node_reply(node, token,
		json_pack("{s:b, s:s+, s:o, s:o}", "ok", 1, "aor", "sip:", aor, "hit", node_hit_json(&hit), "previous",
			previous),
		true);
}

/* ---- views ---- */

static void command_id(struct node *node, instant now, uint64_t token, json_t *command)
{
	char kind[IDENTITY_KIND_SIZE];

	(void)now;
	(void)command;
	node_reply(node, token,
		json_pack("{s:b, s:o, s:s, s:o, s:o}", "ok", 1, "hit", node_hit_json(&node->self), "algorithm",
			identity_kind_name(node->environment.identity, kind), "name",
			node_name_json(&node->configuration->name), "identities", node_locals_json(node)),
		true);
}

static void command_status(struct node *node, instant now, uint64_t token, json_t *command)
{
	json_t *status = node_status(node, now);

	(void)command;
	if (status)
		json_object_set_new(status, "ok", json_true());
	node_reply(node, token, status, true);
}

static void command_peers(struct node *node, instant now, uint64_t token, json_t *command)
{
	(void)command;
	node_reply(
		node, token, json_pack("{s:b, s:o}", "ok", 1, "associations", node_associations_json(node, now)), true);
}

/* ---- rekey ---- */

static void rekey_target(struct node *node, instant now, uint64_t token, const struct hit *target, json_t *command)
{
	const struct local_identity *from;
	hiphop_error error;

	if (!take_from(node, token, command, &from))
		return;
	error = host_rekey(from->host, now, target, json_is_true(json_object_get(command, "dh")));
	if (error == HIPHOP_NOT_FOUND)
		node_reply_error(node, token, error, "There are no ESP keys with this host that could be renewed");
	else if (error)
		node_reply_error(node, token, error, error == HIPHOP_EXISTS ? "The keys are being renewed" : "rekey");
	else
		node_reply(node, token, json_pack("{s:b, s:o}", "ok", 1, "target", node_hit_json(target)), true);
}

static void command_rekey(struct node *node, instant now, uint64_t token, json_t *command)
{
	const struct target_command rekey = {.go = rekey_target, .command = command};
	json_t *dh = json_object_get(command, "dh");

	if (dh && !json_is_boolean(dh))
		node_reply_malformed(node, token, "dh must be true or false");
	else
		with_target(node, now, token, &rekey);
}

/* ---- monitor ---- */

static void command_monitor(struct node *node, instant now, uint64_t token, json_t *command)
{
	uint64_t *monitors;

	(void)now;
	(void)command;
	monitors = node->monitor_count < MONITORS_MAXIMUM
			   ? realloc(node->monitors, (node->monitor_count + 1) * sizeof(*monitors))
			   : NULL;
	if (!monitors) {
		node_reply_error(node, token, HIPHOP_LIMITED, "Too many monitors");
		return;
	}
	node->monitors = monitors;
	node->monitors[node->monitor_count++] = token;
	node_reply(node, token, json_pack("{s:b, s:s}", "ok", 1, "event", "monitor"), false);
}

/* RFC 3339 in UTC, from the wall time that was handed in; no clock is read. */
static json_t *time_json(const struct node *node, instant now)
{
	wall_milliseconds wall = node_wall(node, now);
	time_t seconds = (time_t)(wall / 1000);
	struct tm parts;
	char text[64];
	size_t length;

	gmtime_r(&seconds, &parts);
	length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + length, sizeof(text) - length, ".%03uZ", (unsigned)(wall % 1000));
	return json_string(text);
}

void node_monitor_event(struct node *node, instant now, json_t *event)
{
	if (event && node->monitor_count) {
		json_object_set_new(event, "ok", json_true());
		json_object_set_new(event, "time", time_json(node, now));
		for (size_t i = 0; i < node->monitor_count; i++)
			node_reply(node, node->monitors[i], json_incref(event), false);
	}
	json_decref(event);
}

void node_command_gone(struct node *node, uint64_t token)
{
	size_t kept = 0;

	node_ping_gone(node, token);
	for (size_t i = 0; i < node->monitor_count; i++) {
		if (node->monitors[i] != token)
			node->monitors[kept++] = node->monitors[i];
	}
	node->monitor_count = kept;
}

/* ---- the table ---- */

static const struct {
	const char *name;
	void (*run)(struct node *node, instant now, uint64_t token, json_t *command);
} commands[] = {
	{"id", command_id},
	{"status", command_status},
	{"peers", command_peers},
	{"ping", command_ping},
	{"trace", command_trace},
	{"resolve", command_resolve},
	{"put", node_command_put},
	{"get", node_command_get},
	{"trust", command_trust},
	{"access", node_command_access},
	{"access-add", node_command_access_add},
	{"access-remove", node_command_access_remove},
	{"reload", node_command_reload},
	{"rekey", command_rekey},
	{"monitor", command_monitor},
};

static void run_command(struct node *node, instant now, uint64_t token, json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "command"));

	if (!name) {
		node_reply_malformed(node, token, "The request has no command");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			commands[i].run(node, now, token, request);
			return;
		}
	}
	node_reply(node, token,
		json_pack("{s:b, s:s, s:s}", "ok", 0, "error", "There is no such command.", "code", "unknown command"),
		true);
}

void node_command(struct node *node, instant now, uint64_t token, json_t *request)
{
	run_command(node, now, token, request);
	node_pump(node, now);
}
