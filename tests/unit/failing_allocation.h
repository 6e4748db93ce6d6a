/* SPDX-License-Identifier: MIT */
/**
 * Makes allocations fail in a unit test. Include it in one file of a test program only: it defines malloc, calloc and
 * realloc for the whole program. Under AddressSanitizer, which brings its own, nothing fails and
 * failing_allocation_works() is false.
 */
#ifndef HIPHOP_TESTS_UNIT_FAILING_ALLOCATION_H
#define HIPHOP_TESTS_UNIT_FAILING_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static bool failing_allocation_armed;
static unsigned failing_allocation_left;

/** From now on `allowed` allocations succeed and all later ones fail. No assertion may fail until
 * failing_allocation_stop. */
static inline void failing_allocation_after(unsigned allowed)
{
	failing_allocation_left = allowed;
	failing_allocation_armed = true;
}

static inline void failing_allocation_stop(void)
{
	failing_allocation_armed = false;
}

#ifdef __SANITIZE_ADDRESS__

static inline bool failing_allocation_works(void)
{
	return false;
}

#else

static inline bool failing_allocation_works(void)
{
	return true;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static inline bool failing_allocation_fails(void)
{
	if (!failing_allocation_armed)
		return false;
	if (!failing_allocation_left)
		return true;
	failing_allocation_left--;
	return false;
}

void *malloc(size_t size)
{
	return failing_allocation_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return failing_allocation_fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return failing_allocation_fails() ? NULL : __libc_realloc(old, size);
}

#endif
#endif
