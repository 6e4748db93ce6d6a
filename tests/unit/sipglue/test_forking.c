/* SPDX-License-Identifier: MIT */
/** Several phones under one name (RFC 3261 sections 16.6 and 16.7). */
#include "call_world.h"

#define CELL 5081
#define HALL 5082

static int start_three(void **state)
{
	start(state);
	register_phone(b, "bob", CELL, "");
	register_phone(b, "bob", HALL, ";q=0.5");
	return 0;
}

static void answer(const char *request, const char *status)
{
	reply(&world, b, letter_with(b, request), request, status, "t", "Contact: <sip:bob@[2001:22::b]:5080>\n", "");
}

static void test_equal_ones_at_once_and_the_rest_after(void **state)
{
	(void)state;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *desk = expect(b, BOB, "INVITE sip:bob@[2001:22::b]:5080");
	const char *cell = expect(b, CELL, "INVITE sip:bob@[2001:22::b]:5081");
	expect_nothing(b, HALL);
	answer(desk, "486 Busy Here");
	expect(b, BOB, "ACK ");
	expect_nothing(b, HALL);
	answer(cell, "480 Temporarily Unavailable");
	expect(b, CELL, "ACK ");
	const char *hall = expect(b, HALL, "INVITE sip:bob@[2001:22::b]:5082");
	expect_nothing(a, ALICE);
	answer(hall, "401 Unauthorized");
	expect(a, ALICE, "SIP/2.0 401 "); /* tells the caller how to do better */
}

static void test_one_answers_and_the_others_are_cancelled(void **state)
{
	(void)state;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *desk = expect(b, BOB, "INVITE ");
	const char *cell = expect(b, CELL, "INVITE ");
	answer(desk, "180 Ringing");
	answer(cell, "183 Session Progress");
	expect(a, ALICE, "SIP/2.0 180 ");
	expect(a, ALICE, "SIP/2.0 183 ");
	answer(cell, "200 OK");
	expect(a, ALICE, "SIP/2.0 200 ");
	const char *cancel = expect(b, BOB, "CANCEL ");
	answer(cancel, "200 OK");
	answer(desk, "487 Request Terminated");
	expect(b, BOB, "ACK ");
	expect_nothing(a, ALICE);
	expect_nothing(b, HALL);
	assert_int_equal(sip_counters(b->sip).calls, 1);
	assert_int_equal(b->events[SIP_EVENT_CALL_FAILED], 0);
}

static void test_both_answer_and_both_pass(void **state)
{
	(void)state;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *desk = expect(b, BOB, "INVITE ");
	const char *cell = expect(b, CELL, "INVITE ");
	answer(cell, "200 OK");
	answer(desk, "200 OK");
	expect(a, ALICE, "SIP/2.0 200 ");
	expect(a, ALICE, "SIP/2.0 200 ");
}

static void test_decline_everywhere(void **state)
{
	(void)state;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *desk = expect(b, BOB, "INVITE ");
	const char *cell = expect(b, CELL, "INVITE ");
	answer(desk, "180 Ringing");
	answer(cell, "603 Decline");
	expect(a, ALICE, "SIP/2.0 180 ");
	expect(b, BOB, "CANCEL ");
	answer(desk, "487 Request Terminated");
	expect(a, ALICE, "SIP/2.0 603 ");
	expect_nothing(b, HALL);
}

static void test_unavailable_is_not_passed_on_as_503(void **state)
{
	(void)state;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	answer(expect(b, BOB, "INVITE "), "503 Service Unavailable");
	answer(expect(b, CELL, "INVITE "), "503 Service Unavailable");
	answer(expect(b, HALL, "INVITE "), "503 Service Unavailable");
	expect(a, ALICE, "SIP/2.0 500 ");
}

