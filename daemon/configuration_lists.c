/* SPDX-License-Identifier: MIT */
/** The options that are lists: identities, transports, hosts, interfaces, bootstrap members, access. */
#include "daemon/configuration_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of unused_seconds, as esp.unused_seconds has them. */
#define UNUSED_LEAST 10
#define UNUSED_MOST  2592000
/* Of the cost of an interface. */
#define COST_MOST 65535

static bool is_sequence(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

bool configuration_copy_text(struct configuration_reading *reading, const config_setting_t *setting, const char *what,
	char *text, size_t size)
{
	const char *value = config_setting_get_string(setting);
	size_t length = value ? strlen(value) : 0;
	if (!length || length >= size)
		return configuration_complain(
			reading, setting, "%s must be a text of 1 to %zu characters in double quotes", what, size - 1);
	if (!configuration_is_utf8(value))
		return configuration_complain(reading, setting, "%s is not in UTF-8", what);
	memcpy(text, value, length + 1);
	return true;
}

bool configuration_find_host(const struct configuration *configuration, const char *text, struct hit *hit)
{
	if (hit_parse(text, hit) == HIPHOP_OK)
		return hit_is_host(hit);
	for (size_t i = 0; i < configuration->host_count; i++) {
		if (strcmp(configuration->hosts[i].name, text) == 0) {
			*hit = configuration->hosts[i].hit;
			return true;
		}
	}
	return false;
}

bool configuration_open_list(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option, size_t *count)
{
	if (!is_sequence(setting))
		return configuration_complain(reading, setting, "%s must be a list in round brackets", option->key);
	*count = (size_t)config_setting_length(setting);
	if ((long)*count < option->minimum)
		return configuration_complain(reading, setting, "%s must not be empty", option->key);
	if ((long)*count > option->maximum)
		return configuration_complain(
			reading, setting, "%s has more than %ld entries", option->key, option->maximum);
	return true;
}

static bool check_members(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, const char *const *known)
{
	if (!config_setting_is_group(entry))
		return configuration_complain(
			reading, entry, "an entry of %s must stand in curly brackets", option->key);
	for (unsigned i = 0; i < (unsigned)config_setting_length(entry); i++) {
		const config_setting_t *member = config_setting_get_elem(entry, i);
		const char *const *name = known;
		while (*name && strcmp(*name, config_setting_name(member)) != 0)
			name++;
		if (!*name)
			return configuration_complain(reading, member, "unknown key \"%s\" in an entry of %s",
				config_setting_name(member), option->key);
	}
	return true;
}

/** The text of a member; NULL when it is absent. False when it is something else than a text. */
static bool member_text(
	struct configuration_reading *reading, const config_setting_t *entry, const char *name, const char **text)
{
	const config_setting_t *member = config_setting_get_member(entry, name);
	*text = member ? config_setting_get_string(member) : NULL;
	if (member && !*text)
		return configuration_complain(reading, member, "%s must be a text in double quotes", name);
	return true;
}

static bool member_hit(struct configuration_reading *reading, const config_setting_t *entry, struct hit *hit)
{
	const char *text;
	if (!member_text(reading, entry, "hit", &text))
		return false;
	if (text && (hit_parse(text, hit) || !hit_is_host(hit)))
		return configuration_complain(
			reading, config_setting_get_member(entry, "hit"), "\"%s\" is no HIT", text);
	return true;
}

static bool member_port(struct configuration_reading *reading, const config_setting_t *entry, uint16_t *port)
{
	const config_setting_t *member = config_setting_get_member(entry, "port");
	if (!member)
		return true;
	int value = config_setting_get_int(member);
	if (config_setting_type(member) != CONFIG_TYPE_INT || value < 1 || value > 65535)
		return configuration_complain(reading, member, "port must be a whole number from 1 to 65535");
	*port = (uint16_t)value;
	return true;
}

static bool member_unused_seconds(
	struct configuration_reading *reading, const config_setting_t *entry, uint32_t *seconds)
{
	const config_setting_t *member = config_setting_get_member(entry, "unused_seconds");
	if (!member)
		return true;
	int value = config_setting_get_int(member);
	if (config_setting_type(member) != CONFIG_TYPE_INT || value < UNUSED_LEAST || value > UNUSED_MOST)
		return configuration_complain(reading, member, "unused_seconds must be a whole number from %d to %d",
			UNUSED_LEAST, UNUSED_MOST);
	*seconds = (uint32_t)value;
	return true;
}

static bool parse_transport(const char *text, uint16_t *transport)
{
	*transport = text && strcmp(text, "ip") == 0 ? TRANSPORT_IP : TRANSPORT_UDP;
	return text && (strcmp(text, "udp") == 0 || strcmp(text, "ip") == 0);
}

static bool member_transport(struct configuration_reading *reading, const config_setting_t *entry, uint16_t *transport)
{
	const char *text;
	if (!member_text(reading, entry, "transport", &text))
		return false;
	if (text && !parse_transport(text, transport))
		return configuration_complain(
			reading, config_setting_get_member(entry, "transport"), "transport must be \"udp\" or \"ip\"");
	if (!text)
		*transport = TRANSPORT_NOT_NAMED;
	return true;
}

/** Neither "any" nor a group. Loopback may be meant. */
static bool is_of_one_host(const struct address *address)
{
	if (address_is_ipv4(address))
		return address->octets[12] > 0 && address->octets[12] < 224;
	return !address_is_unspecified(address) && address->octets[0] != 0xff;
}

/** Address, port and transport; a port or transport that is absent is filled in when the whole file was read. */
static bool member_endpoint(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct endpoint *endpoint)
{
	const char *text;
	if (!member_text(reading, entry, "address", &text) || !member_port(reading, entry, &endpoint->port) ||
		!member_transport(reading, entry, &endpoint->transport))
		return false;
	if (!text)
		return configuration_complain(reading, entry, "an entry of %s needs an address", option->key);
	const config_setting_t *member = config_setting_get_member(entry, "address");
	struct hit hit;
	if (address_parse(text, &endpoint->address))
		return configuration_complain(reading, member, "\"%s\" is no IP address", text);
	if (!is_of_one_host(&endpoint->address))
		return configuration_complain(reading, member, "\"%s\" is no address of a single host", text);
	if (hit_parse(text, &hit) == HIPHOP_OK)
		return configuration_complain(
			reading, member, "\"%s\" is a HIT; an address of the underlay must stand here", text);
	return true;
}

/* ---- identities ---- */

static bool take_name(
	struct configuration_reading *reading, const config_setting_t *setting, struct domain_identifier *name)
{
	const char *text = config_setting_get_string(setting);
	if (!text)
		return configuration_complain(reading, setting, "name must be a text in double quotes");
	if (domain_identifier_from_text(text, name))
		return configuration_complain(reading, setting,
			"\"%s\" is neither a host name such as host.example.com nor user@realm", text);
	return true;
}

bool configuration_read_identity_name(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	(void)option;
	return take_name(reading, setting, &reading->configuration->name);
}

static bool member_flag(
	struct configuration_reading *reading, const config_setting_t *entry, const char *name, bool *flag)
{
	const config_setting_t *member = config_setting_get_member(entry, name);
	if (member && config_setting_type(member) != CONFIG_TYPE_BOOL)
		return configuration_complain(reading, member, "%s must be true or false", name);
	*flag = member && config_setting_get_bool(member);
	return true;
}

static bool member_kind(struct configuration_reading *reading, const config_setting_t *entry, host_identity_kind *kind)
{
	const char *text;
	*kind = HOST_IDENTITY_ECDSA_P256;
	if (!member_text(reading, entry, "type", &text))
		return false;
	if (text && (host_identity_kind_by_name(text, kind) || *kind == HOST_IDENTITY_ECDSA_LOW))
		return configuration_complain(reading, config_setting_get_member(entry, "type"),
			"\"%s\" is no type of key; there are ecdsa-p256, ecdsa-p384, rsa-2048 and rsa-3072", text);
	return true;
}

/** What is told to nobody has no name, and what is never stored has no file. */
static bool check_anonymous(struct configuration_reading *reading, const config_setting_t *entry)
{
	static const char *const unfit[] = {"key", "name", "certificate"};
	for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++) {
		const config_setting_t *member = config_setting_get_member(entry, unfit[i]);
		if (member)
			return configuration_complain(reading, member,
				"an anonymous identity has no %s: it is made anew at each start and kept nowhere",
				unfit[i]);
	}
	return true;
}

