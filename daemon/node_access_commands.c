/* SPDX-License-Identifier: MIT */
/**
 * The commands about access control (docs/control.md): access, access-add, access-remove and reload.
 */
#include "daemon/node_commands.h"
#include "daemon/node_internal.h"

#include <string.h>

#define SENTENCE_SIZE (3 * CONFIGURATION_TEXT + 256)

static void reply_sentence(struct node *node, uint64_t token, const char *code, const char *sentence)
{
	node_reply(node, token, json_pack("{s:b, s:s, s:s}", "ok", 0, "error", sentence, "code", code), true);
}

/* ---- access ---- */

static json_t *rule_json(const struct access_rule *rule, size_t place)
{
	bool has_hit = access_rule_names_one(rule) && !hit_is_null(&rule->hit);
	char text[ACCESS_RULE_TEXT_SIZE];

	return json_pack("{s:I, s:s, s:s, s:I, s:o}", "number", (json_int_t)place + 1, "rule",
		access_rule_format(rule, text), "source", rule->configured ? "configuration" : "command", "matched",
		(json_int_t)rule->matched, "hit", has_hit ? node_hit_json(&rule->hit) : json_null());
}

void node_command_access(struct node *node, instant now, uint64_t token, json_t *command)
{
	json_t *list = json_array();
	size_t count;
	const struct access_rule *rules = access_rules(node->access, &count);

	(void)now;
	(void)command;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, rule_json(&rules[i], i));
	node_reply(node, token,
		json_pack("{s:b, s:o, s:{s:s, s:s, s:s}}", "ok", 1, "rules", list, "otherwise", "associate",
			node->policy.associate_listed ? "listed" : "allow", "in", "deny", "out", "allow"),
		true);
}

/* ---- access-add ---- */

/* A name must stand for somebody when the rule is given, so that a slip of the pen is seen at once. */
static bool check_name(struct node *node, uint64_t token, struct access_rule *rule)
{
	char sentence[SENTENCE_SIZE], aor[CONFIGURATION_TEXT];
	bool is_aor;
	struct hit hit;

	if (rule->who != ACCESS_NAME)
		return true;
	is_aor = node_aor_normalise(rule->name, aor);
	if (is_aor)
		memcpy(rule->name, aor, sizeof rule->name);
	hit = node_access_hit_of(node, rule->name);
	if (!hit_is_null(&hit)) {
		rule->hit = hit;
		return true;
	}
	if (is_aor)
		snprintf(sentence, sizeof sentence,
			"%s is not pinned to a HIT here; `hiphop resolve %s` shows whose it is, `hiphop trust %s HIT` "
			"pins it.",
			aor, aor, aor);
	else
		snprintf(sentence, sizeof sentence,
			"\"%s\" is no kind of traffic, no HIT, and no name of a host in the configuration.",
			rule->name);
	reply_sentence(node, token, "not found", sentence);
	return false;
}

static bool read_rule(struct node *node, uint64_t token, json_t *command, struct access_rule *rule)
{
	const char *text = json_string_value(json_object_get(command, "rule"));
	char complaint[128], sentence[SENTENCE_SIZE];

	if (!text) {
		node_reply_malformed(node, token, "The request needs a rule");
		return false;
	}
	if (access_rule_parse(text, rule, complaint, sizeof complaint)) {
		snprintf(sentence, sizeof sentence, "\"%.200s\" is no rule of access: %s", text, complaint);
		node_reply_malformed(node, token, sentence);
		return false;
	}
	return true;
}

/* The place that the request asks for: 1 is the first. */
static bool read_place(struct node *node, uint64_t token, json_t *command, size_t *place)
{
	json_t *position = json_object_get(command, "position");
	size_t own = access_own_count(node->access);
	char sentence[SENTENCE_SIZE];

	*place = position ? (size_t)json_integer_value(position) - 1 : 0;
	if (!position || (json_is_integer(position) && *place <= own))
		return true;
	snprintf(sentence, sizeof sentence, "The position must be a whole number from 1 to %zu", own + 1);
	node_reply_malformed(node, token, sentence);
	return false;
}

/* The rule given by command that is about the same; access_own_count when there is none. */
static size_t find_same(const struct node *node, const struct access_rule *rule)
{
	size_t count, place = 0, own = access_own_count(node->access);
	const struct access_rule *rules = access_rules(node->access, &count);

	while (place < own && !access_rule_is_about_the_same(&rules[place], rule))
		place++;
	return place;
}

/* An older word about the same goes: the newer one is what counts. */
static hiphop_error put_rule(struct node *node, size_t *place, const struct access_rule *rule, bool *replaced)
{
	size_t before = find_same(node, rule);
	struct access_rule old;
	hiphop_error error;
	size_t count;

	*replaced = before < access_own_count(node->access);
	if (!*replaced)
		return access_insert(node->access, *place, rule);
	old = access_rules(node->access, &count)[before];
	access_remove(node->access, before);
	if (*place > before)
		--*place;
	error = access_insert(node->access, *place, rule);
	if (error)
		(void)access_insert(node->access, before, &old);
	return error;
}

