/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/clocks.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/** Far enough that the timer itself never runs out; only the step of the clock is of interest. */
#define FAR_AWAY_SECONDS (100L * 365 * 86400)

instant clock_now(void)
{
	struct timespec time = {0};
	clock_gettime(CLOCK_BOOTTIME, &time);
	instant now = SECONDS(time.tv_sec) + NANOSECONDS(time.tv_nsec);
	return now ? now : 1;
}

wall_milliseconds clock_wall(void)
{
	struct timespec time = {0};
	clock_gettime(CLOCK_REALTIME, &time);
	return (wall_milliseconds)time.tv_sec * 1000U + (wall_milliseconds)time.tv_nsec / 1000000U;
}

hiphop_error clock_timer_open(int *descriptor)
{
	*descriptor = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	return *descriptor < 0 ? HIPHOP_SYSTEM : HIPHOP_OK;
}

void clock_timer_set(int descriptor, instant at)
{
	struct itimerspec timer = {0};
	if (at != INSTANT_NEVER) {
		/* An all-zero time would disarm it. */
		instant target = at ? at : 1;
		timer.it_value.tv_sec = (time_t)(target / SECONDS(1));
		timer.it_value.tv_nsec = (long)(target % SECONDS(1));
	}
	timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &timer, NULL);
}

void clock_timer_consume(int descriptor)
{
	uint64_t expirations;
	ssize_t ignored = read(descriptor, &expirations, sizeof expirations);
	(void)ignored;
}

static void clock_step_arm(int descriptor)
{
	struct itimerspec timer = {0};
	struct timespec time = {0};
	clock_gettime(CLOCK_REALTIME, &time);
	timer.it_value.tv_sec = time.tv_sec + FAR_AWAY_SECONDS;
	timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &timer, NULL);
}

hiphop_error clock_step_open(int *descriptor)
{
	*descriptor = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (*descriptor < 0)
		return HIPHOP_SYSTEM;
	clock_step_arm(*descriptor);
	return HIPHOP_OK;
}

bool clock_step_consume(int descriptor)
{
	uint64_t expirations;
	bool stepped = read(descriptor, &expirations, sizeof expirations) < 0 && errno == ECANCELED;
	if (stepped)
		clock_step_arm(descriptor);
	return stepped;
}
