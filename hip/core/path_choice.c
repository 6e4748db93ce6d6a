/* SPDX-License-Identifier: MIT */
/*
 * Which path is used: first what works, then what the configuration of our links says, then what the peer prefers, then
 * what was measured. What is only measured must be better by more than noise, and a path that has failed before must
 * work for a while, so that the choice does not flap.
 */
#include "hip/core/path.h"

/* A round trip is better when it is less than so many of 16 of the other, and by so much more than both vary. */
#define ROUND_TRIP_OF_16 11
#define ROUND_TRIP_LEAST MILLISECONDS(10)
/* The peer likes a locator by so much less (local preference, candidates.c) when it avoids it or pays for it. */
#define PREFERENCE_MINDED 4000U
/* So much more of a hundred questions lost is worse, per mille. */
#define LOSS_NOTABLE 150
/* A path that was chosen by what was measured is not left for the same reason before. */
#define MEASURED_REST SECONDS(10)

static const char *const reason_names[HANDOVER_REASONS] = {"none", "link gone", "deprecated", "silent", "better path"};

const char *handover_reason_name(handover_reason reason)
{
	return (size_t)reason < HANDOVER_REASONS ? reason_names[reason] : "";
}

/* Whether one link can die and leave the other path alive: surely, probably, perhaps, no. Two addresses of the peer are
 * more often those of two links when they are of one family. */
static int difference(const struct path *a, const struct path *b)
{
	bool other_link =
		a->interface && b->interface ? a->interface != b->interface : !address_equal(&a->local.address, &b->local.address);

	if (other_link)
		return 3;
	if (address_equal(&a->remote.address, &b->remote.address))
		return 0;
	return address_is_ipv4(&a->remote.address) == address_is_ipv4(&b->remote.address) ? 2 : 1;
}

/* How well it can be used now, whatever anybody likes; the greater the better. When a link dies, all paths by it do:
 * that one which is not used is alive is the surer the less is unanswered on it, and the less it has in common with the
 * one in use. */
static int usability(const struct path_set *set, const struct path *path, instant now)
{
	const struct path *current = path_set_current(set);

	if (path->link_gone)
		return 0;
	if (path->state == PATH_DEPRECATED)
		return 1;
	/* HIP goes the way of the data: what data may not use is the last that is not gone. */
	if (path->signaling_only)
		return 2;
	switch ((path_state)path->state) {
	case PATH_ACTIVE:
		if (path == current || !path->asked)
			return 9;
		if (path_is_overdue(path, now))
			return 6;
		return difference(path, current) >= 2 ? 8 : 7;
	case PATH_UNVERIFIED:
		return path->verified ? 5 : 4;
	default:
		return 3;
	}
}

static int liking(const struct path *path)
{
	static const int likings[] = {[LINK_NORMAL] = 1, [LINK_PREFER] = 2, [LINK_AVOID] = 0};

	return path->preference <= LINK_AVOID ? likings[path->preference] : 1;
}

/* Greater than 0: `a` is better. What we want of our links comes before what the peer wants of its own. */
static int compare_policy(const struct path *a, const struct path *b)
{
	if (liking(a) != liking(b))
		return liking(a) - liking(b);
	if (a->metered != b->metered)
		return b->metered - a->metered;
	if (a->cost != b->cost)
		return b->cost - a->cost;
	if (a->preferred != b->preferred)
		return a->preferred - b->preferred;
	return (a->priority > b->priority) - (a->priority < b->priority);
}

static bool is_notably_better(const struct path *a, const struct path *b)
{
	if (a->loss + LOSS_NOTABLE < b->loss)
		return true;
	if (b->loss + LOSS_NOTABLE < a->loss || !a->round_trip || !b->round_trip || a->samples_wanted ||
		b->samples_wanted)
		return false;
	return a->round_trip + ROUND_TRIP_LEAST + (a->variation + b->variation) / 2 < b->round_trip &&
	       16 * a->round_trip < ROUND_TRIP_OF_16 * b->round_trip;
}

static bool is_held(const struct path *path, instant now)
{
	return path->held_until && now < path->held_until;
}

/* How much better `a` is, whatever was measured. */
static int compare(const struct path_set *set, const struct path *a, const struct path *b, instant now)
{
	int usable_a = usability(set, a, now), usable_b = usability(set, b, now);

	if (usable_a != usable_b)
		return usable_a - usable_b;
	if (is_held(a, now) != is_held(b, now))
		return is_held(b, now) - is_held(a, now);
	return compare_policy(a, b);
}

static bool rests(const struct path_set *set, instant now)
{
	return set->measured && now < instant_after(set->measured, MEASURED_REST);
}

/* Whether to go from `old` to `new`. */
static bool is_better(const struct path_set *set, const struct path *new, const struct path *old, instant now)
{
	int known = compare(set, new, old, now);

	if (known)
		return known > 0;
	return !(old == path_set_current(set) && rests(set, now)) && is_notably_better(new, old);
}

size_t path_set_choose(const struct path_set *set, instant now)
{
	size_t best = set->current;

	for (size_t i = 0; i < set->count; i++) {
		if (i != best && is_better(set, &set->items[i], &set->items[best], now))
			best = i;
	}
	return best;
}

handover_reason path_set_reason(const struct path_set *set, size_t place)
{
	const struct path *current = path_set_current(set);

	if (place == set->current)
		return HANDOVER_NONE;
	if (current->link_gone)
		return HANDOVER_LINK_GONE;
	if (current->state == PATH_DEPRECATED)
		return HANDOVER_DEPRECATED;
	return current->state == PATH_SILENT ? HANDOVER_SILENT : HANDOVER_BETTER;
}

bool path_set_is_measured(const struct path_set *set, size_t place, instant now)
{
	return place != set->current && compare(set, &set->items[place], path_set_current(set), now) == 0;
}

bool path_carries_more(const struct path *path)
{
	return path->state == PATH_ACTIVE && !path->link_gone && !path->signaling_only &&
	       path->preference != LINK_AVOID && !path->metered;
}

/* ---- several at once ---- */

static bool peer_minds(const struct path *path, const struct path *current)
{
	return (path->priority >> 8 & 0xffff) + PREFERENCE_MINDED < (current->priority >> 8 & 0xffff);
}

static int least_difference(const struct path_set *set, size_t place, const uint8_t *more, size_t count)
{
	int least = difference(&set->items[place], path_set_current(set));

	for (size_t i = 0; i < count; i++) {
		int other = difference(&set->items[place], &set->items[more[i]]);

		least = other < least ? other : least;
	}
	return least;
}

size_t path_set_choose_more(const struct path_set *set, uint8_t *more, size_t most)
{
	size_t count = 0;

	while (count < most) {
		size_t best = set->current;
		int most_different = 0;

		for (size_t i = 0; i < set->count; i++) {
			int different = least_difference(set, i, more, count);

			if (different <= most_different || !path_carries_more(&set->items[i]) ||
				peer_minds(&set->items[i], path_set_current(set)))
				continue;
			most_different = different;
			best = i;
		}
		if (best == set->current)
			break;
		more[count++] = (uint8_t)best;
	}
	return count;
}
