/* SPDX-License-Identifier: MIT */
/* Exchanges, rekeyings, NOTIFYs and the end of an association while allocations fail, those of OpenSSL too: nothing
 * breaks, nothing that stood is lost, and once there is memory again each comes to its end. */
#include "../../failing_sweep.h"

#define NETWORK_CALL(call) (failing_allocation_resume(), (void)(call), failing_allocation_stop())
#include "host_network.h"

#define PATIENCE 900 /* seconds: what is sent again is sent ever less often */

static bool esp_goes_both_ways(struct network *network, size_t a, size_t b)
{
	bool there = network_esp(network, a, b);

	return network_esp(network, b, a) && there;
}

static bool is_idle(struct network *network, size_t a, size_t b)
{
	host_state state = network_state(network, a, b);

	return state == HOST_UNASSOCIATED || state == HOST_FAILED;
}

static void connect_when_idle(struct network *network, size_t a, size_t b)
{
	struct network_host *self = &network->hosts[a];

	if (is_idle(network, a, b))
		NETWORK_CALL(host_connect(self->host, network->now, &network->hosts[b].hit));
	network_drain(network, self);
}

/* The neighbours of a chain stay associated meanwhile. */
static void run_until_associated(struct network *network, size_t a, size_t b, bool both)
{
	unsigned seconds = 0;

	while (!esp_goes_both_ways(network, a, b)) {
		assert_true(seconds++ < PATIENCE);
		connect_when_idle(network, a, b);
		if (both)
			connect_when_idle(network, b, a);
		for (size_t i = 0; i + 1 < network->count && network->chain; i++)
			assert_true(esp_goes_both_ways(network, i, i + 1));
		network_run(network, SECONDS(1));
	}
	failing_sweep_end();
	network_run_with_traffic(network, SECONDS(6), a, b);
	assert_true(esp_goes_both_ways(network, a, b));
	assert_int_equal(network_state(network, a, b), HOST_ESTABLISHED);
	assert_int_equal(network_state(network, b, a), HOST_ESTABLISHED);
}

/* ---- base exchanges ---- */

struct exchange {
	uint16_t transport;
	bool both; /* begin */
};

static void play_exchange(const void *context)
{
	const struct exchange *exchange = context;
	struct network *network = network_make(2, exchange->transport);

	network_introduce(network, 0, 1);
	network_introduce(network, 1, 0);
	failing_sweep_begin();
	run_until_associated(network, 0, 1, exchange->both);
	assert_int_equal(network_sa_count(&network->hosts[0]), 1);
	assert_int_equal(network_sa_count(&network->hosts[1]), 1);
	network_free(network);
}

static void a_base_exchange(void **state)
{
	static const struct exchange udp = {TRANSPORT_UDP, false}, crossing = {TRANSPORT_UDP, true},
				     ip = {TRANSPORT_IP, false};

	(void)state;
	failing_sweep_run(&(struct failing_sweep){"base exchange over UDP", play_exchange, &udp, 150});
	failing_sweep_run(&(struct failing_sweep){"two that cross", play_exchange, &crossing, 80});
	failing_sweep_run(&(struct failing_sweep){"base exchange over IP", play_exchange, &ip, 30});
}

static void play_exchange_over_overlay(const void *context)
{
	struct network *network = network_make(3, TRANSPORT_UDP);

	(void)context;
	network->chain = true;
	network_associate(network, 0, 1);
	network_associate(network, 1, 2);
	failing_sweep_begin();
	run_until_associated(network, 0, 2, false);
	network_free(network);
}

static void a_base_exchange_over_the_overlay(void **state)
{
	(void)state;
	failing_sweep_run(
		&(struct failing_sweep){"base exchange over the overlay", play_exchange_over_overlay, NULL, 80});
}

/* ---- rekeying ---- */

struct rekeying {
	bool both; /* ends begin */
	bool diffie_hellman;
};

static bool is_rekeyed(const struct network *network)
{
	return network->hosts[0].rekeyed && network->hosts[1].rekeyed;
}

/* One end or both ask every 30 s (a host by itself asks no sooner after a failure), until both have new keys; meanwhile
 * ESP goes both ways at any time. */
