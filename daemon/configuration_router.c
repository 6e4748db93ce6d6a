/* SPDX-License-Identifier: MIT */
/** The options of mobile routers. */
#include "daemon/configuration_options.h"

#include <stdlib.h>

bool configuration_read_inside(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configured_router *router = &reading->configuration->router;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(router->inside);
	router->inside_count = 0;
	router->inside = calloc(count + 1, sizeof *router->inside);
	if (!router->inside)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		if (!configuration_copy_text(reading, config_setting_get_elem(setting, (unsigned)i),
			    "an entry of router.inside", router->inside[i], sizeof router->inside[i]))
			return false;
		router->inside_count++;
	}
	return true;
}

bool configuration_read_boarders(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configured_router *router = &reading->configuration->router;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(router->hosts);
	router->host_count = 0;
	router->hosts = calloc(count + 1, sizeof *router->hosts);
	if (!router->hosts)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		if (!configuration_copy_text(reading, config_setting_get_elem(setting, (unsigned)i),
			    "an entry of router.hosts", router->hosts[i].text, sizeof router->hosts[i].text))
			return false;
		router->host_count++;
	}
	return true;
}

static bool find(const struct configuration *configuration, struct named_host *named)
{
	return configuration_find_host(configuration, named->text, &named->hit);
}

static bool complain(struct configuration_reading *reading, const config_setting_t *setting, const char *text)
{
	return configuration_complain(
		reading, setting, "no host of underlay.hosts is called \"%.60s\", and it is no HIT", text);
}

bool configuration_find_routers(struct configuration_reading *reading, const config_t *parser)
{
	const struct configuration *configuration = reading->configuration;
	struct configured_router *router = &reading->configuration->router;
	const config_setting_t *hosts = parser ? config_lookup(parser, "router.hosts") : NULL;
	for (size_t i = 0; i < router->host_count; i++)
		if (!find(configuration, &router->hosts[i]))
			return complain(reading, config_setting_get_elem(hosts, (unsigned)i), router->hosts[i].text);
	if (*router->use.text && !find(configuration, &router->use))
		return complain(reading, config_lookup(parser, "router.use"), router->use.text);
	if (router->serves && !router->inside_count)
		return configuration_complain(reading, config_lookup(parser, "router.serve"),
			"a mobile router needs router.inside, the interfaces where hosts come on board");
	return true;
}
