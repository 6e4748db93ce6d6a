/* SPDX-License-Identifier: MIT */
/* Dave's phone is in a local network of host A and knows nothing of HIP; Alice's is at A's HIT, Bob's at B's. */
#include "call_world.h"

#include "sipglue/media_relay.h"

#define DAVE      5090
#define ERIN      5091
#define DAVE_AT   "192.168.10.5"
#define ERIN_AT   "192.168.10.6"
#define ROUTER_AT "192.168.10.1"
#define RTP       4000

#define SDP4_OF(address, port)                                                                                         \
	"v=0\no=- 1 1 IN IP4 " address "\ns=-\nc=IN IP4 " address "\nt=0 0\nm=audio " port " RTP/AVP 0\n"

/** A phone on board says something to the proxy there. */
static void board_says(const char *address, uint16_t port, const char *start, const char *lines, const char *body)
{
	char *octets = wire(body);
	say(&world, a, at(ROUTER_AT, SIP_PORT), at(address, port), "%s%sContent-Length: %zu\n\n%s", start, lines,
		strlen(octets), body);
	free(octets);
}

static void board_registers(const char *address, uint16_t port, const char *user, const char *contact)
{
	char start[1024];
	static unsigned count;
	count++;
	snprintf(start, sizeof start,
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bKb%u;rport\n"
		"From: <sip:%s@example.com>;tag=1\nTo: <sip:%s@example.com>\nCall-ID: board%u\nCSeq: 1 REGISTER\n"
		"Contact: <sip:%s@%s>\nExpires: 7200\n",
		address, port, count, user, user, count, user, contact);
	board_says(address, port, start, "", "");
}

static void dave_says(
	const char *method, const char *uri, const char *to, unsigned cseq, const char *lines, const char *body)
{
	char start[2048];
	snprintf(start, sizeof start,
		"%s %s SIP/2.0\nVia: SIP/2.0/UDP " DAVE_AT ":5090;branch=z9hG4bK%s%u;rport\nMax-Forwards: 70\n"
		"From: <sip:dave@example.com>;tag=dave\nTo: %s\nCall-ID: call@dave\nCSeq: %u %s\n"
		"Contact: <sip:dave@" DAVE_AT ":5090>\nContent-Type: application/sdp\n",
		method, uri, method, cseq, to, cseq, method);
	board_says(DAVE_AT, DAVE, start, lines, body);
}

static int board(void **state)
{
	start(state);
	board_registers(DAVE_AT, DAVE, "dave", DAVE_AT ":5090");
	expect(a, DAVE, "SIP/2.0 200 ");
	board_registers(ERIN_AT, ERIN, "erin", ERIN_AT ":5091");
	expect(a, ERIN, "SIP/2.0 200 ");
	return 0;
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, board, end)

/** Dave's INVITE as it comes to Bob's phone. */
static const char *dave_invites_bob(const char *sdp)
{
	dave_says("INVITE", "sip:bob@example.com", "<sip:bob@example.com>", 1, "", sdp);
	expect(a, DAVE, "SIP/2.0 100 ");
	return expect(b, BOB, "INVITE sip:bob@[");
}

/** Dave and Bob talk; Bob's SDP is `answer`. */
static const char *dave_talks_to_bob(const char *answer)
{
	const char *invite = dave_invites_bob(SDP4_OF(DAVE_AT, "4000"));
	bob_replies(invite, "200 OK", "Content-Type: application/sdp\n", answer);
	expect(a, DAVE, "SIP/2.0 200 ");
	return invite;
}

/** A datagram from `from` at the relay. Where it goes; port 0 for nowhere. */
static struct endpoint relayed(bool second_side, bool control, struct endpoint from)
{
	struct endpoint to = {0};
	const struct sip_relay_arrival arrival = {
		.token = a->relay.token, .second_side = second_side, .control = control, .remote = from};
	if (!sip_relay_packet(a->sip, world.now, &arrival, &to))
		to = (struct endpoint){0};
	return to;
}

static void assert_goes(struct endpoint to, struct endpoint expected)
{
	char first[ENDPOINT_TEXT_SIZE], second[ENDPOINT_TEXT_SIZE];
	assert_string_equal(endpoint_format(&to, first), endpoint_format(&expected, second));
}

static void assert_nowhere(struct endpoint to)
{
	assert_int_equal(to.port, 0);
}

