/* SPDX-License-Identifier: MIT */
#include "daemon/access.h"

#include "daemon/access_packet.h"
#include "hip/base/map.h"

#include <stdlib.h>
#include <string.h>

struct media_key {
	struct hit peer;
	uint16_t port;
};

struct media {
	struct media_key key;
	unsigned openings;
};

struct access {
	struct access_rule *rules; /* given by command, then configured */
	size_t own_count, count;
	uint32_t generation; /* of the rules; 1 at least */
	uint16_t sip_port;
	struct access_membership membership;
	struct access_flows flows;
	struct map media;
	uint64_t counters[ACCESS_COUNTER_COUNT];
	uint64_t refused;
};

hiphop_error access_create(uint16_t sip_port, const struct access_membership *membership,
	const struct random_source *random, struct access **out)
{
	struct access *access = calloc(1, sizeof *access);

	if (!access)
		return HIPHOP_NO_MEMORY;
	access->generation = 1;
	access->sip_port = sip_port;
	access->membership = *membership;
	access_flows_start(&access->flows, random);
	map_start(&access->media, sizeof(struct media_key), random);
	*out = access;
	return HIPHOP_OK;
}

void access_free(struct access *access)
{
	if (!access)
		return;
	access_flows_free(&access->flows);

	struct map_walk walk = map_walk_start(&access->media);
	struct media *media;

	while ((media = map_walk_next(&walk, NULL)))
		free(media);
	map_free(&access->media);
	free(access->rules);
	free(access);
}

/* ---- rules ---- */

const struct access_rule *access_rules(const struct access *access, size_t *count)
{
	*count = access->count;
	return access->rules;
}

size_t access_own_count(const struct access *access)
{
	return access->own_count;
}

hiphop_error access_insert(struct access *access, size_t place, const struct access_rule *rule)
{
	struct access_rule *rules;

	if (place > access->own_count)
		return HIPHOP_INVALID_ARGUMENT;
	if (access->own_count >= ACCESS_OWN_MAXIMUM)
		return HIPHOP_LIMITED;
	rules = realloc(access->rules, (access->count + 1) * sizeof *rules);
	if (!rules)
		return HIPHOP_NO_MEMORY;
	access->rules = rules;
	memmove(rules + place + 1, rules + place, (access->count - place) * sizeof *rules);
	rules[place] = *rule;
	rules[place].configured = false;
	access->own_count++;
	access->count++;
	access->generation++;
	return HIPHOP_OK;
}

hiphop_error access_remove(struct access *access, size_t place)
{
	if (place >= access->own_count)
		return HIPHOP_INVALID_ARGUMENT;
	access->own_count--;
	access->count--;
	memmove(access->rules + place, access->rules + place + 1, (access->count - place) * sizeof *access->rules);
	access->generation++;
	return HIPHOP_OK;
}

/* What the same rule has counted before. */
static uint64_t matched_before(const struct access *access, const struct access_rule *rule)
{
	for (size_t i = access->own_count; i < access->count; i++) {
		if (access->rules[i].deny == rule->deny && access_rule_is_about_the_same(&access->rules[i], rule))
			return access->rules[i].matched;
	}
	return 0;
}

hiphop_error access_configure(struct access *access, const struct access_rule *configured, size_t count)
{
	struct access_rule *rules = calloc(access->own_count + count + 1, sizeof *rules);

	if (!rules)
		return HIPHOP_NO_MEMORY;
	if (access->own_count)
		memcpy(rules, access->rules, access->own_count * sizeof *rules);
	for (size_t i = 0; i < count; i++) {
		struct access_rule *rule = &rules[access->own_count + i];

		*rule = configured[i];
		rule->configured = true;
		rule->matched = matched_before(access, rule);
	}
	free(access->rules);
	access->rules = rules;
	access->count = access->own_count + count;
	access->generation++;
	return HIPHOP_OK;
}

void access_resolve_names(struct access *access, struct hit (*hit_of)(void *context, const char *name), void *context)
{
	for (size_t i = 0; i < access->count; i++) {
		if (access->rules[i].who == ACCESS_NAME)
			access->rules[i].hit = hit_of(context, access->rules[i].name);
	}
	access->generation++;
}

