/* SPDX-License-Identifier: MIT */
/**
 * Keeps trying the bootstrap list, joined or not, so that rings that were apart find each other. An entry without HIT
 * is tried opportunistically; the HIT that answers is kept, named from then on, and given up for opportunistic again
 * only when it fails, with a warning. A bootstrap peer that the ring does not need is let go like anybody, so that a
 * well-known one does not carry an association for each of its users; it is asked again now and then.
 */
#include "daemon/node_internal.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST   SECONDS(1)
#define RETRY_MAXIMUM SECONDS(30)
#define REST          SECONDS(600) /* a member asks a bootstrap peer that it has no other use for this often */

hiphop_error node_bootstrap_create(struct node *node)
{
	const struct configuration *configuration = node->configuration;

	node->bootstrap = calloc(configuration->bootstrap_count + 1, sizeof(*node->bootstrap));
	if (!node->bootstrap)
		return HIPHOP_NO_MEMORY;
	node->bootstrap_count = configuration->bootstrap_count;
	for (size_t i = 0; i < node->bootstrap_count; i++) {
		struct node_bootstrap *bootstrap = &node->bootstrap[i];

		bootstrap->entry = &configuration->bootstrap[i];
		bootstrap->node = node;
		bootstrap->hit = bootstrap->entry->hit;
		bootstrap->deadline.kind = NODE_TIMER_BOOTSTRAP;
		bootstrap->deadline.owner = bootstrap;
	}
	return deadline_heap_reserve(&node->timers, node->bootstrap_count + 16);
}

void node_bootstrap_free(struct node *node)
{
	free(node->bootstrap);
}

/* 1, 2, 4 … 30 s with a quarter of jitter, so that hosts switched on together do not stay together. */
static duration retry_after(struct node *node, unsigned failures)
{
	duration pause = failures < 6 ? RETRY_FIRST << failures : RETRY_MAXIMUM;

	if (pause > RETRY_MAXIMUM)
		pause = RETRY_MAXIMUM;
	return pause + MILLISECONDS(random_below(node->environment.random, (uint32_t)(pause / MILLISECONDS(4)) + 1));
}

static void try_later(struct node_bootstrap *bootstrap, instant now)
{
	struct node *node = bootstrap->node;

	bootstrap->pending = false;
	deadline_set(&node->timers, &bootstrap->deadline, instant_after(now, retry_after(node, bootstrap->failures)));
	bootstrap->failures++;
}

static void bootstrap_is_up(struct node_bootstrap *bootstrap, instant now)
{
	struct node *node = bootstrap->node;

	bootstrap->pending = false;
	bootstrap->usable = true;
	bootstrap->failures = 0;
	deadline_cancel(&node->timers, &bootstrap->deadline);
	overlay_bootstrap_up(node->overlay, now, &bootstrap->hit);
}

static hiphop_error try_named(struct node_bootstrap *bootstrap, instant now)
{
	struct node *node = bootstrap->node;

	host_learn_locator(node->host, &bootstrap->hit, &bootstrap->entry->endpoint, true);
	host_hold(node->host, now, &bootstrap->hit, true);
	return host_connect(node->host, now, &bootstrap->hit);
}

static void try_now(struct node_bootstrap *bootstrap, instant now)
{
	struct node *node = bootstrap->node;
	hiphop_error error;

	if (hit_equal(&bootstrap->hit, &node->self))
		return;
	if (hit_is_null(&bootstrap->hit) && !node_asks_opportunistically(node))
		return;
	if (!hit_is_null(&bootstrap->hit) && esp_has_peer(node->esp, &bootstrap->hit)) {
		bootstrap_is_up(bootstrap, now);
		return;
	}
	bootstrap->pending = true;
	if (hit_is_null(&bootstrap->hit))
		error = host_connect_opportunistic(node->host, now, &bootstrap->entry->endpoint);
	else
		error = try_named(bootstrap, now);
	/* Should the host never tell how it ended, the entry is tried again all the same. */
	if (!error || error == HIPHOP_EXISTS)
		deadline_set(&node->timers, &bootstrap->deadline, instant_after(now, 2 * RETRY_MAXIMUM));
	else
		try_later(bootstrap, now);
}

