/* SPDX-License-Identifier: MIT */
/* A base exchange and DATA hop by hop over a row of neighbours. */
#include "host_network.h"

/* Hosts in a row, each associated with the next. */
static struct network *row(size_t count)
{
	struct network *network = network_make(count, TRANSPORT_UDP);

	network->chain = true;
	for (size_t i = 0; i + 1 < count; i++)
		network_associate(network, i, i + 1);
	for (size_t i = 0; i < count; i++)
		memset(network->hosts[i].out_of_type, 0, sizeof network->hosts[i].out_of_type);
	return network;
}

static void exchange_over_a_row(void **state)
{
	struct network *network = row(4);
	struct network_host *a = &network->hosts[0], *d = &network->hosts[3];
	struct host_association_view view;

	(void)state;
	network_connect(network, 0, 3);
	network_run(network, MILLISECONDS(500));
	assert_true(network_esp(network, 0, 3));
	assert_true(network_esp(network, 3, 0));
	assert_true(host_association_find(a->host, &d->hit, &view));
	assert_string_equal(view.path, "direct");
	assert_int_equal(view.overlay_hops, 3);
	assert_true(host_association_find(d->host, &a->hit, &view));
	assert_int_equal(view.overlay_hops, 3);
	assert_int_equal(d->last.overlay_hops, 3);
	assert_int_equal(host_counter_value(network->hosts[1].host, HOST_COUNT_FORWARDED), 2);
	assert_int_equal(host_counter_value(network->hosts[2].host, HOST_COUNT_FORWARDED), 2);
	assert_int_equal(host_counter_value(d->host, HOST_COUNT_R1_SIGNED_ON_DEMAND), 1);
	network_free(network);
}

static void exchange_over_one_neighbour(void **state)
{
	struct network *network = row(3);

	(void)state;
	network_connect(network, 2, 0);
	network_run(network, MILLISECONDS(500));
	assert_true(network_esp(network, 0, 2));
	assert_int_equal(network->hosts[0].last.overlay_hops, 2);
	assert_int_equal(network->hosts[2].last.overlay_hops, 2);
	network_free(network);
}

static bool is_between_the_ends(const struct network *network, const struct flying *packet)
{
	const struct network_host *first = &network->hosts[0], *last = &network->hosts[network->count - 1];

	return !packet->sealed &&
	       ((packet->from == first->index && address_equal(&packet->destination.address, &last->address)) ||
		       (packet->from == last->index && address_equal(&packet->destination.address, &first->address)));
}

static packet_fate no_direct_way(struct network *network, struct flying *packet)
{
	return is_between_the_ends(network, packet) ? FATE_LOSE : FATE_PASS;
}

static void no_path_for_esp(void **state)
{
	struct network *network = row(4);
	struct host_association_view view;

	(void)state;
	network->fate = no_direct_way;
	network_connect(network, 0, 3);
	network_run(network, SECONDS(8));
	for (size_t end = 0; end < 4; end += 3) {
		struct network_host *self = &network->hosts[end];

		assert_true(host_association_find(self->host, &network->hosts[3 - end].hit, &view));
		assert_string_equal(view.path, "none");
		assert_false(view.usable);
		assert_true(view.state == HOST_ESTABLISHED || view.state == HOST_R2_SENT);
		assert_false(self->last.usable);
		assert_int_equal(self->failed, 0);
		assert_null(network_outbound(self, &network->hosts[3 - end].hit));
	}
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I2], 3);
	/* CLOSE finds the way too */
	assert_int_equal(host_close(network->hosts[0].host, network->now, &network->hosts[3].hit), HIPHOP_OK);
	network_run(network, SECONDS(1));
	assert_int_equal(network_state(network, 3, 0), HOST_CLOSED);
	assert_int_equal(network_state(network, 0, 3), HOST_UNASSOCIATED);
	network_free(network);
}

static packet_fate no_direct_r2(struct network *network, struct flying *packet)
{
	return is_between_the_ends(network, packet) && flying_type(packet) == HIP_PACKET_R2 ? FATE_LOSE : FATE_PASS;
}

/* The I2 gets through, the R2 does not: the Responder takes its SAs back when it comes over the overlay. */
static void a_path_one_way_is_no_path(void **state)
{
	struct network *network = row(4);
	struct host_association_view view;

	(void)state;
	network->fate = no_direct_r2;
	network_connect(network, 0, 3);
	network_run(network, SECONDS(8));
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[3].hit, &view));
	assert_int_equal(view.state, HOST_ESTABLISHED);
	assert_string_equal(view.path, "none");
	assert_true(host_association_find(network->hosts[3].host, &network->hosts[0].hit, &view));
	assert_string_equal(view.path, "none");
	assert_null(network_outbound(&network->hosts[3], &network->hosts[0].hit));
	assert_false(network->hosts[3].last.usable);
	network_free(network);
}

