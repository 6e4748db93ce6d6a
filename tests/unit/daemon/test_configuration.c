/* SPDX-License-Identifier: MIT */
#include "daemon/configuration.h"
#include "daemon/configuration_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIT_1 "2001:22::1"
#define HIT_2 "2001:22::2"

static char path[64];

static void write_file(const char *text)
{
	strcpy(path, "/tmp/hiphop-test-configuration-XXXXXX");
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
}

static hiphop_error read_text_as_file(const char *text, struct configuration *configuration, char message[static 512])
{
	write_file(text);
	hiphop_error error = configuration_read(path, configuration, message, 512);
	unlink(path);
	return error;
}

static void assert_list(const struct algorithm_list *list, size_t count, const uint8_t *ids)
{
	assert_int_equal(list->count, count);
	assert_memory_equal(list->ids, ids, count);
}

static void everything_has_a_default(void **state)
{
	(void)state;
	struct configuration configuration;
	assert_int_equal(configuration_default(&configuration), HIPHOP_OK);
	assert_string_equal(configuration.key_file, "/var/lib/hiphop/host.pem");
	assert_string_equal(configuration.tunnel_name, "hip0");
	assert_int_equal(configuration.tunnel_mtu, 1400);
	assert_int_equal(configuration.port, 10500);
	assert_int_equal(configuration.transport_count, 2);
	assert_int_equal(configuration.transports[0], TRANSPORT_UDP);
	assert_int_equal(configuration.transports[1], TRANSPORT_IP);
	assert_true(configuration.icmp);
	assert_string_equal(configuration.topology, "chord");
	assert_string_equal(configuration.hash, "sha256");
	assert_false(configuration.client);
	assert_string_equal(configuration.sip_domain, configuration.overlay_name);
	assert_int_equal(configuration.sip_port, 5060);
	assert_int_equal(configuration.sip_network_count, 0);
	assert_false(configuration.associate_listed);
	assert_int_equal(configuration.more_count, 0);
	assert_true(domain_identifier_is_none(&configuration.name));
	assert_int_equal(configuration.opportunistic, OPPORTUNISTIC_BOTH);
	assert_false(configuration.refuse_anonymous);
	assert_int_equal(configuration.inbound_count, 3);
	assert_int_equal(configuration.inbound[2].traffic, ACCESS_CALLS);
	assert_list(&configuration.hit_suites, 2, (uint8_t[]){2, 1});
	assert_list(&configuration.dh_groups, 5, (uint8_t[]){7, 8, 9, 4, 11});
	assert_list(&configuration.hip_ciphers, 2, (uint8_t[]){2, 4});
	assert_list(&configuration.esp_suites, 4, (uint8_t[]){13, 11, 8, 9});
	assert_false(configuration.weak);
	assert_false(configuration.outside_overlay);
	assert_int_equal(configuration.interface_count, 0);
	assert_int_equal(configuration.path_mode, PATH_MODE_BEST);
	assert_string_equal(configuration.control_socket, "/run/hiphop/control.sock");
	assert_string_equal(configuration.user, "hiphop");
	configuration_free(&configuration);
}

static void an_empty_file_is_the_defaults(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	assert_int_equal(read_text_as_file("", &configuration, message), HIPHOP_OK);
	assert_int_equal(configuration.port, 10500);
	configuration_free(&configuration);
}

/* conforms: RFC7402-3.3.7-2 */
static void the_life_of_esp_keys(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	assert_int_equal(read_text_as_file("esp = { rekey_seconds = 60; rekey_bytes = 9000000000L; rekey_packets = 5;\n"
					   "rekey_dh = false; unused_seconds = 86400; };",
				 &configuration, message),
		HIPHOP_OK);
	assert_int_equal(configuration.rekey_seconds, 60);
	assert_int_equal(configuration.rekey_bytes, 9000000000);
	assert_int_equal(configuration.rekey_packets, 5);
	assert_false(configuration.rekey_dh);
	assert_int_equal(configuration.unused_seconds, 86400);
	configuration_free(&configuration);
}

static void lists_of_algorithms(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	const char *text = "hip = { hit_suites = ( \"ecdsa-low\", \"RSA\" );\n"
			   " dh_groups = ( \"P-384\", \"modp1536\", \"secp160r1\" );\n"
			   " ciphers = ( \"AES-256-CBC\", \"null\" );\n weak = true; };\n"
			   "esp = { suites = ( \"null-sha256\", \"aes128gmac\", \"aes-256-cbc-hmac-sha256-128\" ); };\n"
			   "overlay = { role = \"none\"; };\n";
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_OK);
	assert_list(&configuration.hit_suites, 2, (uint8_t[]){3, 1});
	assert_list(&configuration.dh_groups, 3, (uint8_t[]){8, 3, 10});
	assert_list(&configuration.hip_ciphers, 2, (uint8_t[]){4, 1});
	assert_list(&configuration.esp_suites, 3, (uint8_t[]){7, 15, 9});
	assert_true(configuration.outside_overlay);
	assert_false(configuration.client);
	configuration_free(&configuration);
}

