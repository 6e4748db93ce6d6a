/* SPDX-License-Identifier: MIT */
/** Calls from A's phone over both proxies to B's phone, and what the proxies refuse. */
#include "call_world.h"

static void test_call_from_end_to_end(void **state)
{
	(void)state;
	char alice_routes[2048], bob_routes[2048], uri[128], value[512];
	const char *invite = talk(alice_routes, bob_routes, sizeof alice_routes);
	assert_string_equal(header(invite, "Max-Forwards", 0, value), "68");
	/* One entry each: both sides of both proxies are the own HIT. */
	assert_non_null(strstr(header(invite, "Record-Route", 0, value), text_b));
	assert_non_null(strstr(header(invite, "Record-Route", 1, value), text_a));
	assert_string_equal(header(invite, "Record-Route", 2, value), "");
	assert_non_null(strstr(invite, "m=audio 4000"));
	assert_int_equal(b->verified, 1);
	/* Media: each host opens its own phone's ports to the other. */
	assert_int_equal(a->media_opened, 1);
	assert_int_equal(a->media.port_count, 2);
	assert_int_equal(a->media.ports[0].port, 4000);
	assert_int_equal(a->media.ports[1].port, 4001);
	assert_true(hit_equal(&a->media.hit, &b->hit));
	assert_int_equal(b->media_opened, 1);
	assert_int_equal(b->media.ports[0].port, 6000);
	assert_true(hit_equal(&b->media.hit, &a->hit));
	assert_int_equal(sip_counters(a->sip).calls, 1);
	/* re-INVITE from Alice with other ports */
	snprintf(uri, sizeof uri, "sip:bob@[%s]:%u", text_b, BOB);
	char lines[4096], *octets = wire(SDP_OF("2001:22::a", "4400"));
	snprintf(lines, sizeof lines, "%sContent-Type: application/sdp\nContent-Length: %zu\n\n%s", alice_routes,
		strlen(octets), SDP_OF("2001:22::a", "4400"));
	free(octets);
	alice_says("INVITE", uri, "again", "<sip:bob@example.com>;tag=bob", 2, lines);
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *again = expect(b, BOB, "INVITE sip:bob@[");
	assert_string_equal(header(again, "Route", 0, value), "");
	bob_replies(again, "200 OK", "", "");
	expect(a, ALICE, "SIP/2.0 200 ");
	assert_int_equal(a->media_opened, 2);
	assert_int_equal(a->media.ports[0].port, 4400);
	/* BYE from Bob's side */
	say(&world, b, hit_endpoint(b, SIP_PORT), hit_endpoint(b, BOB),
		"BYE sip:alice@[%s]:%u SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bKbye;rport\n%sFrom: "
		"<sip:bob@example.com>;tag=bob\n"
		"To: <sip:alice@example.com>;tag=alice\nCall-ID: call@alice\nCSeq: 1 BYE\n\n",
		text_a, ALICE, text_b, BOB, bob_routes);
	const char *bye = expect(a, ALICE, "BYE sip:alice@[");
	assert_int_equal(a->media_closed, 1);
	assert_int_equal(b->media_closed, 1);
	reply(&world, a, letter_with(a, bye), bye, "200 OK", "alice", "", "");
	expect(b, BOB, "SIP/2.0 200 ");
	assert_int_equal(a->events[SIP_EVENT_CALL_STARTED], 1);
	assert_int_equal(a->events[SIP_EVENT_CALL_ANSWERED], 1);
	assert_int_equal(a->events[SIP_EVENT_CALL_ENDED], 1);
	assert_int_equal(sip_counters(a->sip).calls, 0);
	pass(&world, SECONDS(300));
	expect_nothing(a, ALICE);
	expect_nothing(b, BOB);
	assert_int_equal(sip_counters(a->sip).transactions, 0);
	assert_int_equal(sip_counters(b->sip).transactions, 0);
}

