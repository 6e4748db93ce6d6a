/* SPDX-License-Identifier: MIT */
#include "overlay/storage.h"

#include <stdlib.h>
#include <string.h>

#define RESOURCE_KEY_LENGTH (HIT_LENGTH + 4)
#define ARRAY_APPEND        0xFFFFFFFFU

struct owner_use {
	size_t values, bytes;
};

static void resource_key(uint8_t key[static RESOURCE_KEY_LENGTH], uint32_t kind, const struct hit *resource)
{
	struct writer writer = writer_over(key, RESOURCE_KEY_LENGTH);

	writer_copy(&writer, resource->octets, HIT_LENGTH);
	writer_u32(&writer, kind);
}

void storage_start(struct storage *storage, const struct overlay_limits *limits, const struct random_source *random)
{
	memset(storage, 0, sizeof(*storage));
	storage->limits = *limits;
	map_start(&storage->resources, RESOURCE_KEY_LENGTH, random);
	map_start(&storage->owners, HIT_LENGTH, random);
	deadline_heap_start(&storage->deadlines);
}

/* ---- Accounts and lives ---- */

static size_t weight(const struct stored_value *value)
{
	return sizeof(*value) + value->octets.length;
}

static void account_add(struct storage *storage, const struct stored_value *value)
{
	struct owner_use *use = map_get(&storage->owners, value->owner.octets);

	storage->values++;
	storage->bytes += weight(value);
	if (use) {
		use->values++;
		use->bytes += weight(value);
	}
}

static void account_subtract(struct storage *storage, const struct stored_value *value)
{
	struct owner_use *use = map_get(&storage->owners, value->owner.octets);

	storage->values--;
	storage->bytes -= weight(value);
	if (!use || use->values == 0)
		return;
	use->values--;
	use->bytes -= weight(value);
	if (use->values == 0)
		free(map_remove(&storage->owners, value->owner.octets));
}

static void free_value(struct storage *storage, struct stored_value *value)
{
	deadline_cancel(&storage->deadlines, &value->deadline);
	account_subtract(storage, value);
	buffer_free(&value->octets);
	free(value);
}

static void unqueue(struct storage *storage, struct stored_resource *resource)
{
	struct stored_resource **link = &storage->first_queued, *last = NULL;

	if (!resource->queued)
		return;
	while (*link && *link != resource) {
		last = *link;
		link = &(*link)->next_queued;
	}
	*link = resource->next_queued;
	if (storage->last_queued == resource)
		storage->last_queued = last;
	resource->queued = false;
	storage->queued--;
}

void storage_drop(struct storage *storage, struct stored_resource *resource)
{
	uint8_t key[RESOURCE_KEY_LENGTH];

	unqueue(storage, resource);
	resource_key(key, resource->kind->id, &resource->resource);
	map_remove(&storage->resources, key);
	for (size_t i = 0; i < resource->count; i++)
		free_value(storage, resource->values[i]);
	free(resource->values);
	free(resource);
}

void storage_free(struct storage *storage)
{
	struct map_walk walk = map_walk_start(&storage->resources);
	struct stored_resource *resource;

	storage->first_queued = storage->last_queued = NULL;
	while ((resource = map_walk_next(&walk, NULL))) {
		resource->queued = false;
		storage_drop(storage, resource);
	}
	map_free(&storage->resources);
	map_free(&storage->owners);
	deadline_heap_free(&storage->deadlines);
}

uint32_t stored_value_lifetime(const struct stored_value *value, instant now)
{
	if (value->tombstone || value->deadline.at <= now)
		return 0;
	return (uint32_t)((value->deadline.at - now + SECONDS(1) - 1) / SECONDS(1));
}

uint32_t stored_value_tombstone(const struct stored_value *value, instant now)
{
	if (!value->tombstone || value->deadline.at <= now)
		return 0;
	return (uint32_t)((value->deadline.at - now + SECONDS(1) - 1) / SECONDS(1));
}

static void remove_value(struct storage *storage, struct stored_resource *resource, size_t place)
{
	free_value(storage, resource->values[place]);
	resource->count--;
	memmove(resource->values + place, resource->values + place + 1,
		(resource->count - place) * sizeof(*resource->values));
}

