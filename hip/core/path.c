/* SPDX-License-Identifier: MIT */
#include "hip/core/path.h"

#include <stdlib.h>
#include <string.h>

/* Smoothing and limits of RFC 6298; what is between two hosts may be a wire or a satellite. */
#define RETRANSMISSION_UNKNOWN MILLISECONDS(500)
#define RETRANSMISSION_LEAST   MILLISECONDS(100)
#define RETRANSMISSION_MOST    SECONDS(4)
/* How long a path that failed must work before it is preferred again; doubles with each failure. */
#define HOLD_FIRST     SECONDS(3)
#define HOLD_MOST      SECONDS(300)
#define HOLD_FORGOTTEN SECONDS(600)
/* Share of the newest question in the loss, of 16. One that is lost is no reason to go elsewhere. */
#define LOSS_WEIGHT 1
/* An answer is overdue when it is late by as much as it varies, but at least by this. */
#define OVERDUE_LEAST MILLISECONDS(20)
/* Answers to questions after a check, before the round trip is taken for known. */
#define SAMPLES_WANTED 3

/* clang-format off */
/* What follows what. A DEPRECATED path is never ACTIVE again before it is listed and checked (RFC 8046 section 5.1). */
static const uint8_t next_states[PATH_STATES][PATH_EVENTS] = {
	/*                    LISTED            UNLISTED          ANSWERED          UNANSWERED        DOUBTED */
	[PATH_UNVERIFIED] = { PATH_UNVERIFIED,  PATH_DEPRECATED,  PATH_ACTIVE,      PATH_SILENT,      PATH_UNVERIFIED },
	[PATH_ACTIVE]     = { PATH_ACTIVE,      PATH_DEPRECATED,  PATH_ACTIVE,      PATH_SILENT,      PATH_UNVERIFIED },
	[PATH_SILENT]     = { PATH_SILENT,      PATH_DEPRECATED,  PATH_ACTIVE,      PATH_SILENT,      PATH_SILENT },
	[PATH_DEPRECATED] = { PATH_UNVERIFIED,  PATH_DEPRECATED,  PATH_DEPRECATED,  PATH_DEPRECATED,  PATH_DEPRECATED },
};
/* clang-format on */

static const char *const state_names[PATH_STATES] = {"UNVERIFIED", "ACTIVE", "SILENT", "DEPRECATED"};
static const char *const origin_names[] = {"base exchange", "locator set", "observation"};

/* ---- the set ---- */

void path_set_free(struct path_set *set)
{
	free(set->items);
	*set = (struct path_set){0};
}

static bool make_room(struct path_set *set)
{
	uint8_t capacity = (uint8_t)(set->capacity ? 2 * set->capacity : 2);
	struct path *items;

	if (set->count < set->capacity)
		return true;
	if (set->count >= PATHS_MAXIMUM)
		return false;
	items = realloc(set->items, capacity * sizeof *items);
	if (!items)
		return false;
	set->items = items;
	set->capacity = capacity;
	return true;
}

struct path *path_set_add(struct path_set *set, const struct endpoint *local, const struct endpoint *remote)
{
	struct path *path;

	if (!make_room(set))
		return NULL;
	path = &set->items[set->count++];
	memset(path, 0, sizeof *path);
	path->local = *local;
	path->remote = *remote;
	path->expires = INSTANT_NEVER;
	path->verified = path_set_has_verified(set, remote);
	return path;
}

void path_set_remove(struct path_set *set, size_t place)
{
	set->count--;
	memmove(&set->items[place], &set->items[place + 1], (set->count - place) * sizeof *set->items);
	if (set->current > place)
		set->current--;
}

struct path *path_set_find(const struct path_set *set, const struct endpoint *local, const struct endpoint *remote)
{
	for (size_t i = 0; i < set->count; i++) {
		struct path *path = &set->items[i];

		if (endpoint_equal(&path->remote, remote) &&
			(address_is_unspecified(&path->local.address) ||
				address_equal(&path->local.address, &local->address)))
			return path;
	}
	return NULL;
}

bool path_set_has_link(const struct path_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!set->items[i].link_gone)
			return true;
	}
	return false;
}

bool path_set_has_verified(const struct path_set *set, const struct endpoint *remote)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i].verified && endpoint_equal(&set->items[i].remote, remote))
			return true;
	}
	return false;
}