/* ---- who is served ---- */

static void test_who_may_register(void **state)
{
	(void)state;
	unsigned stored = a->stored;
	static const char message[] = "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKq;rport\n"
				      "From: <sip:eve@example.com>;tag=1\nTo: <sip:eve@example.com>\nCall-ID: eve\n"
				      "CSeq: 1 REGISTER\nContact: <sip:eve@192.168.11.5>\n\n";
	/* From elsewhere to our address on board, and from on board to another of our addresses: not answered. */
	say(&world, a, at(ROUTER_AT, SIP_PORT), at("192.168.11.5", 5999), "%s", message);
	say(&world, a, at(ROUTER_AT, SIP_PORT), hit_endpoint(b, 5999), "%s", message);
	say(&world, a, hit_endpoint(a, SIP_PORT), at("192.168.10.9", 5999), "%s", message);
	expect_nothing(a, 5999);
	assert_int_equal(sip_counters(a->sip).refused, 3);
	assert_int_equal(a->stored, stored);
	sip_stream_opened(a->sip, world.now, 5,
		&(struct endpoint){.address = world_address(ROUTER_AT), .port = SIP_PORT},
		&(struct endpoint){.address = world_address("192.168.11.5"), .port = 5999});
	pump(&world);
	assert_int_equal(a->closes, 1);
}

static void test_contacts_that_would_reach_the_router(void **state)
{
	(void)state;
	static const char *const bad[] = {"127.0.0.1:53", "[::1]:53", ROUTER_AT ":53", "[2001:22::a]:53"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		board_registers(DAVE_AT, DAVE, "dave", bad[i]);
		expect(a, DAVE, "SIP/2.0 403 ");
	}
	/* A contact that is nowhere is where the registration came from. */
	board_registers(DAVE_AT, DAVE, "frank", "10.0.0.1:5060");
	expect(a, DAVE, "SIP/2.0 200 ");
}

static void test_what_a_phone_on_board_may_ask_for(void **state)
{
	(void)state;
	static const char *const uris[] = {
		"sip:x@127.0.0.1:9999", "sip:x@192.168.10.77:5060", "sip:x@[2001:22::a]:9999"};
	for (unsigned i = 0; i < 3; i++) {
		dave_says("INVITE", uris[i], "<sip:x@example.com>", i + 1, "", SDP4_OF(DAVE_AT, "4000"));
		expect(a, DAVE, "SIP/2.0 100 ");
		expect(a, DAVE, "SIP/2.0 403 ");
	}
	assert_int_equal(a->relays_opened, 0);
}

/* ---- calls ---- */

static void test_a_call_from_board(void **state)
{
	(void)state;
	const char *invite = dave_invites_bob(SDP4_OF(DAVE_AT, "4000"));
	assert_non_null(strstr(invite, "c=IN IP6 2001:22::a\r\n"));
	assert_non_null(strstr(invite, "m=audio 20000 RTP/AVP 0\r\n"));
	assert_null(strstr(strstr(invite, "\r\n\r\n"), DAVE_AT));
	assert_int_equal(a->relays_opened, 1);
	assert_goes(a->relay.local, at(ROUTER_AT, 20000));
	assert_goes(a->relay.remote, hit_endpoint(a, 20000));
	/* Bob's host lets in what it needs, and so does Dave's router. */
	assert_memory_equal(&a->media.hit, &b->hit, sizeof b->hit);
	assert_int_equal(a->media.port_count, 2);
	assert_int_equal(a->media.ports[0].port, 20000);
	bob_replies(invite, "200 OK", "Content-Type: application/sdp\n", SDP_OF("2001:22::b", "6000"));
	const char *answer = expect(a, DAVE, "SIP/2.0 200 ");
	assert_non_null(strstr(answer, "c=IN IP4 " ROUTER_AT "\r\n"));
	assert_non_null(strstr(answer, "m=audio 20000 RTP/AVP 0\r\n"));
	assert_int_equal(a->relays_opened, 1);
	assert_int_equal(b->relays_opened, 0);

	/* Both ways, media and RTCP. */
	assert_goes(relayed(false, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4000));
	assert_goes(relayed(false, true, at(DAVE_AT, 4001)), hit_endpoint(b, 6001));
	assert_goes(relayed(true, true, hit_endpoint(b, 6001)), at(DAVE_AT, 4001));
	assert_int_equal(sip_counters(a->sip).relayed, 4);
}

