/* SPDX-License-Identifier: MIT */
/**
 * Two small things that everybody who sends through the overlay shares: the answer of the routing table, and a route
 * written into a packet (RFC 6028 section 4.1).
 */
#ifndef HIPHOP_HIP_CORE_OVERLAY_ROUTE_H
#define HIPHOP_HIP_CORE_OVERLAY_ROUTE_H

#include "hip/base/identifier.h"

#include <stdint.h>

/** Answers of the routing table that the overlay fills (RFC 6079 figure 6). */
enum overlay_route {
	OVERLAY_NO_ROUTE = 0, /**< nobody is nearer, or this host is in no overlay */
	OVERLAY_HOP,          /**< `next` is the neighbour to hand it to */
	OVERLAY_SELF          /**< this host is the one responsible for the destination */
};

/** HITs in one route at most (RFC 6028 section 4.1). */
#define DATA_ROUTE_MAXIMUM 32

/** A ROUTE_DST: the way back of an answer, taken from the request's ROUTE_VIA. */
struct data_route {
	uint16_t flags; /**< of ROUTE_DST (RFC 6028 section 4.1) */
	uint8_t count;  /**< 0: no ROUTE_DST */
	struct hit hits[DATA_ROUTE_MAXIMUM];
};

#endif
