/* SPDX-License-Identifier: MIT */
#include "sipglue/targets.h"

#include "sipglue/bindings.h"
#include "sipglue/calls.h"
#include "sipglue/place.h"
#include "sipglue/route.h"

#include <stdio.h>
#include <string.h>

/* ---- What the overlay said lately ---- */

static struct cached_lookup *lookup_find(struct sip *sip, const char *aor)
{
	for (size_t i = 0; i < LOOKUP_CACHE_SIZE; i++)
		if (sip->lookups[i].until > sip->now && strcmp(sip->lookups[i].aor, aor) == 0)
			return &sip->lookups[i];
	return NULL;
}

void lookup_keep(struct sip *sip, const char *aor, const struct hit *hits, size_t count)
{
	struct cached_lookup *slot = lookup_find(sip, aor);
	for (size_t i = 0; !slot && i < LOOKUP_CACHE_SIZE; i++)
		if (sip->lookups[i].until <= sip->now)
			slot = &sip->lookups[i];
	if (!slot)
		slot = &sip->lookups[random_below(sip->random, LOOKUP_CACHE_SIZE)];
	snprintf(slot->aor, sizeof slot->aor, "%s", aor);
	memcpy(slot->hits, hits, count * sizeof *hits);
	slot->count = count;
	slot->until = instant_after(sip->now, LOOKUP_CACHE_LIFE);
}

void lookup_forget(struct sip *sip, const char *aor)
{
	struct cached_lookup *slot = lookup_find(sip, aor);
	if (slot)
		slot->until = 0;
}

void sip_forget_name(struct sip *sip, instant now, const char *aor)
{
	sip->now = now;
	lookup_forget(sip, aor);
	for (size_t i = 0; i < LOOKUP_CACHE_SIZE; i++)
		if (strcmp(sip->callers[i].aor, aor) == 0)
			sip->callers[i].until = 0;
}

bool caller_is_verified(const struct sip *sip, const char *aor, const struct hit *hit)
{
	for (size_t i = 0; i < LOOKUP_CACHE_SIZE; i++) {
		const struct verified_caller *caller = &sip->callers[i];
		if (caller->until > sip->now && hit_equal(&caller->hit, hit) && strcmp(caller->aor, aor) == 0)
			return true;
	}
	return false;
}

void caller_keep(struct sip *sip, const char *aor, const struct hit *hit)
{
	struct verified_caller *slot = &sip->callers[random_below(sip->random, LOOKUP_CACHE_SIZE)];
	snprintf(slot->aor, sizeof slot->aor, "%s", aor);
	slot->hit = *hit;
	slot->until = instant_after(sip->now, LOOKUP_CACHE_LIFE);
}

/* ---- The set ---- */

void targets_free(struct target_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		osip_uri_free(set->targets[i].uri);
	set->count = 0;
}

/** Keeps the highest quality first, equal ones in the order in which they came. */
static void insert(struct target_set *set, struct target target)
{
	size_t place = set->count;
	if (set->count == SIP_FORKS_MAXIMUM) {
		osip_uri_free(target.uri);
		return;
	}
	for (; place > 0 && set->targets[place - 1].quality < target.quality; place--)
		set->targets[place] = set->targets[place - 1];
	set->targets[place] = target;
	set->count++;
}

static int single(struct target_set *set, const struct path *path)
{
	insert(set, (struct target){.path = *path});
	return TARGETS_READY;
}

int targets_registered(struct sip *sip, const char *aor, struct target_set *set)
{
	const struct registration *registration = registration_find(sip, aor);
	if (!registration)
		return 404;
	for (size_t i = 0; i < registration->count; i++) {
		const struct binding *binding = registration->bindings[i];
		struct target target = {.quality = binding->quality};
		if (!binding_path(sip, binding, &target.path))
			continue;
		if (uri_copy(binding->uri, &target.uri) != HIPHOP_OK)
			return 500;
		insert(set, target);
	}
	return set->count ? TARGETS_READY : 480;
}

int targets_hosts(struct sip *sip, const struct hit *hits, size_t count, struct target_set *set)
{
	for (size_t i = 0; i < count; i++) {
		struct target target = {0};
		struct address address;
		memcpy(address.octets, hits[i].octets, HIT_LENGTH);
		if (hit_equal(&hits[i], &sip->self) || !hit_is_host(&hits[i]))
			continue;
		if (place_path(sip, &address, SIP_PORT, false, &target.path))
			insert(set, target);
	}
	return set->count ? TARGETS_READY : 480;
}

/* ---- Section 16.5 ---- */

/** A literal address. A stranger may reach only phones that it knows through us, and nobody else: this host relays
 *  neither to other hosts nor to whatever else listens on its loopback addresses. A phone of a local network may
 *  also reach other hosts, as they reach it. */
static int find_literal(struct sip *sip, osip_uri_t *uri, const struct path *source, struct target_set *set)
{
	struct path path;
	bool stranger = !place_is_own(sip, &source->remote.address);
	bool trusted = !stranger && !place_network(sip, &source->remote.address);
	struct hit peer = stranger ? place_hit(&source->remote.address) : sip->self;
	if (bindings_path_of_uri(sip, uri, &path))
		return single(set, &path);
	if (!place_uri_path(sip, uri, &path))
		return 404;
	bool own = place_is_own(sip, &path.remote.address);
	bool phone = own && (bindings_reach(sip, &path) || calls_reach(sip, &peer, &path));
	if (!trusted && !phone && (stranger || own))
		return 403;
	return single(set, &path);
}

static int find_name(struct sip *sip, const osip_uri_t *uri, const struct path *source, struct target_set *set,
	char aor[static SIP_TEXT_SIZE], bool *cached)
{
	if (place_aor(uri, sip->domain, aor) != HIPHOP_OK)
		return uri->username && *uri->username ? 404 : 484;
	int status = targets_registered(sip, aor, set);
	if (status != 404)
		return status;
	/* Strangers come here for our users; for others they ask the overlay themselves. */
	if (!place_is_own(sip, &source->remote.address))
		return 404;
	const struct cached_lookup *lookup = lookup_find(sip, aor);
	if (!lookup)
		return TARGETS_LOOKUP;
	*cached = true;
	return targets_hosts(sip, lookup->hits, lookup->count, set);
}

int targets_find(struct sip *sip, const struct message *request, const struct path *source, struct target_set *set,
	char aor[static SIP_TEXT_SIZE], bool *cached)
{
	osip_uri_t *uri = request->osip->req_uri, *route = route_top(request);
	memset(set, 0, sizeof *set);
	*cached = false;
	if (route)
		return place_uri_is_sip(route) ? find_literal(sip, route, source, set) : 416;
	if (place_uri_in_domain(sip, uri) || place_uri_is_proxy(sip, uri))
		return find_name(sip, uri, source, set, aor, cached);
	return find_literal(sip, uri, source, set);
}
