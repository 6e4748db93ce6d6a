/* SPDX-License-Identifier: MIT */
#include "daemon/configuration.h"

#include "daemon/configuration_options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE     128
#define HIP_UDP_PORT 10500 /* RFC 9028 section 5.1 */
/** Octets of a file at most: every list full of the longest entries fits many times. */
#define FILE_MAXIMUM (1024 * 1024)

bool configuration_complain(
	struct configuration_reading *reading, const config_setting_t *setting, const char *format, ...)
{
	if (reading->error)
		return false;
	reading->error = HIPHOP_MALFORMED;
	const char *file = setting ? config_setting_source_file(setting) : NULL;
	int used = setting ? snprintf(reading->message, reading->message_size, "%s:%u: ", file ? file : reading->file,
				     config_setting_source_line(setting))
			   : snprintf(reading->message, reading->message_size, "%s: ", reading->file);
	if (used < 0 || (size_t)used >= reading->message_size)
		return false;
	va_list arguments;
	va_start(arguments, format);
	int more = vsnprintf(reading->message + used, reading->message_size - (size_t)used, format, arguments);
	va_end(arguments);
	size_t length = (size_t)used + (size_t)(more > 0 ? more : 0);
	if (length + 1 < reading->message_size)
		strcpy(reading->message + length, ".");
	return false;
}

bool configuration_no_memory(struct configuration_reading *reading)
{
	if (!reading->error)
		snprintf(reading->message, reading->message_size, "%s: out of memory.", reading->file);
	reading->error = HIPHOP_NO_MEMORY;
	return false;
}

static const struct configuration_option *find_option(const char *key)
{
	for (size_t i = 0; i < configuration_option_count; i++)
		if (strcmp(configuration_options[i].key, key) == 0)
			return &configuration_options[i];
	return NULL;
}

static bool is_group_name(const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < configuration_option_count; i++)
		if (strncmp(configuration_options[i].key, name, length) == 0 &&
			configuration_options[i].key[length] == '.')
			return true;
	return false;
}

static bool read_member(struct configuration_reading *reading, const config_setting_t *setting, const char *group)
{
	char key[KEY_SIZE];
	snprintf(key, sizeof key, "%s%s%s", group, *group ? "." : "", config_setting_name(setting));
	const struct configuration_option *option = find_option(key);
	if (!option)
		return configuration_complain(reading, setting, "unknown key \"%s\"", key);
	return option->read(reading, setting, option);
}

static bool read_group(struct configuration_reading *reading, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	if (!config_setting_is_group(setting))
		return configuration_complain(reading, setting, "%s must be a group in curly brackets", name);
	for (unsigned i = 0; i < (unsigned)config_setting_length(setting); i++)
		if (!read_member(reading, config_setting_get_elem(setting, i), name))
			return false;
	return true;
}

static bool read_all(struct configuration_reading *reading, const config_setting_t *root)
{
	for (unsigned i = 0; i < (unsigned)config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, i);
		bool done = is_group_name(config_setting_name(setting)) ? read_group(reading, setting)
									: read_member(reading, setting, "");
		if (!done)
			return false;
	}
	return true;
}

/** Reads the default of one option through the option's own reader. */
static bool read_fallback(struct configuration_reading *reading, const struct configuration_option *option)
{
	char text[2 * KEY_SIZE];
	config_t parser;
	config_init(&parser);
	snprintf(text, sizeof text, "value = %s;", option->fallback);
	bool done = config_read_string(&parser, text) == CONFIG_TRUE
			    ? option->read(reading, config_lookup(&parser, "value"), option)
			    : configuration_no_memory(reading);
	config_destroy(&parser);
	return done;
}

static bool read_fallbacks(struct configuration_reading *reading)
{
	for (size_t i = 0; i < configuration_option_count; i++)
		if (!read_fallback(reading, &configuration_options[i]))
			return false;
	return true;
}

/** Others are reached by the transport most liked here, unless they say another; and they do not listen at "any free
 * port". */
static bool complete_endpoint(
	struct configuration_reading *reading, const config_setting_t *entries, size_t index, struct endpoint *endpoint)
{
	const struct configuration *configuration = reading->configuration;
	size_t liked = 0;
	if (endpoint->transport == TRANSPORT_NOT_NAMED)
		endpoint->transport = configuration->transports[0];
	while (liked < configuration->transport_count && configuration->transports[liked] != endpoint->transport)
		liked++;
	if (liked == configuration->transport_count) {
		const config_setting_t *entry = config_setting_get_elem(entries, (unsigned)index);
		return configuration_complain(reading, config_setting_get_member(entry, "transport"),
			"this transport is not in underlay.transports");
	}
	if (endpoint->transport == TRANSPORT_IP)
		endpoint->port = 0;
	else if (!endpoint->port)
		endpoint->port = configuration->port ? configuration->port : HIP_UDP_PORT;
	return true;
}

