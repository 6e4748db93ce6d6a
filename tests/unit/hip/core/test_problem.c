/* SPDX-License-Identifier: MIT */
/* What is told by ICMP, to whom, and how often (RFC 7401 sections 4.3, 5.4 and 6.7). */
#include "forge.h"

/* ICMP messages that a host sends. host_network.h has no ICMP, so effects are taken here. */
struct told {
	unsigned count;
	uint8_t octets[ICMP_PROBLEM_MAXIMUM];
	size_t length;
	struct endpoint local, remote;
	unsigned others; /* packets of HIP */
};

static struct told listen(struct host *host)
{
	struct told told = {.count = 0};
	struct host_effect effect;

	while (host_next_effect(host, &effect)) {
		told.others += effect.kind == HOST_SEND;
		if (effect.kind != HOST_SEND_ICMP)
			continue;
		told.count++;
		told.length = effect.length;
		assert_true(effect.length <= sizeof told.octets);
		memcpy(told.octets, effect.octets, effect.length);
		told.local = effect.local;
		told.remote = effect.remote;
	}
	return told;
}

static struct told hand_over(struct network *network, const struct flying *packet)
{
	struct network_host *to = target_of(network, packet);
	const struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};

	host_input(to->host, network->now, &arrival, packet->octets, packet->length);
	return listen(to->host);
}

/* Both hosts at IPv6 addresses. */
static struct network *over_ipv6(uint16_t transport)
{
	struct network *network = network_make(2, transport);

	for (size_t i = 0; i < 2; i++) {
		char text[32];

		snprintf(text, sizeof text, "2001:db8::%zu", i + 1);
		assert_int_equal(address_parse(text, &network->hosts[i].address), HIPHOP_OK);
		host_set_addresses(network->hosts[i].host, network->now, &network->hosts[i].address, 1);
	}
	return network;
}

static void is_about(const struct told *told, const struct flying *packet, uint8_t type, uint8_t code)
{
	size_t header = address_is_ipv4(&packet->source.address) ? 20 : 40;

	assert_int_equal(told->count, 1);
	assert_int_equal(told->others, 0);
	assert_true(endpoint_equal(&told->local, &packet->destination));
	assert_true(endpoint_equal(&told->remote, &packet->source));
	assert_int_equal(told->octets[0], type);
	assert_int_equal(told->octets[1], code);
	assert_memory_equal(told->octets + 8 + header, packet->octets, told->length - 8 - header);
}

static void set_version(struct flying *packet, unsigned version)
{
	packet->octets[3] = (uint8_t)(version << 4 | 1);
	packet_set_checksum(
		packet->octets, packet->length, HIP_CARRIER_IP, &packet->source.address, &packet->destination.address);
}

/* conforms: RFC7401-5.4.1-1 RFC7401-5.4.2-1 */
static void another_version_is_told(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct catch catch;
	struct told told;

	(void)state;
	catch_in_exchange(network, &catch, HIP_PACKET_I1);
	set_version(&catch.packet, 3);
	told = hand_over(network, &catch.packet);
	is_about(&told, &catch.packet, 12, 0);
	assert_int_equal(told.octets[4], 20 + 3); /* Version/RES. */
	catch.packet.octets[4] ^= 1;
	told = hand_over(network, &catch.packet);
	assert_int_equal(told.count, 0);
	network_free(network);
}

/* conforms: RFC7401-5.4.3-1 */
static void a_wrong_solution_is_told_over_ipv6(void **state)
{
	struct network *network = over_ipv6(TRANSPORT_IP);
	const struct parameter_view *solution;
	struct packet_view view;
	struct catch catch;
	struct told told;
	uint32_t pointer;

	(void)state;
	catch_in_exchange(network, &catch, HIP_PACKET_I2);
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	solution = packet_find(&view, PARAMETER_SOLUTION);
	pointer = 40U + solution->offset + 8 + 48;
	/* of 4 bits one in sixteen is right: the first that is not */
	do {
		catch.packet.octets[solution->offset + 8 + 48 + 47]++;
		packet_set_checksum(catch.packet.octets, catch.packet.length, HIP_CARRIER_IP,
			&catch.packet.source.address, &catch.packet.destination.address);
		told = hand_over(network, &catch.packet);
	} while (!told.count);
	is_about(&told, &catch.packet, 4, 0);
	assert_int_equal((uint32_t)told.octets[6] << 8 | told.octets[7], pointer);
	network_free(network);
}

