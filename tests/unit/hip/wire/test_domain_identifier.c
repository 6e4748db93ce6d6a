/* SPDX-License-Identifier: MIT */
#include "hip/wire/domain_identifier.h"

#include "hip/wire/constants.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static struct span octets_of(const char *octets, size_t length)
{
	return (struct span){(const uint8_t *)octets, length};
}

static void a_name_becomes_labels(void **state)
{
	struct domain_identifier made;
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE];

	(void)state;
	assert_int_equal(domain_identifier_from_text("host.example.com", &made), HIPHOP_OK);
	assert_int_equal(made.type, DOMAIN_IDENTIFIER_FQDN);
	assert_int_equal(made.length, 18);
	assert_memory_equal(made.octets, "\4host\7example\3com", 18);
	assert_string_equal(domain_identifier_format(&made, text), "host.example.com");
	assert_int_equal(domain_identifier_from_text("host.example.com.", &made), HIPHOP_OK);
	assert_int_equal(made.length, 18);
	assert_false(domain_identifier_is_none(&made));
}

static void a_name_with_an_at_is_an_nai(void **state)
{
	static const char *const names[] = {"bob@example.com", "@example.com", "bob@"};
	struct domain_identifier made;
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(domain_identifier_from_text(names[i], &made), HIPHOP_OK);
		assert_int_equal(made.type, DOMAIN_IDENTIFIER_NAI);
		assert_int_equal(made.length, strlen(names[i]));
		assert_string_equal(domain_identifier_format(&made, text), names[i]);
	}
}

static void bad_texts_are_refused(void **state)
{
	static const struct {
		const char *text;
		hiphop_error expected;
	} rows[] = {
		{".", HIPHOP_MALFORMED},
		{"a..b", HIPHOP_MALFORMED},
		{".a", HIPHOP_MALFORMED},
		{"a b", HIPHOP_MALFORMED},
		{"h\303\266st", HIPHOP_MALFORMED},
		{LABEL_63, HIPHOP_OK},
		{LABEL_63 "h", HIPHOP_MALFORMED},
		{"@", HIPHOP_MALFORMED},
		{"a@b@c", HIPHOP_MALFORMED},
		{"a b@c", HIPHOP_MALFORMED},
		{LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, HIPHOP_TOO_LARGE},
		{LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
			HIPHOP_OK},
		{LABEL_63 LABEL_63 LABEL_63 LABEL_63 "@a", HIPHOP_TOO_LARGE},
		{LABEL_63 LABEL_63 LABEL_63 LABEL_63 "@", HIPHOP_OK},
	};
	struct domain_identifier made;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(domain_identifier_from_text(rows[i].text, &made), rows[i].expected);
		assert_int_equal(domain_identifier_is_none(&made), rows[i].expected != HIPHOP_OK);
	}
	assert_int_equal(domain_identifier_from_text("", &made), HIPHOP_OK);
	assert_true(domain_identifier_is_none(&made));
}

static void received_ones_are_checked(void **state)
{
	static const struct {
		uint8_t type;
		const char *octets;
		size_t length;
		hiphop_error expected;
	} rows[] = {
		{0, "", 0, HIPHOP_OK},
		{0, "a", 1, HIPHOP_MALFORMED},
		{1, "\4host\0", 6, HIPHOP_OK},
		{1, "", 1, HIPHOP_OK},
		{1, "", 0, HIPHOP_MALFORMED},
		{1, "\4host", 5, HIPHOP_MALFORMED},
		{1, "\4hos", 4, HIPHOP_MALFORMED},
		{1, "\4host\0\0", 7, HIPHOP_MALFORMED},
		{1, "\300\0", 2, HIPHOP_MALFORMED},
		{1, "\100", 1, HIPHOP_MALFORMED},
		{2, "bob@a", 5, HIPHOP_OK},
		{2, "", 0, HIPHOP_MALFORMED},
		{3, "a", 1, HIPHOP_UNSUPPORTED},
		{15, "", 0, HIPHOP_UNSUPPORTED},
	};
	static const char long_name[DOMAIN_IDENTIFIER_MAXIMUM + 1];
	struct domain_identifier made;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(
			domain_identifier_from_octets(rows[i].type, octets_of(rows[i].octets, rows[i].length), &made),
			rows[i].expected);
		if (rows[i].expected)
			assert_true(domain_identifier_is_none(&made));
	}
	assert_int_equal(
		domain_identifier_from_octets(2, octets_of(long_name, sizeof long_name), &made), HIPHOP_TOO_LARGE);
	assert_int_equal(
		domain_identifier_from_octets(2, octets_of(long_name, sizeof long_name - 1), &made), HIPHOP_OK);
}

/* What a stranger says about itself must drive no terminal and break no JSON. */
static void the_text_is_printable(void **state)
{
	struct domain_identifier made;
	char text[DOMAIN_IDENTIFIER_TEXT_SIZE];

	(void)state;
	assert_int_equal(domain_identifier_from_octets(1, octets_of("\5a.\033\\\377\1b\0", 9), &made), HIPHOP_OK);
	assert_string_equal(domain_identifier_format(&made, text), "a\\046\\027\\092\\255.b");
	memset(&made, 0xff, sizeof made);
	made.type = DOMAIN_IDENTIFIER_NAI;
	domain_identifier_format(&made, text);
	assert_int_equal(strlen(text), DOMAIN_IDENTIFIER_TEXT_SIZE - 1);
	memset(&made, 0, sizeof made);
	assert_string_equal(domain_identifier_format(&made, text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_becomes_labels),
		cmocka_unit_test(a_name_with_an_at_is_an_nai),
		cmocka_unit_test(bad_texts_are_refused),
		cmocka_unit_test(received_ones_are_checked),
		cmocka_unit_test(the_text_is_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
