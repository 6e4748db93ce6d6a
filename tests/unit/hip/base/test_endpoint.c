/* SPDX-License-Identifier: MIT */
#include "hip/base/endpoint.h"

#include "tests/unit/cmocka.h"

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

static void test_usable_locators(void **state)
{
	static const struct {
		const char *text;
		bool usable;
	} rows[] = {
		{"192.0.2.1", true},
		{"10.0.0.1", true},
		{"0.0.0.0", false},
		{"127.0.0.1", false},
		{"169.254.1.1", false},
		{"169.253.1.1", true},
		{"224.0.0.1", false},
		{"239.255.255.255", false},
		{"255.255.255.255", false},
		{"223.255.255.255", true},
		{"::", false},
		{"::1", false},
		{"2001:db8::1", true},
		{"fe80::1", false},
		{"febf::1", false},
		{"fec0::1", true},
		{"fd00::1", true},
		{"ff02::1", false},
		{"2001:20::1", false},
		{"2001:2f:ffff::1", false},
		{"2001:30::1", true},
		{"2001:1f::1", true},
		{"::ffff:127.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct address address = address_of(rows[i].text);

		if (address_is_usable_locator(&address) != rows[i].usable)
			fail_msg("%s", rows[i].text);
	}
}

static void test_text_form(void **state)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint = {.address = address_of("192.0.2.1"), .port = 10500};
	struct endpoint other = endpoint;

	(void)state;
	assert_string_equal(endpoint_format(&endpoint, text), "192.0.2.1:10500");
	endpoint.address = address_of("2001:DB8:0::1");
	assert_string_equal(endpoint_format(&endpoint, text), "[2001:db8::1]:10500");
	endpoint.port = 0;
	assert_string_equal(endpoint_format(&endpoint, text), "2001:db8::1");
	endpoint.address = address_of("1234:1234:1234:1234:1234:1234:1234:1234");
	endpoint.port = 65535;
	assert_string_equal(endpoint_format(&endpoint, text), "[1234:1234:1234:1234:1234:1234:1234:1234]:65535");
	assert_false(endpoint_equal(&endpoint, &other));
	other = endpoint;
	assert_true(endpoint_equal(&endpoint, &other));
	other.transport = TRANSPORT_IP;
	assert_false(endpoint_equal(&endpoint, &other));
}

static void test_parsing(void **state)
{
	struct address address = address_of("::ffff:192.0.2.7");
	struct address same = address_of("192.0.2.7");

	(void)state;
	assert_true(address_equal(&address, &same));
	assert_true(address_is_ipv4(&address));
	assert_int_equal(address_parse("192.0.2", &address), HIPHOP_MALFORMED);
	assert_int_equal(address_parse("host.example", &address), HIPHOP_MALFORMED);
	assert_int_equal(address_parse("[::1]", &address), HIPHOP_MALFORMED);
	assert_true(address_equal(&address, &same));
	address = address_of("0.0.0.0");
	assert_true(address_is_unspecified(&address));
	address = address_of("::");
	assert_true(address_is_unspecified(&address));
	assert_false(address_is_unspecified(&same));
	assert_string_equal(transport_name(TRANSPORT_UDP), "udp");
	assert_string_equal(transport_name(TRANSPORT_IP), "ip");
	assert_string_equal(transport_name(99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usable_locators),
		cmocka_unit_test(test_text_form),
		cmocka_unit_test(test_parsing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
