/* SPDX-License-Identifier: MIT */
/* Floods against one host, on virtual time: what they cost, and who is served all the same. */
#include "tests/unit/hip/core/host_network.h"

#include "hip/core/host_internal.h"

#define FLOODED 0
#define HONEST  1

static void write_i1(uint8_t i1[static 48], const struct hit *sender, const struct hit *receiver, uint8_t group)
{
	static const uint8_t head[] = {59, 5, HIP_PACKET_I1, 0x21};

	memset(i1, 0, 48);
	memcpy(i1, head, sizeof head);
	memcpy(i1 + 8, sender->octets, HIT_LENGTH);
	memcpy(i1 + 24, receiver->octets, HIT_LENGTH);
	memcpy(i1 + 40, (uint8_t[]){0x01, 0xff, 0, 1, group, 0, 0, 0}, 8);
}

/* An I1 from an address and a HIT that only `number` has; from the honest host's address when `forged`. */
static void send_stranger(struct network *network, uint32_t number, bool forged)
{
	struct network_host *self = &network->hosts[FLOODED];
	struct host_arrival arrival = {
		.local = network_endpoint(network, FLOODED), .remote = network_endpoint(network, HONEST)};
	struct hit sender = network->hosts[HONEST].hit;
	uint8_t i1[48];

	memcpy(sender.octets + 8, &number, sizeof number);
	if (!forged)
		memcpy(arrival.remote.address.octets + 12, &number, sizeof number);
	write_i1(i1, &sender, &self->hit, DH_GROUP_NIST_P256);
	host_input(self->host, network->now, &arrival, i1, sizeof i1);
	network_drain(network, self);
}

struct flood {
	uint32_t number;
	unsigned per_millisecond;
	bool forged;
};

/* Lets a flood and the network go side by side. */
static void run_with_flood(struct network *network, duration span, struct flood *flood)
{
	instant end = network->now + span;

	while (network->now < end) {
		for (unsigned n = 0; n < flood->per_millisecond; n++)
			send_stranger(network, flood->number++, flood->forged);
		network_run(network, MILLISECONDS(1));
	}
}

static packet_fate lose_for_strangers(struct network *network, struct flying *packet)
{
	struct hit receiver;

	memcpy(receiver.octets, packet->octets + 24, HIT_LENGTH);
	return network_index(network, &receiver) < network->count ? FATE_PASS : FATE_LOSE;
}

static struct network *flooded_network(void)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network->fate = lose_for_strangers;
	return network;
}

static void an_honest_host_gets_in(bool forged)
{
	struct network *network = flooded_network();
	struct flood flood = {.per_millisecond = 20, .forged = forged};

	run_with_flood(network, MILLISECONDS(500), &flood);
	network_introduce(network, HONEST, FLOODED);
	/* Not at the moment in which there is a token again. */
	network_run(network, MILLISECONDS(1) / 2);
	network_connect(network, HONEST, FLOODED);
	network_run(network, MILLISECONDS(1) / 2);
	run_with_flood(network, MILLISECONDS(1500), &flood);
	assert_int_equal(network->hosts[HONEST].usable, 1);
	assert_int_equal(host_association_count(network->hosts[FLOODED].host), 1);
	assert_true(host_counter_value(network->hosts[FLOODED].host, HOST_COUNT_DROP_I1_RATE) > 10000);
	network_free(network);
}

/* conforms: RFC7401-6.7-3 */
static void a_flood_from_everywhere(void **state)
{
	(void)state;
	an_honest_host_gets_in(false);
}

/* conforms: RFC7401-6.7-3 */
static void a_flood_in_his_own_name(void **state)
{
	(void)state;
	an_honest_host_gets_in(true);
}

