/* SPDX-License-Identifier: MIT */
#include "daemon/link_policy.h"

#include <fnmatch.h>
#include <string.h>

const struct configured_interface *link_policy_of(const struct configuration *configuration, const char *name)
{
	for (size_t i = 0; i < configuration->interface_count && *name; i++)
		if (fnmatch(configuration->interfaces[i].name, name, 0) == 0)
			return &configuration->interfaces[i];
	return NULL;
}

/** Fills in what the entry says; false when the link is not to be used. */
static bool apply_entry(const struct configured_interface *entry, struct link_address *link)
{
	link->preference = entry ? entry->preference : LINK_NORMAL;
	link->metered = entry && entry->metered;
	link->cost = entry ? entry->cost : 0;
	return !entry || !entry->unused;
}

size_t link_policy_apply(const struct configuration *configuration, struct link_address *links, size_t count)
{
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		if (!apply_entry(link_policy_of(configuration, links[i].name), &links[i]))
			continue;
		struct link_address link = links[i];
		memmove(&links[used + 1], &links[used], (i - used) * sizeof *links);
		links[used++] = link;
	}
	return used;
}

bool link_policy_source(const struct link_address *links, size_t used, size_t count, struct address *source)
{
	bool ipv4 = address_is_ipv4(source);
	size_t place = 0, other = 0;
	while (place < count && !address_equal(&links[place].address, source))
		place++;
	if (place < used || place == count)
		return true;
	while (other < used && address_is_ipv4(&links[other].address) != ipv4)
		other++;
	if (other == used)
		return false;
	*source = links[other].address;
	return true;
}

bool link_equal(const struct link_address *a, const struct link_address *b)
{
	return address_equal(&a->address, &b->address) && a->interface == b->interface &&
	       strcmp(a->name, b->name) == 0 && a->preference == b->preference && a->metered == b->metered &&
	       a->cost == b->cost;
}