static void test_cancel(void **state)
{
	(void)state;
	const char *invite = ring_bob();
	bob_replies(invite, "180 Ringing", "", "");
	expect(a, ALICE, "SIP/2.0 180 ");
	alice_says("CANCEL", "sip:bob@example.com", "invite", "<sip:bob@example.com>", 1, "");
	expect(a, ALICE, "SIP/2.0 200 ");
	const char *cancel = expect(b, BOB, "CANCEL sip:bob@[");
	char first[512], second[512];
	assert_string_equal(header(cancel, "Via", 0, first), header(invite, "Via", 0, second));
	bob_replies(cancel, "200 OK", "", "");
	bob_replies(invite, "487 Request Terminated", "", "");
	expect(b, BOB, "ACK sip:bob@[");
	expect(a, ALICE, "SIP/2.0 487 ");
	alice_says("ACK", "sip:bob@example.com", "invite", "<sip:bob@example.com>;tag=bob", 1, "");
	assert_int_equal(a->events[SIP_EVENT_CALL_FAILED], 1);
	assert_int_equal(a->media_closed, 1);
	pass(&world, SECONDS(60));
	expect_nothing(a, ALICE);
	expect_nothing(b, BOB);
	assert_int_equal(sip_counters(a->sip).transactions, 0);
}

static void test_cancel_before_anything_was_heard(void **state)
{
	(void)state;
	world.hold_resolve = true;
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	alice_says("CANCEL", "sip:bob@example.com", "invite", "<sip:bob@example.com>", 1, "");
	/* The 487 of the INVITE and the 200 of the CANCEL. */
	expect(a, ALICE, "SIP/2.0 200 ");
	expect(a, ALICE, "SIP/2.0 487 ");
	sip_resolved(a->sip, world.now, a->last_resolve, HIPHOP_OK, &world.target, 1);
	pump(&world);
	expect_nothing(b, BOB);
	alice_says("CANCEL", "sip:bob@example.com", "nothing", "<sip:bob@example.com>", 1, "");
	expect(a, ALICE, "SIP/2.0 481 ");
}

static void refuse_lookup(hiphop_error error, const char *status)
{
	static unsigned count;
	char branch[16];
	snprintf(branch, sizeof branch, "look%u", count++);
	world.resolve_error = error;
	alice_invites(branch);
	expect(a, ALICE, "SIP/2.0 100 ");
	expect(a, ALICE, status);
	alice_says("ACK", "sip:bob@example.com", branch, "<sip:bob@example.com>;tag=x", 1, "");
}

static void test_answers_of_the_overlay(void **state)
{
	(void)state;
	refuse_lookup(HIPHOP_NOT_FOUND, "SIP/2.0 404 ");
	refuse_lookup(HIPHOP_REFUSED, "SIP/2.0 403 ");
	refuse_lookup(HIPHOP_TIMEOUT, "SIP/2.0 504 ");
	world.hold_resolve = true;
	alice_invites("silent");
	expect(a, ALICE, "SIP/2.0 100 ");
	pass(&world, SECONDS(11));
	expect(a, ALICE, "SIP/2.0 504 ");
	/* A record that names ourselves, though nobody is registered. */
	world.hold_resolve = false;
	world.resolve_error = HIPHOP_OK;
	world.target.hit = a->hit;
	alice_says("OPTIONS", "sip:carol@example.com", "self", "<sip:carol@example.com>", 1, "");
	for (struct letter *each; (each = next_letter(a, ALICE));)
		if (!strncmp(each->text, "SIP/2.0 480 ", 12))
			return;
	fail_msg("no 480");
}

static void test_name_that_points_to_a_name(void **state)
{
	(void)state;
	world.hold_resolve = true;
	alice_says("OPTIONS", "sip:carol@example.com", "redirect", "<sip:carol@example.com>", 1, "");
	struct sip_target other = {.aor = "alice@example.com"};
	sip_resolved(a->sip, world.now, a->last_resolve, HIPHOP_OK, &other, 1);
	pump(&world);
	expect(a, ALICE, "OPTIONS sip:alice@[");
}

static void test_lookup_is_kept_a_little(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		alice_says("OPTIONS", "sip:bob@example.com", i ? "two" : "one", "<sip:bob@example.com>", i + 1, "");
		bob_replies(expect(b, BOB, "OPTIONS "), "200 OK", "", "");
		expect(a, ALICE, "SIP/2.0 200 ");
	}
	assert_int_equal(a->resolved, 1);
	assert_int_equal(b->verified, 1);
	pass(&world, SECONDS(40));
	alice_says("OPTIONS", "sip:bob@example.com", "three", "<sip:bob@example.com>", 3, "");
	assert_int_equal(a->resolved, 2);
	assert_int_equal(b->verified, 2);
}

