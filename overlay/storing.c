/* SPDX-License-Identifier: MIT */
/* Requests of others that concern values: Store, Fetch, Stat, Find (RFC 6940 section 7.4). */
#include "overlay/engine.h"

#include <string.h>

/* TLS HashAlgorithm sha256, for the digests in a Stat answer. */
#define HASH_SHA256 4
/* Octets of a values answer that are kept free for its frame. */
#define ANSWER_FRAME 64
/* Kinds that one Fetch, Stat or Find may name; more than there are. */
#define FETCH_KINDS 16

bool is_responsible(const struct overlay *overlay, const struct hit *resource)
{
	struct hit responsible = overlay->topology->operations->responsible(overlay->topology, resource);

	return hit_equal(&responsible, &overlay->self);
}

/* ---- Store ---- */

static uint16_t reload_error_of(hiphop_error error)
{
	switch (error) {
	case HIPHOP_OK:
		return 0;
	case HIPHOP_REPLAYED:
		return RELOAD_ERROR_DATA_TOO_OLD;
	case HIPHOP_WRONG_STATE:
		return RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW;
	case HIPHOP_TOO_LARGE:
	case HIPHOP_LIMITED:
	case HIPHOP_NO_MEMORY:
		return RELOAD_ERROR_DATA_TOO_LARGE;
	case HIPHOP_TRUNCATED:
	case HIPHOP_MALFORMED:
	case HIPHOP_INVALID_ARGUMENT:
		return RELOAD_ERROR_INVALID_MESSAGE;
	default:
		return RELOAD_ERROR_FORBIDDEN;
	}
}

static hiphop_error read_candidates(const struct overlay *overlay, const struct kind *kind, const struct hit *resource,
	struct span values, const struct hit *only_signer, struct store_candidate *candidates, size_t *count)
{
	struct reader reader = reader_over(values.data, values.length);
	hiphop_error error = HIPHOP_OK;

	while (!error && reader_left(&reader)) {
		if (*count == STORAGE_MESSAGE_VALUES)
			return HIPHOP_TOO_LARGE;
		struct store_candidate *candidate = &candidates[*count];
		candidate->kind = kind;
		candidate->resource = *resource;
		error = stored_data_read(&reader, kind->model, &candidate->data);
		if (!error)
			error = signed_value_verify(
				&candidate->data, kind, resource, &overlay->crypto, overlay->hash, &candidate->signer);
		if (!error && only_signer && !hit_equal(only_signer, &candidate->signer))
			error = HIPHOP_REFUSED;
		*count += 1;
	}
	return error;
}

static void tell_conflicts(struct overlay *overlay)
{
	char name[HIT_TEXT_SIZE], winner[HIT_TEXT_SIZE], loser[HIT_TEXT_SIZE];
	const struct storage *storage = &overlay->storage;

	if (storage->conflict_total == overlay->conflicts_told)
		return;
	overlay->conflicts_told = storage->conflict_total;
	const struct overlay_conflict *conflict =
		&storage->conflicts[(storage->conflict_total - 1) % OVERLAY_CONFLICTS];
	effect_event(overlay, OVERLAY_EVENT, "two claims to %s: %s keeps it, %s loses it",
		hit_format(&conflict->resource, name), hit_format(&conflict->winner, winner),
		hit_format(&conflict->loser, loser));
}

uint16_t store_kind_values(struct overlay *overlay, const struct hit *resource, const struct reload_kind_values *values,
	const struct store_terms *terms, const struct hit *only_signer)
{
	struct store_candidate candidates[STORAGE_MESSAGE_VALUES];
	const struct kind *kind = kind_find(values->kind);
	size_t count = 0;
	bool changed;

	if (!kind)
		return RELOAD_ERROR_UNKNOWN_KIND;
	hiphop_error error = read_candidates(overlay, kind, resource, values->values, only_signer, candidates, &count);
	if (!error)
		error = storage_put(&overlay->storage, overlay->now, candidates, count, terms, &changed);
	tell_conflicts(overlay);
	return reload_error_of(error);
}

/* With what right the sender stores. Replicas come from members (RFC 6940 section 10.4); what we are responsible for
 * may be handed over by anybody, since the values prove themselves. */
