/* SPDX-License-Identifier: MIT */
#include "hip/esp/replay_window.h"

#include <string.h>

static bool is_seen(const struct replay_window *window, uint64_t sequence)
{
	uint64_t bit = sequence % REPLAY_WINDOW_SIZE;

	return window->seen[bit / 64] >> (bit % 64) & 1U;
}

static void mark_seen(struct replay_window *window, uint64_t sequence)
{
	uint64_t bit = sequence % REPLAY_WINDOW_SIZE;

	window->seen[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void mark_unseen(struct replay_window *window, uint64_t sequence)
{
	uint64_t bit = sequence % REPLAY_WINDOW_SIZE;

	window->seen[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

uint64_t replay_window_infer(const struct replay_window *window, uint32_t low)
{
	uint64_t top_high = window->highest >> 32;
	uint32_t top_low = (uint32_t)window->highest;
	uint32_t bottom_low = top_low - (REPLAY_WINDOW_SIZE - 1);

	if (top_low >= REPLAY_WINDOW_SIZE - 1) {
		/* The window lies within one high half: what is below it belongs to the next. */
		return (low >= bottom_low ? top_high : top_high + 1) << 32 | low;
	}
	/* The window reaches back into the high half before. */
	if (low >= bottom_low && top_high > 0)
		return (top_high - 1) << 32 | low;
	return top_high << 32 | low;
}

bool replay_window_is_fresh(const struct replay_window *window, uint64_t sequence)
{
	if (sequence == 0)
		return false;
	if (sequence > window->highest)
		return true;
	if (window->highest - sequence >= REPLAY_WINDOW_SIZE)
		return false;
	return !is_seen(window, sequence);
}

static void advance(struct replay_window *window, uint64_t sequence)
{
	if (sequence - window->highest >= REPLAY_WINDOW_SIZE) {
		memset(window->seen, 0, sizeof(window->seen));
	} else {
		for (uint64_t passed = window->highest + 1; passed < sequence; passed++)
			mark_unseen(window, passed);
	}
	window->highest = sequence;
}

bool replay_window_accept(struct replay_window *window, uint64_t sequence)
{
	if (!replay_window_is_fresh(window, sequence))
		return false;
	if (sequence > window->highest)
		advance(window, sequence);
	mark_seen(window, sequence);
	return true;
}
