/* SPDX-License-Identifier: MIT */
/**
 * The clocks of the system, and the two descriptors of the loop that depend on them.
 */
#ifndef HIPHOP_KERNEL_HELPERS_CLOCKS_H
#define HIPHOP_KERNEL_HELPERS_CLOCKS_H

#include "hip/base/error.h"
#include "hip/base/time.h"

#include <stdbool.h>

/** CLOCK_BOOTTIME in nanoseconds: monotonic, time spent in suspend counts. Never 0. */
instant clock_now(void);
/** Milliseconds since 1970. */
wall_milliseconds clock_wall(void);

/** Opens a timer on CLOCK_BOOTTIME that becomes readable at the instant set; one that passed in suspend is due right
 *  after. Close with close(). HIPHOP_SYSTEM. */
hiphop_error clock_timer_open(int *descriptor);
/** Sets the timer; INSTANT_NEVER disarms it, an instant in the past makes it readable at once. */
void clock_timer_set(int descriptor, instant at);
/** Makes the timer unreadable again until its next instant. */
void clock_timer_consume(int descriptor);

/** Opens a descriptor that becomes readable when somebody steps the wall clock. Close with close(). HIPHOP_SYSTEM. */
hiphop_error clock_step_open(int *descriptor);
/** True when the wall clock was stepped; watches on. */
bool clock_step_consume(int descriptor);

#endif
