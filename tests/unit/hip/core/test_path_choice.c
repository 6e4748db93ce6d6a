/* SPDX-License-Identifier: MIT */
/* Which of several paths is used, and why. */
#include "hip/core/path.h"

#include "tests/unit/cmocka.h"

#define NOW SECONDS(1000)

/* Two paths, alike: the first one is used. */
struct pair {
	struct path items[2];
	struct path_set set;
};

static struct pair *alike(struct pair *pair)
{
	for (size_t i = 0; i < 2; i++) {
		pair->items[i] = (struct path){.state = PATH_ACTIVE,
			.verified = true,
			.expires = INSTANT_NEVER,
			.round_trip = MILLISECONDS(50),
			.priority = 1000};
	}
	pair->set = (struct path_set){.items = pair->items, .count = 2, .capacity = 2};
	return pair;
}

/* Whether it goes from the first to the second, and, with the second in use, stays there. */
static bool is_left(const struct pair *pair)
{
	struct path_set back = pair->set;

	back.current = 1;
	assert_int_equal(path_set_choose(&back, NOW), 1);
	return path_set_choose(&pair->set, NOW) == 1;
}

static void alike_nothing_changes(void **state)
{
	struct pair pair;

	(void)state;
	assert_false(is_left(alike(&pair)));
}

/* ---- what works ---- */

/* From the best to the worst: a path in each of these conditions. */
static const struct path conditions[] = {
	{.state = PATH_ACTIVE, .verified = true},
	{.state = PATH_UNVERIFIED, .verified = true},
	{.state = PATH_UNVERIFIED},
	{.state = PATH_SILENT, .verified = true},
	{.state = PATH_ACTIVE, .verified = true, .signaling_only = true}, /* RFC 8046 section 4.1, traffic type 1 */
	{.state = PATH_DEPRECATED},
	{.state = PATH_ACTIVE, .verified = true, .link_gone = true},
};
#define CONDITIONS (sizeof conditions / sizeof conditions[0])

/* conforms: RFC8046-4-3 RFC8046-5.4-5 RFC8046-5.5-1 RFC8047-5.3-1 RFC8047-5.4-1 */
static void what_works_comes_before_all_else(void **state)
{
	(void)state;
	for (size_t good = 0; good < CONDITIONS; good++) {
		for (size_t bad = good + 1; bad < CONDITIONS; bad++) {
			struct path items[2] = {conditions[bad], conditions[good]};
			struct path_set set = {.items = items, .count = 2};

			items[0].preference = LINK_PREFER;
			items[0].preferred = true;
			items[0].priority = UINT32_MAX;
			items[1].preference = LINK_AVOID;
			items[1].metered = true;
			items[1].held_until = NOW + 1;
			assert_int_equal(path_set_choose(&set, NOW), 1);
			set.current = 1;
			assert_int_equal(path_set_choose(&set, NOW), 1);
		}
	}
}

/* When a link dies, so do all paths by it: what has answered comes first, then what may still answer. */
static void who_has_not_answered_comes_later(void **state)
{
	struct pair pair;
	struct path items[3];
	struct path_set set = {.items = items, .count = 3};

	(void)state;
	alike(&pair);
	items[0] = items[1] = items[2] = pair.items[0];
	items[0].state = PATH_SILENT;
	items[1].preference = LINK_PREFER;
	assert_int_equal(path_set_choose(&set, NOW), 1);
	items[1].asked = NOW - MILLISECONDS(100);
	assert_int_equal(path_set_choose(&set, NOW), 2);
	items[2].asked = NOW - MILLISECONDS(10);
	assert_int_equal(path_set_choose(&set, NOW), 2);
	items[1].asked = NOW - MILLISECONDS(10);
	assert_int_equal(path_set_choose(&set, NOW), 1);
	/* Of two that may still answer, the one by another link. */
	items[2].interface = 2;
	items[0].interface = items[1].interface = 1;
	assert_int_equal(path_set_choose(&set, NOW), 2);
	/* The one in use stays in use. */
	items[0].state = PATH_ACTIVE;
	items[0].asked = NOW - MILLISECONDS(100);
	items[1].preference = LINK_NORMAL;
	items[1].asked = 0;
	assert_int_equal(path_set_choose(&set, NOW), 0);
}