static void assert_network(const struct sip_network *network, const char *text, uint8_t prefix_length)
{
	struct address address;
	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	assert_true(address_equal(&network->address, &address));
	assert_int_equal(network->prefix_length, prefix_length);
}

static void networks_with_phones(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	assert_int_equal(
		read_text_as_file(
			"sip = { listen = ( \"192.168.10.1\", \"10.0.0.1/8\", \"fd00::1\", \"fd01::1/48\" ); };",
			&configuration, message),
		HIPHOP_OK);
	assert_int_equal(configuration.sip_network_count, 4);
	assert_network(&configuration.sip_networks[0], "192.168.10.1", 96 + 24);
	assert_network(&configuration.sip_networks[1], "10.0.0.1", 96 + 8);
	assert_network(&configuration.sip_networks[2], "fd00::1", 64);
	assert_network(&configuration.sip_networks[3], "fd01::1", 48);
	configuration_free(&configuration);
}

static void what_is_no_network_with_phones(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "here", "127.0.0.1", "::1", "0.0.0.0", "::", "224.0.0.1", "fe80::1",
		HIT_1, "192.168.10.1/", "192.168.10.1/7", "192.168.10.1/33", "192.168.10.1/24x", "192.168.10.1/-1",
		"fd00::1/31", "fd00::1/129", "192.168.10.1:5060", "192.168.10.1/24/24", "192.168.10.1/ 24",
		"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"};
	struct configuration configuration;
	char text[256], message[512];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "sip = {\n listen = ( \"%s\" ); };", bad[i]);
		if (read_text_as_file(text, &configuration, message) != HIPHOP_MALFORMED)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(message, ":2: an entry of sip.listen must be an address of this host"));
	}
	assert_int_equal(read_text_as_file(
				 "sip = { listen = ( \"10.0.0.1/8\",\n \"10.0.0.1/16\" ); };", &configuration, message),
		HIPHOP_MALFORMED);
	assert_non_null(strstr(message, ":2: \"10.0.0.1/16\" stands twice in sip.listen"));
}

static void a_full_file(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	const char *text =
		"identity = { key = \"/k.pem\"; };\n"
		"tunnel = { name = \"hip7\"; mtu = 1300; };\n"
		"underlay = { port = 10501; transports = ( \"udp\" ); icmp = false;\n"
		" hosts = ( { name = \"bob\"; hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; },\n"
		"           { hit = \"" HIT_2 "\"; address = \"2001:db8::7\"; port = 99; } ); };\n"
		"overlay = { name = \"example.com\"; role = \"client\"; hash = \"sha1\";\n"
		" bootstrap = ( { address = \"192.0.2.1\"; }, { address = \"192.0.2.2\"; port = 7; hit = \"" HIT_1
		"\"; } ); };\n"
		"sip = { domain = \"sip.example.com\"; port = 5070; };\n"
		"access = { associate = \"listed\"; rules = ( \"deny with bob\", \"allow in any from a@b.c\" ); "
		"inbound = ( \"any\", \"tcp/22\", { hit = \"" HIT_1 "\"; },\n"
		" { port = \"udp/53\"; hit = \"" HIT_2 "\"; } ); };\n"
		"control = { socket = \"/tmp/c.sock\"; };\n"
		"state = \"/tmp/s\"; user = \"u\"; group = \"g\";\n";
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_OK);
	assert_string_equal(configuration.key_file, "/k.pem");
	assert_string_equal(configuration.tunnel_name, "hip7");
	assert_int_equal(configuration.transport_count, 1);
	assert_false(configuration.icmp);
	assert_int_equal(configuration.transports[0], TRANSPORT_UDP);
	assert_int_equal(configuration.host_count, 2);
	assert_string_equal(configuration.hosts[0].name, "bob");
	assert_int_equal(configuration.hosts[0].endpoint.port, 10501);
	assert_int_equal(configuration.hosts[1].endpoint.port, 99);
	assert_true(configuration.client);
	assert_int_equal(configuration.bootstrap_count, 2);
	assert_true(hit_is_null(&configuration.bootstrap[0].hit));
	assert_int_equal(configuration.bootstrap[0].endpoint.port, 10501);
	assert_int_equal(configuration.bootstrap[1].endpoint.port, 7);
	assert_string_equal(configuration.sip_domain, "sip.example.com");
	assert_true(configuration.associate_listed);
	assert_int_equal(configuration.rule_count, 2);
	assert_true(configuration.rules[0].deny);
	assert_string_equal(configuration.rules[1].name, "a@b.c");
	assert_int_equal(configuration.inbound_count, 4);
	assert_int_equal(configuration.inbound[1].protocol, 6);
	assert_int_equal(configuration.inbound[1].first_port, 22);
	assert_int_equal(configuration.inbound[2].traffic, ACCESS_ANY);
	assert_false(hit_is_null(&configuration.inbound[2].hit));
	assert_int_equal(configuration.inbound[3].protocol, 17);
	configuration_free(&configuration);
}