/** Bob's BYE goes by the routes that the INVITE brought him. */
static void bob_hangs_up(const char *invite)
{
	char routes[2048] = "", value[512];
	for (int i = 0; *header(invite, "Record-Route", i, value); i++)
		snprintf(routes + strlen(routes), sizeof routes - strlen(routes), "Route: %s\n", value);
	say(&world, b, hit_endpoint(b, SIP_PORT), hit_endpoint(b, BOB),
		"BYE sip:dave@" DAVE_AT ":5090 SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bKbye;rport\n"
		"Max-Forwards: 70\nFrom: <sip:bob@example.com>;tag=bob\nTo: <sip:dave@example.com>;tag=dave\n"
		"Call-ID: call@dave\nCSeq: 9 BYE\n%s\n",
		text_b, BOB, routes);
}

static void test_hanging_up_closes(void **state)
{
	(void)state;
	char value[512];
	const char *invite = dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	/* RFC 5658: an address for each side. */
	bool sides[2] = {false, false};
	for (int i = 0; *header(invite, "Record-Route", i, value); i++) {
		sides[0] |= strstr(value, "sip:" ROUTER_AT ":5060;lr") != NULL;
		sides[1] |= strstr(value, "sip:[2001:22::a]:5060;lr") != NULL;
	}
	assert_true(sides[0] && sides[1]);
	bob_hangs_up(invite);
	expect(a, DAVE, "BYE sip:dave@" DAVE_AT);
	assert_int_equal(a->relays_closed, 1);
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4000)));
	assert_int_equal(sip_counters(a->sip).calls, 0);
}

static void bob_calls_dave(void)
{
	char body[2048];
	world.target.hit = a->hit;
	snprintf(body, sizeof body, "%s", SDP_OF("2001:22::b", "6000"));
	char *octets = wire(body);
	say(&world, b, hit_endpoint(b, SIP_PORT), hit_endpoint(b, BOB),
		"INVITE sip:dave@example.com SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bKin;rport\n"
		"Max-Forwards: 70\nFrom: <sip:bob@example.com>;tag=bob\nTo: <sip:dave@example.com>\nCall-ID: in\n"
		"CSeq: 1 INVITE\nContact: <sip:bob@[%s]:%u>\nContent-Type: application/sdp\nContent-Length: %zu\n\n%s",
		text_b, BOB, text_b, BOB, strlen(octets), body);
	free(octets);
	expect(b, BOB, "SIP/2.0 100 ");
}

