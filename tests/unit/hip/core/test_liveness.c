/* SPDX-License-Identifier: MIT */
/* Peers that restart, die, move or fall silent. */
#include "host_network.h"

/* Lets ESP go both ways until it arrives both ways; the time that took. */
static duration time_until_usable(struct network *network, size_t a, size_t b, duration limit)
{
	instant began = network->now;

	while (network->now < began + limit) {
		bool there = network_esp(network, a, b);
		bool back = network_esp(network, b, a);

		if (there && back)
			return network->now - began;
		network_run(network, MILLISECONDS(100));
	}
	return limit;
}

static void a_restarted_peer_is_usable_again(void **state)
{
	(void)state;
	for (size_t restarted = 0; restarted < 2; restarted++) {
		struct network *network = network_make(2, TRANSPORT_UDP);

		network_associate(network, 0, 1);
		network_run_with_traffic(network, SECONDS(5), 0, 1);
		network_crash(network, restarted);
		network_boot(network, restarted);
		assert_true(time_until_usable(network, 0, 1, SECONDS(10)) < SECONDS(6));
		assert_true(network->hosts[1 - restarted].last.renewed);
		network_run(network, SECONDS(5));
		assert_int_equal(network_sa_count(&network->hosts[0]), 1);
		assert_int_equal(network_sa_count(&network->hosts[1]), 1);
		network_free(network);
	}
}

static void a_restarted_peer_begins_itself(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	network_crash(network, 1);
	network_boot(network, 1);
	network_introduce(network, 1, 0);
	network_connect(network, 1, 0);
	network_run(network, MILLISECONDS(100));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	network_free(network);
}

/* Its UPDATEs and I1s are not answered, so it goes to CLOSING, and then out. */
/* conforms: RFC7401-6.11-3 */
static void a_dead_peer_is_given_up(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0];

	(void)state;
	network_associate(network, 0, 1);
	network_crash(network, 1);
	network_run_with_traffic(network, SECONDS(30), 0, 1);
	assert_int_equal(a->failed, 1);
	assert_int_equal(a->last.reason, HIPHOP_TIMEOUT);
	assert_int_equal(a->out_of_type[HIP_PACKET_UPDATE], 3);
	assert_int_equal(network_sa_count(a), 0);
	assert_int_equal(network_state(network, 0, 1), HOST_CLOSING);
	assert_true(a->out_of_type[HIP_PACKET_CLOSE] > 0);
	network_run(network, SECONDS(420)); /* UAL and MSL */
	assert_int_equal(host_association_count(a->host), 0);
	network_free(network);
}

static packet_fate lose_all(struct network *network, struct flying *packet)
{
	(void)network;
	(void)packet;
	return FATE_LOSE;
}

/* Nothing is heard for a while, then the UPDATE is answered: no new exchange. */
static void a_short_silence_is_survived(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0];

	(void)state;
	network_associate(network, 0, 1);
	network->fate = lose_all;
	for (int i = 0; i < 14; i++) {
		a->sent[1] = network->now; /* into the void */
		network_run(network, MILLISECONDS(200));
	}
	assert_true(a->out_of_type[HIP_PACKET_UPDATE] >= 1);
	network->fate = NULL;
	for (int i = 0; i < 50; i++) {
		a->sent[1] = network->now; /* one-way traffic: the peer answers UPDATEs alone */
		network_run(network, MILLISECONDS(200));
	}
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 1);
	assert_int_equal(a->usable, 1);
	assert_int_equal(a->failed, 0);
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* conforms: RFC7402-3.3.3-1 RFC7402-3.3.7-1 RFC7402-6.7-1 */
static void nobody_uses_it(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	network_run(network, SECONDS(290));
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	network_run(network, SECONDS(20));
	assert_int_equal(network_sa_count(&network->hosts[0]), 0);
	assert_int_equal(network_sa_count(&network->hosts[1]), 0);
	network_run(network, SECONDS(540)); /* UAL and 2 MSL */
	assert_int_equal(host_association_count(network->hosts[0].host), 0);
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	network_free(network);
}

static void a_held_peer_is_kept(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];

	(void)state;
	host_hold(a->host, network->now, &b->hit, true);
	network_associate(network, 0, 1);
	host_hold(b->host, network->now, &a->hit, true);
	network_run(network, SECONDS(1000));
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	assert_int_equal(network_state(network, 1, 0), HOST_ESTABLISHED);
	assert_int_equal(a->out_of_type[HIP_PACKET_I1], 1);
	assert_true(a->out_of_type[HIP_PACKET_NOTIFY] > 20);
	/* and its death is noticed without any traffic */
	network_crash(network, 1);
	network_run(network, SECONDS(60));
	assert_int_equal(a->failed, 1);
	network_free(network);
}

