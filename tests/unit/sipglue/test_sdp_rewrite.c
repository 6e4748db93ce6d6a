/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sipglue/sdp_rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sdp_description read_back;

static struct span span_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static hiphop_error read_text(const char *text)
{
	return sdp_read(span_of(text), &read_back);
}

static struct address address_of(const char *text)
{
	struct address address;
	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

/** What comes out must be that. */
static void assert_written(
	const char *body, const char *local, const uint16_t *ports, size_t count, const char *expected)
{
	struct buffer out;
	const struct address address = address_of(local);
	assert_int_equal(sdp_write(span_of(body), &address, ports, count, &out), HIPHOP_OK);
	assert_int_equal(out.length, strlen(expected));
	assert_memory_equal(out.data, expected, out.length);
	buffer_free(&out);
}

static void test_an_offer_of_a_phone(void **state)
{
	(void)state;
	static const char body[] =
		"v=0\r\no=dave 1 1 IN IP4 192.168.10.5\r\ns=-\r\nc=IN IP4 192.168.10.5\r\nt=0 0\r\n"
		"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
		"m=video 5000 RTP/AVP 96\r\nc=IN IP4 192.168.10.6\r\na=rtcp:6001 IN IP4 192.168.10.6\r\n";
	const uint16_t ports[] = {20000, 20002};
	assert_int_equal(read_text(body), HIPHOP_OK);
	assert_int_equal(read_back.count, 2);
	const struct address first = address_of("192.168.10.5"), second = address_of("192.168.10.6");
	assert_true(address_equal(&read_back.streams[0].address, &first));
	assert_true(address_equal(&read_back.streams[1].address, &second));
	assert_int_equal(read_back.streams[0].port, 4000);
	assert_int_equal(read_back.streams[0].control_port, 4001);
	assert_int_equal(read_back.streams[1].port, 5000);
	assert_int_equal(read_back.streams[1].control_port, 6001);
	assert_written(body, "2001:22::a", ports, 2,
		"v=0\r\no=dave 1 1 IN IP6 2001:22::a\r\ns=-\r\nc=IN IP6 2001:22::a\r\nt=0 0\r\n"
		"m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
		"m=video 20002 RTP/AVP 96\r\nc=IN IP6 2001:22::a\r\na=rtcp:20003\r\n");
}

static void test_what_is_off_stays_off(void **state)
{
	(void)state;
	static const char body[] =
		"v=0\nc=IN IP6 2001:22::b\nm=audio 0 RTP/AVP 0\na=rtcp:0\nm=message 7000 TCP/MSRP *\n"
		"m=audio 4000/2 RTP/AVP 0\nc=IN IP4 224.2.1.1/127/3\nm=video 4000 RTP/AVP 0\nc=IN IP6 ff15::1\n";
	const uint16_t ports[] = {0, 0, 0, 0};
	assert_int_equal(read_text(body), HIPHOP_OK);
	assert_int_equal(read_back.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(read_back.streams[i].off && read_back.streams[i].port == 0);
	assert_written(body, "192.168.10.1", ports, 4,
		"v=0\nc=IN IP4 192.168.10.1\r\nm=audio 0 RTP/AVP 0\r\nm=message 0 TCP/MSRP *\r\n"
		"m=audio 0 RTP/AVP 0\r\nc=IN IP4 192.168.10.1\r\nm=video 0 RTP/AVP 0\r\nc=IN IP4 192.168.10.1\r\n");
}

static void test_hold_and_names(void **state)
{
	(void)state;
	static const char held[] = "v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n";
	const uint16_t ports[] = {20000};
	assert_int_equal(read_text(held), HIPHOP_OK);
	assert_true(read_back.streams[0].held && !read_back.streams[0].off);
	assert_written(held, "2001:22::a", ports, 1, "v=0\nc=IN IP6 ::\r\nm=audio 20000 RTP/AVP 0\r\n");
	assert_written("v=0\nc=IN IP6 ::\nm=audio 4000 RTP/AVP 0\n", "192.168.10.1", ports, 1,
		"v=0\nc=IN IP4 0.0.0.0\r\nm=audio 20000 RTP/AVP 0\r\n");
	assert_int_equal(read_text("v=0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 phone.example.com\n"), HIPHOP_OK);
	assert_true(address_is_unspecified(&read_back.streams[0].address) && !read_back.streams[0].held);
	assert_int_equal(read_back.streams[0].port, 4000);
}

static void test_ways_past_the_relay_are_taken_out(void **state)
{
	(void)state;
	const uint16_t ports[] = {20000};
	assert_written("v=0\na=group:BUNDLE 0 1\na=ice-lite\nc=IN IP4 192.168.10.5\nm=audio 4000 UDP/TLS/RTP/SAVPF 0\n"
		       "a=candidate:1 1 UDP 1 192.168.10.5 4000 typ host\na=ice-ufrag:x\na=ice-pwd:y\n"
		       "a=end-of-candidates\na=remote-candidates:1 192.0.2.1 5\na=fingerprint:sha-256 AA\na=rtcp-mux\n",
		"2001:22::a", ports, 1,
		"v=0\nc=IN IP6 2001:22::a\r\nm=audio 20000 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-256 "
		"AA\na=rtcp-mux\n");
}

static void test_a_line_end_may_be_missing(void **state)
{
	(void)state;
	const uint16_t ports[] = {20000};
	assert_int_equal(read_text("v=0\nc=IN IP4 192.168.10.5\nm=audio 4000 RTP/AVP 0"), HIPHOP_OK);
	assert_int_equal(read_back.streams[0].port, 4000);
	assert_written("v=0\nc=IN IP4 192.168.10.5\nm=audio 4000 RTP/AVP 0", "192.168.10.1", ports, 1,
		"v=0\nc=IN IP4 192.168.10.1\r\nm=audio 20000 RTP/AVP 0\r\n");
}

static void test_more_streams_than_are_read(void **state)
{
	(void)state;
	char body[2048] = "v=0\nc=IN IP4 192.168.10.5\n", expected[2048] = "v=0\nc=IN IP4 192.168.10.1\r\n";
	const uint16_t ports[SDP_STREAMS_MAXIMUM] = {20000, 20002, 20004, 20006, 20008, 20010, 20012, 20014};
	for (unsigned i = 0; i < SDP_STREAMS_MAXIMUM + 2; i++) {
		strcat(body, "m=audio 4000 RTP/AVP 0\n");
		snprintf(expected + strlen(expected), 64, "m=audio %u RTP/AVP 0\r\n",
			i < SDP_STREAMS_MAXIMUM ? 20000 + 2 * i : 0);
	}
	assert_int_equal(read_text(body), HIPHOP_OK);
	assert_int_equal(read_back.count, SDP_STREAMS_MAXIMUM);
	assert_written(body, "192.168.10.1", ports, SDP_STREAMS_MAXIMUM, expected);
}

static void test_hostile(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "v=", "m=audio 4000 RTP/AVP 0\n", "v=0\nm=audio 4000 RTP/AVP 0\n",
		"v=0\nc=IN IP4 192.0.2.1\nm=\n", "v=0\nc=IN IP4 192.0.2.1\nm=audio\n",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio x RTP/AVP 0\n", "v=0\nc=IN IP4 192.0.2.1\nm=audio 65536 RTP/AVP 0\n",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio 99999999999999999999 RTP/AVP 0\n",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio 4000\n", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 \n",
		"v=0\nc=IN IP4 192.0.2.1\nm=audio -1 RTP/AVP 0\n", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000/ RTP/AVP 0\n",
		"v=0\nc=IN IP4\nm=audio 4000 RTP/AVP 0\n", "v=0\nc=ATM IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n",
		"v=0\nc=IN IP5 192.0.2.1\nm=audio 4000 RTP/AVP 0\n", "v=0\nc=\nm=audio 4000 RTP/AVP 0\n",
		"v=0\no=x\nc=IN IP4 192.0.2.1\n", "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na=rtcp:x\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (read_text(bad[i]) != HIPHOP_MALFORMED)
			fail_msg("taken: %s", bad[i]);
	/* The next port after the last there is, is none. */
	assert_int_equal(read_text("v=0\nc=IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 0\n"), HIPHOP_OK);
	assert_int_equal(read_back.streams[0].control_port, 0);
}

static void test_many_lines(void **state)
{
	(void)state;
	char body[8 + 3 * (SDP_LINES_MAXIMUM + 1)] = "v=0\n";
	const uint16_t ports[] = {0};
	struct buffer out;
	const struct address address = address_of("2001:22:1111:2222:3333:4444:5555:6666");
	for (size_t i = 1; i < SDP_LINES_MAXIMUM; i++)
		strcat(body, "c=\n");
	/* As many short lines as there may be, each replaced by a long one. */
	assert_int_equal(sdp_write(span_of(body), &address, ports, 0, &out), HIPHOP_OK);
	assert_int_equal(
		out.length, 4 + (SDP_LINES_MAXIMUM - 1) * strlen("c=IN IP6 2001:22:1111:2222:3333:4444:5555:6666\r\n"));
	buffer_free(&out);
	strcpy(body, "v=0\n");
	for (size_t i = 0; i < SDP_LINES_MAXIMUM; i++)
		strcat(body, "i=\n");
	assert_int_equal(read_text(body), HIPHOP_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_offer_of_a_phone),
		cmocka_unit_test(test_what_is_off_stays_off),
		cmocka_unit_test(test_hold_and_names),
		cmocka_unit_test(test_ways_past_the_relay_are_taken_out),
		cmocka_unit_test(test_a_line_end_may_be_missing),
		cmocka_unit_test(test_more_streams_than_are_read),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_many_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
