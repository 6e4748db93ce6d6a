/* SPDX-License-Identifier: MIT */
#include "hip/base/deadline_heap.h"

#include <stdbool.h>
#include <stdlib.h>

#define FIRST_CAPACITY 16

void deadline_heap_start(struct deadline_heap *heap)
{
	*heap = (struct deadline_heap){0};
}

void deadline_heap_free(struct deadline_heap *heap)
{
	for (size_t i = 0; i < heap->count; i++)
		heap->slots[i]->slot = 0;
	free(heap->slots);
	*heap = (struct deadline_heap){0};
}

hiphop_error deadline_heap_reserve(struct deadline_heap *heap, size_t count)
{
	size_t capacity = heap->capacity ? heap->capacity : FIRST_CAPACITY;
	struct deadline **slots;

	if (count <= heap->capacity)
		return HIPHOP_OK;
	if (count > SIZE_MAX / sizeof(struct deadline *) / 2)
		return HIPHOP_NO_MEMORY;
	while (capacity < count)
		capacity *= 2;
	slots = realloc(heap->slots, capacity * sizeof(struct deadline *));
	if (!slots)
		return HIPHOP_NO_MEMORY;
	heap->slots = slots;
	heap->capacity = capacity;
	return HIPHOP_OK;
}

static bool earlier(const struct deadline *a, const struct deadline *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

/* Indices are 0-based here; deadline.slot is the index plus one. */
static void place(struct deadline_heap *heap, size_t index, struct deadline *deadline)
{
	heap->slots[index] = deadline;
	deadline->slot = (uint32_t)(index + 1);
}

static void sift_up(struct deadline_heap *heap, size_t index, struct deadline *deadline)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (!earlier(deadline, heap->slots[parent]))
			break;
		place(heap, index, heap->slots[parent]);
		index = parent;
	}
	place(heap, index, deadline);
}

static void sift_down(struct deadline_heap *heap, size_t index, struct deadline *deadline)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && earlier(heap->slots[child + 1], heap->slots[child]))
			child++;
		if (!earlier(heap->slots[child], deadline))
			break;
		place(heap, index, heap->slots[child]);
		index = child;
	}
	place(heap, index, deadline);
}

static void settle(struct deadline_heap *heap, size_t index, struct deadline *deadline)
{
	if (index > 0 && earlier(deadline, heap->slots[(index - 1) / 2]))
		sift_up(heap, index, deadline);
	else
		sift_down(heap, index, deadline);
}

hiphop_error deadline_set(struct deadline_heap *heap, struct deadline *deadline, instant at)
{
	hiphop_error error;

	if (!deadline->slot) {
		error = deadline_heap_reserve(heap, heap->count + 1);
		if (error)
			return error;
		deadline->slot = (uint32_t)++heap->count;
		heap->slots[heap->count - 1] = deadline;
	}
	deadline->at = at;
	deadline->order = heap->next_order++;
	settle(heap, deadline->slot - 1, deadline);
	return HIPHOP_OK;
}

void deadline_cancel(struct deadline_heap *heap, struct deadline *deadline)
{
	size_t index = deadline->slot - 1;
	struct deadline *last;

	if (!deadline->slot)
		return;
	deadline->slot = 0;
	last = heap->slots[--heap->count];
	if (last != deadline)
		settle(heap, index, last);
}

instant deadline_heap_next(const struct deadline_heap *heap)
{
	return heap->count ? heap->slots[0]->at : INSTANT_NEVER;
}

struct deadline *deadline_heap_pop(struct deadline_heap *heap, instant now)
{
	struct deadline *first;

	if (!heap->count || heap->slots[0]->at > now)
		return NULL;
	first = heap->slots[0];
	deadline_cancel(heap, first);
	return first;
}
