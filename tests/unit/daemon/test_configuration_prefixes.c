/* SPDX-License-Identifier: MIT */
#include "daemon/configuration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static hiphop_error read_text(const char *text, struct configuration *configuration, char message[static 512])
{
	char path[] = "/tmp/hiphop-test-prefixes-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	hiphop_error error = configuration_read(path, configuration, message, 512);
	unlink(path);
	return error;
}

static void there_are_none_by_default(void **state)
{
	struct configuration configuration;

	(void)state;
	assert_int_equal(configuration_default(&configuration), HIPHOP_OK);
	assert_int_equal(configuration.announce_count, 0);
	assert_int_equal(configuration.accept_count, 0);
	assert_true(address_is_unspecified(&configuration.tunnel_ipv4));
	configuration_free(&configuration);
}

static void a_full_group_is_read(void **state)
{
	struct configuration configuration;
	char message[512], text[IP_PREFIX_TEXT_SIZE], hit[HIT_TEXT_SIZE];

	(void)state;
	/* The names come behind those who use them. */
	hiphop_error error = read_text("prefixes = { announce = ( \"2001:db8:100::/56\", \"10.1.0.0/16\" );\n"
				       "  accept = ( { prefix = \"2001:db8:200::/48\"; from = \"train\"; },\n"
				       "    { from = \"2001:22::7\"; prefix = \"10.2.0.0/16\"; } );\n"
				       "  address = \"100.64.0.7\"; };\n"
				       "underlay = { hosts = ( { name = \"train\"; hit = \"2001:22::9\"; address = "
				       "\"192.0.2.1\"; } ); };\n",
		&configuration, message);
	if (error)
		fail_msg("%s", message);
	assert_int_equal(configuration.announce_count, 2);
	assert_string_equal(ip_prefix_format(&configuration.announce[1], text), "10.1.0.0/16");
	assert_int_equal(configuration.accept_count, 2);
	assert_string_equal(ip_prefix_format(&configuration.accept[0].prefix, text), "2001:db8:200::/48");
	assert_string_equal(hit_format(&configuration.accept[0].owner, hit), "2001:22::9");
	assert_string_equal(hit_format(&configuration.accept[1].owner, hit), "2001:22::7");
	assert_string_equal(address_format(&configuration.tunnel_ipv4, text), "100.64.0.7");
	configuration_free(&configuration);
}

static void mistakes_are_said_in_a_sentence(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"announce = \"2001:db8::/56\";", "must be a list"},
		{"announce = ( 7 );", "text in double quotes"},
		{"announce = ( \"2001:db8::\" );", "is no prefix such as"},
		{"announce = ( \"2001:db8::1/56\" );", "bits behind the length"},
		{"announce = ( \"::/0\" );", "it is the default route"},
		{"announce = ( \"0.0.0.0/0\" );", "it is the default route"},
		{"announce = ( \"2001:20::/28\" );", "HITs in it"},
		{"announce = ( \"2000::/3\" );", "HITs in it"},
		{"announce = ( \"127.0.0.0/8\" );", "loopback"},
		{"announce = ( \"fe80::/64\" );", "link-local"},
		{"announce = ( \"224.0.0.0/8\" );", "multicast"},
		{"accept = ( \"2001:db8::/56\" );", "must stand in curly brackets"},
		{"accept = ( { prefix = \"2001:db8::/56\"; } );", "needs a prefix and from"},
		{"accept = ( { from = \"2001:22::7\"; } );", "needs a prefix and from"},
		{"accept = ( { } );", "needs a prefix and from"},
		{"accept = ( { prefix = \"2001:db8::/56\"; from = \"\"; } );", "from must be a text of 1 to"},
		{"accept = ( { prefix = \"2001:db8::/56\"; from = 7; } );", "from must be a text of 1 to"},
		{"accept = ( { prefix = \"2001:db8::/56\"; from = \"anybody\"; } );", "\"anybody\" is no HIT"},
		{"accept = ( { prefix = \"2001:db8::/56\"; from = \"2001:20::7\"; } );", "is no HIT"},
		{"accept = ( { prefix = \"::/0\"; from = \"2001:22::7\"; } );", "default route"},
		{"accept = ( { prefix = \"2001:22::8/128\"; from = \"2001:22::7\"; } );", "HITs in it"},
		{"accept = ( { prefix = \"2001:db8::/56\"; from = \"2001:22::7\"; metric = 1; } );",
			"unknown key \"metric\""},
		{"address = 7;", "must be a text"},
		{"address = \"2001:db8::1\";", "is no IPv4 address"},
		{"address = \"::ffff:10.0.0.1\";", "is no IPv4 address"},
		{"address = \"10.0.0\";", "is no IPv4 address"},
		{"address = \"127.0.0.1\";", "is no address of a single host"},
		{"address = \"0.0.0.0\";", "is no address of a single host"},
		{"address = \"255.255.255.255\";", "is no address of a single host"},
		{"metric = 5;", "unknown key \"prefixes.metric\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct configuration configuration;
		char text[512], message[512];
		snprintf(text, sizeof text, "prefixes = {\n%s };\n", cases[i].text);
		assert_int_equal(read_text(text, &configuration, message), HIPHOP_MALFORMED);
		if (!strstr(message, cases[i].words) || !strstr(message, ":2: "))
			fail_msg("%s\ngives: %s", cases[i].text, message);
	}
}

