/* SPDX-License-Identifier: MIT */
#include "hip/core/on_board.h"

#include "tests/unit/cmocka.h"

#include <string.h>

static struct seeded_random generator;
static struct random_source randomness;
static struct on_board table;

static struct hit hit_of(unsigned number)
{
	struct hit hit = {{0x20, 0x01, 0x00, 0x22}};

	hit.octets[14] = (uint8_t)(number >> 8);
	hit.octets[15] = (uint8_t)number;
	return hit;
}

static struct endpoint place_of(unsigned number)
{
	struct endpoint endpoint = {.port = 10500, .transport = TRANSPORT_UDP};

	assert_int_equal(address_parse("10.0.0.0", &endpoint.address), HIPHOP_OK);
	endpoint.address.octets[14] = (uint8_t)(number >> 8);
	endpoint.address.octets[15] = (uint8_t)number;
	return endpoint;
}

static int set_up(void **state)
{
	(void)state;
	randomness = seeded_random_start(&generator, 7);
	on_board_start(&table, &randomness);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	on_board_free(&table);
	return 0;
}

static struct boarder *board(unsigned number)
{
	const struct hit hit = hit_of(number);
	const struct endpoint local = place_of(1), remote = place_of(number);

	assert_int_equal(on_board_register(&table, 0, &hit, &local, &remote, SECONDS(100)), HIPHOP_OK);
	return on_board_find(&table, &hit);
}

/* Ticket `id` of a host with peer 1000 + id. */
static struct parameter_delegation delegation_of(unsigned owner, uint8_t id, uint32_t spi_in, uint32_t spi_out)
{
	struct parameter_delegation delegation = {.grant = {.id = {id}, .lifetime = 50, .key = {id}},
		.owner = hit_of(owner),
		.peer = hit_of(1000U + id),
		.pair_count = 1,
		.pairs = {{spi_in, spi_out}},
		.locator_count = 1};

	delegation.locators[0] = place_of(1000U + id);
	return delegation;
}

static bool own_is_7777(void *context, uint32_t spi)
{
	(void)context;
	return spi == 7777;
}

static hiphop_error delegate(struct boarder *via, const struct parameter_delegation *delegation, int reason)
{
	delegation_refusal_reason why = 0;
	struct delegated *ticket;
	hiphop_error error = on_board_delegate(&table, 0, via, delegation, own_is_7777, NULL, &why, &ticket);

	if (error == HIPHOP_REFUSED)
		assert_int_equal(why, reason);
	return error;
}

static void test_esp_finds_its_way(void **state)
{
	struct boarder *host = board(2), *other = board(3);
	const struct endpoint peer = place_of(1001), stranger = place_of(1002);
	struct parameter_delegation delegation = delegation_of(2, 1, 5001, 6001);

	(void)state;
	assert_null(on_board_inward(&table, 5001, &peer));
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_ptr_equal(on_board_inward(&table, 5001, &peer)->owner, host);
	assert_null(on_board_inward(&table, 5001, &stranger));
	assert_null(on_board_inward(&table, 6001, &peer));
	assert_true(endpoint_equal(&on_board_outward(&table, host, 6001)->what.locators[0], &peer));
	assert_null(on_board_outward(&table, other, 6001));
	assert_true(on_board_has_spi(&table, 5001));
	/* New keys, new SPIs, and the peer has two places. */
	delegation.pairs[0] = (struct delegation_pair){5002, 6002};
	delegation.locator_count = 2;
	delegation.locators[1] = stranger;
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_false(on_board_has_spi(&table, 5001));
	assert_null(on_board_outward(&table, host, 6001));
	assert_non_null(on_board_inward(&table, 5002, &peer));
	assert_non_null(on_board_inward(&table, 5002, &stranger));
	assert_int_equal(host->tickets, 1);
	delegation.grant.lifetime = 0;
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_int_equal(host->tickets, 0);
	assert_false(on_board_has_spi(&table, 5002));
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
}

