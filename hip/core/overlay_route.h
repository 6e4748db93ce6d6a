/* SPDX-License-Identifier: MIT */
/**
 * Two small things that everybody who sends through the overlay shares: the answer of the routing table, and a route
 * written into a packet (RFC 6028 section 4.1).
 */
#ifndef HIPHOP_HIP_CORE_OVERLAY_ROUTE_H
#define HIPHOP_HIP_CORE_OVERLAY_ROUTE_H

#include "hip/base/identifier.h"
#include "hip/base/overlay_route.h"

#include <stdint.h>

/** HITs in one route at most (RFC 6028 section 4.1). */
#define DATA_ROUTE_MAXIMUM 32

/** A ROUTE_DST: the way back of an answer, taken from the request's ROUTE_VIA. */
struct data_route {
	uint16_t flags; /**< of ROUTE_DST (RFC 6028 section 4.1) */
	uint8_t count;  /**< 0: no ROUTE_DST */
	struct hit hits[DATA_ROUTE_MAXIMUM];
};

#endif