/* conforms: RFC7401-6.7-4 */
static void reflection_is_bounded(void **state)
{
	struct network *network = flooded_network();
	struct network_host *self = &network->hosts[FLOODED];
	struct flood everywhere = {.per_millisecond = 20};
	struct flood one = {.per_millisecond = 20, .forged = true};
	unsigned before;

	(void)state;
	/* Calm: a burst, then several shares a second to one address. */
	run_with_flood(network, SECONDS(2), &one);
	assert_in_range(self->out_of_type[HIP_PACKET_R1], 100, 250 + 2 * 250 + 40);
	/* When others want theirs it is one share. */
	run_with_flood(network, SECONDS(1), &everywhere);
	before = self->out_of_type[HIP_PACKET_R1];
	run_with_flood(network, SECONDS(1), &everywhere);
	assert_in_range(self->out_of_type[HIP_PACKET_R1] - before, 900, 1100);
	network_free(network);
}

/* conforms: RFC7401-4.1.1-2 */
static void the_difficulty_follows(void **state)
{
	struct network *network = flooded_network();
	struct network_host *self = &network->hosts[FLOODED];
	struct flood flood = {.per_millisecond = 20};
	struct host_load load;

	(void)state;
	host_load(self->host, &load);
	assert_int_equal(load.difficulty, 4);
	run_with_flood(network, SECONDS(4), &flood);
	host_load(self->host, &load);
	assert_int_equal(load.difficulty, 8);
	assert_int_equal(load.calm_difficulty, 4);
	assert_in_range(load.i1_per_second, 19000, 21000);
	network_introduce(network, HONEST, FLOODED);
	network_connect(network, HONEST, FLOODED);
	run_with_flood(network, MILLISECONDS(1500), &flood);
	assert_int_equal(network->hosts[HONEST].usable, 1);
	network_run(network, SECONDS(60));
	host_load(self->host, &load);
	assert_int_equal(load.difficulty, 4);
	assert_int_equal(load.i1_per_second, 0);
	network_free(network);
}

/* conforms: RFC7401-7-3 */
static void a_calm_host_asks_for_no_work(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *self = &network->hosts[FLOODED];
	struct host_load load;

	(void)state;
	host_free(self->host);
	self->configuration.puzzle_difficulty = 0;
	self->configuration.puzzle_difficulty_maximum = 0;
	network_boot(network, FLOODED);
	host_load(self->host, &load);
	assert_int_equal(load.difficulty, 0);
	assert_int_equal(load.maximum, 16);
	network_associate(network, HONEST, FLOODED);
	assert_int_equal(network_state(network, HONEST, FLOODED), HOST_ESTABLISHED);
	network_free(network);
}

static packet_fate note_difficulty(struct network *network, struct flying *packet)
{
	struct parameter_puzzle puzzle;
	struct packet_view view;

	if (flying_type(packet) != HIP_PACKET_R1)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(parameter_puzzle_read(packet_find(&view, PARAMETER_PUZZLE), &puzzle), HIPHOP_OK);
	*(uint8_t *)network->fate_context = puzzle.difficulty;
	/* It changes while the R1 is on its way. */
	network->hosts[FLOODED].host->difficulty.level = network->hosts[FLOODED].host->difficulty.level ? 0 : 3;
	r1_preparation_hurry(network->hosts[FLOODED].host, network->now);
	return FATE_PASS;
}

/* An I2 is held to the difficulty that its R1 had, whatever it is by now. */
static void a_puzzle_keeps_its_difficulty(void **state)
{
	static const uint8_t expected[] = {4, 10};
	uint8_t seen = 0;

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct network *network = network_make(2, TRANSPORT_UDP);

		network->hosts[FLOODED].host->difficulty.level = n ? 3 : 0;
		r1_preparation_hurry(network->hosts[FLOODED].host, network->now);
		network_run(network, MILLISECONDS(10));
		network->fate = note_difficulty;
		network->fate_context = &seen;
		network_associate(network, HONEST, FLOODED);
		assert_int_equal(seen, expected[n]);
		network_free(network);
	}
}

static unsigned keys_of(const struct r1_generation *generation)
{
	unsigned keys = 0;

	for (size_t i = 0; i < HOST_ALGORITHMS_MAXIMUM; i++)
		keys += generation->entries[i] != NULL;
	return keys;
}