static bool read_identity_file(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct configured_identity *identity)
{
	const config_setting_t *name = config_setting_get_member(entry, "name");
	const char *key, *certificate;
	if (!member_text(reading, entry, "key", &key) || !member_text(reading, entry, "certificate", &certificate))
		return false;
	if (!key || !*key || strlen(key) >= sizeof identity->key_file)
		return configuration_complain(reading, entry,
			"an entry of %s needs a key, a file name of 1 to %zu characters, or anonymous = true",
			option->key, sizeof identity->key_file - 1);
	strcpy(identity->key_file, key);
	if (certificate && strlen(certificate) >= sizeof identity->certificate_file)
		return configuration_complain(reading, entry, "certificate is longer than %zu characters",
			sizeof identity->certificate_file - 1);
	strcpy(identity->certificate_file, certificate ? certificate : "");
	return !name || take_name(reading, name, &identity->name);
}

bool configuration_read_identities(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	static const char *const members[] = {"key", "type", "name", "anonymous", "certificate", NULL};
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->more);
	configuration->more_count = 0;
	configuration->more = calloc(count + 1, sizeof *configuration->more);
	if (!configuration->more)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		struct configured_identity *identity = &configuration->more[i];
		if (!check_members(reading, entry, option, members) || !member_kind(reading, entry, &identity->kind) ||
			!member_flag(reading, entry, "anonymous", &identity->anonymous))
			return false;
		if (!(identity->anonymous ? check_anonymous(reading, entry)
					  : read_identity_file(reading, entry, option, identity)))
			return false;
		configuration->more_count++;
	}
	return true;
}

