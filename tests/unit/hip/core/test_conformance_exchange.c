/* SPDX-License-Identifier: MIT */
/* The base exchange, sentence by sentence (RFC 7401 sections 4.1, 5.2, 5.3 and 6.6 to 6.10). */
#include "forge.h"

static struct network *begin(struct catch *catch, uint8_t type)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	catch_in_exchange(network, catch, type);
	return network;
}

/* It is dropped, counted there, and nothing is said. */
static void dropped_in_silence(struct network *network, const struct flying *packet, host_counter counter)
{
	struct network_host *self = target_of(network, packet);
	unsigned sent = sent_in_all(self), changes = self->changes;
	host_state before = network_state(network, self->index, packet->from);
	size_t associations = host_association_count(self->host);
	uint64_t drops = counted(self, counter);

	network->now += MILLISECONDS(100);
	deliver(network, packet);
	assert_int_equal(counted(self, counter), drops + 1);
	assert_int_equal(sent_in_all(self), sent);
	assert_int_equal(self->changes, changes);
	assert_int_equal(host_association_count(self->host), associations);
	assert_int_equal(network_state(network, self->index, packet->from), before);
}

static void comes_to_an_end(struct network *network)
{
	network_run(network, MILLISECONDS(500));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

static const struct parameter_view *find(const struct flying *packet, struct packet_view *view, uint16_t type)
{
	assert_int_equal(packet_parse(packet->octets, packet->length, view), HIPHOP_OK);
	return packet_find(view, type);
}

/* ---- headers ---- */

/* conforms: RFC7401-5.1-1 RFC7401-5.3-1 */
static void what_follows_the_parameters_is_ignored(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I1);

	(void)state;
	catch.packet.octets[0] = HIP_PROTOCOL;
	dropped_in_silence(network, &catch.packet, HOST_COUNT_DROP_MALFORMED);
	catch.packet.octets[0] = 17;
	memset(catch.packet.octets + catch.packet.length, 0x5a, 20);
	catch.packet.length += 20;
	deliver(network, &catch.packet);
	comes_to_an_end(network);
}

/* A host answers no packet that is not sound. (What is said by ICMP: test_problem.c.) */
/* conforms: RFC7401-5.1-3 RFC7401-5.4.2-1 RFC7401-5.4.4-1 RFC7401-6.7.2-1 */
static void unsound_packets_get_no_answer(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct network *network = network_make(2, TRANSPORT_IP);
		struct catch catch;
		struct flying other;

		catch_next(network, &catch, types[i]);
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, MILLISECONDS(100));
		network->fate = NULL;
		other = catch.packet;
		other.octets[4] ^= 1; /* the checksum */
		dropped_in_silence(network, &other, HOST_COUNT_DROP_CHECKSUM);
		other = catch.packet;
		other.octets[2] = 15; /* no such type */
		dropped_in_silence(network, &other, HOST_COUNT_DROP_UNKNOWN_TYPE);
		other = catch.packet;
		other.length -= 8;
		dropped_in_silence(network, &other, HOST_COUNT_DROP_MALFORMED);
		deliver(network, &catch.packet);
		comes_to_an_end(network);
	}
}

/* conforms: RFC7402-6-1 */
static void hip_goes_beside_esp(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2, HIP_PACKET_UPDATE,
		HIP_PACKET_CLOSE, HIP_PACKET_CLOSE_ACK};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		struct catch catch;

		catch_next(network, &catch, types[i]);
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, MILLISECONDS(100));
		network->hosts[0].sent[1] = network->now + 1;
		network_run(network, MILLISECONDS(2500));
		host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
		network_run(network, MILLISECONDS(100));
		assert_true(catch.full);
		assert_false(catch.packet.sealed);
		network_free(network);
	}
}

/* ---- I1 ---- */

/* conforms: RFC7401-6.7-6 */
static void an_i1_for_somebody_else_is_dropped(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I1);
	struct flying other = catch.packet;

	(void)state;
	other.octets[24 + 15] ^= 1;
	dropped_in_silence(network, &other, HOST_COUNT_DROP_NOT_FOR_US);
	memset(other.octets + 24, 0, HIT_LENGTH); /* NULL: whoever is there */
	deliver(network, &other);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R1], 1);
	deliver(network, &catch.packet);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_R1], 2);
	network_free(network);
}

