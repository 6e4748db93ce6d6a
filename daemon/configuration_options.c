/* SPDX-License-Identifier: MIT */
#include "daemon/configuration_options.h"

#include "kernel-helpers/tunnel_device.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) offsetof(struct configuration, name), sizeof(((struct configuration *)0)->name)

static char *text_field(const struct configuration_reading *reading, const struct configuration_option *option)
{
	return (char *)reading->configuration + option->offset;
}

static bool read_text(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	const char *text = config_setting_get_string(setting);
	if (!text)
		return configuration_complain(reading, setting, "%s must be a text in double quotes", option->key);
	size_t length = strlen(text);
	if ((long)length < option->minimum)
		return configuration_complain(reading, setting, "%s must not be empty", option->key);
	if (length >= option->size || (option->maximum && (long)length > option->maximum))
		return configuration_complain(reading, setting, "%s is longer than %ld characters", option->key,
			option->maximum ? option->maximum : (long)option->size - 1);
	memcpy(text_field(reading, option), text, length + 1);
	return true;
}

static bool read_device_name(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	const char *text = config_setting_get_string(setting);
	if (text && !tunnel_name_is_valid(text))
		return configuration_complain(reading, setting,
			"%s is no name for a network device: 1 to 15 letters, digits, '-', '_' and '.'", option->key);
	return read_text(reading, setting, option);
}

bool configuration_is_domain(const char *text)
{
	size_t length = strlen(text);
	size_t fitting = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
	return length > 0 && length <= CONFIGURATION_DOMAIN_MAXIMUM && fitting == length && *text != '.' &&
	       *text != '-' && !strstr(text, "..");
}

static bool read_domain(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	const char *text = config_setting_get_string(setting);
	if (text && *text && !configuration_is_domain(text))
		return configuration_complain(
			reading, setting, "%s is no domain name: letters, digits, '-' and '.'", option->key);
	return read_text(reading, setting, option);
}

bool configuration_is_utf8(const char *text)
{
	json_t *probe = json_string(text);
	json_decref(probe);
	return probe != NULL;
}