bool configuration_read_authorities(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->authorities);
	configuration->authority_count = 0;
	configuration->authorities = calloc(count + 1, sizeof *configuration->authorities);
	if (!configuration->authorities)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		if (!configuration_copy_text(reading, entry, "a file name of access.certificate_authorities",
			    configuration->authorities[i], sizeof configuration->authorities[i]))
			return false;
		configuration->authority_count++;
	}
	return true;
}

/* ---- where hosts are ---- */

bool configuration_read_transports(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		const char *text = config_setting_get_string(entry);
		if (!parse_transport(text, &configuration->transports[i]))
			return configuration_complain(reading, entry, "%s takes \"udp\" and \"ip\" only", option->key);
		if (i == 1 && configuration->transports[0] == configuration->transports[1])
			return configuration_complain(reading, entry, "\"%s\" stands twice in %s", text, option->key);
	}
	configuration->transport_count = count;
	return true;
}

static bool read_host_name(
	struct configuration_reading *reading, const config_setting_t *entry, struct configured_host *host)
{
	const config_setting_t *member = config_setting_get_member(entry, "name");
	if (!member)
		return true;
	if (!configuration_copy_text(reading, member, "name", host->name, sizeof host->name))
		return false;
	for (const struct configured_host *other = reading->configuration->hosts; other != host; other++)
		if (strcmp(other->name, host->name) == 0)
			return configuration_complain(
				reading, member, "there are two hosts of the name \"%s\"", host->name);
	return true;
}