static void end_life(struct storage *storage, struct stored_value *value)
{
	struct stored_resource *resource = value->deadline.owner;

	if (!value->tombstone && resource->kind->tombstone_s) {
		value->tombstone = true;
		deadline_set(&storage->deadlines, &value->deadline,
			instant_after(value->deadline.at, SECONDS(resource->kind->tombstone_s)));
		return;
	}
	for (size_t i = 0; i < resource->count; i++) {
		if (resource->values[i] == value) {
			remove_value(storage, resource, i);
			break;
		}
	}
	if (resource->count == 0 && !resource->outstanding)
		storage_drop(storage, resource);
}

void storage_expire(struct storage *storage, instant now)
{
	struct deadline *deadline;

	while ((deadline = deadline_heap_pop(&storage->deadlines, now)))
		end_life(storage, (struct stored_value *)((char *)deadline - offsetof(struct stored_value, deadline)));
}

instant storage_next_wake(const struct storage *storage)
{
	return deadline_heap_next(&storage->deadlines);
}

/* ---- Finding ---- */

struct stored_resource *storage_find(const struct storage *storage, uint32_t kind, const struct hit *resource)
{
	uint8_t key[RESOURCE_KEY_LENGTH];

	resource_key(key, kind, resource);
	return map_get(&storage->resources, key);
}

static bool has_live_value(const struct stored_resource *resource)
{
	for (size_t i = 0; i < resource->count; i++)
		if (!resource->values[i]->tombstone && resource->values[i]->exists)
			return true;
	return false;
}

struct hit storage_closest(const struct storage *storage, uint32_t kind, const struct hit *from)
{
	struct map_walk walk = map_walk_start(&storage->resources);
	uint8_t best[RING_POSITION_LENGTH], distance[RING_POSITION_LENGTH];
	struct stored_resource *resource;
	struct hit closest = {{0}};

	while ((resource = map_walk_next(&walk, NULL))) {
		if (resource->kind->id != kind || !has_live_value(resource))
			continue;
		ring_distance(from, &resource->resource, distance);
		if (!hit_is_null(&closest) && memcmp(distance, best, sizeof(best)) >= 0)
			continue;
		memcpy(best, distance, sizeof(best));
		closest = resource->resource;
	}
	return closest;
}

/* ---- Checking ---- */

/* What storing one candidate would do. */
struct store_plan {
	struct stored_resource *resource; /* NULL until made */
	struct stored_value *replaced;    /* same slot, or NULL */
	struct stored_value *evicted;     /* the claim of another owner that loses, or NULL */
	bool unchanged;
	uint32_t index;
	struct stored_value *made;
};

static struct stored_value *find_slot(
	const struct stored_resource *resource, const struct store_candidate *candidate, uint32_t index)
{
	for (size_t i = 0; resource && i < resource->count; i++) {
		struct stored_value *value = resource->values[i];
		data_model model = resource->kind->model;
		if (model == DATA_MODEL_SINGLE || (model == DATA_MODEL_ARRAY && value->index == index) ||
			(model == DATA_MODEL_DICTIONARY && hit_equal(&value->owner, &candidate->signer)))
			return value;
	}
	return NULL;
}

static uint32_t array_end(const struct stored_resource *resource)
{
	uint32_t end = 0;

	for (size_t i = 0; resource && i < resource->count; i++)
		if (resource->values[i]->index >= end)
			end = resource->values[i]->index + 1;
	return end;
}

static bool same_octets(const struct stored_value *value, const struct stored_data *data)
{
	return value->storage_time == data->storage_time && value->octets.length == data->signed_octets.length &&
	       memcmp(value->octets.data, data->signed_octets.data, value->octets.length) == 0;
}

static void note_conflict(struct storage *storage, const struct hit *resource, const struct hit *winner,
	const struct hit *loser, instant now)
{
	for (uint64_t i = storage->conflict_total > OVERLAY_CONFLICTS ? storage->conflict_total - OVERLAY_CONFLICTS : 0;
		i < storage->conflict_total; i++) {
		struct overlay_conflict *old = &storage->conflicts[i % OVERLAY_CONFLICTS];
		if (hit_equal(&old->resource, resource) && hit_equal(&old->winner, winner) &&
			hit_equal(&old->loser, loser)) {
			old->at = now;
			return;
		}
	}
	storage->conflicts[storage->conflict_total++ % OVERLAY_CONFLICTS] =
		(struct overlay_conflict){.resource = *resource, .winner = *winner, .loser = *loser, .at = now};
}

/* FIRST-COME: the name belongs to whom it belongs already. Where two rings meet, the claim that more peers hold wins,
 * else the lower HIT. */
