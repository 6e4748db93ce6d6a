/* SPDX-License-Identifier: MIT */
/**
 * Deadlines in order: a binary heap whose entries live inside their owners, so that setting a timer cannot fail for
 * want of memory once the owner has been admitted. Ties come out in the order in which they were set, so that a
 * simulation repeats.
 */
#ifndef HIPHOP_HIP_BASE_DEADLINE_HEAP_H
#define HIPHOP_HIP_BASE_DEADLINE_HEAP_H

#include "hip/base/error.h"
#include "hip/base/time.h"

#include <stddef.h>
#include <stdint.h>

/** Embed one per timer; zero it before first use. */
struct deadline {
	instant at;
	uint64_t order;
	uint32_t slot; /**< 1-based place in the heap; 0 when not set */
	int kind;      /**< the owner's own label of the timer */
	void *owner;   /**< the owner's own pointer */
};

struct deadline_heap {
	struct deadline **slots;
	size_t count;
	size_t capacity;
	uint64_t next_order;
};

void deadline_heap_start(struct deadline_heap *heap);
/** Frees the heap's own memory; the deadlines are left to their owners. */
void deadline_heap_free(struct deadline_heap *heap);
/** Makes room for `count` deadlines in all, so that this many sets cannot fail. HIPHOP_NO_MEMORY. */
hiphop_error deadline_heap_reserve(struct deadline_heap *heap, size_t count);
/** Sets or moves a deadline. HIPHOP_NO_MEMORY only when it was not set and no room was reserved. */
hiphop_error deadline_set(struct deadline_heap *heap, struct deadline *deadline, instant at);
/** Takes it out if it is in. */
void deadline_cancel(struct deadline_heap *heap, struct deadline *deadline);
/** The earliest instant, or INSTANT_NEVER. */
instant deadline_heap_next(const struct deadline_heap *heap);
/** Takes out and returns the earliest deadline at or before `now`, or NULL. */
struct deadline *deadline_heap_pop(struct deadline_heap *heap, instant now);

#endif
