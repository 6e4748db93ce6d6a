/* SPDX-License-Identifier: MIT */
/**
 * The UDP ports of one stream of relayed media: a pair (media, RTCP) at each of two addresses of this host. Datagrams
 * come and go in vectors.
 */
#ifndef HIPHOP_KERNEL_HELPERS_MEDIA_SOCKETS_H
#define HIPHOP_KERNEL_HELPERS_MEDIA_SOCKETS_H

#include "hip/base/endpoint.h"
#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Datagrams of one vector. */
#define MEDIA_VECTOR 32
/** Octets of one; what is longer is no media of a call, and is dropped. */
#define MEDIA_DATAGRAM 2048

struct media_sockets {
	int descriptors[2][2]; /**< by side (first or second address) and kind (media, RTCP); -1 when closed */
};

struct media_datagram {
	struct endpoint remote; /**< where it came from; where it goes */
	bool going;             /**< whether media_send takes it; false after media_receive */
	size_t length;
	uint8_t octets[MEDIA_DATAGRAM];
};

struct media_vector {
	size_t count;
	struct media_datagram datagrams[MEDIA_VECTOR];
};

void media_sockets_start(struct media_sockets *sockets);
/** Opens at sides[0] and sides[1], and at the next port of each. The addresses need not be there yet. HIPHOP_EXISTS
 * when a port is taken, HIPHOP_SYSTEM; then all are closed. */
hiphop_error media_sockets_open(struct media_sockets *sockets, const struct endpoint sides[static 2]);
void media_sockets_close(struct media_sockets *sockets);

/** Receives what waits, up to a whole vector. False when nothing did. */
bool media_receive(int descriptor, struct media_vector *vector);
/** Sends the datagrams that are going. Returns how many the kernel did not take; they are lost, as on a full link. */
size_t media_send(int descriptor, const struct media_vector *vector);

#endif
