/* SPDX-License-Identifier: MIT */
/**
 * The configuration of a host: the libconfig file as a plain struct with every default filled in.
 */
#ifndef HIPHOP_DAEMON_CONFIGURATION_H
#define HIPHOP_DAEMON_CONFIGURATION_H

#include "daemon/access_rule.h"
#include "daemon/algorithms.h"
#include "hip/base/endpoint.h"
#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/ip_prefix.h"
#include "hip/base/link_address.h"
#include "hip/crypto/host_identity.h"
#include "hip/wire/domain_identifier.h"
#include "sipglue/sip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIGURATION_TEXT        256 /**< longest text value, its zero included */
#define CONFIGURATION_HOSTS       256 /**< entries of underlay.hosts at most */
#define CONFIGURATION_BOOTSTRAP   64  /**< entries of overlay.bootstrap at most */
#define CONFIGURATION_ACCESS      128 /**< entries of access.rules, and of access.inbound, at most */
#define CONFIGURATION_AUTHORITIES 16  /**< entries of access.certificate_authorities at most */
#define CONFIGURATION_MORE        7   /**< entries of identity.more at most */
#define CONFIGURATION_INSIDE      16  /**< entries of router.inside at most */
#define CONFIGURATION_BOARDERS    256 /**< entries of router.hosts at most */
#define CONFIGURATION_PREFIXES    64  /**< entries of prefixes.announce, and of prefixes.accept, at most */
#define CONFIGURATION_INTERFACES  64  /**< entries of paths.interfaces at most */

_Static_assert(CONFIGURATION_TEXT == ACCESS_NAME_SIZE, "any name of a host may stand in a rule");

/** An entry of identity.more: a host identity besides the first. An anonymous one has neither file nor name. */
struct configured_identity {
	char key_file[CONFIGURATION_TEXT];
	char certificate_file[CONFIGURATION_TEXT]; /**< "" = none */
	host_identity_kind kind; /**< what is made when the file is not there; what an anonymous one is */
	bool anonymous;
	struct domain_identifier name;
};

/** access.opportunistic: whether an I1 with NULL Responder HIT (RFC 7401 section 4.1.8) is answered, and sent. */
typedef enum { OPPORTUNISTIC_BOTH, OPPORTUNISTIC_ANSWER, OPPORTUNISTIC_ASK, OPPORTUNISTIC_NEVER } opportunistic_choice;

/** An entry of underlay.hosts: a locator known by hand. */
struct configured_host {
	char name[CONFIGURATION_TEXT];
	struct hit hit;
	struct endpoint endpoint;
	uint32_t unused_seconds; /**< 0: as esp.unused_seconds says */
};

/** An entry of overlay.bootstrap; a null HIT means opportunistic. */
struct configured_bootstrap {
	struct endpoint endpoint;
	struct hit hit;
};

/** An entry of prefixes.accept: this owner may announce the prefix, or any inside it. */
struct configured_prefix {
	struct ip_prefix prefix;
	char from[CONFIGURATION_TEXT]; /**< as written: a HIT, or the name of an entry of underlay.hosts */
	struct hit owner;
};

/** An entry of paths.interfaces. Of a link, the first one that fits its name counts. */
struct configured_interface {
	char name[LINK_NAME_SIZE]; /**< a pattern of fnmatch(3) */
	uint8_t preference;        /**< link_preference */
	bool metered;
	uint16_t cost;
	bool unused; /**< addresses of it are neither offered nor used */
};

/** paths.mode: how packets are dealt out to the paths to a peer. */
enum path_mode {
	PATH_MODE_BEST,     /**< all over the best one */
	PATH_MODE_SPREAD,   /**< flows over several */
	PATH_MODE_DUPLICATE /**< small packets of real-time flows twice, over the two best */
};

/** A host named by the name that it has in underlay.hosts, or by its HIT. */
struct named_host {
	char text[CONFIGURATION_TEXT];
	struct hit hit; /**< null: none */
};

