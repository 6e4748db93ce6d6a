/* SPDX-License-Identifier: MIT */
/* Paths: the set, every cell of the table of states, and what is measured. */
#include "hip/core/path.h"

#include "tests/unit/cmocka.h"

#include <string.h>

#define NOW SECONDS(1000)

static struct endpoint at(uint8_t last)
{
	return (struct endpoint){.address = {{[10] = 255, 255, 192, 0, 2, last}}, .port = 10500};
}

static struct path *add(struct path_set *set, uint8_t local, uint8_t remote)
{
	const struct endpoint from = at(local), to = at(remote);

	return path_set_add(set, &from, &to);
}

/* ---- the set ---- */

static void a_set_grows_to_its_end(void **state)
{
	struct path_set set = {0};

	(void)state;
	for (uint8_t i = 0; i < PATHS_MAXIMUM; i++) {
		const struct path *path = add(&set, 1, (uint8_t)(10 + i));

		assert_non_null(path);
		assert_int_equal(path->state, PATH_UNVERIFIED);
		assert_false(path->verified);
		assert_true(path->expires == INSTANT_NEVER);
	}
	assert_null(add(&set, 1, 99));
	assert_int_equal(set.count, PATHS_MAXIMUM);
	path_set_free(&set);
	assert_int_equal(set.count, 0);
	assert_null(set.items);
}

static void the_current_one_stays_when_others_go(void **state)
{
	struct path_set set = {0};
	const struct endpoint third = at(13);

	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		assert_non_null(add(&set, 1, (uint8_t)(10 + i)));
	set.current = 3;
	path_set_remove(&set, 0);
	path_set_remove(&set, 3);
	assert_int_equal(set.count, 3);
	assert_int_equal(set.current, 2);
	assert_true(endpoint_equal(&path_set_current(&set)->remote, &third));
	path_set_free(&set);
}

static void a_path_is_found_by_both_its_ends(void **state)
{
	struct path_set set = {0};
	const struct endpoint one = at(1), two = at(2), peer = at(10), other = at(11);
	struct endpoint port = at(10);

	(void)state;
	assert_non_null(add(&set, 1, 10));
	port.port = 4500;
	assert_ptr_equal(path_set_find(&set, &one, &peer), &set.items[0]);
	assert_null(path_set_find(&set, &two, &peer));
	assert_null(path_set_find(&set, &one, &other));
	assert_null(path_set_find(&set, &one, &port));
	memset(&set.items[0].local.address, 0, sizeof set.items[0].local.address);
	assert_ptr_equal(path_set_find(&set, &two, &peer), &set.items[0]);
	path_set_free(&set);
}

/* It is the peer's locator that is verified, not the way there. */
static void a_verified_locator_is_so_on_new_paths(void **state)
{
	struct path_set set = {0};

	(void)state;
	add(&set, 1, 10)->verified = true;
	assert_true(add(&set, 2, 10)->verified);
	assert_false(add(&set, 2, 11)->verified);
	assert_int_equal(set.items[1].state, PATH_UNVERIFIED);
	path_set_free(&set);
}

/* ---- states ---- */

static const char letters[] = "UASD";

/* What follows, by letter: a row for each state, its events in the order of path_event. */
static const char *const expected[PATH_STATES] = {
	[PATH_UNVERIFIED] = "UDASU",
	[PATH_ACTIVE] = "ADASU",
	[PATH_SILENT] = "SDASS",
	[PATH_DEPRECATED] = "UDDDD",
};

/* conforms: RFC8046-5.1-1 RFC8046-5.4-2 */
static void every_cell_of_the_table(void **state)
{
	(void)state;
	for (unsigned from = 0; from < PATH_STATES; from++) {
		for (unsigned event = 0; event < PATH_EVENTS; event++) {
			struct path path = {.state = (uint8_t)from, .verified = from != PATH_DEPRECATED};
			const path_state after = path_next_state((path_state)from, (path_event)event);

			assert_int_equal(letters[after], expected[from][event]);
			assert_int_equal(path_happens(&path, (path_event)event, NOW), after != from);
			assert_int_equal(path.state, after);
			assert_int_equal(path.verified, after != PATH_DEPRECATED && from != PATH_DEPRECATED);
		}
	}
}

static void an_answer_verifies(void **state)
{
	struct path path = {.check = {.tries = 3}, .failed_tries = 4};

	(void)state;
	assert_true(path_happens(&path, PATH_EVENT_ANSWERED, NOW));
	assert_true(path.verified);
	assert_int_equal(path.heard, NOW);
	assert_int_equal(path.active_since, NOW);
	assert_int_equal(path.check.tries, 0);
	assert_int_equal(path.failed_tries, 0);
	assert_int_equal(path.held_until, 0);
	assert_false(path_happens(&path, PATH_EVENT_ANSWERED, NOW + 5));
	assert_int_equal(path.heard, NOW + 5);
	assert_int_equal(path.active_since, NOW);
}

