/* SPDX-License-Identifier: MIT */
/* Requests of the user that read: fetch, stat, find, ping, trace. */
#include "overlay/engine.h"

#include <stdlib.h>
#include <string.h>

/* Values of one answer that are looked at, at most. */
#define VALUES_MAXIMUM 256
#define QUERY_ATTEMPTS 3

static void begin_result(struct overlay *overlay, const struct request *request, const struct overlay_arrival *arrival,
	struct overlay_result *result)
{
	*result = (struct overlay_result){.token = request->token,
		.request = request->type,
		.kind = request->kind,
		.resource = request->resource,
		.round_trip = overlay->now - request->sent};
	if (arrival) {
		result->answering = arrival->sender;
		result->hops = arrival->hops;
	}
}

void query_report(struct overlay *overlay, const struct request *request, const struct overlay_arrival *arrival,
	hiphop_error error)
{
	struct overlay_result result;

	if (!request->report)
		return;
	begin_result(overlay, request, arrival, &result);
	result.error = error;
	result.path = request->path;
	result.path_length = request->path_length;
	effect_result(overlay, &result);
}

static void query_failed(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	(void)reload_error;
	query_report(overlay, request, NULL, error);
}

static struct request *query_new(struct overlay *overlay, const struct request_purpose *purpose,
	overlay_request_type type, uint64_t token, uint32_t kind, const struct hit *resource)
{
	struct request *request = request_new(overlay, purpose);

	if (!request)
		return NULL;
	request->report = true;
	request->type = type;
	request->token = token;
	request->kind = kind;
	request->resource = *resource;
	return request;
}

static hiphop_error no_request(const struct overlay *overlay)
{
	return overlay->requests.count >= overlay->limits.pending_requests ? HIPHOP_LIMITED : HIPHOP_NO_MEMORY;
}

/* ---- Fetch ---- */

/* A value that we believe: signed by the owner whose key it lies under, and allowed at this Resource-ID. */
static bool believe(struct overlay *overlay, const struct request *request, const struct kind *kind,
	const struct stored_data *data, struct overlay_value *value, bool *lacks_memory)
{
	hiphop_error error =
		signed_value_verify(data, kind, &request->resource, &overlay->crypto, overlay->hash, &value->owner);

	if (error == HIPHOP_NO_MEMORY)
		*lacks_memory = true;
	if (error)
		return false;
	value->value = data->value.data;
	value->length = data->value.length;
	value->lifetime_s = data->lifetime_s;
	value->storage_time = data->storage_time;
	return true;
}

static size_t read_fetched(struct overlay *overlay, const struct request *request, struct span octets,
	struct overlay_value *values, bool *partial, bool *lacks_memory)
{
	const struct kind *kind = kind_find(request->kind);
	struct reader reader = reader_over(octets.data, octets.length);
	struct stored_data data;
	size_t count = 0;

	while (kind && reader_left(&reader) && count < VALUES_MAXIMUM) {
		if (stored_data_read(&reader, kind->model, &data)) {
			*partial = true;
			break;
		}
		if (!data.exists && (data.identity_type == SIGNER_IDENTITY_NONE ||
					    believe(overlay, request, kind, &data, &values[count], lacks_memory)))
			continue;
		if (data.exists && believe(overlay, request, kind, &data, &values[count], lacks_memory))
			count++;
		else
			*partial = true;
	}
	return count;
}

static bool find_kind(
	const struct request *request, const struct reload_message *message, struct reload_kind_values *values)
{
	struct reader reader = reader_over(message->kinds.data, message->kinds.length);

	while (reload_next_kind_values(&reader, values))
		if (values->kind == request->kind)
			return true;
	return false;
}

static size_t read_stat(struct span octets, struct overlay_value *values, const struct kind *kind);

static void values_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct overlay_value *values = calloc(VALUES_MAXIMUM, sizeof(*values));
	struct reload_kind_values found;
	struct overlay_result result;
	bool lacks_memory = !values;

	begin_result(overlay, request, arrival, &result);
	result.partial = message->partial;
	if (values && find_kind(request, message, &found)) {
		result.values = values;
		if (request->type == OVERLAY_REQUEST_FETCH)
			result.value_count =
				read_fetched(overlay, request, found.values, values, &result.partial, &lacks_memory);
		else
			result.value_count = read_stat(found.values, values, kind_find(request->kind));
	}
	if (result.value_count == 0)
		result.error = lacks_memory ? HIPHOP_NO_MEMORY : HIPHOP_NOT_FOUND;
	effect_result(overlay, &result);
	free(values);
}

