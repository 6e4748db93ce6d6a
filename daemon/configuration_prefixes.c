/* SPDX-License-Identifier: MIT */
/** The group prefixes: what lies behind this host, and what may lie behind others. */
#include "daemon/configuration_options.h"

#include <stdlib.h>
#include <string.h>

/** Reads a prefix that may lie behind a host. */
static bool read_prefix(
	struct configuration_reading *reading, const config_setting_t *setting, struct ip_prefix *prefix)
{
	const char *text = config_setting_get_string(setting);
	hiphop_error error = text ? ip_prefix_parse(text, prefix) : HIPHOP_MALFORMED;
	const char *trouble;
	if (!text)
		return configuration_complain(reading, setting, "a prefix must be a text in double quotes");
	if (error == HIPHOP_INVALID_ARGUMENT)
		return configuration_complain(
			reading, setting, "\"%.60s\" has bits behind the length of its prefix", text);
	if (error)
		return configuration_complain(
			reading, setting, "\"%.60s\" is no prefix such as 2001:db8:100::/56 or 10.1.0.0/16", text);
	trouble = ip_prefix_trouble(prefix);
	return !trouble ||
	       configuration_complain(reading, setting, "\"%.60s\" cannot lie behind a host: it %s", text, trouble);
}

bool configuration_read_announced(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->announce);
	configuration->announce_count = 0;
	configuration->announce = calloc(count + 1, sizeof *configuration->announce);
	if (!configuration->announce)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		if (!read_prefix(reading, config_setting_get_elem(setting, (unsigned)i), &configuration->announce[i]))
			return false;
		configuration->announce_count++;
	}
	return true;
}

static bool read_accepted(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct configured_prefix *accepted)
{
	bool has_prefix = false;
	if (!config_setting_is_group(entry))
		return configuration_complain(
			reading, entry, "an entry of %s must stand in curly brackets", option->key);
	for (unsigned i = 0; i < (unsigned)config_setting_length(entry); i++) {
		const config_setting_t *member = config_setting_get_elem(entry, i);
		const char *name = config_setting_name(member);
		bool is_prefix = strcmp(name, "prefix") == 0;
		if (!is_prefix && strcmp(name, "from") != 0)
			return configuration_complain(
				reading, member, "unknown key \"%s\" in an entry of %s", name, option->key);
		if (!(is_prefix ? read_prefix(reading, member, &accepted->prefix)
				: configuration_copy_text(
					  reading, member, "from", accepted->from, sizeof accepted->from)))
			return false;
		has_prefix |= is_prefix;
	}
	/* Nobody is trusted with addresses just because he is there. */
	return (has_prefix && *accepted->from) ||
	       configuration_complain(reading, entry, "an entry of %s needs a prefix and from", option->key);
}

bool configuration_read_accepted(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->accept);
	configuration->accept_count = 0;
	configuration->accept = calloc(count + 1, sizeof *configuration->accept);
	if (!configuration->accept)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		if (!read_accepted(
			    reading, config_setting_get_elem(setting, (unsigned)i), option, &configuration->accept[i]))
			return false;
		configuration->accept_count++;
	}
	return true;
}

bool configuration_read_tunnel_ipv4(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	const char *text = config_setting_get_string(setting);
	struct address address = {{0}};
	struct ip_prefix one;
	if (!text)
		return configuration_complain(reading, setting, "%s must be a text in double quotes", option->key);
	if (*text && (strchr(text, ':') || address_parse(text, &address)))
		return configuration_complain(reading, setting, "\"%.60s\" is no IPv4 address", text);
	one = ip_prefix_of_one(&address);
	if (*text && ip_prefix_trouble(&one))
		return configuration_complain(
			reading, setting, "\"%.60s\" is no address of a single host that others can reach", text);
	reading->configuration->tunnel_ipv4 = address;
	return true;
}

bool configuration_check_prefixes(struct configuration_reading *reading, const config_t *parser)
{
	struct configuration *configuration = reading->configuration;
	bool ipv4 = !address_is_unspecified(&configuration->tunnel_ipv4);
	for (size_t i = 0; i < configuration->accept_count; i++)
		if (!configuration_find_host(
			    configuration, configuration->accept[i].from, &configuration->accept[i].owner))
			return configuration_complain(reading,
				config_setting_get_elem(config_lookup(parser, "prefixes.accept"), (unsigned)i),
				"\"%.60s\" is no HIT, and no host of underlay.hosts is called that",
				configuration->accept[i].from);
	if (ipv4 && configuration->announce_count == CONFIGURATION_PREFIXES)
		return configuration_complain(reading, config_lookup(parser, "prefixes.announce"),
			"with prefixes.address, prefixes.announce has %d entries at most", CONFIGURATION_PREFIXES - 1);
	if (configuration->outside_overlay && (configuration->announce_count || configuration->accept_count || ipv4))
		return configuration_complain(reading, config_lookup(parser, "prefixes"),
			"prefixes are announced in the overlay, so they are of no use when overlay.role is \"none\"");
	return true;
}
