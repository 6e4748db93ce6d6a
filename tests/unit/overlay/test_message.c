/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "overlay/message.h"
#include "overlay/overlay.h"

#include <stdlib.h>
#include <string.h>

static const struct hit node = {{0x20, 0x01, 0x00, 0x22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
static const struct hit resource = {{0x20, 0x01, 0x00, 0x20, 9, 9, 9, 9, 5, 6, 7, 8, 9, 10, 11, 12}};
static uint8_t octets[OVERLAY_MESSAGE_MAXIMUM];

static size_t write_message(const struct reload_message *message)
{
	struct writer writer = writer_over(octets, sizeof(octets));

	assert_int_equal(reload_message_write(&writer, message), HIPHOP_OK);
	return writer.position;
}

static struct span text(const char *string)
{
	return (struct span){(const uint8_t *)string, strlen(string)};
}

static void is_text(struct span span, const char *string)
{
	assert_int_equal(span.length, strlen(string));
	assert_memory_equal(span.data, string, span.length);
}

/* Every shorter message must be refused, from memory that ends right there so that a sanitizer sees an overrun; and so
 * must every message with an octet too many. */
static void truncations_fail(size_t length)
{
	struct reload_message message;

	for (size_t cut = 0; cut < length; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);
		assert_non_null(exact);
		memcpy(exact, octets, cut);
		assert_int_not_equal(reload_message_parse(exact, cut, &message), HIPHOP_OK);
		free(exact);
	}
	octets[length] = 0;
	assert_int_equal(reload_message_parse(octets, length + 1, &message), HIPHOP_MALFORMED);
}

static struct reload_message round_trip(const struct reload_message *message)
{
	struct reload_message parsed;
	size_t length = write_message(message);

	truncations_fail(length);
	assert_int_equal(reload_message_parse(octets, length, &parsed), HIPHOP_OK);
	assert_int_equal(parsed.code, message->code);
	return parsed;
}

static void ping_is_as_in_the_rfc(void **state)
{
	static const uint8_t expected[] = {0, 0x17, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0};
	struct reload_message message = {.code = RELOAD_PING_REQUEST};

	(void)state;
	assert_int_equal(write_message(&message), sizeof(expected));
	assert_memory_equal(octets, expected, sizeof(expected));
	message.padding = text("some padding");
	is_text(round_trip(&message).padding, "some padding");
	message = (struct reload_message){
		.code = RELOAD_PING_ANSWER, .ping_answer = {.response_id = 0x0102030405060708, .time = 77}};
	struct reload_message parsed = round_trip(&message);
	assert_int_equal(parsed.ping_answer.response_id, 0x0102030405060708);
	assert_int_equal(parsed.ping_answer.time, 77);
}

static void join_leave_update(void **state)
{
	struct reload_message message = {.code = RELOAD_JOIN_REQUEST, .join = {.node = node, .data = text("data")}};

	(void)state;
	struct reload_message parsed = round_trip(&message);
	assert_true(hit_equal(&parsed.join.node, &node));
	is_text(parsed.join.data, "data");
	message.code = RELOAD_LEAVE_REQUEST;
	is_text(round_trip(&message).leave.data, "data");
	message = (struct reload_message){.code = RELOAD_JOIN_ANSWER, .data = text("more")};
	is_text(round_trip(&message).data, "more");
	message = (struct reload_message){.code = RELOAD_UPDATE_REQUEST, .data = text("neighbours")};
	is_text(round_trip(&message).data, "neighbours");
	message = (struct reload_message){.code = RELOAD_UPDATE_ANSWER};
	round_trip(&message);
	message.code = RELOAD_LEAVE_ANSWER;
	round_trip(&message);
}

static void route_query(void **state)
{
	struct reload_message message = {.code = RELOAD_ROUTE_QUERY_REQUEST,
		.route_query = {.send_update = true,
			.destination_type = RELOAD_DESTINATION_RESOURCE,
			.destination = resource,
			.data = text("x")}};

	(void)state;
	struct reload_message parsed = round_trip(&message);
	assert_true(parsed.route_query.send_update);
	assert_true(hit_equal(&parsed.route_query.destination, &resource));
	message.route_query.destination_type = RELOAD_DESTINATION_NODE;
	message.route_query.destination = node;
	message.route_query.send_update = false;
	parsed = round_trip(&message);
	assert_false(parsed.route_query.send_update);
	assert_true(hit_equal(&parsed.route_query.destination, &node));
	/* An opaque destination, and a boolean that is none. */
	size_t length = write_message(&message);
	octets[7] = 3;
	assert_int_equal(reload_message_parse(octets, length, &parsed), HIPHOP_MALFORMED);
	octets[7] = RELOAD_DESTINATION_NODE;
	octets[6] = 2;
	assert_int_equal(reload_message_parse(octets, length, &parsed), HIPHOP_MALFORMED);
	message = (struct reload_message){.code = RELOAD_ROUTE_QUERY_ANSWER, .data = {node.octets, HIT_LENGTH}};
	assert_memory_equal(round_trip(&message).data.data, node.octets, HIT_LENGTH);
}

static struct span kinds_list(uint8_t *to, size_t size)
{
	struct writer writer = writer_over(to, size);

	size_t mark = reload_begin_kind_values(&writer, 0xF0000002, 7);
	writer_copy(&writer, "abc", 3);
	reload_end_kind_values(&writer, mark);
	mark = reload_begin_kind_values(&writer, 0x3, 8);
	reload_end_kind_values(&writer, mark);
	assert_int_equal(writer_status(&writer), HIPHOP_OK);
	return (struct span){to, writer.position};
}

static void check_kinds_list(struct span kinds)
{
	struct reader reader = reader_over(kinds.data, kinds.length);
	struct reload_kind_values values;

	assert_true(reload_next_kind_values(&reader, &values));
	assert_int_equal(values.kind, 0xF0000002);
	assert_int_equal(values.generation, 7);
	is_text(values.values, "abc");
	assert_true(reload_next_kind_values(&reader, &values));
	assert_int_equal(values.kind, 3);
	assert_int_equal(values.values.length, 0);
	assert_false(reload_next_kind_values(&reader, &values));
}

static void store(void **state)
{
	uint8_t list[128];
	struct reload_message message = {.code = RELOAD_STORE_REQUEST,
		.store = {.resource = resource, .replica_number = 2, .kinds = kinds_list(list, sizeof(list))},
		.has_copies = true,
		.copies = 3,
		.tombstone_s = 99};

	(void)state;
	struct reload_message parsed = round_trip(&message);
	assert_true(hit_equal(&parsed.store.resource, &resource));
	assert_int_equal(parsed.store.replica_number, 2);
	check_kinds_list(parsed.store.kinds);
	assert_true(parsed.has_copies);
	assert_int_equal(parsed.copies, 3);
	assert_int_equal(parsed.tombstone_s, 99);

	struct writer writer = writer_over(list, sizeof(list));
	reload_write_store_response(&writer, 5, 6, &node, 1);
	message = (struct reload_message){.code = RELOAD_STORE_ANSWER, .kinds = {list, writer.position}};
	parsed = round_trip(&message);
	struct reader reader = reader_over(parsed.kinds.data, parsed.kinds.length);
	struct reload_store_response response;
	assert_true(reload_next_store_response(&reader, &response));
	assert_int_equal(response.kind, 5);
	assert_int_equal(response.generation, 6);
	assert_int_equal(response.replicas.length, HIT_LENGTH);
}

static void fetch_and_stat(void **state)
{
	uint8_t list[128];
	struct writer writer = writer_over(list, sizeof(list));
	struct reload_specifier specifier;

	(void)state;
	reload_write_specifier(&writer, 1, 2, text("model"));
	reload_write_specifier(&writer, 3, 4, text(""));
	for (uint16_t code = RELOAD_FETCH_REQUEST; code;
		code = code == RELOAD_FETCH_REQUEST ? RELOAD_STAT_REQUEST : 0) {
		struct reload_message message = {
			.code = code, .fetch = {.resource = resource, .specifiers = {list, writer.position}}};
		struct reload_message parsed = round_trip(&message);
		struct reader reader = reader_over(parsed.fetch.specifiers.data, parsed.fetch.specifiers.length);
		assert_true(reload_next_specifier(&reader, &specifier));
		assert_int_equal(specifier.kind, 1);
		is_text(specifier.model, "model");
		assert_true(reload_next_specifier(&reader, &specifier));
		assert_false(reload_next_specifier(&reader, &specifier));
	}
	struct reload_message message = {
		.code = RELOAD_FETCH_ANSWER, .kinds = kinds_list(list, sizeof(list)), .partial = true};
	struct reload_message parsed = round_trip(&message);
	assert_true(parsed.partial);
	check_kinds_list(parsed.kinds);
	message.code = RELOAD_STAT_ANSWER;
	check_kinds_list(round_trip(&message).kinds);
}

static void find(void **state)
{
	static const uint8_t kinds[] = {0, 0, 0, 1, 0, 0, 0, 2};
	uint8_t list[128];
	struct writer writer = writer_over(list, sizeof(list));
	struct reload_message message = {
		.code = RELOAD_FIND_REQUEST, .find = {.resource = resource, .kinds = {kinds, sizeof(kinds)}}};
	struct hit none = {{0}}, closest;
	uint32_t kind;

	(void)state;
	assert_int_equal(round_trip(&message).find.kinds.length, 8);
	reload_write_found(&writer, 1, &resource);
	reload_write_found(&writer, 2, &none);
	message = (struct reload_message){.code = RELOAD_FIND_ANSWER, .kinds = {list, writer.position}};
	struct reload_message parsed = round_trip(&message);
	struct reader reader = reader_over(parsed.kinds.data, parsed.kinds.length);
	assert_true(reload_next_found(&reader, &kind, &closest));
	assert_true(hit_equal(&closest, &resource));
	assert_true(reload_next_found(&reader, &kind, &closest));
	assert_int_equal(kind, 2);
	assert_true(hit_is_null(&closest));
}

static void error(void **state)
{
	struct reload_message message = {
		.code = RELOAD_ERROR, .error = {.code = RELOAD_ERROR_FORBIDDEN, .information = text("no")}};

	(void)state;
	struct reload_message parsed = round_trip(&message);
	assert_int_equal(parsed.error.code, RELOAD_ERROR_FORBIDDEN);
	is_text(parsed.error.information, "no");
}

static void extensions(void **state)
{
	static const uint8_t unknown[] = {0, 0x17, 0, 0, 0, 2, 0, 0, 0, 0, 0, 8, 0x12, 0x34, 1, 0, 0, 0, 1, 0xAA};
	uint8_t copy[sizeof(unknown)];
	struct reload_message message;

	(void)state;
	assert_int_equal(reload_message_parse(unknown, sizeof(unknown), &message), HIPHOP_OK);
	assert_true(message.unknown_critical_extension);
	memcpy(copy, unknown, sizeof(unknown));
	copy[14] = 0;
	assert_int_equal(reload_message_parse(copy, sizeof(copy), &message), HIPHOP_OK);
	assert_false(message.unknown_critical_extension);
	copy[14] = 2;
	assert_int_equal(reload_message_parse(copy, sizeof(copy), &message), HIPHOP_MALFORMED);
}

static void what_we_do_not_know(void **state)
{
	static const uint8_t attach[] = {0, 3, 0, 0, 0, 0, 0, 0, 0, 0};
	struct reload_message message;

	(void)state;
	assert_int_equal(reload_message_parse(attach, sizeof(attach), &message), HIPHOP_UNSUPPORTED);
	assert_true(reload_is_request(message.code));
	assert_false(reload_is_request(RELOAD_ERROR));
	assert_false(reload_is_request(RELOAD_PING_ANSWER));
	assert_int_equal(reload_message_parse(octets, OVERLAY_MESSAGE_MAXIMUM + 1, &message), HIPHOP_TOO_LARGE);
	assert_string_equal(reload_message_name(RELOAD_STORE_REQUEST), "store_req");
	/* A Resource-ID that is not 16 octets long. */
	struct reload_message request = {.code = RELOAD_FIND_REQUEST, .find = {.resource = resource}};
	size_t length = write_message(&request);
	octets[6] = 15;
	assert_int_equal(reload_message_parse(octets, length, &message), HIPHOP_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ping_is_as_in_the_rfc),
		cmocka_unit_test(join_leave_update),
		cmocka_unit_test(route_query),
		cmocka_unit_test(store),
		cmocka_unit_test(fetch_and_stat),
		cmocka_unit_test(find),
		cmocka_unit_test(error),
		cmocka_unit_test(extensions),
		cmocka_unit_test(what_we_do_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