static void there_can_be_more_identities(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512], text[DOMAIN_IDENTIFIER_TEXT_SIZE];
	const char *file = "identity = { key = \"/k.pem\"; name = \"host.example.com\";\n"
			   " more = ( { key = \"/2.pem\"; name = \"bob@example.com\"; type = \"rsa-3072\"; },\n"
			   "  { anonymous = true; }, { key = \"/3.pem\"; anonymous = false; } ); };\n"
			   "access = { opportunistic = \"ask\"; anonymous = \"refuse\"; };";
	assert_int_equal(read_text_as_file(file, &configuration, message), HIPHOP_OK);
	assert_string_equal(domain_identifier_format(&configuration.name, text), "host.example.com");
	assert_int_equal(configuration.more_count, 3);
	assert_string_equal(configuration.more[0].key_file, "/2.pem");
	assert_string_equal(domain_identifier_format(&configuration.more[0].name, text), "bob@example.com");
	assert_int_equal(configuration.more[0].kind, HOST_IDENTITY_RSA_3072);
	assert_false(configuration.more[0].anonymous);
	assert_true(configuration.more[1].anonymous);
	assert_string_equal(configuration.more[1].key_file, "");
	assert_false(configuration.more[2].anonymous);
	assert_int_equal(configuration.more[2].kind, HOST_IDENTITY_ECDSA_P256);
	assert_true(domain_identifier_is_none(&configuration.more[2].name));
	assert_int_equal(configuration.opportunistic, OPPORTUNISTIC_ASK);
	assert_true(configuration.refuse_anonymous);
	configuration_free(&configuration);
}

static void the_key_follows_the_state_directory(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	assert_int_equal(read_text_as_file("state = \"/tmp/here\";", &configuration, message), HIPHOP_OK);
	assert_string_equal(configuration.key_file, "/tmp/here/host.pem");
	configuration_free(&configuration);
}

static void locators_are_of_the_transport_most_liked(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	const char *text = "overlay = { bootstrap = ( { address = \"192.0.2.1\"; port = 10500; } ); };"
			   "underlay = { transports = ( \"ip\", \"udp\" );"
			   " hosts = ( { hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; } ); };";
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_OK);
	assert_int_equal(configuration.hosts[0].endpoint.transport, TRANSPORT_IP);
	assert_int_equal(configuration.hosts[0].endpoint.port, 0);
	assert_int_equal(configuration.bootstrap[0].endpoint.transport, TRANSPORT_IP);
	assert_int_equal(configuration.bootstrap[0].endpoint.port, 0);
	configuration_free(&configuration);
}

static void a_peer_has_its_own_transport(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	const char *text =
		"underlay = { hosts = ( { hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; transport = \"ip\"; },"
		" { hit = \"" HIT_2
		"\"; address = \"192.0.2.8\"; transport = \"udp\"; port = 7; unused_seconds = 172800; } ); };"
		"overlay = { bootstrap = ( { address = \"192.0.2.1\"; transport = \"ip\"; } ); };";
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_OK);
	assert_int_equal(configuration.hosts[0].endpoint.transport, TRANSPORT_IP);
	assert_int_equal(configuration.hosts[0].endpoint.port, 0);
	assert_int_equal(configuration.hosts[1].endpoint.transport, TRANSPORT_UDP);
	assert_int_equal(configuration.hosts[1].endpoint.port, 7);
	assert_int_equal(configuration.hosts[0].unused_seconds, 0);
	assert_int_equal(configuration.hosts[1].unused_seconds, 172800);
	assert_int_equal(configuration.bootstrap[0].endpoint.transport, TRANSPORT_IP);
	configuration_free(&configuration);
}

