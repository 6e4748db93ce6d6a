/* SPDX-License-Identifier: MIT */
#include "hip/core/router_internal.h"

/* ICE's recommended type preference of a host candidate (RFC 8445 section 5.1.2.2), in the place where it goes. */
#define HOST_PRIORITY    (126U << 24)
#define LOCATOR_LIFETIME 3600
#define PROTOCOL_UDP     17

bool transport_is_used(const struct host *host, uint16_t transport)
{
	for (size_t i = 0; i < host->configuration.transport_count; i++) {
		if (host->configuration.transports[i] == transport)
			return true;
	}
	return false;
}

static struct locator own_locator(
	const struct host *host, const struct address *address, uint16_t transport, size_t rank)
{
	struct locator locator = {.address = *address, .lifetime = LOCATOR_LIFETIME, .preferred = rank == 0};

	if (transport == TRANSPORT_UDP) {
		locator.type = LOCATOR_TYPE_TRANSPORT_ADDRESS;
		locator.port = host->configuration.port;
		locator.protocol = PROTOCOL_UDP;
		locator.kind = LOCATOR_KIND_HOST;
		locator.priority = HOST_PRIORITY - (uint32_t)rank * 256;
	} else {
		locator.type = LOCATOR_TYPE_ADDRESS;
	}
	return locator;
}

/* On board of a router the world reaches us where it reaches the router. */
static bool offer_router(const struct host *host, const struct address *address, struct parameter_locator_set *set)
{
	const struct endpoint *locators;
	size_t count;

	if (!router_locators_of(host, address, &locators, &count))
		return false;
	for (size_t i = 0; i < count && set->count < CANDIDATES_MAXIMUM; i++) {
		struct locator *locator = &set->items[set->count];

		*locator = own_locator(host, &locators[i].address, TRANSPORT_UDP, set->count);
		locator->port = locators[i].port;
		set->count++;
	}
	return true;
}

void candidates_offer(struct host *host, struct parameter_locator_set *set)
{
	const struct host_configuration *configuration = &host->configuration;
	bool has_second = configuration->transport_count > 1;
	size_t of_first = has_second ? CANDIDATES_MAXIMUM - 1 : CANDIDATES_MAXIMUM;

	set->count = 0;
	set->ignored = 0;
	for (size_t i = 0; i < host->address_count && i < of_first; i++) {
		if (offer_router(host, &host->addresses[i], set))
			continue;
		set->items[set->count] =
			own_locator(host, &host->addresses[i], configuration->transports[0], set->count);
		set->count++;
	}
	/* One is enough for a peer that has the other transport alone. */
	if (has_second && host->address_count) {
		set->items[set->count] =
			own_locator(host, &host->addresses[0], configuration->transports[1], set->count);
		set->count++;
	}
}

/* False for what cannot be used from here. */
static bool endpoint_of(const struct host *host, const struct locator *locator, struct endpoint *endpoint)
{
	if (!address_is_usable_locator(&locator->address) || locator->traffic == LOCATOR_TRAFFIC_DATA)
		return false;
	endpoint->address = locator->address;
	if (locator->type == LOCATOR_TYPE_TRANSPORT_ADDRESS) {
		endpoint->transport = TRANSPORT_UDP;
		endpoint->port = locator->port;
		return locator->protocol == PROTOCOL_UDP && locator->port != 0 &&
		       transport_is_used(host, TRANSPORT_UDP);
	}
	endpoint->transport = TRANSPORT_IP;
	endpoint->port = 0;
	return transport_is_used(host, TRANSPORT_IP);
}

size_t candidates_take(struct host *host, const struct parameter_locator_set *set, struct endpoint *endpoints,
	size_t capacity, bool *preferred)
{
	size_t taken = 0;

	*preferred = false;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < set->count && taken < capacity; i++) {
			if (set->items[i].preferred != (round == 0) ||
				!endpoint_of(host, &set->items[i], &endpoints[taken]))
				continue;
			if (round == 0)
				*preferred = true;
			taken++;
		}
	}
	return taken;
}

void candidates_learn(struct host *host, const struct hit *peer, const struct parameter_locator_set *set)
{
	struct endpoint endpoints[HOST_LOCATORS_MAXIMUM];
	bool preferred;
	size_t taken = candidates_take(host, set, endpoints, HOST_LOCATORS_MAXIMUM, &preferred);

	/* The newest goes first, so the best is learnt last. */
	while (taken > 0)
		locators_learn(&host->locators, peer, &endpoints[--taken], false);
}