/* No key, no signature on the way of an I1, be it the first of a group or of a generation that is over. */
static void an_i1_makes_no_key(void **state)
{
	struct network *network = flooded_network();
	struct network_host *self = &network->hosts[FLOODED];
	struct r1_pool *pool = &self->host->r1_pool;
	struct host_arrival arrival = {
		.local = network_endpoint(network, FLOODED), .remote = network_endpoint(network, HONEST)};
	uint64_t counter = r1_pool_current(pool)->counter;
	uint8_t i1[48];

	(void)state;
	write_i1(i1, &network->hosts[HONEST].hit, &self->hit, DH_GROUP_NIST_P384);
	for (int n = 0; n < 3; n++)
		host_input(self->host, network->now, &arrival, i1, sizeof i1);
	network_drain(network, self);
	assert_int_equal(self->out_of_type[HIP_PACKET_R1], 0);
	assert_int_equal(keys_of(r1_pool_current(pool)), 1);
	/* The tick makes it, and answers the one that waits. */
	network_run(network, MILLISECONDS(10));
	assert_int_equal(self->out_of_type[HIP_PACKET_R1], 1);
	assert_int_equal(keys_of(r1_pool_current(pool)), 2);
	/* Long past its time: the generation that is there still serves. */
	network->now += SECONDS(500);
	host_input(self->host, network->now, &arrival, i1, sizeof i1);
	network_drain(network, self);
	assert_int_equal(self->out_of_type[HIP_PACKET_R1], 2);
	assert_int_equal(r1_pool_current(pool)->counter, counter);
	/* The next one is made whole before it is offered. */
	network_run(network, SECONDS(2));
	assert_int_equal(r1_pool_current(pool)->counter, counter + 1);
	assert_int_equal(keys_of(r1_pool_current(pool)), 2);
	host_input(self->host, network->now, &arrival, i1, sizeof i1);
	network_drain(network, self);
	assert_int_equal(self->out_of_type[HIP_PACKET_R1], 3);
	network_free(network);
}

/* Nobody asks: no key is made either. */
static void an_idle_host_makes_no_keys(void **state)
{
	struct network *network = network_make(1, TRANSPORT_UDP);
	uint64_t counter = r1_pool_current(&network->hosts[0].host->r1_pool)->counter;

	(void)state;
	network_run(network, SECONDS(3600));
	assert_int_equal(r1_pool_current(&network->hosts[0].host->r1_pool)->counter, counter);
	network_free(network);
}

/* ---- I2 ---- */

static uint8_t kept_i2[2048];
static size_t kept_length;

static packet_fate keep_i2(struct network *network, struct flying *packet)
{
	(void)network;
	if (flying_type(packet) != HIP_PACKET_I2)
		return FATE_PASS;
	memcpy(kept_i2, packet->octets, packet->length);
	kept_length = packet->length;
	return FATE_LOSE;
}

static struct network *network_with_kept_i2(struct host_arrival *arrival)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network->fate = keep_i2;
	kept_length = 0;
	network_introduce(network, HONEST, FLOODED);
	network_connect(network, HONEST, FLOODED);
	network_run(network, MILLISECONDS(100));
	assert_true(kept_length > 0);
	*arrival = (struct host_arrival){
		.local = network_endpoint(network, FLOODED), .remote = network_endpoint(network, HONEST)};
	return network;
}

static const struct parameter_view *kept_parameter(uint16_t type)
{
	static struct packet_view view;
	const struct parameter_view *parameter;

	assert_int_equal(packet_parse(kept_i2, kept_length, &view), HIPHOP_OK);
	parameter = packet_find(&view, type);
	assert_non_null(parameter);
	return parameter;
}

