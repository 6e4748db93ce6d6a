/* SPDX-License-Identifier: MIT */
#include "sipglue/library_memory.h"

#include <malloc.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <osipparser2/osip_port.h>

/* Enough for what is made of one message at a time. Its pages are touched in need only. */
#define RESERVE_SIZE 524288
#define ALIGNMENT    16

/** Stands before each piece of the reserve. */
struct piece {
	alignas(ALIGNMENT) size_t size;
};

static _Thread_local struct {
	bool failed;
	size_t used, living; /* octets handed out; pieces not yet given back */
	alignas(ALIGNMENT) uint8_t octets[RESERVE_SIZE];
} reserve;

static bool is_of_reserve(const void *memory)
{
	uintptr_t at = (uintptr_t)memory, start = (uintptr_t)reserve.octets;
	return at >= start && at < start + RESERVE_SIZE;
}

static void *take_from_reserve(size_t size)
{
	reserve.failed = true;
	if (reserve.living == 0)
		reserve.used = 0;
	if (size > RESERVE_SIZE)
		return NULL;
	size_t whole = sizeof(struct piece) + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (whole > RESERVE_SIZE - reserve.used)
		return NULL;
	struct piece *piece = (struct piece *)(void *)(reserve.octets + reserve.used);
	piece->size = size;
	reserve.used += whole;
	reserve.living++;
	return piece + 1;
}

static void *library_malloc(size_t size)
{
	void *memory = malloc(size);
	if (memory)
		return memory;
	return take_from_reserve(size);
}

static void library_free(void *memory)
{
	if (is_of_reserve(memory))
		reserve.living--;
	else
		free(memory);
}

static void *library_realloc(void *old, size_t size)
{
	bool kept = old && is_of_reserve(old);
	void *memory = kept ? NULL : realloc(old, size);
	if (memory)
		return memory;
	memory = kept ? library_malloc(size) : take_from_reserve(size);
	if (!memory || !old)
		return memory;
	size_t had = kept ? ((struct piece *)old - 1)->size : malloc_usable_size(old);
	memcpy(memory, old, had < size ? had : size);
	library_free(old);
	return memory;
}

void library_memory_start(void)
{
	osip_set_allocators(library_malloc, library_realloc, library_free);
}

void library_memory_watch(void)
{
	reserve.failed = false;
}

bool library_memory_failed(void)
{
	return reserve.failed;
}
