/* SPDX-License-Identifier: MIT */
#include "hip/base/packet_vector.h"

#include <string.h>

void packet_reset(struct packet *packet)
{
	memset(packet, 0, offsetof(struct packet, octets));
	packet->kind = PACKET_DROPPED;
	packet->offset = PACKET_HEADROOM;
}

hiphop_error packet_fill(struct packet *packet, packet_kind kind, const void *data, size_t length)
{
	if (length > PACKET_DATA_MAXIMUM) {
		packet->kind = PACKET_DROPPED;
		packet->length = 0;
		return HIPHOP_TOO_LARGE;
	}
	if (length)
		memcpy(packet_data(packet), data, length);
	packet->length = (uint16_t)length;
	packet->kind = (uint16_t)kind;
	return HIPHOP_OK;
}

struct packet *packet_vector_add(struct packet_vector *vector)
{
	struct packet *packet;

	if (vector->count >= PACKET_VECTOR_MAXIMUM)
		return NULL;
	packet = &vector->packets[vector->count++];
	packet_reset(packet);
	return packet;
}
