/* SPDX-License-Identifier: MIT */
/* The Initiator between R1 and R2: puzzles that take long or are over, busy Responders, old R1s; and echoes. */
#include "forge.h"

static struct network *network_with_difficulty(uint8_t difficulty)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_crash(network, 1);
	network->hosts[1].configuration.puzzle_difficulty = difficulty;
	network_boot(network, 1);
	network_introduce(network, 0, 1);
	return network;
}

/* ---- puzzles ---- */

/* A hard one is worked on bit by bit; I1s do not go out again meanwhile, and the wish of the user stays one. */
static void a_hard_puzzle_is_solved_in_slices(void **state)
{
	struct network *network = network_with_difficulty(18);
	struct network_host *a = &network->hosts[0];
	unsigned slices = 0;

	(void)state;
	network_connect(network, 0, 1);
	network_run(network, 2 * NETWORK_LATENCY);
	while (network_state(network, 0, 1) == HOST_I1_SENT) {
		instant wake = host_next_wake(a->host);

		assert_true(wake > network->now && wake <= network->now + MILLISECONDS(2));
		network_run(network, wake - network->now);
		slices++;
		assert_true(slices < 1000);
	}
	assert_true(slices > 2);
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 1);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

static void begin_with_r1(struct network *network, struct catch *catch)
{
	catch_next(network, catch, HIP_PACKET_R1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(50));
	assert_true(catch->full);
}

/* An R1 with another #K and Lifetime; #K too hard for the search to succeed by chance. */
static void forge_puzzle(
	struct network *network, const struct flying *r1, uint8_t difficulty, uint8_t lifetime, struct flying *forged)
{
	uint8_t puzzle[4 + PUZZLE_RANDOM_MAXIMUM];
	const struct change change = {PARAMETER_PUZZLE, puzzle, 4 + 48};
	const struct parameter_view *old;
	struct packet_view view;

	assert_int_equal(packet_parse(r1->octets, r1->length, &view), HIPHOP_OK);
	old = packet_find(&view, PARAMETER_PUZZLE);
	assert_int_equal(old->contents.length, change.length);
	memcpy(puzzle, old->contents.data, change.length);
	puzzle[0] = difficulty;
	puzzle[1] = lifetime;
	forge(network, r1, &change, 1, 0, forged);
}

/* conforms: RFC7401-4.1.2-2 RFC7401-6.8-20 */
static void a_puzzle_is_given_up_when_its_lifetime_is_over(void **state)
{
	struct network *network = network_with_difficulty(4);
	struct network_host *a = &network->hosts[0];
	struct flying forged;
	struct catch catch;

	(void)state;
	begin_with_r1(network, &catch);
	/* 2^(26 - 32) s are 15 ms. */
	forge_puzzle(network, &catch.packet, 20, 26, &forged);
	deliver(network, &forged);
	assert_int_equal(network_state(network, 0, 1), HOST_I1_SENT);
	network_run(network, MILLISECONDS(12));
	assert_int_equal(counted(a, HOST_COUNT_DROP_PUZZLE_TOO_HARD), 0);
	network->fate = NULL;
	network_run(network, MILLISECONDS(10));
	assert_int_equal(counted(a, HOST_COUNT_DROP_PUZZLE_TOO_HARD), 1);
	/* Then another I1 asks for an easier one. */
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 2);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

static void too_hard_a_puzzle_is_not_begun(void **state)
{
	struct network *network = network_with_difficulty(4);
	struct network_host *a = &network->hosts[0];
	struct flying forged;
	struct catch catch;

	(void)state;
	begin_with_r1(network, &catch);
	forge_puzzle(network, &catch.packet, 21, 38, &forged);
	deliver(network, &forged);
	assert_int_equal(counted(a, HOST_COUNT_DROP_PUZZLE_TOO_HARD), 1);
	assert_true(host_next_wake(a->host) > network->now + MILLISECONDS(100));
	network_free(network);
}