static void test_caller_of_another_name(void **state)
{
	(void)state;
	world.verify_error = HIPHOP_REFUSED;
	alice_says("MESSAGE", "sip:bob@example.com", "liar", "<sip:bob@example.com>", 1, "");
	expect_nothing(b, BOB);
	expect(a, ALICE, "SIP/2.0 403 ");
	world.verify_error = HIPHOP_TIMEOUT;
	alice_says("MESSAGE", "sip:bob@example.com", "slow", "<sip:bob@example.com>", 2, "");
	expect(a, ALICE, "SIP/2.0 504 ");
	/* A To tag alone does not make it a request inside a call. */
	world.verify_error = HIPHOP_REFUSED;
	alice_says("MESSAGE", "sip:bob@example.com", "tagged", "<sip:bob@example.com>;tag=made-up", 3, "");
	expect(a, ALICE, "SIP/2.0 403 ");
	expect_nothing(b, BOB);
}

/** A stranger at B's HIT, not its proxy. */
static void stranger_says(const char *uri, const char *branch, const char *lines)
{
	say(&world, a, hit_endpoint(a, SIP_PORT), hit_endpoint(b, 7777),
		"OPTIONS %s SIP/2.0\nVia: SIP/2.0/UDP [%s]:7777;branch=z9hG4bK%s;rport\nFrom: "
		"<sip:bob@example.com>;tag=b\n"
		"To: <sip:x@example.com>\nCall-ID: s\nCSeq: 1 OPTIONS\n%s\n",
		uri, text_b, branch, lines);
}

static void test_no_relaying_for_strangers(void **state)
{
	(void)state;
	char route[128], uri[128];
	stranger_says("sip:nobody@example.com", "s1", "");
	expect(a, 7777, "SIP/2.0 404 ");
	assert_int_equal(a->resolved, 0);
	stranger_says("sip:x@[::1]:631", "s2", "");
	expect(a, 7777, "SIP/2.0 403 ");
	stranger_says("sip:x@[2001:22::c]:5060", "s3", "");
	expect(a, 7777, "SIP/2.0 403 ");
	snprintf(route, sizeof route, "Route: <sip:[%s];lr>, <sip:[::1]:631;lr>\n", text_a);
	stranger_says("sip:x@example.com", "s4", route);
	expect(a, 7777, "SIP/2.0 403 ");
	snprintf(uri, sizeof uri, "sip:alice@[%s]:%u", text_a, ALICE);
	stranger_says(uri, "s5", "");
	expect(a, ALICE, "OPTIONS sip:alice@[");
	assert_int_equal(sip_counters(a->sip).refused, 3);
}

static void refused(const char *method, const char *uri, const char *lines, const char *status)
{
	static unsigned count;
	char branch[16];
	snprintf(branch, sizeof branch, "v%u", count++);
	say(&world, a, hit_endpoint(a, SIP_PORT), hit_endpoint(a, ALICE),
		"%s %s SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bK%s;rport\nFrom: <sip:alice@example.com>;tag=a\n"
		"To: <sip:bob@example.com>\nCall-ID: v\nCSeq: 1 %s\n%s\n",
		method, uri, text_a, ALICE, branch, method, lines);
	expect(a, ALICE, status);
	expect_nothing(b, BOB);
}

static void test_validation(void **state)
{
	(void)state;
	refused("OPTIONS", "sip:bob@example.com", "Max-Forwards: 0\n", "SIP/2.0 483 ");
	refused("OPTIONS", "sip:bob@example.com", "Max-Forwards: many\n", "SIP/2.0 400 ");
	refused("OPTIONS", "tel:+123", "", "SIP/2.0 416 ");
	refused("OPTIONS", "sips:bob@example.com", "", "SIP/2.0 416 ");
	refused("OPTIONS", "sip:bob@example.com", "Proxy-Require: future\n", "SIP/2.0 420 ");
	refused("MESSAGE", "sip:example.com", "", "SIP/2.0 484 ");
	refused("MESSAGE", "sip:127.0.0.1", "", "SIP/2.0 405 ");
	refused("MESSAGE", "sip:bob@elsewhere.org", "", "SIP/2.0 404 ");
	refused("MESSAGE", "sip:bob@192.0.2.1", "", "SIP/2.0 404 ");
	refused("OPTIONS", "sip:example.com", "", "SIP/2.0 200 ");
	refused("OPTIONS", "sip:[::1]:5060", "", "SIP/2.0 200 ");
	refused("REGISTER", "sip:elsewhere.org", "", "SIP/2.0 404 ");
}

