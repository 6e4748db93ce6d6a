/* SPDX-License-Identifier: MIT */
#include "hip/esp/replay_window.h"

#include <stdlib.h>
#include <string.h>

static uint64_t size_of(const struct replay_window *window)
{
	return window->wide ? REPLAY_WINDOW_WIDE : REPLAY_WINDOW_SIZE;
}

static uint64_t *word_of(struct replay_window *window, uint64_t bit)
{
	return window->wide ? &window->wide[bit / 64] : &window->seen[bit / 64];
}

static bool is_seen(const struct replay_window *window, uint64_t sequence)
{
	uint64_t bit = sequence % size_of(window);
	const uint64_t *words = window->wide ? window->wide : window->seen;

	return words[bit / 64] >> (bit % 64) & 1U;
}

static void mark_seen(struct replay_window *window, uint64_t sequence)
{
	uint64_t bit = sequence % size_of(window);

	*word_of(window, bit) |= UINT64_C(1) << (bit % 64);
}

static void mark_unseen(struct replay_window *window, uint64_t sequence)
{
	uint64_t bit = sequence % size_of(window);

	*word_of(window, bit) &= ~(UINT64_C(1) << (bit % 64));
}

hiphop_error replay_window_widen(struct replay_window *window)
{
	const struct replay_window narrow = *window;
	uint64_t *wide;

	if (window->wide)
		return HIPHOP_OK;
	wide = malloc(REPLAY_WINDOW_WIDE / 8);
	if (!wide)
		return HIPHOP_NO_MEMORY;
	memset(wide, 0xff, REPLAY_WINDOW_WIDE / 8);
	window->wide = wide;
	for (uint64_t back = 0; back < REPLAY_WINDOW_SIZE && back < narrow.highest; back++) {
		if (!is_seen(&narrow, narrow.highest - back))
			mark_unseen(window, narrow.highest - back);
	}
	return HIPHOP_OK;
}

void replay_window_free(struct replay_window *window)
{
	free(window->wide);
	window->wide = NULL;
}

uint64_t replay_window_infer(const struct replay_window *window, uint32_t low)
{
	uint64_t top_high = window->highest >> 32;
	uint32_t top_low = (uint32_t)window->highest;
	uint32_t span = (uint32_t)size_of(window) - 1;
	uint32_t bottom_low = top_low - span;

	if (top_low >= span) {
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
	if (window->highest - sequence >= size_of(window))
		return false;
	return !is_seen(window, sequence);
}

static void advance(struct replay_window *window, uint64_t sequence)
{
	if (sequence - window->highest >= size_of(window)) {
		memset(window->wide ? window->wide : window->seen, 0, size_of(window) / 8);
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
