/* SPDX-License-Identifier: MIT */
/* How long CLOSING and CLOSED last, what is kept meanwhile, and who gets the room (RFC 7401 section 4.4.3). */
#include "forge.h"

#define UAL SECONDS(60)
#define MSL SECONDS(120)

/* Hosts whose unused associations live for a minute, and that have at most `associations` (0: many). */
static struct network *hosts_with(size_t count, size_t associations)
{
	struct network *network = network_make(count, TRANSPORT_UDP);

	for (size_t i = 0; i < count; i++) {
		network_crash(network, i);
		network->hosts[i].configuration.unused_lifetime = UAL;
		network->hosts[i].configuration.associations = associations;
		network_boot(network, i);
	}
	return network;
}

static void leave(struct network *network, size_t from, size_t to)
{
	assert_int_equal(host_close(network->hosts[from].host, network->now, &network->hosts[to].hit), HIPHOP_OK);
	network_drain(network, &network->hosts[from]);
}

static struct session *session_of(struct network *network, size_t of, size_t with)
{
	struct association *association = association_find(network->hosts[of].host, &network->hosts[with].hit);

	assert_non_null(association);
	assert_non_null(association->session);
	return association->session;
}

/* Table 7: as long as the peer may have the association, and a CLOSE be on its way. */
static void closing_lasts_for_ual_and_msl(void **state)
{
	struct network *network = hosts_with(2, 0);
	unsigned before;

	(void)state;
	network_associate(network, 0, 1);
	network_crash(network, 1);
	leave(network, 0, 1);
	network_run(network, UAL + MSL - SECONDS(1));
	assert_int_equal(network_state(network, 0, 1), HOST_CLOSING);
	before = network->hosts[0].out_of_type[HIP_PACKET_CLOSE];
	assert_in_range(before, 8, 12); /* after 1, 3, 7, 15, 31, 63 and 127 s */
	network_run(network, SECONDS(2));
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	assert_int_equal(host_association_count(network->hosts[0].host), 0);
	assert_int_equal(network->hosts[0].host->over, 0);
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_CLOSE], before);
	network_free(network);
}

/* A peer that was away finds out when it is back. */
static void a_late_close_is_answered(void **state)
{
	struct network *network = hosts_with(2, 0);
	struct catch catch;

	(void)state;
	network_associate(network, 0, 1);
	catch_next(network, &catch, HIP_PACKET_CLOSE);
	leave(network, 0, 1);
	network_run(network, MILLISECONDS(100));
	assert_true(catch.full);
	network->fate = NULL;
	network_run(network, SECONDS(2));
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	/* Table 8: the first one comes after all, and again; that makes it last no longer. */
	network_run(network, UAL + 2 * MSL - SECONDS(10));
	for (unsigned answers = 2; answers < 4; answers++) {
		deliver(network, &catch.packet);
		assert_int_equal(network->hosts[1].out_of_type[HIP_PACKET_CLOSE_ACK], answers);
		assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	}
	network_run(network, SECONDS(10));
	assert_int_equal(host_association_count(network->hosts[1].host), 0);
	assert_int_equal(network->hosts[1].host->over, 0);
	network_free(network);
}

static void little_is_kept(void **state)
{
	struct network *network = hosts_with(2, 0);
	struct catch catch;

	(void)state;
	network_associate(network, 0, 1);
	assert_true(session_of(network, 1, 0)->r2.length > 0);
	catch_next(network, &catch, HIP_PACKET_CLOSE_ACK);
	leave(network, 0, 1);
	network_run(network, MILLISECONDS(500));
	assert_int_equal(network_state(network, 0, 1), HOST_CLOSING);
	assert_int_equal(network_state(network, 1, 0), HOST_CLOSED);
	for (size_t i = 0; i < 2; i++) {
		const struct session *session = session_of(network, i, 1 - i);

		assert_null(session->own_key);
		assert_null(session->peer_public.data);
		assert_null(session->r2.data);
		assert_null(session->ending);
		assert_null(session->rekeying);
	}
	network_free(network);
}

/* A host with room for two: what is over does not keep others out. */
static void what_is_over_makes_room(void **state)
{
	struct network *network = hosts_with(4, 2);
	struct catch catch;

	(void)state;
	network_associate(network, 1, 0);
	network_associate(network, 2, 0);
	leave(network, 1, 0);
	network_run(network, MILLISECONDS(100));
	assert_int_equal(network_state(network, 0, 1), HOST_CLOSED);
	network_crash(network, 2);
	catch_next(network, &catch, HIP_PACKET_CLOSE_ACK);
	leave(network, 0, 2);
	assert_int_equal(network_state(network, 0, 2), HOST_CLOSING);
	assert_int_equal(network->hosts[0].host->over, 2);
	/* CLOSED goes first */
	network_associate(network, 3, 0);
	assert_int_equal(network_state(network, 0, 1), HOST_UNASSOCIATED);
	assert_int_equal(network_state(network, 0, 2), HOST_CLOSING);
	network_introduce(network, 1, 0);
	network_connect(network, 1, 0);
	network_run(network, SECONDS(1));
	assert_int_equal(network_state(network, 0, 1), HOST_R2_SENT);
	assert_int_equal(network_state(network, 0, 2), HOST_UNASSOCIATED);
	assert_int_equal(network->hosts[0].host->over, 0);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing_lasts_for_ual_and_msl),
		cmocka_unit_test(a_late_close_is_answered),
		cmocka_unit_test(little_is_kept),
		cmocka_unit_test(what_is_over_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