bool configuration_read_hosts(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	static const char *const members[] = {"name", "hit", "address", "port", "transport", "unused_seconds", NULL};
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->hosts);
	configuration->host_count = 0;
	configuration->hosts = calloc(count + 1, sizeof *configuration->hosts);
	if (!configuration->hosts)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		struct configured_host *host = &configuration->hosts[i];
		if (!check_members(reading, entry, option, members) || !read_host_name(reading, entry, host) ||
			!member_hit(reading, entry, &host->hit) ||
			!member_endpoint(reading, entry, option, &host->endpoint) ||
			!member_unused_seconds(reading, entry, &host->unused_seconds))
			return false;
		if (hit_is_null(&host->hit))
			return configuration_complain(reading, entry, "an entry of %s needs a hit", option->key);
		configuration->host_count++;
	}
	return true;
}

bool configuration_read_bootstrap(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	static const char *const members[] = {"address", "port", "transport", "hit", NULL};
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->bootstrap);
	configuration->bootstrap_count = 0;
	configuration->bootstrap = calloc(count + 1, sizeof *configuration->bootstrap);
	if (!configuration->bootstrap)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		struct configured_bootstrap *bootstrap = &configuration->bootstrap[i];
		if (!check_members(reading, entry, option, members) || !member_hit(reading, entry, &bootstrap->hit) ||
			!member_endpoint(reading, entry, option, &bootstrap->endpoint))
			return false;
		configuration->bootstrap_count++;
	}
	return true;
}

/* ---- interfaces ---- */

/** In the order of link_preference. */
static const char *const preferences[] = {"normal", "prefer", "avoid"};
#define PREFERENCES (sizeof preferences / sizeof *preferences)

static bool read_pattern(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, char name[static LINK_NAME_SIZE])
{
	const config_setting_t *member = config_setting_get_member(entry, "name");
	if (!member)
		return configuration_complain(reading, entry, "an entry of %s needs a name", option->key);
	return configuration_copy_text(reading, member, "name", name, LINK_NAME_SIZE);
}

static bool read_preference(struct configuration_reading *reading, const config_setting_t *entry, uint8_t *preference)
{
	const char *text;
	size_t index = 0;
	if (!member_text(reading, entry, "preference", &text))
		return false;
	while (text && index < PREFERENCES && strcmp(preferences[index], text) != 0)
		index++;
	if (index == PREFERENCES)
		return configuration_complain(reading, config_setting_get_member(entry, "preference"),
			"preference must be \"normal\", \"prefer\" or \"avoid\"");
	*preference = (uint8_t)index;
	return true;
}

static bool read_cost(struct configuration_reading *reading, const config_setting_t *entry, uint16_t *cost)
{
	const config_setting_t *member = config_setting_get_member(entry, "cost");
	if (!member)
		return true;
	int value = config_setting_get_int(member);
	if (config_setting_type(member) != CONFIG_TYPE_INT || value < 0 || value > COST_MOST)
		return configuration_complain(reading, member, "cost must be a whole number from 0 to %d", COST_MOST);
	*cost = (uint16_t)value;
	return true;
}

static bool read_use(struct configuration_reading *reading, const config_setting_t *entry, bool *unused)
{
	bool use;
	if (!member_flag(reading, entry, "use", &use))
		return false;
	*unused = !use && config_setting_get_member(entry, "use");
	return true;
}

static bool read_interface(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct configured_interface *interface)
{
	static const char *const members[] = {"name", "preference", "metered", "cost", "use", NULL};
	return check_members(reading, entry, option, members) &&
	       read_pattern(reading, entry, option, interface->name) &&
	       read_preference(reading, entry, &interface->preference) &&
	       member_flag(reading, entry, "metered", &interface->metered) &&
	       read_cost(reading, entry, &interface->cost) && read_use(reading, entry, &interface->unused);
}

