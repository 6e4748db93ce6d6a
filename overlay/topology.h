/* SPDX-License-Identifier: MIT */
/**
 * The contract of a topology plug-in (RFC 6940 section 6.4): which members of the overlay a peer stays connected to,
 * where a message goes next, who is responsible for a Resource-ID and who holds its replicas, and what Join, Update,
 * RouteQuery and Leave say.
 *
 * The engine does the rest, the same for all topologies: it keeps the table of associations, sends and answers the
 * messages, connects, retries, stores and replicates. It tells the plug-in which associated hosts are members; the
 * plug-in is a pure structure over them. It never sends, never waits, and never sees a member that is not associated.
 *
 * A topology is a struct that begins with `struct topology`, so that its functions can find their own state.
 */
#ifndef HIPHOP_OVERLAY_TOPOLOGY_H
#define HIPHOP_OVERLAY_TOPOLOGY_H

#include "hip/base/bytes.h"
#include "hip/base/identifier.h"
#include "hip/base/overlay_route.h"
#include "hip/base/random.h"

/** Identifiers in one Update at most; longer lists are refused. */
#define TOPOLOGY_UPDATE_IDS 128
/** Neighbours that topology->neighbours may name at most. */
#define TOPOLOGY_NEIGHBOURS 32
/** Nodes of one replica set at most. */
#define TOPOLOGY_REPLICAS 3

struct topology;

/** Place of a member in our tables, for status and pruning. */
struct topology_place {
	bool successor, predecessor, finger; /* a topology without such words uses the nearest one */
};

/** The kinds of Update (RFC 6940 section 10.7), each telling more than the one before. */
typedef enum {
	TOPOLOGY_UPDATE_READY,      /**< that we are a peer and have the receiver in our tables, no more */
	TOPOLOGY_UPDATE_NEIGHBOURS, /**< our neighbours */
	TOPOLOGY_UPDATE_FULL        /**< all that may help the receiver to find its place */
} topology_update;

/** What an Update or Leave said, for the engine to act on. */
struct topology_news {
	struct hit named[TOPOLOGY_UPDATE_IDS]; /**< members that the sender knows */
	size_t count;
	bool names_us;        /**< the sender counts us among its neighbours: we are part of the structure */
	topology_update type; /**< of an Update */
};

struct topology_operations {
	const char *name;
	/** `capacity` members at most. HIPHOP_NO_MEMORY. */
	hiphop_error (*create)(const struct hit *self, size_t capacity, struct topology **topology);
	void (*free)(struct topology *topology);

	/* Members: associated hosts that have said that they are peers. */
	/** HIPHOP_EXISTS, HIPHOP_LIMITED (over capacity). */
	hiphop_error (*add)(struct topology *topology, const struct hit *member);
	void (*remove)(struct topology *topology, const struct hit *member);
	size_t (*count)(const struct topology *topology);
	struct topology_place (*place)(const struct topology *topology, const struct hit *member);
	/** The member that we would miss least: no neighbour, no finger. False when all are needed. */
	bool (*least_useful)(const struct topology *topology, struct hit *member);

	/* Routing. */
	/** Where a message for `destination` goes. Never OVERLAY_NO_ROUTE: alone, we are responsible for everything. */
	overlay_route (*next_hop)(const struct topology *topology, const struct hit *destination, struct hit *next);
	/** The nearest member or ourselves that is responsible for the position, as far as we know. */
	struct hit (*responsible)(const struct topology *topology, const struct hit *position);
	/** Would `a` rather than `b` be responsible for the position? */
	bool (*closer)(
		const struct topology *topology, const struct hit *position, const struct hit *a, const struct hit *b);
	/** The nodes that hold replicas of what we are responsible for, nearest first; at most `maximum`. */
	size_t (*replica_set)(const struct topology *topology, struct hit *nodes, size_t maximum);
	/** Are we responsible for the position, or one of the `replicas` nodes that hold a replica of it? */
	bool (*in_replica_range)(const struct topology *topology, const struct hit *position, size_t replicas);

	/* Neighbours and growth. */
	/** Members that get our periodic Updates, nearest first; at most TOPOLOGY_NEIGHBOURS. */
	size_t (*neighbours)(const struct topology *topology, struct hit *nodes);
	/** The peer that a newcomer sends its Join to (RFC 6940 section 10.5: the admitting peer). False when alone. */
	bool (*admitting)(const struct topology *topology, struct hit *node);
	/** Would this host be a neighbour of ours (`neighbour`), or fill a gap of the routing table (`finger`)? */
	struct topology_place (*would_be)(const struct topology *topology, const struct hit *candidate);
	/** A position where we lack a member, chosen at random among the gaps. False when there is no gap. */
	bool (*gap)(const struct topology *topology, const struct random_source *random, struct hit *position);

	/* Overlay-specific data of messages. `receiver` is who gets it. */
	void (*write_update)(const struct topology *topology, struct writer *writer, uint32_t uptime_s,
		const struct hit *receiver, topology_update type);
	hiphop_error (*read_update)(const struct topology *topology, struct span data, struct topology_news *news);
	void (*write_leave)(const struct topology *topology, struct writer *writer, const struct hit *receiver);
	hiphop_error (*read_leave)(const struct topology *topology, struct span data, struct topology_news *news);
	void (*write_route_answer)(const struct topology *topology, struct writer *writer, const struct hit *next);
	hiphop_error (*read_route_answer)(const struct topology *topology, struct span data, struct hit *next);
};

struct topology {
	const struct topology_operations *operations;
};

/** NULL for a topology that we do not have. */
const struct topology_operations *topology_find(const char *name);

#endif
