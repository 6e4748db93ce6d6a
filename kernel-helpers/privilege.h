/* SPDX-License-Identifier: MIT */
/**
 * Giving up privilege, for good: user, capabilities, new privileges, system calls. Works as root, as an ordinary user
 * in a user namespace (where there is no other uid to change to), and as a user without any privilege.
 */
#ifndef HIPHOP_KERNEL_HELPERS_PRIVILEGE_H
#define HIPHOP_KERNEL_HELPERS_PRIVILEGE_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Who to become. */
struct privilege_user {
	uid_t user;
	gid_t group;
	bool change; /**< false: stay who we are, because we are not root or there is no other uid here */
};

typedef enum {
	PRIVILEGE_USER_FOUND,    /**< change to it */
	PRIVILEGE_USER_NOBODY,   /**< there is no such user; change to nobody */
	PRIVILEGE_USER_UNMAPPED, /**< this user namespace has no such uid; stay */
	PRIVILEGE_USER_SELF      /**< not root, so nothing to change; stay */
} privilege_user_result;

/** Looks the names up. Call before the drop. HIPHOP_NOT_FOUND: the group is missing, or neither the user nor nobody
 * exists. */
hiphop_error privilege_find_user(
	const char *user, const char *group, struct privilege_user *found, privilege_user_result *result);

/** Capabilities as bits, 1 << CAP_…; what the processes keep. */
#define PRIVILEGE_NOTHING UINT64_C(0)
#define PRIVILEGE_HELPER  ((UINT64_C(1) << 12) | (UINT64_C(1) << 13)) /* CAP_NET_ADMIN, CAP_NET_RAW */

/**
 * Sets no_new_privs, changes the user (all supplementary groups gone), empties the bounding, inheritable and ambient
 * sets, keeps `capabilities` and no other (of those the process has), locks the way back (securebits), and makes the
 * process undumpable. HIPHOP_REFUSED when any step fails or the kernel shows another result afterwards: the process
 * must then end.
 */
hiphop_error privilege_drop(const struct privilege_user *user, uint64_t capabilities);
/** Reads the sets of process `process` (0 = this thread) back from /proc. HIPHOP_SYSTEM. */
struct privilege_state {
	uint64_t permitted, effective, inheritable, bounding, ambient;
	uid_t user;
	gid_t group;
	bool no_new_privileges;
	int seccomp; /**< 0 none, 2 filter */
};
hiphop_error privilege_read(pid_t process, struct privilege_state *state);

typedef enum { PRIVILEGE_FILTER_DAEMON, PRIVILEGE_FILTER_HELPER } privilege_filter;
/**
 * Allows the system calls of the role and no other, for this and all later threads: any other returns EPERM and is
 * offered to the kernel's audit log. No role may run a program, trace, mount, load a module or open a socket of a
 * family that it does not need. HIPHOP_UNSUPPORTED (kernel without seccomp), HIPHOP_NO_MEMORY, HIPHOP_SYSTEM.
 */
hiphop_error privilege_filter_calls(privilege_filter role);

#endif