/* `count` entries of one list. */
static hiphop_error read_many(
	const char *list, const char *entry, int count, const char *more, char message[static 512])
{
	static char text[20000];
	struct configuration configuration;
	int used = snprintf(text, sizeof text, "prefixes = { %s %s = (", more, list);

	for (int i = 0; i < count; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, "%s %s", i ? "," : "", entry);
	snprintf(text + used, sizeof text - (size_t)used, " ); };");
	hiphop_error error = read_text(text, &configuration, message);
	if (!error)
		configuration_free(&configuration);
	return error;
}

static void the_lists_are_bounded(void **state)
{
	static const char entry[] = "{ prefix = \"2001:db8::/56\"; from = \"2001:22::7\"; }";
	static const char address[] = "address = \"10.0.0.1\";";
	char message[512];

	(void)state;
	assert_int_equal(read_many("announce", "\"2001:db8::/56\"", 64, "", message), HIPHOP_OK);
	assert_int_equal(read_many("announce", "\"2001:db8::/56\"", 65, "", message), HIPHOP_MALFORMED);
	assert_int_equal(read_many("announce", "\"2001:db8::/56\"", 63, address, message), HIPHOP_OK);
	assert_int_equal(read_many("announce", "\"2001:db8::/56\"", 64, address, message), HIPHOP_MALFORMED);
	assert_int_equal(read_many("accept", entry, 64, "", message), HIPHOP_OK);
	assert_int_equal(read_many("accept", entry, 65, "", message), HIPHOP_MALFORMED);
}

static void they_need_an_overlay(void **state)
{
	static const char *const groups[] = {"announce = ( \"10.1.0.0/16\" );", "address = \"10.1.0.1\";",
		"accept = ( { prefix = \"10.1.0.0/16\"; from = \"2001:22::7\"; } );"};

	(void)state;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		struct configuration configuration;
		char text[512], message[512];
		snprintf(text, sizeof text, "overlay = { role = \"none\"; };\nprefixes = { %s };", groups[i]);
		assert_int_equal(read_text(text, &configuration, message), HIPHOP_MALFORMED);
		assert_non_null(strstr(message, ":2: prefixes are announced in the overlay"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_none_by_default),
		cmocka_unit_test(a_full_group_is_read),
		cmocka_unit_test(mistakes_are_said_in_a_sentence),
		cmocka_unit_test(the_lists_are_bounded),
		cmocka_unit_test(they_need_an_overlay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