/* conforms: RFC8046-5.1-1 */
static void what_was_taken_back_is_verified_anew(void **state)
{
	struct path path = {.state = PATH_ACTIVE, .verified = true};

	(void)state;
	assert_true(path_happens(&path, PATH_EVENT_UNLISTED, NOW));
	assert_false(path.verified);
	assert_false(path_happens(&path, PATH_EVENT_ANSWERED, NOW));
	assert_false(path.verified);
	assert_true(path_happens(&path, PATH_EVENT_LISTED, NOW));
	assert_int_equal(path.state, PATH_UNVERIFIED);
	assert_false(path.verified);
}

/* How long it is not trusted after the nth failure in a row, each a second of work apart. */
static duration hold_after(struct path *path, instant *now)
{
	path_happens(path, PATH_EVENT_UNANSWERED, *now);
	*now += SECONDS(1);
	path_happens(path, PATH_EVENT_ANSWERED, *now);
	return path->held_until - *now;
}

static void a_path_that_fails_again_waits_longer(void **state)
{
	struct path path = {.state = PATH_ACTIVE, .active_since = NOW};
	instant now = NOW;
	duration last;

	(void)state;
	assert_int_equal(hold_after(&path, &now), SECONDS(3));
	assert_int_equal(hold_after(&path, &now), SECONDS(6));
	assert_int_equal(hold_after(&path, &now), SECONDS(12));
	for (int i = 0; i < 40; i++)
		last = hold_after(&path, &now);
	assert_true(last >= SECONDS(300) && last <= SECONDS(600));
	/* It has worked for long since. */
	now += SECONDS(601);
	assert_int_equal(hold_after(&path, &now), SECONDS(3));
}

static void an_unverified_path_that_fails_is_not_held(void **state)
{
	struct path path = {0};

	(void)state;
	assert_true(path_happens(&path, PATH_EVENT_UNANSWERED, NOW));
	assert_int_equal(path.state, PATH_SILENT);
	assert_true(path_happens(&path, PATH_EVENT_ANSWERED, NOW));
	assert_int_equal(path.held_until, 0);
}

static void a_silent_path_forgets_its_questions(void **state)
{
	struct path path = {.state = PATH_ACTIVE,
		.asked = NOW,
		.question_count = 3,
		.questions = {{.nonce = 1, .sent = NOW}},
		.check = {.tries = 2}};

	(void)state;
	assert_true(path_happens(&path, PATH_EVENT_UNANSWERED, NOW));
	assert_int_equal(path.asked, 0);
	assert_int_equal(path.question_count, 0);
	assert_int_equal(path.questions[0].sent, 0);
	assert_int_equal(path.check.tries, 0);
	assert_int_equal(path.next_try, NOW);
	path.loss = 300;
	assert_true(path_happens(&path, PATH_EVENT_ANSWERED, NOW));
	assert_int_equal(path.loss, 0);
}

static void answers_are_overdue_in_time(void **state)
{
	struct path path = {.round_trip = MILLISECONDS(50)};

	(void)state;
	assert_false(path_is_overdue(&path, NOW));
	path.asked = NOW;
	assert_false(path_is_overdue(&path, NOW + MILLISECONDS(69)));
	assert_true(path_is_overdue(&path, NOW + MILLISECONDS(70)));
	/* When answers vary, up to half a round trip more. */
	path.variation = MILLISECONDS(11);
	assert_false(path_is_overdue(&path, NOW + MILLISECONDS(71)));
	path.variation = SECONDS(1);
	assert_true(path_is_overdue(&path, NOW + MILLISECONDS(75)));
	path.round_trip = 0;
	assert_false(path_is_overdue(&path, NOW + MILLISECONDS(499)));
	assert_true(path_is_overdue(&path, NOW + MILLISECONDS(500)));
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(path_state_name(PATH_UNVERIFIED), "UNVERIFIED");
	assert_string_equal(path_state_name(PATH_ACTIVE), "ACTIVE");
	assert_string_equal(path_state_name(PATH_SILENT), "SILENT");
	assert_string_equal(path_state_name(PATH_DEPRECATED), "DEPRECATED");
	assert_string_equal(path_state_name(PATH_STATES), "");
	assert_string_equal(path_origin_name(PATH_BY_EXCHANGE), "base exchange");
	assert_string_equal(path_origin_name(PATH_BY_LOCATOR_SET), "locator set");
	assert_string_equal(path_origin_name(PATH_BY_OBSERVATION), "observation");
	assert_string_equal(path_origin_name((path_origin)3), "");
}