static hiphop_error check_first_come(struct storage *storage, instant now, const struct store_candidate *candidate,
	const struct store_terms *terms, struct store_plan *plan)
{
	struct stored_value *held = plan->resource && plan->resource->count ? plan->resource->values[0] : NULL;

	if (!held || hit_equal(&held->owner, &candidate->signer))
		return HIPHOP_OK;
	if (terms->right == STORE_ORIGINAL || (terms->right == STORE_MERGE && !terms->may_displace))
		return HIPHOP_REFUSED;
	bool wins = terms->copies > plan->resource->copies ||
		    (terms->copies == plan->resource->copies && hit_compare(&candidate->signer, &held->owner) < 0);
	if (terms->right == STORE_REPLICA)
		wins = true;
	else
		note_conflict(storage, &candidate->resource, wins ? &candidate->signer : &held->owner,
			wins ? &held->owner : &candidate->signer, now);
	if (!wins)
		return HIPHOP_REFUSED;
	plan->evicted = held;
	return HIPHOP_OK;
}

static hiphop_error check_slot(
	const struct store_candidate *candidate, const struct store_terms *terms, struct store_plan *plan)
{
	const struct kind *kind = candidate->kind;

	plan->index = candidate->data.index;
	if (kind->model == DATA_MODEL_ARRAY && plan->index == ARRAY_APPEND)
		plan->index = array_end(plan->resource);
	if (kind->model == DATA_MODEL_ARRAY && plan->index >= kind->maximum_count)
		return HIPHOP_TOO_LARGE;
	plan->replaced = find_slot(plan->resource, candidate, plan->index);
	if (plan->replaced && same_octets(plan->replaced, &candidate->data)) {
		plan->unchanged = true;
		return HIPHOP_OK;
	}
	if (plan->replaced && candidate->data.storage_time <= plan->replaced->storage_time)
		return HIPHOP_REPLAYED;
	if (!plan->replaced && !plan->evicted && plan->resource && plan->resource->count >= kind->maximum_count)
		return HIPHOP_TOO_LARGE;
	if (candidate->data.lifetime_s == 0 && (terms->right == STORE_ORIGINAL || terms->tombstone_s == 0))
		return HIPHOP_INVALID_ARGUMENT;
	return HIPHOP_OK;
}

static hiphop_error check_one(struct storage *storage, instant now, const struct store_candidate *candidate,
	const struct store_terms *terms, struct store_plan *plan)
{
	plan->resource = storage_find(storage, candidate->kind->id, &candidate->resource);
	if (candidate->data.value.length > candidate->kind->maximum_size)
		return HIPHOP_TOO_LARGE;
	if (terms->right == STORE_ORIGINAL && terms->generation &&
		terms->generation != (plan->resource ? plan->resource->generation : 0))
		return HIPHOP_WRONG_STATE;
	hiphop_error error = HIPHOP_OK;
	if (candidate->kind->policy == ACCESS_FIRST_COME)
		error = check_first_come(storage, now, candidate, terms, plan);
	return error ? error : check_slot(candidate, terms, plan);
}

/* Room for all, and in the share of each owner. What is replaced makes room. */
static hiphop_error check_room(const struct storage *storage, const struct store_candidate *candidates,
	const struct store_plan *plans, size_t count)
{
	const struct overlay_limits *limits = &storage->limits;
	size_t values = 0, bytes = 0;

	for (size_t i = 0; i < count; i++) {
		if (plans[i].unchanged)
			continue;
		const struct owner_use *use = map_get(&storage->owners, candidates[i].signer.octets);
		size_t own_values = use ? use->values : 0, own_bytes = use ? use->bytes : 0;
		if (plans[i].replaced && hit_equal(&plans[i].replaced->owner, &candidates[i].signer)) {
			own_values--;
			own_bytes -= weight(plans[i].replaced);
		}
		values += plans[i].replaced ? 0 : 1;
		bytes += sizeof(struct stored_value) + candidates[i].data.signed_octets.length;
		if (own_values + i + 1 > limits->owner_values || own_bytes + bytes > limits->owner_bytes)
			return HIPHOP_LIMITED;
	}
	if (storage->values + values > limits->storage_values || storage->bytes + bytes > limits->storage_bytes)
		return HIPHOP_LIMITED;
	return HIPHOP_OK;
}

/* One message may name a place only once; otherwise its order would matter. */
static bool has_duplicates(const struct store_candidate *candidates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct store_candidate *a = &candidates[i], *b = &candidates[j];
			if (a->kind != b->kind)
				continue;
			if (a->kind->maximum_count == 1 || a->kind->model == DATA_MODEL_SINGLE ||
				(a->kind->model == DATA_MODEL_ARRAY && a->data.index == b->data.index) ||
				(a->kind->model == DATA_MODEL_DICTIONARY && hit_equal(&a->signer, &b->signer)))
				return true;
		}
	}
	return false;
}

