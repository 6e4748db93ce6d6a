/* SPDX-License-Identifier: MIT */
#include "hip/core/router_internal.h"

#include <string.h>

/* ICE's recommended type preferences (RFC 8445 section 5.1.2.2), in the place where they go, and below them how much
 * the configuration likes the interface (section 5.1.2.1 calls it local preference). */
#define HOST_PRIORITY     (126U << 24)
#define OBSERVED_PRIORITY (110U << 24)
#define LIKED_LOCALLY     65535U
#define USUAL_LOCALLY     32767U
#define AVOIDED_LOCALLY   255U
#define LOCATOR_LIFETIME  3600
#define PROTOCOL_UDP      17

bool transport_is_used(const struct host *host, uint16_t transport)
{
	for (size_t i = 0; i < host->configuration.transport_count; i++) {
		if (host->configuration.transports[i] == transport)
			return true;
	}
	return false;
}

static uint32_t local_preference(const struct link_address *link)
{
	uint32_t dislike = (link->cost < 16000 ? link->cost : 16000U) + (link->metered ? 16000U : 0);

	if (link->preference == LINK_AVOID)
		return AVOIDED_LOCALLY;
	return link->preference == LINK_PREFER ? LIKED_LOCALLY - dislike : USUAL_LOCALLY - dislike / 2;
}

uint32_t candidates_priority(path_origin origin)
{
	return (origin == PATH_BY_OBSERVATION ? OBSERVED_PRIORITY : HOST_PRIORITY) | USUAL_LOCALLY << 8;
}

static struct locator own_locator(
	const struct host *host, const struct link_address *link, uint16_t transport, uint32_t spi, bool preferred)
{
	struct locator locator = {
		.address = link->address, .lifetime = LOCATOR_LIFETIME, .preferred = preferred, .spi = spi};

	if (transport == TRANSPORT_UDP) {
		locator.type = LOCATOR_TYPE_TRANSPORT_ADDRESS;
		locator.port = host->configuration.port;
		locator.protocol = PROTOCOL_UDP;
		locator.kind = LOCATOR_KIND_HOST;
		locator.priority = HOST_PRIORITY | local_preference(link) << 8;
	} else {
		locator.type = spi ? LOCATOR_TYPE_SPI_ADDRESS : LOCATOR_TYPE_ADDRESS;
	}
	return locator;
}

bool candidates_link_fits(const struct host *host, const struct session *session, const struct link_address *link)
{
	const struct link_address *used = session ? candidates_link(host, &session->local.address) : NULL;

	return router_is_inside(host, link->name) == (used && router_is_inside(host, used->name));
}

/* On board of a router the world reaches us where it reaches the router. */
static bool offer_router(const struct host *host, const struct link_address *link, const struct session *session,
	size_t most, struct parameter_locator_set *set)
{
	uint32_t spi = session ? session->spi_in : 0;
	const struct endpoint *locators;
	size_t count;

	if (!router_locators_of(host, session, &link->address, &locators, &count))
		return false;
	for (size_t i = 0; i < count && set->count < most; i++) {
		struct locator *locator = &set->items[set->count];

		*locator = own_locator(host, link, TRANSPORT_UDP, spi, set->count == 0);
		locator->address = locators[i].address;
		locator->port = locators[i].port;
		locator->priority -= (uint32_t)i;
		set->count++;
	}
	return true;
}

void candidates_offer(const struct host *host, const struct session *session, struct parameter_locator_set *set)
{
	const struct host_configuration *configuration = &host->configuration;
	bool has_second = configuration->transport_count > 1;
	size_t of_first = has_second ? CANDIDATES_MAXIMUM - 1 : CANDIDATES_MAXIMUM;
	uint32_t spi = session ? session->spi_in : 0;
	const struct link_address *first = NULL;

	set->count = 0;
	set->ignored = 0;
	for (size_t i = 0; i < host->link_count && set->count < of_first; i++) {
		const struct link_address *link = &host->links[i];

		if (!candidates_link_fits(host, session, link) || offer_router(host, link, session, of_first, set))
			continue;
		first = first ? first : link;
		set->items[set->count] = own_locator(host, link, configuration->transports[0], spi, set->count == 0);
		set->count++;
	}
	/* One is enough for a peer that has the other transport alone. */
	if (has_second && first)
		set->items[set->count++] = own_locator(host, first, configuration->transports[1], spi, false);
}

uint64_t candidates_digest(const struct parameter_locator_set *set)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < set->count; i++) {
		for (size_t j = 0; j < sizeof set->items[i].address.octets; j++)
			digest = (digest ^ set->items[i].address.octets[j]) * UINT64_C(0x100000001b3);
		digest = (digest ^ set->items[i].priority) * UINT64_C(0x100000001b3);
	}
	return digest | 1;
}

const struct link_address *candidates_link(const struct host *host, const struct address *address)
{
	for (size_t i = 0; i < host->link_count; i++) {
		if (address_equal(&host->links[i].address, address))
			return &host->links[i];
	}
	return NULL;
}

void candidates_set_links(struct host *host, const struct link_address *links, size_t count)
{
	host->link_count = 0;
	host->links_known = true;
	for (size_t i = 0; i < count; i++) {
		size_t place = host->link_count;

		if (!address_is_usable_locator(&links[i].address) || candidates_link(host, &links[i].address))
			continue;
		while (place > 0 && local_preference(&links[i]) > local_preference(&host->links[place - 1]))
			place--;
		if (place == HOST_ADDRESSES_MAXIMUM)
			continue;
		if (host->link_count < HOST_ADDRESSES_MAXIMUM)
			host->link_count++;
		memmove(&host->links[place + 1], &host->links[place],
			(host->link_count - place - 1) * sizeof host->links[0]);
		host->links[place] = links[i];
	}
}

bool candidates_are_alike(const struct host *host)
{
	return host->link_count < 2 ||
	       local_preference(&host->links[0]) == local_preference(&host->links[host->link_count - 1]);
}

bool candidates_endpoint(const struct host *host, const struct locator *locator, struct endpoint *endpoint)
{
	if (!address_is_usable_locator(&locator->address) || candidates_link(host, &locator->address) ||
		locator->traffic == LOCATOR_TRAFFIC_DATA)
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
				!candidates_endpoint(host, &set->items[i], &endpoints[taken]))
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