/* conforms: RFC7401-6.7-2 */
static void who_has_no_room_says_so(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	const struct hit somebody = {{0x20, 0x01, 0x00, 0x22, [15] = 9}};
	struct endpoint nowhere = {.transport = TRANSPORT_IP};
	struct catch catch;
	struct told told;

	(void)state;
	network_crash(network, 1);
	network->hosts[1].configuration.associations = 1;
	network_boot(network, 1);
	assert_int_equal(address_parse("198.51.100.99", &nowhere.address), HIPHOP_OK);
	assert_int_equal(host_learn_locator(network->hosts[1].host, &somebody, &nowhere, true), HIPHOP_OK);
	assert_int_equal(host_connect(network->hosts[1].host, network->now, &somebody), HIPHOP_OK);
	catch_in_exchange(network, &catch, HIP_PACKET_I1);
	told = hand_over(network, &catch.packet);
	is_about(&told, &catch.packet, 3, 13);
	network_free(network);
}

/* conforms: RFC7401-4.3-3 RFC7401-4.3-4 */
static void esp_without_an_association_is_told(void **state)
{
	static const uint8_t esp[40] = {1, 2, 3, 4, 0, 0, 0, 1};

	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct network *network = ipv6 ? over_ipv6(TRANSPORT_IP) : network_make(2, TRANSPORT_IP);
		struct endpoint local = network_endpoint(network, 1), remote = network_endpoint(network, 0);
		size_t header = ipv6 ? 40 : 20;
		struct told told;

		host_unmatched_esp(network->hosts[1].host, network->now, &local, &remote, esp, sizeof esp);
		told = listen(network->hosts[1].host);
		assert_int_equal(told.count, 1);
		assert_int_equal(told.octets[0], ipv6 ? 4 : 12);
		assert_int_equal(told.octets[ipv6 ? 7 : 4], header); /* the SPI */
		assert_int_equal(told.octets[8 + (ipv6 ? 6 : 9)], 50);
		assert_memory_equal(told.octets + 8 + header, esp, sizeof esp);
		network_free(network);
	}
}

/* conforms: RFC7401-5.4-1 RFC7401-4.3-5 */
static void little_is_told(void **state)
{
	static const uint8_t esp[40] = {1, 2, 3, 4, 0, 0, 0, 1};
	struct network *network = network_make(2, TRANSPORT_IP);
	struct endpoint local = network_endpoint(network, 1), remote = network_endpoint(network, 0);
	struct network_host *b = &network->hosts[1];

	(void)state;
	for (int i = 0; i < 10000; i++)
		host_unmatched_esp(b->host, network->now, &local, &remote, esp, sizeof esp);
	assert_in_range(listen(b->host).count, 1, 10);
	network->now += SECONDS(1);
	for (int i = 0; i < 10000; i++)
		host_unmatched_esp(b->host, network->now, &local, &remote, esp, sizeof esp);
	assert_in_range(listen(b->host).count, 1, 10);
	assert_true(counted(b, HOST_COUNT_ICMP_OUT) <= 20);
	/* nobody at all, who is a multicast address */
	network->now += SECONDS(1);
	assert_int_equal(address_parse("224.0.0.1", &remote.address), HIPHOP_OK);
	host_unmatched_esp(b->host, network->now, &local, &remote, esp, sizeof esp);
	assert_int_equal(listen(b->host).count, 0);
	network_free(network);
}

/* ICMP cannot say what is inside UDP; and sound packets of the exchange have nothing told about them. */
/* conforms: RFC7401-5.4.4-1 */
static void nothing_is_told_about_the_rest(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2};
	static const uint8_t esp[40] = {1, 2, 3, 4, 0, 0, 0, 1};
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint local = network_endpoint(network, 1), remote = network_endpoint(network, 0);
	struct catch catch;

	(void)state;
	host_unmatched_esp(network->hosts[1].host, network->now, &local, &remote, esp, sizeof esp);
	assert_int_equal(listen(network->hosts[1].host).count, 0);
	network_free(network);
	for (size_t i = 0; i < sizeof types; i++) {
		struct network_host *to;

		network = over_ipv6(TRANSPORT_IP);
		catch_in_exchange(network, &catch, types[i]);
		to = target_of(network, &catch.packet);
		/* to one that knows nothing of it */
		network_crash(network, to->index);
		network_boot(network, to->index);
		if (types[i] != HIP_PACKET_I2)
			assert_int_equal(hand_over(network, &catch.packet).count, 0);
		network_free(network);
	}
}