static void test_a_call_to_board(void **state)
{
	(void)state;
	bob_calls_dave();
	const char *invite = expect(a, DAVE, "INVITE sip:dave@" DAVE_AT);
	assert_non_null(strstr(invite, "c=IN IP4 " ROUTER_AT "\r\n"));
	assert_int_equal(a->relays_opened, 1);
	reply(&world, a, letter_with(a, invite), invite, "200 OK", "dave",
		"Contact: <sip:dave@" DAVE_AT ":5090>\nContent-Type: application/sdp\n", SDP4_OF(DAVE_AT, "4000"));
	const char *answer = expect(b, BOB, "SIP/2.0 200 ");
	assert_non_null(strstr(answer, "c=IN IP6 2001:22::a\r\n"));
	assert_int_equal(a->media.ports[0].port, 20000);
	assert_goes(relayed(false, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4000));
	assert_goes(relayed(true, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
}

static void test_a_call_to_two_phones_of_one_name(void **state)
{
	(void)state;
	board_registers("192.168.10.7", DAVE + 10, "dave", "192.168.10.7:5100");
	expect(a, DAVE + 10, "SIP/2.0 200 ");
	bob_calls_dave();
	/* Each has a relay of its own, so that neither gets what is meant for the other. */
	const char *first = expect(a, DAVE, "INVITE sip:dave@"), *second = expect(a, DAVE + 10, "INVITE sip:dave@");
	assert_non_null(strstr(first, "m=audio 20000 RTP/AVP 0\r\n"));
	assert_non_null(strstr(second, "m=audio 20002 RTP/AVP 0\r\n"));
	assert_int_equal(a->relays_opened, 2);
	/* The one that answers keeps it. */
	reply(&world, a, letter_with(a, second), second, "200 OK", "dave",
		"Contact: <sip:dave@192.168.10.7:5100>\nContent-Type: application/sdp\n",
		SDP4_OF("192.168.10.7", "4000"));
	const char *answer = expect(b, BOB, "SIP/2.0 200 ");
	assert_non_null(strstr(answer, "m=audio 20002 RTP/AVP 0\r\n"));
	assert_int_equal(a->relays_closed, 1);
	assert_goes(relayed(false, false, hit_endpoint(b, 6000)), at("192.168.10.7", 4000));
	assert_nowhere(relayed(true, false, at(DAVE_AT, 4000)));
}

static void test_two_phones_on_board(void **state)
{
	(void)state;
	dave_says("INVITE", "sip:erin@example.com", "<sip:erin@example.com>", 1, "", SDP4_OF(DAVE_AT, "4000"));
	const char *invite = expect(a, ERIN, "INVITE sip:erin@" ERIN_AT);
	assert_non_null(strstr(invite, "c=IN IP4 " DAVE_AT "\r\n"));
	assert_non_null(strstr(invite, "m=audio 4000 RTP/AVP 0\r\n"));
	assert_int_equal(a->relays_opened, 0);
}

static void test_a_phone_at_the_routers_own_hit(void **state)
{
	(void)state;
	dave_says("INVITE", "sip:alice@example.com", "<sip:alice@example.com>", 1, "", SDP4_OF(DAVE_AT, "4000"));
	const char *invite = expect(a, ALICE, "INVITE sip:alice@[");
	assert_non_null(strstr(invite, "c=IN IP6 2001:22::a\r\n"));
	assert_int_equal(a->relays_opened, 1);
}

static void test_nobody_answers(void **state)
{
	(void)state;
	const char *invite = dave_invites_bob(SDP4_OF(DAVE_AT, "4000"));
	assert_int_equal(a->relays_opened, 1);
	bob_replies(invite, "486 Busy Here", "", "");
	expect(a, DAVE, "SIP/2.0 486 ");
	assert_int_equal(a->relays_closed, 1);
}

static void test_sdp_that_cannot_be_read(void **state)
{
	(void)state;
	dave_says("INVITE", "sip:bob@example.com", "<sip:bob@example.com>", 1, "", "v=0\nm=audio nothing\n");
	expect(a, DAVE, "SIP/2.0 100 ");
	expect(a, DAVE, "SIP/2.0 488 ");
	assert_null(next_letter(b, BOB));
	assert_int_equal(sip_counters(a->sip).calls, 0);
}

/* ---- from whom, to whom ---- */

static void test_strangers_are_not_relayed(void **state)
{
	(void)state;
	dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	assert_nowhere(relayed(false, false, at(ERIN_AT, 4000)));
	assert_nowhere(relayed(true, false, hit_endpoint(a, 6000)));
	assert_nowhere(relayed(true, false, at("2001:22::c", 6000)));
	assert_nowhere(relayed(false, false, hit_endpoint(b, 6000)));
	assert_nowhere(relayed(false, false, at(DAVE_AT, 0)));
	assert_int_equal(sip_counters(a->sip).relay_refused, 5);
	assert_int_equal(sip_counters(a->sip).relayed, 0);
}

static void test_the_port_is_learnt_once(void **state)
{
	(void)state;
	dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	/* The phone sends from another port than it said. */
	assert_goes(relayed(false, false, at(DAVE_AT, 4444)), hit_endpoint(b, 6000));
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4444));
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4445)));
	/* The port it said is always right; and after a silence it may be another one. */
	assert_goes(relayed(false, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4000));
	pass(&world, RELAY_LEARN_AGAIN - MILLISECONDS(1));
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4446)));
	pass(&world, MILLISECONDS(1));
	assert_goes(relayed(false, false, at(DAVE_AT, 4446)), hit_endpoint(b, 6000));
}

static void test_sdp_cannot_point_elsewhere(void **state)
{
	(void)state;
	/* A victim's HIT, and ports of the router itself: media goes to the other end of the call or nowhere. */
	const char *invite = dave_invites_bob(SDP4_OF(ROUTER_AT, "53"));
	bob_replies(invite, "200 OK", "Content-Type: application/sdp\n", SDP_OF("2001:22::dead", "6000"));
	expect(a, DAVE, "SIP/2.0 200 ");
	assert_goes(relayed(false, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
	assert_nowhere(relayed(true, false, at("2001:22::dead", 6000)));
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4000));
}