/* The R1 over the overlay offers what an Initiator without UDP can use. */
static void the_other_transport_is_offered(void **state)
{
	struct network *network = row(3);
	struct host_association_view view;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		network_crash(network, i);
		network->hosts[i].configuration.transports[0] = i == 0 ? TRANSPORT_IP : TRANSPORT_UDP;
		network->hosts[i].configuration.transports[1] = TRANSPORT_IP;
		network->hosts[i].configuration.transport_count = i == 0 ? 1 : 2;
		network_boot(network, i);
	}
	network_associate(network, 1, 2);
	network_associate(network, 1, 0);
	network_connect(network, 0, 2);
	network_run(network, SECONDS(1));
	assert_true(host_association_find(network->hosts[0].host, &network->hosts[2].hit, &view));
	assert_string_equal(view.path, "direct");
	assert_int_equal(view.remote.transport, TRANSPORT_IP);
	network_free(network);
}

/* A known locator that does not answer: the I1 goes over the overlay as well. */
static void a_stale_locator_is_no_trap(void **state)
{
	struct network *network = row(4);
	struct endpoint stale = {.port = 10500, .transport = TRANSPORT_UDP};

	(void)state;
	assert_int_equal(address_parse("203.0.113.77", &stale.address), HIPHOP_OK);
	host_learn_locator(network->hosts[0].host, &network->hosts[3].hit, &stale, false);
	network_connect(network, 0, 3);
	network_run(network, SECONDS(2));
	assert_true(network_esp(network, 0, 3));
	network_free(network);
}

static void both_ends_moved(void **state)
{
	struct network *network = row(4);

	(void)state;
	network_connect(network, 0, 3);
	network_run(network, SECONDS(1));
	for (size_t end = 0; end < 4; end += 3) {
		struct network_host *self = &network->hosts[end];

		assert_int_equal(address_parse(end ? "198.51.100.1" : "198.51.100.2", &self->address), HIPHOP_OK);
		host_set_addresses(self->host, network->now, &self->address, 1);
		network_drain(network, self);
	}
	for (int i = 0; i < 25; i++) {
		network_esp(network, 0, 3);
		network_esp(network, 3, 0);
		network_run(network, MILLISECONDS(200));
	}
	assert_true(network_esp(network, 0, 3));
	assert_true(network_esp(network, 3, 0));
	network_free(network);
}

/* ---- DATA ---- */

static void request_and_answer(void **state)
{
	struct network *network = row(4);
	struct network_host *a = &network->hosts[0], *d = &network->hosts[3];

	(void)state;
	assert_int_equal(
		host_send_data(a->host, network->now, &d->hit, 77, NULL, 0, (const uint8_t *)"question", 8), HIPHOP_OK);
	network_run(network, MILLISECONDS(40));
	assert_int_equal(d->data, 1);
	assert_memory_equal(d->content, "question", 8);
	assert_true(hit_equal(&d->last_data.sender, &a->hit));
	assert_int_equal(d->last_data.hops, 3);
	assert_int_equal(d->last_data.transaction, 77);
	assert_int_equal(
		host_answer_data(d->host, network->now, &a->hit, 77, &d->last_data.route, (const uint8_t *)"answer", 6),
		HIPHOP_OK);
	network_run(network, SECONDS(1));
	assert_int_equal(a->data, 1);
	assert_memory_equal(a->content, "answer", 6);
	network_run(network, SECONDS(30));
	assert_int_equal(a->data_failed, 0);
	assert_int_equal(d->data_failed, 0);
	network_free(network);
}

static void data_without_a_way(void **state)
{
	struct network *network = row(2);
	struct hit nobody = network->hosts[0].hit;

	(void)state;
	nobody.octets[15] ^= 1;
	assert_int_equal(
		host_send_data(network->hosts[0].host, network->now, &nobody, 1, NULL, 0, (const uint8_t *)"x", 1),
		HIPHOP_NOT_FOUND);
	network_free(network);
}

static void data_that_nobody_acknowledges(void **state)
{
	struct network *network = row(3);

	(void)state;
	network_crash(network, 2);
	assert_int_equal(host_send_data(network->hosts[0].host, network->now, &network->hosts[2].hit, 5, NULL, 0,
				 (const uint8_t *)"x", 1),
		HIPHOP_OK);
	network_run(network, SECONDS(60));
	assert_int_equal(network->hosts[0].data_failed, 1);
	network_free(network);
}

static packet_fate unseal(struct network *network, struct flying *packet)
{
	if (packet->sealed && flying_type(packet) == HIP_PACKET_DATA) {
		size_t to = network_index(network, &packet->to);

		packet->sealed = false;
		packet->source = network_endpoint(network, packet->from);
		packet->destination = network_endpoint(network, to);
		packet->octets[4] = packet->octets[5] = 0;
		network->fate_counter++;
	}
	return FATE_PASS;
}