/* An I2 is not repeated when its puzzle is over: an I1 brings another. */
static void an_i2_whose_puzzle_is_over_is_replaced(void **state)
{
	struct network *network = network_with_difficulty(4);
	struct network_host *a = &network->hosts[0];
	struct flying forged;
	struct catch catch, i2;

	(void)state;
	begin_with_r1(network, &catch);
	forge_puzzle(network, &catch.packet, 4, 30, &forged);
	catch_next(network, &i2, HIP_PACKET_I2);
	deliver(network, &forged);
	network_run(network, MILLISECONDS(900));
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 1);
	network_run(network, MILLISECONDS(500));
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 2);
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 2);
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* ---- what the Responder says ---- */

/* A NOTIFY of the Responder with this type, for an I2 that it has not taken. */
static void notify(struct network *network, uint16_t type)
{
	struct network_host *b = &network->hosts[1];
	const struct endpoint here = network_endpoint(network, 1), there = network_endpoint(network, 0);
	const uint8_t contents[4] = {0, 0, (uint8_t)(type >> 8), (uint8_t)type};
	const struct change change = {PARAMETER_NOTIFICATION, contents, sizeof contents};
	struct flying forged;
	struct catch catch;

	host_learn_locator(b->host, &network->hosts[0].hit, &there, true);
	catch_next(network, &catch, HIP_PACKET_NOTIFY);
	host_unknown_spi(b->host, network->now, &here, &there, 4711);
	network_drain(network, b);
	assert_true(catch.full);
	forge(network, &catch.packet, &change, 1, 0, &forged);
	network->fate = NULL;
	deliver(network, &forged);
}

static struct network *waiting_for_r2(struct catch *i2)
{
	struct network *network = network_with_difficulty(4);

	catch_next(network, i2, HIP_PACKET_I2);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(i2->full);
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	return network;
}

static struct parameter_solution solution_of(const struct flying *i2)
{
	struct parameter_solution solution;
	struct packet_view view;

	assert_int_equal(packet_parse(i2->octets, i2->length, &view), HIPHOP_OK);
	assert_int_equal(parameter_solution_read(packet_find(&view, PARAMETER_SOLUTION), &solution), HIPHOP_OK);
	return solution;
}

/* The second I2 comes later, and has another solution; the state stays meanwhile. */
/* conforms: RFC7401-5.2.19-7 RFC7401-6.13-2 */
static void a_busy_responder_is_asked_again_with_another_solution(void **state)
{
	struct parameter_solution first, second;
	struct catch i2;
	struct network *network = waiting_for_r2(&i2);
	struct network_host *a = &network->hosts[0];

	(void)state;
	first = solution_of(&i2.packet);
	notify(network, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY);
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	catch_next(network, &i2, HIP_PACKET_I2);
	network_run(network, MILLISECONDS(1800));
	/* Said again, it does not put off the next try. */
	notify(network, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY);
	catch_next(network, &i2, HIP_PACKET_I2);
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 1);
	network_run(network, MILLISECONDS(500));
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 2);
	assert_true(i2.full);
	second = solution_of(&i2.packet);
	assert_memory_not_equal(first.random_i, second.random_i, first.random_length);
	assert_memory_not_equal(first.solution_j, second.solution_j, first.random_length);
	network->fate = NULL;
	deliver(network, &i2.packet);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

static void the_r2_to_the_first_i2_is_still_welcome(void **state)
{
	struct catch i2;
	struct network *network = waiting_for_r2(&i2);

	(void)state;
	notify(network, NOTIFY_RESPONDER_BUSY_PLEASE_RETRY);
	deliver(network, &i2.packet);
	network_run(network, SECONDS(1));
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

static void a_queued_i2_is_not_repeated_soon(void **state)
{
	struct catch i2;
	struct network *network = waiting_for_r2(&i2);
	struct network_host *a = &network->hosts[0];

	(void)state;
	notify(network, NOTIFY_I2_ACKNOWLEDGEMENT);
	catch_next(network, &i2, HIP_PACKET_I2);
	network_run(network, MILLISECONDS(3500));
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 1);
	network_run(network, SECONDS(1));
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 2);
	network_free(network);
}

static void a_refusal_is_the_reason_in_the_end(void **state)
{
	struct catch i2;
	struct network *network = waiting_for_r2(&i2);
	struct network_host *a = &network->hosts[0];

	(void)state;
	notify(network, NOTIFY_BLOCKED_BY_POLICY);
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	network_crash(network, 1);
	network_run(network, SECONDS(30));
	assert_int_equal(a->failed, 1);
	assert_int_equal(a->last.reason, HIPHOP_REFUSED);
	network_free(network);
}

