/* SPDX-License-Identifier: MIT */
/**
 * The one table of options: parser, defaults, `hiphopd --options` and docs/configuration.md all come from it.
 */
#ifndef HIPHOP_DAEMON_CONFIGURATION_OPTIONS_H
#define HIPHOP_DAEMON_CONFIGURATION_OPTIONS_H

#include "daemon/configuration.h"

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

/** One run of the parser. */
struct configuration_reading {
	struct configuration *configuration;
	const char *file; /**< for messages about settings without a file of their own */
	char *message;    /**< the first complaint; empty until then */
	size_t message_size;
	hiphop_error error;
};

struct configuration_option;
/** Checks one setting and stores its value. False after a complaint. */
typedef bool (*configuration_reader)(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);

struct configuration_option {
	const char *key;      /**< "group.name", or "name" at the top */
	const char *fallback; /**< the default, in the language of the file */
	const char *values;   /**< what may stand there, for people; for READ choices: the choices, "a|b|c" */
	const char *help;
	configuration_reader read;
	size_t offset, size;   /**< of the field in struct configuration */
	long minimum, maximum; /**< of a number; of the length of a text */
};

extern const struct configuration_option configuration_options[];
extern const size_t configuration_option_count;

/** Writes "FILE:LINE: sentence" (HIPHOP_MALFORMED) unless a complaint stands already; returns false. `setting` may be
 * NULL. */
bool configuration_complain(struct configuration_reading *reading, const config_setting_t *setting, const char *format,
	...) __attribute__((format(printf, 3, 4)));
/** Out of memory; returns false. */
bool configuration_no_memory(struct configuration_reading *reading);

/** `transport` of an endpoint that names none, until the whole file was read. */
#define TRANSPORT_NOT_NAMED UINT16_MAX

#define CONFIGURATION_DOMAIN_MAXIMUM 200 /**< what sip_create takes */

/** Whether it can be the name of a domain: letters, digits, '-' and '.', as RFC 3261's `hostname` without brackets. */
bool configuration_is_domain(const char *text);

/** Text that cannot be shown in JSON would take the whole answer with it. */
bool configuration_is_utf8(const char *text);

/** Copies a text of 1 to `size` - 1 octets in UTF-8. `what` names it at the begin of a complaint. */
bool configuration_copy_text(struct configuration_reading *reading, const config_setting_t *setting, const char *what,
	char *text, size_t size);

/** Whom a text means that is a HIT, or a name in underlay.hosts. False: nobody, or no host. */
bool configuration_find_host(const struct configuration *configuration, const char *text, struct hit *hit);

/** Checks that it is a list of a fitting length; the length goes to `count`. */
bool configuration_open_list(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option, size_t *count);

/* Lists of algorithms (configuration_algorithms.c): each is known by its key. */
bool configuration_read_algorithms(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
/** When the whole file was read: weak algorithms, and ESP without encryption in an overlay. */
bool configuration_check_algorithms(struct configuration_reading *reading, const config_t *parser);

/* The readers of lists (configuration_lists.c), and of names of identities. */
bool configuration_read_identity_name(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_identities(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_authorities(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_transports(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_hosts(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_interfaces(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
/* Mobile routers (configuration_router.c). */
bool configuration_read_inside(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_boarders(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
/** Once the whole file was read: who the names are of. */
bool configuration_find_routers(struct configuration_reading *reading, const config_t *parser);
bool configuration_read_bootstrap(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_rules(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_inbound(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
/* configuration_listen.c */
bool configuration_read_listen(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
/** Once the whole file was read: the names in access.rules, `setting`, must be of somebody. */
bool configuration_check_rule_names(struct configuration_reading *reading, const config_setting_t *setting);

/* prefixes (configuration_prefixes.c). */
bool configuration_read_announced(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_accepted(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
bool configuration_read_tunnel_ipv4(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option);
/** Once the whole file was read: looks the names in prefixes.accept up; prefixes need an overlay. */
bool configuration_check_prefixes(struct configuration_reading *reading, const config_t *parser);

/** The table as the rows of docs/configuration.md: writes row `index` without newline, cut at `size`. */
void configuration_option_row(size_t index, char *text, size_t size);

#endif
