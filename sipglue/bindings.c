/* SPDX-License-Identifier: MIT */
#include "sipglue/bindings.h"

#include "sipglue/place.h"
#include "sipglue/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct registration *registration_find(const struct sip *sip, const char *aor)
{
	struct registration *each;
	TAILQ_FOREACH(each, &sip->registrations, link)
	if (strcmp(each->aor, aor) == 0)
		return each;
	return NULL;
}

hiphop_error registration_make(struct sip *sip, const char *aor, struct registration **registration)
{
	*registration = registration_find(sip, aor);
	if (*registration)
		return HIPHOP_OK;
	if (sip->registration_count >= sip->limits.registrations) {
		sip->counters.limited++;
		return HIPHOP_LIMITED;
	}
	struct registration *made = calloc(1, sizeof *made);
	if (!made || engine_admit_deadlines(sip, 1) != HIPHOP_OK) {
		free(made);
		return HIPHOP_NO_MEMORY;
	}
	snprintf(made->aor, sizeof made->aor, "%s", aor);
	TAILQ_INSERT_TAIL(&sip->registrations, made, link);
	sip->registration_count++;
	*registration = made;
	return HIPHOP_OK;
}

struct binding *binding_find(const struct registration *registration, osip_uri_t *uri)
{
	for (size_t i = 0; i < registration->count; i++)
		if (place_uri_equal(registration->bindings[i]->uri, uri))
			return registration->bindings[i];
	return NULL;
}

void binding_free(struct binding *binding)
{
	if (!binding)
		return;
	osip_uri_free(binding->uri);
	free(binding);
}

static void persist(
	struct sip *sip, const struct registration *registration, const struct binding *binding, bool remove)
{
	effect_push(sip, &(struct sip_effect){.kind = SIP_PERSIST_REGISTRATION,
				 .aor = registration->aor,
				 .contact = binding->contact,
				 .quality = binding->quality,
				 .lifetime_s = remove ? 0 : binding_seconds_left(binding, sip->now),
				 .remove = remove});
}

static void tell(
	struct sip *sip, const struct registration *registration, const struct binding *binding, sip_event event)
{
	effect_push(sip, &(struct sip_effect){.kind = SIP_EVENT,
				 .event = event,
				 .aor = registration->aor,
				 .contact = binding->contact,
				 .lifetime_s = binding_seconds_left(binding, sip->now)});
}

static size_t index_of(const struct registration *registration, const struct binding *binding)
{
	size_t index = 0;
	while (index < registration->count && registration->bindings[index] != binding)
		index++;
	return index;
}

hiphop_error binding_put(struct sip *sip, struct registration *registration, struct binding *filled)
{
	struct binding *old = binding_find(registration, filled->uri);
	if (!old && registration->count == BINDINGS_MAXIMUM) {
		sip->counters.limited++;
		return HIPHOP_LIMITED;
	}
	if (old && strcmp(old->contact, filled->contact) != 0)
		persist(sip, registration, old, true);
	size_t index = old ? index_of(registration, old) : registration->count++;
	registration->bindings[index] = filled;
	persist(sip, registration, filled, false);
	if (!old)
		tell(sip, registration, filled, SIP_EVENT_REGISTERED);
	binding_free(old);
	return HIPHOP_OK;
}

void binding_remove(struct sip *sip, struct registration *registration, struct binding *binding, sip_event event)
{
	size_t index = index_of(registration, binding);
	if (index == registration->count)
		return;
	persist(sip, registration, binding, true);
	tell(sip, registration, binding, event);
	registration->count--;
	memmove(&registration->bindings[index], &registration->bindings[index + 1],
		(registration->count - index) * sizeof(struct binding *));
	binding_free(binding);
}

static void registration_free(struct sip *sip, struct registration *registration)
{
	for (size_t i = 0; i < registration->count; i++)
		binding_free(registration->bindings[i]);
	engine_retire_deadline(sip, &registration->deadline);
	TAILQ_REMOVE(&sip->registrations, registration, link);
	sip->registration_count--;
	free(registration);
}

