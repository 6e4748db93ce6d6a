/* SPDX-License-Identifier: MIT */
#include "overlay/topology.h"

#include "overlay/chord.h"

#include <string.h>

static const struct topology_operations *const topologies[] = {&chord_topology};

const struct topology_operations *topology_find(const char *name)
{
	for (size_t i = 0; i < sizeof(topologies) / sizeof(topologies[0]); i++)
		if (strcmp(topologies[i]->name, name) == 0)
			return topologies[i];
	return NULL;
}