static void test_media_elsewhere_on_board(void **state)
{
	(void)state;
	/* A telephone exchange on board may have its media at another address of the same network. */
	const char *invite = dave_invites_bob(SDP4_OF("192.168.10.200", "4000"));
	bob_replies(invite, "200 OK", "Content-Type: application/sdp\n", SDP_OF("2001:22::b", "6000"));
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at("192.168.10.200", 4000));
	assert_goes(relayed(false, false, at("192.168.10.200", 4000)), hit_endpoint(b, 6000));
}

static void test_ports_of_the_router_itself(void **state)
{
	(void)state;
	/* Alice's phone is at the router's HIT: neither the proxy nor the relay may be where her media goes. */
	static const char *const ports[] = {"5060", "20000", "21999", "19999"};
	for (unsigned i = 0; i < 4; i++) {
		char answer[512];
		dave_says("INVITE", "sip:alice@example.com", "<sip:alice@example.com>", i + 1, "",
			SDP4_OF(DAVE_AT, "4000"));
		const char *invite = expect(a, ALICE, "INVITE sip:alice@[");
		snprintf(answer, sizeof answer, "v=0\nc=IN IP6 2001:22::a\nm=audio %s RTP/AVP 0\n", ports[i]);
		reply(&world, a, letter_with(a, invite), invite, "183 Session Progress", "alice",
			"Content-Type: application/sdp\n", answer);
		assert_int_equal(relayed(false, false, at(DAVE_AT, 4000)).port, i == 3 ? 19999 : 0);
		reply(&world, a, letter_with(a, invite), invite, "486 Busy Here", "alice", "", "");
		expect(a, ALICE, "ACK ");
	}
}

static void test_hold(void **state)
{
	(void)state;
	dave_talks_to_bob("v=0\nc=IN IP6 ::\nm=audio 6000 RTP/AVP 0\n");
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4000)));
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4000));
}

/* ---- limits ---- */

static void test_packets_a_second(void **state)
{
	(void)state;
	dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	for (unsigned i = 0; i < RELAY_PACKETS_BURST; i++)
		assert_goes(relayed(false, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4000)));
	/* The other end is not hurt by it, and a little later all is well. */
	assert_goes(relayed(true, false, hit_endpoint(b, 6000)), at(DAVE_AT, 4000));
	pass(&world, MILLISECONDS(10));
	assert_goes(relayed(false, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
}

static void dave_calls_with(unsigned call)
{
	char start[1024];
	snprintf(start, sizeof start,
		"INVITE sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP " DAVE_AT ":5090;branch=z9hG4bKmany%u;rport\n"
		"Max-Forwards: 70\nFrom: <sip:dave@example.com>;tag=dave\nTo: <sip:bob@example.com>\nCall-ID: many%u\n"
		"CSeq: 1 INVITE\nContact: <sip:dave@" DAVE_AT ":5090>\nContent-Type: application/sdp\n",
		call, call);
	board_says(DAVE_AT, DAVE, start, "", SDP4_OF(DAVE_AT, "4000"));
}

static void test_calls_of_one_phone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RELAYS_OF_ONE_ADDRESS; i++) {
		dave_calls_with(i);
		expect(a, DAVE, "SIP/2.0 100 ");
		expect(b, BOB, "INVITE ");
	}
	assert_int_equal(a->relays_opened, RELAYS_OF_ONE_ADDRESS);
	dave_calls_with(RELAYS_OF_ONE_ADDRESS);
	expect(a, DAVE, "SIP/2.0 100 ");
	expect(a, DAVE, "SIP/2.0 480 ");
	assert_int_equal(sip_counters(a->sip).relay_limited, 1);
	assert_int_equal(sip_counters(a->sip).calls, RELAYS_OF_ONE_ADDRESS);
}

