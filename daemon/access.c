/* SPDX-License-Identifier: MIT */
#include "daemon/access.h"

#include "hip/base/bytes.h"
#include "hip/base/map.h"

#include <stdlib.h>
#include <string.h>

enum {
	HEADER_HOP_BY_HOP = 0,
	HEADER_TCP = 6,
	HEADER_UDP = 17,
	HEADER_ROUTING = 43,
	HEADER_FRAGMENT = 44,
	HEADER_ICMP6 = 58,
	HEADER_DESTINATION = 60,
	ICMP6_INFORMATIONAL = 128, /* types below are errors (RFC 4443 section 2.1) */
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
	EXTENSION_HEADERS_MAXIMUM = 8,
	IPV6_HEADER_LENGTH = 40
};

/* What a flow looks like from this host: for ICMPv6 echo both ports are the identifier. */
struct flow_key {
	struct hit peer;
	uint8_t protocol[2];
	uint16_t local_port;
	uint16_t remote_port;
};

struct flow {
	struct flow_key key;
	instant expires;
	struct flow *newer, *older;
};

struct media_key {
	struct hit peer;
	uint16_t port;
};

struct media {
	struct media_key key;
	unsigned openings;
};

struct access {
	const struct configured_access *rules;
	size_t rule_count;
	uint16_t sip_port;
	struct map flows;
	struct map media;
	struct flow *newest, *oldest;
	uint64_t refused;
};

/* The part of a packet that the filter looks at. */
struct transport_part {
	uint8_t protocol;
	uint8_t icmp_type;
	bool later_fragment;
	uint16_t source_port;
	uint16_t destination_port;
};

static const struct {
	uint8_t protocol;
	duration life;
} flow_lives[] = {
	{HEADER_TCP, SECONDS(7200)},
	{HEADER_UDP, SECONDS(180)},
	{HEADER_ICMP6, SECONDS(30)},
};

static duration flow_life(uint8_t protocol)
{
	for (size_t i = 0; i < sizeof(flow_lives) / sizeof(flow_lives[0]); i++) {
		if (flow_lives[i].protocol == protocol)
			return flow_lives[i].life;
	}
	return SECONDS(60);
}

static bool is_extension(uint8_t header)
{
	return header == HEADER_HOP_BY_HOP || header == HEADER_ROUTING || header == HEADER_DESTINATION;
}

static void read_transport_header(struct reader *reader, struct transport_part *part)
{
	if (part->protocol == HEADER_TCP || part->protocol == HEADER_UDP) {
		part->source_port = reader_u16(reader);
		part->destination_port = reader_u16(reader);
	} else if (part->protocol == HEADER_ICMP6) {
		part->icmp_type = reader_u8(reader);
		reader_skip(reader, 3);
		uint16_t identifier = reader_u16(reader);

		if (part->icmp_type == ICMP6_ECHO_REQUEST || part->icmp_type == ICMP6_ECHO_REPLY)
			part->source_port = part->destination_port = identifier;
	}
}

/* Walks the extension headers of an IPv6 packet to its transport header. */
static hiphop_error read_packet(const uint8_t *packet, size_t length, struct transport_part *part)
{
	struct reader reader = reader_over(packet, length);

	memset(part, 0, sizeof(*part));
	reader_skip(&reader, 6);
	part->protocol = reader_u8(&reader);
	reader_skip(&reader, IPV6_HEADER_LENGTH - 7);
	for (unsigned headers = 0; headers < EXTENSION_HEADERS_MAXIMUM; headers++) {
		if (part->protocol == HEADER_FRAGMENT) {
			part->protocol = reader_u8(&reader);
			reader_skip(&reader, 1);
			part->later_fragment = (reader_u16(&reader) & 0xfff8U) != 0;
			reader_skip(&reader, 4);
			if (part->later_fragment)
				return reader_status(&reader);
		} else if (is_extension(part->protocol)) {
			part->protocol = reader_u8(&reader);
			size_t octets = (size_t)reader_u8(&reader) * 8 + 6;

			reader_skip(&reader, octets);
		} else {
			read_transport_header(&reader, part);
			return reader_status(&reader);
		}
	}
	return HIPHOP_TOO_LARGE;
}

static void make_key(
	struct flow_key *key, const struct hit *peer, uint8_t protocol, uint16_t local_port, uint16_t remote_port)
{
	memset(key, 0, sizeof(*key));
	key->peer = *peer;
	key->protocol[0] = protocol;
	key->local_port = local_port;
	key->remote_port = remote_port;
}

static void unlink_flow(struct access *access, struct flow *flow)
{
	*(flow->newer ? &flow->newer->older : &access->newest) = flow->older;
	*(flow->older ? &flow->older->newer : &access->oldest) = flow->newer;
}

static void link_newest(struct access *access, struct flow *flow)
{
	flow->newer = NULL;
	flow->older = access->newest;
	*(access->newest ? &access->newest->newer : &access->oldest) = flow;
	access->newest = flow;
}

static void forget_flow(struct access *access, struct flow *flow)
{
	unlink_flow(access, flow);
	map_remove(&access->flows, &flow->key);
	free(flow);
}

