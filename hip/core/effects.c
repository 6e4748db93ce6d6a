/* SPDX-License-Identifier: MIT */
#include "hip/core/effects.h"

#include "hip/base/bytes.h"

#include <stdlib.h>

static bool has_sa(host_effect_kind kind)
{
	return kind == HOST_INSTALL_SA || kind == HOST_MOVE_SA || kind == HOST_USE_SA || kind == HOST_REMOVE_SA ||
	       kind == HOST_REKEYED;
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

void effects_add(struct effect_queue *queue, struct queued_effect *effect)
{
	if (!effect)
		return;
	effect->next = NULL;
	if (queue->last)
		queue->last->next = effect;
	else
		queue->first = effect;
	queue->last = effect;
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
	return kind == HOST_SEND || kind == HOST_SEND_SEALED || kind == HOST_SEND_ICMP || kind == HOST_NOTIFIED;
}

/* The pointers are set here, since an effect may have been filled late. */
static void point_inside(struct queued_effect *queued)
{
	struct host_effect *effect = &queued->effect;

	effect->octets = has_octets(effect->kind) ? queued->octets : NULL;
	effect->sa = queued->sa;
	effect->data = queued->data;
}

bool effects_take(struct effect_queue *queue, struct host_effect *effect)
{
	struct queued_effect *first = queue->first;

	effects_release_taken(queue);
	if (!first)
		return false;
	queue->first = first->next;
	if (!queue->first)
		queue->last = NULL;
	queue->taken = first;
	point_inside(first);
	*effect = first->effect;
	return true;
}

void effects_release_taken(struct effect_queue *queue)
{
	effect_discard(queue->taken);
	queue->taken = NULL;
}

void host_effects_free(struct effect_queue *queue)
{
	effects_release_taken(queue);
	while (queue->first) {
		struct queued_effect *first = queue->first;

		queue->first = first->next;
		effect_discard(first);
	}
	queue->last = NULL;
}
