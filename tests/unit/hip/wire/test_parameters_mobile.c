/* SPDX-License-Identifier: MIT */
#include "tests/unit/hip/wire/parameter_checks.h"

#define ID      "0102030405060708"
#define KEY     "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
#define OWNER   "20010022000000000000000000000001"
#define PEER    "20010022000000000000000000000002"
#define ADDRESS "00000000000000000000ffffc0000201"

static struct ticket_grant grant_of(uint32_t lifetime)
{
	struct ticket_grant grant = {.lifetime = lifetime};

	for (uint8_t i = 0; i < TICKET_ID_LENGTH; i++)
		grant.id[i] = i + 1;
	for (uint8_t i = 0; i < TICKET_KEY_LENGTH; i++)
		grant.key[i] = 0x40 + i;
	return grant;
}

static struct endpoint endpoint_at(const char *text, uint16_t port)
{
	struct endpoint endpoint = {.port = port, .transport = TRANSPORT_UDP};

	assert_int_equal(address_parse(text, &endpoint.address), HIPHOP_OK);
	return endpoint;
}

static struct hit hit_of(uint8_t last)
{
	struct hit hit = {{0x20, 0x01, 0x00, 0x22}};

	hit.octets[15] = last;
	return hit;
}

static void test_ticket(void **state)
{
	const struct ticket_grant in = grant_of(3600);
	struct ticket_grant out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_ticket_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_ticket_read(check_written(&check, "8002 002c" ID "00000e10" KEY), &out), HIPHOP_OK);
	assert_memory_equal(&out, &in, sizeof in);
	CHECK_READ(parameter_ticket_read, &out, PARAMETER_TICKET, ID "00000e10" KEY, HIPHOP_OK, HIPHOP_TRUNCATED);
}