/** It is shown to people and goes into JSON, so it is printable UTF-8. */
static bool read_name(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	const char *text = config_setting_get_string(setting);
	if (text && !configuration_is_utf8(text))
		return configuration_complain(reading, setting, "%s is not in UTF-8", option->key);
	for (const char *at = text; at && *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return configuration_complain(reading, setting, "%s has control characters in it", option->key);
	return read_text(reading, setting, option);
}

static bool read_whole(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option, const char *hint, long long *value)
{
	int type = config_setting_type(setting);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return configuration_complain(reading, setting, "%s must be a whole number%s", option->key, hint);
	*value = config_setting_get_int64(setting);
	if (*value < option->minimum || *value > option->maximum)
		return configuration_complain(
			reading, setting, "%s must be from %ld to %ld", option->key, option->minimum, option->maximum);
	return true;
}

static bool read_number(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	long long value = 0;
	if (!read_whole(reading, setting, option, "", &value))
		return false;
	uint16_t number = (uint16_t)value;
	memcpy(text_field(reading, option), &number, sizeof number);
	return true;
}

static bool read_quantity(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	long long value = 0;
	if (!read_whole(reading, setting, option, " (large ones end in L)", &value))
		return false;
	uint64_t number = (uint64_t)value;
	memcpy(text_field(reading, option), &number, sizeof number);
	return true;
}

static bool read_flag(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return configuration_complain(reading, setting, "%s must be true or false", option->key);
	*(bool *)text_field(reading, option) = config_setting_get_bool(setting);
	return true;
}

/** The place of `text` in "a|b|c", or -1. */
static int choice_index(const char *choices, const char *text)
{
	size_t length = strlen(text);
	for (int index = 0; choices; index++) {
		const char *bar = strchr(choices, '|');
		size_t width = bar ? (size_t)(bar - choices) : strlen(choices);
		if (width == length && memcmp(choices, text, length) == 0)
			return index;
		choices = bar ? bar + 1 : NULL;
	}
	return -1;
}

/** "a|b|c" as "a, b, c": for people, and since a bar would end the cell of a table. */
static void spell_choices(const char *choices, char *text, size_t size)
{
	size_t length = 0;
	for (const char *from = choices; *from && length + 3 < size; from++) {
		if (*from == '|')
			text[length++] = ',';
		text[length++] = *from == '|' ? ' ' : *from;
	}
	text[length] = 0;
}

static int read_choice(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	const char *text = config_setting_get_string(setting);
	int index = text ? choice_index(option->values, text) : -1;
	char choices[128];
	spell_choices(option->values, choices, sizeof choices);
	if (index < 0)
		configuration_complain(
			reading, setting, "%s must be one of %s, in double quotes", option->key, choices);
	return index;
}

/** A field of text that holds one of the choices. */
static bool read_choice_text(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	return read_choice(reading, setting, option) >= 0 && read_text(reading, setting, option);
}

/** A boolean field: false for the first choice, true for the second. */
static bool read_choice_flag(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	int index = read_choice(reading, setting, option);
	if (index < 0)
		return false;
	*(bool *)text_field(reading, option) = index == 1;
	return true;
}

static bool read_role(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	int index = read_choice(reading, setting, option);
	if (index < 0)
		return false;
	reading->configuration->client = index == 1;
	reading->configuration->outside_overlay = index == 2;
	return true;
}

/** An octet with the place of the choice. */
static bool read_choice_octet(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	int index = read_choice(reading, setting, option);
	if (index < 0)
		return false;
	*(uint8_t *)text_field(reading, option) = (uint8_t)index;
	return true;
}

/* clang-format off */
const struct configuration_option configuration_options[] = {
	{"identity.key", "\"\"", "file name", "the private key of this host, PEM; made at the first start. Empty: `host.pem` in `state`",
		read_text, FIELD(key_file), 0, 0},
	{"identity.name", "\"\"", "host name, or user@realm", "what this host calls itself towards its peers (HOST_ID), which is no proof. Empty: nothing",
		configuration_read_identity_name, FIELD(name), 0, 0},
	{"identity.certificate", "\"\"", "file name", "certificates of this host to send, PEM: its own first, then those of the authorities on the way (RFC 8002). Empty: none",
		read_text, FIELD(certificate_file), 0, 0},
	{"identity.more", "( )", "list of { key; type; name; certificate }, { anonymous = true; type }",
		"further identities, each with a HIT of its own; all but `key` may be absent; an anonymous one is new at each start",
		configuration_read_identities, FIELD(more), 0, CONFIGURATION_MORE},
	{"tunnel.name", "\"hip0\"", "device name", "the network device on which the host sees HITs",
		read_device_name, FIELD(tunnel_name), 1, 0},
	{"tunnel.mtu", "1400", "1280 to 8900", "its MTU; with what HIP adds it should fit the paths",
		read_number, FIELD(tunnel_mtu), 1280, 8900},
	{"underlay.port", "10500", "0 to 65535", "UDP port of HIP (RFC 9028); 0 takes any free one",
		read_number, FIELD(port), 0, 65535},
	{"underlay.transports", "( \"udp\", \"ip\" )", "list of udp, ip", "how HIP and ESP are carried, the most liked first",
		configuration_read_transports, FIELD(transports), 1, 2},
	{"underlay.icmp", "true", "true, false", "whether ICMP tells what was wrong with packets over plain IP, at a low rate (RFC 7401 section 5.4)",
		read_flag, FIELD(icmp), 0, 0},
	{"underlay.hosts", "( )", "list of { name; hit; address; port; transport; unused_seconds }",
		"locators known by hand; all but `hit` and `address` may be absent",
		configuration_read_hosts, FIELD(hosts), 0, CONFIGURATION_HOSTS},
	{"paths.interfaces", "( )", "list of { name; preference; metered; cost; use }",
		"what is thought of the interfaces of this host, in order: the first entry that fits decides; all but `name` may be absent (see below)",
		configuration_read_interfaces, FIELD(interfaces), 0, CONFIGURATION_INTERFACES},
	{"paths.mode", "\"best\"", "best|spread|duplicate", "packets to a peer take the best path, or flows are spread over several, or small real-time packets go twice",
		read_choice_octet, FIELD(path_mode), 1, 0},
	{"paths.patience_seconds", "180", "10 to 2592000", "so long a peer may be silent, in a tunnel or asleep, before its association is given up",
		read_quantity, FIELD(patience_seconds), 10, 2592000},
	{"paths.rekey_on_move", "false", "true, false", "new ESP keys and SPIs after each move to another address, so that who watches two networks cannot tell by the SPIs",
		read_flag, FIELD(rekey_on_move), 0, 0},
	{"router.serve", "false", "true, false", "whether this host is a mobile router: hosts on board register and keep their associations as it moves",
		read_flag, FIELD(router.serves), 0, 0},
	{"router.inside", "( )", "list of names of interfaces", "where hosts come on board; the world is not told of these. Needed when `router.serve`",
		configuration_read_inside, FIELD(router.inside), 0, CONFIGURATION_INSIDE},
	{"router.hosts", "( )", "list of names of `underlay.hosts`, or HITs", "who may come on board; empty: whoever may associate",
		configuration_read_boarders, FIELD(router.hosts), 0, CONFIGURATION_BOARDERS},
	{"router.use", "\"\"", "a name of `underlay.hosts`, or a HIT", "the mobile router that this host uses when it is on board of it. Empty: none",
		read_text, FIELD(router.use.text), 0, 0},
	{"hip.hit_suites", "( \"ecdsa\", \"rsa\" )", "list of ecdsa, rsa, ecdsa-low", "the identities of peers that are taken, and told to them, the most liked first",
		configuration_read_algorithms, FIELD(hit_suites), 1, ALGORITHM_LIST_MAXIMUM},
	{"hip.dh_groups", "( \"p-256\", \"p-384\", \"p-521\", \"modp-3072\", \"modp-2048\" )",
		"list of p-256, p-384, p-521, modp-2048, modp-3072, modp-1536, secp160r1", "Diffie-Hellman groups, the most liked first",
		configuration_read_algorithms, FIELD(dh_groups), 1, ALGORITHM_LIST_MAXIMUM},
	{"hip.ciphers", "( \"aes-128-cbc\", \"aes-256-cbc\" )", "list of aes-128-cbc, aes-256-cbc, null", "what encrypts parts of HIP packets, the most liked first",
		configuration_read_algorithms, FIELD(hip_ciphers), 1, 6},
	{"hip.weak", "false", "true, false", "whether the lists of `hip` and `esp` may have weak algorithms in them, for tests",
		read_flag, FIELD(weak), 0, 0},
	{"esp.suites", "( \"aes-128-gcm-16\", \"aes-128-ccm-16\", \"aes-128-cbc-hmac-sha256-128\", \"aes-256-cbc-hmac-sha256-128\" )",
		"list of at most 6 ESP suites", "what protects the packets of applications, the most liked first",
		configuration_read_algorithms, FIELD(esp_suites), 1, 6},
	{"esp.rekey_seconds", "3600", "1 to 2592000", "ESP keys older than this are renewed",
		read_quantity, FIELD(rekey_seconds), 1, 2592000},
	{"esp.rekey_bytes", "0", "0 to 9000000000000000", "… that have encrypted more octets than this; 0: as many as the suite allows",
		read_quantity, FIELD(rekey_bytes), 0, 9000000000000000},
	{"esp.rekey_packets", "0", "0 to 9000000000000000", "… more packets than this; 0: as many as the suite allows",
		read_quantity, FIELD(rekey_packets), 0, 9000000000000000},
	{"esp.rekey_dh", "true", "true, false", "renew with a new Diffie-Hellman, or from the keying material that is there while it lasts",
		read_flag, FIELD(rekey_dh), 0, 0},
	{"esp.unused_seconds", "300", "10 to 2592000", "an association without a packet for this time is closed, unless the overlay needs it",
		read_quantity, FIELD(unused_seconds), 10, 2592000},
	{"overlay.name", "\"hiphop\"", "text", "the overlay to join, equal on all its hosts",
		read_name, FIELD(overlay_name), 1, 0},
	{"overlay.topology", "\"chord\"", "chord", "the topology plug-in, equal on all hosts",
		read_choice_text, FIELD(topology), 1, 0},
	{"overlay.hash", "\"sha256\"", "sha256|sha384|sha512|sha1", "the hash of resource names, equal on all hosts",
		read_choice_text, FIELD(hash), 1, 0},
	{"overlay.role", "\"peer\"", "peer|client|none", "a peer carries the overlay, a client only uses it; `none` stays outside, with HIP alone",
		read_role, FIELD(client), 1, 0},
	{"overlay.bootstrap", "( )", "list of { address; port; transport; hit }",
		"members to join through; `port`, `transport` and `hit` may be absent",
		configuration_read_bootstrap, FIELD(bootstrap), 0, CONFIGURATION_BOOTSTRAP},
	{"sip.domain", "\"\"", "domain name", "the domain of this overlay's SIP users. Empty: `overlay.name`",
		read_domain, FIELD(sip_domain), 0, CONFIGURATION_DOMAIN_MAXIMUM},
	{"sip.port", "5060", "1 to 65535", "where SIP phones reach this host, at its HIT, ::1 and 127.0.0.1",
		read_number, FIELD(sip_port), 1, 65535},
	{"sip.listen", "( )", "list of addresses of this host, with or without /LENGTH",
		"… and in local networks whose phones know nothing of HIP; an address that is not there yet is waited for",
		configuration_read_listen, FIELD(sip_networks), 0, SIP_NETWORKS_MAXIMUM},
	{"access.associate", "\"any\"", "any|listed", "who may associate: anybody, or only the HITs of hosts and bootstrap",
		read_choice_flag, FIELD(associate_listed), 1, 0},
	{"access.rules", "( )", "list of rules", "who may associate and what may pass, in order: the first rule that fits decides (see below)",
		configuration_read_rules, FIELD(rules), 0, CONFIGURATION_ACCESS},
	{"access.certificate_authorities", "( )", "list of file names", "whose certificates make a host `certified` in the rules: PEM files of certificates, and of CRLs",
		configuration_read_authorities, FIELD(authorities), 0, CONFIGURATION_AUTHORITIES},
	{"access.opportunistic", "\"both\"", "both|answer|ask|never", "whether this host answers and asks without knowing the HIT of the other (RFC 7401 section 4.1.8)",
		read_choice_octet, FIELD(opportunistic), 1, 0},
	{"access.anonymous", "\"accept\"", "accept|refuse", "hosts that come with an anonymous identity",
		read_choice_flag, FIELD(refuse_anonymous), 1, 0},
	{"access.inbound", "( \"icmp6\", \"sip\", \"calls\" )", "list of icmp6, sip, calls, any, tcp/PORT, udp/PORT, { port; hit }",
		"what may begin a flow towards this host; `{ port; hit }` lets one HIT in, to one port or to all",
		configuration_read_inbound, FIELD(inbound), 0, CONFIGURATION_ACCESS},
	{"prefixes.announce", "( )", "list of prefixes", "what lies behind this host and is to be reached through it (see below)",
		configuration_read_announced, FIELD(announce), 0, CONFIGURATION_PREFIXES},
	{"prefixes.accept", "( )", "list of { prefix; from }", "what others may announce: a prefix, or any inside it, and the HIT or name of the host that it lies behind",
		configuration_read_accepted, FIELD(accept), 0, CONFIGURATION_PREFIXES},
	{"prefixes.address", "\"\"", "IPv4 address", "given to the tunnel device and announced as a prefix of its own, to reach IPv4 prefixes from. Empty: none",
		configuration_read_tunnel_ipv4, FIELD(tunnel_ipv4), 0, 0},
	{"control.socket", "\"/run/hiphop/control.sock\"", "file name", "where `hiphop` reaches hiphopd",
		read_text, FIELD(control_socket), 1, 107},
	{"state", "\"/var/lib/hiphop\"", "directory", "what survives a restart, and the lock against a second hiphopd",
		read_text, FIELD(state), 1, 200},
	{"user", "\"hiphop\"", "user name", "whom hiphopd becomes; `nobody`, with a warning, when there is no such user",
		read_text, FIELD(user), 1, 0},
	{"group", "\"hiphop\"", "group name", "its group; members may use `hiphop`",
		read_text, FIELD(group), 1, 0},
};
/* clang-format on */
const size_t configuration_option_count = sizeof configuration_options / sizeof *configuration_options;

void configuration_option_row(size_t index, char *text, size_t size)
{
	const struct configuration_option *option = &configuration_options[index];
	char values[128];
	spell_choices(option->values, values, sizeof values);
	snprintf(text, size, "| `%s` | `%s` | %s | %s |", option->key, option->fallback, values, option->help);
}