/* conforms: RFC7401-6.9-9 */
static void wrong_solutions_cost_no_computation(void **state)
{
	struct host_arrival arrival;
	struct network *network = network_with_kept_i2(&arrival);
	struct network_host *self = &network->hosts[FLOODED];
	size_t last = (size_t)kept_parameter(PARAMETER_SOLUTION)->offset + 4 + 4 + 2 * 48 - 1;

	(void)state;
	kept_i2[last] ^= 1;
	for (int n = 0; n < 2000; n++)
		host_input(self->host, network->now, &arrival, kept_i2, kept_length);
	network_drain(network, self);
	assert_int_equal(host_counter_value(self->host, HOST_COUNT_DROP_PUZZLE), 2000);
	assert_int_equal(self->out_of_type[HIP_PACKET_NOTIFY], 0);
	assert_int_equal(host_association_count(self->host), 0);
	/* and the right one is still welcome */
	kept_i2[last] ^= 1;
	host_input(self->host, network->now, &arrival, kept_i2, kept_length);
	network_drain(network, self);
	assert_int_equal(host_association_count(self->host), 1);
	network_free(network);
}

/* One solved puzzle, sent again and again with something wrong behind it. */
static void a_solved_puzzle_is_good_for_a_few_computations(void **state)
{
	struct host_arrival arrival;
	struct network *network = network_with_kept_i2(&arrival);
	struct network_host *self = &network->hosts[FLOODED];

	(void)state;
	kept_i2[kept_parameter(PARAMETER_HIP_MAC)->offset + 5] ^= 1;
	for (int n = 0; n < 100; n++)
		host_input(self->host, network->now, &arrival, kept_i2, kept_length);
	network_drain(network, self);
	assert_int_equal(host_counter_value(self->host, HOST_COUNT_DROP_MAC), I2_PUZZLE_TRIES);
	assert_int_equal(host_counter_value(self->host, HOST_COUNT_DROP_I2_RATE), 100 - I2_PUZZLE_TRIES);
	network_free(network);
}

/* ---- to an association ---- */

static void cut_last_parameter_type(uint8_t *octets)
{
	/* a critical type that nobody knows, in front of MAC and signature */
	octets[HIP_HEADER_LENGTH] = 0x70;
	octets[HIP_HEADER_LENGTH + 1] = 0x01;
}

/* What a stranger sends in a peer's name uses up no rate that the peer's own packets need. */
static void strangers_use_up_no_rate_of_a_peer(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *self = &network->hosts[FLOODED];
	struct host_arrival arrival = {
		.local = network_endpoint(network, FLOODED), .remote = network_endpoint(network, HONEST)};
	static const uint8_t types[] = {HIP_PACKET_UPDATE, HIP_PACKET_CLOSE, HIP_PACKET_CLOSE_ACK, HIP_PACKET_R2};
	uint32_t tokens;

	(void)state;
	network_associate(network, HONEST, FLOODED);
	tokens = association_find(self->host, &network->hosts[HONEST].hit)->answers.tokens;
	for (unsigned n = 0; n < 4000; n++) {
		uint8_t octets[48];

		write_i1(octets, &network->hosts[HONEST].hit, &self->hit, 7);
		octets[2] = types[n % 4];
		cut_last_parameter_type(octets);
		host_input(self->host, network->now, &arrival, octets, sizeof octets);
	}
	network_drain(network, self);
	assert_int_equal(association_find(self->host, &network->hosts[HONEST].hit)->answers.tokens, tokens);
	assert_int_equal(host_close(network->hosts[HONEST].host, network->now, &self->hit), HIPHOP_OK);
	network_run(network, SECONDS(1));
	assert_int_equal(network_state(network, FLOODED, HONEST), HOST_CLOSED);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_from_everywhere),
		cmocka_unit_test(a_flood_in_his_own_name),
		cmocka_unit_test(reflection_is_bounded),
		cmocka_unit_test(the_difficulty_follows),
		cmocka_unit_test(a_calm_host_asks_for_no_work),
		cmocka_unit_test(a_puzzle_keeps_its_difficulty),
		cmocka_unit_test(an_i1_makes_no_key),
		cmocka_unit_test(an_idle_host_makes_no_keys),
		cmocka_unit_test(wrong_solutions_cost_no_computation),
		cmocka_unit_test(a_solved_puzzle_is_good_for_a_few_computations),
		cmocka_unit_test(strangers_use_up_no_rate_of_a_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
