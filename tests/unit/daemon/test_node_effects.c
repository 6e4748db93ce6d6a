/* SPDX-License-Identifier: MIT */
#include "daemon/node_effects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_copies_outlive_their_source(void **state)
{
	(void)state;
	struct node_effects effects;
	struct node_effect effect;
	char octets[] = "octets", text[] = "text", space[] = "space", key[] = "key", value[] = "value";

	node_effects_start(&effects);
	effect = (struct node_effect){
		.kind = NODE_REPLY,
		.octets = (const uint8_t *)octets,
		.length = 6,
		.text = text,
		.record = {space, key, (const uint8_t *)value, 5, 7},
	};
	node_effects_push(&effects, &effect);
	memset(octets, 'x', 6);
	memset(text, 'x', 4);
	memset(space, 'x', 5);
	memset(key, 'x', 3);
	memset(value, 'x', 5);
	assert_true(node_effects_next(&effects, &effect));
	assert_memory_equal(effect.octets, "octets", 6);
	assert_string_equal(effect.text, "text");
	assert_string_equal(effect.record.space, "space");
	assert_string_equal(effect.record.key, "key");
	assert_memory_equal(effect.record.value, "value", 5);
	assert_int_equal(effect.record.expires, 7);
	assert_false(node_effects_next(&effects, &effect));
	node_effects_free(&effects);
}

static void test_packets_gather_until_their_vector_is_taken(void **state)
{
	(void)state;
	struct node_effects effects;
	struct node_effect effect;

	node_effects_start(&effects);
	for (int i = 0; i < PACKET_VECTOR_MAXIMUM + 1; i++)
		assert_non_null(node_effects_packet(&effects, NODE_UNDERLAY_SEND));
	assert_non_null(node_effects_packet(&effects, NODE_TUNNEL_WRITE));

	assert_true(node_effects_next(&effects, &effect));
	assert_int_equal(effect.kind, NODE_UNDERLAY_SEND);
	assert_int_equal(effect.vector->count, PACKET_VECTOR_MAXIMUM);
	assert_true(node_effects_next(&effects, &effect));
	assert_int_equal(effect.vector->count, 1);
	/* This vector is with the caller now; the next packet needs another. */
	assert_non_null(node_effects_packet(&effects, NODE_UNDERLAY_SEND));
	assert_int_equal(effect.vector->count, 1);
	assert_true(node_effects_next(&effects, &effect));
	assert_int_equal(effect.kind, NODE_TUNNEL_WRITE);
	assert_true(node_effects_next(&effects, &effect));
	assert_int_equal(effect.kind, NODE_UNDERLAY_SEND);
	assert_false(node_effects_next(&effects, &effect));
	assert_int_equal(effects.lost, 0);
	node_effects_free(&effects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_outlive_their_source),
		cmocka_unit_test(test_packets_gather_until_their_vector_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