/* The place of the first rule that fits, which has then decided. */
static size_t decide(
	struct access *access, const struct access_subject *subject, const struct access_membership *membership)
{
	size_t place = access_rules_decide(access->rules, access->count, subject, membership);

	if (place < access->count)
		access->rules[place].matched++;
	return place;
}

size_t access_associate(struct access *access, const struct hit *peer, const struct access_membership *membership)
{
	const struct access_subject subject = {.direction = ACCESS_ASSOCIATE, .peer = *peer};

	return decide(access, &subject, membership);
}

/* ---- subjects ---- */

static bool is_call_media(const struct access *access, const struct hit *peer, uint8_t protocol, uint16_t local_port)
{
	struct media_key key;

	if (protocol != ACCESS_UDP)
		return false;
	memset(&key, 0, sizeof key);
	key.peer = *peer;
	key.port = local_port;
	return map_get(&access->media, &key) != NULL;
}

static struct access_subject subject_of(const struct access *access, const struct access_flow_key *key, bool ours)
{
	bool has_ports = key->protocol == ACCESS_TCP || key->protocol == ACCESS_UDP;
	/* The words `sip` and `calls` open this host, not what lies behind it. */
	bool of_host = ours || hit_has_orchid_prefix(&key->local);
	struct access_subject subject = {.direction = ours ? ACCESS_OUT : ACCESS_IN,
		.peer = key->peer,
		.protocol = key->protocol,
		.calls = of_host && is_call_media(access, &key->peer, key->protocol, key->local_port)};

	if (has_ports)
		subject.port = ours ? key->remote_port : key->local_port;
	subject.sip = of_host && has_ports && subject.port == access->sip_port;
	return subject;
}

/* `ours`: the packet is one that this host sends. */
static struct access_flow_key key_of(const struct hit *peer, const struct access_packet *packet, bool ours)
{
	struct access_flow_key key;

	memset(&key, 0, sizeof key);
	key.peer = *peer;
	key.local = ours ? packet->source : packet->destination;
	key.protocol = packet->protocol;
	key.local_port = ours ? packet->source_port : packet->destination_port;
	key.remote_port = ours ? packet->destination_port : packet->source_port;
	/* The identifier alone does not tell who asks: both may have taken the same. */
	if (packet->echo_request)
		key.echo = ours ? 1 : 2;
	if (packet->echo_reply)
		key.echo = ours ? 2 : 1;
	return key;
}

/* ---- verdicts ---- */

static bool refuse(struct access *access, struct access_refusal *refusal, access_counter cause,
	const struct access_subject *subject, size_t rule)
{
	access->counters[cause]++;
	if (subject->direction == ACCESS_IN)
		access->refused++;
	*refusal = (struct access_refusal){.cause = cause, .subject = *subject, .rule = rule};
	return false;
}

static bool passes_as_new(struct access *access, instant now, const struct access_flow_key *key, bool ours,
	struct access_refusal *refusal)
{
	const struct access_subject subject = subject_of(access, key, ours);
	size_t place = decide(access, &subject, &access->membership);
	struct access_flow *flow;

	if (place < access->count && access->rules[place].deny)
		return refuse(
			access, refusal, ours ? ACCESS_COUNT_OUT_BY_RULE : ACCESS_COUNT_IN_BY_RULE, &subject, place);
	if (place == access->count && !ours)
		return refuse(access, refusal, ACCESS_COUNT_IN_UNLISTED, &subject, place);
	/* Without memory the next packet is held against the rules again, that is all. */
	flow = access_flows_add(&access->flows, now, key);
	if (flow) {
		flow->ours = ours;
		flow->calls = place < access->count && access->rules[place].traffic == ACCESS_CALLS && !ours;
		flow->checked = access->generation;
	}
	return true;
}

/* Once after each change of the rules. True when the flow may go on; otherwise it is forgotten. */
static bool survives_change(struct access *access, struct access_flow *flow, struct access_refusal *refusal)
{
	const struct access_subject subject = subject_of(access, &flow->key, flow->ours);
	size_t place = access_rules_decide(access->rules, access->count, &subject, &access->membership);
	struct access_rule *rule = place < access->count ? &access->rules[place] : NULL;

	flow->checked = access->generation;
	if (!rule || !rule->deny || !access_rule_names_one(rule))
		return true;
	rule->matched++;
	access_flows_forget(&access->flows, flow);
	return refuse(access, refusal, ACCESS_COUNT_FLOW_ENDED, &subject, place);
}

