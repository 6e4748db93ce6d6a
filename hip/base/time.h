/* SPDX-License-Identifier: MIT */
/**
 * Time as a plain number. No engine reads a clock: `now` is an argument and a deadline is a result.
 */
#ifndef HIPHOP_HIP_BASE_TIME_H
#define HIPHOP_HIP_BASE_TIME_H

#include <stdint.h>

/** A point in time in nanoseconds, of CLOCK_BOOTTIME in the daemon (suspend counts), of a virtual clock in tests. */
typedef uint64_t instant;

/** A length of time in nanoseconds. */
typedef uint64_t duration;

/** Seconds since 1970 with milliseconds as RELOAD wants them (storage_time): only for values, certificates and logs. */
typedef uint64_t wall_milliseconds;

#define INSTANT_NEVER   UINT64_MAX
#define NANOSECONDS(n)  ((duration)(n))
#define MILLISECONDS(n) ((duration)(n)*1000000U)
#define SECONDS(n)      ((duration)(n)*1000000000U)

/** `a + b`, or INSTANT_NEVER where that would overflow. */
static inline instant instant_after(instant a, duration b)
{
	return b > INSTANT_NEVER - a ? INSTANT_NEVER : a + b;
}

/** The earlier of two. */
static inline instant instant_earlier(instant a, instant b)
{
	return a < b ? a : b;
}

#endif
