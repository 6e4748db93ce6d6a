/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sipglue/sdp_media.h"

#include <stdio.h>
#include <string.h>

static struct sip_media_port ports[SIP_MEDIA_PORTS_MAXIMUM];
static size_t count;

static bool read_body(const char *type, const char *body)
{
	char text[4096];
	struct message *message = NULL;
	snprintf(text, sizeof text,
		"INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
		"<sip:b@c>\r\n"
		"Call-ID: x\r\nCSeq: 1 INVITE\r\nContent-Type: %s\r\n\r\n%s",
		type, body);
	message_library_start();
	assert_int_equal(message_parse((const uint8_t *)text, strlen(text), &message), HIPHOP_OK);
	bool good = sdp_media_ports(message, ports, &count);
	message_free(message);
	return good;
}

static void test_rtp_and_rtcp(void **state)
{
	(void)state;
	assert_true(read_body("application/sdp", "v=0\r\nm=audio 4000 RTP/AVP 0 8\r\nm=video 0 RTP/AVP 96\r\n"
						 "m=video 5000 RTP/AVP 97\r\na=rtcp:6001 IN IP6 ::1\r\n"));
	const uint16_t expected[] = {4000, 4001, 5000, 6001};
	assert_int_equal(count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ports[i].port, expected[i]);
		assert_int_equal(ports[i].protocol, 17);
	}
}

static void test_mux_pairs_and_tcp(void **state)
{
	(void)state;
	assert_true(read_body("Application/SDP;charset=x",
		"v=0\nm=audio 4000 RTP/AVP 0\na=rtcp-mux\nm=video 5000/2 RTP/AVP 1\n"
		"m=message 7000 TCP/MSRP *\n"));
	const uint16_t expected[] = {4000, 5000, 5001, 5002, 5003, 7000};
	assert_int_equal(count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(ports[i].port, expected[i]);
	assert_int_equal(ports[5].protocol, 6);
}

static void test_what_is_no_sdp(void **state)
{
	(void)state;
	assert_false(read_body("text/plain", "v=0\r\nm=audio 4000 RTP/AVP 0\r\n"));
	assert_false(read_body("application/sdp", "hello"));
	assert_true(read_body("application/sdp",
		"v=0\r\nm=\r\nm=audio\r\nm=audio 99999 RTP/AVP\r\nm=audio 65535 RTP/AVP\r\na=rtcp:\r\n"));
	assert_int_equal(count, 1);
}

static void test_many_lines_are_bounded(void **state)
{
	(void)state;
	char body[3000] = "v=0\r\n";
	for (unsigned i = 0; i < 60; i++)
		snprintf(body + strlen(body), sizeof body - strlen(body), "m=audio %u/8 RTP/AVP 0\r\n", 4000 + 100 * i);
	assert_true(read_body("application/sdp", body));
	assert_int_equal(count, SIP_MEDIA_PORTS_MAXIMUM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtp_and_rtcp),
		cmocka_unit_test(test_mux_pairs_and_tcp),
		cmocka_unit_test(test_what_is_no_sdp),
		cmocka_unit_test(test_many_lines_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
