/* SPDX-License-Identifier: MIT */
/* The limits of a pair of SAs: what is told, and when nothing passes any more. */
#include "hip/esp/security_association.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct fixture {
	struct security_association_table table;
	struct security_association pair;
};

static struct fixture make(const struct esp_limits *limits)
{
	struct fixture fixture;

	memset(&fixture, 0, sizeof fixture);
	fixture.pair.spi_in = 1000;
	lifetime_start(&fixture.pair, limits);
	return fixture;
}

static bool seal(struct fixture *fixture, uint64_t octets)
{
	if (lifetime_look_out(&fixture->pair) && !lifetime_may_seal(&fixture->table, &fixture->pair))
		return false;
	fixture->pair.sequence_out++;
	fixture->pair.octets_out += octets;
	return true;
}

static bool open(struct fixture *fixture, uint64_t octets)
{
	fixture->pair.window.highest++;
	fixture->pair.packets_in++;
	fixture->pair.octets_in += octets;
	return !lifetime_look_in(&fixture->pair) || lifetime_may_open(&fixture->table, &fixture->pair);
}

static unsigned told(struct fixture *fixture)
{
	struct esp_notice notice;
	unsigned all = 0;

	while (lifetime_next_notice(&fixture->table, &notice)) {
		assert_int_equal(notice.spi_in, 1000);
		assert_false(all & notice.kind);
		all |= notice.kind;
	}
	return all;
}

static void packets_out(void **state)
{
	struct fixture fixture = make(&(struct esp_limits){.soft_packets = 3, .hard_packets = 5});

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(seal(&fixture, 100));
	assert_int_equal(told(&fixture), 0);
	assert_true(seal(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_SOFT);
	assert_true(seal(&fixture, 100));
	assert_int_equal(told(&fixture), 0);
	assert_false(seal(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_HARD);
	assert_false(seal(&fixture, 100));
	assert_int_equal(told(&fixture), 0);
	assert_int_equal(fixture.pair.sequence_out, 5);
}

static void octets_out(void **state)
{
	struct fixture fixture = make(&(struct esp_limits){.soft_octets = 300, .hard_octets = 500});
	unsigned sealed = 0;

	(void)state;
	while (seal(&fixture, 100))
		sealed++;
	assert_int_equal(sealed, 5);
	assert_int_equal(told(&fixture), ESP_NOTICE_SOFT | ESP_NOTICE_HARD);
}

static void packets_and_octets_in(void **state)
{
	struct fixture fixture = make(&(struct esp_limits){.soft_packets = 3, .hard_packets = 5});

	(void)state;
	assert_true(open(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_HEARD);
	assert_true(open(&fixture, 100) && open(&fixture, 100));
	assert_int_equal(told(&fixture), 0);
	assert_true(open(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_SOFT);
	assert_true(open(&fixture, 100));
	assert_false(open(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_HARD);
	fixture = make(&(struct esp_limits){.soft_octets = 150, .hard_octets = 350});
	assert_true(open(&fixture, 100) && open(&fixture, 100) && open(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_HEARD | ESP_NOTICE_SOFT);
	assert_false(open(&fixture, 100));
	assert_int_equal(told(&fixture), ESP_NOTICE_HARD);
}

/* conforms: RFC7402-3.3.6-3 RFC7402-6.8-1 RFC7402-6.8-8 */
static void sequence_numbers_come_to_an_end(void **state)
{
	struct fixture fixture = make(&(struct esp_limits){0});

	(void)state;
	assert_true(seal(&fixture, 1) && open(&fixture, 1));
	assert_int_equal(told(&fixture), ESP_NOTICE_HEARD);
	/* Numbers beyond 32 bits are nothing special. */
	fixture.pair.sequence_out = fixture.pair.window.highest = UINT64_C(1) << 33;
	assert_true(seal(&fixture, 1) && open(&fixture, 1));
	assert_int_equal(told(&fixture), 0);
	fixture.pair.sequence_out = UINT64_MAX - (UINT64_C(1) << 47);
	assert_true(seal(&fixture, 1));
	assert_int_equal(told(&fixture), ESP_NOTICE_SOFT);
	fixture.pair.sequence_out = UINT64_MAX - 3;
	assert_true(seal(&fixture, 1) && seal(&fixture, 1));
	assert_false(seal(&fixture, 1));
	assert_int_equal(told(&fixture), ESP_NOTICE_HARD);
	fixture = make(&(struct esp_limits){0});
	fixture.pair.window.highest = UINT64_MAX - (UINT64_C(1) << 47);
	assert_true(open(&fixture, 1));
	assert_int_equal(told(&fixture), ESP_NOTICE_HEARD | ESP_NOTICE_SOFT);
}

static void a_pair_that_goes_tells_nothing(void **state)
{
	struct fixture fixture = make(&(struct esp_limits){0});
	struct security_association others[2];

	(void)state;
	memset(others, 0, sizeof others);
	for (size_t i = 0; i < 2; i++) {
		others[i].spi_in = 1000;
		lifetime_start(&others[i], &(struct esp_limits){.soft_packets = 1});
	}
	others[0].window.highest = others[0].packets_in = 1;
	assert_true(lifetime_may_open(&fixture.table, &others[0]));
	assert_true(open(&fixture, 1));
	others[1].window.highest = others[1].packets_in = 2;
	assert_true(lifetime_may_open(&fixture.table, &others[1]));
	lifetime_forget(&fixture.table, &fixture.pair);
	lifetime_forget(&fixture.table, &others[1]);
	lifetime_forget(&fixture.table, &others[1]);
	assert_int_equal(told(&fixture), ESP_NOTICE_HEARD);
	assert_null(fixture.table.noticed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_out),
		cmocka_unit_test(octets_out),
		cmocka_unit_test(packets_and_octets_in),
		cmocka_unit_test(sequence_numbers_come_to_an_end),
		cmocka_unit_test(a_pair_that_goes_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
