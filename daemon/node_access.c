/* SPDX-License-Identifier: MIT */
#include "daemon/node_access.h"

#include "daemon/node_certificates.h"
#include "daemon/node_internal.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_SECOND 10
#define EVENTS_BURST      20
#define RULES_KEY         "rules"

/* ---- members and strangers ---- */

static bool is_bootstrap(const struct node_policy *policy, const struct hit *peer)
{
	for (size_t i = 0; i < policy->listed_count; i++) {
		if (policy->listed[i].bootstrap && hit_equal(&policy->listed[i].hit, peer))
			return true;
	}
	return false;
}

static bool is_known_member(void *context, const struct hit *peer)
{
	const struct node *node = context;

	return map_get(&node->policy.met, peer) || (node->overlay && overlay_knows_member(node->overlay, peer)) ||
	       is_bootstrap(&node->policy, peer);
}

static bool is_taken_for_one(void *context, const struct hit *peer)
{
	(void)context;
	(void)peer;
	return true;
}

/* The one longest known makes room. */
static void note_member(struct node *node, const struct hit *peer)
{
	struct map *met = &node->policy.met;

	if (map_get(met, peer))
		return;
	if (met->count >= NODE_MET_MAXIMUM) {
		struct map_walk walk = map_walk_start(met);
		const void *oldest;

		if (map_walk_next(&walk, &oldest))
			map_remove(met, oldest);
	}
	/* Without memory for it, it is met again with its next exchange. */
	(void)map_put(met, peer, node);
}

void node_access_associated(struct node *node, const struct hit *peer, unsigned overlay_hops)
{
	if (overlay_hops)
		note_member(node, peer);
}

/* ---- names ---- */

static const struct listed_host *find_named(const struct node_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->listed_count; i++) {
		if (policy->listed[i].name[0] && strcmp(policy->listed[i].name, name) == 0)
			return &policy->listed[i];
	}
	return NULL;
}

struct hit node_access_hit_of(struct node *node, const char *name)
{
	const struct listed_host *host = find_named(&node->policy, name);
	const struct node_pin *pin;
	char aor[CONFIGURATION_TEXT];

	if (host)
		return host->hit;
	pin = node_aor_normalise(name, aor) ? node_pin_find(node, aor) : NULL;
	return pin ? pin->hit : (struct hit){{0}};
}

static struct hit hit_of_name(void *context, const char *name)
{
	return node_access_hit_of(context, name);
}

/* What a Domain Identifier says, as text without the dot of the root. */
static bool claimed_name(const struct host_claim *claim, char name[static ACCESS_NAME_SIZE])
{
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE];
	size_t length;

	if (!claim->proved || domain_identifier_is_none(&claim->name))
		return false;
	length = strlen(domain_identifier_format(&claim->name, text));
	if (length && text[length - 1] == '.')
		text[--length] = 0;
	if (!length || length >= ACCESS_NAME_SIZE)
		return false;
	memcpy(name, text, length + 1);
	return true;
}

/* A name is pinned to one HIT; who claims it with another is not whom the name means. A name that is nobody's is no
 * proof of anything either, and makes no difference. */
static bool claims_the_name_of_another(
	struct node *node, const struct hit *peer, const struct host_claim *claim, char name[static ACCESS_NAME_SIZE])
{
	struct hit pinned;

	if (!claimed_name(claim, name))
		return false;
	pinned = node_access_hit_of(node, name);
	return !hit_is_null(&pinned) && !hit_equal(&pinned, peer);
}

/* ---- telling ---- */

/* An event for monitors, when there are any and the rate allows it. */
static void tell(struct node *node, instant now, json_t *event)
{
	struct node_policy *policy = &node->policy;

	if (!token_bucket_take(&policy->events, now)) {
		policy->events_suppressed++;
		json_decref(event);
		return;
	}
	if (policy->events_suppressed && event)
		json_object_set_new(event, "suppressed", json_integer((json_int_t)policy->events_suppressed));
	policy->events_suppressed = 0;
	node_monitor_event(node, now, event);
}

/* The number of a rule as `hiphop access` shows it, or null. */
static json_t *rule_number_json(const struct node *node, size_t place)
{
	size_t count;

	access_rules(node->access, &count);
	return place < count ? json_integer((json_int_t)place + 1) : json_null();
}

static void tell_association_refused(struct node *node, instant now, const struct hit *peer, size_t rule)
{
	if (node->monitor_count)
		tell(node, now,
			json_pack("{s:s, s:s, s:o, s:o}", "event", "refused", "what", "associate", "hit",
				node_hit_json(peer), "rule", rule_number_json(node, rule)));
}

