/* SPDX-License-Identifier: MIT */
/* Announcing and accepting: the records of prefixes in the overlay. */
#include "daemon/node_internal.h"
#include "daemon/node_prefixes.h"

#include <string.h>

/* An old record may be shown to us by whoever holds it, until it expires. */
#define LIFETIME_S    3600
#define STORE_AGAIN   SECONDS(30)
#define FETCH_FIRST   SECONDS(5)
#define FETCH_DOUBLED 4 /* times at most */
#define FETCH_REGULAR SECONDS(120)
#define FETCH_LEAST   SECONDS(5)
/* What was there is believed to be gone when this many in a row have found nothing: a ring that has just changed may
 * not know for a moment. */
#define ABSENCES_BELIEVED 2

static const char state_space[] = "prefixes", state_key[] = "announced";

/* ---- announcing ---- */

void node_prefixes_restore(struct node *node, const struct node_record *record)
{
	(void)record;
	node->announcement.before = true;
}

static bool announces(const struct node *node)
{
	return node->prefixes && node->prefixes->tunnel.announced.count > 0;
}

static void schedule_announcement(struct node *node, instant now)
{
	(void)deadline_set(&node->timers, &node->announcement.deadline, instant_after(now, STORE_AGAIN));
}

/* Remembers that there is something to take back, for a later start that may announce nothing. */
static void remember_announcement(struct node *node)
{
	node->announcement.before = announces(node);
	if (node->announcement.before)
		node_persist(node, state_space, state_key, "", 0, 0);
	else
		node_forget(node, state_space, state_key);
}

static void on_stored(struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	if (!result || request->flag)
		return;
	if (result->error) {
		schedule_announcement(node, now);
		return;
	}
	node->announcement.stored = true;
	remember_announcement(node);
}

/* `leaving`: that nothing is announced; nobody waits for the result. */
static hiphop_error store(struct node *node, instant now, bool leaving)
{
	struct node_request *request = node_request_add(node, on_stored, 0);
	struct prefix_record record = {0};
	uint8_t octets[PREFIX_RECORD_SIZE];
	struct hit resource;
	size_t length = 0;
	hiphop_error error;

	if (!request)
		return HIPHOP_NO_MEMORY;
	request->flag = leaving;
	if (announces(node) && !leaving) {
		const struct prefix_table *announced = &node->prefixes->tunnel.announced;

		for (size_t i = 0; i < announced->count && i < PREFIX_RECORD_MAXIMUM; i++)
			record.prefixes[record.count++] = announced->entries[i].prefix;
	}
	error = prefix_record_encode(&record, octets, sizeof(octets), &length);
	if (!error)
		error = overlay_resource_id_of_node(node->overlay, &node->self, &resource);
	if (!error)
		error = overlay_store(node->overlay, now, node_wall(node, now), request->token, OVERLAY_KIND_PREFIXES,
			&resource, octets, length, LIFETIME_S, record.count > 0);
	if (error)
		node_request_drop(node, request);
	return error;
}

void node_prefixes_announce(struct node *node, instant now)
{
	if (!announces(node) && !node->announcement.before)
		return;
	if (store(node, now, false))
		schedule_announcement(node, now);
}

void node_prefixes_withdraw(struct node *node, instant now)
{
	if (!announces(node) || store(node, now, true))
		return;
	/* Now, before what is held here is handed over to the neighbours: it may be this host that holds it. */
	overlay_tick(node->overlay, now, node_wall(node, now));
	node_pump(node, now);
}

/* ---- deciding ---- */

static struct prefix_owner *find_owner(struct node_prefixes *prefixes, const struct hit *hit)
{
	for (size_t i = 0; i < prefixes->owner_count; i++) {
		if (hit_equal(&prefixes->owners[i].hit, hit))
			return &prefixes->owners[i];
	}
	return NULL;
}

