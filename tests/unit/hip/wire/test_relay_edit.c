/* SPDX-License-Identifier: MIT */
#include "hip/wire/relay_edit.h"

#include "hip/wire/coverage.h"
#include "tests/unit/hip/wire/samples.h"

static uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM + 64];

static struct packet_view parsed(size_t length)
{
	struct packet_view view;

	assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
	assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
	return view;
}

static void test_ttl(void **state)
{
	size_t length = sample_packet(HIP_PACKET_DATA, packet, sizeof packet);
	struct packet_view view;
	uint16_t ttl;

	(void)state;
	for (unsigned left = 20; left > 0; left--) {
		assert_int_equal(relay_decrement_ttl(packet, length), HIPHOP_OK);
		view = parsed(length);
		assert_int_equal(
			parameter_overlay_ttl_read(packet_find(&view, PARAMETER_OVERLAY_TTL), &ttl), HIPHOP_OK);
		assert_int_equal(ttl, left - 1);
	}
	assert_int_equal(relay_decrement_ttl(packet, length), HIPHOP_LIMITED);
	assert_int_equal(relay_decrement_ttl(packet, 39), HIPHOP_TRUNCATED);
	length = sample_packet(HIP_PACKET_CLOSE, packet, sizeof packet);
	assert_int_equal(relay_decrement_ttl(packet, length), HIPHOP_NOT_FOUND);
}

static void test_via_grows_and_the_rest_stays(void **state)
{
	size_t length = sample_packet(HIP_PACKET_DATA, packet, sizeof packet);
	size_t first_length = length;
	uint8_t before[HIP_PACKET_MAXIMUM];
	struct coverage coverage;
	struct parameter_route route;
	struct packet_view view = parsed(length);
	size_t covered;

	(void)state;
	assert_int_equal(coverage_of_signature(&view, &coverage), HIPHOP_OK);
	covered = coverage_length(&coverage);
	memcpy(before, packet, covered);
	for (uint8_t i = 0; i < 3; i++) {
		struct hit hop = sample_responder;

		hop.octets[15] = i;
		assert_int_equal(relay_append_via(packet, &length, sizeof packet, &hop), HIPHOP_OK);
		view = parsed(length);
		assert_int_equal(length, first_length + 16u * (i + 1u));
		assert_int_equal(parameter_route_read(packet_find(&view, PARAMETER_ROUTE_VIA), &route), HIPHOP_OK);
		assert_int_equal(route.count, i + 1);
		assert_int_equal(route.hits[i].octets[15], i);
		assert_int_equal(route.hits[0].octets[15], 0);
		assert_int_equal(route.flags, ROUTE_FLAG_SYMMETRIC | ROUTE_FLAG_MUST_FOLLOW);
		assert_int_equal(view.payload.length, 13);
		assert_memory_equal(view.payload.data, "find the peer", 13);
		assert_int_equal(coverage_of_signature(&view, &coverage), HIPHOP_OK);
		assert_int_equal(coverage_length(&coverage), covered);
		assert_memory_equal(packet + 2, before + 2, covered - 2);
	}
}

static size_t with_via(size_t hits, size_t filler, bool trailer)
{
	static const uint8_t zeros[HIP_PARAMETERS_MAXIMUM];
	struct packet_builder builder;
	size_t length;

	packet_builder_start(&builder, packet, sizeof packet, HIP_PACKET_R1, 0, &sample_responder, &sample_initiator);
	if (filler)
		packet_builder_add(&builder, PARAMETER_CERT, zeros, filler - 4);
	packet_builder_add(&builder, PARAMETER_ROUTE_VIA, zeros, 4 + 16 * hits);
	if (trailer)
		packet_builder_add(&builder, PARAMETER_VIA_RVS, "0123456789abcdef", 16);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	return length;
}

static void test_limits(void **state)
{
	uint8_t before[sizeof packet];
	size_t length = with_via(31, 0, false);

	(void)state;
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_OK);
	memcpy(before, packet, sizeof packet);
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_TOO_LARGE);
	assert_memory_equal(before, packet, sizeof packet);

	/* 8 octets of ROUTE_VIA and 1984 of filler: 2008 are reached with one HIT, passed with two. */
	length = with_via(0, 1984, false);
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_OK);
	assert_int_equal(length, HIP_PACKET_MAXIMUM);
	assert_int_equal(packet[1], 255);
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_TOO_LARGE);
	assert_int_equal(length, HIP_PACKET_MAXIMUM);

	length = with_via(0, 0, false);
	assert_int_equal(relay_append_via(packet, &length, length + 15, &sample_responder), HIPHOP_TOO_LARGE);
	assert_int_equal(relay_append_via(packet, &length, length + 16, &sample_responder), HIPHOP_OK);
}

