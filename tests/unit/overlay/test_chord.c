/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "overlay/chord.h"

#include <string.h>

static const struct topology_operations *chord = &chord_topology;
static struct topology *topology;

/* The host at `position` 256ths of the ring; `nibble` is the OGA nibble, which must not matter. */
static struct hit host_of_suite(unsigned position, uint8_t nibble)
{
	struct hit hit = {{0x20, 0x01, 0x00, (uint8_t)(0x20 | nibble), (uint8_t)position}};

	return hit;
}

static struct hit host(unsigned position)
{
	return host_of_suite(position, 2);
}

static struct hit resource(unsigned position)
{
	return host_of_suite(position, 0);
}

static int start(void **state)
{
	struct hit self = host(100);

	(void)state;
	topology = NULL;
	return chord->create(&self, 64, &topology) != HIPHOP_OK;
}

static int stop(void **state)
{
	(void)state;
	chord->free(topology);
	return 0;
}

static void add(unsigned position)
{
	struct hit member = host(position);

	assert_int_equal(chord->add(topology, &member), HIPHOP_OK);
}

static void expect_hop(unsigned position, overlay_route expected, unsigned expected_next)
{
	struct hit destination = resource(position), next, wanted = host(expected_next);

	assert_int_equal(chord->next_hop(topology, &destination, &next), expected);
	if (expected == OVERLAY_HOP)
		assert_true(hit_equal(&next, &wanted));
}

static void alone_we_are_responsible_for_all(void **state)
{
	struct hit anything = resource(7), nodes[TOPOLOGY_NEIGHBOURS];

	(void)state;
	expect_hop(100, OVERLAY_SELF, 0);
	expect_hop(101, OVERLAY_SELF, 0);
	expect_hop(99, OVERLAY_SELF, 0);
	assert_true(chord->in_replica_range(topology, &anything, 0));
	assert_int_equal(chord->neighbours(topology, nodes), 0);
	assert_false(chord->admitting(topology, nodes));
}

static void the_next_hop_is_the_last_before_the_destination(void **state)
{
	(void)state;
	add(120);
	add(200);
	add(20);
	add(80);
	expect_hop(100, OVERLAY_SELF, 0);
	expect_hop(81, OVERLAY_SELF, 0);
	expect_hop(80, OVERLAY_HOP, 80);
	expect_hop(79, OVERLAY_HOP, 20);
	expect_hop(101, OVERLAY_HOP, 120); /* nobody between: the successor */
	expect_hop(120, OVERLAY_HOP, 120);
	expect_hop(121, OVERLAY_HOP, 120);
	expect_hop(199, OVERLAY_HOP, 120);
	expect_hop(255, OVERLAY_HOP, 200);
	expect_hop(0, OVERLAY_HOP, 200);
	expect_hop(25, OVERLAY_HOP, 20);
}

static void the_suite_of_a_hit_is_no_part_of_its_position(void **state)
{
	struct hit other = host_of_suite(120, 1), next, same = host_of_suite(120, 3);
	struct hit destination = resource(121);

	(void)state;
	assert_int_equal(chord->add(topology, &other), HIPHOP_OK);
	assert_int_equal(chord->add(topology, &same), HIPHOP_EXISTS);
	assert_int_equal(chord->next_hop(topology, &destination, &next), OVERLAY_SELF);
	destination = resource(120);
	assert_int_equal(chord->next_hop(topology, &destination, &next), OVERLAY_HOP);
	assert_true(hit_equal(&next, &other));
}

static void responsibility(void **state)
{
	struct hit position, a = host(50), b = host(60), responsible;

	(void)state;
	add(120);
	add(80);
	position = resource(110);
	responsible = chord->responsible(topology, &position);
	assert_int_equal(responsible.octets[4], 120);
	position = resource(90);
	responsible = chord->responsible(topology, &position);
	assert_int_equal(responsible.octets[4], 100);
	position = resource(121);
	responsible = chord->responsible(topology, &position);
	assert_int_equal(responsible.octets[4], 80);
	position = resource(40);
	assert_true(chord->closer(topology, &position, &a, &b));
	assert_false(chord->closer(topology, &position, &b, &a));
	position = resource(55);
	assert_true(chord->closer(topology, &position, &b, &a));
}

static void replicas_are_the_next_two(void **state)
{
	struct hit nodes[TOPOLOGY_REPLICAS], position;

	(void)state;
	add(120);
	assert_int_equal(chord->replica_set(topology, nodes, 2), 1);
	add(90);
	add(80);
	add(70);
	assert_int_equal(chord->replica_set(topology, nodes, 2), 2);
	assert_int_equal(nodes[0].octets[4], 120);
	assert_int_equal(nodes[1].octets[4], 70);
	/* Ours is (90, 100], and we hold copies for our two predecessors, so all of (70, 100]. */
	position = resource(71);
	assert_true(chord->in_replica_range(topology, &position, 2));
	position = resource(70);
	assert_false(chord->in_replica_range(topology, &position, 2));
	position = resource(101);
	assert_false(chord->in_replica_range(topology, &position, 2));
}

