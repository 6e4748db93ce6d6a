/* SPDX-License-Identifier: MIT */
/** SIP: datagrams and streams between phones, other proxies and the node. */
#include "daemon/loop.h"

#include "kernel-helpers/clocks.h"

#include <stdlib.h>

/* Numbers from 0x80000000 on are the node's, and 0 is nobody's (daemon/node.h). */
#define LAST_ACCEPTED UINT32_C(0x7fffffff)

struct loop_sip_stream {
	struct loop_sip_stream *next;
	struct hiphopd *hiphopd;
	struct sip_stream stream;
	uint32_t connection;
	uv_poll_t poll;
	bool failed; /**< while effects were carried out; the node is told afterwards */
};

static struct loop_sip_stream *find_stream(const struct hiphopd *hiphopd, uint32_t connection)
{
	struct loop_sip_stream *stream = hiphopd->streams;
	while (stream && stream->connection != connection)
		stream = stream->next;
	return stream;
}

static void on_stream_closed(uv_handle_t *handle)
{
	struct loop_sip_stream *stream = handle->data;
	sip_stream_close(&stream->stream);
	free(stream);
}

/** Takes it out of the list; the memory goes when libuv has let go of the handle. */
static void remove_stream(struct loop_sip_stream *stream)
{
	struct hiphopd *hiphopd = stream->hiphopd;
	struct loop_sip_stream **link = &hiphopd->streams;
	while (*link != stream)
		link = &(*link)->next;
	*link = stream->next;
	hiphopd->stream_count--;
	uv_close((uv_handle_t *)&stream->poll, on_stream_closed);
}

static void on_stream(uv_poll_t *poll, int status, int events);

static void watch_stream(struct loop_sip_stream *stream)
{
	int events = stream->stream.connecting ? UV_WRITABLE : UV_READABLE;
	if (sip_stream_wants_write(&stream->stream))
		events |= UV_WRITABLE;
	uv_poll_start(&stream->poll, events, on_stream);
}

/** Removes the stream and tells the node. Not while effects are carried out. */
static void end_stream(struct loop_sip_stream *stream, bool failed)
{
	struct hiphopd *hiphopd = stream->hiphopd;
	uint32_t connection = stream->connection;
	remove_stream(stream);
	node_sip_stream_closed(hiphopd->node, clock_now(), connection, failed);
	loop_carry_out(hiphopd);
}

static void finish_connect(struct loop_sip_stream *stream)
{
	struct hiphopd *hiphopd = stream->hiphopd;
	if (sip_stream_finish_connect(&stream->stream)) {
		end_stream(stream, true);
		return;
	}
	watch_stream(stream);
	node_sip_stream_opened(
		hiphopd->node, clock_now(), stream->connection, &stream->stream.local, &stream->stream.remote);
	loop_carry_out(hiphopd);
}

static void read_stream(struct loop_sip_stream *stream)
{
	struct hiphopd *hiphopd = stream->hiphopd;
	uint32_t connection = stream->connection;
	size_t length;
	hiphop_error error = sip_stream_read(&stream->stream, hiphopd->sip_octets, SIP_MESSAGE_MAXIMUM, &length);
	if (error) {
		end_stream(stream, error != HIPHOP_NOT_FOUND);
		return;
	}
	if (length == 0)
		return;
	/* The node may close the stream in answer to this, so it must not be touched afterwards. */
	node_sip_stream_data(hiphopd->node, clock_now(), connection, hiphopd->sip_octets, length);
	loop_carry_out(hiphopd);
}

static void on_stream(uv_poll_t *poll, int status, int events)
{
	struct loop_sip_stream *stream = poll->data;
	if (stream->stream.connecting) {
		finish_connect(stream);
		return;
	}
	if (status < 0 || (events & UV_WRITABLE && sip_stream_flush(&stream->stream))) {
		end_stream(stream, true);
		return;
	}
	watch_stream(stream);
	if (events & UV_READABLE)
		read_stream(stream);
}

static struct loop_sip_stream *add_stream(struct hiphopd *hiphopd, const struct sip_stream *opened, uint32_t connection)
{
	struct loop_sip_stream *stream = calloc(1, sizeof *stream);
	if (!stream || uv_poll_init(&hiphopd->loop, &stream->poll, opened->descriptor) < 0) {
		free(stream);
		return NULL;
	}
	stream->hiphopd = hiphopd;
	stream->stream = *opened;
	stream->connection = connection;
	stream->poll.data = stream;
	stream->next = hiphopd->streams;
	hiphopd->streams = stream;
	hiphopd->stream_count++;
	watch_stream(stream);
	return stream;
}

static uint32_t next_accepted(struct hiphopd *hiphopd)
{
	do
		hiphopd->last_accepted = hiphopd->last_accepted % LAST_ACCEPTED + 1;
	while (find_stream(hiphopd, hiphopd->last_accepted));
	return hiphopd->last_accepted;
}