static void what_is_thought_of_interfaces(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	const char *text = "paths = { interfaces = ( { name = \"wl*\"; preference = \"prefer\"; },\n"
			   " { name = \"wwan0123456789a\"; metered = true; cost = 65535; use = true; },\n"
			   " { name = \"sat0\"; preference = \"avoid\"; metered = false; cost = 0; },\n"
			   " { name = \"docker*\"; use = false; }, { name = \"*\"; preference = \"normal\"; } );\n"
			   " mode = \"duplicate\"; };";
	static const struct configured_interface expected[] = {
		{"wl*", LINK_PREFER, false, 0, false},
		{"wwan0123456789a", LINK_NORMAL, true, 65535, false},
		{"sat0", LINK_AVOID, false, 0, false},
		{"docker*", LINK_NORMAL, false, 0, true},
		{"*", LINK_NORMAL, false, 0, false},
	};
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_OK);
	assert_int_equal(configuration.interface_count, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < configuration.interface_count; i++) {
		const struct configured_interface *found = &configuration.interfaces[i];
		assert_string_equal(found->name, expected[i].name);
		assert_int_equal(found->preference, expected[i].preference);
		assert_int_equal(found->metered, expected[i].metered);
		assert_int_equal(found->cost, expected[i].cost);
		assert_int_equal(found->unused, expected[i].unused);
	}
	assert_int_equal(configuration.path_mode, PATH_MODE_DUPLICATE);
	configuration_free(&configuration);
	assert_int_equal(read_text_as_file("paths = { mode = \"spread\"; };", &configuration, message), HIPHOP_OK);
	assert_int_equal(configuration.path_mode, PATH_MODE_SPREAD);
	assert_int_equal(configuration.interface_count, 0);
	configuration_free(&configuration);
}

static void interfaces_have_a_limit(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512], text[4096];
	for (size_t entries = CONFIGURATION_INTERFACES; entries <= CONFIGURATION_INTERFACES + 1; entries++) {
		size_t length = (size_t)snprintf(text, sizeof text, "paths = { interfaces = ( { name = \"e0\"; }");
		for (size_t i = 1; i < entries; i++)
			length += (size_t)snprintf(text + length, sizeof text - length, ", { name = \"e%zu\"; }", i);
		snprintf(text + length, sizeof text - length, " ); };");
		bool fits = entries == CONFIGURATION_INTERFACES;
		assert_int_equal(read_text_as_file(text, &configuration, message), fits ? HIPHOP_OK : HIPHOP_MALFORMED);
		if (!fits)
			assert_non_null(strstr(message, "more than 64 entries"));
		assert_int_equal(configuration.interface_count, fits ? CONFIGURATION_INTERFACES : 0);
		configuration_free(&configuration);
	}
}

static void mobile_routers(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	struct hit hit;
	const char *text =
		"underlay = { hosts = ( { name = \"train\"; hit = \"2001:22::1\"; address = \"10.0.0.1\"; } ); };\n"
		"router = { serve = true; inside = ( \"wlan0\", \"eth1\" );\n"
		" hosts = ( \"train\", \"2001:22::2\" ); use = \"train\"; };";
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_OK);
	assert_true(configuration.router.serves);
	assert_int_equal(configuration.router.inside_count, 2);
	assert_string_equal(configuration.router.inside[1], "eth1");
	assert_int_equal(hit_parse("2001:22::1", &hit), HIPHOP_OK);
	assert_int_equal(configuration.router.host_count, 2);
	assert_true(hit_equal(&configuration.router.hosts[0].hit, &hit));
	assert_true(hit_equal(&configuration.router.use.hit, &hit));
	configuration_free(&configuration);
	assert_int_equal(configuration_default(&configuration), HIPHOP_OK);
	assert_false(configuration.router.serves);
	assert_true(hit_is_null(&configuration.router.use.hit));
	configuration_free(&configuration);
}

struct bad {
	const char *text;
	int line;
	const char *says;
};