/* ---- policy ---- */

static void the_configuration_of_our_links_comes_first(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].preferred = true;
	pair.items[0].priority = UINT32_MAX;
	pair.items[0].round_trip = MILLISECONDS(1);
	pair.items[1].preference = LINK_PREFER;
	assert_true(is_left(&pair));
	pair.items[0].preference = LINK_AVOID;
	pair.items[1].preference = LINK_NORMAL;
	assert_true(is_left(&pair));
	/* A number that is no preference is the usual one. */
	pair.items[1].preference = 77;
	assert_true(is_left(&pair));
}

static void metered_links_are_left(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].metered = true;
	pair.items[0].preferred = true;
	pair.items[1].cost = 100;
	assert_true(is_left(&pair));
	pair.items[0].preference = LINK_PREFER;
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
}

static void the_cheapest_is_used(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].cost = 20;
	pair.items[1].cost = 10;
	pair.items[0].preferred = true;
	assert_true(is_left(&pair));
}

/* conforms: RFC8046-5.3-7 RFC8047-5.2-4 */
static void the_peer_says_what_it_prefers(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].priority = UINT32_MAX;
	pair.items[1].preferred = true;
	assert_true(is_left(&pair));
	alike(&pair);
	pair.items[1].priority = 1001;
	assert_true(is_left(&pair));
}

/* conforms: RFC8046-5.3-9 */
static void what_is_listed_comes_before_what_was_observed(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].priority = 110U << 24; /* the types of RFC 8445 section 5.1.2.2 */
	pair.items[1].priority = 126U << 24;
	assert_true(is_left(&pair));
}

/* ---- what was measured ---- */

static bool is_left_for_round_trips(duration old, duration new)
{
	struct pair pair;

	alike(&pair);
	pair.items[0].round_trip = old;
	pair.items[1].round_trip = new;
	return is_left(&pair);
}

static void a_round_trip_must_be_notably_shorter(void **state)
{
	(void)state;
	assert_true(is_left_for_round_trips(MILLISECONDS(100), MILLISECONDS(50)));
	assert_true(is_left_for_round_trips(MILLISECONDS(100), MILLISECONDS(68)));
	assert_false(is_left_for_round_trips(MILLISECONDS(100), MILLISECONDS(69)));
	/* A few milliseconds are nothing, however large a part they are. */
	assert_false(is_left_for_round_trips(MILLISECONDS(12), MILLISECONDS(2)));
	assert_true(is_left_for_round_trips(MILLISECONDS(13), MILLISECONDS(2)));
	/* Nothing is known of one of them. */
	assert_false(is_left_for_round_trips(MILLISECONDS(100), 0));
	assert_false(is_left_for_round_trips(0, MILLISECONDS(1)));
}

static void loss_comes_before_round_trips(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].loss = 151;
	pair.items[1].round_trip = SECONDS(1);
	assert_true(is_left(&pair));
	pair.items[0].loss = 150;
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
	pair.items[0].loss = 0;
	pair.items[1].loss = 151;
	pair.items[1].round_trip = MILLISECONDS(1);
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
}

/* One late answer is in the variation as well; and what has not been asked often enough is not compared. */
static void what_varies_is_not_compared(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[0].round_trip = MILLISECONDS(100);
	pair.items[0].variation = MILLISECONDS(81);
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
	pair.items[0].variation = MILLISECONDS(20);
	assert_int_equal(path_set_choose(&pair.set, NOW), 1);
	pair.items[1].samples_wanted = 1;
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
}

static void who_was_chosen_by_measuring_rests(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	assert_true(path_set_is_measured(&pair.set, 1, NOW));
	pair.set.measured = NOW - SECONDS(5);
	pair.items[0].round_trip = MILLISECONDS(200);
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
	assert_int_equal(path_set_choose(&pair.set, NOW + SECONDS(5)), 1);
	/* What works, and policy, do not wait. */
	pair.items[1].preference = LINK_PREFER;
	assert_false(path_set_is_measured(&pair.set, 1, NOW));
	assert_int_equal(path_set_choose(&pair.set, NOW), 1);
	pair.items[1].preference = LINK_NORMAL;
	pair.items[0].state = PATH_SILENT;
	assert_int_equal(path_set_choose(&pair.set, NOW), 1);
}

