/* SPDX-License-Identifier: MIT */
#ifndef HIPHOP_KERNEL_HELPERS_NETLINK_ERROR_H
#define HIPHOP_KERNEL_HELPERS_NETLINK_ERROR_H

#include "hip/base/error.h"

/** What libnl's code means to us; HIPHOP_OK for 0. */
hiphop_error netlink_error(int code);

#endif