void node_bootstrap_start(struct node *node, instant now)
{
	for (size_t i = 0; i < node->bootstrap_count; i++)
		try_now(&node->bootstrap[i], now);
}

void node_bootstrap_timer(struct node *node, instant now, struct node_bootstrap *bootstrap)
{
	(void)node;
	try_now(bootstrap, now);
}

static struct node_bootstrap *find_by_endpoint(struct node *node, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < node->bootstrap_count; i++) {
		if (endpoint_equal(&node->bootstrap[i].entry->endpoint, endpoint))
			return &node->bootstrap[i];
	}
	return NULL;
}

void node_bootstrap_restore(struct node *node, const struct node_record *record)
{
	for (size_t i = 0; i < node->bootstrap_count; i++) {
		struct node_bootstrap *bootstrap = &node->bootstrap[i];
		char text[ENDPOINT_TEXT_SIZE];

		endpoint_format(&bootstrap->entry->endpoint, text);
		if (hit_is_null(&bootstrap->entry->hit) && strcmp(text, record->key) == 0 &&
			record->length == HIT_LENGTH) {
			memcpy(bootstrap->hit.octets, record->value, HIT_LENGTH);
			bootstrap->learnt = true;
		}
	}
}

void node_bootstrap_learnt(struct node *node, instant now, const struct endpoint *remote, const struct hit *hit)
{
	struct node_bootstrap *bootstrap = find_by_endpoint(node, remote);
	char text[ENDPOINT_TEXT_SIZE], hit_text[HIT_TEXT_SIZE];

	(void)now;
	if (!bootstrap)
		return;
	bootstrap->hit = *hit;
	bootstrap->learnt = true;
	endpoint_format(remote, text);
	log_write(node->log, LOG_LEVEL_INFO, "bootstrap %s is %s (learnt opportunistically)", text,
		hit_format(hit, hit_text));
	host_learn_locator(node->host, hit, remote, true);
	host_hold(node->host, now, hit, true);
	node_persist(node, "bootstrap", text, hit->octets, HIT_LENGTH, 0);
}

static void bootstrap_failed(struct node_bootstrap *bootstrap, instant now)
{
	struct node *node = bootstrap->node;
	char text[ENDPOINT_TEXT_SIZE], hit_text[HIT_TEXT_SIZE];

	bootstrap->usable = false;
	if (bootstrap->learnt && bootstrap->failures > 0 && node_asks_opportunistically(node)) {
		log_write(node->log, LOG_LEVEL_WARNING,
			"bootstrap %s no longer answers as %s; taking whoever answers there",
			endpoint_format(&bootstrap->entry->endpoint, text), hit_format(&bootstrap->hit, hit_text));
		memset(&bootstrap->hit, 0, sizeof(bootstrap->hit));
		bootstrap->learnt = false;
	}
	try_later(bootstrap, now);
}

/* Nobody needed the association any longer. */
static void bootstrap_rests(struct node_bootstrap *bootstrap, instant now)
{
	struct node *node = bootstrap->node;
	duration rest = REST + MILLISECONDS(random_below(node->environment.random, (uint32_t)(REST / MILLISECONDS(4))));

	bootstrap->usable = false;
	bootstrap->pending = false;
	deadline_set(&node->timers, &bootstrap->deadline, instant_after(now, rest));
}

void node_bootstrap_association(struct node *node, instant now, const struct hit *peer, const struct endpoint *remote,
	bool usable, bool in_order)
{
	for (size_t i = 0; i < node->bootstrap_count; i++) {
		struct node_bootstrap *bootstrap = &node->bootstrap[i];
		bool ours = hit_is_null(peer)
				    ? bootstrap->pending && endpoint_equal(&bootstrap->entry->endpoint, remote)
				    : hit_equal(&bootstrap->hit, peer);

		if (!ours)
			continue;
		if (usable)
			bootstrap_is_up(bootstrap, now);
		else if (in_order && overlay_is_joined(node->overlay))
			bootstrap_rests(bootstrap, now);
		else
			bootstrap_failed(bootstrap, now);
	}
}