static void neighbours(void **state)
{
	struct hit nodes[TOPOLOGY_NEIGHBOURS], member;

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		add(105 + 10 * i);
	assert_int_equal(chord->neighbours(topology, nodes), 2 * CHORD_NEIGHBOURS);
	assert_int_equal(nodes[0].octets[4], 105);
	assert_int_equal(nodes[CHORD_NEIGHBOURS - 1].octets[4], 105 + 10 * (CHORD_NEIGHBOURS - 1));
	assert_int_equal(nodes[CHORD_NEIGHBOURS].octets[4], 215);
	member = host(105);
	assert_true(chord->place(topology, &member).successor);
	assert_false(chord->place(topology, &member).predecessor);
	chord->remove(topology, &member);
	assert_false(chord->place(topology, &member).successor);
	assert_true(chord->would_be(topology, &member).successor);
	member = host(160);
	assert_false(chord->would_be(topology, &member).successor);
	assert_false(chord->would_be(topology, &member).predecessor);
	member = host(99);
	assert_true(chord->would_be(topology, &member).predecessor);
	member = host(100);
	assert_false(chord->would_be(topology, &member).predecessor);
	assert_true(chord->admitting(topology, nodes));
	assert_int_equal(nodes[0].octets[4], 115);
}

static void fingers(void **state)
{
	struct seeded_random generator;
	struct random_source randomness = seeded_random_start(&generator, 3);
	struct hit self = host(100), id = host(228), position, nodes[CHORD_FINGERS];

	(void)state;
	assert_int_equal(finger_index(&self, &id), 0);
	id = host(227);
	assert_int_equal(finger_index(&self, &id), 1);
	id = host(101);
	assert_int_equal(finger_index(&self, &id), 7);
	assert_int_equal(finger_index(&self, &self), CHORD_FINGERS);
	assert_false(chord->gap(topology, &randomness, &position));
	for (unsigned i = 1; i <= CHORD_NEIGHBOURS + 1; i++)
		add(100 + i);
	/* The last successor is 4/256 away, finger 5; finger 0 to 4 are gaps. */
	for (unsigned i = 0; i < 200; i++) {
		assert_true(chord->gap(topology, &randomness, &position));
		assert_true(finger_index(&self, &position) < 5);
	}
	add(100 + 128);
	add(100 + 64);
	add(100 + 32);
	add(100 + 16);
	for (unsigned i = 0; i < 50; i++) {
		assert_true(chord->gap(topology, &randomness, &position));
		assert_int_equal(finger_index(&self, &position), 4);
	}
	id = host(100 + 8);
	assert_true(chord->would_be(topology, &id).finger);
	add(100 + 8);
	assert_false(chord->gap(topology, &randomness, &position));
	id = host(100 + 9);
	assert_false(chord->would_be(topology, &id).finger);
	assert_int_equal(finger_table_members((struct chord *)topology, nodes), 8);
}

static void the_least_useful_member(void **state)
{
	struct hit surplus;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		add(101 + 5 * i);
	unsigned released = 0;
	while (chord->least_useful(topology, &surplus)) {
		struct topology_place place = chord->place(topology, &surplus);
		assert_false(place.successor || place.predecessor || place.finger);
		chord->remove(topology, &surplus);
		released++;
	}
	assert_true(released > 5);
	assert_true(chord->count(topology) >= 2 * CHORD_NEIGHBOURS);
}

static void capacity_is_limited(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		add(101 + i);
	struct hit member = host(50);
	assert_int_equal(chord->add(topology, &member), HIPHOP_LIMITED);
	member = host(100);
	assert_int_equal(chord->add(topology, &member), HIPHOP_EXISTS);
}

static bool named(const struct topology_news *news, unsigned position)
{
	struct hit wanted = host(position);

	for (size_t i = 0; i < news->count; i++)
		if (hit_equal(&news->named[i], &wanted))
			return true;
	return false;
}

