/* SPDX-License-Identifier: MIT */
#include "tests/unit/hip/wire/samples.h"

/* What every packet must have, said once more, from RFC 7401 section 5.3 and RFC 6078 section 4. */
static const struct {
	uint8_t packet;
	uint16_t types[12];
} mandatory[] = {
	{HIP_PACKET_I1, {PARAMETER_DH_GROUP_LIST}},
	{HIP_PACKET_R1, {PARAMETER_PUZZLE, PARAMETER_DH_GROUP_LIST, PARAMETER_DIFFIE_HELLMAN, PARAMETER_HIP_CIPHER,
				PARAMETER_HOST_ID, PARAMETER_HIT_SUITE_LIST, PARAMETER_TRANSPORT_FORMAT_LIST,
				PARAMETER_HIP_SIGNATURE_2}},
	{HIP_PACKET_I2, {PARAMETER_SOLUTION, PARAMETER_DIFFIE_HELLMAN, PARAMETER_HIP_CIPHER, PARAMETER_HOST_ID,
				PARAMETER_TRANSPORT_FORMAT_LIST, PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_R2, {PARAMETER_HIP_MAC_2, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_UPDATE, {PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_NOTIFY, {PARAMETER_NOTIFICATION, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_CLOSE, {PARAMETER_ECHO_REQUEST_SIGNED, PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_CLOSE_ACK, {PARAMETER_ECHO_RESPONSE_SIGNED, PARAMETER_HIP_MAC, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_DATA, {PARAMETER_PAYLOAD_MIC, PARAMETER_HIP_SIGNATURE}},
	{HIP_PACKET_UPDATE_PROXY, {PARAMETER_TICKET_ID, PARAMETER_HIP_MAC}},
};

static bool is_mandatory(uint8_t packet, uint16_t type)
{
	for (size_t i = 0; i < sizeof mandatory / sizeof mandatory[0]; i++)
		for (size_t k = 0; mandatory[i].packet == packet && mandatory[i].types[k]; k++)
			if (mandatory[i].types[k] == type)
				return true;
	return false;
}

static void test_each_parameter_left_out(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM], shorter[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct packet_view view, other;

	(void)state;
	for (size_t t = 0; t < SAMPLE_TYPES; t++) {
		size_t length = sample_packet(sample_types[t], packet, sizeof packet);
		uint16_t notify = 99;

		assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
		assert_int_equal(packet_check_rules(&view, &notify), HIPHOP_OK);
		assert_int_equal(notify, 0);
		for (size_t i = 0; i < view.parameters.count; i++) {
			uint16_t type = view.parameters.items[i].type;
			bool needed = is_mandatory(view.type, type);
			size_t rest = sample_without(&view, type, shorter, sizeof shorter);

			assert_int_equal(packet_parse(shorter, rest, &other), HIPHOP_OK);
			assert_int_equal(packet_check_rules(&other, &notify), needed ? HIPHOP_MALFORMED : HIPHOP_OK);
			assert_int_equal(notify, needed ? NOTIFY_INVALID_SYNTAX : 0);
			assert_true(parameter_expected_in(type, view.type));
		}
	}
}

static void test_each_parameter_twice(void **state)
{
	uint8_t packet[HIP_PACKET_WITH_PAYLOAD_MAXIMUM], longer[HIP_PACKET_WITH_PAYLOAD_MAXIMUM];
	struct packet_view view, other;

	(void)state;
	for (size_t t = 0; t < SAMPLE_TYPES; t++) {
		size_t length = sample_packet(sample_types[t], packet, sizeof packet);

		assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
		for (size_t i = 0; i < view.parameters.count; i++) {
			const struct parameter_view *item = &view.parameters.items[i];
			size_t behind = item->offset + item->encoded.length;
			bool repeats = parameter_rule_of(item->type)->repeats;

			memcpy(longer, packet, behind);
			memcpy(longer + behind, packet + item->offset, length - item->offset);
			longer[1] = (uint8_t)(packet[1] + item->encoded.length / 8);
			assert_int_equal(packet_parse(longer, length + item->encoded.length, &other), HIPHOP_OK);
			assert_int_equal(packet_check_rules(&other, NULL), repeats ? HIPHOP_OK : HIPHOP_MALFORMED);
		}
	}
}

/* Packets of one type with the given parameters, each with contents that fit the table. */
static hiphop_error check_packet_of(uint8_t packet_type, const uint16_t *types, uint16_t *notify)
{
	static const uint8_t zeros[600];
	uint8_t buffer[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	size_t length;

	packet_builder_start(&builder, buffer, sizeof buffer, packet_type, 0, &sample_initiator, &sample_responder);
	for (; *types; types++) {
		const struct parameter_rule *rule = parameter_rule_of(*types);

		packet_builder_add(&builder, *types, zeros, rule ? rule->minimum : 4);
	}
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(buffer, length, &view), HIPHOP_OK);
	return packet_check_rules(&view, notify);
}

#define CHECK(packet_type, ...) check_packet_of(packet_type, (const uint16_t[]){__VA_ARGS__, 0}, NULL)

/* conforms: RFC7401-5.3.5-3 */
static void test_alternatives(void **state)
{
	enum {
		MAC = PARAMETER_HIP_MAC,
		SIGNATURE = PARAMETER_HIP_SIGNATURE,
		SEQ = PARAMETER_SEQ,
		ACK = PARAMETER_ACK,
		SEQ_DATA = PARAMETER_SEQ_DATA,
		ACK_DATA = PARAMETER_ACK_DATA,
		MIC = PARAMETER_PAYLOAD_MIC
	};

	(void)state;
	assert_int_equal(CHECK(HIP_PACKET_UPDATE, MAC, SIGNATURE), HIPHOP_MALFORMED);
	assert_int_equal(CHECK(HIP_PACKET_UPDATE, SEQ, MAC, SIGNATURE), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_UPDATE, ACK, MAC, SIGNATURE), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_UPDATE_PROXY, PARAMETER_TICKET_ID, MAC), HIPHOP_MALFORMED);
	assert_int_equal(CHECK(HIP_PACKET_UPDATE_PROXY, SEQ, PARAMETER_TICKET_ID, MAC), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_UPDATE_PROXY, ACK, PARAMETER_TICKET_ID, MAC), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_DATA, SIGNATURE), HIPHOP_MALFORMED);
	assert_int_equal(CHECK(HIP_PACKET_DATA, ACK_DATA, SIGNATURE), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_DATA, SEQ_DATA, SIGNATURE), HIPHOP_MALFORMED);
	assert_int_equal(CHECK(HIP_PACKET_DATA, SEQ_DATA, MIC, SIGNATURE), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_DATA, SEQ_DATA, ACK_DATA, MIC, MIC, SIGNATURE), HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_I2, PARAMETER_SOLUTION, PARAMETER_DIFFIE_HELLMAN, PARAMETER_HIP_CIPHER,
				 PARAMETER_ENCRYPTED, PARAMETER_TRANSPORT_FORMAT_LIST, MAC, SIGNATURE),
		HIPHOP_OK);
	assert_int_equal(CHECK(HIP_PACKET_I2, PARAMETER_SOLUTION, PARAMETER_DIFFIE_HELLMAN, PARAMETER_HIP_CIPHER,
				 PARAMETER_TRANSPORT_FORMAT_LIST, MAC, SIGNATURE),
		HIPHOP_MALFORMED);
}

