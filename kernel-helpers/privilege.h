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

typedef enum { PRIVILEGE_ROLE_DAEMON, PRIVILEGE_ROLE_HELPER } privilege_role;

typedef enum {
	PRIVILEGE_FILES_KEEP,   /**< read, make, change and remove plain files */
	PRIVILEGE_FILES_REMOVE, /**< remove files, and nothing else */
	PRIVILEGE_FILES_READ    /**< read this file, or those below */
} privilege_files;

/** A file that stays within reach, or a directory with all below it. */
struct privilege_path {
	const char *path;
	privilege_files right;
};

/**
 * From now on only these files can be reached, by this thread and all that it makes (Landlock, Linux 5.13): what
 * is elsewhere is EACCES. Open descriptors stay as they are. Nothing can be executed. Where the kernel has it, signals
 * to processes outside and abstract Unix sockets are cut off as well, and the helper has no TCP. Call after
 * privilege_drop, before privilege_filter_calls and before there are threads. A path that cannot be opened is left
 * out. HIPHOP_UNSUPPORTED (kernel without Landlock; nothing has changed), HIPHOP_SYSTEM.
 */
hiphop_error privilege_restrict_files(privilege_role role, const struct privilege_path *paths, size_t count);

/**
 * Allows the system calls of the role and no other, for this and all later threads. No role may run a program, trace,
 * mount, load a module, make memory executable, signal another process, or open a socket of a family that it does not
 * need.
 *
 * What a forbidden call brings about: those that an intruder wants (another program or process, privilege, mounts,
 * keys, the kernel itself) end the process at once with SIGSYS. Any other returns EPERM, since a library may try a call
 * that is newer than this list and go on without it; clone3 returns ENOSYS, so that libc takes clone. The kernel's
 * audit log is told of both.
 *
 * HIPHOP_UNSUPPORTED (kernel without seccomp), HIPHOP_NO_MEMORY, HIPHOP_SYSTEM.
 */
hiphop_error privilege_filter_calls(privilege_role role);

#endif
