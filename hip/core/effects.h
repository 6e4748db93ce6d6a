/* SPDX-License-Identifier: MIT */
/**
 * The queue of effects of a host. An effect is made first, which may fail for want of memory, and put in the queue
 * later, which cannot: so a state change and its effects are committed together.
 */
#ifndef HIPHOP_HIP_CORE_EFFECTS_H
#define HIPHOP_HIP_CORE_EFFECTS_H

#include "hip/core/host.h"

struct queued_effect {
	struct queued_effect *next;
	struct host_effect effect;
	struct host_sa *sa;     /**< behind effect.sa; NULL for kinds without */
	struct host_data *data; /**< behind effect.data; NULL for kinds without */
	uint8_t *octets;        /**< behind effect.octets, data.content and data.identity */
	size_t capacity;        /**< of `octets` */
};

/** Zeroed is empty. */
struct effect_queue {
	struct queued_effect *first, *last;
	struct queued_effect *taken; /**< the one whose contents the caller may still read */
};

/** A fresh effect of `kind` with what its kind needs and `capacity` octets behind it, in one piece, owned by the
 * caller. NULL for want of memory. Two of them are kept for each association, so they are no larger than they must be.
 */
struct queued_effect *effect_make(host_effect_kind kind, size_t capacity);
/** Wipes and frees an effect that was made and is not wanted. NULL is allowed. */
void effect_discard(struct queued_effect *effect);
/** Puts an effect at the end; the queue owns it. NULL is allowed and does nothing. */
void effects_add(struct effect_queue *queue, struct queued_effect *effect);
/** Moves all of `batch` to the end of `queue`; `batch` is empty then. */
void effects_splice(struct effect_queue *queue, struct effect_queue *batch);
/** Takes out the first; false when there is none. What was taken before is wiped and freed. */
bool effects_take(struct effect_queue *queue, struct host_effect *effect);
/** Frees what was taken before, as every call into the host does. */
void effects_release_taken(struct effect_queue *queue);
void host_effects_free(struct effect_queue *queue);

#endif
