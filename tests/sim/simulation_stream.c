/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include "tests/sim/inner_udp.h"

#include <stdlib.h>
#include <string.h>

/* Both ends of all streams. */
#define STREAM_PORT 7000

static struct simulation_stream *stream_at(struct simulation *simulation, size_t stream)
{
	assert_true(stream < simulation->stream_count);
	return &simulation->streams[stream];
}

size_t simulation_stream_start(struct simulation *simulation, size_t from, size_t to, duration interval)
{
	size_t number = simulation->stream_count++;

	assert_true(number < SIMULATION_STREAMS && interval > 0);
	simulation->streams[number] = (struct simulation_stream){
		.used = true, .from = from, .to = to, .interval = interval, .next = simulation->now};
	simulation_stream_measure(simulation, number);
	return number;
}

void simulation_stream_stop(struct simulation *simulation, size_t stream)
{
	stream_at(simulation, stream)->next = INSTANT_NEVER;
}

void simulation_stream_measure(struct simulation *simulation, size_t stream)
{
	struct simulation_stream *measured = stream_at(simulation, stream);

	measured->first_number = measured->next_number;
	measured->sent = measured->received = measured->twice = 0;
	measured->began = simulation->now;
	measured->first_arrival = INSTANT_NEVER;
	measured->last_arrival = 0;
	measured->longest_gap = measured->longest_delay = 0;
	free(measured->seen);
	measured->seen = NULL;
	measured->seen_words = 0;
}

uint64_t simulation_stream_missing(const struct simulation *simulation, size_t stream)
{
	return simulation->streams[stream].sent - simulation->streams[stream].received;
}

static duration gap_until(const struct simulation_stream *stream, instant now)
{
	return now - (stream->last_arrival ? stream->last_arrival : stream->began);
}

duration simulation_stream_gap(const struct simulation *simulation, size_t stream)
{
	const struct simulation_stream *measured = &simulation->streams[stream];
	duration open = gap_until(measured, simulation->now);

	return open > measured->longest_gap ? open : measured->longest_gap;
}

void simulation_streams_free(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->stream_count; i++)
		free(simulation->streams[i].seen);
}

struct simulation_stream *simulation_next_stream(struct simulation *simulation)
{
	struct simulation_stream *first = NULL;

	for (size_t i = 0; i < simulation->stream_count; i++) {
		struct simulation_stream *stream = &simulation->streams[i];

		if (stream->next != INSTANT_NEVER && (!first || stream->next < first->next))
			first = stream;
	}
	return first;
}

/* ---- sending ---- */

static struct endpoint end_of(const struct simulation *simulation, size_t host)
{
	struct endpoint endpoint = {.port = STREAM_PORT};

	memcpy(endpoint.address.octets, host_identity_hit(simulation->hosts[host].identity)->octets, HIT_LENGTH);
	return endpoint;
}

void simulation_stream_send(struct simulation *simulation, struct simulation_stream *stream)
{
	struct simulation_host *host = &simulation->hosts[stream->from];
	struct endpoint from = end_of(simulation, stream->from), to = end_of(simulation, stream->to);
	uint8_t payload[SIMULATION_STREAM_PAYLOAD] = {0};
	struct writer writer = writer_over(payload, sizeof(payload));

	if (stream->next > simulation->now)
		simulation->now = stream->next;
	stream->next = simulation->now + stream->interval;
	/* An application that sleeps sends nothing. */
	if (!host->node || host->suspended)
		return;
	writer_u32(&writer, (uint32_t)(stream - simulation->streams));
	writer_u64(&writer, stream->next_number++);
	writer_u64(&writer, simulation->now);
	stream->sent++;
	simulation->vector->count = 0;
	inner_udp_write(packet_vector_add(simulation->vector), &from, &to, payload, sizeof(payload));
	CALL(node_input_tunnel(host->node, simulation->now, simulation->vector));
	simulation_drain(simulation, host);
}

/* ---- receiving ---- */

static bool seen_before(struct simulation_stream *stream, uint64_t number)
{
	size_t place = (size_t)(number - stream->first_number), word = place / 64;
	uint64_t bit = UINT64_C(1) << place % 64;
	bool seen;

	if (word >= stream->seen_words) {
		size_t words = 2 * word + 4;

		stream->seen = realloc(stream->seen, words * sizeof(*stream->seen));
		assert_non_null(stream->seen);
		memset(stream->seen + stream->seen_words, 0, (words - stream->seen_words) * sizeof(*stream->seen));
		stream->seen_words = words;
	}
	seen = stream->seen[word] & bit;
	stream->seen[word] |= bit;
	return seen;
}

static void note_arrival(struct simulation_stream *stream, instant now, instant sent)
{
	duration gap = gap_until(stream, now);

	stream->received++;
	if (gap > stream->longest_gap)
		stream->longest_gap = gap;
	if (now - sent > stream->longest_delay)
		stream->longest_delay = now - sent;
	if (stream->first_arrival == INSTANT_NEVER)
		stream->first_arrival = now;
	stream->last_arrival = now;
}

bool simulation_stream_take(struct simulation *simulation, size_t host, const struct endpoint *to, struct span payload)
{
	struct reader reader = reader_over(payload.data, payload.length);
	uint32_t index = reader_u32(&reader);
	uint64_t number = reader_u64(&reader);
	instant sent = reader_u64(&reader);
	struct simulation_stream *stream;

	if (to->port != STREAM_PORT || reader_status(&reader) || index >= simulation->stream_count)
		return false;
	stream = &simulation->streams[index];
	assert_int_equal(stream->to, host);
	assert_true(number < stream->next_number);
	if (number < stream->first_number)
		return true;
	if (seen_before(stream, number))
		stream->twice++;
	else
		note_arrival(stream, simulation->now, sent);
	return true;
}