/* The flow that the packet belongs to. Media of a call that is over is none any more. */
static struct access_flow *find_flow(struct access *access, instant now, const struct access_flow_key *key)
{
	struct access_flow *flow = access_flows_find(&access->flows, now, key);

	if (!flow || !flow->calls || is_call_media(access, &key->peer, key->protocol, key->local_port))
		return flow;
	access_flows_forget(&access->flows, flow);
	return NULL;
}

/* The flow that an error speaks of: the packet it quotes went the other way. */
static bool quotes_known_flow(
	struct access *access, instant now, const struct hit *peer, const struct access_packet *packet, bool ours)
{
	struct access_packet quoted;
	struct access_flow_key key;

	if (!packet->error || access_packet_read(packet->quoted.data, packet->quoted.length, &quoted) ||
		quoted.later_fragment)
		return false;
	key = key_of(peer, &quoted, !ours);
	return find_flow(access, now, &key) != NULL;
}

static bool passes(struct access *access, instant now, const struct hit *peer, const uint8_t *octets, size_t length,
	bool ours, struct access_refusal *refusal)
{
	const struct access_subject nothing = {.direction = ours ? ACCESS_OUT : ACCESS_IN, .peer = *peer};
	struct access_packet packet;
	struct access_flow_key key;
	struct access_flow *flow;

	if (access_packet_read(octets, length, &packet))
		return refuse(access, refusal, ACCESS_COUNT_MALFORMED, &nothing, access->count);
	if (packet.later_fragment || quotes_known_flow(access, now, peer, &packet, ours))
		return true;
	key = key_of(peer, &packet, ours);
	flow = find_flow(access, now, &key);
	if (!flow)
		return passes_as_new(access, now, &key, ours, refusal);
	if (flow->checked != access->generation && !survives_change(access, flow, refusal))
		return false;
	access_flows_touch(&access->flows, now, flow);
	return true;
}

bool access_outbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length,
	struct access_refusal *refusal)
{
	return passes(access, now, peer, packet, length, true, refusal);
}

bool access_inbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length,
	struct access_refusal *refusal)
{
	return passes(access, now, peer, packet, length, false, refusal);
}

void access_forget_peer(struct access *access, const struct hit *peer)
{
	access_flows_forget_peer(&access->flows, peer);
}

/* ---- media of calls ---- */

static hiphop_error open_media(struct access *access, const struct media_key *key)
{
	struct media *media;

	if (access->media.count >= ACCESS_MEDIA_MAXIMUM)
		return HIPHOP_LIMITED;
	media = calloc(1, sizeof *media);
	if (!media)
		return HIPHOP_NO_MEMORY;
	media->key = *key;
	media->openings = 1;
	if (map_put(&access->media, &media->key, media)) {
		free(media);
		return HIPHOP_NO_MEMORY;
	}
	return HIPHOP_OK;
}

hiphop_error access_media(struct access *access, const struct hit *peer, uint16_t port, bool open)
{
	struct media_key key;
	struct media *media;

	memset(&key, 0, sizeof key);
	key.peer = *peer;
	key.port = port;
	media = map_get(&access->media, &key);
	if (!media)
		return open ? open_media(access, &key) : HIPHOP_OK;
	if (open) {
		media->openings++;
	} else if (--media->openings == 0) {
		map_remove(&access->media, &key);
		free(media);
	}
	return HIPHOP_OK;
}

/* ---- counters ---- */

uint64_t access_counter_value(const struct access *access, access_counter counter)
{
	return counter < ACCESS_COUNTER_COUNT ? access->counters[counter] : 0;
}

const char *access_counter_name(access_counter counter)
{
	static const char *const names[] = {
#define ACCESS_COUNTER_NAME(name, text) text,
		ACCESS_COUNTERS(ACCESS_COUNTER_NAME)
#undef ACCESS_COUNTER_NAME
	};

	return counter < ACCESS_COUNTER_COUNT ? names[counter] : "";
}

uint64_t access_refused(const struct access *access)
{
	return access->refused;
}
