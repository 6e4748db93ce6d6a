/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sipglue/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                                           \
	"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:5070;branch=z9hG4bKx;rport\r\n"                  \
	"From: \"A\" <sip:a%20b@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: x@y\r\nCSeq: 7 INVITE\r\n"

static hiphop_error parse(const char *text, size_t length, struct message **message)
{
	message_library_start();
	return message_parse((const uint8_t *)text, length, message);
}

static hiphop_error parse_only(const char *text)
{
	struct message *message = NULL;
	hiphop_error error = parse(text, strlen(text), &message);
	message_free(message);
	return error;
}

static void test_parse_and_print(void **state)
{
	(void)state;
	const char text[] = HEAD "X-Other: 1, 2\r\nl : 5\r\nContent-Type: a/b\r\n\r\nab\0cdtrailing";
	struct message *message = NULL;
	struct buffer out = {0};
	assert_int_equal(parse(text, sizeof text - 1, &message), HIPHOP_OK);
	assert_int_equal(message->body_length, 5);
	assert_memory_equal(message->body, "ab\0cd", 5);
	assert_int_equal(message_cseq(message), 7);
	assert_int_equal(message_print(message, &out), HIPHOP_OK);
	const char tail[] = "Content-Length: 5\r\n\r\nab\0cd";
	assert_memory_equal(out.data + out.length - (sizeof tail - 1), tail, sizeof tail - 1);
	char *head = strndup((char *)out.data, out.length);
	assert_non_null(strstr(head, "sip:a%20b@example.com"));
	assert_non_null(strstr(head, "1, 2"));
	free(head);
	buffer_free(&out);
	message_free(message);
}

static void test_every_cut_is_survived(void **state)
{
	(void)state;
	const char text[] = HEAD "Contact: <sip:a@b>;q=0.5\r\nRoute: <sip:c;lr>\r\nContent-Length: 3\r\n\r\nabc";
	for (size_t i = 0; i < sizeof text - 1; i++) {
		char *copy = malloc(i + 1); /* exact, so that a sanitizer sees a read past the end */
		struct message *message = NULL;
		memcpy(copy, text, i);
		assert_int_not_equal(parse(copy, i, &message), HIPHOP_OK);
		free(copy);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	char *long_text = malloc(70000);
	strcpy(long_text, HEAD);
	for (size_t i = 0; i < 300; i++)
		strcat(long_text, "X: y\r\n");
	strcat(long_text, "\r\n");
	assert_int_equal(parse_only(long_text), HIPHOP_TOO_LARGE);
	strcpy(long_text, HEAD "X: ");
	memset(long_text + strlen(long_text), ',', 300);
	strcpy(long_text + sizeof HEAD - 1 + 3 + 300, "\r\n\r\n");
	assert_int_equal(parse_only(long_text), HIPHOP_TOO_LARGE);
	strcpy(long_text, HEAD "X: ");
	memset(long_text + sizeof HEAD - 1 + 3, 'x', 20000);
	strcpy(long_text + sizeof HEAD - 1 + 3 + 20000, "\r\n\r\n");
	assert_int_equal(parse_only(long_text), HIPHOP_TOO_LARGE);
	free(long_text);
	assert_int_equal(parse_only(HEAD "Content-Length: 4\r\n\r\nabc"), HIPHOP_TRUNCATED);
	assert_int_equal(parse_only(HEAD "Content-Length: -1\r\n\r\n"), HIPHOP_MALFORMED);
	assert_int_equal(parse_only(HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), HIPHOP_MALFORMED);
	assert_int_equal(parse_only(HEAD "Content-Length: 99999999999999999999\r\n\r\n"), HIPHOP_MALFORMED);
	assert_int_equal(parse_only(HEAD "Content-Length: 70000\r\n\r\n"), HIPHOP_TOO_LARGE);
}

static void test_what_is_missing(void **state)
{
	(void)state;
	assert_int_equal(parse_only(HEAD "\r\n"), HIPHOP_OK);
	const char *lines[] = {"INVITE sip:b@c SIP/2.0\r\n", "Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n",
		"From: <sip:a@b>;tag=1\r\n", "To: <sip:b@c>\r\n", "Call-ID: x\r\n", "CSeq: 1 INVITE\r\n"};
	for (size_t without = 0; without < 6; without++) {
		char text[1024] = "";
		for (size_t i = 0; i < 6; i++)
			strcat(text, i == without ? "" : lines[i]);
		strcat(text, "\r\n");
		assert_int_not_equal(parse_only(text), HIPHOP_OK);
	}
	assert_int_not_equal(parse_only("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), HIPHOP_OK);
	assert_int_not_equal(parse_only("\r\n\r\n"), HIPHOP_OK);
}

static void test_response_ack_cancel(void **state)
{
	(void)state;
	struct message *request = NULL, *response = NULL, *ack = NULL, *cancel = NULL;
	assert_int_equal(parse(HEAD "Route: <sip:r;lr>\r\n\r\n", strlen(HEAD) + 21, &request), HIPHOP_OK);
	assert_int_equal(message_response(request, 486, "tagged", &response), HIPHOP_OK);
	assert_string_equal(message_tag(response->osip->to), "tagged");
	assert_string_equal(response->osip->reason_phrase, "Busy Here");
	assert_int_equal(message_ack(request, response, &ack), HIPHOP_OK);
	assert_true(message_is(ack, "ACK"));
	assert_string_equal(message_tag(ack->osip->to), "tagged");
	assert_int_equal(osip_list_size(&ack->osip->routes), 1);
	assert_int_equal(message_cancel(request, &cancel), HIPHOP_OK);
	assert_string_equal(message_method(cancel), "CANCEL");
	assert_string_equal(message_tag(cancel->osip->to), "");
	assert_int_equal(message_cseq(cancel), 7);
	message_free(request);
	message_free(response);
	message_free(ack);
	message_free(cancel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_print),
		cmocka_unit_test(test_every_cut_is_survived),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_response_ack_cancel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
