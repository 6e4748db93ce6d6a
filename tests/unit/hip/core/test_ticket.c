/* SPDX-License-Identifier: MIT */
#include "hip/core/ticket.h"

#include "tests/unit/cmocka.h"

#include <string.h>

static const struct hit owner = {{0x20, 0x01, 0x00, 0x22, 1}}, peer = {{0x20, 0x01, 0x00, 0x22, 2}};
static struct seeded_random generator;
static struct random_source randomness;

static struct ticket_grant fresh(void)
{
	struct ticket_grant grant;

	if (!randomness.fill)
		randomness = seeded_random_start(&generator, 7);
	ticket_make(&randomness, &grant);
	return grant;
}

static void test_life_of_a_ticket(void **state)
{
	struct ticket_grant first = fresh(), second = fresh();
	struct held_ticket held = {0};

	(void)state;
	assert_memory_not_equal(first.key, second.key, sizeof first.key);
	assert_false(ticket_is(&held, 0, first.id));
	first.lifetime = 10;
	ticket_take(&held, 0, &first);
	assert_true(ticket_is(&held, SECONDS(10) - 1, first.id));
	assert_false(ticket_is(&held, SECONDS(10), first.id));
	assert_false(ticket_is(&held, 0, second.id));
	/* More time, and the SEQ goes on. */
	ticket_note(&held, 5);
	ticket_take(&held, SECONDS(5), &first);
	assert_true(ticket_is(&held, SECONDS(15) - 1, first.id));
	assert_int_equal(ticket_judge(&held, 5), TICKET_SEQUENCE_AGAIN);
	/* Another takes its place; the end of the first is nothing then. */
	ticket_take(&held, SECONDS(5), &second);
	assert_false(ticket_is(&held, SECONDS(6), first.id));
	assert_int_equal(ticket_judge(&held, 5), TICKET_SEQUENCE_NEW);
	first.lifetime = second.lifetime = 0;
	ticket_take(&held, SECONDS(6), &first);
	assert_true(ticket_is(&held, SECONDS(6), second.id));
	ticket_take(&held, SECONDS(6), &second);
	assert_false(ticket_is(&held, SECONDS(6), second.id));
	/* No longer than may be. */
	first.lifetime = UINT32_MAX;
	ticket_take(&held, 0, &first);
	assert_false(ticket_is(&held, SECONDS(TICKET_LIFETIME_MAXIMUM), first.id));
}

static void test_sequence(void **state)
{
	struct held_ticket held = {.valid = true};

	(void)state;
	assert_int_equal(ticket_judge(&held, 0), TICKET_SEQUENCE_NEW);
	ticket_note(&held, 7);
	assert_int_equal(ticket_judge(&held, 6), TICKET_SEQUENCE_OLD);
	assert_int_equal(ticket_judge(&held, 7), TICKET_SEQUENCE_AGAIN);
	assert_int_equal(ticket_judge(&held, 8), TICKET_SEQUENCE_NEW);
}

/* Any octet changed, the other direction, another key: none fits. */
static void test_protection(void **state)
{
	struct ticket_grant grant = fresh(), other = fresh();
	uint8_t packet[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	size_t length, refused = 0;

	(void)state;
	packet_builder_start(&builder, packet, sizeof packet, HIP_PACKET_UPDATE_PROXY, 0, &owner, &peer);
	parameter_number_write(&builder, PARAMETER_SEQ, 3);
	assert_int_equal(ticket_protect(&builder, grant.id, grant.key, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(packet, length, &view), HIPHOP_OK);
	assert_int_equal(packet_check_rules(&view, NULL), HIPHOP_OK);
	assert_int_equal(ticket_verify(&view, grant.key), HIPHOP_OK);
	assert_int_equal(ticket_verify(&view, other.key), HIPHOP_BAD_MAC);
	for (size_t i = 0; i < length; i++) {
		packet[i] ^= 1;
		/* The checksum is of the hop, and not covered; nor is padding behind the MAC. */
		if (i != 4 && i != 5 && i < length - 4 &&
			(packet_parse(packet, length, &view) || ticket_verify(&view, grant.key)))
			refused++;
		packet[i] ^= 1;
	}
	assert_int_equal(refused, length - 4 - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life_of_a_ticket),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_protection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