static prefix_claim judge(const struct node *node, const struct prefix_table *accepted,
	const struct prefix_owner *owner, const struct ip_prefix *prefix)
{
	const struct configuration *configuration = node->configuration;
	const struct prefix_entry *entry = prefix_table_get(accepted, prefix);

	if (entry && hit_equal(&entry->owner, &owner->hit))
		return PREFIX_CLAIM_ACCEPTED;
	for (size_t i = 0; i < configuration->accept_count; i++) {
		if (hit_equal(&configuration->accept[i].owner, &owner->hit) &&
			ip_prefix_is_inside(prefix, &configuration->accept[i].prefix))
			return entry ? PREFIX_CLAIM_TAKEN : PREFIX_CLAIM_LIMITED;
	}
	return PREFIX_CLAIM_REFUSED;
}

/* Of all that is announced what an entry allows; the entries in their order, so that the first has a prefix that two
 * owners announce. */
static void accept_all(struct node *node, struct prefix_table *accepted)
{
	const struct configuration *configuration = node->configuration;

	accepted->count = 0;
	for (size_t i = 0; i < configuration->accept_count; i++) {
		const struct configured_prefix *entry = &configuration->accept[i];
		const struct prefix_owner *owner = find_owner(node->prefixes, &entry->owner);

		for (size_t j = 0; owner && j < owner->record.count; j++) {
			if (ip_prefix_is_inside(&owner->record.prefixes[j], &entry->prefix))
				(void)prefix_table_add(accepted, &owner->record.prefixes[j], &owner->hit);
		}
	}
}

static bool has_of_owner(const struct prefix_table *table, const struct prefix_entry *entry)
{
	const struct prefix_entry *other = prefix_table_get(table, &entry->prefix);

	return other && hit_equal(&other->owner, &entry->owner);
}

/* Tells of the entries of `here` that are not in `there`. */
static void tell_difference(struct node *node, instant now, const char *what, const struct prefix_table *here,
	const struct prefix_table *there)
{
	for (size_t i = 0; i < here->count; i++) {
		if (!has_of_owner(there, &here->entries[i]))
			node_prefixes_tell(node, now, what, &here->entries[i].prefix, &here->entries[i].owner, NULL);
	}
}

/* Judges what everybody announces, tells what is refused for the first time or for another reason than before. */
static void judge_all(struct node *node, instant now, const struct prefix_table *accepted)
{
	struct node_prefixes *prefixes = node->prefixes;

	for (size_t i = 0; i < prefixes->owner_count; i++) {
		struct prefix_owner *owner = &prefixes->owners[i];

		for (size_t j = 0; j < owner->record.count; j++) {
			prefix_claim claim = judge(node, accepted, owner, &owner->record.prefixes[j]);

			if (claim != PREFIX_CLAIM_ACCEPTED && claim != owner->claims[j])
				node_prefixes_tell(node, now, "refused", &owner->record.prefixes[j], &owner->hit,
					node_prefixes_claim_reason(claim));
			owner->claims[j] = (uint8_t)claim;
		}
	}
}

static void decide(struct node *node, instant now)
{
	struct prefix_table *accepted = &node->prefixes->tunnel.accepted, before = *accepted;

	accept_all(node, accepted);
	tell_difference(node, now, "withdrawn", &before, accepted);
	tell_difference(node, now, "accepted", accepted, &before);
	judge_all(node, now, accepted);
	node_prefixes_route(node);
}

/* The claim that was made of this prefix before. */
static uint8_t claim_before(const struct prefix_owner *owner, const struct ip_prefix *prefix)
{
	for (size_t i = 0; i < owner->record.count; i++) {
		if (ip_prefix_equal(&owner->record.prefixes[i], prefix))
			return owner->claims[i];
	}
	return PREFIX_CLAIM_ACCEPTED;
}

static void take_record(struct prefix_owner *owner, instant now, const struct prefix_record *record, instant expires)
{
	uint8_t claims[PREFIX_RECORD_MAXIMUM] = {0};

	for (size_t i = 0; i < record->count; i++)
		claims[i] = claim_before(owner, &record->prefixes[i]);
	owner->record = *record;
	memcpy(owner->claims, claims, sizeof(claims));
	owner->expires = expires;
	decide(owner->node, now);
}

static void lose_record(struct prefix_owner *owner, instant now)
{
	const struct prefix_record nothing = {0};

	take_record(owner, now, &nothing, INSTANT_NEVER);
}

/* ---- fetching ---- */

static duration jittered(const struct node *node, duration length)
{
	uint32_t share = random_below(node->environment.random, 501);

	return length / 1000 * (750 + share);
}

