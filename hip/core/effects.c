/* SPDX-License-Identifier: MIT */
#include "hip/core/effects.h"

#include "hip/base/bytes.h"

#include <stdlib.h>

struct queued_effect *effect_make(host_effect_kind kind, size_t capacity)
{
	struct queued_effect *made = calloc(1, sizeof *made + capacity);

	if (!made)
		return NULL;
	made->effect.kind = kind;
	made->capacity = capacity;
	return made;
}

void effect_discard(struct queued_effect *effect)
{
	if (!effect)
		return;
	bytes_wipe(&effect->sa, sizeof effect->sa);
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

/* The pointers are set here, since an effect may have been moved about or filled late. */
static void point_inside(struct queued_effect *queued)
{
	struct host_effect *effect = &queued->effect;

	switch (effect->kind) {
	case HOST_SEND:
	case HOST_SEND_SEALED:
		effect->octets = queued->octets;
		break;
	case HOST_INSTALL_SA:
	case HOST_MOVE_SA:
	case HOST_REMOVE_SA:
		effect->sa = &queued->sa;
		break;
	case HOST_DATA:
	case HOST_DATA_FAILED:
		effect->data = &queued->data;
		break;
	default:
		break;
	}
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
