/* SPDX-License-Identifier: MIT */
/* The table of Notify Message Types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hip/core/notifications.h"
#include "hip/wire/constants.h"
#include "hip/wire/packet.h"

static void rows_ascend_and_have_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NOTIFICATION_RULES; i++) {
		const struct notification_rule *rule = notification_rule_at(i);

		assert_true(i == 0 || rule->type > notification_rule_at(i - 1)->type);
		assert_string_not_equal(hip_notify_type_name(rule->type), "unknown");
		assert_ptr_equal(notification_rule_of(rule->type), rule);
		assert_int_equal(notification_index(rule->type), i);
	}
	assert_null(notification_rule_of(9999));
	assert_int_equal(notification_index(9999), NOTIFICATION_RULES);
}

static void no_row_answers_a_notify_or_an_i1_unasked(void **state)
{
	(void)state;
	for (size_t i = 0; i < NOTIFICATION_RULES; i++) {
		const struct notification_rule *rule = notification_rule_at(i);

		if (rule->type != NOTIFY_CREDENTIALS_REQUIRED && rule->type != NOTIFY_INVALID_CERTIFICATE)
			assert_false(notification_is_allowed(rule, HIP_PACKET_NOTIFY, SHOWN_IDENTITY));
		for (unsigned type = HIP_PACKET_I1; type <= HIP_PACKET_CLOSE_ACK; type++)
			assert_false(notification_is_allowed(rule, type, SHOWN_NOTHING));
		if (rule->proof > SHOWN_NEIGHBOUR)
			assert_false(notification_is_allowed(rule, HIP_PACKET_I1, SHOWN_IDENTITY));
	}
}

/* A wrong checksum is met with silence, INVALID_SYNTAX comes only under a right MAC and signature. */
static void what_rows_demand(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t packet;
		notification_proof shown;
		bool allowed;
	} cases[] = {
		{NOTIFY_CHECKSUM_FAILED, HIP_PACKET_UPDATE, SHOWN_IDENTITY, false},
		{NOTIFY_INVALID_SYNTAX, HIP_PACKET_I2, SHOWN_KEYS, false},
		{NOTIFY_INVALID_SYNTAX, HIP_PACKET_I2, SHOWN_IDENTITY, true},
		{NOTIFY_INVALID_SYNTAX, HIP_PACKET_R1, SHOWN_IDENTITY, false},
		{NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE, HIP_PACKET_I2, SHOWN_PUZZLE, true},
		{NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE, HIP_PACKET_UPDATE, SHOWN_KEYS, false},
		{NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE, HIP_PACKET_UPDATE, SHOWN_IDENTITY, true},
		{NOTIFY_HIP_MAC_FAILED, HIP_PACKET_UPDATE, SHOWN_IDENTITY, false},
		{NOTIFY_BLOCKED_BY_POLICY, HIP_PACKET_I1, SHOWN_IDENTITY, false},
		{NOTIFY_BLOCKED_BY_POLICY, HIP_PACKET_I2, SHOWN_PUZZLE, true},
		{NOTIFY_AUTHENTICATION_FAILED, HIP_PACKET_UPDATE, SHOWN_PUZZLE, false},
		{NOTIFY_AUTHENTICATION_FAILED, HIP_PACKET_R1, SHOWN_IDENTITY, false},
		{NOTIFY_I2_ACKNOWLEDGEMENT, HIP_PACKET_I2, SHOWN_IDENTITY, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (notification_is_allowed(notification_rule_of(cases[i].type), cases[i].packet, cases[i].shown) !=
			cases[i].allowed)
			fail_msg("case %zu", i);
	}
}

static void data_has_its_length(void **state)
{
	(void)state;
	assert_true(notification_data_fits(notification_rule_of(NOTIFY_INVALID_SYNTAX), 0));
	assert_false(notification_data_fits(notification_rule_of(NOTIFY_INVALID_SYNTAX), 1));
	assert_true(notification_data_fits(notification_rule_of(NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE), 2));
	assert_false(notification_data_fits(notification_rule_of(NOTIFY_UNSUPPORTED_CRITICAL_PARAMETER_TYPE), 0));
	assert_true(notification_data_fits(notification_rule_of(NOTIFY_INVALID_CERTIFICATE), 2));
	assert_true(notification_data_fits(notification_rule_of(NOTIFY_INVALID_CERTIFICATE), 0));
	assert_false(notification_data_fits(notification_rule_of(NOTIFY_INVALID_CERTIFICATE), 1));
	assert_true(notification_data_fits(notification_rule_of(NOTIFY_INVALID_SPI), 4));
	assert_false(notification_data_fits(notification_rule_of(NOTIFY_UNKNOWN_NEXT_HOP), 39));
	assert_true(notification_data_fits(notification_rule_of(NOTIFY_UNKNOWN_NEXT_HOP), 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_ascend_and_have_names),
		cmocka_unit_test(no_row_answers_a_notify_or_an_i1_unasked),
		cmocka_unit_test(what_rows_demand),
		cmocka_unit_test(data_has_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