static void test_delegation(void **state)
{
	struct parameter_delegation in = {.grant = grant_of(60),
		.owner = hit_of(1),
		.peer = hit_of(2),
		.sequence = 9,
		.pair_count = 2,
		.pairs = {{0x01020304, 0x05060708}, {0x11121314, 0x15161718}},
		.locator_count = 1};
	struct parameter_delegation out;
	struct check check;

	(void)state;
	in.locators[0] = endpoint_at("192.0.2.1", 10500);
	assert_int_equal(parameter_delegation_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_delegation_read(
				 check_written(&check, "8004 0078" ID "0000003c" KEY OWNER PEER "02 01 0000 00000009"
						       "01020304 05060708 11121314 15161718"
						       "2904 11 00" ADDRESS "00000000"),
				 &out),
		HIPHOP_OK);
	assert_int_equal(parameter_delegation_length(&in), check.builder.writer.position);
	assert_memory_equal(&out.grant, &in.grant, sizeof in.grant);
	assert_true(hit_equal(&out.owner, &in.owner) && hit_equal(&out.peer, &in.peer));
	assert_int_equal(out.sequence, 9);
	assert_int_equal(out.pair_count, 2);
	assert_int_equal(out.pairs[1].spi_in, 0x11121314);
	assert_int_equal(out.pairs[1].spi_out, 0x15161718);
	assert_int_equal(out.locator_count, 1);
	assert_true(endpoint_equal(&out.locators[0], &in.locators[0]));
	CHECK_READ(parameter_delegation_read, &out, PARAMETER_DELEGATION,
		ID "0000003c" KEY OWNER PEER "01 01 0000 00000000 01020304 05060708 2904 11 00" ADDRESS, HIPHOP_OK,
		HIPHOP_TRUNCATED);
	in.pair_count = DELEGATION_PAIRS_MAXIMUM + 1;
	assert_int_equal(parameter_delegation_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static hiphop_error read_delegation(const char *hex)
{
	struct parameter_delegation out;
	struct check check;
	hiphop_error error = parameter_delegation_read(check_contents(&check, PARAMETER_DELEGATION, hex), &out);

	check_free(&check);
	return error;
}

static void test_delegation_without_sense(void **state)
{
	(void)state;
	/* Taken back, it needs no locator. */
	assert_int_equal(read_delegation(ID "00000000" KEY OWNER PEER "00 00 0000 00000000"), HIPHOP_OK);
	assert_int_equal(read_delegation(ID "00000001" KEY OWNER PEER "00 00 0000 00000000"), HIPHOP_MALFORMED);
	assert_int_equal(
		read_delegation(ID "00000000" KEY "20010002000000000000000000000001" PEER "00 00 0000 00000000"),
		HIPHOP_MALFORMED);
	assert_int_equal(read_delegation(ID "00000000" KEY OWNER ADDRESS "00 00 0000 00000000"), HIPHOP_MALFORMED);
	assert_int_equal(read_delegation(ID "00000000" KEY OWNER PEER "01 00 0000 00000000 000000ff 05060708"),
		HIPHOP_MALFORMED);
	assert_int_equal(read_delegation(ID "00000000" KEY OWNER PEER "01 00 0000 00000000 01020304 000000ff"),
		HIPHOP_MALFORMED);
	assert_int_equal(read_delegation(ID "00000000" KEY OWNER PEER "05 00 0000 00000000"), HIPHOP_TOO_LARGE);
	assert_int_equal(read_delegation(ID "00000000" KEY OWNER PEER "00 05 0000 00000000"), HIPHOP_TOO_LARGE);
}

static void test_router_locators(void **state)
{
	struct parameter_router_locators in = {.count = 1}, out;
	struct check check;

	(void)state;
	in.endpoints[0] = endpoint_at("192.0.2.1", 99);
	assert_int_equal(parameter_router_locators_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_router_locators_read(
				 check_written(&check, "8006 0018 00000000 0063 11 00" ADDRESS "00000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.count, 1);
	assert_true(endpoint_equal(&out.endpoints[0], &in.endpoints[0]));
	CHECK_READ(parameter_router_locators_read, &out, PARAMETER_ROUTER_LOCATORS, "00000001", HIPHOP_OK,
		HIPHOP_TRUNCATED);
	in.count = ROUTER_LOCATORS_MAXIMUM + 1;
	assert_int_equal(parameter_router_locators_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_refusal_and_ticket_id(void **state)
{
	struct parameter_delegation_refused in = {.id = {1, 2, 3, 4, 5, 6, 7, 8}, .reason = DELEGATION_TOO_MANY}, out;
	uint8_t id[TICKET_ID_LENGTH];
	struct check check;

	(void)state;
	assert_int_equal(parameter_delegation_refused_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_delegation_refused_read(check_written(&check, "8008 000c" ID "02000000"), &out), HIPHOP_OK);
	assert_memory_equal(out.id, in.id, sizeof in.id);
	assert_int_equal(out.reason, DELEGATION_TOO_MANY);
	CHECK_READ(parameter_delegation_refused_read, &out, PARAMETER_DELEGATION_REFUSED, ID "02ffffff", HIPHOP_OK,
		HIPHOP_TRUNCATED);
	assert_int_equal(parameter_ticket_id_write(check_start(&check), in.id), HIPHOP_OK);
	assert_int_equal(parameter_ticket_id_read(check_written(&check, "800a 0008" ID "00000000"), id), HIPHOP_OK);
	assert_memory_equal(id, in.id, sizeof id);
	CHECK_READ(parameter_ticket_id_read, id, PARAMETER_TICKET_ID, ID, HIPHOP_OK, HIPHOP_TRUNCATED);
}

static void test_hosts_on_board(void **state)
{
	struct parameter_hosts_on_board in = {.left = true, .count = 2}, out;
	struct check check;

	(void)state;
	in.hits[0] = hit_of(1);
	in.hits[1] = hit_of(2);
	assert_int_equal(parameter_hosts_on_board_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_hosts_on_board_read(check_written(&check, "800c 0024 01000000" OWNER PEER), &out), HIPHOP_OK);
	assert_true(out.left);
	assert_int_equal(out.count, 2);
	assert_true(hit_equal(&out.hits[1], &in.hits[1]));
	CHECK_READ(
		parameter_hosts_on_board_read, &out, PARAMETER_HOSTS_ON_BOARD, "00000000", HIPHOP_OK, HIPHOP_TRUNCATED);
	in.count = HOSTS_ON_BOARD_MAXIMUM + 1;
	assert_int_equal(parameter_hosts_on_board_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ticket),
		cmocka_unit_test(test_delegation),
		cmocka_unit_test(test_delegation_without_sense),
		cmocka_unit_test(test_router_locators),
		cmocka_unit_test(test_refusal_and_ticket_id),
		cmocka_unit_test(test_hosts_on_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