/* Nobody holds it and nobody sends: its death is noticed by the keepalives that do not come. */
static void an_idle_peer_dies(void **state)
{
	(void)state;
	for (uint16_t transport = TRANSPORT_UDP; transport <= TRANSPORT_IP; transport++) {
		struct network *network = network_make(2, transport);
		struct network_host *a = &network->hosts[0];

		network_associate(network, 0, 1);
		network_run(network, SECONDS(30));
		network_crash(network, 1);
		network_run(network, SECONDS(80));
		assert_int_equal(a->failed, 1);
		assert_int_equal(a->out_of_type[HIP_PACKET_UPDATE], 3);
		assert_int_equal(a->out_of_type[HIP_PACKET_I1], 1);
		assert_int_equal(network_sa_count(a), 0);
		network_free(network);
	}
}

static void keepalives_are_signs_of_life(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	network_run(network, SECONDS(200));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], 0);
	assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_UPDATE], 0);
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	network_free(network);
}

static packet_fate forge_keepalives(struct network *network, struct flying *packet)
{
	(void)network;
	if (packet->from == 1 && flying_type(packet) == HIP_PACKET_NOTIFY)
		packet->octets[packet->length - 20] ^= 1;
	return FATE_PASS;
}

static void forged_keepalives_are_none(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0];

	(void)state;
	network->fate = forge_keepalives;
	network_associate(network, 0, 1);
	network_run(network, SECONDS(60));
	assert_true(a->out_of_type[HIP_PACKET_UPDATE] >= 1);
	assert_int_equal(a->suspected, 0);
	network_free(network);
}

/* Who forwards through the peer must know soon, long before the association is given up. */
static void a_silent_peer_is_suspected(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0];
	struct host_association_view view;

	(void)state;
	network_associate(network, 0, 1);
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	network->fate = lose_all;
	for (int i = 0; i < 30; i++) {
		a->sent[1] = network->now; /* into the void */
		network_run(network, MILLISECONDS(200));
	}
	assert_int_equal(a->suspected, 1);
	assert_int_equal(a->heard_again, 0);
	assert_int_equal(a->failed, 0);
	assert_int_equal(network_sa_count(a), 1);
	assert_true(host_association_find(a->host, &network->hosts[1].hit, &view) && view.suspect);
	network_run_with_traffic(network, SECONDS(2), 0, 1);
	assert_true(host_association_find(a->host, &network->hosts[1].hit, &view) && !view.suspect);
	assert_int_equal(a->heard_again, 1);
	assert_int_equal(a->suspected, 1);
	network_free(network);
}

static void plain_ip_needs_no_keepalive(void **state)
{
	struct network *network = network_make(2, TRANSPORT_IP);

	(void)state;
	network_associate(network, 0, 1);
	network_run(network, SECONDS(100));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_NOTIFY], 0);
	network_free(network);
}

static void move(struct network *network, size_t index, const char *text)
{
	struct network_host *self = &network->hosts[index];

	assert_int_equal(address_parse(text, &self->address), HIPHOP_OK);
	if (self->host)
		host_set_addresses(self->host, network->now, &self->address, 1);
	network_drain(network, self);
}

static void the_address_changes(void **state)
{
	(void)state;
	for (size_t mover = 0; mover < 2; mover++) {
		struct network *network = network_make(2, TRANSPORT_UDP);
		struct host_association_view view;

		network_associate(network, 0, 1);
		move(network, mover, "198.51.100.7");
		/* the old SA still sends */
		assert_non_null(network_outbound(&network->hosts[mover], &network->hosts[1 - mover].hit));
		assert_true(time_until_usable(network, 0, 1, SECONDS(10)) < SECONDS(5));
		assert_true(host_association_find(network->hosts[1 - mover].host, &network->hosts[mover].hit, &view));
		assert_true(address_equal(&view.remote.address, &network->hosts[mover].address));
		assert_int_equal(network->hosts[0].failed, 0);
		assert_int_equal(network->hosts[1].failed, 0);
		network_free(network);
	}
}

static void the_same_addresses_change_nothing(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	move(network, 0, "192.0.2.1");
	network_run(network, SECONDS(5));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
	network_free(network);
}