/* ---- states ---- */

path_state path_next_state(path_state state, path_event event)
{
	return next_states[state][event];
}

/* A path that fails again and again must show for ever longer that it works. */
static void note_failure(struct path *path, instant now)
{
	bool long_ago = path->active_since && now > instant_after(path->active_since, HOLD_FORGOTTEN);

	if (!path->hold || long_ago)
		path->hold = HOLD_FIRST;
	else if (path->hold < HOLD_MOST)
		path->hold *= 2;
}

static void forget_questions(struct path *path)
{
	path->asked = 0;
	path->question_count = 0;
	memset(path->questions, 0, sizeof path->questions);
}

bool path_happens(struct path *path, path_event event, instant now)
{
	path_state before = path->state, after = next_states[before][event];

	path->state = (uint8_t)after;
	path->check.in_doubt = path->check.in_doubt && after == PATH_ACTIVE && event != PATH_EVENT_ANSWERED;
	if (event == PATH_EVENT_ANSWERED && after == PATH_ACTIVE) {
		path->verified = true;
		path->heard = now;
		path->failed_tries = 0;
	}
	if (after == before)
		return false;
	path->check.tries = 0;
	if (after == PATH_ACTIVE) {
		path->active_since = now;
		path->held_until = path->hold ? instant_after(now, path->hold) : 0;
		/* What was lost while it was silent says nothing about it now. */
		if (before == PATH_SILENT)
			path->loss = 0;
	} else if (after == PATH_SILENT && before == PATH_ACTIVE) {
		note_failure(path, now);
		path->next_try = now;
		forget_questions(path);
	} else if (after == PATH_DEPRECATED) {
		path->verified = false;
		forget_questions(path);
	}
	return true;
}

const char *path_state_name(path_state state)
{
	return (size_t)state < PATH_STATES ? state_names[state] : "";
}

const char *path_origin_name(path_origin origin)
{
	return (size_t)origin < sizeof origin_names / sizeof origin_names[0] ? origin_names[origin] : "";
}

/* ---- measuring ---- */

bool path_is_overdue(const struct path *path, instant now)
{
	duration jitter = 2 * path->variation > OVERDUE_LEAST ? 2 * path->variation : OVERDUE_LEAST;
	duration most = path->round_trip / 2 > OVERDUE_LEAST ? path->round_trip / 2 : OVERDUE_LEAST;

	duration wait = path->round_trip ? path->round_trip + (jitter < most ? jitter : most) : RETRANSMISSION_UNKNOWN;

	return path->asked && now >= instant_after(path->asked, wait);
}

void path_note_round_trip(struct path *path, duration measured)
{
	duration difference;

	if (!path->round_trip)
		path->samples_wanted = SAMPLES_WANTED;
	if (path->samples_wanted)
		path->samples_wanted--;
	if (!path->round_trip || path->samples_wanted == SAMPLES_WANTED - 1) {
		path->round_trip = measured;
		path->variation = measured / 2;
		return;
	}
	difference = measured > path->round_trip ? measured - path->round_trip : path->round_trip - measured;
	path->variation = (3 * path->variation + difference) / 4;
	path->round_trip = (7 * path->round_trip + measured) / 8;
}

void path_note_check(struct path *path, duration measured)
{
	if (path->round_trip && path->samples_wanted < SAMPLES_WANTED)
		return;
	path->round_trip = measured;
	path->variation = measured / 2;
	path->samples_wanted = SAMPLES_WANTED;
}

void path_note_question(struct path *path, bool answered)
{
	uint32_t loss = (uint32_t)path->loss * (16 - LOSS_WEIGHT) + (answered ? 0 : 1000 * LOSS_WEIGHT);

	path->loss = (uint16_t)(loss / 16);
}

duration path_retransmission(const struct path *path, unsigned tries)
{
	duration wait = path->round_trip ? path->round_trip + 4 * path->variation : RETRANSMISSION_UNKNOWN;

	if (wait < RETRANSMISSION_LEAST)
		wait = RETRANSMISSION_LEAST;
	while (tries-- > 1 && wait < RETRANSMISSION_MOST)
		wait *= 2;
	return wait < RETRANSMISSION_MOST ? wait : RETRANSMISSION_MOST;
}
