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

size_t link_policy_apply(const struct configuration *configuration, struct link_address *links, size_t count)
{
	struct link_address unused[LINK_POLICY_MAXIMUM];
	size_t used = 0, unused_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct configured_interface *entry = link_policy_of(configuration, links[i].name);
		struct link_address link = links[i];
		link.preference = entry ? entry->preference : LINK_NORMAL;
		link.metered = entry && entry->metered;
		link.cost = entry ? entry->cost : 0;
		if (entry && entry->unused && unused_count < LINK_POLICY_MAXIMUM)
			unused[unused_count++] = link;
		else
			links[used++] = link;
	}
	for (size_t i = 0; i < unused_count; i++)
		links[used + i] = unused[i];
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