static void accept_stream(struct hiphopd *hiphopd, size_t place)
{
	struct sip_stream accepted;
	if (sip_stream_accept(&hiphopd->sip, place, &accepted))
		return;
	struct loop_sip_stream *stream = add_stream(hiphopd, &accepted, next_accepted(hiphopd));
	if (!stream) {
		sip_stream_close(&accepted);
		return;
	}
	node_sip_stream_opened(
		hiphopd->node, clock_now(), stream->connection, &stream->stream.local, &stream->stream.remote);
	loop_carry_out(hiphopd);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct loop_watch *watch = poll->data;
	(void)status;
	(void)events;
	if (watch->hiphopd->stream_count < LOOP_SIP_STREAMS)
		accept_stream(watch->hiphopd, watch->index);
	else
		sip_stream_reject(&watch->hiphopd->sip, watch->index);
}

static void on_datagram(uv_poll_t *poll, int status, int events)
{
	struct loop_watch *watch = poll->data;
	struct hiphopd *hiphopd = watch->hiphopd;
	struct endpoint remote;
	size_t length;
	(void)status;
	(void)events;
	for (int round = 0; round < LOOP_ROUNDS; round++) {
		if (!sip_datagram_receive(&hiphopd->sip, watch->index, &remote, hiphopd->sip_octets, &length))
			return;
		node_sip_datagram(hiphopd->node, clock_now(), &hiphopd->sip.places[watch->index].local, &remote,
			hiphopd->sip_octets, length);
		loop_carry_out(hiphopd);
	}
}

bool loop_sip_start(struct hiphopd *hiphopd)
{
	hiphopd->sip_octets = malloc(SIP_MESSAGE_MAXIMUM);
	if (!hiphopd->sip_octets)
		return false;
	for (unsigned i = 0; i < SIP_PLACES; i++) {
		const struct sip_place *place = &hiphopd->sip.places[i];
		if (place->datagram < 0)
			continue;
		if (!loop_watch_start(hiphopd, &hiphopd->datagram_watches[i], place->datagram, i, on_datagram) ||
			!loop_watch_start(hiphopd, &hiphopd->listener_watches[i], place->listener, i, on_listener))
			return false;
	}
	return true;
}

void loop_sip_stop(struct hiphopd *hiphopd)
{
	for (unsigned i = 0; i < SIP_PLACES; i++) {
		loop_watch_stop(&hiphopd->datagram_watches[i]);
		loop_watch_stop(&hiphopd->listener_watches[i]);
	}
	while (hiphopd->streams)
		remove_stream(hiphopd->streams);
}

/** A connection that cannot even begin is noted, and told to the node after the effects. */
static void connect_stream(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	struct sip_stream opened;
	hiphop_error error = HIPHOP_LIMITED;
	if (hiphopd->stream_count < LOOP_SIP_STREAMS)
		error = sip_stream_connect(&opened, &effect->local, &effect->remote);
	if (!error && add_stream(hiphopd, &opened, effect->connection))
		return;
	if (!error)
		sip_stream_close(&opened);
	if (hiphopd->failed_connect_count < LOOP_SIP_FAILURES)
		hiphopd->failed_connects[hiphopd->failed_connect_count++] = effect->connection;
}

static void write_stream(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	struct loop_sip_stream *stream = find_stream(hiphopd, effect->connection);
	if (!stream || stream->failed)
		return;
	if (sip_stream_write(&stream->stream, effect->octets, effect->length))
		stream->failed = true;
	else
		watch_stream(stream);
}

static void close_stream(struct hiphopd *hiphopd, uint32_t connection)
{
	struct loop_sip_stream *stream = find_stream(hiphopd, connection);
	if (!stream)
		return;
	/* A last answer may still wait; what the kernel takes now, it delivers. */
	(void)sip_stream_flush(&stream->stream);
	remove_stream(stream);
}

void loop_sip_carry_out(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	switch (effect->kind) {
	case NODE_SIP_DATAGRAM:
		sip_datagram_send(&hiphopd->sip, &effect->local, &effect->remote, effect->octets, effect->length);
		break;
	case NODE_SIP_CONNECT:
		connect_stream(hiphopd, effect);
		break;
	case NODE_SIP_STREAM:
		write_stream(hiphopd, effect);
		break;
	case NODE_SIP_CLOSE:
		close_stream(hiphopd, effect->connection);
		break;
	default:
		break;
	}
}

bool loop_sip_tell_failures(struct hiphopd *hiphopd)
{
	bool told = false;
	while (hiphopd->failed_connect_count > 0) {
		uint32_t connection = hiphopd->failed_connects[--hiphopd->failed_connect_count];
		node_sip_stream_closed(hiphopd->node, clock_now(), connection, true);
		told = true;
	}
	for (struct loop_sip_stream *stream = hiphopd->streams, *next; stream; stream = next) {
		next = stream->next;
		if (!stream->failed)
			continue;
		uint32_t connection = stream->connection;
		remove_stream(stream);
		node_sip_stream_closed(hiphopd->node, clock_now(), connection, true);
		told = true;
	}
	return told;
}
