/* SPDX-License-Identifier: MIT */
/**
 * CHORD-RELOAD (RFC 6940 section 10) on 96-bit ring positions. The one table is the sorted list of associated
 * members; neighbour table and finger table are views of it, so they can never disagree with the associations.
 *
 * A peer is responsible for the arc from its predecessor (not included) to itself.
 */
#ifndef HIPHOP_OVERLAY_CHORD_H
#define HIPHOP_OVERLAY_CHORD_H

#include "overlay/topology.h"

/** Predecessors and successors in the neighbour table (RFC 6940 asks for three at least). */
#define CHORD_NEIGHBOURS 4
/** Finger i (0 …) is a member in [self + 2^(95-i), self + 2^(96-i)). */
#define CHORD_FINGERS 32

struct chord {
	struct topology topology;
	struct hit self;
	struct hit *members; /**< by distance going up from us: the first is our successor, the last our predecessor */
	size_t count, capacity;
};

extern const struct topology_operations chord_topology;

/** The successors (ahead) or predecessors (behind), nearest first; at most CHORD_NEIGHBOURS. */
size_t chord_neighbours(const struct chord *chord, bool ahead, struct hit nodes[static CHORD_NEIGHBOURS]);
/** Which finger a host would be: 0 for half the ring away and farther, growing towards us. CHORD_FINGERS for nearer. */
unsigned finger_index(const struct hit *self, const struct hit *id);
/** The fingers that we have: bit i is set when some member is finger i (finger_table.c). */
uint32_t finger_table_filled(const struct chord *chord);
/** A random position in a gap of the finger table, early gaps twice as likely as the next (RFC 6940 10.7.4.2). */
bool finger_table_gap(const struct chord *chord, const struct random_source *random, struct hit *position);
/** One member for each filled finger, in the order of the finger table; at most CHORD_FINGERS. */
size_t finger_table_members(const struct chord *chord, struct hit nodes[static CHORD_FINGERS]);

/* chord_update.c: the messages (RFC 6940 sections 10.7, 10.8, 10.9). */
void chord_write_update(const struct topology *topology, struct writer *writer, uint32_t uptime_s,
	const struct hit *receiver, topology_update type);
hiphop_error chord_read_update(const struct topology *topology, struct span data, struct topology_news *news);
void chord_write_leave(const struct topology *topology, struct writer *writer, const struct hit *receiver);
hiphop_error chord_read_leave(const struct topology *topology, struct span data, struct topology_news *news);
void chord_write_route_answer(const struct topology *topology, struct writer *writer, const struct hit *next);
hiphop_error chord_read_route_answer(const struct topology *topology, struct span data, struct hit *next);

#endif