static void touch_flow(struct access *access, struct flow *flow, instant now)
{
	flow->expires = instant_after(now, flow_life(flow->key.protocol[0]));
	unlink_flow(access, flow);
	link_newest(access, flow);
}

static struct flow *add_flow(struct access *access, const struct flow_key *key)
{
	struct flow *flow;

	if (access->flows.count >= ACCESS_FLOW_MAXIMUM)
		forget_flow(access, access->oldest);
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	flow->key = *key;
	if (map_put(&access->flows, &flow->key, flow)) {
		free(flow);
		return NULL;
	}
	link_newest(access, flow);
	return flow;
}

hiphop_error access_create(const struct configured_access *rules, size_t rule_count, uint16_t sip_port,
	const struct random_source *random, struct access **out)
{
	struct access *access = calloc(1, sizeof(*access));

	if (!access)
		return HIPHOP_NO_MEMORY;
	access->rules = rules;
	access->rule_count = rule_count;
	access->sip_port = sip_port;
	map_start(&access->flows, sizeof(struct flow_key), random);
	map_start(&access->media, sizeof(struct media_key), random);
	*out = access;
	return HIPHOP_OK;
}

void access_free(struct access *access)
{
	if (!access)
		return;
	while (access->newest)
		forget_flow(access, access->newest);
	map_free(&access->flows);

	struct map_walk walk = map_walk_start(&access->media);
	struct media *media;

	while ((media = map_walk_next(&walk, NULL)))
		free(media);
	map_free(&access->media);
	free(access);
}

void access_outbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length)
{
	struct transport_part part;
	struct flow_key key;
	struct flow *flow;

	if (read_packet(packet, length, &part) || part.later_fragment)
		return;
	make_key(&key, peer, part.protocol, part.source_port, part.destination_port);
	flow = map_get(&access->flows, &key);
	if (!flow)
		flow = add_flow(access, &key);
	if (flow)
		touch_flow(access, flow, now);
}

static bool answers_known_flow(
	struct access *access, instant now, const struct hit *peer, const struct transport_part *part)
{
	struct flow_key key;
	struct flow *flow;

	/* An echo request is never an answer, though its identifier may be that of a ping of ours. */
	if (part->protocol == HEADER_ICMP6 && part->icmp_type == ICMP6_ECHO_REQUEST)
		return false;
	/* Errors are part of the flow they speak of; the kernel drops those that fit no socket. */
	if (part->protocol == HEADER_ICMP6 && part->icmp_type < ICMP6_INFORMATIONAL)
		return true;
	make_key(&key, peer, part->protocol, part->destination_port, part->source_port);
	flow = map_get(&access->flows, &key);
	if (!flow)
		return false;
	if (flow->expires <= now) {
		forget_flow(access, flow);
		return false;
	}
	touch_flow(access, flow, now);
	return true;
}

static bool is_call_media(const struct access *access, const struct hit *peer, const struct transport_part *part)
{
	struct media_key key;

	if (part->protocol != HEADER_UDP)
		return false;
	memset(&key, 0, sizeof(key));
	key.peer = *peer;
	key.port = part->destination_port;
	return map_get(&access->media, &key) != NULL;
}

static bool rule_admits(const struct access *access, const struct configured_access *rule, const struct hit *peer,
	const struct transport_part *part)
{
	bool transport = part->protocol == HEADER_TCP || part->protocol == HEADER_UDP;

	if (!hit_is_null(&rule->hit) && !hit_equal(&rule->hit, peer))
		return false;
	switch (rule->kind) {
	case ACCESS_ANY:
		return true;
	case ACCESS_ICMP6:
		return part->protocol == HEADER_ICMP6;
	case ACCESS_SIP:
		return transport && part->destination_port == access->sip_port;
	case ACCESS_PORT:
		return part->protocol == rule->protocol && part->destination_port == rule->port;
	case ACCESS_CALLS:
		return is_call_media(access, peer, part);
	}
	return false;
}

static bool some_rule_admits(const struct access *access, const struct hit *peer, const struct transport_part *part)
{
	for (size_t i = 0; i < access->rule_count; i++) {
		if (rule_admits(access, &access->rules[i], peer, part))
			return true;
	}
	return false;
}

bool access_inbound(struct access *access, instant now, const struct hit *peer, const uint8_t *packet, size_t length)
{
	struct transport_part part;

	if (read_packet(packet, length, &part)) {
		access->refused++;
		return false;
	}
	if (part.later_fragment || answers_known_flow(access, now, peer, &part) ||
		some_rule_admits(access, peer, &part))
		return true;
	access->refused++;
	return false;
}

static hiphop_error open_media(struct access *access, const struct media_key *key)
{
	struct media *media;

	if (access->media.count >= ACCESS_MEDIA_MAXIMUM)
		return HIPHOP_LIMITED;
	media = calloc(1, sizeof(*media));
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

	memset(&key, 0, sizeof(key));
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

uint64_t access_refused(const struct access *access)
{
	return access->refused;
}