static const struct request_purpose purpose_values = {"fetch", QUERY_ATTEMPTS, values_answered, query_failed};

hiphop_error send_fetch(struct overlay *overlay, struct request *request, uint16_t code, const struct hit *destination,
	const struct hit *resource, uint32_t kind)
{
	static const uint8_t whole_array[] = {0, 8, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF};
	static const uint8_t all_keys[] = {0, 0};
	const struct kind *known = kind_find(kind);
	uint8_t octets[64];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct span model = {NULL, 0};

	if (known && known->model == DATA_MODEL_ARRAY)
		model = (struct span){whole_array, sizeof(whole_array)};
	else if (known && known->model == DATA_MODEL_DICTIONARY)
		model = (struct span){all_keys, sizeof(all_keys)};
	request->resource = *resource;
	request->kind = kind;
	reload_write_specifier(&writer, kind, 0, model);
	struct reload_message message = {
		.code = code, .fetch = {.resource = *resource, .specifiers = {octets, writer.position}}};
	return request_send(overlay, request, destination, NULL, &message);
}

static hiphop_error fetch_or_stat(struct overlay *overlay, instant now, uint64_t token, uint32_t kind,
	const struct hit *resource, overlay_request_type type)
{
	uint16_t code = type == OVERLAY_REQUEST_FETCH ? RELOAD_FETCH_REQUEST : RELOAD_STAT_REQUEST;

	advance(overlay, now);
	if (!kind_find(kind))
		return HIPHOP_UNSUPPORTED;
	struct request *request = query_new(overlay, &purpose_values, type, token, kind, resource);
	if (!request)
		return no_request(overlay);
	return send_fetch(overlay, request, code, resource, resource, kind);
}

hiphop_error overlay_fetch(
	struct overlay *overlay, instant now, uint64_t token, uint32_t kind, const struct hit *resource)
{
	return fetch_or_stat(overlay, now, token, kind, resource, OVERLAY_REQUEST_FETCH);
}

/* ---- Stat ---- */

static size_t read_stat(struct span octets, struct overlay_value *values, const struct kind *kind)
{
	struct reader reader = reader_over(octets.data, octets.length);
	size_t count = 0;

	while (kind && reader_left(&reader) && !reader.failed && count < VALUES_MAXIMUM) {
		struct overlay_value *value = &values[count];
		reader_u32(&reader); /* value_length, which RFC 6940 has twice */
		value->storage_time = reader_u64(&reader);
		value->lifetime_s = reader_u32(&reader);
		if (kind->model == DATA_MODEL_ARRAY)
			reader_u32(&reader);
		else if (kind->model == DATA_MODEL_DICTIONARY) {
			struct span key = reader_vector16(&reader);
			if (key.length == HIT_LENGTH)
				memcpy(value->owner.octets, key.data, HIT_LENGTH);
		}
		bool exists = reader_u8(&reader) == 1;
		value->length = reader_u32(&reader);
		reader_u8(&reader);
		reader_vector8(&reader);
		value->value = NULL;
		if (exists && !reader.failed)
			count++;
	}
	return count;
}

hiphop_error overlay_stat(
	struct overlay *overlay, instant now, uint64_t token, uint32_t kind, const struct hit *resource)
{
	return fetch_or_stat(overlay, now, token, kind, resource, OVERLAY_REQUEST_STAT);
}

/* ---- Find ---- */

static void find_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	struct reader reader = reader_over(message->kinds.data, message->kinds.length);
	struct overlay_result result;
	struct hit closest = {{0}};
	uint32_t kind;

	begin_result(overlay, request, arrival, &result);
	while (reload_next_found(&reader, &kind, &closest) && kind != request->kind)
		;
	result.resource = closest;
	if (hit_is_null(&closest))
		result.error = HIPHOP_NOT_FOUND;
	effect_result(overlay, &result);
}

static const struct request_purpose purpose_find = {"find", QUERY_ATTEMPTS, find_answered, query_failed};

hiphop_error overlay_find(
	struct overlay *overlay, instant now, uint64_t token, uint32_t kind, const struct hit *resource)
{
	uint8_t octets[4];
	struct writer writer = writer_over(octets, sizeof(octets));

