/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 30000

/* ---- who has an address ---- */

struct owner_key {
	uint8_t realm;
	uint8_t address[16];
};

static struct owner_key key_of(size_t realm, const struct address *address)
{
	struct owner_key key = {.realm = (uint8_t)realm};

	memcpy(key.address, address->octets, sizeof(key.address));
	return key;
}

/* The map keeps numbers: the links of all hosts from 1 on, then the NATs. */
static void *number_of_link(size_t host, size_t link)
{
	return (void *)(uintptr_t)(1 + host * SIMULATION_LINKS + link);
}

static void *number_of_nat(const struct simulation *simulation, size_t nat)
{
	return (void *)(uintptr_t)(simulation->host_count * SIMULATION_LINKS + nat);
}

bool simulation_owner(
	const struct simulation *simulation, size_t realm, const struct address *address, struct owner *owner)
{
	struct owner_key key = key_of(realm, address);
	uintptr_t number = (uintptr_t)map_get(&simulation->owners, &key);
	size_t links = simulation->host_count * SIMULATION_LINKS;

	if (number == 0)
		return false;
	*owner = number > links ? (struct owner){.nat = number - links}
				: (struct owner){(number - 1) / SIMULATION_LINKS, (number - 1) % SIMULATION_LINKS, 0};
	return true;
}

/* Two owners of one address are a mistake of the test. */
static void own(struct simulation *simulation, size_t realm, const struct address *address, void *number)
{
	struct owner_key key = key_of(realm, address);

	assert_null(map_get(&simulation->owners, &key));
	assert_int_equal(map_put(&simulation->owners, &key, number), HIPHOP_OK);
}

static bool is_reachable(const struct simulation_link *link)
{
	return link->used && !link->down && !link->claimed;
}

static struct simulation_link *link_at(struct simulation *simulation, size_t host, size_t link)
{
	assert_true(host < simulation->host_count && link < SIMULATION_LINKS);
	assert_true(simulation->hosts[host].links[link].used);
	return &simulation->hosts[host].links[link];
}

static void give(struct simulation *simulation, size_t host, size_t link)
{
	const struct simulation_link *given = &simulation->hosts[host].links[link];

	if (is_reachable(given))
		own(simulation, given->nat, &given->known.address, number_of_link(host, link));
}

static void take_back(struct simulation *simulation, size_t host, size_t link)
{
	const struct simulation_link *taken = link_at(simulation, host, link);
	struct owner_key key = key_of(taken->nat, &taken->known.address);

	if (is_reachable(taken))
		map_remove(&simulation->owners, &key);
}

/* ---- what the node sees of them ---- */

void simulation_tell_addresses(struct simulation *simulation, struct simulation_host *host)
{
	struct link_address known[SIMULATION_LINKS];
	size_t count = 0;

	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		if (host->links[i].used && !host->links[i].down)
			known[count++] = host->links[i].known;
	}
	CALL(node_addresses(host->node, simulation->now, known, count));
}

void simulation_links_tell(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	host->links_untold = host->node && (host->links_held || host->suspended);
	if (!host->node || host->links_untold)
		return;
	simulation_tell_addresses(simulation, host);
	simulation_drain(simulation, host);
}

void simulation_links_hold(struct simulation *simulation, size_t host)
{
	simulation->hosts[host].links_held = true;
}

void simulation_links_release(struct simulation *simulation, size_t host)
{
	simulation->hosts[host].links_held = false;
	simulation_links_tell(simulation, host);
}

static bool suits(const struct simulation_link *link, const struct address *remote)
{
	return link->used && !link->down && !link->claimed &&
	       address_is_ipv4(&link->known.address) == address_is_ipv4(remote);
}

/* The one that has the address in its own network, behind a NAT. */
static struct simulation_link *link_beside(struct simulation_host *host, const struct address *remote)
{
	struct owner owner;

	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		struct simulation_link *link = &host->links[i];

		if (suits(link, remote) && link->nat && simulation_owner(host->simulation, link->nat, remote, &owner))
			return link;
	}
	return NULL;
}

struct simulation_link *simulation_link_for(
	struct simulation_host *host, const struct address *local, const struct address *remote)
{
	bool any = address_is_unspecified(local);
	struct simulation_link *beside = any ? link_beside(host, remote) : NULL;

	if (beside)
		return beside;

	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		struct simulation_link *link = &host->links[i];

		if (any ? suits(link, remote) : link->used && !link->down && address_equal(&link->known.address, local))
			return link;
	}
	return NULL;
}

bool simulation_source_address(void *context, const struct address *remote, struct address *source)
{
	struct simulation_host *host = context;
	const struct simulation_link *link = simulation_link_for(host, &(struct address){0}, remote);

	if (link)
		*source = link->known.address;
	return link != NULL;
}

/* ---- changes ---- */

void simulation_first_link(struct simulation *simulation, struct simulation_host *host)
{
	host->links[0] = (struct simulation_link){.used = true, .known = {.address = host->address}};
	give(simulation, host->index, 0);
}

size_t simulation_link_add(struct simulation *simulation, size_t host, const struct simulation_link *link)
{
	size_t slot = 0;

	while (slot < SIMULATION_LINKS && simulation->hosts[host].links[slot].used)
		slot++;
	assert_true(slot < SIMULATION_LINKS);
	assert_true(link->nat <= simulation->nat_count);
	simulation->hosts[host].links[slot] = *link;
	simulation->hosts[host].links[slot].used = true;
	give(simulation, host, slot);
	simulation_links_tell(simulation, host);
	return slot;
}

void simulation_link_remove(struct simulation *simulation, size_t host, size_t link)
{
	take_back(simulation, host, link);
	memset(&simulation->hosts[host].links[link], 0, sizeof(struct simulation_link));
	simulation_links_tell(simulation, host);
}

void simulation_link_change(struct simulation *simulation, size_t host, size_t link, const struct address *address)
{
	simulation_link_set_nat(simulation, host, link, link_at(simulation, host, link)->nat, address);
}

void simulation_link_set_nat(
	struct simulation *simulation, size_t host, size_t link, size_t nat, const struct address *address)
{
	struct simulation_link *changed = link_at(simulation, host, link);

	assert_true(nat <= simulation->nat_count);
	take_back(simulation, host, link);
	changed->nat = nat;
	changed->known.address = *address;
	give(simulation, host, link);
	simulation_links_tell(simulation, host);
}

void simulation_link_set_down(struct simulation *simulation, size_t host, size_t link, bool down)
{
	struct simulation_link *changed = link_at(simulation, host, link);

	if (changed->down == down)
		return;
	take_back(simulation, host, link);
	changed->down = down;
	give(simulation, host, link);
	simulation_links_tell(simulation, host);
}

void simulation_link_set_silent(struct simulation *simulation, size_t host, size_t link, bool silent)
{
	struct simulation_link *changed = link_at(simulation, host, link);

	changed->silent_in = silent;
	changed->silent_out = silent;
}

size_t simulation_nat_add(
	struct simulation *simulation, const struct address *address, nat_filter filter, duration idle)
{
	struct simulation_nat *nat;

	assert_true(simulation->nat_count < SIMULATION_NATS);
	nat = &simulation->nats[simulation->nat_count++];
	*nat = (struct simulation_nat){.address = *address, .filter = filter, .idle = idle, .next_port = FIRST_PORT};
	own(simulation, WORLD, address, number_of_nat(simulation, simulation->nat_count));
	return simulation->nat_count;
}

struct address simulation_address(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), HIPHOP_OK);
	return address;
}