static void test_colliding_spi(void **state)
{
	struct boarder *host = board(2), *other = board(3);
	struct parameter_delegation first = delegation_of(2, 1, 5001, 6001), second;

	(void)state;
	assert_int_equal(delegate(host, &first, 0), HIPHOP_OK);
	/* The same SPI in, of another host and of the same. */
	second = delegation_of(3, 2, 5001, 6002);
	assert_int_equal(delegate(other, &second, DELEGATION_SPI_COLLIDES), HIPHOP_REFUSED);
	second = delegation_of(2, 2, 5001, 6002);
	assert_int_equal(delegate(host, &second, DELEGATION_SPI_COLLIDES), HIPHOP_REFUSED);
	/* Two peers of one host that took the same SPI; of different hosts it does not matter. */
	second = delegation_of(2, 2, 5002, 6001);
	assert_int_equal(delegate(host, &second, DELEGATION_SPI_COLLIDES), HIPHOP_REFUSED);
	second = delegation_of(3, 2, 5002, 6001);
	assert_int_equal(delegate(other, &second, 0), HIPHOP_OK);
	/* One of the router's own. */
	second = delegation_of(3, 3, 7777, 6003);
	assert_int_equal(delegate(other, &second, DELEGATION_SPI_COLLIDES), HIPHOP_REFUSED);
	/* What was there is as it was. */
	assert_ptr_equal(on_board_inward(&table, 5001, &first.locators[0])->owner, host);
	/* A refused change leaves what was said before. */
	first.pairs[0].spi_in = 5002;
	assert_int_equal(delegate(host, &first, DELEGATION_SPI_COLLIDES), HIPHOP_REFUSED);
	assert_true(on_board_has_spi(&table, 5001));
}

/* A host that has begun anew gives another ticket for the same peer, perhaps with the same SPIs. */
static void test_one_ticket_for_a_pair(void **state)
{
	struct boarder *host = board(2);
	struct parameter_delegation delegation = delegation_of(2, 1, 5001, 6001);

	(void)state;
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	delegation.grant.id[0] = 77;
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_int_equal(host->tickets, 1);
	assert_int_equal(table.tickets.count, 1);
	assert_ptr_equal(on_board_outward(&table, host, 6001), on_board_ticket(&table, delegation.grant.id));
	/* The end of the first is nothing any more. */
	delegation.grant.id[0] = 1;
	delegation.grant.lifetime = 0;
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_true(on_board_has_spi(&table, 5001));
}

static void test_whose_ticket(void **state)
{
	struct boarder *host = board(2), *other = board(3);
	struct parameter_delegation delegation = delegation_of(2, 1, 5001, 6001);

	(void)state;
	assert_int_equal(delegate(other, &delegation, DELEGATION_NOT_YOURS), HIPHOP_REFUSED);
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	delegation.owner = hit_of(3);
	assert_int_equal(delegate(other, &delegation, DELEGATION_NOT_YOURS), HIPHOP_REFUSED);
	delegation.grant.lifetime = 0;
	assert_int_equal(delegate(other, &delegation, DELEGATION_NOT_YOURS), HIPHOP_REFUSED);
	delegation = delegation_of(2, 1, 5001, 6001);
	delegation.peer = hit_of(4);
	assert_int_equal(delegate(host, &delegation, DELEGATION_NOT_YOURS), HIPHOP_REFUSED);
	delegation = delegation_of(99, 9, 5009, 6009);
	assert_int_equal(delegate(host, &delegation, DELEGATION_NOT_YOURS), HIPHOP_REFUSED);
}

static void test_behind_another_router(void **state)
{
	struct boarder *router = board(2), *second = board(3), *behind;
	const struct hit hit = hit_of(50);
	struct parameter_delegation delegation = delegation_of(50, 1, 5001, 6001);

	(void)state;
	assert_int_equal(on_board_set_behind(&table, router, &hit, false), HIPHOP_OK);
	assert_int_equal(on_board_set_behind(&table, router, &hit, false), HIPHOP_OK);
	behind = on_board_find(&table, &hit);
	assert_ptr_equal(on_board_carrier(behind), router);
	assert_int_equal(delegate(router, &delegation, 0), HIPHOP_OK);
	assert_int_equal(delegate(second, &delegation, DELEGATION_NOT_YOURS), HIPHOP_REFUSED);
	assert_ptr_equal(on_board_inward(&table, 5001, &delegation.locators[0])->via, router);
	/* It changes over to the other router; who it left has nothing more to say. */
	assert_int_equal(on_board_set_behind(&table, second, &hit, false), HIPHOP_OK);
	assert_false(on_board_has_spi(&table, 5001));
	assert_int_equal(on_board_set_behind(&table, router, &hit, true), HIPHOP_OK);
	assert_ptr_equal(on_board_carrier(on_board_find(&table, &hit)), second);
	/* It registers itself: no other has a say then. */
	assert_null(board(50)->carrier);
	assert_int_equal(on_board_set_behind(&table, router, &hit, false), HIPHOP_REFUSED);
	assert_int_equal(on_board_set_behind(&table, router, &hit, true), HIPHOP_REFUSED);
}