/* ---- Making and committing ---- */

static hiphop_error make_resource(
	struct storage *storage, const struct store_candidate *candidate, struct stored_resource **made)
{
	uint8_t key[RESOURCE_KEY_LENGTH];
	struct stored_resource *resource = storage_find(storage, candidate->kind->id, &candidate->resource);

	if (!resource) {
		resource = calloc(1, sizeof(*resource));
		if (!resource)
			return HIPHOP_NO_MEMORY;
		resource->resource = candidate->resource;
		resource->kind = candidate->kind;
		resource->copies = 1;
		resource_key(key, candidate->kind->id, &candidate->resource);
		if (map_put(&storage->resources, key, resource)) {
			free(resource);
			return HIPHOP_NO_MEMORY;
		}
	}
	*made = resource;
	return HIPHOP_OK;
}

static hiphop_error make_room_for_value(struct stored_resource *resource, size_t more)
{
	size_t capacity = resource->count + more;

	if (capacity <= resource->capacity)
		return HIPHOP_OK;
	struct stored_value **values = realloc(resource->values, capacity * sizeof(*values));
	if (!values)
		return HIPHOP_NO_MEMORY;
	resource->values = values;
	resource->capacity = capacity;
	return HIPHOP_OK;
}

static hiphop_error make_owner(struct storage *storage, const struct hit *owner)
{
	if (map_get(&storage->owners, owner->octets))
		return HIPHOP_OK;
	struct owner_use *use = calloc(1, sizeof(*use));
	if (!use || map_put(&storage->owners, owner->octets, use)) {
		free(use);
		return HIPHOP_NO_MEMORY;
	}
	return HIPHOP_OK;
}

/* Allocates everything that committing will need, so that committing cannot fail. */
static hiphop_error make_one(
	struct storage *storage, const struct store_candidate *candidate, size_t count, struct store_plan *plan)
{
	hiphop_error error = make_resource(storage, candidate, &plan->resource);

	if (!error)
		error = make_room_for_value(plan->resource, count);
	if (!error && !plan->unchanged) {
		plan->made = calloc(1, sizeof(*plan->made));
		error = plan->made ? buffer_copy(&plan->made->octets, candidate->data.signed_octets.data,
					     candidate->data.signed_octets.length)
				   : HIPHOP_NO_MEMORY;
	}
	if (!error)
		error = make_owner(storage, &candidate->signer);
	if (!error)
		error = deadline_heap_reserve(&storage->deadlines, storage->values + count);
	return error;
}

static void unmake(struct storage *storage, struct store_plan *plans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (plans[i].made)
			buffer_free(&plans[i].made->octets);
		free(plans[i].made);
	}
	struct map_walk owners = map_walk_start(&storage->owners);
	struct owner_use *use;
	const void *key;
	while ((use = map_walk_next(&owners, &key))) {
		if (use->values == 0) {
			struct hit owner;
			memcpy(owner.octets, key, HIT_LENGTH);
			free(map_remove(&storage->owners, owner.octets));
		}
	}
	struct map_walk walk = map_walk_start(&storage->resources);
	struct stored_resource *resource;
	while ((resource = map_walk_next(&walk, NULL)))
		if (resource->count == 0 && !resource->outstanding)
			storage_drop(storage, resource);
}

static void set_life(struct storage *storage, instant now, const struct kind *kind, const struct stored_data *data,
	const struct store_terms *terms, struct stored_value *value)
{
	uint32_t seconds = data->lifetime_s;

	value->tombstone = seconds == 0;
	if (value->tombstone)
		seconds = terms->tombstone_s < kind->tombstone_s ? terms->tombstone_s : kind->tombstone_s;
	else if (seconds > kind->maximum_lifetime_s)
		seconds = kind->maximum_lifetime_s;
	deadline_set(&storage->deadlines, &value->deadline, instant_after(now, SECONDS(seconds)));
}

static void remove_pointer(struct storage *storage, struct stored_resource *resource, struct stored_value *value)
{
	for (size_t i = 0; i < resource->count; i++) {
		if (resource->values[i] == value) {
			remove_value(storage, resource, i);
			return;
		}
	}
}

