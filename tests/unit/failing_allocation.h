/* SPDX-License-Identifier: MIT */
/**
 * Makes allocations fail in a test. Include it in one file of a test program only: it defines malloc, calloc,
 * realloc and strdup for the whole program, so that those of the libraries (OpenSSL, libosip2, jansson) fail in turn
 * too. What does not fail goes to the C library or, under AddressSanitizer, to the sanitizer, which sees leaks as ever.
 */
#ifndef HIPHOP_TESTS_UNIT_FAILING_ALLOCATION_H
#define HIPHOP_TESTS_UNIT_FAILING_ALLOCATION_H

#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool failing_allocation_armed;
static unsigned failing_allocation_left;     /* that succeed yet */
static unsigned failing_allocation_failures; /* that fail then */
static unsigned failing_allocation_seen, failing_allocation_failed;

/** From now on `allowed` allocations succeed, and the next `failures` fail; counted only between
 * failing_allocation_resume and failing_allocation_stop. No assertion may fail in between. */
static inline void failing_allocation_plan(unsigned allowed, unsigned failures)
{
	failing_allocation_left = allowed;
	failing_allocation_failures = failures;
	failing_allocation_seen = failing_allocation_failed = 0;
}

static inline void failing_allocation_resume(void)
{
	failing_allocation_armed = true;
}

static inline void failing_allocation_stop(void)
{
	failing_allocation_armed = false;
}

/** `allowed` allocations succeed and all later ones fail, until failing_allocation_stop. */
static inline void failing_allocation_after(unsigned allowed)
{
	failing_allocation_plan(allowed, UINT_MAX);
	failing_allocation_resume();
}

#ifdef __SANITIZE_ADDRESS__

/* They run before the sanitizer is ready. */
#define FAILING_ALLOCATION_EARLY               __attribute__((no_sanitize("address", "undefined")))
#define FAILING_ALLOCATION_REAL(function, ...) __interceptor_##function(__VA_ARGS__)

extern void *__interceptor_malloc(size_t size);
extern void *__interceptor_calloc(size_t count, size_t size);
extern void *__interceptor_realloc(void *old, size_t size);

#else

/* Those of the C library are looked up, so that valgrind can take their place. */
#define FAILING_ALLOCATION_EARLY
#define FAILING_ALLOCATION_REAL(function, ...)                                                                         \
	(failing_allocation_real(#function, (void **)&failing_allocation_##function),                                  \
		failing_allocation_##function(__VA_ARGS__))

static void *(*failing_allocation_malloc)(size_t size);
static void *(*failing_allocation_calloc)(size_t count, size_t size);
static void *(*failing_allocation_realloc)(void *old, size_t size);

static inline void failing_allocation_real(const char *name, void **function)
{
	if (!*function)
		*function = dlsym(RTLD_NEXT, name);
}

#endif

FAILING_ALLOCATION_EARLY static inline bool failing_allocation_fails(void)
{
	if (!failing_allocation_armed)
		return false;
	failing_allocation_seen++;
	if (failing_allocation_left) {
		failing_allocation_left--;
		return false;
	}
	if (!failing_allocation_failures)
		return false;
	failing_allocation_failures--;
	failing_allocation_failed++;
	return true;
}

FAILING_ALLOCATION_EARLY void *malloc(size_t size)
{
	return failing_allocation_fails() ? NULL : FAILING_ALLOCATION_REAL(malloc, size);
}

FAILING_ALLOCATION_EARLY void *calloc(size_t count, size_t size)
{
	return failing_allocation_fails() ? NULL : FAILING_ALLOCATION_REAL(calloc, count, size);
}

FAILING_ALLOCATION_EARLY void *realloc(void *old, size_t size)
{
	return failing_allocation_fails() ? NULL : FAILING_ALLOCATION_REAL(realloc, old, size);
}

/* Else the sanitizer's own would not come by malloc. */
FAILING_ALLOCATION_EARLY char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

#endif