/* ---- old R1s ---- */

static packet_fate lose_r1s(struct network *network, struct flying *packet)
{
	(void)network;
	return flying_type(packet) == HIP_PACKET_R1 ? FATE_LOSE : FATE_PASS;
}

static bool answers_r1_of(struct network *network, const struct flying *r1, uint8_t counter)
{
	const uint8_t octets[12] = {[11] = counter};
	const struct change change = {PARAMETER_R1_COUNTER, octets, sizeof octets};
	unsigned before = network->hosts[0].out_of_type[HIP_PACKET_I2];
	struct flying forged;

	forge(network, r1, &change, 1, 0, &forged);
	network->now += MILLISECONDS(1);
	deliver(network, &forged);
	return network->hosts[0].out_of_type[HIP_PACKET_I2] > before;
}

static uint64_t counter_of(const struct flying *packet)
{
	struct parameter_r1_counter counter;
	struct packet_view view;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(parameter_r1_counter_read(packet_find(&view, PARAMETER_R1_COUNTER), &counter), HIPHOP_OK);
	return counter.counter;
}

/* I1s to two addresses: the I2 waits for the other R1, and answers the one of the newest generation. */
/* conforms: RFC7401-4.1.4-6 RFC7401-6.8-4 RFC7401-6.8-11 */
static void r1s_to_parallel_i1s_are_waited_for(void **state)
{
	struct network *network = network_with_difficulty(4);
	struct network_host *a = &network->hosts[0];
	struct endpoint other = network_endpoint(network, 1);
	struct catch r1, i2;

	(void)state;
	assert_int_equal(address_parse("192.0.2.99", &other.address), HIPHOP_OK);
	assert_int_equal(host_learn_locator(a->host, &network->hosts[1].hit, &other, true), HIPHOP_OK);
	begin_with_r1(network, &r1);
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 2);
	catch_next(network, &i2, HIP_PACKET_I2);
	assert_false(answers_r1_of(network, &r1.packet, 5));
	network_run(network, MILLISECONDS(20));
	assert_false(answers_r1_of(network, &r1.packet, 4));
	assert_false(answers_r1_of(network, &r1.packet, 6));
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 0);
	network_run(network, MILLISECONDS(100));
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 1);
	assert_int_equal(counter_of(&i2.packet), 6);
	network_free(network);
}

/* Of a peer with which there is an association: an R1 from before it is a replay; but when nothing else comes, the peer
 * may have lost its counter. */