/* conforms: RFC7401-6.7.1-1 RFC7401-5.3.2-2 RFC7401-5.3.2-3 */
static void an_r1_has_the_hits_of_the_i1(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	struct packet_view view;

	(void)state;
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	assert_true(hit_equal(&view.sender, &network->hosts[1].hit));
	assert_true(hit_equal(&view.receiver, &network->hosts[0].hit));
	network_free(network);
}

struct census {
	unsigned i1s;
	struct endpoint to[8];
	instant at[8];
};

static packet_fate count_i1s(struct network *network, struct flying *packet)
{
	struct census *census = network->fate_context;

	if (flying_type(packet) != HIP_PACKET_I1)
		return FATE_PASS;
	assert_in_range(census->i1s, 0, 7);
	census->to[census->i1s] = packet->destination;
	census->at[census->i1s++] = network->now;
	return FATE_LOSE;
}

/* conforms: RFC7401-6.6.1-1 RFC7401-6.6.1-2 RFC7401-6.6.1-3 */
static void an_i1_goes_to_three_addresses_once(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct census census = {.i1s = 0};
	struct endpoint endpoint = network_endpoint(network, 1);

	(void)state;
	network->fate = count_i1s;
	network->fate_context = &census;
	for (uint8_t i = 0; i < HOST_LOCATORS_MAXIMUM; i++) {
		endpoint.address.octets[15] = (uint8_t)(100 + i);
		assert_int_equal(
			host_learn_locator(network->hosts[0].host, &network->hosts[1].hit, &endpoint, true), HIPHOP_OK);
	}
	network_connect(network, 0, 1);
	assert_int_equal(census.i1s, 3);
	network_run(network, SECONDS(20));
	for (unsigned i = 3; i < census.i1s; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_true(census.at[i] > census.at[k] ||
				    address_equal(&census.to[i].address, &census.to[k].address));
	}
	assert_true(census.i1s > 3);
	network_free(network);
}

static packet_fate slowly(struct network *network, struct flying *packet)
{
	(void)network;
	packet->at += MILLISECONDS(440);
	return FATE_PASS;
}

/* A way of 900 ms there and back is none that needs a second packet. */
/* conforms: RFC7401-6.6-2 RFC7401-6.8-21 */
static void timers_are_longer_than_a_slow_way(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network->fate = slowly;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, SECONDS(3));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 1);
	comes_to_an_end(network);
}

/* ---- R1: puzzle and Diffie-Hellman ---- */

static void next_r1(struct network *network, struct catch *catch)
{
	catch_next(network, catch, HIP_PACKET_R1);
	network_crash(network, 0);
	network_boot(network, 0);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(catch->full);
}

/* conforms: RFC7401-4.1.1-1 RFC7401-4.1.2-3 RFC7401-4.1.2-9 */
static void no_puzzle_comes_twice(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct parameter_puzzle puzzles[8];
	struct parameter_diffie_hellman keys[2];
	struct packet_view view;
	struct catch catch[8];

	(void)state;
	for (size_t n = 0; n < 8; n++) {
		next_r1(network, &catch[n]);
		assert_int_equal(
			parameter_puzzle_read(find(&catch[n].packet, &view, PARAMETER_PUZZLE), &puzzles[n]), HIPHOP_OK);
		for (size_t k = 0; k < n; k++)
			assert_memory_not_equal(puzzles[n].random_i, puzzles[k].random_i, puzzles[n].random_length);
	}
	/* with the same Diffie-Hellman key, all the while */
	for (size_t n = 0; n < 2; n++)
		assert_int_equal(parameter_diffie_hellman_read(
					 find(&catch[n].packet, &view, PARAMETER_DIFFIE_HELLMAN), &keys[n]),
			HIPHOP_OK);
	assert_memory_equal(keys[0].public_value.data, keys[1].public_value.data, keys[0].public_value.length);
	network_free(network);
}