	advance(overlay, now);
	struct request *request = query_new(overlay, &purpose_find, OVERLAY_REQUEST_FIND, token, kind, resource);
	if (!request)
		return no_request(overlay);
	writer_u32(&writer, kind);
	struct reload_message message = {
		.code = RELOAD_FIND_REQUEST, .find = {.resource = *resource, .kinds = {octets, sizeof(octets)}}};
	return request_send(overlay, request, resource, NULL, &message);
}

/* ---- Ping ---- */

static void ping_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	(void)message;
	query_report(overlay, request, arrival, HIPHOP_OK);
}

static const struct request_purpose purpose_ping = {"ping", 1, ping_answered, query_failed};

hiphop_error overlay_ping(struct overlay *overlay, instant now, uint64_t token, const struct hit *destination)
{
	struct reload_message message = {.code = RELOAD_PING_REQUEST};

	advance(overlay, now);
	struct request *request = query_new(overlay, &purpose_ping, OVERLAY_REQUEST_PING, token, 0, destination);
	if (!request)
		return no_request(overlay);
	return request_send(overlay, request, destination, NULL, &message);
}

/* ---- Trace ---- */

static const struct request_purpose purpose_trace;

/* Asks the last hop of the path for the next. Takes over the request's place in the trace. */
static hiphop_error trace_on(struct overlay *overlay, struct request *request)
{
	const struct hit *hop = &request->path[request->path_length - 1];
	bool node = hit_is_host(&request->resource);
	struct reload_message message = {.code = RELOAD_ROUTE_QUERY_REQUEST,
		.route_query = {.destination_type = node ? RELOAD_DESTINATION_NODE : RELOAD_DESTINATION_RESOURCE,
			.destination = request->resource}};

	return request_send(overlay, request, hop, NULL, &message);
}

static bool trace_ends(const struct request *request, const struct hit *next)
{
	if (request->path_length == OVERLAY_TRACE_HOPS || hit_equal(next, &request->resource))
		return true;
	for (size_t i = 0; i < request->path_length; i++)
		if (hit_equal(&request->path[i], next))
			return true;
	return false;
}

static void trace_answered(struct overlay *overlay, struct request *request, const struct overlay_arrival *arrival,
	const struct reload_message *message)
{
	const struct hit *last = &request->path[request->path_length - 1];
	struct hit next;

	if (overlay->topology->operations->read_route_answer(overlay->topology, message->data, &next)) {
		query_report(overlay, request, arrival, HIPHOP_MALFORMED);
		return;
	}
	bool arrived = hit_equal(&next, last) || hit_equal(&next, &request->resource);
	bool ends = trace_ends(request, &next);
	if (!hit_equal(&next, last) && request->path_length < OVERLAY_TRACE_HOPS)
		request->path[request->path_length++] = next;
	if (ends) {
		query_report(overlay, request, arrival, arrived ? HIPHOP_OK : HIPHOP_NOT_FOUND);
		return;
	}
	struct request *more =
		query_new(overlay, &purpose_trace, OVERLAY_REQUEST_TRACE, request->token, 0, &request->resource);
	if (!more) {
		query_report(overlay, request, arrival, HIPHOP_NO_MEMORY);
		return;
	}
	more->path = request->path;
	more->path_length = request->path_length;
	request->path = NULL;
	request->path_length = 0;
	if (trace_on(overlay, more))
		query_report(overlay, request, arrival, HIPHOP_NO_MEMORY);
}

static const struct request_purpose purpose_trace = {"trace", 2, trace_answered, query_failed};

hiphop_error overlay_trace(struct overlay *overlay, instant now, uint64_t token, const struct hit *destination)
{
	struct hit next;

	advance(overlay, now);
	overlay_route route = overlay_next_hop(overlay, destination, NULL, &next);
	if (route == OVERLAY_NO_ROUTE)
		return HIPHOP_NOT_FOUND;
	struct request *request = query_new(overlay, &purpose_trace, OVERLAY_REQUEST_TRACE, token, 0, destination);
	if (!request)
		return no_request(overlay);
	request->path = calloc(OVERLAY_TRACE_HOPS, sizeof(*request->path));
	if (!request->path) {
		request_free(overlay, request);
		return HIPHOP_NO_MEMORY;
	}
	request->path[request->path_length++] = route == OVERLAY_SELF ? overlay->self : next;
	if (route == OVERLAY_SELF || hit_equal(&next, destination)) {
		request->sent = overlay->now;
		query_report(overlay, request, NULL, HIPHOP_OK);
		request_free(overlay, request);
		return HIPHOP_OK;
	}
	return trace_on(overlay, request);
}