static bool right_of(const struct overlay *overlay, const struct overlay_arrival *arrival,
	const struct reload_store_request *store, store_right *right)
{
	const struct topology_operations *operations = overlay->topology->operations;
	struct peer *peer = peer_find(overlay, &arrival->sender);
	struct hit responsible = operations->responsible(overlay->topology, &store->resource);
	bool in_range = operations->in_replica_range(overlay->topology, &store->resource, overlay->replicas);

	if (store->replica_number == 0) {
		*right = STORE_ORIGINAL;
		return in_range;
	}
	*right = hit_equal(&responsible, &arrival->sender) ? STORE_REPLICA : STORE_MERGE;
	if (hit_equal(&responsible, &overlay->self))
		return true;
	return peer && peer->associated && (in_range || !overlay->in_ring);
}

static void answer_unknown_kind(struct overlay *overlay, const struct overlay_arrival *arrival, uint32_t kind)
{
	uint8_t octets[5];
	struct writer writer = writer_over(octets, sizeof(octets));

	writer_u8(&writer, 4);
	writer_u32(&writer, kind);
	struct reload_message answer = {
		.code = RELOAD_ERROR, .error = {.code = RELOAD_ERROR_UNKNOWN_KIND, .information = {octets, 5}}};
	answer_send(overlay, arrival, &answer);
}

static void answer_stored(struct overlay *overlay, const struct overlay_arrival *arrival, const struct hit *resource,
	uint32_t kind, bool original)
{
	uint8_t octets[128];
	struct writer writer = writer_over(octets, sizeof(octets));
	const struct stored_resource *stored = storage_find(&overlay->storage, kind, resource);
	struct hit replicas[TOPOLOGY_REPLICAS];
	size_t count = 0;

	if (original)
		count = overlay->topology->operations->replica_set(overlay->topology, replicas, overlay->replicas);
	reload_write_store_response(&writer, kind, stored ? stored->generation : 0, replicas, count);
	struct reload_message answer = {.code = RELOAD_STORE_ANSWER, .kinds = {octets, writer.position}};
	answer_send(overlay, arrival, &answer);
}

/* How many copies of a claim to believe in, where two claims to a name meet. In a ring a stranger may not displace a
 * name, and nobody's word counts for more than the copies that there can be, or than one for its own claim. While we
 * join, the admitting peer speaks for its ring. */
static void limit_claim(
	const struct overlay *overlay, const struct overlay_arrival *arrival, struct store_terms *terms, bool own)
{
	const struct peer *peer = peer_find(overlay, &arrival->sender);
	uint8_t most = (uint8_t)(overlay->replicas + 1);

	terms->may_displace = peer && peer->associated && (peer->member || !overlay->in_ring);
	if (overlay->in_ring && own)
		most = 1;
	if (terms->copies > most)
		terms->copies = most;
}

/* Is a value of the list signed by the sender of the message? FIRST-COME has one value under a name. */
static bool is_own_claim(const struct reload_kind_values *values, const struct hit *sender)
{
	const struct kind *kind = kind_find(values->kind);
	struct reader reader = reader_over(values->values.data, values->values.length);
	struct stored_data data;

	while (kind && reader_left(&reader) && !stored_data_read(&reader, kind->model, &data))
		if (data.key.length == HIT_LENGTH && memcmp(data.key.data, sender->octets, HIT_LENGTH) == 0)
			return true;
	return false;
}

/* What a stranger wants verified counts like requests. Neighbours hand over whole shelves. */
static bool may_store(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_kind_values *values)
{
	const struct peer *peer = peer_find(overlay, &arrival->sender);
	const struct kind *kind = kind_find(values->kind);
	struct reader reader = reader_over(values->values.data, values->values.length);
	struct stored_data data;
	size_t count = 0;

	if (!kind || hit_equal(&arrival->sender, &overlay->self) || (peer && peer->associated))
		return true;
	while (reader_left(&reader) && !stored_data_read(&reader, kind->model, &data))
		count++;
	return count <= 1 || sender_may(overlay, &arrival->sender, count - 1);
}

/* One Kind in a message is all that we take: it keeps every Store atomic, and nobody needs more. */
static uint16_t store_message(struct overlay *overlay, const struct overlay_arrival *arrival,
	const struct reload_message *message, store_right right, uint32_t *kind)
{
	struct reader reader = reader_over(message->store.kinds.data, message->store.kinds.length);
	struct reload_kind_values values;

	if (!reload_next_kind_values(&reader, &values) || reader_left(&reader))
		return RELOAD_ERROR_INVALID_MESSAGE;
	*kind = values.kind;
	if (!may_store(overlay, arrival, &values))
		return RELOAD_ERROR_FORBIDDEN;
	if (right != STORE_ORIGINAL && values.generation == 0)
		return RELOAD_ERROR_INVALID_MESSAGE;
	struct store_terms terms = {.right = right,
		.generation = values.generation,
		.copies = message->has_copies && message->copies ? message->copies : 1,
		.tombstone_s = message->tombstone_s};
	limit_claim(overlay, arrival, &terms, is_own_claim(&values, &arrival->sender));
	return store_kind_values(
		overlay, &message->store.resource, &values, &terms, right == STORE_ORIGINAL ? &arrival->sender : NULL);
}

