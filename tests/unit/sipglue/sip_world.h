/* SPDX-License-Identifier: MIT */
/**
 * Two hosts with a SIP engine each, on virtual time, and phones that are lines of text. Messages between the two
 * own HITs are carried over; everything else waits in an inbox for the test to look at.
 */
#ifndef SIP_WORLD_H
#define SIP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sipglue/sip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INBOX_SIZE 256
#define HIT_A      "2001:20::a"
#define HIT_B      "2001:20::b"

struct letter {
	char *text;
	struct endpoint local, remote;
	uint32_t connection;
	bool read;
};

struct host {
	struct sip *sip;
	struct seeded_random seed;
	struct random_source random;
	struct hit hit;
	struct letter inbox[INBOX_SIZE];
	size_t inbox_count;
	struct sip_effect media; /* the last SIP_MEDIA_… */
	struct sip_effect relay; /* the last SIP_RELAY_OPEN */
	unsigned relays_opened, relays_closed;
	unsigned media_opened, media_closed, stored, unstored, persisted, forgotten, verified, resolved, connects,
		closes;
	uint64_t last_store, last_resolve, last_verify;
	uint32_t last_connection, last_lifetime;
	struct endpoint last_connect_local;
	unsigned events[8];
};

struct world {
	instant now;
	struct host hosts[2];
	bool hold_store, hold_resolve, hold_verify; /* the test answers itself */
	hiphop_error store_error, resolve_error, verify_error;
	struct sip_target target;
	bool (*lose)(struct world *world, const char *text); /* between the hosts */
	unsigned carried, lost;
};

static inline struct address world_address(const char *text)
{
	struct address address;
	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}

static inline struct endpoint at(const char *address, uint16_t port)
{
	return (struct endpoint){.address = world_address(address), .port = port};
}

/** A local network of host A with phones that know nothing of HIP. */
static const char world_lan[] = "192.168.10.1";

static inline void world_start_limited(struct world *world, struct sip_limits limits)
{
	const struct sip_network lan = {.address = world_address(world_lan), .prefix_length = 96 + 24};
	const char *hits[] = {HIT_A, HIT_B};
	memset(world, 0, sizeof *world);
	world->now = SECONDS(1000);
	for (size_t i = 0; i < 2; i++) {
		struct host *host = &world->hosts[i];
		memcpy(host->hit.octets, world_address(hits[i]).octets, HIT_LENGTH);
		/* OGA nibble of the default suite, so that it is a host's. */
		host->hit.octets[3] = 0x22;
		host->random = seeded_random_start(&host->seed, 7 + i);
		struct sip_configuration configuration = {.domain = "Example.com",
			.self = host->hit,
			.random = &host->random,
			.limits = limits,
			.networks = &lan,
			.network_count = i == 0};
		assert_int_equal(sip_create(&configuration, &host->sip), HIPHOP_OK);
	}
	world->target.hit = world->hosts[1].hit;
}

static inline void world_start(struct world *world)
{
	world_start_limited(world, (struct sip_limits){0});
}

static inline void world_end(struct world *world)
{
	for (size_t i = 0; i < 2; i++) {
		sip_free(world->hosts[i].sip);
		for (size_t j = 0; j < world->hosts[i].inbox_count; j++)
			free(world->hosts[i].inbox[j].text);
	}
}

static inline struct endpoint hit_endpoint(const struct host *host, uint16_t port)
{
	struct endpoint endpoint = {.port = port};
	memcpy(endpoint.address.octets, host->hit.octets, HIT_LENGTH);
	return endpoint;
}

static inline char *hit_text(const struct host *host, char text[static HIT_TEXT_SIZE])
{
	return hit_format(&host->hit, text);
}

static inline bool is_hit_of(const struct host *host, const struct endpoint *endpoint)
{
	return memcmp(endpoint->address.octets, host->hit.octets, HIT_LENGTH) == 0;
}

