/* SPDX-License-Identifier: MIT */
#include "sipglue/stream.h"

#include "sipglue/place.h"
#include "sipglue/transaction.h"

#include <stdlib.h>
#include <string.h>

/* What may wait for a stream that is connecting. */
#define STREAM_QUEUE_MAXIMUM (4 * SIP_MESSAGE_MAXIMUM)

struct stream {
	TAILQ_ENTRY(stream) link;
	uint32_t connection;
	struct endpoint local, remote;
	bool open;
	struct buffer received; /* less than one message */
	struct buffer waiting;  /* to be sent once open */
	struct deadline deadline;
};

static struct stream *stream_find(const struct sip *sip, uint32_t connection)
{
	struct stream *stream;
	TAILQ_FOREACH(stream, &sip->streams, link)
	if (stream->connection == connection)
		return stream;
	return NULL;
}

static struct stream *stream_to(const struct sip *sip, const struct path *path)
{
	struct stream *stream;
	TAILQ_FOREACH(stream, &sip->streams, link)
	if (endpoint_equal(&stream->remote, &path->remote) &&
		address_equal(&stream->local.address, &path->local.address))
		return stream;
	return NULL;
}

bool stream_is_open(const struct sip *sip, uint32_t connection)
{
	const struct stream *stream = connection ? stream_find(sip, connection) : NULL;
	return stream && stream->open;
}

static hiphop_error buffer_append(struct buffer *buffer, const uint8_t *octets, size_t length, size_t maximum)
{
	if (length > maximum || buffer->length > maximum - length)
		return HIPHOP_TOO_LARGE;
	if (length == 0)
		return HIPHOP_OK;
	uint8_t *grown = realloc(buffer->data, buffer->length + length);
	if (!grown)
		return HIPHOP_NO_MEMORY;
	memcpy(grown + buffer->length, octets, length);
	buffer->data = grown;
	buffer->length += length;
	return HIPHOP_OK;
}

static void stream_free(struct sip *sip, struct stream *stream)
{
	engine_retire_deadline(sip, &stream->deadline);
	TAILQ_REMOVE(&sip->streams, stream, link);
	sip->stream_count--;
	buffer_free(&stream->received);
	buffer_free(&stream->waiting);
	free(stream);
}

void streams_free(struct sip *sip)
{
	while (!TAILQ_EMPTY(&sip->streams))
		stream_free(sip, TAILQ_FIRST(&sip->streams));
}

static void push_close(struct sip *sip, uint32_t connection)
{
	effect_push(sip, &(struct sip_effect){.kind = SIP_STREAM_CLOSE, .connection = connection});
}

/** Closes from our side; whoever waits for it learns that it failed. */
static void stream_close(struct sip *sip, struct stream *stream)
{
	uint32_t connection = stream->connection;
	push_close(sip, connection);
	stream_free(sip, stream);
	transactions_stream_failed(sip, connection);
}

static void push_octets(struct sip *sip, uint32_t connection, struct span octets)
{
	effect_push(sip, &(struct sip_effect){.kind = SIP_STREAM_SEND, .connection = connection, .octets = octets});
}

static struct stream *stream_new(
	struct sip *sip, uint32_t connection, const struct endpoint *local, const struct endpoint *remote)
{
	if (sip->stream_count >= sip->limits.connections || engine_admit_deadlines(sip, 1) != HIPHOP_OK)
		return NULL;
	struct stream *stream = calloc(1, sizeof *stream);
	if (!stream) {
		sip->deadlines_admitted--;
		return NULL;
	}
	stream->connection = connection;
	stream->local = *local;
	stream->remote = *remote;
	TAILQ_INSERT_TAIL(&sip->streams, stream, link);
	sip->stream_count++;
	return stream;
}

/* ---- Sending ---- */

static struct stream *stream_connect(struct sip *sip, const struct path *path)
{
	struct endpoint local = {.address = path->local.address};
	do
		sip->next_connection = (sip->next_connection + 1) | SIP_CONNECTION_OWN;
	while (stream_find(sip, sip->next_connection));
	struct stream *stream = stream_new(sip, sip->next_connection, &local, &path->remote);
	if (!stream)
		return NULL;
	engine_set_deadline(sip, &stream->deadline, DEADLINE_STREAM, stream, STREAM_CONNECT_LIMIT);
	effect_push(sip, &(struct sip_effect){.kind = SIP_STREAM_CONNECT,
				 .connection = stream->connection,
				 .local = local,
				 .remote = path->remote});
	return stream;
}

static hiphop_error stream_send(struct sip *sip, struct path *path, struct span octets)
{
	struct stream *stream = path->connection ? stream_find(sip, path->connection) : NULL;
	if (!stream)
		stream = stream_to(sip, path);
	if (!stream)
		stream = stream_connect(sip, path);
	if (!stream)
		return HIPHOP_LIMITED;
	path->connection = stream->connection;
	if (!stream->open)
		return buffer_append(&stream->waiting, octets.data, octets.length, STREAM_QUEUE_MAXIMUM);
	engine_set_deadline(sip, &stream->deadline, DEADLINE_STREAM, stream, STREAM_IDLE_LIMIT);
	push_octets(sip, stream->connection, octets);
	return HIPHOP_OK;
}

