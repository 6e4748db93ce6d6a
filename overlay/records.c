/* SPDX-License-Identifier: MIT */
/* Our own values: signed, stored, refreshed before they expire, removed. */
#include "overlay/engine.h"

#include <stdlib.h>
#include <string.h>

#define STORE_ATTEMPTS  3
#define RETRY_FIRST     SECONDS(2)
#define RETRY_DOUBLINGS 5U

void record_key(uint8_t key[static HIT_LENGTH + 4], uint32_t kind, const struct hit *resource)
{
	struct writer writer = writer_over(key, HIT_LENGTH + 4);

	writer_copy(&writer, resource->octets, HIT_LENGTH);
	writer_u32(&writer, kind);
}

static struct own_record *record_find(const struct overlay *overlay, uint32_t kind, const struct hit *resource)
{
	uint8_t key[HIT_LENGTH + 4];

	record_key(key, kind, resource);
	return map_get(&overlay->records, key);
}

static void record_free(struct overlay *overlay, struct own_record *record)
{
	uint8_t key[HIT_LENGTH + 4];

	record_key(key, record->kind->id, &record->resource);
	map_remove(&overlay->records, key);
	deadline_cancel(&overlay->deadlines, &record->deadline);
	buffer_free(&record->value);
	free(record);
}

static hiphop_error record_get(
	struct overlay *overlay, const struct kind *kind, const struct hit *resource, struct own_record **found)
{
	struct own_record *record = record_find(overlay, kind->id, resource);
	uint8_t key[HIT_LENGTH + 4];

	*found = record;
	if (record)
		return HIPHOP_OK;
	if (overlay->records.count >= overlay->limits.own_records)
		return HIPHOP_LIMITED;
	record = calloc(1, sizeof(*record));
	if (!record)
		return HIPHOP_NO_MEMORY;
	record->kind = kind;
	record->resource = *resource;
	record->deadline.kind = DEADLINE_RECORD;
	record->deadline.owner = record;
	record_key(key, kind->id, resource);
	if (deadline_heap_reserve(&overlay->deadlines, overlay->deadlines.count + 1) ||
		map_put(&overlay->records, key, record)) {
		free(record);
		return HIPHOP_NO_MEMORY;
	}
	*found = record;
	return HIPHOP_OK;
}

/* ---- One store ---- */

static hiphop_error store_now(struct overlay *overlay, struct own_record *record, const struct request *model);

static void schedule(struct overlay *overlay, struct own_record *record, duration after)
{
	record->overdue = deadline_set(&overlay->deadlines, &record->deadline,
				  instant_after(overlay->now, jittered(overlay, after))) != HIPHOP_OK;
}

/* Removed, or stored once: nothing to keep. */
static void settle_record(struct overlay *overlay, struct own_record *record, duration again)
{
	if (record->keep)
		schedule(overlay, record, again);
	else
		record_free(overlay, record);
}

static void store_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct own_record *record = record_find(overlay, request->kind, &request->resource);
	struct reader reader = reader_over(message->kinds.data, message->kinds.length);
	struct reload_store_response response = {0};

	if (reload_next_store_response(&reader, &response) && response.replicas.length &&
		response.replicas.length <= TOPOLOGY_REPLICAS * HIT_LENGTH) {
		request->path = malloc(response.replicas.length);
		if (request->path) {
			memcpy(request->path, response.replicas.data, response.replicas.length);
			request->path_length = response.replicas.length / HIT_LENGTH;
		}
	}
	query_report(overlay, request, arrival, HIPHOP_OK);
	if (!record)
		return;
	record->failures = 0;
	settle_record(overlay, record, SECONDS(record->lifetime_s) / 2);
}

static void store_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error);
static const struct request_purpose purpose_store = {"store", STORE_ATTEMPTS, store_answered, store_failed};

