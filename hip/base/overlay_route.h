/* SPDX-License-Identifier: MIT */
/**
 * The answer of the routing table that the overlay fills and HIP forwards by (RFC 6079 figure 6). It stands here
 * because both sides speak it and do not know each other.
 */
#ifndef HIPHOP_HIP_BASE_OVERLAY_ROUTE_H
#define HIPHOP_HIP_BASE_OVERLAY_ROUTE_H

typedef enum {
	OVERLAY_NO_ROUTE = 0, /**< drop it: nobody is nearer, or this host is in no overlay */
	OVERLAY_SELF,         /**< deliver it here: this host is the one responsible for the destination */
	OVERLAY_HOP           /**< forward it to the neighbour named */
} overlay_route;

#endif
