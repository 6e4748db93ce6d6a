/* SPDX-License-Identifier: MIT */
/**
 * The values that we carry for the overlay, by Resource-ID and Kind. Bounded in octets and number, in all and for
 * each owner. A value's life runs from its receipt by `now`; storage_time only orders the writes of one owner
 * (RFC 6940 section 7). A Kind with tombstones remembers the owner of an expired or removed value.
 *
 * Signatures and the write policies of kinds.h are checked before a value comes here; the storage checks what needs
 * to know what is stored already: order, size, number, generation, and who came first.
 */
#ifndef HIPHOP_OVERLAY_STORAGE_H
#define HIPHOP_OVERLAY_STORAGE_H

#include "hip/base/deadline_heap.h"
#include "hip/base/map.h"
#include "overlay/signed_value.h"

/** Values in one Store message at most. */
#define STORAGE_MESSAGE_VALUES 64
/** Replica nodes that one resource may remember. */
#define STORAGE_REPLICAS 3

/** One value. In a dictionary the key is the owner's HIT: every dictionary policy demands it. */
struct stored_value {
	struct hit owner; /**< its signer */
	uint32_t index;   /**< array */
	bool exists;
	bool tombstone; /**< its life is over; only the owner's right remains */
	wall_milliseconds storage_time;
	struct deadline deadline; /**< end of life, or of the tombstone */
	struct buffer octets;     /**< StoredDataValue and Signature */
	size_t value_length;
};

/** All values of one Kind at one Resource-ID. */
struct stored_resource {
	struct hit resource;
	const struct kind *kind;
	uint64_t generation; /**< generation counter of RFC 6940 */
	uint64_t revision;   /**< changes with every change here */
	struct stored_value **values;
	size_t count, capacity;

	/* What replication knows (replication.c). */
	uint8_t copies;      /**< peers that hold it as far as we know, 1 at least */
	struct hit told;     /**< the responsible peer that is known to have it, when it is not us */
	struct hit handover; /**< a joining peer that must get it; null if none */
	struct {
		struct hit hit;
		uint64_t revision;
	} copied[STORAGE_REPLICAS]; /**< which replica node has which revision */
	unsigned outstanding;       /**< stores on their way */
	unsigned refusals;          /**< Stores of ours that were refused, one after the other */
	bool queued;
	struct stored_resource *next_queued;
};

struct storage {
	struct map resources; /* (Resource-ID, Kind) → struct stored_resource */
	struct map owners;    /* HIT → struct owner_use */
	struct deadline_heap deadlines;
	struct stored_resource *first_queued, *last_queued;
	size_t queued;
	size_t values, bytes;
	struct overlay_limits limits;
	struct overlay_conflict conflicts[OVERLAY_CONFLICTS]; /* a ring; the newest at (conflict_total - 1) % size */
	uint64_t conflict_total;
};

/** Who stores, and with what right. */
typedef enum {
	STORE_ORIGINAL, /**< the owner itself (replica number 0) */
	STORE_MERGE,    /**< another peer hands over what we are responsible for now */
	STORE_REPLICA   /**< the responsible peer lets us hold a copy; its word counts when two claims differ */
} store_right;

struct store_terms {
	store_right right;
	uint64_t generation;  /**< of the message */
	uint8_t copies;       /**< what the sender said and may be believed; 1 when it did not */
	bool may_displace;    /**< its claim to a name may take the place of another's (STORE_MERGE) */
	uint32_t tombstone_s; /**< for values with no life left: how long their tombstone lasts */
};

/** One value to store, parsed, verified. */
struct store_candidate {
	const struct kind *kind;
	struct hit resource;
	struct hit signer;
	struct stored_data data;
};

void storage_start(struct storage *storage, const struct overlay_limits *limits, const struct random_source *random);
void storage_free(struct storage *storage);

/**
 * Stores all candidates, or none. `changed` tells whether anything did. A value that is stored already, word for word,
 * is no error.
 * HIPHOP_REPLAYED (a stored value has the same or a later storage_time), HIPHOP_REFUSED (the name belongs to another),
 * HIPHOP_WRONG_STATE (generation counter), HIPHOP_TOO_LARGE (size or number of values of the Kind), HIPHOP_LIMITED (we
 * are full, or the owner has its share), HIPHOP_INVALID_ARGUMENT (no lifetime), HIPHOP_MALFORMED (one place twice),
 * HIPHOP_NO_MEMORY.
 */
hiphop_error storage_put(struct storage *storage, instant now, const struct store_candidate *candidates, size_t count,
	const struct store_terms *terms, bool *changed);
/** NULL when there is nothing. */
struct stored_resource *storage_find(const struct storage *storage, uint32_t kind, const struct hit *resource);
/** Forgets a resource. */
void storage_drop(struct storage *storage, struct stored_resource *resource);
/** Seconds of life left; 0 for a tombstone. */
uint32_t stored_value_lifetime(const struct stored_value *value, instant now);
/** Seconds that a tombstone still lasts; 0 for a live value. */
uint32_t stored_value_tombstone(const struct stored_value *value, instant now);
/** The Resource-ID with live values of the Kind that is closest going up from `from`; null HIT when there is none. */
struct hit storage_closest(const struct storage *storage, uint32_t kind, const struct hit *from);
/** Ends lives that are over at `now`. */
void storage_expire(struct storage *storage, instant now);
instant storage_next_wake(const struct storage *storage);

/** Forgets that this peer has copies of anything: it may have been started anew. */
void storage_forget_holder(struct storage *storage, const struct hit *holder);
/** The queue of resources whose copies must be looked at. Queueing twice is once. */
void storage_queue(struct storage *storage, struct stored_resource *resource);
void storage_queue_all(struct storage *storage);
struct stored_resource *storage_take_queued(struct storage *storage);

#endif