static void data_in_the_clear_is_dropped(void **state)
{
	struct network *network = row(2);

	(void)state;
	network->fate = unseal;
	assert_int_equal(host_send_data(network->hosts[0].host, network->now, &network->hosts[1].hit, 5, NULL, 0,
				 (const uint8_t *)"x", 1),
		HIPHOP_OK);
	network_run(network, SECONDS(2));
	assert_true(network->fate_counter > 0);
	assert_int_equal(network->hosts[1].data, 0);
	assert_true(host_counter_value(network->hosts[1].host, HOST_COUNT_DROP_NOT_SEALED) > 0);
	network_free(network);
}

static packet_fate lose_r1(struct network *network, struct flying *packet)
{
	(void)network;
	return packet->sealed && flying_type(packet) == HIP_PACKET_R1 ? FATE_LOSE : FATE_PASS;
}

/* I1s over the overlay cost a signature each: a neighbour gets only so many. */
/* Who has not selected ESP as HIP_TRANSPORT_MODE is no neighbour: nothing is sent to it in its ESP, nothing taken. */
static void a_host_without_transport_mode_is_no_neighbour(void **state)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];
	struct host_arrival arrival = {.inside_esp = true, .neighbour = b->hit};
	struct address source = hit_as_address(&b->hit), destination = hit_as_address(&a->hit);
	uint8_t packet[HIP_HEADER_LENGTH] = {59, 4, HIP_PACKET_UPDATE, 0x21};
	static const uint8_t content[] = "hello";

	(void)state;
	for (size_t initiator = 0; initiator < 2; initiator++) {
		network_crash(network, 0);
		network_boot(network, 0);
		network_crash(network, 1);
		b->configuration.overlay = false;
		network_boot(network, 1);
		network_associate(network, initiator, 1 - initiator);
		assert_true(a->last.usable);
		assert_false(a->last.carries_hip);
		assert_int_equal(host_send_data(a->host, network->now, &b->hit, 1, NULL, 0, content, sizeof content),
			HIPHOP_NOT_FOUND);
		memcpy(packet + 8, b->hit.octets, HIT_LENGTH);
		memcpy(packet + 24, a->hit.octets, HIT_LENGTH);
		assert_int_equal(
			packet_set_checksum(packet, sizeof packet, HIP_CARRIER_ESP, &source, &destination), HIPHOP_OK);
		host_input(a->host, network->now, &arrival, packet, sizeof packet);
		assert_int_equal(host_counter_value(a->host, HOST_COUNT_DROP_TRANSPORT_MODE), 1);
	}
	network_free(network);
}

static void neighbours_encrypt(void **state)
{
	struct network *network = network_make(1, TRANSPORT_UDP);
	struct host_configuration configuration = network->hosts[0].configuration;
	static const uint8_t without[] = {ESP_SUITE_NULL_HMAC_SHA256, ESP_SUITE_AES_CMAC_96, ESP_SUITE_AES_GMAC};
	struct host *host;

	(void)state;
	for (size_t i = 0; i < sizeof without; i++) {
		configuration.esp_suites[0] = ESP_SUITE_AES_GCM_16;
		configuration.esp_suites[1] = without[i];
		configuration.esp_suite_count = 2;
		configuration.overlay = true;
		assert_int_equal(host_create(&configuration, 0, &host), HIPHOP_INVALID_ARGUMENT);
		configuration.overlay = false;
		assert_int_equal(host_create(&configuration, 0, &host), HIPHOP_OK);
		host_free(host);
	}
	network_free(network);
}

static void signatures_on_demand_are_limited(void **state)
{
	struct network *network = row(3);
	struct network_host *a = &network->hosts[0], *target = &network->hosts[2];

	(void)state;
	network->fate = lose_r1;
	for (int i = 0; i < 100; i++) {
		network_connect(network, 0, 2);
		assert_int_equal(host_close(a->host, network->now, &target->hit), HIPHOP_OK);
	}
	network_run(network, MILLISECONDS(100));
	assert_in_range(host_counter_value(target->host, HOST_COUNT_R1_SIGNED_ON_DEMAND), 1, 30);
	assert_in_range(host_counter_value(target->host, HOST_COUNT_DROP_I1_RATE), 70, 99);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchange_over_a_row),
		cmocka_unit_test(exchange_over_one_neighbour),
		cmocka_unit_test(no_path_for_esp),
		cmocka_unit_test(a_path_one_way_is_no_path),
		cmocka_unit_test(the_other_transport_is_offered),
		cmocka_unit_test(a_stale_locator_is_no_trap),
		cmocka_unit_test(both_ends_moved),
		cmocka_unit_test(request_and_answer),
		cmocka_unit_test(data_without_a_way),
		cmocka_unit_test(data_that_nobody_acknowledges),
		cmocka_unit_test(data_in_the_clear_is_dropped),
		cmocka_unit_test(a_host_without_transport_mode_is_no_neighbour),
		cmocka_unit_test(neighbours_encrypt),
		cmocka_unit_test(signatures_on_demand_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