/* A NOTIFY comes back as an effect, its data with it. */
static void what_was_notified_is_told_with_its_data(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct endpoint local = network_endpoint(network, 1), remote = network_endpoint(network, 0);
	struct host *host = network->hosts[1].host;
	struct host_effect effect;
	unsigned seen = 0;

	(void)state;
	network_introduce(network, 1, 0);
	host_unknown_spi(host, network->now, &local, &remote, 0x01020304);
	while (host_next_effect(host, &effect)) {
		if (effect.kind != HOST_NOTIFIED)
			continue;
		seen++;
		assert_int_equal(effect.notification, NOTIFY_INVALID_SPI);
		assert_int_equal(effect.length, 4);
		assert_non_null(effect.octets);
		assert_memory_equal(effect.octets, "\1\2\3\4", 4);
	}
	assert_int_equal(seen, 1);
	network_free(network);
}

static void set_checksum(struct flying *packet)
{
	packet_set_checksum(
		packet->octets, packet->length, HIP_CARRIER_IP, &packet->source.address, &packet->destination.address);
}

/* The Pointer of a Parameter Problem, counted from the HIP header. */
static unsigned pointer_of(const struct told *told, const struct flying *packet)
{
	bool ipv4 = address_is_ipv4(&packet->source.address);

	is_about(told, packet, ipv4 ? 12 : 4, 0);
	return ipv4 ? told->octets[4] - 20U : told->octets[7] - 40U;
}

/* A sound packet that host 0 might send to host 1, who knows nothing of it. */
static struct flying from_a_stranger(struct network *network, uint8_t type, const struct change *parameter)
{
	struct flying packet = {
		.from = 0, .source = network_endpoint(network, 0), .destination = network_endpoint(network, 1)};
	struct packet_builder builder;

	packet_builder_start(
		&builder, packet.octets, sizeof packet.octets, type, 0, &network->hosts[0].hit, &network->hosts[1].hit);
	if (parameter)
		packet_builder_add(&builder, parameter->type, parameter->contents, parameter->length);
	assert_int_equal(packet_builder_finish(&builder, &packet.length), HIPHOP_OK);
	set_checksum(&packet);
	return packet;
}

/* conforms: RFC7401-5.4.2-1 RFC7401-5.2.1-3 */
static void structure_is_told_to_strangers(void **state)
{
	static const uint8_t groups[4] = {7, 7, 7, 7};
	const struct change list = {PARAMETER_DH_GROUP_LIST, groups, sizeof groups};
	static const struct {
		uint8_t place, value;
	} faults[] = {
		{0, HIP_PROTOCOL},            /* Next Header */
		{HIP_HEADER_LENGTH + 3, 200}, /* the parameter is longer than the packet */
		{HIP_HEADER_LENGTH, 0},       /* type 255 is critical and nobody knows it */
	};
	static const uint8_t pointers[] = {0, HIP_HEADER_LENGTH, HIP_HEADER_LENGTH};

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		for (int ipv6 = 0; ipv6 < 2; ipv6++) {
			struct network *network = ipv6 ? over_ipv6(TRANSPORT_IP) : network_make(2, TRANSPORT_IP);
			struct flying packet = from_a_stranger(network, HIP_PACKET_I1, &list);
			struct told told;

			packet.octets[faults[i].place] = faults[i].value;
			set_checksum(&packet);
			told = hand_over(network, &packet);
			assert_int_equal(pointer_of(&told, &packet), pointers[i]);
			packet.octets[4] ^= 1;
			assert_int_equal(hand_over(network, &packet).count, 0);
			network_free(network);
		}
	}
}

/* Who has an association is told by NOTIFY, or not at all. */
static void structure_is_not_told_to_peers(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct flying packet;

	(void)state;
	network_associate(network, 0, 1);
	packet = from_a_stranger(network, HIP_PACKET_UPDATE, NULL);
	packet.octets[0] = HIP_PROTOCOL;
	set_checksum(&packet);
	assert_int_equal(hand_over(network, &packet).count, 0);
	network_free(network);
}

