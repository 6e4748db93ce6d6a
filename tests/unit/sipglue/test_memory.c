/* SPDX-License-Identifier: MIT */
/** Every allocation fails in turn: nothing crashes, what was registered stays, and the engine goes on afterwards. */
#include "call_world.h"

#include "tests/unit/failing_allocation.h"

#define ALLOCATIONS_MAXIMUM 1200

/** One message of Alice's, or of a phone on board, with all allocations after `allowed` failing. */
static void phone_without_memory(const char *text, bool on_board, unsigned allowed)
{
	struct endpoint local = on_board ? at(world_lan, SIP_PORT) : hit_endpoint(a, SIP_PORT);
	struct endpoint remote = on_board ? at("192.168.10.5", 5090) : hit_endpoint(a, ALICE);
	char *octets = wire(text);
	failing_allocation_after(allowed);
	sip_input_datagram(a->sip, world.now, &local, &remote, (const uint8_t *)octets, strlen(octets));
	failing_allocation_stop();
	free(octets);
}

static const char again[] =
	"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [2001:22::a]:5070;branch=z9hG4bKagain;rport\n"
	"From: <sip:alice@example.com>;tag=1\nTo: <sip:alice@example.com>\nCall-ID: other\nCSeq: 1 REGISTER\n"
	"Contact: <sip:alice@[2001:22::a]:5075>;expires=100, <sip:alice@[2001:22::a]:5076>\n\n";
static const char invite[] =
	"INVITE sip:alice@example.com SIP/2.0\nVia: SIP/2.0/UDP [2001:22::a]:5070;branch=z9hG4bKi;rport\n"
	"From: <sip:alice@example.com>;tag=1\nTo: <sip:alice@example.com>\nCall-ID: i\nCSeq: 1 INVITE\n"
	"Contact: <sip:alice@[2001:22::a]:5070>\nContent-Type: application/sdp\n\nv=0\nm=audio 4000 RTP/AVP 0\n";
static const char outside[] =
	"INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP [2001:22::a]:5070;branch=z9hG4bKo;rport\n"
	"From: <sip:alice@example.com>;tag=1\nTo: <sip:bob@example.com>\nCall-ID: o\nCSeq: 1 INVITE\n"
	"Contact: <sip:alice@[2001:22::a]:5070>\n\n";

static const char relayed[] =
	"INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.168.10.5:5090;branch=z9hG4bKr;rport\n"
	"From: <sip:dave@example.com>;tag=1\nTo: <sip:bob@example.com>\nCall-ID: r\nCSeq: 1 INVITE\n"
	"Contact: <sip:dave@192.168.10.5:5090>\nContent-Type: application/sdp\n\n"
	"v=0\nc=IN IP4 192.168.10.5\nm=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 96\n";

static void fail_each(const char *text, bool on_board)
{
	for (unsigned allowed = 0; allowed < ALLOCATIONS_MAXIMUM; allowed += allowed < 300 ? 1 : 7) {
		void *state = NULL;
		start(&state);
		phone_without_memory(text, on_board, allowed);
		pump(&world);
		assert_true(sip_counters(a->sip).registrations >= 1);
		alice_says("OPTIONS", "sip:example.com", "after", "<sip:example.com>", 9, "");
		const struct letter *letter;
		bool answered = false;
		while ((letter = next_letter(a, ALICE)))
			answered |= strstr(letter->text, "CSeq: 9 OPTIONS") != NULL;
		assert_true(answered);
		pass(&world, SECONDS(400));
		assert_int_equal(sip_counters(a->sip).transactions, 0);
		end(&state);
	}
}

static void test_register(void **state)
{
	(void)state;
	fail_each(again, false);
}

static void test_invite_inside(void **state)
{
	(void)state;
	fail_each(invite, false);
}

static void test_invite_to_another_host(void **state)
{
	(void)state;
	fail_each(outside, false);
}

static void test_invite_that_is_relayed(void **state)
{
	(void)state;
	fail_each(relayed, true);
}

static void test_create(void **state)
{
	(void)state;
	struct seeded_random seed;
	struct random_source random = seeded_random_start(&seed, 1);
	struct sip_configuration configuration = {.domain = "example.com", .random = &random};
	for (unsigned allowed = 0; allowed < 3; allowed++) {
		struct sip *sip = NULL;
		failing_allocation_after(allowed);
		hiphop_error error = sip_create(&configuration, &sip);
		failing_allocation_stop();
		assert_int_equal(error, HIPHOP_NO_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_invite_inside),
		cmocka_unit_test(test_invite_to_another_host),
		cmocka_unit_test(test_invite_that_is_relayed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