/* The peer fell silent, since it moved; its I1 meets one of ours that goes to where it was. */
static void a_silent_peer_comes_back_elsewhere(void **state)
{
	(void)state;
	for (size_t mover = 0; mover < 2; mover++) {
		struct network *network = network_make(2, TRANSPORT_UDP);

		network_associate(network, 0, 1);
		network_run_with_traffic(network, SECONDS(2), 0, 1);
		network->hosts[mover].routeless = true;
		assert_int_equal(address_parse("198.51.100.9", &network->hosts[mover].address), HIPHOP_OK);
		network_run_with_traffic(network, SECONDS(6), 0, 1);
		network->hosts[mover].routeless = false;
		move(network, mover, "198.51.100.9");
		assert_true(time_until_usable(network, 0, 1, SECONDS(10)) < SECONDS(5));
		network_free(network);
	}
}

static packet_fate translate(struct network *network, struct flying *packet)
{
	if (packet->from == 0 && !packet->sealed) {
		packet->source.address = network->hosts[0].address;
		packet->source.port = 40001;
	}
	return FATE_PASS;
}

/* A NAT before the host gives it another address, which neither end is told. */
static void a_nat_changes_its_mapping(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)state;
	network_associate(network, 0, 1);
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	network->fate = translate;
	assert_int_equal(address_parse("198.51.100.80", &network->hosts[0].address), HIPHOP_OK);
	assert_true(time_until_usable(network, 0, 1, SECONDS(10)) < SECONDS(6));
	assert_int_equal(network->hosts[0].failed, 0);
	network_free(network);
}

/* A restarted host gets ESP for an SA it does not have any more. */
/* conforms: RFC7401-4.3-5 */
static void an_unknown_spi_makes_the_peer_ask(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];
	struct endpoint local = network_endpoint(network, 1), remote = network_endpoint(network, 0);
	uint32_t spi;

	(void)state;
	network_associate(network, 0, 1);
	spi = network_outbound(a, &b->hit)->spi_out;
	network_crash(network, 1);
	network_boot(network, 1);
	/* a stranger gets no answer */
	host_unknown_spi(b->host, network->now, &local, &remote, spi);
	network_drain(network, b);
	assert_int_equal(b->out_of_type[HIP_PACKET_NOTIFY], 0);
	network_introduce(network, 1, 0);
	for (int i = 0; i < 100; i++)
		host_unknown_spi(b->host, network->now, &local, &remote, spi);
	network_drain(network, b);
	assert_in_range(b->out_of_type[HIP_PACKET_NOTIFY], 1, 10);
	assert_int_equal(b->last_notification, NOTIFY_INVALID_SPI);
	network_run(network, MILLISECONDS(100));
	assert_true(a->out_of_type[HIP_PACKET_UPDATE] >= 1);
	assert_int_equal(network_sa_count(a), 1);
	network_run(network, SECONDS(5));
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

static packet_fate lose_r2(struct network *network, struct flying *packet)
{
	(void)network;
	return flying_type(packet) == HIP_PACKET_R2 ? FATE_LOSE : FATE_PASS;
}

/* ESP that overtakes its R2 is for an SPI that will have an SA soon. */
static void an_spi_of_an_exchange_is_not_unknown(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];
	struct endpoint local = network_endpoint(network, 0), remote = network_endpoint(network, 1);

	(void)state;
	network->fate = lose_r2;
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_non_null(network_outbound(b, &a->hit));
	host_unknown_spi(a->host, network->now, &local, &remote, network_outbound(b, &a->hit)->spi_out);
	network_drain(network, a);
	assert_int_equal(a->out_of_type[HIP_PACKET_NOTIFY], 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restarted_peer_is_usable_again),
		cmocka_unit_test(a_restarted_peer_begins_itself),
		cmocka_unit_test(a_dead_peer_is_given_up),
		cmocka_unit_test(a_short_silence_is_survived),
		cmocka_unit_test(nobody_uses_it),
		cmocka_unit_test(a_held_peer_is_kept),
		cmocka_unit_test(an_idle_peer_dies),
		cmocka_unit_test(keepalives_are_signs_of_life),
		cmocka_unit_test(forged_keepalives_are_none),
		cmocka_unit_test(a_silent_peer_is_suspected),
		cmocka_unit_test(plain_ip_needs_no_keepalive),
		cmocka_unit_test(the_address_changes),
		cmocka_unit_test(the_same_addresses_change_nothing),
		cmocka_unit_test(a_silent_peer_comes_back_elsewhere),
		cmocka_unit_test(a_nat_changes_its_mapping),
		cmocka_unit_test(an_unknown_spi_makes_the_peer_ask),
		cmocka_unit_test(an_spi_of_an_exchange_is_not_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