static void test_leaving(void **state)
{
	struct boarder *router = board(2), *host = board(3);
	const struct hit router_hit = hit_of(2), behind = hit_of(50), host_hit = hit_of(3);
	const struct endpoint host_place = place_of(3);
	struct parameter_delegation delegation = delegation_of(50, 1, 5001, 6001);

	(void)state;
	assert_int_equal(on_board_set_behind(&table, router, &behind, false), HIPHOP_OK);
	assert_int_equal(delegate(router, &delegation, 0), HIPHOP_OK);
	delegation = delegation_of(3, 2, 5002, 6002);
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_false(on_board_leave(&table, &behind));
	assert_true(on_board_leave(&table, &router_hit));
	assert_null(on_board_find(&table, &behind));
	assert_false(on_board_has_spi(&table, 5001));
	assert_true(on_board_has_spi(&table, 5002));
	assert_true(on_board_leave(&table, &host_hit));
	assert_null(on_board_at(&table, &host_place));
	assert_int_equal(table.tickets.count + table.by_pair.count + table.inward.count + table.outward.count +
				 table.hosts.count,
		0);
}

static void test_time(void **state)
{
	struct boarder *host = board(2);
	const struct hit hit = hit_of(2);
	const struct endpoint local = place_of(1), remote = place_of(2), other = place_of(9);
	struct parameter_delegation delegation = delegation_of(2, 1, 5001, 6001);

	(void)state;
	assert_int_equal(delegate(host, &delegation, 0), HIPHOP_OK);
	assert_false(on_board_expire(&table, SECONDS(50) - 1));
	assert_true(on_board_expire(&table, SECONDS(50)));
	assert_false(on_board_has_spi(&table, 5001));
	/* More time, and another place. */
	assert_int_equal(on_board_register(&table, SECONDS(60), &hit, &local, &other, SECONDS(160)), HIPHOP_OK);
	assert_null(on_board_at(&table, &remote));
	assert_ptr_equal(on_board_at(&table, &other), host);
	assert_false(on_board_expire(&table, SECONDS(160) - 1));
	assert_true(on_board_expire(&table, SECONDS(160)));
	assert_null(on_board_find(&table, &hit));
}

static void test_two_at_one_place(void **state)
{
	const struct hit other = hit_of(3);
	const struct endpoint local = place_of(1), remote = place_of(2);

	(void)state;
	board(2);
	assert_int_equal(on_board_register(&table, 0, &other, &local, &remote, SECONDS(100)), HIPHOP_EXISTS);
	assert_null(on_board_find(&table, &other));
}

static void test_limits(void **state)
{
	struct boarder *host = NULL;
	const struct hit hit = hit_of(5000);
	const struct endpoint local = place_of(1), remote = place_of(5000);
	struct parameter_delegation delegation;

	(void)state;
	for (unsigned i = 0; i < ON_BOARD_HOSTS_MAXIMUM; i++)
		host = board(i + 2);
	assert_int_equal(on_board_register(&table, 0, &hit, &local, &remote, SECONDS(1)), HIPHOP_LIMITED);
	assert_int_equal(on_board_set_behind(&table, host, &hit, false), HIPHOP_LIMITED);
	for (unsigned i = 0; i <= ON_BOARD_TICKETS_OF_ONE; i++) {
		delegation = delegation_of(ON_BOARD_HOSTS_MAXIMUM + 1, (uint8_t)i, 5000 + i, 6000 + i);
		delegation.grant.id[1] = (uint8_t)(i >> 8);
		delegation.peer = hit_of(10000 + i);
		assert_int_equal(delegate(host, &delegation, DELEGATION_TOO_MANY),
			i < ON_BOARD_TICKETS_OF_ONE ? HIPHOP_OK : HIPHOP_REFUSED);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_esp_finds_its_way),
		TEST(test_colliding_spi),
		TEST(test_one_ticket_for_a_pair),
		TEST(test_whose_ticket),
		TEST(test_behind_another_router),
		TEST(test_leaving),
		TEST(test_time),
		TEST(test_two_at_one_place),
		TEST(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