/* conforms: RFC7401-5.2.1-6 RFC7401-5.2.1-7 RFC7401-5.2.1-8 RFC7401-5.2.1-9 */
static void test_unknown_parameters(void **state)
{
	static const uint16_t harmless[] = {PARAMETER_DH_GROUP_LIST, 40000, 0};
	static const uint16_t critical[] = {PARAMETER_DH_GROUP_LIST, 40001, 0};
	uint16_t notify;

	(void)state;
	assert_int_equal(check_packet_of(HIP_PACKET_I1, harmless, &notify), HIPHOP_OK);
	assert_int_equal(check_packet_of(HIP_PACKET_I1, critical, &notify), HIPHOP_UNSUPPORTED);
	assert_int_equal(notify, NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE);
	/* A known parameter in a packet that is not its place is ignored. */
	assert_int_equal(CHECK(HIP_PACKET_I1, PARAMETER_SEQ, PARAMETER_DH_GROUP_LIST), HIPHOP_OK);
	assert_false(parameter_expected_in(PARAMETER_SEQ, HIP_PACKET_I1));
	assert_false(parameter_expected_in(40000, HIP_PACKET_I1));
}

static void expect_length(uint16_t type, size_t length, bool fits)
{
	static const uint8_t zeros[600];
	uint8_t buffer[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	size_t total;

	packet_builder_start(&builder, buffer, sizeof buffer, HIP_PACKET_I1, 0, &sample_initiator, &sample_responder);
	if (type > PARAMETER_DH_GROUP_LIST)
		packet_builder_add(&builder, PARAMETER_DH_GROUP_LIST, "\7", 1);
	packet_builder_add(&builder, type, zeros, length);
	if (type < PARAMETER_DH_GROUP_LIST)
		packet_builder_add(&builder, PARAMETER_DH_GROUP_LIST, "\7", 1);
	assert_int_equal(packet_builder_finish(&builder, &total), HIPHOP_OK);
	assert_int_equal(packet_parse(buffer, total, &view), HIPHOP_OK);
	assert_int_equal(packet_check_rules(&view, NULL), fits ? HIPHOP_OK : HIPHOP_MALFORMED);
}

static void test_lengths(void **state)
{
	(void)state;
	expect_length(PARAMETER_ESP_INFO, 11, false);
	expect_length(PARAMETER_ESP_INFO, 12, true);
	expect_length(PARAMETER_ESP_INFO, 13, false);
	expect_length(PARAMETER_ROUTE_VIA, 4, true);
	expect_length(PARAMETER_ROUTE_VIA, 5, false);
	expect_length(PARAMETER_ROUTE_VIA, 4 + 32 * 16, true);
	expect_length(PARAMETER_ROUTE_VIA, 4 + 33 * 16, false);
	expect_length(PARAMETER_ROUTE_DST, 4, false);
	expect_length(PARAMETER_ROUTE_DST, 20, true);
	expect_length(PARAMETER_SOLUTION, 45, false);
	expect_length(PARAMETER_SOLUTION, 100, true);
	expect_length(PARAMETER_LOCATOR_SET, 0, true);
}

static void test_table(void **state)
{
	unsigned known = 0;
	uint16_t last = 0;

	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		const struct parameter_rule *rule = parameter_rule_of((uint16_t)type);

		if (!rule)
			continue;
		known++;
		assert_int_equal(rule->type, type);
		assert_true(rule->type > last || last == 0);
		last = rule->type;
		assert_true(rule->minimum <= rule->maximum && rule->multiple >= 1);
		assert_int_equal(rule->must_in & ~rule->may_in, 0);
	}
	assert_int_equal(known, 58); /* a row out of order is not found */
	assert_string_equal(parameter_name(PARAMETER_HIP_MAC_2), "HIP_MAC_2");
	assert_string_equal(parameter_name(1), "unknown");
	assert_int_equal(parameter_coverage_of(PARAMETER_ROUTE_DST), PARAMETER_COVERED);
	assert_int_equal(parameter_coverage_of(PARAMETER_HIP_SIGNATURE), PARAMETER_PROTECTION);
	assert_int_equal(parameter_coverage_of(PARAMETER_ROUTE_VIA), PARAMETER_UNCOVERED);
	assert_int_equal(parameter_coverage_of(PARAMETER_ECHO_RESPONSE_UNSIGNED), PARAMETER_UNCOVERED);
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLE_TYPES; i++)
		assert_string_not_equal(hip_packet_type_name(sample_types[i]), "unknown");
	assert_string_equal(hip_packet_type_name(HIP_PACKET_CLOSE_ACK), "CLOSE_ACK");
	assert_string_equal(hip_packet_type_name(5), "unknown");
	assert_string_equal(hip_notify_type_name(NOTIFY_OVERLAY_TTL_EXCEEDED), "OVERLAY_TTL_EXCEEDED");
	assert_string_equal(hip_notify_type_name(2), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_parameter_left_out),
		cmocka_unit_test(test_each_parameter_twice),
		cmocka_unit_test(test_alternatives),
		cmocka_unit_test(test_unknown_parameters),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