static inline void keep_letter(struct host *host, const struct sip_effect *effect)
{
	assert_true(host->inbox_count < INBOX_SIZE);
	struct letter *letter = &host->inbox[host->inbox_count++];
	memset(letter, 0, sizeof *letter);
	letter->text = strndup((const char *)effect->octets.data, effect->octets.length);
	letter->local = effect->local;
	letter->remote = effect->remote;
	letter->connection = effect->connection;
	if (getenv("SIP_WORLD_SHOW"))
		printf("---- to port %u\n%s\n", letter->remote.port, letter->text);
}

static inline void carry(struct world *world, size_t index, const struct sip_effect *effect)
{
	struct host *host = &world->hosts[index], *other = &world->hosts[1 - index];
	if (!is_hit_of(other, &effect->remote) || effect->remote.port != SIP_PORT) {
		keep_letter(host, effect);
		return;
	}
	assert_true(is_hit_of(host, &effect->local));
	char *text = strndup((const char *)effect->octets.data, effect->octets.length);
	if (world->lose && world->lose(world, text)) {
		world->lost++;
	} else {
		world->carried++;
		sip_input_datagram(other->sip, world->now, &effect->remote, &effect->local, effect->octets.data,
			effect->octets.length);
	}
	free(text);
}

static inline void act(struct world *world, size_t index, const struct sip_effect *effect)
{
	struct host *host = &world->hosts[index];
	switch (effect->kind) {
	case SIP_SEND_DATAGRAM:
		carry(world, index, effect);
		break;
	case SIP_STREAM_SEND:
		keep_letter(host, effect);
		break;
	case SIP_STREAM_CONNECT:
		host->connects++;
		host->last_connection = effect->connection;
		host->last_connect_local = effect->local;
		break;
	case SIP_STREAM_CLOSE:
		host->closes++;
		break;
	case SIP_STORE:
		host->stored++;
		host->last_store = effect->token;
		host->last_lifetime = effect->lifetime_s;
		if (!world->hold_store)
			sip_stored(host->sip, world->now, effect->token, world->store_error);
		break;
	case SIP_UNSTORE:
		host->unstored++;
		break;
	case SIP_RESOLVE:
		host->resolved++;
		host->last_resolve = effect->token;
		if (!world->hold_resolve)
			sip_resolved(host->sip, world->now, effect->token, world->resolve_error, &world->target, 1);
		break;
	case SIP_VERIFY_CALLER:
		host->verified++;
		host->last_verify = effect->token;
		if (!world->hold_verify)
			sip_caller_verified(host->sip, world->now, effect->token, world->verify_error);
		break;
	case SIP_MEDIA_OPEN:
		host->media_opened++;
		host->media = *effect;
		break;
	case SIP_MEDIA_CLOSE:
		host->media_closed++;
		break;
	case SIP_RELAY_OPEN:
		host->relays_opened++;
		host->relay = *effect;
		break;
	case SIP_RELAY_CLOSE:
		host->relays_closed++;
		break;
	case SIP_PERSIST_REGISTRATION:
		if (effect->remove)
			host->forgotten++;
		else
			host->persisted++;
		break;
	case SIP_EVENT:
		host->events[effect->event]++;
		break;
	}
}

static inline void pump(struct world *world)
{
	bool any = true;
	while (any) {
		any = false;
		for (size_t i = 0; i < 2; i++) {
			struct sip_effect effect;
			while (sip_next_effect(world->hosts[i].sip, &effect)) {
				/* Pointers last until the next call into the engine, and some answers call it. */
				uint8_t *octets = effect.octets.length ? malloc(effect.octets.length) : NULL;
				if (octets)
					memcpy(octets, effect.octets.data, effect.octets.length);
				effect.octets.data = octets;
				act(world, i, &effect);
				free(octets);
				any = true;
			}
		}
	}
}

/** Lets `length` of virtual time pass. */
static inline void pass(struct world *world, duration length)
{
	instant end = world->now + length;
	for (;;) {
		instant next = instant_earlier(sip_next_wake(world->hosts[0].sip), sip_next_wake(world->hosts[1].sip));
		if (next > end)
			break;
		world->now = next > world->now ? next : world->now;
		for (size_t i = 0; i < 2; i++)
			sip_tick(world->hosts[i].sip, world->now);
		pump(world);
	}
	world->now = end;
}