/** Defaults that follow other values. */
static bool derive(struct configuration_reading *reading, const config_t *parser)
{
	struct configuration *configuration = reading->configuration;
	if (!*configuration->key_file)
		snprintf(configuration->key_file, sizeof configuration->key_file, "%.200s/host.pem",
			configuration->state);
	if (!*configuration->sip_domain && !configuration_is_domain(configuration->overlay_name))
		return configuration_complain(reading, config_lookup(parser, "overlay.name"),
			"sip.domain is needed, since overlay.name (\"%.60s\") cannot be a domain name",
			configuration->overlay_name);
	if (!*configuration->sip_domain)
		strcpy(configuration->sip_domain, configuration->overlay_name);
	if (!configuration_check_algorithms(reading, parser))
		return false;
	if (configuration->outside_overlay && configuration->bootstrap_count)
		return configuration_complain(reading, config_lookup(parser, "overlay.bootstrap"),
			"overlay.bootstrap is of no use when overlay.role is \"none\"");
	for (size_t i = 0; i < configuration->host_count; i++)
		if (!complete_endpoint(
			    reading, config_lookup(parser, "underlay.hosts"), i, &configuration->hosts[i].endpoint))
			return false;
	for (size_t i = 0; i < configuration->bootstrap_count; i++)
		if (!complete_endpoint(reading, config_lookup(parser, "overlay.bootstrap"), i,
			    &configuration->bootstrap[i].endpoint))
			return false;
	if (!configuration_check_prefixes(reading, parser) || !configuration_find_routers(reading, parser))
		return false;
	return configuration_check_rule_names(reading, parser ? config_lookup(parser, "access.rules") : NULL);
}

static hiphop_error finish(struct configuration_reading *reading, bool done)
{
	if (!done)
		configuration_free(reading->configuration);
	return done ? HIPHOP_OK : reading->error;
}

hiphop_error configuration_default(struct configuration *configuration)
{
	char message[256] = "";
	struct configuration_reading reading = {
		.configuration = configuration, .file = "defaults", .message = message, .message_size = sizeof message};
	memset(configuration, 0, sizeof *configuration);
	return finish(&reading, read_fallbacks(&reading) && derive(&reading, NULL));
}

/** Reads the whole of it into `text`, FILE_MAXIMUM + 1 octets of room. A pipe can be read only once, so nothing looks
 * into it before. */
static hiphop_error read_file(const char *path, char *text, size_t *length)
{
	*length = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return HIPHOP_SYSTEM;
	*length = fread(text, 1, FILE_MAXIMUM + 1, file);
	/* A directory opens, but does not read. */
	int trouble = ferror(file) ? errno : 0;
	fclose(file);
	errno = trouble;
	return trouble ? HIPHOP_SYSTEM : HIPHOP_OK;
}

/** The parser stops at a zero and would take what stands before it for the whole. */
static bool check_text(struct configuration_reading *reading, const char *text, size_t length)
{
	if (length > FILE_MAXIMUM)
		return configuration_complain(
			reading, NULL, "this is larger than %d octets, so it is no configuration", FILE_MAXIMUM);
	const char *zero = memchr(text, 0, length);
	if (!zero)
		return true;
	unsigned line = 1;
	for (const char *at = text; at < zero; at++)
		line += *at == '\n';
	reading->error = HIPHOP_MALFORMED;
	snprintf(reading->message, reading->message_size, "%s:%u: a zero octet stands here; this is no text.",
		reading->file, line);
	return false;
}

/** What libconfig itself found wrong. */
static bool syntax_trouble(struct configuration_reading *reading, const config_t *parser)
{
	const char *file = config_error_file(parser), *text = config_error_text(parser);
	reading->error = HIPHOP_MALFORMED;
	snprintf(reading->message, reading->message_size, "%s:%d: %s.", file ? file : reading->file,
		config_error_line(parser), text ? text : "this cannot be read");
	return false;
}

static bool parse(struct configuration_reading *reading, const char *text, size_t length)
{
	config_t parser;
	if (!check_text(reading, text, length))
		return false;
	config_init(&parser);
	bool done = config_read_string(&parser, text) == CONFIG_TRUE || syntax_trouble(reading, &parser);
	done = done && read_fallbacks(reading) && read_all(reading, config_root_setting(&parser)) &&
	       derive(reading, &parser);
	config_destroy(&parser);
	return done;
}

hiphop_error configuration_read(
	const char *path, struct configuration *configuration, char *message, size_t message_size)
{
	struct configuration_reading reading = {
		.configuration = configuration, .file = path, .message = message, .message_size = message_size};
	size_t length;
	memset(configuration, 0, sizeof *configuration);
	*message = 0;
	char *text = malloc(FILE_MAXIMUM + 2);
	if (!text)
		return finish(&reading, configuration_no_memory(&reading));
	hiphop_error error = read_file(path, text, &length);
	text[length] = 0;
	if (error)
		snprintf(message, message_size, "%s: the configuration cannot be read: %s.", path, strerror(errno));
	else
		error = finish(&reading, parse(&reading, text, length));
	free(text);
	return error;
}

void configuration_free(struct configuration *configuration)
{
	free(configuration->more);
	free(configuration->hosts);
	free(configuration->interfaces);
	free(configuration->bootstrap);
	free(configuration->authorities);
	free(configuration->router.inside);
	free(configuration->router.hosts);
	free(configuration->rules);
	free(configuration->inbound);
	free(configuration->announce);
	free(configuration->accept);
	memset(configuration, 0, sizeof *configuration);
}
