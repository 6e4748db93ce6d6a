/* SPDX-License-Identifier: MIT */
#include "daemon/access_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

/* ---- words ---- */

struct word {
	char text[ACCESS_NAME_SIZE];
	bool quoted; /* then it is a name, whatever it says */
	bool there;
};

/* The words of a rule, one of them looked at ahead. */
struct words {
	const char *rest;
	struct word next;
	bool too_long;
	bool unclosed;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void add_character(struct words *words, size_t *length, char c)
{
	if (*length + 1 < sizeof words->next.text)
		words->next.text[(*length)++] = c;
	else
		words->too_long = true;
}

/* A backslash takes what follows it as it is. */
static void read_quoted(struct words *words, size_t *length)
{
	words->next.quoted = true;
	for (words->rest++; *words->rest && *words->rest != '"'; words->rest++) {
		if (*words->rest == '\\' && words->rest[1])
			words->rest++;
		add_character(words, length, *words->rest);
	}
	words->unclosed |= !*words->rest;
	if (*words->rest)
		words->rest++;
}

static void advance(struct words *words)
{
	size_t length = 0;

	words->next.quoted = false;
	while (is_blank(*words->rest))
		words->rest++;
	words->next.there = *words->rest != 0;
	if (*words->rest == '"')
		read_quoted(words, &length);
	else
		for (; *words->rest && !is_blank(*words->rest); words->rest++)
			add_character(words, &length, *words->rest);
	words->next.text[length] = 0;
}

static bool next_is(const struct words *words, const char *word)
{
	return words->next.there && !words->next.quoted && strcmp(words->next.text, word) == 0;
}

static bool take(struct words *words, const char *word)
{
	if (!next_is(words, word))
		return false;
	advance(words);
	return true;
}

/* ---- traffic ---- */

static const struct {
	const char *word;
	access_traffic traffic;
	uint8_t protocol;
} traffics[] = {
	{"any", ACCESS_ANY, 0},
	{"sip", ACCESS_SIP, 0},
	{"calls", ACCESS_CALLS, 0},
	{"icmp6", ACCESS_PROTOCOL, PROTOCOL_ICMP6},
	{"tcp", ACCESS_PROTOCOL, PROTOCOL_TCP},
	{"udp", ACCESS_PROTOCOL, PROTOCOL_UDP},
};

/* Digits alone; strtoul would take a sign and spaces as well. */
static bool parse_number(const char *text, const char *end, unsigned least, unsigned most, uint16_t *number)
{
	unsigned value = 0;

	if (text == end || end - text > 5)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
	}
	*number = (uint16_t)value;
	return value >= least && value <= most;
}

static bool parse_ports(const char *text, struct access_rule *rule)
{
	const char *end = text + strlen(text), *dash = strchr(text, '-');

	rule->traffic = ACCESS_PORTS;
	if (!parse_number(text, dash ? dash : end, 1, 65535, &rule->first_port))
		return false;
	rule->last_port = rule->first_port;
	return !dash ||
	       (parse_number(dash + 1, end, 1, 65535, &rule->last_port) && rule->first_port <= rule->last_port);
}

static bool parse_protocol_number(const char *text, struct access_rule *rule)
{
	uint16_t number;

	if (!parse_number(text, text + strlen(text), 0, 255, &number))
		return false;
	rule->traffic = ACCESS_PROTOCOL;
	rule->protocol = (uint8_t)number;
	return true;
}

bool access_rule_parse_traffic(const char *text, struct access_rule *rule)
{
	for (size_t i = 0; i < sizeof traffics / sizeof *traffics; i++) {
		if (strcmp(text, traffics[i].word) == 0) {
			rule->traffic = traffics[i].traffic;
			rule->protocol = traffics[i].protocol;
			return true;
		}
	}
	if (strncmp(text, "ip/", 3) == 0)
		return parse_protocol_number(text + 3, rule);
	if (strncmp(text, "tcp/", 4) != 0 && strncmp(text, "udp/", 4) != 0)
		return false;
	rule->protocol = *text == 't' ? PROTOCOL_TCP : PROTOCOL_UDP;
	return parse_ports(text + 4, rule);
}

/* ---- reading ---- */

static hiphop_error complain(char *complaint, size_t size, const char *before, const char *word, const char *after)
{
	snprintf(complaint, size, "%s%.40s%s", before, word, after);
	return HIPHOP_MALFORMED;
}