void node_tell_refusal(struct node *node, instant now, const struct access_refusal *refusal)
{
	const struct access_subject *subject = &refusal->subject;
	json_t *event;

	if (!node->monitor_count)
		return;
	event = json_pack("{s:s, s:s, s:o, s:s, s:o}", "event", "refused", "what",
		access_direction_name(subject->direction), "hit", node_hit_json(&subject->peer), "cause",
		access_counter_name(refusal->cause), "rule", rule_number_json(node, refusal->rule));
	if (event && refusal->cause != ACCESS_COUNT_MALFORMED)
		json_object_set_new(event, "protocol", json_integer(subject->protocol));
	if (event && subject->port)
		json_object_set_new(event, "port", json_integer(subject->port));
	tell(node, now, event);
}

void node_tell_name_refused(
	struct node *node, instant now, const char *name, const struct hit *claimed, const struct hit *pinned)
{
	char is[HIT_TEXT_SIZE], was[HIT_TEXT_SIZE];

	if (!token_bucket_take(&node->policy.events, now)) {
		node->policy.events_suppressed++;
		return;
	}
	log_write(node->log, LOG_LEVEL_WARNING, "%s says it is %s, which is pinned to %s: refused (see hiphop trust)",
		hit_format(claimed, is), name, hit_format(pinned, was));
	node_monitor_event(node, now,
		json_pack("{s:s, s:s, s:o, s:o}", "event", "name-refused", "name", name, "hit", node_hit_json(claimed),
			"pinned", node_hit_json(pinned)));
}

/* ---- who may associate ---- */

static bool is_listed(const struct node_policy *policy, const struct hit *peer)
{
	for (size_t i = 0; i < policy->listed_count; i++) {
		if (hit_equal(&policy->listed[i].hit, peer))
			return true;
	}
	return false;
}

static bool allows(struct node *node, const struct hit *peer, bool member, bool certified, size_t *rule)
{
	const struct access_membership membership = {.context = node,
		.is_member = member ? is_taken_for_one : is_known_member,
		.is_certified = certified ? is_taken_for_one : NULL};
	size_t count;
	const struct access_rule *rules = access_rules(node->access, &count);

	*rule = access_associate(node->access, peer, &membership);
	if (*rule < count)
		return !rules[*rule].deny;
	return !node->policy.associate_listed || is_listed(&node->policy, peer);
}

static bool allows_claim(
	struct node *node, const struct hit *peer, const struct host_claim *claim, bool certified, size_t *rule)
{
	if (claim->over_overlay)
		return allows(node, peer, true, certified, rule);
	/* Whether it can be reached through the overlay shows when it answers. */
	return allows(node, peer, false, certified, rule) || (claim->ours && allows(node, peer, true, certified, rule));
}

host_permission node_would_associate(
	struct node *node, const struct hit *peer, const struct host_claim *claim, size_t *rule)
{
	bool certified = claim->certificate == HOST_CERTIFICATE_VALID;
	size_t other;

	if (allows_claim(node, peer, claim, certified, rule))
		return HOST_ALLOWED;
	return !certified && allows_claim(node, peer, claim, true, &other) ? HOST_UNCERTIFIED : HOST_DENIED;
}

/* It has had its occasion to show a certificate. */
static bool has_none(const struct host_claim *claim)
{
	return claim->certificate == HOST_CERTIFICATE_NONE || claim->certificate == HOST_CERTIFICATE_INVALID;
}

host_permission node_may_associate(void *context, instant now, const struct hit *peer, const struct host_claim *claim)
{
	struct node *node = context;
	char name[ACCESS_NAME_SIZE];
	size_t rule, count;
	host_permission permission = node_would_associate(node, peer, claim, &rule);

	if (permission == HOST_UNCERTIFIED && has_none(claim)) {
		node->policy.counters[ASSOCIATE_UNCERTIFIED]++;
		tell_association_refused(node, now, peer, rule);
		return HOST_UNCERTIFIED;
	}
	if (permission == HOST_DENIED) {
		access_rules(node->access, &count);
		node->policy.counters[rule < count ? ASSOCIATE_BY_RULE : ASSOCIATE_UNLISTED]++;
		tell_association_refused(node, now, peer, rule);
		return HOST_DENIED;
	}
	if (claims_the_name_of_another(node, peer, claim, name)) {
		struct hit pinned = node_access_hit_of(node, name);

		node->policy.counters[ASSOCIATE_NAME]++;
		node_tell_name_refused(node, now, name, peer, &pinned);
		return HOST_DENIED;
	}
	if (permission == HOST_ALLOWED && claim->proved && claim->over_overlay)
		note_member(node, peer);
	return permission;
}