void node_command_access_add(struct node *node, instant now, uint64_t token, json_t *command)
{
	char text[ACCESS_RULE_TEXT_SIZE];
	struct access_rule rule;
	bool replaced;
	size_t place;
	hiphop_error error;

	if (!read_rule(node, token, command, &rule) || !check_name(node, token, &rule) ||
		!read_place(node, token, command, &place))
		return;
	error = put_rule(node, &place, &rule, &replaced);
	if (error) {
		node_reply_error(node, token, error, "The rule could not be taken");
		return;
	}
	node_access_persist(node);
	node_reply(node, token,
		json_pack("{s:b, s:I, s:s, s:b, s:o}", "ok", 1, "number", (json_int_t)place + 1, "rule",
			access_rule_format(&rule, text), "replaced", replaced, "closed", node_access_apply(node, now)),
		true);
}

/* ---- access-remove ---- */

static bool check_number(struct node *node, uint64_t token, json_int_t number)
{
	char sentence[SENTENCE_SIZE];
	size_t count;

	access_rules(node->access, &count);
	if (number < 1 || (size_t)number > count) {
		snprintf(sentence, sizeof sentence, "There is no rule %lld; there are %zu.", (long long)number, count);
		reply_sentence(node, token, "not found", sentence);
		return false;
	}
	if ((size_t)number <= access_own_count(node->access))
		return true;
	snprintf(sentence, sizeof sentence,
		"Rule %lld stands in the configuration: change it there and `hiphop reload`, or add a rule, which "
		"comes "
		"before it.",
		(long long)number);
	reply_sentence(node, token, "refused", sentence);
	return false;
}

/* Which rule a request means, by "number" or by "rule". */
static bool find_rule(struct node *node, uint64_t token, json_t *command, size_t *place)
{
	json_t *number = json_object_get(command, "number");
	struct access_rule rule;
	size_t count;

	if (number && !json_is_integer(number)) {
		node_reply_malformed(node, token, "number must be a whole number");
		return false;
	}
	if (number) {
		*place = (size_t)json_integer_value(number) - 1;
		return check_number(node, token, json_integer_value(number));
	}
	if (!read_rule(node, token, command, &rule))
		return false;
	*place = find_same(node, &rule);
	if (*place < access_own_count(node->access) && access_rules(node->access, &count)[*place].deny == rule.deny)
		return true;
	reply_sentence(node, token, "not found", "No rule given by command says that; `hiphop access` shows them.");
	return false;
}

static json_t *remove_rules(struct node *node, size_t first, size_t last)
{
	json_t *removed = json_array();
	char text[ACCESS_RULE_TEXT_SIZE];
	size_t count;

	for (size_t place = first; place < last; place++) {
		const struct access_rule *rules = access_rules(node->access, &count);

		json_array_append_new(removed, json_string(access_rule_format(&rules[first], text)));
		access_remove(node->access, first);
	}
	return removed;
}

void node_command_access_remove(struct node *node, instant now, uint64_t token, json_t *command)
{
	bool all = json_is_true(json_object_get(command, "all"));
	size_t place = 0;
	json_t *removed;

	if (!all && !find_rule(node, token, command, &place))
		return;
	removed = remove_rules(node, place, all ? access_own_count(node->access) : place + 1);
	node_access_persist(node);
	node_reply(node, token,
		json_pack("{s:b, s:o, s:o}", "ok", 1, "removed", removed, "closed", node_access_apply(node, now)),
		true);
}

/* ---- reload ---- */

void node_command_reload(struct node *node, instant now, uint64_t token, json_t *command)
{
	struct node_effect effect = {.kind = NODE_RELOAD, .token = token};

	(void)now;
	(void)command;
	node_effects_push(&node->effects, &effect);
}

void node_reload(
	struct node *node, instant now, uint64_t token, const struct configuration *configuration, const char *trouble)
{
	size_t count;

	if (!configuration) {
		reply_sentence(node, token, "failed", trouble);
		return;
	}
	if (node_access_configure(node, configuration)) {
		node_reply_error(node, token, HIPHOP_NO_MEMORY, "The configuration could not be taken");
		return;
	}
	access_rules(node->access, &count);
	log_write(node->log, LOG_LEVEL_INFO, "the access part of the configuration was read again; there are %zu rules",
		count);
	node_reply(node, token,
		json_pack(
			"{s:b, s:I, s:o}", "ok", 1, "rules", (json_int_t)count, "closed", node_access_apply(node, now)),
		true);
	node_pump(node, now);
}