/** router: being a mobile router, and using one. */
struct configured_router {
	bool serves;
	char (*inside)[LINK_NAME_SIZE]; /**< names of interfaces */
	size_t inside_count;
	struct named_host *hosts; /**< who may come on board; none: whoever may associate */
	size_t host_count;
	struct named_host use;
};

struct configuration {
	char key_file[CONFIGURATION_TEXT];
	char certificate_file[CONFIGURATION_TEXT]; /**< "" = none */
	struct domain_identifier name; /**< what the first identity calls itself in HOST_ID; none by default */
	struct configured_identity *more;
	size_t more_count;
	char tunnel_name[16];
	uint16_t tunnel_mtu;
	uint16_t port;
	uint16_t transports[2]; /**< enum transport, most liked first */
	size_t transport_count;
	bool icmp; /**< ICMP messages about packets over plain IP (RFC 7401 section 5.4) */
	struct configured_host *hosts;
	size_t host_count;
	struct configured_interface *interfaces;
	size_t interface_count;
	uint64_t patience_seconds; /**< silence that an association outlives */
	bool rekey_on_move;        /**< new ESP keys after a move */
	uint8_t path_mode;         /**< enum path_mode */
	struct configured_router router;
	struct algorithm_list hit_suites, dh_groups, hip_ciphers, esp_suites; /**< preferences, best first */
	bool weak;                                                            /**< they may have weak ones */
	char overlay_name[CONFIGURATION_TEXT];
	char topology[32];
	char hash[32];
	bool client;          /**< overlay.role = "client" */
	bool outside_overlay; /**< overlay.role = "none": HIP alone */
	struct configured_bootstrap *bootstrap;
	size_t bootstrap_count;
	char sip_domain[CONFIGURATION_TEXT];
	uint16_t sip_port;
	struct sip_network sip_networks[SIP_NETWORKS_MAXIMUM]; /**< sip.listen */
	size_t sip_network_count;
	char (*authorities)[CONFIGURATION_TEXT]; /**< access.certificate_authorities: file names */
	size_t authority_count;
	bool associate_listed;     /**< access.associate = "listed": only HITs of hosts and bootstrap; false = "any" */
	uint8_t opportunistic;     /**< opportunistic_choice */
	bool refuse_anonymous;     /**< access.anonymous = "refuse": no associations with anonymous Initiators */
	struct access_rule *rules; /**< access.rules; the names in them are those of hosts, or have an "@" */
	size_t rule_count;
	struct access_rule *inbound; /**< access.inbound as rules that come after those */
	size_t inbound_count;
	uint64_t rekey_seconds, rekey_bytes, rekey_packets; /**< of ESP keys; the last two 0 = by the suite alone */
	bool rekey_dh;
	uint64_t unused_seconds;    /**< without a packet, after which an association is closed */
	struct ip_prefix *announce; /**< prefixes.announce: what lies behind this host */
	size_t announce_count;
	struct configured_prefix *accept; /**< prefixes.accept */
	size_t accept_count;
	struct address tunnel_ipv4; /**< prefixes.address: of the tunnel device; unspecified = none */
	char control_socket[CONFIGURATION_TEXT];
	char state[CONFIGURATION_TEXT];
	char user[64];
	char group[64];
};

/** Fills in the defaults of every key (docs/configuration.md). Free with configuration_free. HIPHOP_NO_MEMORY. */
hiphop_error configuration_default(struct configuration *configuration);
/**
 * Reads `path` over the defaults. An unknown key, a bad value or a missing file gives an error, and in `message` one
 * clear sentence that names the file and the line; the configuration is then freed and zero. HIPHOP_SYSTEM (cannot be
 * read), HIPHOP_MALFORMED, HIPHOP_NO_MEMORY.
 */
hiphop_error configuration_read(
	const char *path, struct configuration *configuration, char *message, size_t message_size);
void configuration_free(struct configuration *configuration);

#endif