static void test_cseq_of_another_method(void **state)
{
	(void)state;
	say(&world, a, hit_endpoint(a, SIP_PORT), hit_endpoint(a, ALICE),
		"OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP [::1]:5070;branch=z9hG4bKcseq;rport\nFrom: "
		"<sip:a@b>;tag=a\n"
		"To: <sip:b@c>\nCall-ID: v\nCSeq: 1 INVITE\n\n");
	expect(a, ALICE, "SIP/2.0 400 ");
}

static void test_loop(void **state)
{
	(void)state;
	/* Bob's phone sends what it got back to A unchanged in what matters: A has seen it. */
	alice_says("OPTIONS", "sip:bob@example.com", "loop", "<sip:bob@example.com>", 1, "");
	const char *request = expect(b, BOB, "OPTIONS ");
	char vias[4096] = "";
	copy_headers(request, "Via:", vias, sizeof vias);
	say(&world, a, hit_endpoint(a, SIP_PORT), hit_endpoint(a, 5071),
		"OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP [::1]:5071;branch=z9hG4bKback;rport\n%s"
		"From: <sip:alice@example.com>;tag=alice\nTo: <sip:bob@example.com>\nCall-ID: call@alice\nCSeq: 1 "
		"OPTIONS\n\n",
		vias);
	expect(a, 5071, "SIP/2.0 482 ");
}

static void test_preloaded_route_is_taken_off(void **state)
{
	(void)state;
	const char *routes[] = {"<sip:[::1];lr>", "<sip:127.0.0.1:5060>", "<sip:example.com;lr>", "<sip:[%s]:5060;lr>"};
	for (unsigned i = 0; i < 4; i++) {
		char value[512], lines[256], route[128], branch[8];
		if (i == 3)
			snprintf(route, sizeof route, "<sip:[%s]:5060;lr>", text_a);
		else
			snprintf(route, sizeof route, "%s", routes[i]);
		snprintf(lines, sizeof lines, "Route: %s\n", route);
		snprintf(branch, sizeof branch, "pre%u", i);
		alice_says("OPTIONS", "sip:bob@example.com", branch, "<sip:bob@example.com>", i + 1, lines);
		assert_string_equal(header(expect(b, BOB, "OPTIONS sip:bob@["), "Route", 0, value), "");
	}
}

/** Bob's phone on 127.0.0.1: the proxy speaks to it from 127.0.0.1 and shows each side an address that it can reach. */
static void test_two_record_routes_between_sockets(void **state)
{
	(void)state;
	char value[512];
	say(&world, b, at("127.0.0.1", SIP_PORT), at("127.0.0.1", 5090),
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5090;branch=z9hG4bKlo;rport\n"
		"From: <sip:dave@example.com>;tag=1\nTo: <sip:dave@example.com>\nCall-ID: lo\nCSeq: 1 REGISTER\n"
		"Contact: <sip:dave@127.0.0.1:5090>\n\n");
	expect(b, 5090, "SIP/2.0 200 ");
	alice_says("INVITE", "sip:dave@example.com", "dave", "<sip:dave@example.com>", 1, "");
	const char *invite = expect(b, 5090, "INVITE sip:dave@127.0.0.1:5090");
	struct letter *letter = letter_with(b, invite);
	struct address loopback = world_address("127.0.0.1");
	assert_true(address_equal(&letter->local.address, &loopback));
	assert_string_equal(header(invite, "Record-Route", 0, value), "<sip:127.0.0.1:5060;lr>");
	assert_non_null(strstr(header(invite, "Record-Route", 1, value), text_b));
	assert_non_null(strstr(header(invite, "Record-Route", 2, value), text_a));
	reply(&world, b, letter, invite, "200 OK", "dave", "Contact: <sip:dave@127.0.0.1:5090>\n", "");
	expect(a, ALICE, "SIP/2.0 100 ");
	const char *answer = expect(a, ALICE, "SIP/2.0 200 ");
	char routes[2048];
	caller_routes(answer, routes, sizeof routes);
	alice_says("ACK", "sip:dave@127.0.0.1:5090", "dack", "<sip:dave@example.com>;tag=dave", 1, routes);
	expect(b, 5090, "ACK sip:dave@127.0.0.1:5090");
	alice_says("BYE", "sip:dave@127.0.0.1:5090", "dbye", "<sip:dave@example.com>;tag=dave", 2, routes);
	expect(b, 5090, "BYE sip:dave@127.0.0.1:5090");
}