static const struct bad bad_inputs[] = {
	{"router = { serve = true; };", 1, "needs router.inside"},
	{"router = { inside = \"eth0\"; };", 1, "must be a list"},
	{"router = { inside = ( \"\" ); };", 1, "1 to 15 characters"},
	{"router = {\nhosts = ( \"nobody\" ); };", 2, "no host of underlay.hosts is called \"nobody\""},
	{"router = { use = \"2001:20::1\"; };", 1, "no HIT"},
	{"stat = \"/x\";", 1, "unknown key \"stat\""},
	{"identity = { name = \"a..b\"; };", 1, "neither a host name"},
	{"identity = {\n name = 5; };", 2, "text in double quotes"},
	{"identity = { more = 5; };", 1, "list in round brackets"},
	{"identity = { more = ( { anonymous = true;\n certificate = \"c\"; } ); };", 2, "has no certificate"},
	{"identity = { more = ( { key = \"a\"; certificate = 5; } ); };", 1, "certificate must be a text"},
	{"access = { certificate_authorities = \"ca.pem\"; };", 1, "list in round brackets"},
	{"access = { certificate_authorities = (\n \"\" ); };", 2,
		"a file name of access.certificate_authorities must be a text of 1 to"},
	{"identity = { more = (\n { } ); };", 2, "needs a key"},
	{"identity = { more = ( { key = \"\"; } ); };", 1, "needs a key"},
	{"identity = { more = ( { key = \"a\"; file = \"b\"; } ); };", 1, "unknown key \"file\""},
	{"identity = { more = ( { key = \"a\";\n name = \"@\"; } ); };", 2, "neither a host name"},
	{"identity = { more = ( { key = \"a\"; type = \"dsa\"; } ); };", 1, "no type of key"},
	{"identity = { more = ( { key = \"a\"; type = \"ecdsa-low\"; } ); };", 1, "no type of key"},
	{"identity = { more = ( { anonymous = 1; } ); };", 1, "true or false"},
	{"identity = { more = ( { anonymous = true;\n key = \"a\"; } ); };", 2, "anonymous identity has no key"},
	{"identity = { more = ( { anonymous = true; name = \"a\"; } ); };", 1, "anonymous identity has no name"},
	{"identity = { more = ( { key = \"1\"; }, { key = \"2\"; }, { key = \"3\"; }, { key = \"4\"; },\n"
	 " { key = \"5\"; }, { key = \"6\"; }, { key = \"7\"; }, { key = \"8\"; } ); };",
		1, "more than 7"},
	{"access = { opportunistic = \"no\"; };", 1, "one of both, answer, ask, never"},
	{"access = { anonymous = \"no\"; };", 1, "one of accept, refuse"},
	{"\n\ntunnel = { name = \"hip0\";\n mut = 1400; };", 4, "unknown key \"tunnel.mut\""},
	{"tunnel = 5;", 1, "curly brackets"},
	{"tunnel = { mtu = \"big\"; };", 1, "whole number"},
	{"tunnel = { mtu = 1279; };", 1, "from 1280 to 8900"},
	{"tunnel = {\n mtu = 8901; };", 2, "from 1280 to 8900"},
	{"tunnel = { mtu = 1400.0; };", 1, "whole number"},
	{"tunnel = { name = \"a name with spaces\"; };", 1, "network device"},
	{"tunnel = { name = \"\"; };", 1, "network device"},
	{"underlay = { port = -1; };", 1, "from 0 to 65535"},
	{"underlay = { port = 65536; };", 1, "from 0 to 65535"},
	{"underlay = { port = 99999999999L; };", 1, "from 0 to 65535"},
	{"underlay = { transports = ( ); };", 1, "must not be empty"},
	{"underlay = { transports = ( \"tcp\" ); };", 1, "\"udp\" and \"ip\" only"},
	{"underlay = { transports = ( \"udp\", \"udp\" ); };", 1, "stands twice"},
	{"underlay = { transports = ( \"udp\", \"ip\", \"udp\" ); };", 1, "more than 2"},
	{"underlay = { transports = \"udp\"; };", 1, "list"},
	{"underlay = { hosts = ( \"bob\" ); };", 1, "curly brackets"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\"; } ); };", 1, "needs an address"},
	{"underlay = { hosts = ( { address = \"192.0.2.7\"; } ); };", 1, "needs a hit"},
	{"underlay = { hosts = (\n { hit = \"2001:db8::1\";\n address = \"192.0.2.7\"; } ); };", 2, "is no HIT"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\";\n address = \"example.com\"; } ); };", 2, "is no IP address"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\"; address = \"" HIT_1 "\"; } ); };", 1, "is a HIT"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; port = 0; } ); };", 1, "1 to 65535"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; unused_seconds = 9; } ); };", 1,
		"from 10 to 2592000"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; color = 0; } ); };", 1,
		"unknown key \"color\""},
	{"underlay = { hosts = ( { name = \"a\"; hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; },\n"
	 " { name = \"a\"; hit = \"" HIT_2 "\"; address = \"192.0.2.8\"; } ); };",
		2, "two hosts of the name"},
	{"underlay = { hosts = ( { hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; transport = \"tcp\"; } ); };", 1,
		"\"udp\" or \"ip\""},
	{"underlay = { transports = ( \"udp\" );\n hosts = ( { hit = \"" HIT_1
	 "\"; address = \"192.0.2.7\";\n transport = \"ip\"; } ); };",
		3, "not in underlay.transports"},
	{"paths = { interfaces = \"eth0\"; };", 1, "paths.interfaces must be a list in round brackets"},
	{"paths = { interfaces = (\n \"eth0\" ); };", 2, "an entry of paths.interfaces must stand in curly brackets"},
	{"paths = { interfaces = (\n { cost = 1; } ); };", 2, "an entry of paths.interfaces needs a name"},
	{"paths = { interfaces = ( { name = 5; } ); };", 1, "name must be a text"},
	{"paths = { interfaces = ( {\n name = \"\"; } ); };", 2, "name must be a text of 1 to 15 characters"},
	{"paths = { interfaces = ( { name = \"wwan0123456789ab\"; } ); };", 1,
		"name must be a text of 1 to 15 characters"},
	{"paths = { interfaces = ( { name = \"\xff\"; } ); };", 1, "name is not in UTF-8"},
	{"paths = { interfaces = ( { name = \"a\";\n preference = \"best\"; } ); };", 2,
		"preference must be \"normal\", \"prefer\" or \"avoid\""},
	{"paths = { interfaces = ( { name = \"a\"; preference = 1; } ); };", 1, "preference must be a text"},
	{"paths = { interfaces = ( { name = \"a\";\n\n metered = 1; } ); };", 3, "metered must be true or false"},
	{"paths = { interfaces = ( { name = \"a\"; use = \"no\"; } ); };", 1, "use must be true or false"},
	{"paths = { interfaces = ( { name = \"a\"; cost = -1; } ); };", 1,
		"cost must be a whole number from 0 to 65535"},
	{"paths = { interfaces = ( { name = \"a\"; cost = 65536; } ); };", 1, "from 0 to 65535"},
	{"paths = { interfaces = ( { name = \"a\"; cost = 1.5; } ); };", 1, "whole number"},
	{"paths = { interfaces = ( { name = \"a\"; cost = 1L; } ); };", 1, "whole number"},
	{"paths = { interfaces = ( { name = \"a\";\n weight = 1; } ); };", 2, "unknown key \"weight\""},
	{"paths = { mode = \"fastest\"; };", 1, "one of best, spread, duplicate"},
	{"paths = { mode = 1; };", 1, "one of best, spread, duplicate"},
	{"overlay = { bootstrap = ( { address = \"0.0.0.0\"; } ); };", 1, "no address of a single host"},
	{"overlay = { bootstrap = ( { address = \"255.255.255.255\"; } ); };", 1, "no address of a single host"},
	{"overlay = { bootstrap = ( { address = \"ff02::1\"; } ); };", 1, "no address of a single host"},
	{"overlay = { name = \"\"; };", 1, "must not be empty"},
	{"overlay = { name = \"a\\x1b[31m\"; };", 1, "control characters"},
	{"overlay = {\n name = \"my ring\"; };", 2, "sip.domain is needed"},
	{"overlay = { name = \"a\\xe4b\"; };", 1, "not in UTF-8"},
	{"underlay = { hosts = (\n { name = \"\xff\"; hit = \"" HIT_1 "\"; address = \"192.0.2.7\"; } ); };", 2,
		"not in UTF-8"},
	{"sip = { domain = \"a b\"; };", 1, "no domain name"},
	{"\nsip = { domain = \"a\\r\\nVia: b\"; };", 2, "no domain name"},
	{"sip = { domain = \"a..b\"; };", 1, "no domain name"},
	{"overlay = { topology = \"star\"; };", 1, "one of chord"},
	{"overlay = { hash = \"md5\"; };", 1, "one of sha256"},
	{"overlay = { role = true; };", 1, "one of peer, client, none"},
	{"overlay = { role = \"none\";\n bootstrap = ( { address = \"192.0.2.1\"; } ); };", 2, "of no use"},
	{"hip = { dh_groups = ( ); };", 1, "hip.dh_groups must not be empty"},
	{"hip = { dh_groups = \"p-256\"; };", 1, "must be a list"},
	{"hip = { dh_groups = ( \"p-256\",\n 7 ); };", 2, "an entry of hip.dh_groups is no Diffie-Hellman group"},
	{"hip = { dh_groups = ( \"curve25519\" ); };", 1,
		"\"curve25519\" is no Diffie-Hellman group; there are modp-1536, "},
	{"hip = { dh_groups = (\n \"p-256\",\n \"ECP256\" ); };", 3, "\"p-256\" stands twice in hip.dh_groups"},
	{"hip = {\n dh_groups = ( \"p-256\", \"modp-1536\" ); };", 2,
		"\"modp-1536\" is weak: a prime below 2048 bits; hip.weak = true would allow it"},
	{"hip = { weak = false;\n dh_groups = ( \"secp160r1\" ); };", 2, "\"secp160r1\" is weak"},
	{"hip = { ciphers = ( \"aes-128-cbc\",\n \"null\" ); };", 2, "\"null\" is weak: it encrypts nothing"},
	{"hip = { ciphers = ( \"aes-192-cbc\" ); };", 1, "is no HIP cipher; there are null, aes-128-cbc, aes-256-cbc"},
	{"hip = { hit_suites = ( \"ecdsa\",\n \"ecdsa-low\" ); };", 2, "\"ecdsa-low\" is weak"},
	{"hip = { hit_suites = ( \"dsa\" ); };", 1, "is no HIT suite; there are rsa, ecdsa, ecdsa-low"},
	{"hip = { weak = \"yes\"; };", 1, "must be true or false"},
	{"esp = { suites = (\n \"aes128-sha1\" ); };", 2, "its integrity check is SHA-1"},
	{"esp = { suites = ( \"null-sha256\" ); };", 1, "\"null-hmac-sha256-128\" is weak: it encrypts nothing"},
	{"hip = { weak = true; };\nesp = { suites = ( \"aes128gcm16\",\n \"aes128gmac\" ); };", 3,
		"not for a host of an overlay; overlay.role = \"none\""},
	{"esp = { suites = ( \"aes128gcm16\", \"aes128gcm8\", \"aes128ccm16\", \"aes128ccm8\", \"aes128-sha256\","
	 " \"aes256-sha256\", \"aes128-sha1\" ); };",
		1, "more than 6 entries"},
	{"esp = { rekey_seconds = 0; };", 1, "from 1 to 2592000"},
	{"esp = { rekey_bytes = \"1G\"; };", 1, "must be a whole number"},
	{"esp = { rekey_dh = 1; };", 1, "must be true or false"},
	{"overlay = { bootstrap = ( { port = 10500; } ); };", 1, "needs an address"},
	{"overlay = { bootstrap = ( { address = 5; } ); };", 1, "text in double quotes"},
	{"sip = { port = 0; };", 1, "from 1 to 65535"},
	{"access = { associate = \"none\"; };", 1, "one of any, listed"},
	{"access = { inbound = ( \"ssh\" ); };", 1, "access.inbound takes"},
	{"access = { inbound = ( \"udp/9-8\" ); };", 1, "access.inbound takes"},
	{"access = { rules = (\n \"deny with " HIT_1 "\",\n \"permit all\" ); };", 3,
		"\"permit all\" is no rule of access: it must begin with"},
	{"access = { rules = ( 5 ); };", 1, "an entry of access.rules must be a text"},
	{"access = { rules = (\n \"deny with bob\" ); };", 2, "no host of underlay.hosts is called \"bob\""},
	{"access = { inbound = ( \"tcp/0\" ); };", 1, "access.inbound takes"},
	{"access = { inbound = ( \"tcp/-1\" ); };", 1, "access.inbound takes"},
	{"access = { inbound = ( \"tcp/22x\" ); };", 1, "access.inbound takes"},
	{"access = { inbound = ( \"tcp/65536\" ); };", 1, "access.inbound takes"},
	{"access = { inbound = ( { } ); };", 1, "needs a port or a hit"},
	{"access = { inbound = ( { port = 22; } ); };", 1, "text in double quotes"},
	{"access = { inbound = ( { port = \"22\"; } ); };", 1, "is no port"},
	{"control = { socket = \"\"; };", 1, "must not be empty"},
	{"state = 1;", 1, "text in double quotes"},
	{"user = \"\";", 1, "must not be empty"},
	{"state = \"/a\";\nstate = \"/b\";", 2, "duplicate"},
	{"state = \"/a\"\n\n user = ;", 3, "syntax error"},
};

