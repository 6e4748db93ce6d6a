/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/source_address.h"

#include "kernel-helpers/socket_address.h"

#include <unistd.h>

/** Any port will do: nothing is sent. */
#define ROUTE_PROBE_PORT 9

bool source_address_towards(const struct address *remote, struct address *source)
{
	union socket_address name;
	socklen_t length = socket_address_natural(&name, remote, ROUTE_PROBE_PORT);
	int probe = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return false;
	socklen_t room = sizeof name;
	uint16_t port;
	bool found = connect(probe, &name.any, length) == 0 && getsockname(probe, &name.any, &room) == 0 &&
		     socket_address_read(&name, source, &port);
	close(probe);
	return found;
}
