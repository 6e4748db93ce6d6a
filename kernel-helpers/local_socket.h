/* SPDX-License-Identifier: MIT */
/**
 * Unix stream sockets of the control interface: where the daemon listens, who came, and the command's end.
 */
#ifndef HIPHOP_KERNEL_HELPERS_LOCAL_SOCKET_H
#define HIPHOP_KERNEL_HELPERS_LOCAL_SOCKET_H

#include "hip/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * Listens at `path` with mode 0660, owned by `owner` and `group` where that can be set. Makes the last directory of the
 * path (0755) when it is absent, and hands it over too. A socket that nobody answers at is replaced.
 * HIPHOP_EXISTS (somebody answers there, or it is no socket), HIPHOP_TOO_LARGE (path over 107 octets), HIPHOP_SYSTEM.
 * Non-blocking.
 */
hiphop_error local_socket_listen(const char *path, uid_t owner, gid_t group, int *listener);
/** Takes one waiting client, non-blocking. HIPHOP_NOT_FOUND when none waits, HIPHOP_SYSTEM. */
hiphop_error local_socket_accept(int listener, int *client);
/** Who is at the other end (SO_PEERCRED). False when the kernel does not say. */
bool local_socket_peer(int client, uid_t *user, gid_t *group);
/** True when `group` is among the supplementary groups of the other end (SO_PEERGROUPS). */
bool local_socket_peer_has_group(int client, gid_t group);
/** Connects, blocking. HIPHOP_NOT_FOUND (no socket, or nobody listens), HIPHOP_REFUSED (no right), HIPHOP_TOO_LARGE,
 * HIPHOP_SYSTEM. */
hiphop_error local_socket_connect(const char *path, int *client);
/** Reads what waits on a non-blocking client. HIPHOP_OK with length 0: nothing waits. HIPHOP_NOT_FOUND: the other end
 * will send no more. HIPHOP_SYSTEM. */
hiphop_error local_socket_read(int client, void *data, size_t capacity, size_t *length);
/** Waits until something can be read. HIPHOP_TIMEOUT after `milliseconds` (-1: never), HIPHOP_SYSTEM with errno EINTR
 * when a signal came. For the command, not for the loop. */
hiphop_error local_socket_wait(int client, int milliseconds);
/** Writes what the kernel takes; `written` may be less than `length`, or 0. HIPHOP_SYSTEM: the other end is gone. */
hiphop_error local_socket_write(int client, const void *data, size_t length, size_t *written);
/** True when the other end has closed both directions, not only its own sending. */
bool local_socket_is_hung_up(int client);

#endif
