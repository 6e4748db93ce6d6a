/* SPDX-License-Identifier: MIT */
#include "tests/unit/hip/wire/parameter_checks.h"

#define ADDRESS "00000000000000000000ffffc0000201"

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

static void test_esp_info(void **state)
{
	struct parameter_esp_info in = {.keymat_index = 0x00a0, .old_spi = 0x01020304, .new_spi = 0x11121314}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_esp_info_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_esp_info_read(check_written(&check, "0041 000c 0000 00a0 01020304 11121314"), &out),
		HIPHOP_OK);
	assert_int_equal(out.keymat_index, 160);
	assert_int_equal(out.old_spi, 0x01020304);
	assert_int_equal(out.new_spi, 0x11121314);
	CHECK_READ(parameter_esp_info_read, &out, PARAMETER_ESP_INFO, "ffff00a0 01020304 11121314", HIPHOP_OK,
		HIPHOP_TRUNCATED);
}

static void test_locators_of_all_types(void **state)
{
	static struct parameter_locator_set in = {.count = 3}, out;
	struct check check;

	(void)state;
	in.items[0] = (struct locator){.address = address_of("192.0.2.1"), .lifetime = 120, .preferred = true};
	in.items[1] = (struct locator){.type = 1,
		.traffic = 2,
		.address = address_of("2001:db8::1"),
		.lifetime = 0x01020304,
		.spi = 0xa1a2a3a4};
	in.items[2] = (struct locator){.type = 2,
		.address = address_of("192.0.2.1"),
		.lifetime = LOCATOR_LIFETIME_UNBOUNDED,
		.spi = 0xb1b2b3b4,
		.port = 10500,
		.protocol = 17,
		.kind = 1,
		.priority = 0xc1c2c3c4,
		.preferred = true};
	assert_int_equal(parameter_locator_set_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_locator_set_read(
			check_written(&check, "00c1 0058"
					      "00 00 04 01 00000078" ADDRESS
					      "02 01 05 00 01020304 a1a2a3a4 20010db8000000000000000000000001"
					      "00 02 07 01 ffffffff 2904 11 01 c1c2c3c4 b1b2b3b4" ADDRESS "00000000"),
			&out),
		HIPHOP_OK);
	assert_int_equal(out.count, 3);
	assert_int_equal(out.ignored, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(address_equal(&out.items[i].address, &in.items[i].address));
		assert_int_equal(out.items[i].lifetime, in.items[i].lifetime);
		assert_int_equal(out.items[i].spi, in.items[i].spi);
		assert_int_equal(out.items[i].priority, in.items[i].priority);
		assert_int_equal(out.items[i].port, in.items[i].port);
		assert_int_equal(out.items[i].protocol, in.items[i].protocol);
		assert_int_equal(out.items[i].kind, in.items[i].kind);
		assert_int_equal(out.items[i].type, in.items[i].type);
		assert_int_equal(out.items[i].traffic, in.items[i].traffic);
		assert_int_equal(out.items[i].preferred, in.items[i].preferred);
	}
}

static void test_odd_locators(void **state)
{
	static struct parameter_locator_set out;
	static const struct {
		const char *hex;
		hiphop_error error;
		size_t count, ignored;
	} rows[] = {
		{"", HIPHOP_OK, 0, 0},                                               /* all addresses taken back */
		{"00 00 04 01 00000000" ADDRESS, HIPHOP_MALFORMED, 0, 0},            /* lifetime zero */
		{"00 00 05 01 00000078" ADDRESS "00000000", HIPHOP_MALFORMED, 0, 0}, /* length of another type */
		{"00 00 ff 01 00000078" ADDRESS, HIPHOP_TRUNCATED, 0, 0}, {"00 00 04 01 0000", HIPHOP_TRUNCATED, 0, 0},
		{"00 03 01 01 00000078 01020304 00 00 04 01 00000078" ADDRESS, HIPHOP_OK, 1, 1}, /* unknown type */
		{"03 00 04 01 00000078" ADDRESS, HIPHOP_OK, 0, 1}, /* unknown traffic type */
		{"00 07 00 01 00000078", HIPHOP_OK, 0, 1},
		{"00 00 04 fe 00000078" ADDRESS, HIPHOP_OK, 1, 0}, /* reserved bits */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct check check;
		const struct parameter_view *view = check_contents(&check, PARAMETER_LOCATOR_SET, rows[i].hex);

		assert_int_equal(parameter_locator_set_read(view, &out), rows[i].error);
		assert_int_equal(out.count, rows[i].count);
		assert_int_equal(out.ignored, rows[i].ignored);
		check_free(&check);
	}
	CHECK_READ(parameter_locator_set_read, &out, PARAMETER_LOCATOR_SET,
		"00 02 07 01 ffffffff 2904 11 01 c1c2c3c4 b1b2b3b4" ADDRESS, HIPHOP_OK, HIPHOP_OK);
}

