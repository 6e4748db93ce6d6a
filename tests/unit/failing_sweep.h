/* SPDX-License-Identifier: MIT */
/**
 * Plays a scene again and again, each time with another allocation that fails: alone, and with those that follow it.
 * Include it in one file of a test program only (see failing_allocation.h).
 */
#ifndef HIPHOP_TESTS_UNIT_FAILING_SWEEP_H
#define HIPHOP_TESTS_UNIT_FAILING_SWEEP_H

#include "failing_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/** With this in the environment each single allocation has its turn, else a part of them that takes some seconds.
 * "N" goes on from the Nth, for one that looks for a mistake. */
#define FAILING_SWEEP_ALL "FAIL_EACH_ALLOCATION"
/** So many fail when it is not one alone. */
#define FAILING_SWEEP_WHILE 25

/** Sanitizers take their time. */
#ifdef __SANITIZE_ADDRESS__
#define FAILING_SWEEP_SLOWNESS 2
#else
#define FAILING_SWEEP_SLOWNESS 1
#endif

struct failing_sweep {
	const char *name;
	/** Plays the scene, failing_sweep_begin in it, and asserts that it came to its end in spite of all. */
	void (*play)(const void *context);
	const void *context;
	unsigned points; /**< about so many of its allocations fail when not all do */
};

static unsigned failing_sweep_allowed, failing_sweep_failures, failing_sweep_count;

/** In the scene: allocations between failing_allocation_resume and failing_allocation_stop count from here on. */
static inline void failing_sweep_begin(void)
{
	failing_allocation_plan(failing_sweep_allowed, failing_sweep_failures);
}

/** In the scene: there is all the memory again. The counting ends here, else with the scene. */
static inline void failing_sweep_end(void)
{
	if (!failing_sweep_count)
		failing_sweep_count = failing_allocation_seen;
	failing_allocation_failures = 0;
	failing_allocation_left = UINT_MAX;
}

static inline bool failing_sweep_play(const struct failing_sweep *sweep, unsigned allowed, unsigned failures)
{
	failing_sweep_allowed = allowed;
	failing_sweep_failures = failures;
	failing_sweep_count = 0;
	failing_allocation_plan(UINT_MAX, 0);
	if (getenv("FAIL_SAY"))
		fprintf(stderr, "%s: %u and %u\n", sweep->name, allowed, failures);
	sweep->play(sweep->context);
	failing_allocation_stop();
	return failing_allocation_failed > 0;
}

/** The whole sweep; prints how many points it had. Under valgrind it needs --soname-synonyms=somalloc=nouserintercepts,
 * so that malloc is still ours. */
static inline void failing_sweep_run(const struct failing_sweep *sweep)
{
	const char *all = getenv(FAILING_SWEEP_ALL);
	unsigned first = all ? (unsigned)strtoul(all, NULL, 10) : 0, step = 1, alone = 0, together = 0, count;

	/* The first time the libraries make what they keep. */
	failing_sweep_play(sweep, UINT_MAX, 0);
	failing_sweep_play(sweep, UINT_MAX, 0);
	count = failing_sweep_count ? failing_sweep_count : failing_allocation_seen;
	if (!all)
		step = count / (sweep->points / FAILING_SWEEP_SLOWNESS) + 1;
	for (unsigned allowed = first; allowed < count; allowed += step)
		alone += failing_sweep_play(sweep, allowed, 1);
	for (unsigned allowed = first + step / 2; allowed < count; allowed += 2 * step)
		together += failing_sweep_play(sweep, allowed, FAILING_SWEEP_WHILE);
	printf("%s: %u allocations; %u failed alone, %u with the %d after them\n", sweep->name, count, alone, together,
		FAILING_SWEEP_WHILE - 1);
	assert_true(alone > 0 && together > 0);
}

#endif
