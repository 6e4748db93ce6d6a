/* SPDX-License-Identifier: MIT */
/** TCP: framing, reuse of streams, and phones on TCP and UDP that call each other. */
#include "call_world.h"

static struct endpoint listener, client;

static int start_stream(void **state)
{
	start(state);
	listener = hit_endpoint(a, SIP_PORT);
	client = hit_endpoint(a, 40000);
	sip_stream_opened(a->sip, world.now, 1, &listener, &client);
	return 0;
}

static void feed(uint32_t connection, const char *text, size_t piece)
{
	char *octets = wire(text);
	size_t length = strlen(octets);
	for (size_t i = 0; i < length; i += piece) {
		sip_input_stream(a->sip, world.now, connection, (const uint8_t *)octets + i,
			length - i < piece ? length - i : piece);
		pump(&world);
	}
	free(octets);
}

static const char *on_stream(struct host *host, uint32_t connection, const char *begin)
{
	for (size_t i = 0; i < host->inbox_count; i++)
		if (!host->inbox[i].read && host->inbox[i].connection == connection) {
			host->inbox[i].read = true;
			if (strncmp(host->inbox[i].text, begin, strlen(begin)) != 0)
				fail_msg("expected %s, got\n%s", begin, host->inbox[i].text);
			return host->inbox[i].text;
		}
	fail_msg("nothing on the stream, expected %s", begin);
	return NULL;
}

#define OPTIONS                                                                                                        \
	"OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/TCP [2001:22::a]:40000;branch=z9hG4bK%s;rport\n"                \
	"From: <sip:alice@example.com>;tag=a\nTo: <sip:example.com>\nCall-ID: t\nCSeq: 1 OPTIONS\nContent-Length: "    \
	"0\n\n"

static void test_message_in_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 40; piece += 6) {
		char text[1024], branch[8];
		snprintf(branch, sizeof branch, "p%zu", piece);
		snprintf(text, sizeof text, OPTIONS, branch);
		feed(1, text, piece);
		on_stream(a, 1, "SIP/2.0 200 ");
	}
}

static void test_two_messages_at_once(void **state)
{
	(void)state;
	char text[2048];
	int used = snprintf(text, sizeof text, OPTIONS, "x");
	snprintf(text + used, sizeof text - (size_t)used, OPTIONS, "y");
	feed(1, text, sizeof text);
	on_stream(a, 1, "SIP/2.0 200 ");
	on_stream(a, 1, "SIP/2.0 200 ");
}

static void test_ping(void **state)
{
	(void)state;
	feed(1, "\n\n", 1);
	assert_string_equal(on_stream(a, 1, "\r\n"), "\r\n");
	char text[1024];
	snprintf(text, sizeof text, OPTIONS, "afterping");
	feed(1, text, 7);
	on_stream(a, 1, "SIP/2.0 200 ");
}

static void test_broken_framing_closes(void **state)
{
	(void)state;
	feed(1, "OPTIONS sip:x SIP/2.0\nCall-ID: t\n\n", 100);
	assert_int_equal(a->closes, 1);
	sip_stream_opened(a->sip, world.now, 2, &listener, &client);
	feed(2, "OPTIONS sip:x SIP/2.0\nContent-Length: 70000\n\n", 100);
	assert_int_equal(a->closes, 2);
	sip_stream_opened(a->sip, world.now, 3, &listener, &client);
	for (unsigned i = 0; i < 2000; i++)
		feed(3, "X: 0123456789\n", 100);
	assert_int_equal(a->closes, 3);
	assert_int_equal(sip_counters(a->sip).connections, 0);
}

static void test_half_a_message_does_not_stay(void **state)
{
	(void)state;
	feed(1, "OPTIONS sip:x", 100);
	pass(&world, SECONDS(33));
	assert_int_equal(a->closes, 1);
	assert_int_equal(sip_counters(a->sip).connections, 0);
}

static void test_limit_of_streams(void **state)
{
	(void)state;
	for (uint32_t i = 2; i <= 130; i++)
		sip_stream_opened(a->sip, world.now, i, &listener, &client);
	pump(&world);
	assert_int_equal(sip_counters(a->sip).connections, 128);
	assert_int_equal(a->closes, 2);
}