static void test_limits_of_locator_set(void **state)
{
	static struct parameter_locator_set in, out;
	static char hex[33 * 48 + 1];
	struct check check;

	(void)state;
	for (size_t i = 0; i < 33; i++)
		memcpy(hex + 48 * i, "0000040000000078" ADDRESS, 48);
	assert_int_equal(
		parameter_locator_set_read(check_contents(&check, PARAMETER_LOCATOR_SET, hex), &out), HIPHOP_TOO_LARGE);
	check_free(&check);
	hex[32 * 48] = '\0';
	assert_int_equal(
		parameter_locator_set_read(check_contents(&check, PARAMETER_LOCATOR_SET, hex), &out), HIPHOP_OK);
	assert_int_equal(out.count, 32);
	check_free(&check);
	in.count = 33;
	assert_int_equal(parameter_locator_set_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
	in.count = 1;
	assert_int_equal(
		parameter_locator_set_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT); /* lifetime 0 */
	in.items[0].lifetime = 1;
	in.items[0].type = 3;
	assert_int_equal(parameter_locator_set_write(check_start(&check), &in), HIPHOP_INVALID_ARGUMENT);
	in.count = 0;
	assert_int_equal(parameter_locator_set_write(check_start(&check), &in), HIPHOP_OK);
	check_written(&check, "00c1 0000 00000000");
}

static void test_transport_addresses(void **state)
{
	struct endpoint in = {.address = address_of("192.0.2.1"), .port = 10500, .transport = TRANSPORT_UDP}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_transport_address_write(check_start(&check), PARAMETER_REG_FROM, &in), HIPHOP_OK);
	assert_int_equal(parameter_transport_address_read(check_written(&check, "03b6 0014 2904 11 00" ADDRESS), &out),
		HIPHOP_OK);
	assert_true(endpoint_equal(&in, &out));
	in = (struct endpoint){.address = address_of("192.0.2.1"), .transport = TRANSPORT_IP};
	assert_int_equal(parameter_transport_address_write(check_start(&check), PARAMETER_RELAY_TO, &in), HIPHOP_OK);
	assert_int_equal(parameter_transport_address_read(check_written(&check, "fa02 0014 0000 00 00" ADDRESS), &out),
		HIPHOP_OK);
	assert_true(endpoint_equal(&in, &out));
	CHECK_READ(parameter_transport_address_read, &out, PARAMETER_RELAYED_ADDRESS, "2904 11 00" ADDRESS, HIPHOP_OK,
		HIPHOP_TRUNCATED);
	CHECK_READ(parameter_transport_address_read, &out, PARAMETER_MAPPED_ADDRESS, "2904 06 00" ADDRESS,
		HIPHOP_UNSUPPORTED, HIPHOP_TRUNCATED);
	assert_int_equal(
		parameter_transport_address_write(check_start(&check), PARAMETER_FROM, &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_addresses(void **state)
{
	struct address in = address_of("192.0.2.1"), out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_address_write(check_start(&check), PARAMETER_FROM, &in), HIPHOP_OK);
	assert_int_equal(
		parameter_address_read(check_written(&check, "ffda 0010" ADDRESS "00000000"), &out), HIPHOP_OK);
	assert_true(address_equal(&in, &out));
	CHECK_READ(parameter_address_read, &out, PARAMETER_VIA_RVS, ADDRESS, HIPHOP_OK, HIPHOP_TRUNCATED);
	assert_int_equal(parameter_address_write(check_start(&check), PARAMETER_SEQ, &in), HIPHOP_INVALID_ARGUMENT);
}

static void test_peer_permission(void **state)
{
	struct parameter_peer_permission in = {.relayed = {.address = address_of("192.0.2.1"), .port = 0x1111},
		.peer = {.address = address_of("2001:db8::1"), .port = 0x2222},
		.outbound_spi = 0x33333333,
		.inbound_spi = 0x44444444};
	struct parameter_peer_permission out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_peer_permission_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_peer_permission_read(
				 check_written(&check, "1248 0030 1111 2222 11 000000" ADDRESS
						       "20010db8000000000000000000000001 33333333 44444444 00000000"),
				 &out),
		HIPHOP_OK);
	assert_true(endpoint_equal(&out.relayed, &in.relayed));
	assert_true(endpoint_equal(&out.peer, &in.peer));
	assert_int_equal(out.outbound_spi, 0x33333333);
	assert_int_equal(out.inbound_spi, 0x44444444);
	CHECK_READ(parameter_peer_permission_read, &out, PARAMETER_PEER_PERMISSION,
		"1111 2222 06 000000" ADDRESS ADDRESS "33333333 44444444", HIPHOP_UNSUPPORTED, HIPHOP_TRUNCATED);
}

static void test_transport_mode(void **state)
{
	struct parameter_transport_mode in = {.port = 0, .modes = {.count = 2, .items = {2, 1}}}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_transport_mode_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(
		parameter_transport_mode_read(check_written(&check, "1e00 0006 0000 0002 0001 000000000000"), &out),
		HIPHOP_OK);
	assert_int_equal(out.modes.count, 2);
	assert_int_equal(out.modes.items[0], HIP_TRANSPORT_ESP);
	in.modes.count = 0;
	assert_int_equal(parameter_transport_mode_write(check_start(&check), &in), HIPHOP_OK);
	assert_int_equal(parameter_transport_mode_read(check_written(&check, "1e00 0002 0000 0000"), &out), HIPHOP_OK);
	assert_int_equal(out.modes.count, 0);
	CHECK_READ(
		parameter_transport_mode_read, &out, PARAMETER_HIP_TRANSPORT_MODE, "0000", HIPHOP_OK, HIPHOP_TRUNCATED);
	CHECK_READ(parameter_transport_mode_read, &out, PARAMETER_HIP_TRANSPORT_MODE, "0000 00", HIPHOP_MALFORMED,
		HIPHOP_OK);
}

static void test_registration(void **state)
{
	struct parameter_registration in = {.value = 91, .maximum = 255, .count = 2, .types = {1, 2}}, out;
	struct check check;

	(void)state;
	assert_int_equal(parameter_registration_write(check_start(&check), PARAMETER_REG_INFO, &in), HIPHOP_OK);
	assert_int_equal(parameter_registration_read(check_written(&check, "03a2 0004 5b ff 01 02"), &out), HIPHOP_OK);
	assert_int_equal(out.value, 91);
	assert_int_equal(out.maximum, 255);
	assert_int_equal(out.count, 2);
	assert_int_equal(parameter_registration_write(check_start(&check), PARAMETER_REG_REQUEST, &in), HIPHOP_OK);
	assert_int_equal(parameter_registration_read(check_written(&check, "03a4 0003 5b 01 02 00"), &out), HIPHOP_OK);
	assert_int_equal(out.maximum, 0);
	assert_int_equal(out.types[1], REGISTRATION_RELAY_UDP_HIP);
	CHECK_READ(parameter_registration_read, &out, PARAMETER_REG_INFO, "5bff", HIPHOP_OK, HIPHOP_TRUNCATED);
	CHECK_READ(parameter_registration_read, &out, PARAMETER_REG_FAILED,
		"5b 0101010101010101010101010101010101010101", HIPHOP_OK, HIPHOP_OK);
	in.count = 17;
	assert_int_equal(
		parameter_registration_write(check_start(&check), PARAMETER_REG_INFO, &in), HIPHOP_INVALID_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_esp_info),
		cmocka_unit_test(test_locators_of_all_types),
		cmocka_unit_test(test_odd_locators),
		cmocka_unit_test(test_limits_of_locator_set),
		cmocka_unit_test(test_transport_addresses),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_peer_permission),
		cmocka_unit_test(test_transport_mode),
		cmocka_unit_test(test_registration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