void answer_store(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	const struct hit *resource = &message->store.resource;
	store_right right;
	uint32_t kind = 0;

	if (!right_of(overlay, arrival, &message->store, &right)) {
		/* "Not found" tells an owner to try again by a better route. */
		answer_error(overlay, arrival,
			right == STORE_ORIGINAL ? RELOAD_ERROR_NOT_FOUND : RELOAD_ERROR_FORBIDDEN,
			"not responsible for this Resource-ID");
		return;
	}
	uint16_t error = store_message(overlay, arrival, message, right, &kind);
	if (error == RELOAD_ERROR_UNKNOWN_KIND) {
		answer_unknown_kind(overlay, arrival, kind);
		return;
	}
	if (error) {
		overlay->refused++;
		answer_error(overlay, arrival, error, "store refused");
		return;
	}
	struct stored_resource *stored = storage_find(&overlay->storage, kind, resource);
	if (stored && right == STORE_REPLICA)
		stored->told = arrival->sender;
	answer_stored(overlay, arrival, resource, kind, right == STORE_ORIGINAL);
}

/* ---- Fetch and Stat ---- */

static bool in_range(struct span ranges, uint32_t index)
{
	struct reader reader = reader_over(ranges.data, ranges.length);

	while (!reader.failed && reader_left(&reader) >= 8) {
		uint32_t first = reader_u32(&reader), last = reader_u32(&reader);
		if (first <= index && index <= last)
			return true;
	}
	return false;
}

static bool has_key(struct span keys, const struct hit *owner)
{
	struct reader reader = reader_over(keys.data, keys.length);

	while (!reader.failed && reader_left(&reader)) {
		struct span key = reader_vector16(&reader);
		if (key.length == HIT_LENGTH && memcmp(key.data, owner->octets, HIT_LENGTH) == 0)
			return true;
	}
	return false;
}

static bool is_asked_for(const struct kind *kind, struct span model, const struct stored_value *value)
{
	struct reader reader = reader_over(model.data, model.length);

	if (value->tombstone)
		return false;
	if (kind->model == DATA_MODEL_SINGLE)
		return true;
	struct span list = reader_vector16(&reader);
	if (kind->model == DATA_MODEL_ARRAY)
		return in_range(list, value->index);
	return list.length == 0 || has_key(list, &value->owner);
}

static void write_metadata(
	struct overlay *overlay, struct writer *writer, const struct kind *kind, const struct stored_value *value)
{
	struct stored_data data;
	uint8_t digest[64] = {0}, octets[OVERLAY_VALUE_MAXIMUM + 4];
	size_t digest_length = 0;
	uint32_t lifetime_s = stored_value_lifetime(value, overlay->now);
	struct writer input = writer_over(octets, sizeof(octets));

	if (stored_data_read_kept((struct span){value->octets.data, value->octets.length}, kind->model,
		    value->storage_time, lifetime_s, &data))
		return;
	writer_u32(&input, (uint32_t)data.value.length);
	writer_copy(&input, data.value.data, data.value.length);
	if (overlay->crypto.digest(overlay->crypto.context, "sha256", octets, input.position, digest, &digest_length))
		digest_length = 0;
	writer_u32(writer, (uint32_t)data.value.length);
	writer_u64(writer, value->storage_time);
	writer_u32(writer, lifetime_s);
	if (kind->model == DATA_MODEL_ARRAY) {
		writer_u32(writer, value->index);
	} else if (kind->model == DATA_MODEL_DICTIONARY) {
		writer_u16(writer, HIT_LENGTH);
		writer_copy(writer, value->owner.octets, HIT_LENGTH);
	}
	writer_u8(writer, value->exists);
	writer_u32(writer, (uint32_t)data.value.length);
	writer_u8(writer, digest_length ? HASH_SHA256 : 0);
	writer_u8(writer, (uint8_t)digest_length);
	writer_copy(writer, digest, digest_length);
}