/* Two that take turns in being a bit better never make it flap. */
static void noise_changes_nothing(void **state)
{
	struct pair pair;
	unsigned changes = 0;

	(void)state;
	alike(&pair);
	for (unsigned i = 0; i < 1000; i++) {
		size_t chosen;

		pair.items[i % 2].round_trip = MILLISECONDS(40);
		pair.items[(i + 1) % 2].round_trip = MILLISECONDS(55);
		pair.items[i % 2].loss = 140;
		pair.items[(i + 1) % 2].loss = 0;
		chosen = path_set_choose(&pair.set, NOW + i);
		changes += chosen != pair.set.current;
		pair.set.current = (uint8_t)chosen;
	}
	assert_int_equal(changes, 0);
}

/* ---- after failures ---- */

static void a_path_that_failed_must_work_for_a_while(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	pair.items[1].preference = LINK_PREFER;
	pair.items[1].held_until = NOW + SECONDS(3);
	assert_int_equal(path_set_choose(&pair.set, NOW + SECONDS(3) - 1), 0);
	assert_int_equal(path_set_choose(&pair.set, NOW + SECONDS(3)), 1);
	/* What is used and has failed before is left for what has not. */
	alike(&pair);
	pair.items[0].preference = LINK_PREFER;
	pair.items[0].held_until = NOW + 1;
	assert_int_equal(path_set_choose(&pair.set, NOW), 1);
	/* Both have: policy again. */
	pair.items[1].held_until = NOW + SECONDS(100);
	assert_int_equal(path_set_choose(&pair.set, NOW), 0);
}

/* A link that fails every two seconds: it is used ever more seldom, though it is liked most. */
static void flapping_dies_down(void **state)
{
	struct pair pair;
	instant now = NOW;
	unsigned changes = 0;

	(void)state;
	alike(&pair);
	pair.items[1].preference = LINK_PREFER;
	for (unsigned i = 0; i < 3000; i++, now += SECONDS(1)) {
		size_t chosen;

		path_happens(&pair.items[1], i % 2 ? PATH_EVENT_ANSWERED : PATH_EVENT_UNANSWERED, now);
		chosen = path_set_choose(&pair.set, now);
		changes += chosen != pair.set.current;
		pair.set.current = (uint8_t)chosen;
	}
	assert_in_range(changes, 0, 4);
}

/* ---- reasons ---- */

static void reasons(void **state)
{
	struct pair pair;

	(void)state;
	alike(&pair);
	assert_int_equal(path_set_reason(&pair.set, 0), HANDOVER_NONE);
	assert_int_equal(path_set_reason(&pair.set, 1), HANDOVER_BETTER);
	pair.items[0].state = PATH_SILENT;
	assert_int_equal(path_set_reason(&pair.set, 1), HANDOVER_SILENT);
	pair.items[0].state = PATH_DEPRECATED;
	assert_int_equal(path_set_reason(&pair.set, 1), HANDOVER_DEPRECATED);
	pair.items[0].link_gone = true;
	assert_int_equal(path_set_reason(&pair.set, 1), HANDOVER_LINK_GONE);
	assert_string_equal(handover_reason_name(HANDOVER_NONE), "none");
	assert_string_equal(handover_reason_name(HANDOVER_LINK_GONE), "link gone");
	assert_string_equal(handover_reason_name(HANDOVER_DEPRECATED), "deprecated");
	assert_string_equal(handover_reason_name(HANDOVER_SILENT), "silent");
	assert_string_equal(handover_reason_name(HANDOVER_BETTER), "better path");
	assert_string_equal(handover_reason_name(HANDOVER_REASONS), "");
}