static void every_bad_input_is_named_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_inputs / sizeof *bad_inputs; i++) {
		const struct bad *bad = &bad_inputs[i];
		struct configuration configuration;
		char message[512], place[96];
		assert_int_equal(read_text_as_file(bad->text, &configuration, message), HIPHOP_MALFORMED);
		snprintf(place, sizeof place, "%s:%d: ", path, bad->line);
		if (strncmp(message, place, strlen(place)) != 0 || !strstr(message, bad->says))
			fail_msg("%s\ngave \"%s\"\nnot \"%s… %s\"", bad->text, message, place, bad->says);
		assert_null(configuration.hosts);
		assert_null(configuration.interfaces);
	}
}

static void a_long_text_is_refused(void **state)
{
	(void)state;
	char text[700], message[512];
	struct configuration configuration;
	snprintf(text, sizeof text, "overlay = { name = \"%0300d\"; };", 1);
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_MALFORMED);
	assert_non_null(strstr(message, "longer than 255"));
	snprintf(text, sizeof text, "control = { socket = \"/%0107d\"; };", 1);
	assert_int_equal(read_text_as_file(text, &configuration, message), HIPHOP_MALFORMED);
}

static void a_missing_file_is_named(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	assert_int_equal(
		configuration_read("/nonexistent/x.conf", &configuration, message, sizeof message), HIPHOP_SYSTEM);
	assert_string_equal(
		message, "/nonexistent/x.conf: the configuration cannot be read: No such file or directory.");
	assert_int_equal(configuration_read("/tmp", &configuration, message, sizeof message), HIPHOP_SYSTEM);
}

