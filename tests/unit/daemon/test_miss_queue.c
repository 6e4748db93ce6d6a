/* SPDX-License-Identifier: MIT */
#include "daemon/miss_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct seeded_random generator;
static struct random_source random_octets;

static struct miss_queue *make_queue(void)
{
	struct miss_queue *queue;

	random_octets = seeded_random_start(&generator, 1);
	assert_int_equal(miss_queue_create(&random_octets, &queue), HIPHOP_OK);
	return queue;
}

static struct hit peer_number(uint32_t n)
{
	struct hit peer = {{0x20, 0x01, 0x00, 0x22}};

	memcpy(peer.octets + 12, &n, sizeof(n));
	return peer;
}

static void test_in_order_and_by_peer(void **state)
{
	(void)state;
	struct miss_queue *queue = make_queue();
	struct packet *packet = calloc(1, sizeof(*packet));
	struct hit one = peer_number(1), two = peer_number(2);

	miss_queue_add(queue, &one, (const uint8_t *)"first", 5);
	assert_false(miss_queue_has(queue, &two));
	miss_queue_add(queue, &two, (const uint8_t *)"other", 5);
	assert_true(miss_queue_has(queue, &two));
	miss_queue_add(queue, &one, (const uint8_t *)"second", 6);
	assert_true(miss_queue_take_one(queue, &one, packet));
	assert_int_equal(packet->kind, PACKET_INNER);
	assert_memory_equal(packet_data(packet), "first", 5);
	assert_true(miss_queue_take_one(queue, &one, packet));
	assert_memory_equal(packet_data(packet), "second", 6);
	assert_false(miss_queue_take_one(queue, &one, packet));
	assert_int_equal(packet->kind, PACKET_DROPPED);
	assert_int_equal(miss_queue_drop(queue, &two), 1);
	assert_false(miss_queue_take_one(queue, &two, packet));
	assert_false(miss_queue_has(queue, &one) || miss_queue_has(queue, &two));
	assert_int_equal(miss_queue_lost(queue), 1);
	free(packet);
	miss_queue_free(queue);
}

static void test_oldest_goes_when_a_peer_has_too_many(void **state)
{
	(void)state;
	struct miss_queue *queue = make_queue();
	struct packet *packet = calloc(1, sizeof(*packet));
	struct hit peer = peer_number(1);

	for (uint8_t i = 0; i < MISS_QUEUE_PACKETS + 3; i++)
		assert_int_equal(miss_queue_add(queue, &peer, &i, 1), HIPHOP_OK);
	assert_int_equal(miss_queue_lost(queue), 3);
	assert_true(miss_queue_take_one(queue, &peer, packet));
	assert_int_equal(packet_data(packet)[0], 3);
	free(packet);
	miss_queue_free(queue);
}

static void test_bounded_in_peers_and_octets(void **state)
{
	(void)state;
	struct miss_queue *queue = make_queue();
	uint8_t *large = calloc(1, 9000);
	struct hit peer;
	size_t kept = 0;

	for (uint32_t n = 0; n < MISS_QUEUE_PEERS; n++) {
		peer = peer_number(n);
		assert_int_equal(miss_queue_add(queue, &peer, large, 1), HIPHOP_OK);
	}
	peer = peer_number(MISS_QUEUE_PEERS);
	assert_int_equal(miss_queue_add(queue, &peer, large, 1), HIPHOP_LIMITED);
	for (uint32_t n = 0; n < MISS_QUEUE_PEERS; n++) {
		peer = peer_number(n);
		kept += !miss_queue_add(queue, &peer, large, 9000);
	}
	assert_true(kept >= MISS_QUEUE_OCTETS / 9000 - 1 && kept <= MISS_QUEUE_OCTETS / 9000);
	free(large);
	miss_queue_free(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_and_by_peer),
		cmocka_unit_test(test_oldest_goes_when_a_peer_has_too_many),
		cmocka_unit_test(test_bounded_in_peers_and_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
