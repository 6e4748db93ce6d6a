/* SPDX-License-Identifier: MIT */
/**
 * An address of this host, the interface that has it, and how much it is liked. The kernel tells the first part, the
 * configuration (`paths`) the second; hip/core chooses paths by it.
 */
#ifndef HIPHOP_HIP_BASE_LINK_ADDRESS_H
#define HIPHOP_HIP_BASE_LINK_ADDRESS_H

#include "hip/base/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

/** Room for the name of an interface and its zero. */
#define LINK_NAME_SIZE 16

/** How much an interface is liked. Zero is the usual. */
typedef enum {
	LINK_NORMAL = 0,
	LINK_PREFER, /**< used before all others while it works */
	LINK_AVOID   /**< used when no other works */
} link_preference;

struct link_address {
	struct address address;
	uint32_t interface;        /**< index in the kernel; 0 = not known, packets leave as the kernel routes them */
	char name[LINK_NAME_SIZE]; /**< of the interface; "" = not known */
	uint8_t preference;        /**< link_preference */
	bool metered;              /**< traffic costs money: no probes without need, no copies */
	uint16_t cost;             /**< among those of one preference the least is used; 0 is the usual */
};

#endif