static void test_streams_of_one_call(void **state)
{
	(void)state;
	const char *invite =
		dave_invites_bob("v=0\nc=IN IP4 " DAVE_AT "\nm=audio 4000 RTP/AVP 0\nm=video 4002 RTP/AVP 96\n"
				 "m=video 4004 RTP/AVP 96\nm=video 4006 RTP/AVP 96\n"
				 "m=text 4008 RTP/AVP 98\n");
	assert_int_equal(a->relays_opened, RELAY_STREAMS_OF_ONE);
	assert_non_null(strstr(invite, "m=video 20006 RTP/AVP 96\r\n"));
	assert_non_null(strstr(invite, "m=text 0 RTP/AVP 98\r\n"));
}

static void test_silence_closes_and_sdp_opens_again(void **state)
{
	(void)state;
	dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	pass(&world, RELAY_SILENCE_LIMIT - SECONDS(1));
	assert_goes(relayed(false, false, at(DAVE_AT, 4000)), hit_endpoint(b, 6000));
	pass(&world, RELAY_SILENCE_LIMIT - SECONDS(1));
	assert_int_equal(a->relays_closed, 0);
	pass(&world, SECONDS(2));
	assert_int_equal(a->relays_closed, 1);
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4000)));
	dave_says("INVITE", "sip:bob@[2001:22::b]:5080", "<sip:bob@example.com>;tag=bob", 2,
		"Route: <sip:[2001:22::b]:5060;lr>\n", SDP4_OF(DAVE_AT, "4000"));
	assert_int_equal(a->relays_opened, 2);
}

static void test_ports_that_cannot_be_opened(void **state)
{
	(void)state;
	dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	sip_relay_failed(a->sip, world.now, a->relay.token);
	sip_relay_failed(a->sip, world.now, a->relay.token);
	assert_int_equal(sip_counters(a->sip).relay_failed, 1);
	assert_nowhere(relayed(false, false, at(DAVE_AT, 4000)));
	/* The call itself goes on, and ends without closing what never was open. */
	dave_says("BYE", "sip:bob@[2001:22::b]:5080", "<sip:bob@example.com>;tag=bob", 2,
		"Route: <sip:[2001:22::b]:5060;lr>\n", "");
	expect(b, BOB, "BYE ");
	assert_int_equal(a->relays_closed, 0);
}

/* ---- status ---- */

static void note_relay(void *context, const struct sip_relay_status *status)
{
	*(struct sip_relay_status *)context = *status;
}

static void test_status(void **state)
{
	(void)state;
	struct sip_relay_status status = {0};
	dave_talks_to_bob(SDP_OF("2001:22::b", "6000"));
	(void)relayed(false, false, at(DAVE_AT, 4000));
	(void)relayed(false, false, at(ERIN_AT, 4000));
	sip_walk_relays(a->sip, note_relay, &status);
	assert_string_equal(status.call_id, "call@dave");
	assert_int_equal(status.port, 20000);
	assert_goes(status.ends[0].remote, at(DAVE_AT, 4000));
	assert_int_equal(status.ends[0].packets, 1);
	assert_int_equal(status.ends[0].refused, 1);
	assert_goes(status.ends[1].remote, hit_endpoint(b, 6000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOARD_TEST(test_who_may_register),
		BOARD_TEST(test_contacts_that_would_reach_the_router),
		BOARD_TEST(test_what_a_phone_on_board_may_ask_for),
		BOARD_TEST(test_a_call_from_board),
		BOARD_TEST(test_hanging_up_closes),
		BOARD_TEST(test_a_call_to_board),
		BOARD_TEST(test_a_call_to_two_phones_of_one_name),
		BOARD_TEST(test_two_phones_on_board),
		BOARD_TEST(test_a_phone_at_the_routers_own_hit),
		BOARD_TEST(test_nobody_answers),
		BOARD_TEST(test_sdp_that_cannot_be_read),
		BOARD_TEST(test_strangers_are_not_relayed),
		BOARD_TEST(test_the_port_is_learnt_once),
		BOARD_TEST(test_sdp_cannot_point_elsewhere),
		BOARD_TEST(test_media_elsewhere_on_board),
		BOARD_TEST(test_ports_of_the_router_itself),
		BOARD_TEST(test_hold),
		BOARD_TEST(test_packets_a_second),
		BOARD_TEST(test_calls_of_one_phone),
		BOARD_TEST(test_streams_of_one_call),
		BOARD_TEST(test_silence_closes_and_sdp_opens_again),
		BOARD_TEST(test_ports_that_cannot_be_opened),
		BOARD_TEST(test_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
