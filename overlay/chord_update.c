/* SPDX-License-Identifier: MIT */
#include "overlay/chord.h"
#include "overlay/message.h"

#include <stdlib.h>
#include <string.h>

/* ChordUpdateType and ChordLeaveType (RFC 6940 sections 10.7 and 10.9). */
enum { UPDATE_PEER_READY = 1, UPDATE_NEIGHBOURS = 2, UPDATE_FULL = 3 };
enum { LEAVE_FROM_SUCCESSOR = 1, LEAVE_FROM_PREDECESSOR = 2 };

/* Members on each side of the receiver that a full Update names besides the fingers. */
#define NEAR_THE_RECEIVER CHORD_NEIGHBOURS

static void write_nodes(struct writer *writer, const struct hit *nodes, size_t count)
{
	size_t mark = writer_begin_vector(writer, 2);

	for (size_t i = 0; i < count; i++)
		writer_copy(writer, nodes[i].octets, HIT_LENGTH);
	writer_end_vector(writer, mark, 2);
}

static size_t add_once(struct hit *nodes, size_t count, const struct hit *node)
{
	for (size_t i = 0; i < count; i++)
		if (hit_equal(&nodes[i], node))
			return count;
	nodes[count] = *node;
	return count + 1;
}

/* Neighbours that the receiver should have, as far as we know: this is how a ring sorts itself in few rounds. */
static size_t add_near(const struct chord *chord, const struct hit *receiver, struct hit *nodes, size_t count)
{
	size_t place = 0;

	while (place < chord->count && !hit_equal(&chord->members[place], receiver) &&
		!ring_in_arc(&chord->self, receiver, &chord->members[place]))
		place++;
	for (size_t i = 0; i < 2 * NEAR_THE_RECEIVER + 1 && chord->count; i++) {
		size_t at = (place + i + chord->count * NEAR_THE_RECEIVER - NEAR_THE_RECEIVER) % chord->count;
		if (!hit_equal(&chord->members[at], receiver))
			count = add_once(nodes, count, &chord->members[at]);
	}
	return count;
}

static int by_value(const void *a, const void *b)
{
	return hit_compare(a, b);
}

void chord_write_update(const struct topology *topology, struct writer *writer, uint32_t uptime_s,
	const struct hit *receiver, topology_update type)
{
	static const uint8_t codes[] = {[TOPOLOGY_UPDATE_READY] = UPDATE_PEER_READY,
		[TOPOLOGY_UPDATE_NEIGHBOURS] = UPDATE_NEIGHBOURS,
		[TOPOLOGY_UPDATE_FULL] = UPDATE_FULL};
	const struct chord *chord = (const struct chord *)topology;
	struct hit nodes[CHORD_FINGERS + 2 * NEAR_THE_RECEIVER + 1];

	writer_u32(writer, uptime_s);
	writer_u8(writer, codes[type]);
	if (type == TOPOLOGY_UPDATE_READY)
		return;
	size_t count = chord_neighbours(chord, false, nodes);
	write_nodes(writer, nodes, count);
	count = chord_neighbours(chord, true, nodes);
	write_nodes(writer, nodes, count);
	if (type != TOPOLOGY_UPDATE_FULL)
		return;
	count = finger_table_members(chord, nodes);
	count = add_near(chord, receiver, nodes, count);
	qsort(nodes, count, sizeof(*nodes), by_value);
	write_nodes(writer, nodes, count);
}

static void read_nodes(struct reader *reader, const struct hit *self, bool neighbours, struct topology_news *news)
{
	struct span octets = reader_vector16(reader);
	struct reader list = reader_over(octets.data, octets.length);

	if (octets.length % HIT_LENGTH)
		reader->failed = true;
	while (!list.failed && reader_left(&list) >= HIT_LENGTH) {
		struct hit node = reload_read_node(&list);
		if (!hit_is_host(&node) || news->count == TOPOLOGY_UPDATE_IDS)
			reader->failed = true;
		else if (!hit_equal(&node, self))
			news->named[news->count++] = node;
		else if (neighbours)
			news->names_us = true;
		if (reader->failed)
			return;
	}
}

hiphop_error chord_read_update(const struct topology *topology, struct span data, struct topology_news *news)
{
	const struct chord *chord = (const struct chord *)topology;
	struct reader reader = reader_over(data.data, data.length);

	memset(news, 0, sizeof(*news));
	reader_u32(&reader); /* uptime */
	uint8_t type = reader_u8(&reader);
	if (reader.failed)
		return HIPHOP_TRUNCATED;
	if (type < UPDATE_PEER_READY || type > UPDATE_FULL)
		return HIPHOP_MALFORMED;
	news->type = (topology_update)(type - UPDATE_PEER_READY);
	if (type >= UPDATE_NEIGHBOURS) {
		read_nodes(&reader, &chord->self, true, news);
		read_nodes(&reader, &chord->self, true, news);
	}
	if (type == UPDATE_FULL)
		read_nodes(&reader, &chord->self, false, news);
	return reader.failed || reader_left(&reader) ? HIPHOP_MALFORMED : HIPHOP_OK;
}

void chord_write_leave(const struct topology *topology, struct writer *writer, const struct hit *receiver)
{
	const struct chord *chord = (const struct chord *)topology;
	struct hit nodes[CHORD_NEIGHBOURS];
	bool we_are_ahead = chord_topology.place(topology, receiver).predecessor;

	writer_u8(writer, we_are_ahead ? LEAVE_FROM_SUCCESSOR : LEAVE_FROM_PREDECESSOR);
	size_t count = chord_neighbours(chord, we_are_ahead, nodes);
	write_nodes(writer, nodes, count);
}

hiphop_error chord_read_leave(const struct topology *topology, struct span data, struct topology_news *news)
{
	const struct chord *chord = (const struct chord *)topology;
	struct reader reader = reader_over(data.data, data.length);

	memset(news, 0, sizeof(*news));
	uint8_t type = reader_u8(&reader);
	if (type != LEAVE_FROM_SUCCESSOR && type != LEAVE_FROM_PREDECESSOR)
		return HIPHOP_MALFORMED;
	read_nodes(&reader, &chord->self, false, news);
	return reader.failed || reader_left(&reader) ? HIPHOP_MALFORMED : HIPHOP_OK;
}

void chord_write_route_answer(const struct topology *topology, struct writer *writer, const struct hit *next)
{
	(void)topology;
	writer_copy(writer, next->octets, HIT_LENGTH);
}

hiphop_error chord_read_route_answer(const struct topology *topology, struct span data, struct hit *next)
{
	(void)topology;
	struct reader reader = reader_over(data.data, data.length);

	*next = reload_read_node(&reader);
	if (reader.failed || reader_left(&reader))
		return HIPHOP_MALFORMED;
	return HIPHOP_OK;
}