static void schedule(struct prefix_owner *owner, instant now, duration after)
{
	struct node *node = owner->node;

	owner->next_fetch = instant_after(now, jittered(node, after));
	(void)deadline_set(&node->timers, &owner->deadline, instant_earlier(owner->next_fetch, owner->expires));
}

/* Soon after the first miss, then less and less often. */
static void schedule_after_miss(struct prefix_owner *owner, instant now)
{
	unsigned doublings = owner->misses < FETCH_DOUBLED ? owner->misses : FETCH_DOUBLED;

	owner->misses++;
	schedule(owner, now, FETCH_FIRST << doublings);
}

/* Who announces nothing may have left for a moment only. */
static void schedule_after_record(struct prefix_owner *owner, instant now)
{
	if (!owner->record.count) {
		schedule_after_miss(owner, now);
		return;
	}
	owner->misses = 0;
	schedule(owner, now, FETCH_REGULAR);
}

/* Of the values the one that the owner has signed itself. */
static bool find_record(const struct hit *owner, const struct overlay_result *result, struct prefix_record *record,
	uint32_t *lifetime_s)
{
	for (size_t i = 0; i < result->value_count; i++) {
		const struct overlay_value *value = &result->values[i];

		*lifetime_s = value->lifetime_s;
		if (hit_equal(&value->owner, owner) && !prefix_record_decode(value->value, value->length, record))
			return true;
	}
	return false;
}

static void on_fetched(
	struct node *node, instant now, struct node_request *request, const struct overlay_result *result)
{
	struct prefix_owner *owner = result ? find_owner(node->prefixes, &request->hit) : NULL;
	struct prefix_record record;
	uint32_t lifetime_s = 0;

	if (!owner)
		return;
	owner->pending = false;
	if (!result->error && find_record(&owner->hit, result, &record, &lifetime_s)) {
		owner->absences = 0;
		node_prefixes_forget_failures(node);
		take_record(owner, now, &record, instant_after(now, SECONDS(lifetime_s)));
		schedule_after_record(owner, now);
		return;
	}
	/* Nobody answering says nothing about what is announced. */
	owner->absences = !result->error || result->error == HIPHOP_NOT_FOUND ? owner->absences + 1 : 0;
	if (owner->absences >= ABSENCES_BELIEVED)
		lose_record(owner, now);
	schedule_after_miss(owner, now);
}

static hiphop_error fetch(struct prefix_owner *owner, instant now)
{
	struct node *node = owner->node;
	struct node_request *request = node_request_add(node, on_fetched, 0);
	struct hit resource;
	hiphop_error error;

	if (!request)
		return HIPHOP_NO_MEMORY;
	request->hit = owner->hit;
	error = overlay_resource_id_of_node(node->overlay, &owner->hit, &resource);
	if (!error)
		error = overlay_fetch(node->overlay, now, request->token, OVERLAY_KIND_PREFIXES, &resource);
	if (error)
		node_request_drop(node, request);
	return error;
}

static void begin_fetch(struct prefix_owner *owner, instant now)
{
	owner->fetched = now;
	owner->next_fetch = INSTANT_NEVER;
	owner->pending = fetch(owner, now) == HIPHOP_OK;
	if (!owner->pending)
		schedule_after_miss(owner, now);
	else if (owner->expires != INSTANT_NEVER)
		(void)deadline_set(&owner->node->timers, &owner->deadline, owner->expires);
	else
		deadline_cancel(&owner->node->timers, &owner->deadline);
}

void node_prefixes_look(struct prefix_owner *owner, instant now)
{
	if (owner->expires <= now)
		lose_record(owner, now);
	if (!owner->pending && owner->next_fetch <= now)
		begin_fetch(owner, now);
	else if (!owner->pending)
		(void)deadline_set(
			&owner->node->timers, &owner->deadline, instant_earlier(owner->next_fetch, owner->expires));
}

void node_prefixes_association(struct node *node, instant now, const struct hit *peer)
{
	struct prefix_owner *owner = node->prefixes ? find_owner(node->prefixes, peer) : NULL;

	if (owner && !owner->pending && (!owner->fetched || now - owner->fetched >= FETCH_LEAST))
		begin_fetch(owner, now);
}
