/* SPDX-License-Identifier: MIT */
#include "hip/core/puzzle_difficulty.h"

#define PRESSURE_RAISES 100
#define PRESSURE_CALM   50

struct puzzle_difficulty puzzle_difficulty_start(uint8_t base, uint8_t maximum, uint32_t i1_limit, uint32_t i2_limit)
{
	return (struct puzzle_difficulty){.base = base, .maximum = maximum, .i1_limit = i1_limit, .i2_limit = i2_limit};
}

uint8_t puzzle_difficulty_of(const struct puzzle_difficulty *difficulty, unsigned level)
{
	unsigned room = difficulty->maximum - difficulty->base;

	return (uint8_t)(difficulty->base + room * level / (PUZZLE_LEVELS - 1));
}

static void open_window(struct puzzle_difficulty *difficulty, instant now)
{
	if (difficulty->window_is_open)
		return;
	difficulty->window_is_open = true;
	difficulty->window_began = now;
}

void puzzle_difficulty_note_i1(struct puzzle_difficulty *difficulty, instant now)
{
	open_window(difficulty, now);
	difficulty->i1++;
}

void puzzle_difficulty_note_i2(struct puzzle_difficulty *difficulty, instant now)
{
	open_window(difficulty, now);
	difficulty->i2++;
}

static uint32_t rate_of(uint64_t count, duration length)
{
	uint64_t rate = count * (SECONDS(1) / MILLISECONDS(1)) / (length / MILLISECONDS(1));

	return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

static uint64_t pressure_of_i1(const struct puzzle_difficulty *difficulty)
{
	return (uint64_t)difficulty->i1_rate * 100 / difficulty->i1_limit;
}

static uint64_t pressure_of_the_rest(const struct puzzle_difficulty *difficulty)
{
	uint64_t i2 = (uint64_t)difficulty->i2_rate * 100 / difficulty->i2_limit;
	uint64_t fill = difficulty->fill >= PUZZLE_FILL_RAISES    ? PRESSURE_RAISES
			: difficulty->fill >= PUZZLE_FILL_PRESSES ? PRESSURE_CALM
								  : 0;

	return i2 > fill ? i2 : fill;
}

static bool may_rise(const struct puzzle_difficulty *difficulty)
{
	unsigned next = difficulty->level + 1;

	return (next < PUZZLE_LEVELS && pressure_of_the_rest(difficulty) >= PRESSURE_RAISES) ||
	       (next < PUZZLE_LEVELS - 1 && pressure_of_i1(difficulty) >= PRESSURE_RAISES);
}

static bool is_calm(const struct puzzle_difficulty *difficulty)
{
	return pressure_of_i1(difficulty) < PRESSURE_CALM && pressure_of_the_rest(difficulty) < PRESSURE_CALM;
}

static bool follow(struct puzzle_difficulty *difficulty)
{
	difficulty->calm = is_calm(difficulty) ? difficulty->calm + 1 : 0;
	if (may_rise(difficulty)) {
		difficulty->level++;
		return true;
	}
	if (difficulty->calm < PUZZLE_CALM_WINDOWS || !difficulty->level)
		return false;
	difficulty->calm = 0;
	difficulty->level--;
	return true;
}

bool puzzle_difficulty_tick(struct puzzle_difficulty *difficulty, instant now, unsigned fill)
{
	bool changed;

	if (now < puzzle_difficulty_next_wake(difficulty))
		return false;
	difficulty->i1_rate = rate_of(difficulty->i1, now - difficulty->window_began);
	difficulty->i2_rate = rate_of(difficulty->i2, now - difficulty->window_began);
	difficulty->fill = fill;
	changed = follow(difficulty);
	difficulty->window_is_open = difficulty->i1 || difficulty->i2 || difficulty->level;
	difficulty->window_began = now;
	difficulty->i1 = difficulty->i2 = 0;
	return changed;
}

instant puzzle_difficulty_next_wake(const struct puzzle_difficulty *difficulty)
{
	return difficulty->window_is_open ? instant_after(difficulty->window_began, PUZZLE_LOAD_WINDOW) : INSTANT_NEVER;
}
