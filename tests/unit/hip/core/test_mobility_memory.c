/* SPDX-License-Identifier: MIT */
/* Hosts that move, have several links, are listed elsewhere or are heard elsewhere, while allocations fail: what stood
 * is not lost, and once there is memory again all is as if nothing had been. */
#include "../../failing_sweep.h"

#define NETWORK_CALL(call) (failing_allocation_resume(), (void)(call), failing_allocation_stop())
#include "mobile_network.h"

#define PATIENCE 120 /* seconds */

static bool esp_goes_both_ways(struct network *network)
{
	bool there = network_esp(network, 0, 1);

	return network_esp(network, 1, 0) && there;
}

/* By its own means, without a new connect: ESP goes both ways by where both are. */
static void run_until_moved(struct network *network)
{
	unsigned steps = 0;

	while (!esp_goes_both_ways(network) || mobile_is_unverified(network, 0, 1) ||
		mobile_is_unverified(network, 1, 0)) {
		assert_true(steps++ < PATIENCE * 10);
		network_run(network, MILLISECONDS(100));
	}
	failing_sweep_end();
	network_run_with_traffic(network, SECONDS(15), 0, 1);
	assert_true(esp_goes_both_ways(network));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(network_state(network, i, 1 - i), HOST_ESTABLISHED);
		assert_int_equal(network_sa_count(&network->hosts[i]), 1);
		assert_int_equal(network->hosts[i].failed, 0);
	}
}

static void play_move(const void *context)
{
	const size_t mover = *(const size_t *)context;
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	network_run(network, SECONDS(1));
	failing_sweep_begin();
	network_set_addresses(network, mover, "198.51.100.7");
	run_until_moved(network);
	assert_true(address_equal(
		&mobile_session(network, 1 - mover, mover)->remote.address, &network->hosts[mover].address));
	network_free(network);
}

static void a_move(void **state)
{
	static const size_t initiator = 0, responder = 1;

	(void)state;
	failing_sweep_run(&(struct failing_sweep){"a move of the Initiator", play_move, &initiator, 60});
	failing_sweep_run(&(struct failing_sweep){"a move of the Responder", play_move, &responder, 60});
}

/* From one link to two, and then the first one goes. */
static void play_links(const void *context)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)context;
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	network_associate(network, 0, 1);
	failing_sweep_begin();
	network_run(network, SECONDS(2));
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_run_with_traffic(network, SECONDS(3), 0, 1);
	network_set_addresses(network, 0, "198.51.100.1");
	run_until_moved(network);
	network_free(network);
}

static void links_come_and_go(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"links that come and go", play_links, NULL, 100});
}

static bool first_link_is_dead(struct network *network, const struct address *source, const struct address *destination)
{
	const struct address dead = mobile_endpoint("192.0.2.1").address;

	(void)network;
	return !address_equal(source, &dead) && !address_equal(destination, &dead);
}

/* A path dies, and questions tell so. */
static void play_death(const void *context)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	(void)context;
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_associate(network, 0, 1);
	network_run_with_traffic(network, SECONDS(3), 0, 1);
	failing_sweep_begin();
	network->passes = first_link_is_dead;
	run_until_moved(network);
	network_free(network);
}

static void a_path_dies(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"a path that dies", play_death, NULL, 60});
}

/* A NAT has another mapping: the data plane tells, again and again. */
static void play_elsewhere(const void *context)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *self = &network->hosts[0];
	const struct endpoint local = mobile_endpoint("192.0.2.1"), remote = mobile_endpoint("198.51.100.8");
	const struct address *now_at;

	(void)context;
	network_associate(network, 0, 1);
	network_run(network, SECONDS(1));
	network->hosts[1].links[0] = network_link("198.51.100.8");
	network->hosts[1].link_count = 1;
	failing_sweep_begin();
	for (unsigned seconds = 0;; seconds++) {
		assert_true(seconds < PATIENCE);
		NETWORK_CALL(host_note_elsewhere(
			self->host, network->now, mobile_session(network, 0, 1)->spi_in, &local, &remote));
		network_drain(network, self);
		network_run(network, SECONDS(1));
		now_at = &mobile_session(network, 0, 1)->remote.address;
		if (address_equal(now_at, &remote.address) && network_esp(network, 0, 1))
			break;
	}
	failing_sweep_end();
	assert_int_equal(self->failed, 0);
	network_free(network);
}

static void heard_elsewhere(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"heard elsewhere", play_elsewhere, NULL, 60});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move),
		cmocka_unit_test(links_come_and_go),
		cmocka_unit_test(a_path_dies),
		cmocka_unit_test(heard_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