/* Our clock is behind what we stored earlier: look it up, and store with a later time (RFC 6940 section 7). */
static void catch_up_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct own_record *record = record_find(overlay, request->kind, &request->resource);
	struct reader reader = reader_over(message->kinds.data, message->kinds.length);
	struct reload_kind_values values;
	struct stored_data data;
	struct hit signer;

	(void)arrival;
	if (!record)
		return;
	while (reload_next_kind_values(&reader, &values)) {
		struct reader list = reader_over(values.values.data, values.values.length);
		while (values.kind == request->kind && reader_left(&list) &&
			!stored_data_read(&list, record->kind->model, &data)) {
			if (!signed_value_verify(
				    &data, record->kind, &record->resource, &overlay->crypto, overlay->hash, &signer) &&
				hit_equal(&signer, &overlay->self) && data.storage_time >= record->storage_time)
				record->storage_time = data.storage_time;
		}
	}
	hiphop_error error = store_now(overlay, record, request);
	if (error)
		store_failed(overlay, request, error, 0);
}

static const struct request_purpose purpose_catch_up = {"catch up", 2, catch_up_answered, store_failed};

static bool catch_up(struct overlay *overlay, const struct request *store)
{
	struct request *request = request_new(overlay, &purpose_catch_up);

	if (!request)
		return false;
	request->caught_up = true;
	request->report = store->report;
	request->token = store->token;
	request->type = store->type;
	return send_fetch(overlay, request, RELOAD_FETCH_REQUEST, &store->resource, &store->resource, store->kind) ==
	       HIPHOP_OK;
}

static void store_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	struct own_record *record = record_find(overlay, request->kind, &request->resource);
	char name[HIT_TEXT_SIZE];

	if (record && reload_error == RELOAD_ERROR_DATA_TOO_OLD && !request->caught_up && catch_up(overlay, request))
		return;
	query_report(overlay, request, NULL, error);
	if (!record)
		return;
	if (record->keep && !request->report && record->failures == 0)
		effect_event(overlay, OVERLAY_EVENT, "%s record at %s could not be refreshed: %s", record->kind->name,
			hit_format(&record->resource, name), hiphop_error_text(error));
	unsigned doublings = record->failures < RETRY_DOUBLINGS ? record->failures : RETRY_DOUBLINGS;
	record->failures++;
	settle_record(overlay, record, error == HIPHOP_REFUSED ? SECONDS(60) : RETRY_FIRST << doublings);
}

/* `model` gives token, report and type of the new request; NULL for a refresh. */
static hiphop_error store_now(struct overlay *overlay, struct own_record *record, const struct request *model)
{
	struct unsigned_value value = {.kind = record->kind,
		.resource = record->resource,
		.key = {overlay->self.octets, HIT_LENGTH},
		.exists = record->exists,
		.value = {record->value.data, record->value.length}};
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct buffer signed_octets = {0};

	record->storage_time = overlay->wall > record->storage_time ? overlay->wall : record->storage_time + 1;
	value.storage_time = record->storage_time;
	hiphop_error error = signed_value_make(&value, &overlay->crypto, &signed_octets);
	if (error)
		return error;
	size_t mark = reload_begin_kind_values(&writer, record->kind->id, 0);
	stored_data_write(&writer, value.storage_time, record->lifetime_s,
		(struct span){signed_octets.data, signed_octets.length});
	reload_end_kind_values(&writer, mark);
	buffer_free(&signed_octets);
	if (writer.failed)
		return HIPHOP_TOO_LARGE;
	struct request *request = request_new(overlay, &purpose_store);
	if (!request)
		return overlay->requests.count >= overlay->limits.pending_requests ? HIPHOP_LIMITED : HIPHOP_NO_MEMORY;
	if (model) {
		request->token = model->token;
		request->report = model->report;
		request->type = model->type;
		request->caught_up = model->caught_up;
	}
	request->kind = record->kind->id;
	request->resource = record->resource;
	struct reload_message message = {.code = RELOAD_STORE_REQUEST,
		.store = {.resource = record->resource, .kinds = {octets, writer.position}}};
	return request_send(overlay, request, &record->resource, NULL, &message);
}