static hiphop_error take_who(struct words *words, struct access_rule *rule, char *complaint, size_t size)
{
	static const struct {
		const char *word;
		access_who who;
	} groups[] = {{"anyone", ACCESS_ANYONE}, {"members", ACCESS_MEMBERS}, {"strangers", ACCESS_STRANGERS},
		{"certified", ACCESS_CERTIFIED}};
	const char *text = words->next.text;

	if (!words->next.there)
		return complain(complaint, size,
			"it does not say who: a HIT, a name, members, strangers, certified or anyone", "", "");
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		if (next_is(words, groups[i].word)) {
			rule->who = groups[i].who;
			advance(words);
			return HIPHOP_OK;
		}
	}
	if (!words->next.quoted && !hit_parse(text, &rule->hit)) {
		rule->who = ACCESS_HIT;
		if (!hit_is_host(&rule->hit))
			return complain(complaint, size, "\"", text, "\" is no HIT of a host");
		advance(words);
		return HIPHOP_OK;
	}
	if (!words->next.quoted && strncmp(text, "sip:", 4) == 0)
		text += 4;
	if (!*text)
		return complain(complaint, size, "the name in it is empty", "", "");
	rule->who = ACCESS_NAME;
	snprintf(rule->name, sizeof rule->name, "%s", text);
	advance(words);
	return HIPHOP_OK;
}

static bool next_is_traffic(const struct words *words)
{
	struct access_rule probe = {0};

	return words->next.there && !words->next.quoted && access_rule_parse_traffic(words->next.text, &probe);
}

/* What comes after "in" or "out", or a flow that needs no such word. */
static hiphop_error take_flow(struct words *words, struct access_rule *rule, char *complaint, size_t size)
{
	if (!next_is_traffic(words))
		return complain(complaint, size, "\"", words->next.text,
			"\" is no traffic; write any, icmp6, sip, calls, tcp, tcp/22 or udp/5000-5100");
	access_rule_parse_traffic(words->next.text, rule);
	advance(words);
	if (!words->next.there)
		return HIPHOP_OK;
	if (!take(words, rule->direction == ACCESS_IN ? "from" : "to"))
		return complain(complaint, size, "\"", words->next.text,
			rule->direction == ACCESS_IN ? "\" stands where \"from\" is expected"
						     : "\" stands where \"to\" is expected");
	return take_who(words, rule, complaint, size);
}

static hiphop_error take_about(struct words *words, struct access_rule *rule, char *complaint, size_t size)
{
	rule->direction = ACCESS_IN;
	if (take(words, "associate")) {
		rule->direction = ACCESS_ASSOCIATE;
		if (!words->next.there)
			return HIPHOP_OK;
		take(words, "with");
		return take_who(words, rule, complaint, size);
	}
	if (take(words, "with")) {
		rule->direction = ACCESS_ASSOCIATE;
		return take_who(words, rule, complaint, size);
	}
	if (take(words, "in") || next_is_traffic(words))
		return take_flow(words, rule, complaint, size);
	if (take(words, "out")) {
		rule->direction = ACCESS_OUT;
		return take_flow(words, rule, complaint, size);
	}
	rule->direction = ACCESS_ASSOCIATE;
	return take_who(words, rule, complaint, size);
}

/* Control characters would end up on terminals and break the lines of the state file. */
static bool has_control_character(const char *text)
{
	for (; *text; text++) {
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return true;
	}
	return false;
}

hiphop_error access_rule_parse(const char *text, struct access_rule *rule, char *complaint, size_t complaint_size)
{
	struct words words = {.rest = text};
	hiphop_error error;

	memset(rule, 0, sizeof *rule);
	if (has_control_character(text))
		return complain(complaint, complaint_size, "there is a control character in it", "", "");
	advance(&words);
	rule->deny = next_is(&words, "deny");
	if (!take(&words, "allow") && !take(&words, "deny"))
		return complain(complaint, complaint_size, "it must begin with \"allow\" or \"deny\"", "", "");
	error = take_about(&words, rule, complaint, complaint_size);
	if (words.unclosed)
		return complain(complaint, complaint_size, "a quote is not closed", "", "");
	if (words.too_long)
		return complain(complaint, complaint_size, "a word in it is too long", "", "");
	if (!error && words.next.there)
		return complain(complaint, complaint_size, "\"", words.next.text, "\" is one word too many");
	return error;
}

/* ---- writing ---- */

static void format_traffic(const struct access_rule *rule, char *text, size_t size)
{
	const char *protocol = rule->protocol == PROTOCOL_TCP ? "tcp" : "udp";

	if (rule->traffic == ACCESS_PORTS && rule->first_port == rule->last_port) {
		snprintf(text, size, "%s/%u", protocol, rule->first_port);
	} else if (rule->traffic == ACCESS_PORTS) {
		snprintf(text, size, "%s/%u-%u", protocol, rule->first_port, rule->last_port);
	} else {
		snprintf(text, size, "ip/%u", rule->protocol);
		for (size_t i = 0; i < sizeof traffics / sizeof *traffics; i++) {
			if (traffics[i].traffic == rule->traffic && traffics[i].protocol == rule->protocol)
				snprintf(text, size, "%s", traffics[i].word);
		}
	}
}

