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

static void catch_it(struct network *network, struct catch *catch, uint8_t type)
{
	catch_next(network, catch, type);
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(catch->full);
	network->fate = NULL;
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
	catch_it(network, &catch, HIP_PACKET_I1);
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
	catch_it(network, &catch, HIP_PACKET_I2);
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
	catch_it(network, &catch, HIP_PACKET_I1);
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
		catch_it(network, &catch, types[i]);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
