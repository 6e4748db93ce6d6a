/* SPDX-License-Identifier: MIT */
#include "hip/base/packet_vector.h"

#include "tests/unit/cmocka.h"

#include <stdlib.h>

static void test_fill_and_bounds(void **state)
{
	static const uint8_t data[PACKET_DATA_MAXIMUM + 1] = {7};
	struct packet_vector *vector = malloc(sizeof *vector);
	struct packet *packet;

	(void)state;
	assert_non_null(vector);
	vector->count = 0;
	packet = packet_vector_add(vector);
	assert_int_equal(packet->offset, PACKET_HEADROOM);
	assert_int_equal(packet->kind, PACKET_DROPPED);
	assert_int_equal(packet_fill(packet, PACKET_INNER, data, PACKET_DATA_MAXIMUM), HIPHOP_OK);
	assert_int_equal(packet->length, PACKET_DATA_MAXIMUM);
	assert_int_equal(packet->kind, PACKET_INNER);
	assert_int_equal(packet_data(packet)[0], 7);
	assert_int_equal(packet_fill(packet, PACKET_INNER, data, sizeof data), HIPHOP_TOO_LARGE);
	assert_int_equal(packet->kind, PACKET_DROPPED);
	assert_int_equal(packet->length, 0);
	for (size_t i = 1; i < PACKET_VECTOR_MAXIMUM; i++)
		assert_non_null(packet_vector_add(vector));
	assert_null(packet_vector_add(vector));
	assert_int_equal(vector->count, PACKET_VECTOR_MAXIMUM);
	free(vector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_and_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
