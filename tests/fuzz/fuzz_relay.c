/* SPDX-License-Identifier: MIT */
/** Any packet from a neighbour: the relay's decision, its outgoing copy and the way back, and the reader of DATA. */
#include "hip/core/data_packet.h"
#include "hip/core/relay.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static overlay_route next_hop(
	void *context, const struct hit *destination, const struct hit *arrived_from, struct hit *next)
{
	(void)context;
	(void)arrived_from;
	memset(next->octets, destination->octets[15], sizeof next->octets);
	return (overlay_route)(destination->octets[14] % 3);
}

/** Host, overlay and neighbour are those of the seeds in the corpus: 2001:22::3, 01020304, 2001:22::2. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[RELAY_PACKET_MAXIMUM];
	static struct packet_view packet;
	const struct relay_place place = {.self = {{0x20, 0x01, 0x00, 0x22, [15] = 3}},
		.overlay = true,
		.overlay_id = 0x01020304,
		.next_hop = next_hop};
	const struct hit neighbour = {{0x20, 0x01, 0x00, 0x22, [15] = 2}};
	struct relay_decision decision;
	struct data_packet fields;
	struct data_route back;
	size_t length;

	if (packet_parse(data, size, &packet))
		return 0;
	relay_decide(&packet, &place, &neighbour, &decision);
	relay_decide(&packet, &place, NULL, &decision);
	relay_forward(data, size, &place.self, &neighbour, out, sizeof out, &length);
	relay_route_back(&packet, &place.self, &back);
	if (!data_packet_read(&packet, &place.self, &fields))
		data_packet_verify_mic(&packet);
	return 0;
}
