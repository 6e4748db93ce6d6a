/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/netlink_error.h"

#include <netlink/errno.h>

hiphop_error netlink_error(int code)
{
	switch (code < 0 ? -code : code) {
	case 0:
		return HIPHOP_OK;
	case NLE_EXIST:
		return HIPHOP_EXISTS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return HIPHOP_REFUSED;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return HIPHOP_NOT_FOUND;
	case NLE_OPNOTSUPP:
	case NLE_AF_NOSUPPORT:
		return HIPHOP_UNSUPPORTED;
	case NLE_NOMEM:
		return HIPHOP_NO_MEMORY;
	default:
		return HIPHOP_SYSTEM;
	}
}