static void test_contact_of_no_address_of_ours(void **state)
{
	(void)state;
	say(&world, b, hit_endpoint(b, SIP_PORT), hit_endpoint(b, 5091),
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [%s]:5091;branch=z9hG4bKlan;rport\n"
		"From: <sip:erin@example.com>;tag=1\nTo: <sip:erin@example.com>\nCall-ID: lan\nCSeq: 1 REGISTER\n"
		"Contact: <sip:erin@192.168.1.5:6060>\n\n",
		text_b);
	expect(b, 5091, "SIP/2.0 200 ");
	alice_says("OPTIONS", "sip:erin@example.com", "erin", "<sip:erin@example.com>", 1, "");
	expect(b, 5091, "OPTIONS sip:erin@192.168.1.5:6060");
}

static void test_strict_router_before_us(void **state)
{
	(void)state;
	/* A strict router put our Record-Route value into the Request-URI and the target at the end of the Routes. */
	char lines[256], uri[128];
	snprintf(lines, sizeof lines, "Route: <sip:alice@[%s]:%u>\n", text_a, ALICE);
	snprintf(uri, sizeof uri, "sip:[%s]:5060;lr", text_a);
	alice_says("OPTIONS", uri, "strict", "<sip:alice@example.com>", 1, lines);
	expect(a, ALICE, "OPTIONS sip:alice@[");
}

static void test_body_is_not_touched(void **state)
{
	(void)state;
	const char *body = "--x\n odd \n\n--x--";
	char lines[256], *octets = wire(body);
	snprintf(lines, sizeof lines, "Content-Type: multipart/mixed;boundary=x\nContent-Length: %zu\n\n%s",
		strlen(octets), body);
	alice_says("MESSAGE", "sip:bob@example.com", "body", "<sip:bob@example.com>", 1, lines);
	const char *message = expect(b, BOB, "MESSAGE ");
	assert_string_equal(strstr(message, "\r\n\r\n") + 4, octets);
	free(octets);
}

static void test_unreachable_host(void **state)
{
	(void)state;
	world.target.hit.octets[15] = 0x77;
	alice_invites("gone");
	expect(a, ALICE, "SIP/2.0 100 ");
	sip_peer_unreachable(a->sip, world.now, &world.target.hit);
	pump(&world);
	expect(a, ALICE, "SIP/2.0 480 ");
	assert_int_equal(a->media_closed, 1);
}

static void see(void *context, const struct sip_call_status *status)
{
	assert_string_equal(status->call_id, "call@alice");
	assert_string_equal(status->caller, "sip:alice@example.com");
	assert_true(status->answered);
	assert_true(hit_equal(&status->peer, &b->hit));
	++*(int *)context;
}

static void test_status(void **state)
{
	(void)state;
	char alice_routes[2048], bob_routes[2048];
	int seen = 0;
	talk(alice_routes, bob_routes, sizeof alice_routes);
	sip_walk_calls(a->sip, world.now, see, &seen);
	assert_int_equal(seen, 1);
	/* A call of which nothing is heard does not keep its ports for ever. */
	pass(&world, SECONDS(13 * 3600));
	assert_int_equal(a->media_closed, 1);
	assert_int_equal(b->media_closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_call_from_end_to_end),
		TEST(test_cancel),
		TEST(test_cancel_before_anything_was_heard),
		TEST(test_answers_of_the_overlay),
		TEST(test_name_that_points_to_a_name),
		TEST(test_lookup_is_kept_a_little),
		TEST(test_caller_of_another_name),
		TEST(test_no_relaying_for_strangers),
		TEST(test_validation),
		TEST(test_cseq_of_another_method),
		TEST(test_loop),
		TEST(test_preloaded_route_is_taken_off),
		TEST(test_two_record_routes_between_sockets),
		TEST(test_contact_of_no_address_of_ours),
		TEST(test_strict_router_before_us),
		TEST(test_body_is_not_touched),
		TEST(test_unreachable_host),
		TEST(test_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
