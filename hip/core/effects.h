/* SPDX-License-Identifier: MIT */
/**
 * The queue of effects of a host. An effect is made first, which may fail for want of memory, and put in the queue
 * later, which cannot: so a state change and its effects are committed together.
 */
#ifndef HIPHOP_HIP_CORE_EFFECTS_H
#define HIPHOP_HIP_CORE_EFFECTS_H

#include "hip/core/host.h"

/* What a queue is made of. */
struct effect_link {
	struct effect_link *next;
	bool is_ending; /* inside a struct ending, else inside a struct queued_effect */
};

struct queued_effect {
	struct effect_link link;
	struct host_effect effect;
	struct host_sa *sa;     /**< behind effect.sa; NULL for kinds without */
	struct host_data *data; /**< behind effect.data; NULL for kinds without */
	uint8_t *octets;        /**< behind effect.octets, data.content and data.identity */
	size_t capacity;        /**< of `octets` */
};

/** What is told when an association ends: up to two effects in short. One is kept for each association, made ahead, so
 * that the end cannot fail. */
struct ending {
	struct effect_link link;
	struct hit peer;
	struct endpoint local, remote;
	uint32_t spi_in, spi_out;
	uint8_t suite;
	bool removes_sas;      /**< HOST_REMOVE_SA comes of it */
	bool tells;            /**< HOST_ASSOCIATION does, with what follows */
	uint8_t state, reason; /**< a host_state and a hiphop_error */
	bool initiator;
	uint8_t overlay_hops;
};

/** Zeroed is empty. */
struct effect_queue {
	struct effect_link *first, *last;
	struct queued_effect *taken; /**< the one whose contents the caller may still read */
	struct host_sa removed;      /**< behind effect.sa of an ending */
};

/** A fresh effect of `kind` with what its kind needs and `capacity` octets behind it, in one piece, owned by the
 * caller. NULL for want of memory. */
struct queued_effect *effect_make(host_effect_kind kind, size_t capacity);
/** Wipes and frees an effect that was made and is not wanted. NULL is allowed. */
void effect_discard(struct queued_effect *effect);
/** Puts an effect at the end; the queue owns it. NULL is allowed and does nothing. */
void effects_add(struct effect_queue *queue, struct queued_effect *effect);
/** An ending that tells nothing yet, owned by the caller, who may free() it. NULL for want of memory. */
struct ending *ending_make(void);
/** Puts an ending at the end; the queue owns it. */
void effects_add_ending(struct effect_queue *queue, struct ending *ending);
/** Moves all of `batch` to the end of `queue`; `batch` is empty then. */
void effects_splice(struct effect_queue *queue, struct effect_queue *batch);
/** Takes out the first; false when there is none. What was taken before is wiped and freed. */
bool effects_take(struct effect_queue *queue, struct host_effect *effect);
/** What is behind effect.sa of the effect that was taken last; NULL when it has none that may be changed. */
struct host_sa *effects_taken_sa(struct effect_queue *queue);
/** Frees what was taken before, as every call into the host does. */
void effects_release_taken(struct effect_queue *queue);
void host_effects_free(struct effect_queue *queue);

#endif