void registrations_free(struct sip *sip)
{
	while (!TAILQ_EMPTY(&sip->registrations))
		registration_free(sip, TAILQ_FIRST(&sip->registrations));
}

void registration_settle(struct sip *sip, struct registration *registration)
{
	instant next = INSTANT_NEVER;
	for (size_t i = 0; i < registration->count; i++)
		next = instant_earlier(next, registration->bindings[i]->expires);
	if (next != INSTANT_NEVER) {
		engine_set_deadline(sip, &registration->deadline, DEADLINE_BINDING, registration,
			next > sip->now ? next - sip->now : 0);
		return;
	}
	effect_push(sip, &(struct sip_effect){.kind = SIP_UNSTORE, .aor = registration->aor});
	registration_free(sip, registration);
}

void registration_deadline(struct sip *sip, struct registration *registration)
{
	for (size_t i = registration->count; i-- > 0;)
		if (registration->bindings[i]->expires <= sip->now)
			binding_remove(sip, registration, registration->bindings[i], SIP_EVENT_EXPIRED);
	registration_settle(sip, registration);
}

uint32_t binding_seconds_left(const struct binding *binding, instant now)
{
	duration left = binding->expires > now ? binding->expires - now : 0;
	return (uint32_t)((left + SECONDS(1) - 1) / SECONDS(1));
}

uint32_t registration_seconds_left(const struct registration *registration, instant now)
{
	uint32_t longest = 0;
	for (size_t i = 0; i < registration->count; i++) {
		uint32_t left = binding_seconds_left(registration->bindings[i], now);
		longest = left > longest ? left : longest;
	}
	return longest;
}

bool binding_path(const struct sip *sip, const struct binding *binding, struct path *path)
{
	bool literal = place_uri_path(sip, binding->uri, path) && place_is_own(sip, &path->remote.address);
	/* A phone that registered over a stream is reached over it while it lasts (RFC 5626 section 5.3). */
	if (binding->has_flow && binding->flow.stream && stream_is_open(sip, binding->flow.connection)) {
		*path = binding->flow;
		return true;
	}
	/* A contact that is no address of this host (another interface, a name), or the proxy itself: back to where the
	 * registration came from. */
	if (literal && !place_uri_is_proxy(sip, binding->uri))
		return true;
	*path = binding->flow;
	return binding->has_flow;
}

bool bindings_path_of_uri(const struct sip *sip, osip_uri_t *uri, struct path *path)
{
	const struct registration *registration;
	TAILQ_FOREACH(registration, &sip->registrations, link)
	{
		const struct binding *binding = binding_find(registration, uri);
		if (binding)
			return binding_path(sip, binding, path);
	}
	return false;
}

bool bindings_reach(const struct sip *sip, const struct path *path)
{
	const struct registration *registration;
	TAILQ_FOREACH(registration, &sip->registrations, link)
	for (size_t i = 0; i < registration->count; i++) {
		struct path phone;
		const struct binding *binding = registration->bindings[i];
		if (place_uri_path(sip, binding->uri, &phone) && endpoint_equal(&phone.remote, &path->remote))
			return true;
		if (binding->has_flow && endpoint_equal(&binding->flow.remote, &path->remote))
			return true;
	}
	return false;
}

void sip_walk_registrations(const struct sip *sip, instant now,
	void (*visit)(void *context, const struct sip_registration_status *status), void *context)
{
	const struct registration *registration;
	TAILQ_FOREACH(registration, &sip->registrations, link)
	for (size_t i = 0; i < registration->count; i++) {
		const struct binding *binding = registration->bindings[i];
		struct sip_registration_status status = {.aor = registration->aor,
			.contact = binding->contact,
			.quality = binding->quality,
			.expires_s = binding_seconds_left(binding, now)};
		visit(context, &status);
	}
}