/* From a pipe, as with `--config <(…)`: what can be read only once must not be looked at before. */
static void a_pipe_is_read_like_a_file(void **state)
{
	(void)state;
	static const char text[] = "tunnel = { mtu = 5; };\n";
	struct configuration configuration;
	char message[512], name[32];
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, sizeof text - 1), (ssize_t)sizeof text - 1);
	close(ends[1]);
	snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
	assert_int_equal(configuration_read(name, &configuration, message, sizeof message), HIPHOP_MALFORMED);
	assert_non_null(strstr(message, ":1: tunnel.mtu"));
	close(ends[0]);
}

static void what_is_no_text_is_refused(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	strcpy(path, "/tmp/hiphop-test-configuration-XXXXXX");
	int file = mkstemp(path);
	assert_int_equal(write(file, "# x\nstate = \"/x\0y\";\n", 21), 21);
	assert_int_equal(configuration_read(path, &configuration, message, sizeof message), HIPHOP_MALFORMED);
	assert_non_null(strstr(message, ":2: a zero octet"));
	assert_int_equal(ftruncate(file, 100 * 1000 * 1000), 0);
	assert_int_equal(configuration_read(path, &configuration, message, sizeof message), HIPHOP_MALFORMED);
	assert_non_null(strstr(message, "larger than"));
	close(file);
	unlink(path);
}