bool configuration_read_interfaces(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(configuration->interfaces);
	configuration->interface_count = 0;
	configuration->interfaces = calloc(count + 1, sizeof *configuration->interfaces);
	if (!configuration->interfaces)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *entry = config_setting_get_elem(setting, (unsigned)i);
		if (!read_interface(reading, entry, option, &configuration->interfaces[i]))
			return false;
		configuration->interface_count++;
	}
	return true;
}

/* ---- access ---- */

static bool read_access_group(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct access_rule *rule)
{
	static const char *const members[] = {"port", "hit", NULL};
	const char *text;
	if (!check_members(reading, entry, option, members) || !member_hit(reading, entry, &rule->hit) ||
		!member_text(reading, entry, "port", &text))
		return false;
	if (!text && hit_is_null(&rule->hit))
		return configuration_complain(reading, entry, "an entry of %s needs a port or a hit", option->key);
	if (!hit_is_null(&rule->hit))
		rule->who = ACCESS_HIT;
	if (text && !access_rule_parse_traffic(text, rule))
		return configuration_complain(reading, config_setting_get_member(entry, "port"),
			"\"%s\" is no port; write \"tcp/22\" or \"udp/5004-5010\"", text);
	return true;
}

static bool read_access_entry(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct access_rule *rule)
{
	rule->direction = ACCESS_IN;
	if (config_setting_is_group(entry))
		return read_access_group(reading, entry, option, rule);
	const char *text = config_setting_get_string(entry);
	if (!text || !access_rule_parse_traffic(text, rule))
		return configuration_complain(reading, entry,
			"%s takes \"icmp6\", \"sip\", \"calls\", \"any\", \"tcp/PORT\", \"udp/PORT\" and { port = …; "
			"hit = …; } only",
			option->key);
	return true;
}

static bool read_rule(struct configuration_reading *reading, const config_setting_t *entry,
	const struct configuration_option *option, struct access_rule *rule)
{
	const char *text = config_setting_get_string(entry);
	char complaint[128];
	if (!text || !configuration_is_utf8(text))
		return configuration_complain(reading, entry,
			"an entry of %s must be a text such as \"allow in tcp/22 from bob\"", option->key);
	if (access_rule_parse(text, rule, complaint, sizeof complaint))
		return configuration_complain(reading, entry, "\"%.100s\" is no rule of access: %s", text, complaint);
	return true;
}

/** A list of rules, each entry read by `read`, in the place of the one before. */
static bool read_rules(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option,
	bool (*read)(struct configuration_reading *reading, const config_setting_t *entry,
		const struct configuration_option *option, struct access_rule *rule),
	struct access_rule **rules, size_t *rule_count)
{
	size_t count;
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	free(*rules);
	*rule_count = 0;
	*rules = calloc(count + 1, sizeof **rules);
	if (!*rules)
		return configuration_no_memory(reading);
	for (size_t i = 0; i < count; i++) {
		if (!read(reading, config_setting_get_elem(setting, (unsigned)i), option, &(*rules)[i]))
			return false;
		++*rule_count;
	}
	return true;
}

bool configuration_read_inbound(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	return read_rules(
		reading, setting, option, read_access_entry, &configuration->inbound, &configuration->inbound_count);
}

bool configuration_read_rules(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	struct configuration *configuration = reading->configuration;
	return read_rules(reading, setting, option, read_rule, &configuration->rules, &configuration->rule_count);
}

bool configuration_check_rule_names(struct configuration_reading *reading, const config_setting_t *setting)
{
	const struct configuration *configuration = reading->configuration;
	for (size_t i = 0; i < configuration->rule_count; i++) {
		const struct access_rule *rule = &configuration->rules[i];
		bool known = rule->who != ACCESS_NAME || strchr(rule->name, '@');
		for (size_t j = 0; j < configuration->host_count && !known; j++)
			known = strcmp(configuration->hosts[j].name, rule->name) == 0;
		if (!known)
			return configuration_complain(reading, config_setting_get_elem(setting, (unsigned)i),
				"no host of underlay.hosts is called \"%.60s\"", rule->name);
	}
	return true;
}