hiphop_error transport_send(struct sip *sip, struct path *path, struct span octets)
{
	if (path->stream)
		return stream_send(sip, path, octets);
	effect_push(sip,
		&(struct sip_effect){
			.kind = SIP_SEND_DATAGRAM, .local = path->local, .remote = path->remote, .octets = octets});
	return HIPHOP_OK;
}

/* ---- Life of a stream ---- */

void sip_stream_opened(
	struct sip *sip, instant now, uint32_t connection, const struct endpoint *local, const struct endpoint *remote)
{
	sip->now = now;
	struct stream *stream = stream_find(sip, connection);
	if (!stream && !(connection & SIP_CONNECTION_OWN) && place_path_is_possible(sip, local, remote))
		stream = stream_new(sip, connection, local, remote);
	if (!stream) {
		sip->counters.limited++;
		push_close(sip, connection);
		return;
	}
	stream->open = true;
	engine_set_deadline(sip, &stream->deadline, DEADLINE_STREAM, stream, STREAM_IDLE_LIMIT);
	if (stream->waiting.length)
		push_octets(sip, connection, (struct span){stream->waiting.data, stream->waiting.length});
	buffer_free(&stream->waiting);
	stream->waiting = (struct buffer){0};
}

void sip_stream_closed(struct sip *sip, instant now, uint32_t connection, bool failed)
{
	sip->now = now;
	struct stream *stream = stream_find(sip, connection);
	if (!stream)
		return;
	log_write(sip->log, LOG_LEVEL_DEBUG, "SIP stream %u %s", connection, failed ? "failed" : "ended");
	stream_free(sip, stream);
	transactions_stream_failed(sip, connection);
}

void stream_deadline(struct sip *sip, struct stream *stream)
{
	stream_close(sip, stream);
}

/* ---- Framing ---- */

/** Octets of CR LF between messages; four of them are a ping, answered by two (RFC 5626 section 4.4.1). */
static size_t skip_empty_lines(struct sip *sip, const struct stream *stream)
{
	const struct buffer *received = &stream->received;
	size_t skipped = 0;
	while (skipped < received->length && (received->data[skipped] == '\r' || received->data[skipped] == '\n'))
		skipped++;
	if (skipped >= 4)
		push_octets(sip, stream->connection, (struct span){(const uint8_t *)"\r\n", 2});
	return skipped;
}

/** Octets of the next whole message, 0 when it is not whole yet. */
static hiphop_error next_message(const struct buffer *received, size_t *length)
{
	struct message_frame frame;
	hiphop_error error = message_scan(received->data, received->length, &frame);
	*length = 0;
	if (error)
		return error;
	if (frame.head_length && received->length >= frame.head_length + frame.body_length)
		*length = frame.head_length + frame.body_length;
	return frame.head_length && !frame.has_length ? HIPHOP_MALFORMED : HIPHOP_OK;
}

static void consume(struct buffer *buffer, size_t length)
{
	buffer->length -= length;
	memmove(buffer->data, buffer->data + length, buffer->length);
}

/** Delivers what is whole. A handler may close streams, so the stream is looked up again each time. */
static void deliver(struct sip *sip, uint32_t connection)
{
	for (;;) {
		struct stream *stream = stream_find(sip, connection);
		size_t length;
		if (!stream || stream->received.length == 0)
			return;
		size_t skipped = skip_empty_lines(sip, stream);
		if (skipped == stream->received.length && skipped < 4)
			return; /* half a ping stays until its other half is here */
		consume(&stream->received, skipped);
		if (next_message(&stream->received, &length) != HIPHOP_OK) {
			sip->counters.malformed++;
			stream_close(sip, stream);
			return;
		}
		if (length == 0)
			return;
		struct buffer message = {0};
		struct path from = {
			.stream = true, .connection = connection, .local = stream->local, .remote = stream->remote};
		if (buffer_copy(&message, stream->received.data, length) != HIPHOP_OK) {
			stream_close(sip, stream);
			return;
		}
		consume(&stream->received, length);
		engine_input_message(sip, &from, message.data, message.length);
		buffer_free(&message);
	}
}

void sip_input_stream(struct sip *sip, instant now, uint32_t connection, const uint8_t *octets, size_t length)
{
	sip->now = now;
	while (length > 0) {
		struct stream *stream = stream_find(sip, connection);
		if (!stream || !stream->open)
			return;
		size_t room = SIP_MESSAGE_MAXIMUM - stream->received.length;
		size_t piece = length < room ? length : room;
		if (piece == 0 || buffer_append(&stream->received, octets, piece, SIP_MESSAGE_MAXIMUM) != HIPHOP_OK) {
			stream_close(sip, stream);
			return;
		}
		octets += piece;
		length -= piece;
		engine_set_deadline(sip, &stream->deadline, DEADLINE_STREAM, stream, STREAM_IDLE_LIMIT);
		deliver(sip, connection);
		stream = stream_find(sip, connection);
		if (stream && stream->received.length)
			engine_set_deadline(sip, &stream->deadline, DEADLINE_STREAM, stream, TIMER_64_T1);
	}
}
