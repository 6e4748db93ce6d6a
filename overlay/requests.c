/* SPDX-License-Identifier: MIT */
#include "overlay/engine.h"

#include <stdlib.h>
#include <string.h>

struct request *request_new(struct overlay *overlay, const struct request_purpose *purpose)
{
	struct request *request;

	if (overlay->requests.count >= overlay->limits.pending_requests)
		return NULL;
	request = calloc(1, sizeof(*request));
	if (!request)
		return NULL;
	request->purpose = purpose;
	request->deadline.kind = DEADLINE_REQUEST;
	request->deadline.owner = request;
	return request;
}

void request_free(struct overlay *overlay, struct request *request)
{
	deadline_cancel(&overlay->deadlines, &request->deadline);
	if (request->transaction)
		map_remove(&overlay->requests, &request->transaction);
	buffer_free(&request->contents);
	free(request->path);
	free(request);
}

/* Gives the request a fresh transaction, so that a late answer to an earlier try finds nothing. */
static hiphop_error enter(struct overlay *overlay, struct request *request)
{
	if (request->transaction)
		map_remove(&overlay->requests, &request->transaction);
	do
		request->transaction = random_u64(overlay->random);
	while (!request->transaction || map_get(&overlay->requests, &request->transaction));
	hiphop_error error = map_put(&overlay->requests, &request->transaction, request);
	if (error)
		request->transaction = 0;
	return error;
}

static hiphop_error transmit(struct overlay *overlay, struct request *request)
{
	struct hit next;
	struct span contents = {request->contents.data, request->contents.length};
	hiphop_error error = enter(overlay, request);

	if (!error)
		error = deadline_set(&overlay->deadlines, &request->deadline,
			instant_after(overlay->now, overlay->timers.request_timeout));
	if (error)
		return error;
	request->attempt++;
	request->waiting = false;
	request->sent = overlay->now;
	if (hit_is_null(&request->via) && overlay_next_hop(overlay, &request->destination, NULL, &next) == OVERLAY_SELF)
		loopback_add(overlay, request->transaction, &request->destination, contents);
	else
		effect_send(overlay, request);
	return HIPHOP_OK;
}

hiphop_error request_send(struct overlay *overlay, struct request *request, const struct hit *destination,
	const struct hit *via, const struct reload_message *message)
{
	uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];
	struct writer writer = writer_over(octets, sizeof(octets));

	request->destination = *destination;
	if (via)
		request->via = *via;
	hiphop_error error = reload_message_write(&writer, message);
	buffer_free(&request->contents);
	if (!error)
		error = buffer_copy(&request->contents, octets, writer.position);
	if (!error)
		error = transmit(overlay, request);
	if (error)
		request_free(overlay, request);
	return error;
}

static void fail(struct overlay *overlay, struct request *request, hiphop_error error, uint16_t reload_error)
{
	bool may_help = reload_error == 0 || reload_error == RELOAD_ERROR_NOT_FOUND;

	if (may_help && request->attempt < request->purpose->attempts && !overlay->leaving &&
		!deadline_set(&overlay->deadlines, &request->deadline,
			instant_after(overlay->now, overlay->timers.request_retry))) {
		request->waiting = true;
		return;
	}
	request->purpose->failed(overlay, request, error, reload_error);
	request_free(overlay, request);
}

hiphop_error error_of_reload(uint16_t code)
{
	static const struct {
		uint16_t code;
		hiphop_error error;
	} errors[] = {
		{RELOAD_ERROR_FORBIDDEN, HIPHOP_REFUSED},
		{RELOAD_ERROR_NOT_FOUND, HIPHOP_NOT_FOUND},
		{RELOAD_ERROR_REQUEST_TIMEOUT, HIPHOP_TIMEOUT},
		{RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW, HIPHOP_WRONG_STATE},
		{RELOAD_ERROR_DATA_TOO_LARGE, HIPHOP_TOO_LARGE},
		{RELOAD_ERROR_DATA_TOO_OLD, HIPHOP_REPLAYED},
		{RELOAD_ERROR_MESSAGE_TOO_LARGE, HIPHOP_TOO_LARGE},
		{RELOAD_ERROR_UNKNOWN_KIND, HIPHOP_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code)
			return errors[i].error;
	return HIPHOP_MALFORMED;
}

void requests_answer(
	struct overlay *overlay, const struct overlay_arrival *arrival, const struct reload_message *message)
{
	struct request *request = map_get(&overlay->requests, &arrival->transaction);
	uint16_t asked;

	if (!request || request->waiting)
		return;
	asked = reload_peek_code(request->contents.data, request->contents.length);
	/* RFC 6940 section 6.3.4: what was sent to a Node-ID is answered by that Node-ID. */
	if ((hit_is_host(&request->destination) && !hit_equal(&request->destination, &arrival->sender)) ||
		(message->code != RELOAD_ERROR && message->code != asked + 1)) {
		overlay->refused++;
		return;
	}
	if (message->code == RELOAD_ERROR) {
		fail(overlay, request, error_of_reload(message->error.code), message->error.code);
		return;
	}
	map_remove(&overlay->requests, &request->transaction);
	request->transaction = 0;
	request->purpose->answered(overlay, request, arrival, message);
	request_free(overlay, request);
}

void requests_failed(struct overlay *overlay, uint64_t transaction, hiphop_error error)
{
	struct request *request = map_get(&overlay->requests, &transaction);

	if (request && !request->waiting)
		fail(overlay, request, error ? error : HIPHOP_TIMEOUT, 0);
}

void request_deadline(struct overlay *overlay, struct request *request)
{
	if (!request->waiting)
		fail(overlay, request, HIPHOP_TIMEOUT, 0);
	else if (transmit(overlay, request))
		fail(overlay, request, HIPHOP_NO_MEMORY, 0);
}

void requests_free(struct overlay *overlay)
{
	struct map_walk walk = map_walk_start(&overlay->requests);
	struct request *request;

	while ((request = map_walk_next(&walk, NULL)))
		request_free(overlay, request);
	map_free(&overlay->requests);
}
