/* SPDX-License-Identifier: MIT */
#include "overlay/chord.h"

#include <stdlib.h>
#include <string.h>

static const struct chord *chord_of(const struct topology *topology)
{
	return (const struct chord *)topology;
}

static hiphop_error chord_create(const struct hit *self, size_t capacity, struct topology **topology)
{
	struct chord *chord = calloc(1, sizeof(*chord));

	if (!chord)
		return HIPHOP_NO_MEMORY;
	chord->members = calloc(capacity, sizeof(*chord->members));
	if (!chord->members) {
		free(chord);
		return HIPHOP_NO_MEMORY;
	}
	chord->topology.operations = &chord_topology;
	chord->self = *self;
	chord->capacity = capacity;
	*topology = &chord->topology;
	return HIPHOP_OK;
}

static void chord_free(struct topology *topology)
{
	struct chord *chord = (struct chord *)topology;

	free(chord->members);
	free(chord);
}

/* ---- Members ---- */

/* The first place whose member is not nearer (going up from us) than `id`. */
static size_t lower_bound(const struct chord *chord, const struct hit *id)
{
	uint8_t wanted[RING_POSITION_LENGTH], distance[RING_POSITION_LENGTH];
	size_t low = 0, high = chord->count;

	ring_distance(&chord->self, id, wanted);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		ring_distance(&chord->self, &chord->members[middle], distance);
		if (memcmp(distance, wanted, sizeof(wanted)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct chord *chord, size_t place, const struct hit *id)
{
	return place < chord->count && ring_position_equal(&chord->members[place], id);
}

static hiphop_error chord_add(struct topology *topology, const struct hit *member)
{
	struct chord *chord = (struct chord *)topology;
	size_t place = lower_bound(chord, member);

	if (ring_position_equal(&chord->self, member) || is_at(chord, place, member))
		return HIPHOP_EXISTS;
	if (chord->count == chord->capacity)
		return HIPHOP_LIMITED;
	memmove(chord->members + place + 1, chord->members + place, (chord->count - place) * sizeof(*chord->members));
	chord->members[place] = *member;
	chord->count++;
	return HIPHOP_OK;
}

static void chord_remove(struct topology *topology, const struct hit *member)
{
	struct chord *chord = (struct chord *)topology;
	size_t place = lower_bound(chord, member);

	if (place >= chord->count || !hit_equal(&chord->members[place], member))
		return;
	chord->count--;
	memmove(chord->members + place, chord->members + place + 1, (chord->count - place) * sizeof(*chord->members));
}

static size_t chord_count(const struct topology *topology)
{
	return chord_of(topology)->count;
}

size_t chord_neighbours(const struct chord *chord, bool ahead, struct hit nodes[static CHORD_NEIGHBOURS])
{
	size_t count = chord->count < CHORD_NEIGHBOURS ? chord->count : CHORD_NEIGHBOURS;

	for (size_t i = 0; i < count; i++)
		nodes[i] = chord->members[ahead ? i : chord->count - 1 - i];
	return count;
}

static bool is_only_of_its_finger(const struct chord *chord, size_t place)
{
	unsigned index = finger_index(&chord->self, &chord->members[place]);

	if (index == CHORD_FINGERS)
		return false;
	return place == 0 || finger_index(&chord->self, &chord->members[place - 1]) != index;
}

static struct topology_place chord_place(const struct topology *topology, const struct hit *member)
{
	const struct chord *chord = chord_of(topology);
	size_t place = lower_bound(chord, member);

	if (!is_at(chord, place, member))
		return (struct topology_place){0};
	return (struct topology_place){
		.successor = place < CHORD_NEIGHBOURS,
		.predecessor = place + CHORD_NEIGHBOURS >= chord->count,
		.finger = is_only_of_its_finger(chord, place),
	};
}

static bool chord_least_useful(const struct topology *topology, struct hit *member)
{
	const struct chord *chord = chord_of(topology);

	/* Going down from the far side keeps what is near. */
	for (size_t i = chord->count; i-- > 0;) {
		struct topology_place place = chord_place(topology, &chord->members[i]);
		if (place.successor || place.predecessor || place.finger)
			continue;
		*member = chord->members[i];
		return true;
	}
	return false;
}

/* ---- Routing ---- */

static overlay_route chord_next_hop(const struct topology *topology, const struct hit *destination, struct hit *next)
{
	const struct chord *chord = chord_of(topology);

	if (chord->count == 0 || ring_in_arc(&chord->members[chord->count - 1], destination, &chord->self))
		return OVERLAY_SELF;
	size_t place = lower_bound(chord, destination);
	if (!is_at(chord, place, destination) && place > 0)
		place--;
	*next = chord->members[place];
	return OVERLAY_HOP;
}

static struct hit chord_responsible(const struct topology *topology, const struct hit *position)
{
	const struct chord *chord = chord_of(topology);
	size_t place = lower_bound(chord, position);

	if (ring_position_equal(&chord->self, position) || place == chord->count)
		return chord->self;
	return chord->members[place];
}

static bool chord_closer(
	const struct topology *topology, const struct hit *position, const struct hit *a, const struct hit *b)
{
	uint8_t to_a[RING_POSITION_LENGTH], to_b[RING_POSITION_LENGTH];

	(void)topology;
	ring_distance(position, a, to_a);
	ring_distance(position, b, to_b);
	return memcmp(to_a, to_b, sizeof(to_a)) < 0;
}

static size_t chord_replica_set(const struct topology *topology, struct hit *nodes, size_t maximum)
{
	const struct chord *chord = chord_of(topology);
	size_t count = chord->count < maximum ? chord->count : maximum;

	memcpy(nodes, chord->members, count * sizeof(*nodes));
	return count;
}

static bool chord_in_replica_range(const struct topology *topology, const struct hit *position, size_t replicas)
{
	const struct chord *chord = chord_of(topology);

	if (chord->count <= replicas)
		return true;
	return ring_in_arc(&chord->members[chord->count - 1 - replicas], position, &chord->self);
}

/* ---- Neighbours and growth ---- */

static size_t chord_all_neighbours(const struct topology *topology, struct hit *nodes)
{
	const struct chord *chord = chord_of(topology);
	struct hit behind[CHORD_NEIGHBOURS];
	size_t count = chord_neighbours(chord, true, nodes);
	size_t more = chord_neighbours(chord, false, behind);

	for (size_t i = 0; i < more && count < chord->count; i++)
		nodes[count++] = behind[i];
	return count;
}

static bool chord_admitting(const struct topology *topology, struct hit *node)
{
	const struct chord *chord = chord_of(topology);

	if (chord->count == 0)
		return false;
	*node = chord->members[0];
	return true;
}

static struct topology_place chord_would_be(const struct topology *topology, const struct hit *candidate)
{
	const struct chord *chord = chord_of(topology);
	size_t place = lower_bound(chord, candidate);
	unsigned index = finger_index(&chord->self, candidate);

	if (ring_position_equal(&chord->self, candidate) || is_at(chord, place, candidate))
		return (struct topology_place){0};
	return (struct topology_place){
		.successor = place < CHORD_NEIGHBOURS,
		.predecessor = chord->count - place < CHORD_NEIGHBOURS,
		.finger = index < CHORD_FINGERS && !(finger_table_filled(chord) & (UINT32_C(1) << index)),
	};
}

static bool chord_gap(const struct topology *topology, const struct random_source *random, struct hit *position)
{
	return finger_table_gap(chord_of(topology), random, position);
}

const struct topology_operations chord_topology = {
	.name = "chord",
	.create = chord_create,
	.free = chord_free,
	.add = chord_add,
	.remove = chord_remove,
	.count = chord_count,
	.place = chord_place,
	.least_useful = chord_least_useful,
	.next_hop = chord_next_hop,
	.responsible = chord_responsible,
	.closer = chord_closer,
	.replica_set = chord_replica_set,
	.in_replica_range = chord_in_replica_range,
	.neighbours = chord_all_neighbours,
	.admitting = chord_admitting,
	.would_be = chord_would_be,
	.gap = chord_gap,
	.write_update = chord_write_update,
	.read_update = chord_read_update,
	.write_leave = chord_write_leave,
	.read_leave = chord_read_leave,
	.write_route_answer = chord_write_route_answer,
	.read_route_answer = chord_read_route_answer,
};