/** Text with \n as line ends becomes a SIP message. */
static inline char *wire(const char *text)
{
	char *out = malloc(strlen(text) * 2 + 1), *to = out;
	for (; *text; text++) {
		if (*text == '\n')
			*to++ = '\r';
		*to++ = *text;
	}
	*to = 0;
	return out;
}

/** A phone at `remote` sends to the host's socket `local`. */
static inline void say(struct world *world, struct host *host, struct endpoint local, struct endpoint remote,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
static inline void say(
	struct world *world, struct host *host, struct endpoint local, struct endpoint remote, const char *format, ...)
{
	char text[16384];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	char *octets = wire(text);
	if (getenv("SIP_WORLD_SHOW"))
		printf("==== from port %u\n%s\n", remote.port, octets);
	sip_input_datagram(host->sip, world->now, &local, &remote, (const uint8_t *)octets, strlen(octets));
	free(octets);
	pump(world);
}

/** The next unread letter to `port`, or NULL. */
static inline struct letter *next_letter(struct host *host, uint16_t port)
{
	for (size_t i = 0; i < host->inbox_count; i++)
		if (!host->inbox[i].read && host->inbox[i].remote.port == port) {
			host->inbox[i].read = true;
			return &host->inbox[i];
		}
	return NULL;
}

/** The next letter to `port` must start like that. */
static inline const char *expect(struct host *host, uint16_t port, const char *start)
{
	struct letter *letter = next_letter(host, port);
	if (!letter)
		fail_msg("nothing for port %u, expected %s", port, start);
	if (strncmp(letter->text, start, strlen(start)) != 0)
		fail_msg("expected %s, got\n%s", start, letter->text);
	return letter->text;
}

static inline void expect_nothing(struct host *host, uint16_t port)
{
	struct letter *letter = next_letter(host, port);
	if (letter)
		fail_msg("unexpected\n%s", letter->text);
}

/** Copies all lines of `message` that start with `name` to the end of `out`, as \n lines. */
static inline void copy_headers(const char *message, const char *name, char *out, size_t size)
{
	for (const char *line = message; line && *line; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL)
		if (strncmp(line, name, strlen(name)) == 0) {
			size_t used = strlen(out);
			snprintf(out + used, size - used, "%.*s\n", (int)strcspn(line, "\r"), line);
		}
}

/** The value of the `index`th line called `name`. */
static inline char *header(const char *message, const char *name, int index, char value[static 512])
{
	const char *line = message;
	size_t length = strlen(name);
	value[0] = 0;
	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		if (strncasecmp(line, name, length) == 0 && line[length] == ':' && index-- == 0) {
			line += length + 1 + strspn(line + length + 1, " ");
			snprintf(value, 512, "%.*s", (int)strcspn(line, "\r"), line);
			return value;
		}
	}
	return value;
}

/** Answers `request` as a phone would, with To tag `tag`, extra header lines and body (both may be ""). */
static inline void reply(struct world *world, struct host *host, const struct letter *to, const char *request,
	const char *status, const char *tag, const char *extra, const char *body)
{
	char text[8192] = "", party[512];
	copy_headers(request, "Via:", text, sizeof text);
	copy_headers(request, "Record-Route:", text, sizeof text);
	copy_headers(request, "From:", text, sizeof text);
	copy_headers(request, "Call-ID:", text, sizeof text);
	copy_headers(request, "CSeq:", text, sizeof text);
	header(request, "To", 0, party);
	bool tagged = strstr(party, "tag=") || !*tag;
	char *octets = wire(body);
	say(world, host, to->local, to->remote, "SIP/2.0 %s\n%sTo: %s%s%s\n%sContent-Length: %zu\n\n%s", status, text,
		party, tagged ? "" : ";tag=", tagged ? "" : tag, extra, strlen(octets), body);
	free(octets);
}

#endif
