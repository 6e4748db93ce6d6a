/* SPDX-License-Identifier: MIT */
/**
 * One rule of access control: its words, and what it is about. The same words stand in the configuration file, on the
 * command line, in the state file and in answers.
 *
 *     rule    := ("allow" | "deny") about
 *     about   := ["associate"] ["with"] who          whether there may be an association at all
 *              | ["in"] traffic ["from" who]         a flow that `who` begins towards this host on hip0
 *              | "out" traffic ["to" who]            a flow that this host begins towards `who`
 *     traffic := "any" | "icmp6" | "tcp" | "udp" | "sip" | "calls" | ("tcp" | "udp") "/" port ["-" port]
 *              | "ip/" protocol number
 *     who     := HIT | name | "members" | "strangers" | "certified" | "anyone"      absent: anyone
 *
 * A name is that of an entry of underlay.hosts, or an Address-of-Record (with or without "sip:"), which stands for the
 * HIT it is pinned to. A name that is also one of these words, or has a space in it, stands in double quotes.
 *
 * Rules are asked in order, and the first that fits decides.
 */
#ifndef HIPHOP_DAEMON_ACCESS_RULE_H
#define HIPHOP_DAEMON_ACCESS_RULE_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest name in a rule, its zero included. */
#define ACCESS_NAME_SIZE 256
/** Room for the words of any rule: a name of nothing but quotes doubles. */
#define ACCESS_RULE_TEXT_SIZE (2 * ACCESS_NAME_SIZE + 64)

typedef enum { ACCESS_ASSOCIATE, ACCESS_IN, ACCESS_OUT } access_direction;

typedef enum {
	ACCESS_ANY,      /**< everything that goes through ESP */
	ACCESS_SIP,      /**< TCP and UDP to the port of SIP */
	ACCESS_CALLS,    /**< UDP to a port that a call in progress has opened for this peer */
	ACCESS_PROTOCOL, /**< one protocol */
	ACCESS_PORTS     /**< TCP or UDP to a range of ports */
} access_traffic;

typedef enum { ACCESS_ANYONE, ACCESS_HIT, ACCESS_NAME, ACCESS_MEMBERS, ACCESS_STRANGERS, ACCESS_CERTIFIED } access_who;

struct access_rule {
	bool deny;
	access_direction direction;
	access_traffic traffic;         /**< not of ACCESS_ASSOCIATE */
	uint8_t protocol;               /**< ACCESS_PROTOCOL, ACCESS_PORTS: IP protocol number */
	uint16_t first_port, last_port; /**< ACCESS_PORTS: of the side that did not begin, host order */
	access_who who;
	struct hit hit;              /**< ACCESS_HIT, ACCESS_NAME: null while the name stands for nobody */
	char name[ACCESS_NAME_SIZE]; /**< ACCESS_NAME: as written, without "sip:" and quotes */
	bool configured;             /**< of the configuration file, not given by command */
	uint64_t matched;            /**< how often it decided */
};

/** What a rule is asked about. */
struct access_subject {
	access_direction direction;
	struct hit peer;
	uint8_t protocol; /**< not of ACCESS_ASSOCIATE */
	uint16_t port;    /**< TCP and UDP: of the side that did not begin, host order */
	bool sip;         /**< it goes to the port of SIP */
	bool calls;       /**< it is media of a call in progress */
};

/** Tells members of the overlay from strangers, and who has a valid certificate (RFC 8002); asked only where a rule has
 * such a word. NULL `is_certified`: nobody is. */
struct access_membership {
	void *context;
	bool (*is_member)(void *context, const struct hit *peer);
	bool (*is_certified)(void *context, const struct hit *peer);
};

/**
 * Reads the words of one rule. HIPHOP_MALFORMED: then `complaint` (128 octets are enough) says what is wrong, as a part
 * of a sentence without its full stop. The name of an ACCESS_NAME is not looked up.
 */
hiphop_error access_rule_parse(const char *text, struct access_rule *rule, char *complaint, size_t complaint_size);
/** Reads the word of a kind of traffic alone, into a rule otherwise zero; false when it is none. */
bool access_rule_parse_traffic(const char *text, struct access_rule *rule);
/** Writes the rule in its full words; reading them again gives the same rule. Returns `text`. */
char *access_rule_format(const struct access_rule *rule, char text[static ACCESS_RULE_TEXT_SIZE]);
/** Whether both are about the same: direction, traffic and who. What they say of it may differ. */
bool access_rule_is_about_the_same(const struct access_rule *a, const struct access_rule *b);
/** Whether the rule is about one HIT, by itself or by its name. */
bool access_rule_names_one(const struct access_rule *rule);
/** Whether the rule fits. */
bool access_rule_fits(const struct access_rule *rule, const struct access_subject *subject,
	const struct access_membership *membership);
/** The place of the first rule that fits, or `count`. */
size_t access_rules_decide(const struct access_rule *rules, size_t count, const struct access_subject *subject,
	const struct access_membership *membership);
/** "associate", "in" or "out". Static. */
const char *access_direction_name(access_direction direction);

#endif