/* ---- From the user ---- */

static hiphop_error check_value(const struct kind *kind, size_t length, uint32_t lifetime_s)
{
	if (!kind)
		return HIPHOP_UNSUPPORTED;
	if (lifetime_s == 0)
		return HIPHOP_INVALID_ARGUMENT;
	if (length > kind->maximum_size || lifetime_s > kind->maximum_lifetime_s)
		return HIPHOP_TOO_LARGE;
	return HIPHOP_OK;
}

static void set_clocks(struct overlay *overlay, instant now, wall_milliseconds wall)
{
	if (now > overlay->now)
		overlay->now = now;
	overlay->wall = wall;
}

static hiphop_error store_or_remove(struct overlay *overlay, const struct kind *kind, const struct hit *resource,
	const struct own_record *wanted, const struct request *model)
{
	struct buffer copy = {0};
	struct own_record *record;
	bool fresh = !record_find(overlay, kind->id, resource);
	hiphop_error error = buffer_copy(&copy, wanted->value.data, wanted->value.length);

	if (!error)
		error = record_get(overlay, kind, resource, &record);
	if (error) {
		buffer_free(&copy);
		return error;
	}
	buffer_free(&record->value);
	record->value = copy;
	record->exists = wanted->exists;
	record->keep = wanted->keep;
	record->lifetime_s = wanted->lifetime_s;
	record->failures = 0;
	deadline_cancel(&overlay->deadlines, &record->deadline);
	error = store_now(overlay, record, model);
	if (error && (fresh || !record->keep))
		record_free(overlay, record);
	else if (error)
		schedule(overlay, record, RETRY_FIRST);
	return error;
}

hiphop_error overlay_store(struct overlay *overlay, instant now, wall_milliseconds wall, uint64_t token, uint32_t kind,
	const struct hit *resource, const uint8_t *value, size_t length, uint32_t lifetime_s, bool keep)
{
	const struct kind *known = kind_find(kind);
	struct request model = {.token = token, .report = true, .type = OVERLAY_REQUEST_STORE};
	struct own_record wanted = {.exists = true, .keep = keep, .lifetime_s = lifetime_s};
	hiphop_error error = check_value(known, length, lifetime_s);

	if (error)
		return error;
	set_clocks(overlay, now, wall);
	error = buffer_copy(&wanted.value, value, length);
	if (!error)
		error = store_or_remove(overlay, known, resource, &wanted, &model);
	buffer_free(&wanted.value);
	return error;
}

hiphop_error overlay_remove(struct overlay *overlay, instant now, wall_milliseconds wall, uint64_t token, uint32_t kind,
	const struct hit *resource)
{
	const struct kind *known = kind_find(kind);
	struct request model = {.token = token, .report = true, .type = OVERLAY_REQUEST_REMOVE};

	if (!known)
		return HIPHOP_UNSUPPORTED;
	set_clocks(overlay, now, wall);
	/* Long enough that no holder still has the old value when this one goes. */
	struct own_record wanted = {.exists = false, .lifetime_s = known->maximum_lifetime_s};
	return store_or_remove(overlay, known, resource, &wanted, &model);
}

void record_deadline(struct overlay *overlay, struct own_record *record)
{
	if (store_now(overlay, record, NULL))
		schedule(overlay, record, RETRY_FIRST);
}

void records_restore_soon(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->records);
	struct own_record *record;

	while ((record = map_walk_next(&walk, NULL)))
		if (record->keep)
			schedule(overlay, record, SECONDS(1));
}

void records_retry_overdue(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->records);
	struct own_record *record;

	while ((record = map_walk_next(&walk, NULL)))
		if (record->overdue)
			schedule(overlay, record, RETRY_FIRST);
}

void records_free(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->records);
	struct own_record *record;

	while ((record = map_walk_next(&walk, NULL)))
		record_free(overlay, record);
	map_free(&overlay->records);
}
