/* SPDX-License-Identifier: MIT */
/* A base exchange and a CLOSE while memory runs out at every point in turn: nothing breaks, nothing leaks into another
 * state, and once there is memory again the exchange comes to its end. */
#include "host_network.h"

#include "../../failing_allocation.h"

static struct network *network;
static bool armed;
static unsigned allowed;

/* Memory fails only inside the host, not in the network of the test. */
static void input(size_t to, const struct flying *packet)
{
	const struct host_arrival arrival = {.local = packet->destination, .remote = packet->source};

	if (armed)
		failing_allocation_after(allowed);
	host_input(network->hosts[to].host, network->now, &arrival, packet->octets, packet->length);
	failing_allocation_stop();
	network_drain(network, &network->hosts[to]);
}

static struct flying *take(uint8_t type)
{
	struct flying **link = &network->flying, *packet;

	while (*link && flying_type(*link) != type)
		link = &(*link)->next;
	packet = *link;
	if (packet)
		*link = packet->next;
	return packet;
}

/* Hands a packet over without memory after `allowed` allocations, then again with all the memory it wants. */
static void deliver_twice(uint8_t type, size_t to)
{
	struct flying *packet = take(type);

	assert_non_null(packet);
	armed = true;
	input(to, packet);
	armed = false;
	network->now += MILLISECONDS(10);
	input(to, packet);
	free(packet);
}

static void exchange(void)
{
	network_introduce(network, 0, 1);
	network_connect(network, 0, 1);
	deliver_twice(HIP_PACKET_I1, 1);
	deliver_twice(HIP_PACKET_R1, 0);
	deliver_twice(HIP_PACKET_I2, 1);
	deliver_twice(HIP_PACKET_R2, 0);
	assert_int_equal(network_state(network, 0, 1), HOST_ESTABLISHED);
	network_run(network, SECONDS(1));
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	assert_int_equal(network_sa_count(&network->hosts[0]), 1);
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	assert_int_equal(host_close(network->hosts[0].host, network->now, &network->hosts[1].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[0]);
	deliver_twice(HIP_PACKET_CLOSE, 1);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	assert_int_equal(network_sa_count(&network->hosts[1]), 0);
	network_run(network, SECONDS(2));
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
}

static void memory_runs_out_at_every_point(void **state)
{
	(void)state;
	if (!failing_allocation_works())
		skip();
	for (allowed = 0; allowed < 300; allowed += allowed < 60 ? 1 : 7) {
		network = network_make(2, TRANSPORT_UDP);
		exchange();
		network_free(network);
	}
}

static void a_host_is_made_or_not(void **state)
{
	struct host *host;
	unsigned failed = 0;

	(void)state;
	if (!failing_allocation_works())
		skip();
	network = network_make(1, TRANSPORT_UDP);
	for (unsigned limit = 0; limit < 400; limit += limit < 40 ? 1 : 9) {
		hiphop_error error;

		failing_allocation_after(limit);
		error = host_create(&network->hosts[0].configuration, network->now, &host);
		failing_allocation_stop();
		failed += error != HIPHOP_OK;
		assert_true((error == HIPHOP_OK) == (host != NULL));
		host_free(host);
	}
	assert_true(failed > 10);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_runs_out_at_every_point),
		cmocka_unit_test(a_host_is_made_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