static void public_value(const struct flying *packet, uint8_t *octets)
{
	struct parameter_diffie_hellman key;
	struct packet_view view;

	assert_int_equal(parameter_diffie_hellman_read(find(packet, &view, PARAMETER_DIFFIE_HELLMAN), &key), HIPHOP_OK);
	memcpy(octets, key.public_value.data, 64);
}

/* conforms: RFC7401-5.3.2-5 RFC7401-5.3.2-6 RFC7401-5.3.2-7 RFC7401-5.3.2-8 RFC7401-6.7.1-2 */
static void a_used_diffie_hellman_key_is_given_up(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	uint8_t r1_keys[3][64], i2_keys[2][64];
	struct catch catch;

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		next_r1(network, &catch);
		public_value(&catch.packet, r1_keys[n]);
		if (n == 2)
			break;
		catch_next(network, &catch, HIP_PACKET_I2);
		network_run(network, SECONDS(2)); /* the I1 again */
		public_value(&catch.packet, i2_keys[n]);
		network->fate = NULL;
		network_run(network, SECONDS(2)); /* the I2 again */
		assert_true(network_esp(network, 0, 1));
		network_run(network, SECONDS(20));
	}
	assert_memory_not_equal(r1_keys[0], r1_keys[1], 64);
	assert_memory_not_equal(r1_keys[1], r1_keys[2], 64);
	assert_memory_not_equal(i2_keys[0], i2_keys[1], 64);
	network_free(network);
}

/* ---- R1: taking it ---- */

/* conforms: RFC7401-6.8-6 RFC7401-6.6.1-4 */
static void an_r1_may_come_from_another_address(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	struct network_host *a = &network->hosts[0];

	(void)state;
	/* Host 1 has this address as well. */
	assert_int_equal(address_parse("198.51.100.77", &network->hosts[1].address), HIPHOP_OK);
	catch.packet.source.address = network->hosts[1].address;
	deliver(network, &catch.packet);
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	assert_true(address_equal(&network->flying->destination.address, &network->hosts[1].address));
	assert_int_equal(a->out_of_type[HIP_PACKET_I2], 1);
	comes_to_an_end(network);
}

/* conforms: RFC7401-6.8-8 RFC7401-6.8-9 */
static void an_r1_of_somebody_else_is_dropped(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	struct catch catch;

	(void)state;
	/* Host 2 answers host 0, but host 0 has restarted and asks host 1 now. */
	catch_next(network, &catch, HIP_PACKET_R1);
	network_introduce(network, 0, 2);
	network_connect(network, 0, 2);
	network_run(network, MILLISECONDS(100));
	network_crash(network, 0);
	network_boot(network, 0);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	catch.packet.source = network_endpoint(network, 1);
	dropped_in_silence(network, &catch.packet, HOST_COUNT_DROP_WRONG_STATE);
	network->fate = NULL;
	comes_to_an_end(network);
}

/* conforms: RFC7401-6.8.1-1 RFC7401-6.8.1-2 */
static void a_malformed_r1_is_dropped_and_another_awaited(void **state)
{
	static const struct change faults[] = {{PARAMETER_PUZZLE, "short", 5}, {PARAMETER_HIP_CIPHER, NULL, 0},
		{PARAMETER_DIFFIE_HELLMAN, "\7\xff\xffkey", 6}, {6001, "critical", 8}};
	static const host_counter counters[] = {HOST_COUNT_DROP_MALFORMED, HOST_COUNT_DROP_MALFORMED,
		HOST_COUNT_DROP_MALFORMED, HOST_COUNT_DROP_UNSUPPORTED};

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		struct catch catch;
		struct network *network = begin(&catch, HIP_PACKET_R1);
		struct flying forged;

		forge(network, &catch.packet, &faults[i], 1, 0, &forged);
		dropped_in_silence(network, &forged, counters[i]);
		assert_int_equal(network_state(network, 0, 1), HOST_I1_SENT);
		/* a sound one that comes later, or the answer to another I1 */
		if (i % 2)
			deliver(network, &catch.packet);
		else
			network_run(network, SECONDS(2));
		comes_to_an_end(network);
	}
}