static void register_over_stream(void)
{
	feed(1,
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/TCP [2001:22::a]:40000;branch=z9hG4bKtcp;rport\n"
		"From: <sip:tina@example.com>;tag=1\nTo: <sip:tina@example.com>\nCall-ID: tcp\nCSeq: 1 REGISTER\n"
		"Contact: <sip:tina@[2001:22::a]:5075;transport=tcp>\nContent-Length: 0\n\n",
		1000);
	on_stream(a, 1, "SIP/2.0 200 ");
}

static void bob_asks_tina(const char *method)
{
	say(&world, b, hit_endpoint(b, SIP_PORT), hit_endpoint(b, BOB),
		"%s sip:tina@example.com SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bK%s;rport\nFrom: "
		"<sip:bob@example.com>;tag=b\n"
		"To: <sip:tina@example.com>\nCall-ID: tt\nCSeq: 1 %s\nContact: <sip:bob@[%s]:%u>\n\n",
		method, text_b, BOB, method, method, text_b, BOB);
}

static void reply_on_stream(uint32_t connection, const char *request, const char *status)
{
	char text[8192];
	int used = snprintf(text, sizeof text, "SIP/2.0 %s\n", status);
	char *lines = text + used;
	*lines = 0;
	const char *names[] = {"Via:", "Record-Route:", "From:", "To:", "Call-ID:", "CSeq:"};
	for (size_t i = 0; i < 6; i++)
		copy_headers(request, names[i], text, sizeof text);
	strcat(text, "Content-Length: 0\n\n");
	feed(connection, text, 10000);
}

static void test_datagram_phone_calls_stream_phone(void **state)
{
	(void)state;
	char value[512];
	world.target.hit = a->hit;
	register_over_stream();
	bob_asks_tina("INVITE");
	expect(b, BOB, "SIP/2.0 100 ");
	const char *invite = on_stream(a, 1, "INVITE sip:tina@[");
	assert_non_null(strstr(header(invite, "Via", 0, value), "SIP/2.0/TCP"));
	assert_non_null(strstr(header(invite, "Record-Route", 0, value), ";transport=tcp;lr"));
	assert_null(strstr(header(invite, "Record-Route", 1, value), "transport"));
	reply_on_stream(1, invite, "180 Ringing");
	expect(b, BOB, "SIP/2.0 180 ");
	/* Over a stream nothing is sent again. */
	pass(&world, SECONDS(20));
	reply_on_stream(1, invite, "200 OK");
	expect(b, BOB, "SIP/2.0 200 ");
}

static void test_stream_gone_is_opened_anew(void **state)
{
	(void)state;
	world.target.hit = a->hit;
	register_over_stream();
	sip_stream_closed(a->sip, world.now, 1, false);
	bob_asks_tina("INVITE");
	expect(b, BOB, "SIP/2.0 100 ");
	assert_int_equal(a->connects, 1);
	assert_true(a->last_connection & SIP_CONNECTION_OWN);
	assert_true(is_hit_of(a, &a->last_connect_local));
	struct endpoint remote = hit_endpoint(a, 5075);
	sip_stream_opened(a->sip, world.now, a->last_connection, &a->last_connect_local, &remote);
	pump(&world);
	on_stream(a, a->last_connection, "INVITE sip:tina@[");
}

static void test_connect_fails(void **state)
{
	(void)state;
	world.target.hit = a->hit;
	register_over_stream();
	sip_stream_closed(a->sip, world.now, 1, false);
	bob_asks_tina("INVITE");
	expect(b, BOB, "SIP/2.0 100 ");
	sip_stream_closed(a->sip, world.now, a->last_connection, true);
	pump(&world);
	expect(b, BOB, "SIP/2.0 480 ");
	assert_int_equal(b->media_closed, b->media_opened);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_stream, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_message_in_pieces),
		TEST(test_two_messages_at_once),
		TEST(test_ping),
		TEST(test_broken_framing_closes),
		TEST(test_half_a_message_does_not_stay),
		TEST(test_limit_of_streams),
		TEST(test_datagram_phone_calls_stream_phone),
		TEST(test_stream_gone_is_opened_anew),
		TEST(test_connect_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