static void what_carries_more(void **state)
{
	struct path path = {.state = PATH_ACTIVE};

	(void)state;
	assert_true(path_carries_more(&path));
	path.preference = LINK_AVOID;
	assert_false(path_carries_more(&path));
	path = (struct path){.state = PATH_ACTIVE, .metered = true};
	assert_false(path_carries_more(&path));
	path = (struct path){.state = PATH_ACTIVE, .link_gone = true};
	assert_false(path_carries_more(&path));
	path = (struct path){.state = PATH_UNVERIFIED, .verified = true};
	assert_false(path_carries_more(&path));
	path = (struct path){.state = PATH_ACTIVE, .signaling_only = true};
	assert_false(path_carries_more(&path));
}

/* ---- several at once ---- */

static struct endpoint at(const char *text)
{
	struct endpoint endpoint = {.transport = TRANSPORT_UDP, .port = 10500};

	assert_true(address_parse(text, &endpoint.address) == HIPHOP_OK);
	return endpoint;
}

static struct path between(const char *local, uint32_t interface, const char *remote)
{
	return (struct path){.local = at(local),
		.remote = at(remote),
		.interface = interface,
		.state = PATH_ACTIVE,
		.verified = true,
		.priority = 126U << 24 | 32767U << 8};
}

static void a_copy_goes_by_another_link(void **state)
{
	struct path items[] = {between("192.0.2.1", 1, "203.0.113.1"), between("192.0.2.1", 1, "203.0.113.1"),
		between("2001:db8::1", 1, "2001:db8:9::1"), between("198.51.100.1", 2, "203.0.113.1")};
	struct path_set set = {.items = items, .count = 4};
	uint8_t more[3] = {0};

	(void)state;
	assert_int_equal(path_set_choose_more(&set, more, 1), 1);
	assert_int_equal(more[0], 3);
	/* Flows may go by the other family as well, but never twice the same way. */
	assert_int_equal(path_set_choose_more(&set, more, 3), 2);
	assert_int_equal(more[1], 2);
	items[3].metered = true;
	assert_int_equal(path_set_choose_more(&set, more, 1), 1);
	assert_int_equal(more[0], 2);
}

/* The peer's links are told apart by their addresses alone. */
static void a_copy_goes_to_another_link_of_the_peer(void **state)
{
	struct path items[] = {between("203.0.113.1", 1, "192.0.2.1"), between("2001:db8:9::1", 1, "2001:db8::1"),
		between("203.0.113.1", 1, "198.51.100.1")};
	struct path_set set = {.items = items, .count = 3};
	uint8_t more[3] = {0};

	(void)state;
	assert_int_equal(path_set_choose_more(&set, more, 1), 1);
	assert_int_equal(more[0], 2);
	/* Where a packet was seen to come from is as good as what was listed. */
	items[2].priority = 110U << 24 | 32767U << 8;
	assert_int_equal(path_set_choose_more(&set, more, 1), 1);
	assert_int_equal(more[0], 2);
	/* That one costs the peer money, or it avoids it. */
	items[2].priority -= 8000U << 8;
	assert_int_equal(path_set_choose_more(&set, more, 1), 1);
	assert_int_equal(more[0], 1);
	items[1].state = PATH_SILENT;
	assert_int_equal(path_set_choose_more(&set, more, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alike_nothing_changes),
		cmocka_unit_test(what_works_comes_before_all_else),
		cmocka_unit_test(who_has_not_answered_comes_later),
		cmocka_unit_test(the_configuration_of_our_links_comes_first),
		cmocka_unit_test(metered_links_are_left),
		cmocka_unit_test(the_cheapest_is_used),
		cmocka_unit_test(the_peer_says_what_it_prefers),
		cmocka_unit_test(what_is_listed_comes_before_what_was_observed),
		cmocka_unit_test(a_round_trip_must_be_notably_shorter),
		cmocka_unit_test(loss_comes_before_round_trips),
		cmocka_unit_test(what_varies_is_not_compared),
		cmocka_unit_test(who_was_chosen_by_measuring_rests),
		cmocka_unit_test(noise_changes_nothing),
		cmocka_unit_test(a_path_that_failed_must_work_for_a_while),
		cmocka_unit_test(flapping_dies_down),
		cmocka_unit_test(reasons),
		cmocka_unit_test(what_carries_more),
		cmocka_unit_test(a_copy_goes_by_another_link),
		cmocka_unit_test(a_copy_goes_to_another_link_of_the_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
