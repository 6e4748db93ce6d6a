/* SPDX-License-Identifier: MIT */
/** A network namespace of its own for a test, as root or as an ordinary user. */
#ifndef HIPHOP_TESTS_UNIT_KERNEL_HELPERS_NAMESPACE_H
#define HIPHOP_TESTS_UNIT_KERNEL_HELPERS_NAMESPACE_H

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static inline bool namespace_write(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
	if (file >= 0)
		close(file);
	return written;
}

static inline bool namespace_user(void)
{
	char map[64];
	uid_t user = getuid();
	gid_t group = getgid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	namespace_write("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", (unsigned)user);
	if (!namespace_write("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof map, "0 %u 1", (unsigned)group);
	return namespace_write("/proc/self/gid_map", map);
}

/** Moves this process into a fresh namespace with lo up. False where that is not allowed. */
static inline bool namespace_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0 && !namespace_user())
		return false;
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = probe >= 0 && ioctl(probe, SIOCSIFFLAGS, &request) == 0;
	if (probe >= 0)
		close(probe);
	return up;
}

#endif