/* conforms: RFC7401-5.1-3 RFC7401-5.4.4-1 */
static void what_needs_an_association(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 128; type++) {
		bool needs = type == HIP_PACKET_UPDATE || type == HIP_PACKET_CLOSE || type == HIP_PACKET_CLOSE_ACK;
		struct network *network = network_make(2, TRANSPORT_IP);
		uint8_t octets[HIP_PACKET_MAXIMUM] = {0};
		const struct change some = {PARAMETER_SEQ, octets, 4};
		struct flying packet = from_a_stranger(network, (uint8_t)(type ? type : 1), &some);
		struct told told;

		packet.octets[2] = (uint8_t)type;
		set_checksum(&packet);
		told = hand_over(network, &packet);
		assert_int_equal(told.count, 0); /* SEQ alone is no packet of any type */
		packet.octets[HIP_RECEIVER_HIT_OFFSET + 15] ^= 1;
		set_checksum(&packet);
		told = hand_over(network, &packet);
		assert_int_equal(told.count, needs);
		if (needs)
			assert_int_equal(pointer_of(&told, &packet), HIP_SENDER_HIT_OFFSET);
		network_free(network);
	}
}

/* conforms: RFC7401-5.4.4-1 */
static void a_peer_that_has_lost_its_state_says_so(void **state)
{
	static const uint8_t types[] = {HIP_PACKET_UPDATE, HIP_PACKET_CLOSE, HIP_PACKET_CLOSE_ACK, HIP_PACKET_I1,
		HIP_PACKET_R1, HIP_PACKET_R2, HIP_PACKET_NOTIFY};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct network *network = network_make(2, TRANSPORT_IP);
		struct catch catch;
		struct network_host *to;
		struct told told;

		catch_next(network, &catch, types[i]);
		network_introduce(network, 0, 1);
		network_connect(network, 0, 1);
		network_run(network, MILLISECONDS(500));
		if (types[i] == HIP_PACKET_UPDATE)
			host_rekey(network->hosts[0].host, network->now, &network->hosts[1].hit, false);
		else if (types[i] == HIP_PACKET_CLOSE || types[i] == HIP_PACKET_CLOSE_ACK)
			host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
		else if (types[i] == HIP_PACKET_NOTIFY)
			host_unknown_spi(network->hosts[0].host, network->now, &(struct endpoint){0},
				&(struct endpoint){.address = network->hosts[1].address, .transport = TRANSPORT_IP},
				77);
		network_drain(network, &network->hosts[0]);
		network_run(network, MILLISECONDS(500));
		assert_true(catch.full);
		to = target_of(network, &catch.packet);
		network_crash(network, to->index);
		network_boot(network, to->index);
		told = hand_over(network, &catch.packet);
		if (i < 3)
			assert_int_equal(pointer_of(&told, &catch.packet), HIP_SENDER_HIT_OFFSET);
		else
			assert_int_equal(told.count, 0);
		network_free(network);
	}
}

/* The Sender HIT is of a peer, the Receiver HIT is not ours. */
static void a_wrong_receiver_hit(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct catch catch;
	struct told told;

	(void)state;
	network_associate(network, 0, 1);
	catch_next(network, &catch, HIP_PACKET_CLOSE);
	host_close(network->hosts[0].host, network->now, &network->hosts[1].hit);
	network_drain(network, &network->hosts[0]);
	network_run(network, MILLISECONDS(500));
	catch.packet.octets[HIP_RECEIVER_HIT_OFFSET + 15] ^= 1;
	set_checksum(&catch.packet);
	told = hand_over(network, &catch.packet);
	assert_int_equal(pointer_of(&told, &catch.packet), HIP_RECEIVER_HIT_OFFSET);
	network_free(network);
}

/* RFC 7401 section 4.1.5; but who asks for anybody hears nothing. */
static void who_may_not_associate_is_told(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct catch catch;
	struct told told;

	(void)state;
	network->hosts[1].barred[0] = true;
	catch_in_exchange(network, &catch, HIP_PACKET_I1);
	told = hand_over(network, &catch.packet);
	is_about(&told, &catch.packet, 3, 13);
	memset(catch.packet.octets + HIP_RECEIVER_HIT_OFFSET, 0, 16);
	set_checksum(&catch.packet);
	assert_int_equal(hand_over(network, &catch.packet).count, 0);
	network_free(network);
}