/* Quoted always, so that no name is ever taken for a word of the language. */
static void format_name(const char *name, char *text, size_t size)
{
	size_t length = 0;

	text[length++] = '"';
	for (; *name && length + 4 < size; name++) {
		if (*name == '"' || *name == '\\')
			text[length++] = '\\';
		text[length++] = *name;
	}
	text[length++] = '"';
	text[length] = 0;
}

static bool is_plain_name(const char *name)
{
	static const char *const words[] = {"anyone", "members", "strangers", "certified"};
	struct hit hit;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(name, words[i]) == 0)
			return false;
	}
	return !strpbrk(name, " \t\"") && strncmp(name, "sip:", 4) != 0 && hit_parse(name, &hit);
}

static void format_who(const struct access_rule *rule, char *text, size_t size)
{
	static const char *const groups[] = {[ACCESS_ANYONE] = "anyone",
		[ACCESS_MEMBERS] = "members",
		[ACCESS_STRANGERS] = "strangers",
		[ACCESS_CERTIFIED] = "certified"};
	char hit[HIT_TEXT_SIZE];

	if (rule->who == ACCESS_HIT)
		snprintf(text, size, "%s", hit_format(&rule->hit, hit));
	else if (rule->who != ACCESS_NAME)
		snprintf(text, size, "%s", groups[rule->who]);
	else if (is_plain_name(rule->name))
		snprintf(text, size, "%s", rule->name);
	else
		format_name(rule->name, text, size);
}

char *access_rule_format(const struct access_rule *rule, char text[static ACCESS_RULE_TEXT_SIZE])
{
	static const char *const prepositions[] = {
		[ACCESS_ASSOCIATE] = "with", [ACCESS_IN] = "from", [ACCESS_OUT] = "to"};
	char traffic[24] = "", who[2 * ACCESS_NAME_SIZE + 4];

	if (rule->direction != ACCESS_ASSOCIATE)
		format_traffic(rule, traffic, sizeof traffic);
	format_who(rule, who, sizeof who);
	snprintf(text, ACCESS_RULE_TEXT_SIZE, "%s %s%s%s %s %s", rule->deny ? "deny" : "allow",
		access_direction_name(rule->direction), *traffic ? " " : "", traffic, prepositions[rule->direction],
		who);
	return text;
}

const char *access_direction_name(access_direction direction)
{
	static const char *const names[] = {[ACCESS_ASSOCIATE] = "associate", [ACCESS_IN] = "in", [ACCESS_OUT] = "out"};

	return names[direction];
}

/* ---- deciding ---- */

bool access_rule_is_about_the_same(const struct access_rule *a, const struct access_rule *b)
{
	if (a->direction != b->direction || a->traffic != b->traffic || a->protocol != b->protocol ||
		a->first_port != b->first_port || a->last_port != b->last_port || a->who != b->who)
		return false;
	return a->who == ACCESS_NAME ? strcmp(a->name, b->name) == 0 : hit_equal(&a->hit, &b->hit);
}

bool access_rule_names_one(const struct access_rule *rule)
{
	return rule->who == ACCESS_HIT || rule->who == ACCESS_NAME;
}

static bool fits_traffic(const struct access_rule *rule, const struct access_subject *subject)
{
	if (rule->direction == ACCESS_ASSOCIATE)
		return true;
	switch (rule->traffic) {
	case ACCESS_ANY:
		return true;
	case ACCESS_SIP:
		return subject->sip;
	case ACCESS_CALLS:
		return subject->calls;
	case ACCESS_PROTOCOL:
		return subject->protocol == rule->protocol;
	case ACCESS_PORTS:
		return subject->protocol == rule->protocol && subject->port >= rule->first_port &&
		       subject->port <= rule->last_port;
	}
	return false;
}

static bool fits_peer(
	const struct access_rule *rule, const struct hit *peer, const struct access_membership *membership)
{
	switch (rule->who) {
	case ACCESS_ANYONE:
		return true;
	case ACCESS_HIT:
	case ACCESS_NAME:
		return !hit_is_null(&rule->hit) && hit_equal(&rule->hit, peer);
	case ACCESS_MEMBERS:
		return membership->is_member(membership->context, peer);
	case ACCESS_STRANGERS:
		return !membership->is_member(membership->context, peer);
	case ACCESS_CERTIFIED:
		return membership->is_certified && membership->is_certified(membership->context, peer);
	}
	return false;
}

bool access_rule_fits(const struct access_rule *rule, const struct access_subject *subject,
	const struct access_membership *membership)
{
	return rule->direction == subject->direction && fits_traffic(rule, subject) &&
	       fits_peer(rule, &subject->peer, membership);
}

size_t access_rules_decide(const struct access_rule *rules, size_t count, const struct access_subject *subject,
	const struct access_membership *membership)
{
	size_t place = 0;

	while (place < count && !access_rule_fits(&rules[place], subject, membership))
		place++;
	return place;
}
