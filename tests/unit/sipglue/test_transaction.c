/* SPDX-License-Identifier: MIT */
/** Timers and retransmissions (RFC 3261 section 17, RFC 6026), with messages lost in each direction. */
#include "call_world.h"

static const char *lost_start;
static unsigned lose_count;

/** Loses the first `lose_count` messages between the hosts that start like `lost_start`. */
static bool lose_start(struct world *which, const char *text)
{
	(void)which;
	if (lose_count == 0 || strncmp(text, lost_start, strlen(lost_start)) != 0)
		return false;
	lose_count--;
	return true;
}

static void lose(const char *what, unsigned count)
{
	lost_start = what;
	lose_count = count;
	world.lose = lose_start;
}

static unsigned count_letters(struct host *host, uint16_t port, const char *begin)
{
	unsigned count = 0;
	struct letter *letter;
	while ((letter = next_letter(host, port)))
		count += strncmp(letter->text, begin, strlen(begin)) == 0;
	return count;
}

static void test_invite_lost_on_the_way(void **state)
{
	(void)state;
	lose("INVITE", 3);
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	expect_nothing(b, BOB);
	pass(&world, MILLISECONDS(3400)); /* 0.5 + 1 + 2 s */
	expect_nothing(b, BOB);
	pass(&world, MILLISECONDS(200));
	expect(b, BOB, "INVITE ");
	assert_int_equal(world.lost, 3);
}

static void test_final_answer_lost_on_the_way_back(void **state)
{
	(void)state;
	const char *invite = ring_bob();
	lose("SIP/2.0 486", 2);
	bob_replies(invite, "486 Busy Here", "", "");
	expect(b, BOB, "ACK ");
	expect_nothing(a, ALICE);
	pass(&world, SECONDS(2)); /* timer G of proxy B */
	expect(a, ALICE, "SIP/2.0 486 ");
	assert_int_equal(world.lost, 2);
	/* The ACK of proxy A has stopped timer G. */
	unsigned carried = world.carried;
	pass(&world, SECONDS(10));
	assert_int_equal(world.carried, carried);
}

static void test_success_is_repeated_end_to_end(void **state)
{
	(void)state;
	const char *invite = ring_bob();
	lose("SIP/2.0 200", 1);
	bob_replies(invite, "200 OK", "", "");
	pass(&world, SECONDS(1));
	expect_nothing(a, ALICE); /* the proxies do not repeat a 2xx */
	bob_replies(invite, "200 OK", "", "");
	expect(a, ALICE, "SIP/2.0 200 ");
	bob_replies(invite, "200 OK", "", "");
	expect(a, ALICE, "SIP/2.0 200 ");
	/* An INVITE that comes again after its 2xx is absorbed, and so is a stray 180. */
	alice_invites("invite");
	bob_replies(invite, "180 Ringing", "", "");
	expect_nothing(a, ALICE);
	expect_nothing(b, BOB);
	/* After 64 T1 a 2xx belongs to nothing (RFC 6026 section 7.2). */
	pass(&world, SECONDS(40));
	bob_replies(invite, "200 OK", "", "");
	expect_nothing(a, ALICE);
	assert_true(sip_counters(b->sip).stray_responses > 0);
}

static void test_repeated_invite_gets_the_last_answer(void **state)
{
	(void)state;
	ring_bob();
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	expect_nothing(b, BOB);
	assert_int_equal(sip_counters(a->sip).forwarded, 1);
}

static void test_phone_gone_is_408(void **state)
{
	(void)state;
	ring_bob();
	pass(&world, SECONDS(31));
	/* Timer A: at 0 and after 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s */
	assert_int_equal(count_letters(b, BOB, "INVITE"), 5);
	pass(&world, SECONDS(2));
	expect(a, ALICE, "SIP/2.0 408 ");
	assert_int_equal(a->media_closed, 1);
	assert_int_equal(a->events[SIP_EVENT_CALL_FAILED], 1);
}

static void test_alice_repeats_final_until_ack(void **state)
{
	(void)state;
	bob_replies(ring_bob(), "486 Busy Here", "", "");
	pass(&world, SECONDS(40));
	/* Timer G: 0, 0.5, 1.5, 3.5, then every 4 s until timer H */
	unsigned count = count_letters(a, ALICE, "SIP/2.0 486 ");
	assert_in_range(count, 10, 12);
	assert_int_equal(sip_counters(a->sip).transactions, 0);
}

static void test_request_lost_on_the_way(void **state)
{
	(void)state;
	lose("MESSAGE", 2);
	alice_says("MESSAGE", "sip:bob@example.com", "m", "<sip:bob@example.com>", 1, "");
	pass(&world, MILLISECONDS(1600));
	bob_replies(expect(b, BOB, "MESSAGE "), "200 OK", "", "");
	expect(a, ALICE, "SIP/2.0 200 ");
	/* Alice did not get it and asks again. */
	alice_says("MESSAGE", "sip:bob@example.com", "m", "<sip:bob@example.com>", 1, "");
	expect(a, ALICE, "SIP/2.0 200 ");
	expect_nothing(b, BOB);
}

