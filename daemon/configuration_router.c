/* SPDX-License-Identifier: MIT */
/** The options of mobile routers. */
#include "daemon/configuration_options.h"

#include <stdlib.h>
#include <string.h>

static bool copy_text(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, char *text, size_t size)
{
	const char *value = config_setting_get_string(entry);
	if (!value || !*value || strlen(value) >= size || !configuration_is_utf8(value))
		return configuration_complain(reading, entry,
			"an entry of %s must be a text of 1 to %zu characters in double quotes", option->key, size - 1);
	strcpy(text, value);
	return true;
}

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
		if (!copy_text(reading, config_setting_get_elem(setting, (unsigned)i), option, router->inside[i],
			    sizeof router->inside[i]))
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
		if (!copy_text(reading, config_setting_get_elem(setting, (unsigned)i), option, router->hosts[i].text,
			    sizeof router->hosts[i].text))
			return false;
		router->host_count++;
	}
	return true;
}

/** By its name in underlay.hosts, or by itself. */
static bool find(const struct configuration *configuration, struct named_host *named)
{
	for (size_t i = 0; i < configuration->host_count; i++) {
		if (strcmp(configuration->hosts[i].name, named->text) != 0)
			continue;
		named->hit = configuration->hosts[i].hit;
		return true;
	}
	return !hit_parse(named->text, &named->hit) && hit_is_host(&named->hit);
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