/* conforms: RFC7401-5.2.11-2 */
static void a_transport_format_needs_its_parameter(void **state)
{
	const struct change more = {PARAMETER_TRANSPORT_FORMAT_LIST, "\x08\x02\x0f\xff", 4};
	const struct change fewer = {PARAMETER_ESP_TRANSFORM, NULL, 0};
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	struct flying forged;

	(void)state;
	/* ESP is listed, without ESP_TRANSFORM */
	forge(network, &catch.packet, &fewer, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network_state(network, 0, 1), HOST_I1_SENT);
	/* 2050 is listed first, without parameter 2050 */
	forge(network, &catch.packet, &more, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(network_state(network, 0, 1), HOST_I2_SENT);
	comes_to_an_end(network);
}

static uint64_t counter_of(const struct flying *packet)
{
	struct parameter_r1_counter counter;
	struct packet_view view;

	assert_int_equal(parameter_r1_counter_read(find(packet, &view, PARAMETER_R1_COUNTER), &counter), HIPHOP_OK);
	return counter.counter;
}

/* The generation of the R1 that was answered is remembered: a newer one is answered too, an older or equal one is not.
 */
/* conforms: RFC7401-6.8-11 RFC7401-6.8-19 */
static void the_r1_of_the_newest_generation_counts(void **state)
{
	static const uint8_t counters[][12] = {{[11] = 5}, {[11] = 4}, {[11] = 5}, {[11] = 6}};
	static const bool answered[] = {true, false, false, true};
	struct catch catch, i2;
	struct network *network = begin(&catch, HIP_PACKET_R1);
	struct network_host *a = &network->hosts[0];
	struct flying forged;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct change change = {PARAMETER_R1_COUNTER, counters[i], sizeof counters[i]};
		unsigned before = a->out_of_type[HIP_PACKET_I2];

		/* There is a slice of puzzle solving for each instant. */
		network->now += MILLISECONDS(1);
		forge(network, &catch.packet, &change, 1, 0, &forged);
		catch_next(network, &i2, HIP_PACKET_I2);
		/* One slice of a puzzle is solved at a time. */
		network->now += MILLISECONDS(1);
		deliver(network, &forged);
		network_run(network, MILLISECONDS(20));
		assert_int_equal(a->out_of_type[HIP_PACKET_I2], before + answered[i]);
		if (answered[i])
			assert_int_equal(counter_of(&i2.packet), counters[i][11]);
	}
	network_free(network);
}

/* Two identities of one machine are two of these hosts: what uses up the R1s of one is nothing to the other. */
/* conforms: RFC7401-4.1.4-1 */
static void each_identity_counts_its_own_generations(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	uint64_t first[2], later[2];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 2; i++) {
			struct catch catch;

			catch_next(network, &catch, HIP_PACKET_R1);
			network_crash(network, 0);
			network_boot(network, 0);
			network_introduce(network, 0, 1 + i);
			network_connect(network, 0, 1 + i);
			network_run(network, MILLISECONDS(100));
			(round ? later : first)[i] = counter_of(&catch.packet);
			network->fate = NULL;
			/* the first is used, by the I1 that comes again */
			network_run(network, i == 0 ? SECONDS(2) : 0);
		}
		network_crash(network, 0);
		network_run(network, SECONDS(20));
	}
	assert_true(later[0] > first[0]);
	assert_true(later[1] == first[1]);
	network_free(network);
}

static void set_generation(struct network *network, uint64_t generation)
{
	network_crash(network, 1);
	network->hosts[1].configuration.r1_generation = generation;
	network_boot(network, 1);
}

/* A Responder that has lost its counter is reached all the same once its old association is gone. */
/* conforms: RFC7401-6.16-3 RFC7401-6.16-4 */
static void the_peers_generation_is_forgotten_with_the_association(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	set_generation(network, 1000);
	network_associate(network, 0, 1);
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_run(network, SECONDS(100));
	assert_int_equal(host_association_count(network->hosts[0].host), 0);
	set_generation(network, 1);
	network_associate(network, 0, 1);
	network_free(network);
}