const char *associate_counter_name(associate_counter counter)
{
	static const char *const names[] = {
#define ASSOCIATE_COUNTER_NAME(name, text) text,
		ASSOCIATE_COUNTERS(ASSOCIATE_COUNTER_NAME)
#undef ASSOCIATE_COUNTER_NAME
	};

	return names[counter];
}

/* ---- the configuration ---- */

static struct listed_host *list_hosts(const struct configuration *configuration, size_t *count)
{
	struct listed_host *listed =
		calloc(configuration->host_count + configuration->bootstrap_count + 1, sizeof *listed);

	*count = 0;
	if (!listed)
		return NULL;
	for (size_t i = 0; i < configuration->host_count; i++) {
		struct listed_host *host = &listed[(*count)++];

		host->hit = configuration->hosts[i].hit;
		memcpy(host->name, configuration->hosts[i].name, sizeof host->name);
	}
	for (size_t i = 0; i < configuration->bootstrap_count; i++) {
		if (!hit_is_null(&configuration->bootstrap[i].hit))
			listed[(*count)++] =
				(struct listed_host){.hit = configuration->bootstrap[i].hit, .bootstrap = true};
	}
	return listed;
}

/* access.rules and behind it access.inbound, as one list. */
static hiphop_error configure_rules(struct node *node, const struct configuration *configuration)
{
	size_t count = configuration->rule_count + configuration->inbound_count;
	struct access_rule *rules = calloc(count + 1, sizeof *rules);
	hiphop_error error;

	if (!rules)
		return HIPHOP_NO_MEMORY;
	if (configuration->rule_count)
		memcpy(rules, configuration->rules, configuration->rule_count * sizeof *rules);
	if (configuration->inbound_count)
		memcpy(rules + configuration->rule_count, configuration->inbound,
			configuration->inbound_count * sizeof *rules);
	error = access_configure(node->access, rules, count);
	free(rules);
	return error;
}

hiphop_error node_access_configure(struct node *node, const struct configuration *configuration)
{
	struct node_policy *policy = &node->policy;
	size_t count;
	struct listed_host *listed = list_hosts(configuration, &count);

	if (!listed)
		return HIPHOP_NO_MEMORY;
	if (configure_rules(node, configuration)) {
		free(listed);
		return HIPHOP_NO_MEMORY;
	}
	free(policy->listed);
	policy->listed = listed;
	policy->listed_count = count;
	policy->associate_listed = configuration->associate_listed;
	return HIPHOP_OK;
}

hiphop_error node_access_create(struct node *node, instant now)
{
	const struct access_membership membership = {
		.context = node, .is_member = is_known_member, .is_certified = node_is_certified};
	hiphop_error error;

	node->policy.events = token_bucket_start(EVENTS_PER_SECOND, EVENTS_BURST, now);
	map_start(&node->policy.met, HIT_LENGTH, node->environment.random);
	error = access_create(node->configuration->sip_port, &membership, node->environment.random, &node->access);
	return error ? error : node_access_configure(node, node->configuration);
}

void node_access_free(struct node *node)
{
	access_free(node->access);
	free(node->policy.listed);
	map_free(&node->policy.met);
}

/* ---- changes ---- */

static bool may_stay(struct node *node, const struct host_association_view *view, size_t *rule)
{
	const struct host_claim claim = {.ours = view->state == HOST_I1_SENT || view->state == HOST_I2_SENT,
		.proved = true,
		.over_overlay = view->overlay_hops > 0,
		.certificate = view->certificate_state};
	host_permission permission = node_would_associate(node, &view->peer, &claim, rule);

	/* In an exchange under way the certificates are still to come. */
	return permission == HOST_ALLOWED || (permission == HOST_UNCERTIFIED && (claim.ours || view->on_probation));
}

static void close_association(struct local_identity *local, instant now, const struct hit *peer, size_t rule)
{
	struct node *node = local->node;
	struct host_association_view view;
	char text[HIT_TEXT_SIZE];
	bool anonymous = host_association_find(local->host, peer, &view) && view.anonymous;

	if (host_close(local->host, now, peer))
		return;
	access_forget_peer(node->access, peer);
	log_write(node->log, LOG_LEVEL_INFO, "%s may not associate any more: closed",
		anonymous ? "an anonymous peer" : hit_format(peer, text));
	tell_association_refused(node, now, peer, rule);
}