/* conforms: RFC7401-6.8-19 */
static void an_r1_from_before_the_session_is_dropped(void **state)
{
	struct network *network = network_with_difficulty(4);
	struct network_host *a = &network->hosts[0];
	struct catch catch;

	(void)state;
	network_crash(network, 1);
	network->hosts[1].configuration.r1_generation = 50;
	network_boot(network, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	/* The peer knows nothing of it any more, so it makes new keys. */
	network_crash(network, 1);
	network_boot(network, 1);
	catch_next(network, &catch, HIP_PACKET_R1);
	for (int i = 0; i < 60 && !catch.full; i++) {
		a->sent[1] = network->now;
		network_run(network, MILLISECONDS(100));
	}
	assert_true(catch.full);
	network->fate = lose_r1s;
	assert_false(answers_r1_of(network, &catch.packet, 49));
	assert_int_equal(counted(a, HOST_COUNT_DROP_OLD_R1), 1);
	network_run(network, SECONDS(4));
	assert_true(answers_r1_of(network, &catch.packet, 49));
	network_free(network);
}

/* ---- echoes ---- */

static struct parameter_list echoes_in(const struct flying *packet, uint16_t type)
{
	struct parameter_list list = {.count = 0};
	struct packet_view view;
	const struct parameter_view *found;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	for (size_t nth = 0; (found = packet_find_nth(&view, type, nth)); nth++)
		list.items[list.count++] = *found;
	return list;
}

static void expect_echo(const struct flying *packet, uint16_t type, size_t place, const char *octets, size_t length)
{
	struct parameter_list list = echoes_in(packet, type);

	assert_true(place < list.count);
	assert_int_equal(list.items[place].contents.length, length);
	assert_memory_equal(list.items[place].contents.data, octets, length);
}

/* Adds unsigned requests behind what is there, as a middlebox may. */
static void add_unsigned(struct flying *packet, const char *first, const char *second)
{
	const char *contents[] = {first, second};
	struct packet_builder builder;
	struct packet_view view;
	struct flying original = *packet;

	assert_int_equal(packet_parse(original.octets, original.length, &view), HIPHOP_OK);
	packet_builder_start(&builder, packet->octets, sizeof packet->octets, view.type, view.controls, &view.sender,
		&view.receiver);
	for (size_t i = 0; i < view.parameters.count; i++)
		packet_builder_add_encoded(&builder, view.parameters.items[i].encoded);
	for (size_t i = 0; i < 2; i++)
		packet_builder_add(&builder, PARAMETER_ECHO_REQUEST_UNSIGNED, contents[i], strlen(contents[i]));
	assert_int_equal(packet_builder_finish(&builder, &packet->length), HIPHOP_OK);
}

/* A request of this type gets its signed echo (NULL: it has none), and the unsigned ones in their order. */
static void check_echo(uint8_t request, uint8_t answer, const char *sealed)
{
	struct network *network = network_with_difficulty(4);
	const struct change change = {PARAMETER_ECHO_REQUEST_SIGNED, sealed, sealed ? strlen(sealed) : 0};
	struct catch catch, reply;
	struct flying forged;

	catch_next(network, &catch, request);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(200));
	if (request == HIP_PACKET_UPDATE) {
		network->hosts[0].sent[1] = network->now;
		network_run(network, SECONDS(3));
	} else if (request == HIP_PACKET_CLOSE) {
		host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
		network_drain(network, &network->hosts[0]);
	}
	assert_true(catch.full);
	forge(network, &catch.packet, &change, sealed ? 1 : 0, 0, &forged);
	add_unsigned(&forged, "middlebox 1", "2");
	catch_next(network, &reply, answer);
	deliver(network, &forged);
	network_run(network, MILLISECONDS(5));
	assert_true(reply.full);
	if (sealed)
		expect_echo(&reply.packet, PARAMETER_ECHO_RESPONSE_SIGNED, 0, sealed, strlen(sealed));
	expect_echo(&reply.packet, PARAMETER_ECHO_RESPONSE_UNSIGNED, 0, "middlebox 1", 11);
	expect_echo(&reply.packet, PARAMETER_ECHO_RESPONSE_UNSIGNED, 1, "2", 1);
	assert_int_equal(echoes_in(&reply.packet, PARAMETER_ECHO_RESPONSE_UNSIGNED).count, 2);
	network_free(network);
}

/* conforms: RFC7401-5.2.20-1 RFC7401-5.2.21-1 RFC7401-4.1.2-5 */
static void echoes(void **state)
{
	(void)state;
	check_echo(HIP_PACKET_R1, HIP_PACKET_I2, "signed by the Responder");
	check_echo(HIP_PACKET_I2, HIP_PACKET_R2, NULL);
	check_echo(HIP_PACKET_UPDATE, HIP_PACKET_UPDATE, "is it you?");
	check_echo(HIP_PACKET_CLOSE, HIP_PACKET_CLOSE_ACK, "was it you?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hard_puzzle_is_solved_in_slices),
		cmocka_unit_test(a_puzzle_is_given_up_when_its_lifetime_is_over),
		cmocka_unit_test(too_hard_a_puzzle_is_not_begun),
		cmocka_unit_test(an_i2_whose_puzzle_is_over_is_replaced),
		cmocka_unit_test(a_busy_responder_is_asked_again_with_another_solution),
		cmocka_unit_test(the_r2_to_the_first_i2_is_still_welcome),
		cmocka_unit_test(a_queued_i2_is_not_repeated_soon),
		cmocka_unit_test(a_refusal_is_the_reason_in_the_end),
		cmocka_unit_test(r1s_to_parallel_i1s_are_waited_for),
		cmocka_unit_test(an_r1_from_before_the_session_is_dropped),
		cmocka_unit_test(echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