static void updates_travel(void **state)
{
	uint8_t octets[2048];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct topology *receiver;
	struct topology_news news;
	struct hit hit = host(170);

	(void)state;
	assert_int_equal(chord->create(&hit, 64, &receiver), HIPHOP_OK);
	for (unsigned i = 0; i < 30; i++)
		add(102 + 5 * i);
	chord->write_update(topology, &writer, 17, &hit, TOPOLOGY_UPDATE_NEIGHBOURS);
	assert_int_equal(chord->read_update(receiver, (struct span){octets, writer.position}, &news), HIPHOP_OK);
	assert_int_equal(news.count, 2 * CHORD_NEIGHBOURS);
	assert_false(news.names_us);
	assert_true(named(&news, 102));
	assert_false(named(&news, 167));
	for (size_t cut = 0; cut < writer.position; cut++)
		assert_int_not_equal(chord->read_update(receiver, (struct span){octets, cut}, &news), HIPHOP_OK);

	/* A full one also names who is near the receiver. */
	writer = writer_over(octets, sizeof(octets));
	chord->write_update(topology, &writer, 17, &hit, TOPOLOGY_UPDATE_FULL);
	assert_int_equal(chord->read_update(receiver, (struct span){octets, writer.position}, &news), HIPHOP_OK);
	assert_true(named(&news, 167));
	assert_true(named(&news, 162));
	assert_true(named(&news, 172));
	assert_true(named(&news, 177));
	chord->free(receiver);

	/* A neighbour sees that it is one. */
	hit = host(102);
	assert_int_equal(chord->create(&hit, 64, &receiver), HIPHOP_OK);
	writer = writer_over(octets, sizeof(octets));
	chord->write_update(topology, &writer, 17, &hit, TOPOLOGY_UPDATE_NEIGHBOURS);
	assert_int_equal(chord->read_update(receiver, (struct span){octets, writer.position}, &news), HIPHOP_OK);
	assert_true(news.names_us);
	writer = writer_over(octets, sizeof(octets));
	chord->write_leave(topology, &writer, &hit);
	assert_int_equal(octets[0], 2); /* from_pred */
	assert_int_equal(chord->read_leave(receiver, (struct span){octets, writer.position}, &news), HIPHOP_OK);
	assert_int_equal(news.count, CHORD_NEIGHBOURS);
	chord->free(receiver);
}

static void bad_updates_are_refused(void **state)
{
	uint8_t octets[16 * 200];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct topology_news news;

	(void)state;
	writer_u32(&writer, 0);
	writer_u8(&writer, 2);
	size_t mark = writer_begin_vector(&writer, 2);
	for (unsigned i = 0; i < TOPOLOGY_UPDATE_IDS + 2; i++) {
		struct hit member = host(i);
		writer_copy(&writer, member.octets, HIT_LENGTH);
	}
	writer_end_vector(&writer, mark, 2);
	writer_u16(&writer, 0);
	assert_int_equal(chord->read_update(topology, (struct span){octets, writer.position}, &news), HIPHOP_MALFORMED);
	octets[4] = 9;
	assert_int_equal(chord->read_update(topology, (struct span){octets, writer.position}, &news), HIPHOP_MALFORMED);
	assert_int_equal(chord->read_leave(topology, (struct span){octets, writer.position}, &news), HIPHOP_MALFORMED);
	/* A Resource-ID is no member. */
	struct hit no_host = resource(3);
	writer = writer_over(octets, sizeof(octets));
	writer_u32(&writer, 0);
	writer_u8(&writer, 2);
	writer_u16(&writer, HIT_LENGTH);
	writer_copy(&writer, no_host.octets, HIT_LENGTH);
	writer_u16(&writer, 0);
	assert_int_equal(chord->read_update(topology, (struct span){octets, writer.position}, &news), HIPHOP_MALFORMED);
}

static void route_answers_travel(void **state)
{
	uint8_t octets[32];
	struct writer writer = writer_over(octets, sizeof(octets));
	struct hit hit = host(9), next;

	(void)state;
	chord->write_route_answer(topology, &writer, &hit);
	assert_int_equal(chord->read_route_answer(topology, (struct span){octets, writer.position}, &next), HIPHOP_OK);
	assert_true(hit_equal(&hit, &next));
	assert_int_equal(chord->read_route_answer(topology, (struct span){octets, 15}, &next), HIPHOP_MALFORMED);
	assert_ptr_equal(topology_find("chord"), chord);
	assert_null(topology_find("kademlia"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alone_we_are_responsible_for_all, start, stop),
		cmocka_unit_test_setup_teardown(the_next_hop_is_the_last_before_the_destination, start, stop),
		cmocka_unit_test_setup_teardown(the_suite_of_a_hit_is_no_part_of_its_position, start, stop),
		cmocka_unit_test_setup_teardown(responsibility, start, stop),
		cmocka_unit_test_setup_teardown(replicas_are_the_next_two, start, stop),
		cmocka_unit_test_setup_teardown(neighbours, start, stop),
		cmocka_unit_test_setup_teardown(fingers, start, stop),
		cmocka_unit_test_setup_teardown(the_least_useful_member, start, stop),
		cmocka_unit_test_setup_teardown(capacity_is_limited, start, stop),
		cmocka_unit_test_setup_teardown(updates_travel, start, stop),
		cmocka_unit_test_setup_teardown(bad_updates_are_refused, start, stop),
		cmocka_unit_test_setup_teardown(route_answers_travel, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