/* ---- measuring ---- */

static void the_round_trip_is_smoothed(void **state)
{
	struct path path = {0};

	(void)state;
	path_note_round_trip(&path, MILLISECONDS(80));
	assert_int_equal(path.round_trip, MILLISECONDS(80));
	assert_int_equal(path.variation, MILLISECONDS(40));
	path_note_round_trip(&path, MILLISECONDS(160));
	assert_int_equal(path.round_trip, MILLISECONDS(90));
	assert_int_equal(path.variation, MILLISECONDS(50));
	path_note_round_trip(&path, MILLISECONDS(10));
	assert_int_equal(path.round_trip, MILLISECONDS(80));
	assert_int_equal(path.variation, (3 * MILLISECONDS(50) + MILLISECONDS(80)) / 4);
	for (int i = 0; i < 100; i++)
		path_note_round_trip(&path, MILLISECONDS(20));
	assert_true(path.round_trip < MILLISECONDS(21) && path.round_trip >= MILLISECONDS(20));
	assert_true(path.variation < MILLISECONDS(1));
}

/* A check has the work for signatures in it, and one answer may have waited anywhere. */
static void a_check_counts_until_questions_are_answered(void **state)
{
	struct path path = {0};

	(void)state;
	path_note_check(&path, MILLISECONDS(80));
	assert_true(path.round_trip == MILLISECONDS(80));
	path_note_check(&path, MILLISECONDS(90));
	assert_true(path.round_trip == MILLISECONDS(90));
	for (unsigned wanted = 3; wanted > 0; wanted--) {
		assert_int_equal(path.samples_wanted, wanted);
		path_note_round_trip(&path, MILLISECONDS(20));
	}
	assert_int_equal(path.samples_wanted, 0);
	assert_true(path.round_trip == MILLISECONDS(20));
	path_note_check(&path, MILLISECONDS(80));
	assert_true(path.round_trip == MILLISECONDS(20));
}

static void loss_follows_what_is_answered(void **state)
{
	struct path path = {0};

	(void)state;
	path_note_question(&path, false);
	assert_int_equal(path.loss, 62);
	for (int i = 0; i < 100; i++)
		path_note_question(&path, false);
	assert_in_range(path.loss, 980, 1000);
	for (int i = 0; i < 200; i++)
		path_note_question(&path, true);
	assert_in_range(path.loss, 0, 15);
	for (int i = 0; i < 400; i++)
		path_note_question(&path, i % 4 != 0);
	assert_in_range(path.loss, 150, 350);
}

static void what_is_sent_again_waits_ever_longer(void **state)
{
	struct path path = {0};

	(void)state;
	assert_int_equal(path_retransmission(&path, 1), MILLISECONDS(500));
	assert_int_equal(path_retransmission(&path, 2), SECONDS(1));
	assert_int_equal(path_retransmission(&path, 3), SECONDS(2));
	assert_int_equal(path_retransmission(&path, 4), SECONDS(4));
	assert_int_equal(path_retransmission(&path, 255), SECONDS(4));
	path.round_trip = MILLISECONDS(60);
	path.variation = MILLISECONDS(30);
	assert_int_equal(path_retransmission(&path, 1), MILLISECONDS(180));
	assert_int_equal(path_retransmission(&path, 2), MILLISECONDS(360));
	path.variation = 0;
	path.round_trip = MILLISECONDS(1);
	assert_int_equal(path_retransmission(&path, 0), MILLISECONDS(100));
	path.round_trip = SECONDS(20);
	assert_int_equal(path_retransmission(&path, 1), SECONDS(4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_grows_to_its_end),
		cmocka_unit_test(the_current_one_stays_when_others_go),
		cmocka_unit_test(a_path_is_found_by_both_its_ends),
		cmocka_unit_test(a_verified_locator_is_so_on_new_paths),
		cmocka_unit_test(every_cell_of_the_table),
		cmocka_unit_test(an_answer_verifies),
		cmocka_unit_test(what_was_taken_back_is_verified_anew),
		cmocka_unit_test(a_path_that_fails_again_waits_longer),
		cmocka_unit_test(an_unverified_path_that_fails_is_not_held),
		cmocka_unit_test(a_silent_path_forgets_its_questions),
		cmocka_unit_test(names),
		cmocka_unit_test(the_round_trip_is_smoothed),
		cmocka_unit_test(a_check_counts_until_questions_are_answered),
		cmocka_unit_test(answers_are_overdue_in_time),
		cmocka_unit_test(loss_follows_what_is_answered),
		cmocka_unit_test(what_is_sent_again_waits_ever_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