/* Somebody else may be at that address by now: who answers is believed anew. */
/* conforms: RFC7401-4.1.8-5 */
static void opportunism_expects_nobody(void **state)
{
	struct network *network = network_make(3, TRANSPORT_UDP);
	struct endpoint endpoint = network_endpoint(network, 1);
	struct network_host *a = &network->hosts[0];

	(void)state;
	assert_int_equal(host_connect_opportunistic(a->host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(1));
	assert_true(hit_equal(&a->learnt, &network->hosts[1].hit));
	network->hosts[2].address = network->hosts[1].address;
	network_crash(network, 1);
	assert_int_equal(host_connect_opportunistic(a->host, network->now, &endpoint), HIPHOP_OK);
	network_run(network, SECONDS(1));
	assert_int_equal(a->learnt_count, 2);
	assert_true(hit_equal(&a->learnt, &network->hosts[2].hit));
	assert_true(network_esp(network, 0, 2));
	network_free(network);
}

/* ---- I2 ---- */

/* conforms: RFC7401-6.9-2 RFC7401-6.9-3 RFC7401-6.9-4 */
static void an_i2_with_wrong_hits_is_dropped(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);
	struct flying other = catch.packet;

	(void)state;
	other.octets[24 + 15] ^= 1; /* not ours */
	dropped_in_silence(network, &other, HOST_COUNT_DROP_NOT_FOR_US);
	other = catch.packet;
	other.octets[8 + 3] = 0x24; /* a HIT Suite that nobody has */
	dropped_in_silence(network, &other, HOST_COUNT_DROP_UNSUPPORTED);
	other.octets[8 + 3] = 0x23; /* one that is off unless it is asked for */
	dropped_in_silence(network, &other, HOST_COUNT_DROP_UNSUPPORTED);
	deliver(network, &catch.packet);
	comes_to_an_end(network);
}

/* conforms: RFC7401-6.9-6 RFC7401-6.9-7 RFC7401-6.9-8 RFC7401-4.1.4-3 */
static void an_i2_of_another_generation_is_dropped(void **state)
{
	static const uint8_t far[12] = {[10] = 4, [11] = 1}, next[12] = {[11] = 2};
	const struct change ahead = {PARAMETER_R1_COUNTER, far, sizeof far};
	const struct change unborn = {PARAMETER_R1_COUNTER, next, sizeof next};
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);
	struct flying forged;

	(void)state;
	assert_int_equal(counter_of(&catch.packet), 1);
	forge(network, &catch.packet, &ahead, 1, 0, &forged);
	dropped_in_silence(network, &forged, HOST_COUNT_DROP_PUZZLE);
	forge(network, &catch.packet, &unborn, 1, 0, &forged);
	dropped_in_silence(network, &forged, HOST_COUNT_DROP_PUZZLE);
	deliver(network, &catch.packet); /* the present one */
	network_run(network, MILLISECONDS(100));
	assert_int_equal(network->hosts[1].usable, 1);
	network_free(network);
}

/* conforms: RFC7401-6.9-8 RFC7401-4.1.4-4 */
static void an_i2_that_comes_too_late_is_dropped(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);

	(void)state;
	network_crash(network, 0);
	network->now += SECONDS(600);
	dropped_in_silence(network, &catch.packet, HOST_COUNT_DROP_PUZZLE);
	network_free(network);
}

/* conforms: RFC7401-5.2.19-1 RFC7401-6.9-9 */
static void a_wrong_solution_is_told_nothing(void **state)
{
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);
	struct packet_view view;
	const struct parameter_view *solution = find(&catch.packet, &view, PARAMETER_SOLUTION);
	uint8_t wrong[100];
	struct flying forged;

	(void)state;
	memcpy(wrong, solution->contents.data, sizeof wrong);
	/* Of 4 bits one solution in sixteen is right: the first that is not. */
	do {
		wrong[99]++;
		forge(network, &catch.packet, &(struct change){PARAMETER_SOLUTION, wrong, sizeof wrong}, 1, 0, &forged);
		deliver(network, &forged);
	} while (!counted(&network->hosts[1], HOST_COUNT_DROP_PUZZLE));
	dropped_in_silence(network, &forged, HOST_COUNT_DROP_PUZZLE);
	network_free(network);
}