static void write_value(struct overlay *overlay, struct writer *writer, const struct stored_value *value)
{
	stored_data_write(writer, value->storage_time, stored_value_lifetime(value, overlay->now),
		(struct span){value->octets.data, value->octets.length});
}

/* Writes what fits. True when something did not. */
static bool write_values(struct overlay *overlay, struct writer *writer, const struct stored_resource *stored,
	const struct kind *kind, struct span model, bool stat)
{
	bool partial = false;

	/* A full Stat answer ends the walk: each value costs a digest. */
	for (size_t i = 0; stored && i < stored->count && !(stat && partial); i++) {
		const struct stored_value *value = stored->values[i];
		if (!is_asked_for(kind, model, value))
			continue;
		size_t before = writer->position;
		if (stat)
			write_metadata(overlay, writer, kind, value);
		else
			write_value(overlay, writer, value);
		if (writer->failed) {
			writer->failed = false;
			writer->position = before;
			partial = true;
		}
	}
	if (!stat && kind->model == DATA_MODEL_SINGLE && (!stored || stored->count == 0))
		stored_data_write_nonexistent(writer, 0, kind->model);
	return partial;
}

/* A Kind named again and again would make one message much work. */
static bool names_kinds_in_excess(struct span specifiers)
{
	struct reader reader = reader_over(specifiers.data, specifiers.length);
	struct reload_specifier specifier;
	uint32_t kinds[FETCH_KINDS];
	size_t count = 0;

	while (reload_next_specifier(&reader, &specifier)) {
		for (size_t i = 0; i < count; i++)
			if (kinds[i] == specifier.kind)
				return true;
		if (count == FETCH_KINDS)
			return true;
		kinds[count++] = specifier.kind;
	}
	return false;
}

void answer_fetch(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM - ANSWER_FRAME];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct reader reader = reader_over(message->fetch.specifiers.data, message->fetch.specifiers.length);
	bool stat = message->code == RELOAD_STAT_REQUEST;
	struct reload_message answer = {.code = (uint16_t)(message->code + 1)};
	struct reload_specifier specifier;
	bool found = false;

	if (names_kinds_in_excess(message->fetch.specifiers)) {
		answer_error(overlay, arrival, RELOAD_ERROR_INVALID_MESSAGE, "a Kind named twice, or too many");
		return;
	}
	while (reload_next_specifier(&reader, &specifier)) {
		const struct kind *kind = kind_find(specifier.kind);
		if (!kind) {
			answer_unknown_kind(overlay, arrival, specifier.kind);
			return;
		}
		const struct stored_resource *stored =
			storage_find(&overlay->storage, specifier.kind, &message->fetch.resource);
		uint64_t generation = stored ? stored->generation : 0;
		found |= stored != NULL;
		size_t mark = reload_begin_kind_values(&writer, specifier.kind, generation);
		if (!generation || specifier.generation != generation)
			answer.partial |= write_values(overlay, &writer, stored, kind, specifier.model, stat);
		reload_end_kind_values(&writer, mark);
	}
	if (writer.failed) {
		answer_error(overlay, arrival, RELOAD_ERROR_INVALID_MESSAGE, "too many specifiers");
		return;
	}
	if (!found && overlay->in_ring && overlay->now < overlay->unsettled_until) {
		answer_error(overlay, arrival, RELOAD_ERROR_NOT_FOUND, "not here, or not yet");
		return;
	}
	answer.kinds = (struct span){octets, writer.position};
	answer_send(overlay, arrival, &answer);
}

/* ---- Find ---- */

void answer_find(struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM - ANSWER_FRAME];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct reader reader = reader_over(message->find.kinds.data, message->find.kinds.length);

	if (!is_responsible(overlay, &message->find.resource)) {
		answer_error(overlay, arrival, RELOAD_ERROR_NOT_FOUND, "not responsible for this Resource-ID");
		return;
	}
	/* Each is a walk over all that we store. */
	if (message->find.kinds.length > FETCH_KINDS * sizeof(uint32_t)) {
		answer_error(overlay, arrival, RELOAD_ERROR_INVALID_MESSAGE, "too many Kinds");
		return;
	}
	while (reader_left(&reader)) {
		uint32_t kind = reader_u32(&reader);
		struct hit closest = {{0}};
		if (kind_find(kind))
			closest = storage_closest(&overlay->storage, kind, &message->find.resource);
		reload_write_found(&writer, kind, &closest);
	}
	struct reload_message answer = {.code = RELOAD_FIND_ANSWER, .kinds = {octets, writer.position}};
	answer_send(overlay, arrival, &answer);
}