static void test_answer_lost_on_the_way_back(void **state)
{
	(void)state;
	lose("SIP/2.0 200", 1);
	alice_says("MESSAGE", "sip:bob@example.com", "m", "<sip:bob@example.com>", 1, "");
	bob_replies(expect(b, BOB, "MESSAGE "), "200 OK", "", "");
	expect_nothing(a, ALICE);
	pass(&world, SECONDS(1));
	expect(a, ALICE, "SIP/2.0 200 ");
	expect_nothing(b, BOB);
}

static void test_no_answer_at_all(void **state)
{
	(void)state;
	alice_says("MESSAGE", "sip:bob@example.com", "m", "<sip:bob@example.com>", 1, "");
	pass(&world, SECONDS(33));
	/* Timer E: 0, 0.5, 1.5, 3.5, 7.5, 11.5 … 31.5 s */
	assert_int_equal(count_letters(b, BOB, "MESSAGE"), 11);
	expect(a, ALICE, "SIP/2.0 408 ");
}

static void test_timer_c_ends_endless_ringing(void **state)
{
	(void)state;
	const char *invite = ring_bob();
	bob_replies(invite, "180 Ringing", "", "");
	expect(a, ALICE, "SIP/2.0 180 ");
	pass(&world, SECONDS(150));
	bob_replies(invite, "180 Ringing", "", ""); /* begins anew */
	expect(a, ALICE, "SIP/2.0 180 ");
	pass(&world, SECONDS(150));
	expect_nothing(b, BOB);
	pass(&world, SECONDS(60));
	expect(b, BOB, "CANCEL ");
	/* The phone is dead: neither CANCEL nor INVITE is answered. */
	pass(&world, SECONDS(100));
	assert_int_equal(count_letters(a, ALICE, "SIP/2.0 408 ") > 0, 1);
	pass(&world, SECONDS(300));
	assert_int_equal(sip_counters(a->sip).transactions, 0);
	assert_int_equal(sip_counters(b->sip).transactions, 0);
}

static void test_cancel_waits_for_a_sign(void **state)
{
	(void)state;
	const char *invite = ring_bob();
	alice_says("CANCEL", "sip:bob@example.com", "invite", "<sip:bob@example.com>", 1, "");
	expect(a, ALICE, "SIP/2.0 200 ");
	expect_nothing(b, BOB); /* Bob has said nothing yet (section 9.1) */
	bob_replies(invite, "100 Trying", "", "");
	const char *cancel = expect(b, BOB, "CANCEL ");
	bob_replies(cancel, "200 OK", "", "");
	bob_replies(invite, "487 Request Terminated", "", "");
	expect(a, ALICE, "SIP/2.0 487 ");
}

static void test_branches_of_rfc_2543(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		say(&world, a, hit_endpoint(a, SIP_PORT), hit_endpoint(a, 5071),
			"OPTIONS sip:alice@example.com SIP/2.0\nVia: SIP/2.0/UDP [%s]:5071;rport\nFrom: "
			"<sip:x@example.com>;tag=x\n"
			"To: <sip:alice@example.com>\nCall-ID: %s\nCSeq: 1 OPTIONS\n\n",
			text_a, i == 2 ? "other" : "same");
	assert_int_equal(count_letters(a, ALICE, "OPTIONS "), 2);
}

static void test_limit_of_transactions(void **state)
{
	(void)state;
	world_end(&world);
	world_start_limited(&world, (struct sip_limits){.transactions = 12, .transactions_peer = 10});
	for (unsigned i = 0; i < 30; i++) {
		char branch[8];
		snprintf(branch, sizeof branch, "l%u", i);
		alice_says("OPTIONS", "sip:example.com", branch, "<sip:example.com>", i + 1, "");
	}
	assert_int_equal(count_letters(a, ALICE, "SIP/2.0 200 "), 10);
	assert_int_equal(sip_counters(a->sip).limited, 20);
	pass(&world, SECONDS(40));
	alice_says("OPTIONS", "sip:example.com", "later", "<sip:example.com>", 40, "");
	expect(a, ALICE, "SIP/2.0 200 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_invite_lost_on_the_way),
		TEST(test_final_answer_lost_on_the_way_back),
		TEST(test_success_is_repeated_end_to_end),
		TEST(test_repeated_invite_gets_the_last_answer),
		TEST(test_phone_gone_is_408),
		TEST(test_alice_repeats_final_until_ack),
		TEST(test_request_lost_on_the_way),
		TEST(test_answer_lost_on_the_way_back),
		TEST(test_no_answer_at_all),
		TEST(test_timer_c_ends_endless_ringing),
		TEST(test_cancel_waits_for_a_sign),
		TEST(test_branches_of_rfc_2543),
		TEST(test_limit_of_transactions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