/* However long it goes on, and from wherever. */
/* conforms: RFC7401-5.4-1 */
static void no_more_goes_than_came(void **state)
{
	struct network *network = over_ipv6(TRANSPORT_IP);
	struct network_host *b = &network->hosts[1];
	struct flying packet = from_a_stranger(network, HIP_PACKET_I1, NULL);
	size_t came = 0, gone = 0, answers = 0;

	(void)state;
	packet.octets[3] = 0x31;
	for (unsigned i = 0; i < 2000; i++) {
		struct told told;

		packet.source.address.octets[6] = (uint8_t)(i >> 8);
		packet.source.address.octets[7] = (uint8_t)i;
		set_checksum(&packet);
		network->now += SECONDS(1);
		came += 40 + packet.length;
		told = hand_over(network, &packet);
		gone += told.count ? 40 + told.length : 0;
		answers += told.count;
	}
	assert_true(gone <= came + PROBLEM_CREDIT_AT_FIRST);
	assert_true(answers > 1000);
	assert_int_equal(counted(b, HOST_COUNT_ICMP_OUT), answers);
	assert_int_equal(counted(b, HOST_COUNT_DROP_ICMP_RATE), 2000 - answers);
	network_free(network);
}

/* conforms: RFC7401-5.4-1 */
static void one_prefix_gets_few(void **state)
{
	static const uint8_t esp[400] = {1, 2, 3, 4, 0, 0, 0, 1};
	struct network *network = over_ipv6(TRANSPORT_IP);
	struct endpoint local = network_endpoint(network, 1), remote = network_endpoint(network, 0);

	(void)state;
	for (uint8_t i = 0; i < 200; i++) {
		remote.address.octets[12] = i; /* of one /64 */
		host_unmatched_esp(network->hosts[1].host, network->now, &local, &remote, esp, sizeof esp);
	}
	assert_int_equal(listen(network->hosts[1].host).count, 5);
	remote.address.octets[4] = 1; /* of another one */
	host_unmatched_esp(network->hosts[1].host, network->now, &local, &remote, esp, sizeof esp);
	assert_int_equal(listen(network->hosts[1].host).count, 1);
	network_free(network);
}

static void only_between_two(void **state)
{
	static const char *const nobody[] = {"224.0.0.1", "255.255.255.255", "198.51.100.255", "127.0.0.1", "0.0.0.0"};
	static const uint8_t esp[40] = {1, 2, 3, 4, 0, 0, 0, 1};
	struct network *network = network_make(2, TRANSPORT_IP);
	struct endpoint remote = network_endpoint(network, 0);
	struct host *host = network->hosts[1].host;

	(void)state;
	for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
		struct endpoint local = {.transport = TRANSPORT_IP};

		assert_int_equal(address_parse(nobody[i], &local.address), HIPHOP_OK);
		host_unmatched_esp(host, network->now, &local, &remote, esp, sizeof esp);
		assert_int_equal(listen(host).count, 0);
	}
	network_free(network);
}

static void it_can_be_switched_off(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);
	struct catch catch;

	(void)state;
	network_crash(network, 1);
	network->hosts[1].configuration.never_icmp = true;
	network_boot(network, 1);
	catch_in_exchange(network, &catch, HIP_PACKET_I1);
	set_version(&catch.packet, 3);
	assert_int_equal(hand_over(network, &catch.packet).count, 0);
	assert_int_equal(counted(&network->hosts[1], HOST_COUNT_DROP_ICMP_RATE), 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_version_is_told),
		cmocka_unit_test(a_wrong_solution_is_told_over_ipv6),
		cmocka_unit_test(who_has_no_room_says_so),
		cmocka_unit_test(esp_without_an_association_is_told),
		cmocka_unit_test(little_is_told),
		cmocka_unit_test(nothing_is_told_about_the_rest),
		cmocka_unit_test(what_was_notified_is_told_with_its_data),
		cmocka_unit_test(structure_is_told_to_strangers),
		cmocka_unit_test(structure_is_not_told_to_peers),
		cmocka_unit_test(what_needs_an_association),
		cmocka_unit_test(a_peer_that_has_lost_its_state_says_so),
		cmocka_unit_test(a_wrong_receiver_hit),
		cmocka_unit_test(who_may_not_associate_is_told),
		cmocka_unit_test(no_more_goes_than_came),
		cmocka_unit_test(one_prefix_gets_few),
		cmocka_unit_test(only_between_two),
		cmocka_unit_test(it_can_be_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
