/* SPDX-License-Identifier: MIT */
/** sip.listen: the local networks whose phones know nothing of HIP. */
#include "daemon/configuration_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_OFFSET 96 /* of the bits in ::ffff:a.b.c.d */

/* Without a prefix the network is as large as such networks mostly are; a shorter prefix would be no local network. */
enum { IPV4_USUAL = 24, IPV4_SHORTEST = 8, IPV6_USUAL = 64, IPV6_SHORTEST = 32 };

/** "24" of "192.0.2.1/24"; `usual` where there is none. */
static bool parse_length(const char *text, long shortest, long longest, long usual, long *length)
{
	char *end;
	*length = usual;
	if (!text)
		return true;
	*length = strtol(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == 0 && *length >= shortest && *length <= longest;
}

static bool parse_network(const char *text, struct sip_network *network)
{
	char address[ENDPOINT_TEXT_SIZE];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	long prefix = 0;
	if (length >= sizeof address)
		return false;
	memcpy(address, text, length);
	address[length] = 0;
	/* What no peer may claim as a locator can be no address of a local network with phones either. */
	if (address_parse(address, &network->address) || !address_is_usable_locator(&network->address))
		return false;
	bool ipv4 = address_is_ipv4(&network->address);
	if (!parse_length(slash ? slash + 1 : NULL, ipv4 ? IPV4_SHORTEST : IPV6_SHORTEST, ipv4 ? 32 : 128,
		    ipv4 ? IPV4_USUAL : IPV6_USUAL, &prefix))
		return false;
	network->prefix_length = (uint8_t)(prefix + (ipv4 ? IPV4_OFFSET : 0));
	return true;
}

static bool stands_before(const struct configuration *configuration, const struct sip_network *network)
{
	for (size_t i = 0; i < configuration->sip_network_count; i++)
		if (address_equal(&configuration->sip_networks[i].address, &network->address))
			return true;
	return false;
}

bool configuration_read_listen(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	configuration->sip_network_count = 0;
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		const char *text = config_setting_get_string(entry);
		struct sip_network network;
		if (!text || !parse_network(text, &network))
			return configuration_complain(reading, entry,
				"an entry of %s must be an address of this host in a local network, such as "
				"\"192.168.10.1\", \"192.168.10.1/24\" (8 to 32) or \"fd00::1/64\" (32 to 128)",
				option->key);
		if (stands_before(configuration, &network))
			return configuration_complain(
				reading, entry, "\"%.60s\" stands twice in %s", text, option->key);
		configuration->sip_networks[configuration->sip_network_count++] = network;
	}
	return true;
}