static void play_rekeying(const void *context)
{
	const struct rekeying *rekeying = context;
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	failing_sweep_begin();
	for (unsigned step = 0; !is_rekeyed(network); step++) {
		assert_true(step < PATIENCE * 5);
		for (size_t i = 0; i < 1U + rekeying->both && step % 150 == 0; i++) {
			struct network_host *self = &network->hosts[i];

			NETWORK_CALL(host_rekey(
				self->host, network->now, &network->hosts[1 - i].hit, rekeying->diffie_hellman));
			network_drain(network, self);
		}
		assert_true(esp_goes_both_ways(network, 0, 1));
		network_run(network, MILLISECONDS(200));
	}
	failing_sweep_end();
	network_run_with_traffic(network, SECONDS(10), 0, 1);
	assert_true(esp_goes_both_ways(network, 0, 1));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(network->hosts[i].usable, 1);
		assert_int_equal(network_sa_count(&network->hosts[i]), 1);
	}
	network_free(network);
}

static void a_rekeying(void **state)
{
	static const struct rekeying plain = {false, false}, diffie_hellman = {false, true}, both = {true, true},
				     both_plain = {true, false};

	(void)state;
	failing_sweep_run(&(struct failing_sweep){"rekeying", play_rekeying, &plain, 50});
	failing_sweep_run(&(struct failing_sweep){"rekeying with Diffie-Hellman", play_rekeying, &diffie_hellman, 60});
	failing_sweep_run(&(struct failing_sweep){"rekeying begun by both", play_rekeying, &both_plain, 40});
	failing_sweep_run(&(struct failing_sweep){"… with Diffie-Hellman", play_rekeying, &both, 60});
}

/* ---- NOTIFY ---- */

/* Keepalives, and NOTIFYs about an SPI that nobody has; the association stands through it. */
static void play_notify(const void *context)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];
	struct endpoint from = network_endpoint(network, 0), to = network_endpoint(network, 1);

	(void)context;
	network_associate(network, 0, 1);
	failing_sweep_begin();
	for (unsigned seconds = 0; !host_counter_value(a->host, HOST_COUNT_NOTIFY_IN) || seconds < 20; seconds++) {
		assert_true(seconds < PATIENCE);
		NETWORK_CALL(host_unknown_spi(b->host, network->now, &to, &from, 0x1000));
		network_drain(network, b);
		network_run(network, SECONDS(1));
	}
	failing_sweep_end();
	network_run(network, SECONDS(1));
	assert_true(esp_goes_both_ways(network, 0, 1));
	assert_int_equal(a->usable, 1);
	assert_int_equal(b->usable, 1);
	network_free(network);
}

static void notifications(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"NOTIFY", play_notify, NULL, 60});
}

/* ---- the end ---- */

static bool is_over(struct network *network, size_t a, size_t b)
{
	host_state state = network_state(network, a, b);

	return state == HOST_UNASSOCIATED || state == HOST_CLOSED;
}

static void play_close(const void *context)
{
	struct network *network = network_make(2, TRANSPORT_UDP);
	struct network_host *a = &network->hosts[0], *b = &network->hosts[1];

	(void)context;
	network_associate(network, 0, 1);
	failing_sweep_begin();
	NETWORK_CALL(host_close(a->host, network->now, &b->hit));
	network_drain(network, a);
	/* That end is over at once, with memory or without. */
	assert_int_equal(network_sa_count(a), 0);
	assert_int_equal(a->closed, 1);
	for (unsigned seconds = 0; !is_over(network, 0, 1) || !is_over(network, 1, 0); seconds++) {
		assert_true(seconds < PATIENCE);
		network_run(network, SECONDS(1));
	}
	failing_sweep_end();
	assert_int_equal(network_sa_count(b), 0);
	assert_int_equal(b->closed, 1);
	network_introduce(network, 0, 1);
	run_until_associated(network, 0, 1, false);
	network_free(network);
}

static void the_end(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"CLOSE", play_close, NULL, 60});
}

/* ---- making a host ---- */

static void play_creation(const void *context)
{
	struct network *network = network_make(1, TRANSPORT_UDP);
	struct host *host = NULL;
	hiphop_error error;

	(void)context;
	failing_sweep_begin();
	failing_allocation_resume();
	error = host_create(&network->hosts[0].configuration, network->now, &host);
	failing_allocation_stop();
	/* It may do without some of OpenSSL's. */
	assert_true((error == HIPHOP_OK) == (host != NULL));
	host_free(host);
	network_free(network);
}

static void a_host_is_made_or_not(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"making a host", play_creation, NULL, 100});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_made_or_not),
		cmocka_unit_test(a_base_exchange),
		cmocka_unit_test(a_base_exchange_over_the_overlay),
		cmocka_unit_test(a_rekeying),
		cmocka_unit_test(notifications),
		cmocka_unit_test(the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
