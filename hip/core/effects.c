/* SPDX-License-Identifier: MIT */
#include "hip/core/effects.h"

#include "hip/base/bytes.h"

#include <stdlib.h>

static bool has_sa(host_effect_kind kind)
{
	return kind == HOST_INSTALL_SA || kind == HOST_MOVE_SA || kind == HOST_USE_SA || kind == HOST_REMOVE_SA ||
	       kind == HOST_REKEYED || kind == HOST_WATCH_SA;
}

static bool has_data(host_effect_kind kind)
{
	return kind == HOST_DATA || kind == HOST_DATA_FAILED;
}

static bool has_keys(host_effect_kind kind)
{
	return kind == HOST_INSTALL_SA;
}

/* What stands before the octets, each at a place that suits it. */
struct effect_with_sa {
	struct queued_effect queued;
	struct host_sa sa; /* without its end where there are no keys */
};

struct effect_with_data {
	struct queued_effect queued;
	struct host_data data;
};

struct queued_effect *effect_make(host_effect_kind kind, size_t capacity)
{
	size_t size = sizeof(struct queued_effect);
	struct queued_effect *made;

	if (has_keys(kind))
		size = sizeof(struct effect_with_sa);
	else if (has_sa(kind))
		size = offsetof(struct effect_with_sa, sa.keys_in);
	else if (has_data(kind))
		size = sizeof(struct effect_with_data);
	made = calloc(1, size + capacity);
	if (!made)
		return NULL;
	made->effect.kind = kind;
	made->capacity = capacity;
	made->octets = (uint8_t *)made + size;
	if (has_sa(kind))
		made->sa = &((struct effect_with_sa *)made)->sa;
	else if (has_data(kind))
		made->data = &((struct effect_with_data *)made)->data;
	return made;
}

void effect_discard(struct queued_effect *effect)
{
	if (!effect)
		return;
	if (has_keys(effect->effect.kind))
		bytes_wipe(effect->sa, sizeof *effect->sa);
	free(effect);
}

struct ending *ending_make(void)
{
	struct ending *made = calloc(1, sizeof *made);

	if (made)
		made->link.is_ending = true;
	return made;
}

/* ---- the queue ---- */

static void append(struct effect_queue *queue, struct effect_link *link)
{
	link->next = NULL;
	if (queue->last)
		queue->last->next = link;
	else
		queue->first = link;
	queue->last = link;
}

void effects_add(struct effect_queue *queue, struct queued_effect *effect)
{
	if (effect)
		append(queue, &effect->link);
}

void effects_add_ending(struct effect_queue *queue, struct ending *ending)
{
	append(queue, &ending->link);
}

void effects_splice(struct effect_queue *queue, struct effect_queue *batch)
{
	if (!batch->first)
		return;
	if (queue->last)
		queue->last->next = batch->first;
	else
		queue->first = batch->first;
	queue->last = batch->last;
	batch->first = NULL;
	batch->last = NULL;
}

static bool has_octets(host_effect_kind kind)
{
	return kind == HOST_SEND || kind == HOST_SEND_SEALED || kind == HOST_SEND_ICMP || kind == HOST_NOTIFIED ||
	       kind == HOST_SEND_PROBE;
}

static void drop_first(struct effect_queue *queue)
{
	queue->first = queue->first->next;
	if (!queue->first)
		queue->last = NULL;
}

/* The pointers are set here, since an effect may have been filled late. */
static void take_queued(struct effect_queue *queue, struct queued_effect *queued, struct host_effect *effect)
{
	drop_first(queue);
	queue->taken = queued;
	*effect = queued->effect;
	effect->octets = has_octets(effect->kind) ? queued->octets : NULL;
	effect->sa = queued->sa;
	effect->data = queued->data;
}

static void expand_removal(struct effect_queue *queue, const struct ending *ending, struct host_effect *effect)
{
	queue->removed = (struct host_sa){.local = ending->local,
		.remote = ending->remote,
		.spi_in = ending->spi_in,
		.spi_out = ending->spi_out,
		.suite = ending->suite};
	effect->kind = HOST_REMOVE_SA;
	effect->sa = &queue->removed;
}

static void expand_farewell(const struct ending *ending, struct host_effect *effect)
{
	effect->kind = HOST_ASSOCIATION;
	effect->association = (struct host_association_change){.state = (host_state)ending->state,
		.reason = (hiphop_error)ending->reason,
		.initiator = ending->initiator,
		.overlay_hops = ending->overlay_hops};
}

/* One of the two; the ending stays in front as long as there is another. */
static void take_ending(struct effect_queue *queue, struct ending *ending, struct host_effect *effect)
{
	bool removes_sas = ending->removes_sas;

	*effect = (struct host_effect){.peer = ending->peer, .local = ending->local, .remote = ending->remote};
	if (removes_sas)
		expand_removal(queue, ending, effect);
	else
		expand_farewell(ending, effect);
	ending->removes_sas = false;
	if (removes_sas && ending->tells)
		return;
	drop_first(queue);
	free(ending);
}

bool effects_take(struct effect_queue *queue, struct host_effect *effect)
{
	struct effect_link *first = queue->first;

	effects_release_taken(queue);
	if (!first)
		return false;
	/* A link is the first member of either. */
	if (first->is_ending)
		take_ending(queue, (struct ending *)first, effect);
	else
		take_queued(queue, (struct queued_effect *)first, effect);
	return true;
}

struct host_sa *effects_taken_sa(struct effect_queue *queue)
{
	return queue->taken ? queue->taken->sa : NULL;
}

void effects_release_taken(struct effect_queue *queue)
{
	effect_discard(queue->taken);
	queue->taken = NULL;
}

void host_effects_free(struct effect_queue *queue)
{
	struct host_effect effect;

	while (effects_take(queue, &effect))
		;
}
