/* SPDX-License-Identifier: MIT */
/**
 * The source address that the kernel would take. Sends nothing.
 */
#ifndef HIPHOP_KERNEL_HELPERS_SOURCE_ADDRESS_H
#define HIPHOP_KERNEL_HELPERS_SOURCE_ADDRESS_H

#include "hip/base/endpoint.h"

#include <stdbool.h>

/** Connects a fresh UDP socket towards `remote` and asks for its name. False when there is no route. */
bool source_address_towards(const struct address *remote, struct address *source);

#endif
