/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include <string.h>

/* Where ports of mappings begin; each new one gets the next. */
#define FIRST_PORT 30000

static bool is_alive(const struct simulation_nat *nat, const struct nat_mapping *mapping, instant now)
{
	return mapping->port != 0 && (nat->idle == 0 || now <= instant_after(mapping->used, nat->idle));
}

/* The mapping of an inner endpoint, or else the one whose place a new one takes. */
static struct nat_mapping *place_for(struct simulation_nat *nat, const struct endpoint *inner)
{
	struct nat_mapping *oldest = &nat->mappings[0];

	for (size_t i = 0; i < SIMULATION_NAT_MAPPINGS; i++) {
		struct nat_mapping *mapping = &nat->mappings[i];

		if (mapping->port != 0 && endpoint_equal(&mapping->inner, inner))
			return mapping;
		if (oldest->port != 0 && (mapping->port == 0 || mapping->used < oldest->used))
			oldest = mapping;
	}
	return oldest;
}

static void begin(struct simulation_nat *nat, struct nat_mapping *mapping, const struct endpoint *inner)
{
	memset(mapping, 0, sizeof(*mapping));
	mapping->inner = *inner;
	mapping->port = nat->next_port++;
	if (nat->next_port == 0)
		nat->next_port = FIRST_PORT;
}

static bool lets_in(nat_filter filter, const struct nat_mapping *mapping, const struct endpoint *remote)
{
	size_t count = mapping->remote_count < SIMULATION_NAT_REMOTES ? mapping->remote_count : SIMULATION_NAT_REMOTES;

	if (filter == NAT_FILTERS_NOBODY)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct endpoint *known = &mapping->remotes[i];

		if (address_equal(&known->address, &remote->address) &&
			(filter == NAT_FILTERS_ADDRESSES || known->port == remote->port))
			return true;
	}
	return false;
}

bool simulation_nat_out(struct simulation_nat *nat, instant now, const struct endpoint *inner,
	const struct endpoint *remote, struct endpoint *outer)
{
	struct nat_mapping *mapping;

	if (inner->transport != TRANSPORT_UDP)
		return false;
	mapping = place_for(nat, inner);
	if (!is_alive(nat, mapping, now) || !endpoint_equal(&mapping->inner, inner))
		begin(nat, mapping, inner);
	mapping->used = now;
	if (!lets_in(NAT_FILTERS_ENDPOINTS, mapping, remote))
		mapping->remotes[mapping->remote_count++ % SIMULATION_NAT_REMOTES] = *remote;
	*outer = (struct endpoint){.address = nat->address, .port = mapping->port, .transport = TRANSPORT_UDP};
	return true;
}

bool simulation_nat_in(const struct simulation_nat *nat, instant now, const struct endpoint *remote, uint16_t port,
	struct endpoint *inner)
{
	for (size_t i = 0; port != 0 && i < SIMULATION_NAT_MAPPINGS; i++) {
		const struct nat_mapping *mapping = &nat->mappings[i];

		if (mapping->port != port || !is_alive(nat, mapping, now))
			continue;
		*inner = mapping->inner;
		return lets_in(nat->filter, mapping, remote);
	}
	return false;
}

void simulation_nat_rebind(struct simulation *simulation, size_t nat)
{
	struct simulation_nat *rebound;

	assert_true(nat > 0 && nat <= simulation->nat_count);
	rebound = &simulation->nats[nat - 1];
	memset(rebound->mappings, 0, sizeof(rebound->mappings));
}