static void an_overlay_that_is_no_domain_has_one_beside(void **state)
{
	(void)state;
	struct configuration configuration;
	char message[512];
	assert_int_equal(read_text_as_file("overlay = { name = \"my ring\"; }; sip = { domain = \"example.com\"; };",
				 &configuration, message),
		HIPHOP_OK);
	assert_string_equal(configuration.sip_domain, "example.com");
	configuration_free(&configuration);
}

/* conforms: RFC7401-5.2.2-5 */
static void the_documentation_has_the_table(void **state)
{
	(void)state;
	static char text[65536];
	FILE *file = fopen("docs/configuration.md", "re");
	if (!file)
		skip(); /* not run from the root */
	text[fread(text, 1, sizeof text - 1, file)] = 0;
	fclose(file);
	for (size_t i = 0; i < configuration_option_count; i++) {
		char row[1024];
		configuration_option_row(i, row, sizeof row);
		if (!strstr(text, row))
			fail_msg("docs/configuration.md lacks the row\n%s", row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_has_a_default),
		cmocka_unit_test(an_empty_file_is_the_defaults),
		cmocka_unit_test(the_life_of_esp_keys),
		cmocka_unit_test(lists_of_algorithms),
		cmocka_unit_test(mobile_routers),
		cmocka_unit_test(networks_with_phones),
		cmocka_unit_test(what_is_no_network_with_phones),
		cmocka_unit_test(a_full_file),
		cmocka_unit_test(there_can_be_more_identities),
		cmocka_unit_test(the_key_follows_the_state_directory),
		cmocka_unit_test(locators_are_of_the_transport_most_liked),
		cmocka_unit_test(a_peer_has_its_own_transport),
		cmocka_unit_test(what_is_thought_of_interfaces),
		cmocka_unit_test(interfaces_have_a_limit),
		cmocka_unit_test(every_bad_input_is_named_with_its_line),
		cmocka_unit_test(a_long_text_is_refused),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(a_pipe_is_read_like_a_file),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(an_overlay_that_is_no_domain_has_one_beside),
		cmocka_unit_test(the_documentation_has_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