static void commit_one(struct storage *storage, instant now, const struct store_candidate *candidate,
	const struct store_terms *terms, struct store_plan *plan)
{
	struct stored_resource *resource = plan->resource;
	struct stored_value *value = plan->made;

	value->owner = candidate->signer;
	value->index = plan->index;
	value->exists = candidate->data.exists;
	value->storage_time = candidate->data.storage_time;
	value->value_length = candidate->data.value.length;
	value->deadline.owner = resource;
	if (candidate->kind->model == DATA_MODEL_ARRAY) {
		struct writer index = writer_over(value->octets.data, 4);
		writer_u32(&index, plan->index);
	}
	account_add(storage, value);
	set_life(storage, now, candidate->kind, &candidate->data, terms, value);
	resource->values[resource->count++] = value;
	/* The old one goes last, so that the owner's account stays open. */
	if (plan->replaced)
		remove_pointer(storage, resource, plan->replaced);
	if (plan->evicted && plan->evicted != plan->replaced)
		remove_pointer(storage, resource, plan->evicted);
}

static void finish_resource(struct storage *storage, const struct store_plan *plan, const struct store_terms *terms)
{
	struct stored_resource *resource = plan->resource;
	bool changed = !plan->unchanged;

	if (terms->right == STORE_ORIGINAL)
		resource->generation += changed;
	else if (terms->generation > resource->generation)
		resource->generation = terms->generation;
	if (resource->generation == 0)
		resource->generation = 1;
	if (terms->right != STORE_ORIGINAL && (plan->evicted || terms->copies > resource->copies))
		resource->copies = terms->copies;
	if (!changed)
		return;
	resource->revision++;
	storage_queue(storage, resource);
}

hiphop_error storage_put(struct storage *storage, instant now, const struct store_candidate *candidates, size_t count,
	const struct store_terms *terms, bool *changed)
{
	struct store_plan plans[STORAGE_MESSAGE_VALUES] = {{0}};
	hiphop_error error = count > STORAGE_MESSAGE_VALUES ? HIPHOP_TOO_LARGE : HIPHOP_OK;

	*changed = false;
	if (!error && has_duplicates(candidates, count))
		error = HIPHOP_MALFORMED;
	for (size_t i = 0; i < count && !error; i++)
		error = check_one(storage, now, &candidates[i], terms, &plans[i]);
	if (!error)
		error = check_room(storage, candidates, plans, count);
	if (error)
		return error;
	for (size_t i = 0; i < count && !error; i++)
		error = make_one(storage, &candidates[i], count, &plans[i]);
	if (error) {
		unmake(storage, plans, count);
		return error;
	}
	for (size_t i = 0; i < count; i++) {
		if (plans[i].unchanged && terms->right == STORE_ORIGINAL)
			set_life(storage, now, candidates[i].kind, &candidates[i].data, terms, plans[i].replaced);
		if (!plans[i].unchanged)
			commit_one(storage, now, &candidates[i], terms, &plans[i]);
		finish_resource(storage, &plans[i], terms);
		*changed |= !plans[i].unchanged;
	}
	return HIPHOP_OK;
}

/* ---- The queue ---- */

void storage_queue(struct storage *storage, struct stored_resource *resource)
{
	if (resource->queued)
		return;
	resource->queued = true;
	resource->next_queued = NULL;
	if (storage->last_queued)
		storage->last_queued->next_queued = resource;
	else
		storage->first_queued = resource;
	storage->last_queued = resource;
	storage->queued++;
}

void storage_forget_holder(struct storage *storage, const struct hit *holder)
{
	struct map_walk walk = map_walk_start(&storage->resources);
	struct stored_resource *resource;

	while ((resource = map_walk_next(&walk, NULL))) {
		if (hit_equal(&resource->told, holder))
			resource->told = (struct hit){{0}};
		for (size_t i = 0; i < STORAGE_REPLICAS; i++)
			if (hit_equal(&resource->copied[i].hit, holder))
				memset(&resource->copied[i], 0, sizeof(resource->copied[i]));
	}
}

void storage_queue_all(struct storage *storage)
{
	struct map_walk walk = map_walk_start(&storage->resources);
	struct stored_resource *resource;

	while ((resource = map_walk_next(&walk, NULL)))
		storage_queue(storage, resource);
}

struct stored_resource *storage_take_queued(struct storage *storage)
{
	struct stored_resource *resource = storage->first_queued;

	if (!resource)
		return NULL;
	storage->first_queued = resource->next_queued;
	if (!storage->first_queued)
		storage->last_queued = NULL;
	resource->queued = false;
	storage->queued--;
	return resource;
}