/* A point that is not on the curve, (0, 0). */
/* conforms: RFC7401-5.3.2-9 RFC7401-5.3.2-10 */
static void a_bad_public_value_is_dropped_in_silence(void **state)
{
	static const uint8_t key[3 + 64] = {DH_GROUP_NIST_P256, 0, 64};
	const struct change bad = {PARAMETER_DIFFIE_HELLMAN, key, sizeof key};
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);
	struct flying forged;

	(void)state;
	forge(network, &catch.packet, &bad, 1, 0, &forged);
	dropped_in_silence(network, &forged, HOST_COUNT_DROP_DH);
	deliver(network, &catch.packet);
	comes_to_an_end(network);
}

/* conforms: RFC7402-6.5-2 RFC7402-6.5-3 */
static void an_i2_says_where_its_esp_keys_are(void **state)
{
	static const uint8_t old_spi[12] = {[6] = 1, [8] = 0x11, [11] = 0x11};
	struct catch catch;
	struct network *network = begin(&catch, HIP_PACKET_I2);
	struct packet_view view;
	const struct parameter_view *esp_info = find(&catch.packet, &view, PARAMETER_ESP_INFO);
	uint8_t other_index[12];
	struct flying forged;

	(void)state;
	forge(network, &catch.packet, &(struct change){PARAMETER_ESP_INFO, old_spi, sizeof old_spi}, 1, 0, &forged);
	deliver(network, &forged);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	memcpy(other_index, esp_info->contents.data, sizeof other_index);
	other_index[3] ^= 1;
	forge(network, &catch.packet, &(struct change){PARAMETER_ESP_INFO, other_index, sizeof other_index}, 1, 0,
		&forged);
	deliver(network, &forged);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	deliver(network, &catch.packet);
	comes_to_an_end(network);
}

/* ---- SPIs ---- */

/* conforms: RFC7402-3.2.1-1 RFC7402-3.2.1-2 */
static void every_exchange_has_its_own_spis(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	uint32_t spis[40];
	uint32_t bits = 0;
	size_t count = 0;

	(void)state;
	while (count < 40) {
		struct host_association_view view;

		network_associate(network, 0, 1);
		assert_true(host_association_find(network->hosts[0].host, &network->hosts[1].hit, &view));
		spis[count++] = view.spi_in;
		spis[count++] = view.spi_out;
		host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
		network_run(network, SECONDS(1));
	}
	for (size_t i = 0; i < count; i++) {
		assert_true(spis[i] > 255); /* the reserved ones, RFC 4303 section 2.1 */
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(spis[i], spis[k]);
		bits |= spis[i] ^ spis[0];
	}
	assert_int_equal(bits, UINT32_MAX); /* each bit is sometimes another */
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_the_parameters_is_ignored),
		cmocka_unit_test(unsound_packets_get_no_answer),
		cmocka_unit_test(hip_goes_beside_esp),
		cmocka_unit_test(an_i1_for_somebody_else_is_dropped),
		cmocka_unit_test(an_r1_has_the_hits_of_the_i1),
		cmocka_unit_test(an_i1_goes_to_three_addresses_once),
		cmocka_unit_test(timers_are_longer_than_a_slow_way),
		cmocka_unit_test(no_puzzle_comes_twice),
		cmocka_unit_test(a_used_diffie_hellman_key_is_given_up),
		cmocka_unit_test(an_r1_may_come_from_another_address),
		cmocka_unit_test(an_r1_of_somebody_else_is_dropped),
		cmocka_unit_test(a_malformed_r1_is_dropped_and_another_awaited),
		cmocka_unit_test(a_transport_format_needs_its_parameter),
		cmocka_unit_test(the_r1_of_the_newest_generation_counts),
		cmocka_unit_test(each_identity_counts_its_own_generations),
		cmocka_unit_test(the_peers_generation_is_forgotten_with_the_association),
		cmocka_unit_test(opportunism_expects_nobody),
		cmocka_unit_test(an_i2_with_wrong_hits_is_dropped),
		cmocka_unit_test(an_i2_of_another_generation_is_dropped),
		cmocka_unit_test(an_i2_that_comes_too_late_is_dropped),
		cmocka_unit_test(a_wrong_solution_is_told_nothing),
		cmocka_unit_test(a_bad_public_value_is_dropped_in_silence),
		cmocka_unit_test(an_i2_says_where_its_esp_keys_are),
		cmocka_unit_test(every_exchange_has_its_own_spis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
