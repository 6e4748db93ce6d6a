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
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		const struct configured_interface *entry = link_policy_of(configuration, links[i].name);
		struct link_address link = links[i];
		if (entry && entry->unused)
			continue;
		link.preference = entry ? entry->preference : LINK_NORMAL;
		link.metered = entry && entry->metered;
		link.cost = entry ? entry->cost : 0;
		links[kept++] = link;
	}
	return kept;
}

bool link_equal(const struct link_address *a, const struct link_address *b)
{
	return address_equal(&a->address, &b->address) && a->interface == b->interface &&
	       strcmp(a->name, b->name) == 0 && a->preference == b->preference && a->metered == b->metered &&
	       a->cost == b->cost;
}