static void test_cancel_reaches_all(void **state)
{
	(void)state;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *desk = expect(b, BOB, "INVITE ");
	const char *cell = expect(b, CELL, "INVITE ");
	answer(desk, "180 Ringing");
	answer(cell, "180 Ringing");
	alice_says("CANCEL", "sip:bob@example.com", "invite", "<sip:bob@example.com>", 1, "");
	expect(b, BOB, "CANCEL ");
	expect(b, CELL, "CANCEL ");
	answer(desk, "487 Request Terminated");
	answer(cell, "487 Request Terminated");
	expect(a, ALICE, "SIP/2.0 180 ");
	expect(a, ALICE, "SIP/2.0 180 ");
	expect(a, ALICE, "SIP/2.0 200 ");
	expect(a, ALICE, "SIP/2.0 487 ");
	expect_nothing(b, HALL);
}

static void test_several_hosts_serve_one_name(void **state)
{
	(void)state;
	world.hold_resolve = true;
	alice_says("OPTIONS", "sip:carol@example.com", "many", "<sip:carol@example.com>", 1, "");
	struct sip_target targets[SIP_FORKS_MAXIMUM + 3];
	memset(targets, 0, sizeof targets);
	for (unsigned i = 0; i < SIP_FORKS_MAXIMUM + 3; i++) {
		targets[i].hit = b->hit;
		targets[i].hit.octets[14] = (uint8_t)(i + 1);
	}
	sip_resolved(a->sip, world.now, a->last_resolve, HIPHOP_OK, targets, SIP_FORKS_MAXIMUM + 3);
	pump(&world);
	assert_int_equal(sip_counters(a->sip).forwarded, SIP_FORKS_MAXIMUM);
}

#undef TEST
/* Answers as somebody does who takes all Vias but the first away: then it goes to nobody. */
static void answer_to_nobody(const char *request, const char *status)
{
	char short_request[4096] = "";
	const char *second;
	size_t length;

	snprintf(short_request, sizeof short_request, "%s", request);
	while ((second = strstr(strstr(short_request, "Via:") + 4, "\r\nVia:"))) {
		length = strcspn(second + 2, "\r") + 2;
		memmove((char *)(uintptr_t)second, second + length, strlen(second + length) + 1);
	}
	reply(&world, b, letter_with(b, request), short_request, status, "t", "Contact: <sip:bob@[2001:22::b]:5080>\n",
		"");
}

/* Found by fuzzing: the transaction of the caller stayed for ever. */
static void test_an_answer_to_nobody_is_a_failure(void **state)
{
	static const char *const statuses[] = {"491 Request Pending", "200 OK", "603 Decline"};
	char branch[16];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(branch, sizeof branch, "invite%zu", i);
		alice_invites(branch);
		expect(a, ALICE, "SIP/2.0 100 ");
		const char *desk = expect(b, BOB, "INVITE ");
		const char *cell = expect(b, CELL, "INVITE ");
		answer(cell, "480 Temporarily Unavailable");
		expect(b, CELL, "ACK ");
		answer_to_nobody(desk, statuses[i]);
		if (i != 1)
			expect(b, BOB, "ACK ");
		answer(expect(b, HALL, "INVITE "), "480 Temporarily Unavailable");
		expect(b, HALL, "ACK ");
		expect(a, ALICE, "SIP/2.0 480 ");
		pass(&world, SECONDS(200));
		assert_int_equal(sip_counters(a->sip).transactions, 0);
		assert_int_equal(sip_counters(b->sip).transactions, 0);
		while (next_letter(a, ALICE) || next_letter(b, BOB))
			;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_three, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_equal_ones_at_once_and_the_rest_after),
		TEST(test_an_answer_to_nobody_is_a_failure),
		TEST(test_one_answers_and_the_others_are_cancelled),
		TEST(test_both_answer_and_both_pass),
		TEST(test_decline_everywhere),
		TEST(test_unavailable_is_not_passed_on_as_503),
		TEST(test_cancel_reaches_all),
		TEST(test_several_hosts_serve_one_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