/* The associations of an identity that are to be closed, in `peers`, with the rule against each; returns how many. */
static size_t find_denied(const struct local_identity *local, struct hit *peers, size_t *rules, size_t capacity)
{
	struct host_association_view view;
	size_t count = 0;

	for (size_t i = 0; count < capacity && host_association_at(local->host, i, &view); i++) {
		bool over = view.state == HOST_CLOSING || view.state == HOST_CLOSED || view.state == HOST_FAILED;

		if (!over && !may_stay(local->node, &view, &rules[count]))
			peers[count++] = view.peer;
	}
	return count;
}

static void close_denied(struct local_identity *local, instant now, json_t *closed)
{
	size_t capacity = host_association_count(local->host), count;
	struct hit *peers = calloc(capacity + 1, sizeof *peers);
	size_t *rules = calloc(capacity + 1, sizeof *rules);

	count = peers && rules ? find_denied(local, peers, rules, capacity) : 0;
	for (size_t i = 0; i < count; i++) {
		close_association(local, now, &peers[i], rules[i]);
		json_array_append_new(closed, node_hit_json(&peers[i]));
	}
	free(peers);
	free(rules);
}

json_t *node_access_apply(struct node *node, instant now)
{
	json_t *closed = json_array();

	access_resolve_names(node->access, hit_of_name, node);
	for (size_t i = 0; i < node->local_count; i++)
		close_denied(&node->locals[i], now, closed);
	return closed;
}

void node_access_name_known(struct node *node, instant now, const char *name)
{
	size_t count;
	const struct access_rule *rules = access_rules(node->access, &count);
	char aor[CONFIGURATION_TEXT];

	for (size_t i = 0; i < count; i++) {
		if (rules[i].who == ACCESS_NAME && node_aor_normalise(rules[i].name, aor) && strcmp(aor, name) == 0) {
			json_decref(node_access_apply(node, now));
			return;
		}
	}
}

/* ---- over a restart ---- */

/* One rule a line. */
void node_access_persist(struct node *node)
{
	size_t count = access_own_count(node->access), length = 0, all;
	const struct access_rule *rules = access_rules(node->access, &all);
	char *text = malloc(count * ACCESS_RULE_TEXT_SIZE + 1);

	if (!text) {
		log_write(node->log, LOG_LEVEL_ERROR, "the rules of access could not be kept: out of memory");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		access_rule_format(&rules[i], text + length);
		length += strlen(text + length);
		text[length++] = '\n';
	}
	if (count)
		node_persist(node, "access", RULES_KEY, text, length, 0);
	else
		node_forget(node, "access", RULES_KEY);
	free(text);
}

static void restore_line(struct node *node, const char *line, size_t length)
{
	char text[ACCESS_RULE_TEXT_SIZE], complaint[128];
	struct access_rule rule;
	hiphop_error error = length < sizeof text ? HIPHOP_OK : HIPHOP_TOO_LARGE;

	snprintf(complaint, sizeof complaint, "it is too long");
	if (!error) {
		memcpy(text, line, length);
		text[length] = 0;
		error = access_rule_parse(text, &rule, complaint, sizeof complaint);
	}
	if (error)
		log_write(node->log, LOG_LEVEL_ERROR, "a stored rule of access was left out: %s", complaint);
	else if (access_insert(node->access, access_own_count(node->access), &rule))
		log_write(node->log, LOG_LEVEL_ERROR, "a stored rule of access was left out: there are too many");
}

void node_access_restore(struct node *node, const struct node_record *record)
{
	const char *text = (const char *)record->value, *end = text + record->length;

	if (strcmp(record->key, RULES_KEY) != 0)
		return;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		restore_line(node, text, (size_t)(stop - text));
		text = stop + 1;
	}
}

/* ---- trouble ---- */

void node_access_trouble(const struct node *node, json_t *trouble)
{
	char text[ACCESS_RULE_TEXT_SIZE], sentence[ACCESS_RULE_TEXT_SIZE + ACCESS_NAME_SIZE + 80];
	size_t count;
	const struct access_rule *rules = access_rules(node->access, &count);

	for (size_t i = 0; i < count; i++) {
		if (rules[i].who != ACCESS_NAME || !hit_is_null(&rules[i].hit))
			continue;
		snprintf(sentence, sizeof sentence, "The rule \"%s\" does nothing: %s stands for no HIT here.",
			access_rule_format(&rules[i], text), rules[i].name);
		json_array_append_new(trouble, json_string(sentence));
	}
}