static void test_odd_packets(void **state)
{
	size_t length = with_via(1, 0, true);
	struct packet_view view;
	struct address rendezvous;

	(void)state;
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_OK);
	assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
	assert_int_equal(parameter_address_read(packet_find(&view, PARAMETER_VIA_RVS), &rendezvous), HIPHOP_OK);
	assert_memory_equal(rendezvous.octets, "0123456789abcdef", 16);

	length = with_via(1, 0, false);
	packet[43] = 19; /* not a whole number of HITs */
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_MALFORMED);
	packet[43] = 2;
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_MALFORMED);
	length = sample_packet(HIP_PACKET_CLOSE, packet, sizeof packet);
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_NOT_FOUND);
	length = 8;
	assert_int_equal(relay_append_via(packet, &length, sizeof packet, &sample_responder), HIPHOP_TRUNCATED);
}

static struct endpoint endpoint_at(const char *text, uint16_t port)
{
	struct endpoint endpoint = {.port = port, .transport = TRANSPORT_UDP};

	assert_int_equal(address_parse(text, &endpoint.address), HIPHOP_OK);
	return endpoint;
}

/* Into every packet that has no payload, and out again: then it is what it was. */
static void test_endpoint_comes_and_goes(void **state)
{
	const struct endpoint peer = endpoint_at("192.0.2.1", 10500), other = endpoint_at("2001:db8::1", 99);
	uint8_t before[HIP_PACKET_MAXIMUM];
	struct endpoint found;

	(void)state;
	for (size_t t = 0; t < SAMPLE_TYPES; t++) {
		size_t first = sample_packet(sample_types[t], packet, sizeof packet), length = first;

		if (sample_types[t] == HIP_PACKET_DATA)
			continue;
		memcpy(before, packet, first);
		assert_int_equal(
			relay_put_endpoint(packet, &length, sizeof packet, PARAMETER_RELAY_TO, &peer), HIPHOP_OK);
		assert_int_equal(
			relay_put_endpoint(packet, &length, sizeof packet, PARAMETER_RELAY_FROM, &other), HIPHOP_OK);
		assert_int_equal(length, first + 2 * RELAYED_ENDPOINT_LENGTH);
		parsed(length);
		assert_int_equal(
			relay_put_endpoint(packet, &length, sizeof packet, PARAMETER_RELAY_TO, &other), HIPHOP_EXISTS);
		assert_int_equal(relay_take_endpoint(packet, &length, PARAMETER_RELAY_TO, &found), HIPHOP_OK);
		assert_true(endpoint_equal(&found, &peer));
		assert_int_equal(relay_take_endpoint(packet, &length, PARAMETER_RELAY_FROM, &found), HIPHOP_OK);
		assert_true(endpoint_equal(&found, &other));
		assert_int_equal(relay_take_endpoint(packet, &length, PARAMETER_RELAY_FROM, &found), HIPHOP_NOT_FOUND);
		assert_int_equal(length, first);
		assert_memory_equal(packet, before, first);
	}
}

static void test_endpoint_that_does_not_fit(void **state)
{
	const struct endpoint peer = endpoint_at("192.0.2.1", 10500);
	static const uint8_t filling[1900];
	struct packet_builder builder;
	struct endpoint found;
	size_t length;

	(void)state;
	length = sample_packet(HIP_PACKET_DATA, packet, sizeof packet);
	assert_int_equal(
		relay_put_endpoint(packet, &length, sizeof packet, PARAMETER_RELAY_TO, &peer), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(relay_take_endpoint(packet, &length, PARAMETER_RELAY_TO, &found), HIPHOP_INVALID_ARGUMENT);
	length = sample_packet(HIP_PACKET_I1, packet, sizeof packet);
	assert_int_equal(relay_put_endpoint(packet, &length, length + 23, PARAMETER_RELAY_TO, &peer), HIPHOP_TOO_LARGE);
	assert_int_equal(
		relay_put_endpoint(packet, &length, length + 24, PARAMETER_FROM, &peer), HIPHOP_INVALID_ARGUMENT);
	assert_int_equal(relay_put_endpoint(packet, &length, length + 24, PARAMETER_RELAY_TO, &peer), HIPHOP_OK);
	packet_builder_start(
		&builder, packet, sizeof packet, HIP_PACKET_UPDATE, 0, &sample_initiator, &sample_responder);
	packet_builder_add(&builder, PARAMETER_ECHO_REQUEST_SIGNED, filling, sizeof filling);
	packet_builder_add(&builder, PARAMETER_HIP_SIGNATURE, filling, 84);
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(
		relay_put_endpoint(packet, &length, sizeof packet, PARAMETER_RELAY_TO, &peer), HIPHOP_TOO_LARGE);
	assert_int_equal(relay_put_endpoint(packet, &length, 39, PARAMETER_RELAY_TO, &peer), HIPHOP_TOO_LARGE);
	length = 39;
	assert_int_equal(
		relay_put_endpoint(packet, &length, sizeof packet, PARAMETER_RELAY_TO, &peer), HIPHOP_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_endpoint_comes_and_goes),
		cmocka_unit_test(test_endpoint_that_does_not_fit),
		cmocka_unit_test(test_via_grows_and_the_rest_stays),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_odd_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
