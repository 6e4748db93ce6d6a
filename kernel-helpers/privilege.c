/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FALLBACK_USER "nobody"
#define CAPABILITIES  64

/** True when the map of a user namespace (/proc/self/uid_map or gid_map) has `id`. */
static bool map_has(const char *path, unsigned long id)
{
	unsigned long first, outside, count;
	bool found = false;
	FILE *file = fopen(path, "re");
	if (!file)
		return true; /* no user namespaces in this kernel: every id is there */
	while (!found && fscanf(file, "%lu %lu %lu", &first, &outside, &count) == 3)
		found = id >= first && id - first < count;
	fclose(file);
	return found;
}

static hiphop_error find_group(const char *name, gid_t *group)
{
	const struct group *entry = getgrnam(name);
	if (!entry)
		return HIPHOP_NOT_FOUND;
	*group = entry->gr_gid;
	return HIPHOP_OK;
}

static hiphop_error find_names(
	const char *user, const char *group, struct privilege_user *found, privilege_user_result *result)
{
	const struct passwd *entry = getpwnam(user);
	if (entry) {
		*result = PRIVILEGE_USER_FOUND;
		found->user = entry->pw_uid;
		return find_group(group, &found->group);
	}
	entry = getpwnam(FALLBACK_USER);
	if (!entry)
		return HIPHOP_NOT_FOUND;
	*result = PRIVILEGE_USER_NOBODY;
	found->user = entry->pw_uid;
	found->group = entry->pw_gid;
	return HIPHOP_OK;
}

hiphop_error privilege_find_user(
	const char *user, const char *group, struct privilege_user *found, privilege_user_result *result)
{
	const struct privilege_user self = {.user = geteuid(), .group = getegid(), .change = false};
	*found = self;
	*result = PRIVILEGE_USER_SELF;
	if (geteuid() != 0)
		return HIPHOP_OK;
	found->change = true;
	hiphop_error error = find_names(user, group, found, result);
	bool mapped =
		!error && map_has("/proc/self/uid_map", found->user) && map_has("/proc/self/gid_map", found->group);
	/* A namespace with one uid cannot be asked for more; the names of its users do not matter there. */
	if (!mapped && !map_has("/proc/self/uid_map", 1)) {
		*found = self;
		*result = PRIVILEGE_USER_UNMAPPED;
		return HIPHOP_OK;
	}
	return mapped || error ? error : HIPHOP_NOT_FOUND;
}

static bool get_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &header, data) == 0;
}

/** Permitted and effective become `keep` of what is permitted; inheritable becomes empty. */
static bool set_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (!get_capabilities(data))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) == 0;
}

static bool has_capability(unsigned capability)
{
	struct __user_cap_data_struct data[2];
	return get_capabilities(data) && data[capability / 32].effective & (UINT32_C(1) << capability % 32);
}

static bool close_the_way_back(void)
{
	for (unsigned long i = 0; i < CAPABILITIES; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
			return false;
	const unsigned long bits = SECBIT_KEEP_CAPS | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
				   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0;
}

static bool change_user(const struct privilege_user *user)
{
	return setgroups(0, NULL) == 0 && setresgid(user->group, user->group, user->group) == 0 &&
	       setresuid(user->user, user->user, user->user) == 0;
}

/** Believes /proc, not the return values above. */
static bool drop_is_done(const struct privilege_user *user, uint64_t capabilities, bool could_empty_bounding)
{
	struct privilege_state state;
	if (privilege_read(0, &state))
		return false;
	return !(state.permitted & ~capabilities) && !(state.effective & ~capabilities) && !state.inheritable &&
	       !state.ambient && state.no_new_privileges && (!could_empty_bounding || !state.bounding) &&
	       (!user->change || (state.user == user->user && state.group == user->group));
}

hiphop_error privilege_drop(const struct privilege_user *user, uint64_t capabilities)
{
	bool may_close = has_capability(CAP_SETPCAP);
	umask(0077);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return HIPHOP_REFUSED;
	if (may_close && !close_the_way_back())
		return HIPHOP_REFUSED;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (user->change && !change_user(user))
		return HIPHOP_REFUSED;
	if (!set_capabilities(capabilities) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return HIPHOP_REFUSED;
	return drop_is_done(user, capabilities, may_close) ? HIPHOP_OK : HIPHOP_REFUSED;
}

static void read_line(const char *line, struct privilege_state *state)
{
	unsigned long long value;
	unsigned long a, b;
	if (sscanf(line, "CapInh: %llx", &value) == 1)
		state->inheritable = value;
	else if (sscanf(line, "CapPrm: %llx", &value) == 1)
		state->permitted = value;
	else if (sscanf(line, "CapEff: %llx", &value) == 1)
		state->effective = value;
	else if (sscanf(line, "CapBnd: %llx", &value) == 1)
		state->bounding = value;
	else if (sscanf(line, "CapAmb: %llx", &value) == 1)
		state->ambient = value;
	else if (sscanf(line, "NoNewPrivs: %llu", &value) == 1)
		state->no_new_privileges = value == 1;
	else if (sscanf(line, "Seccomp: %llu", &value) == 1)
		state->seccomp = (int)value;
	else if (sscanf(line, "Uid: %lu %lu", &a, &b) == 2)
		state->user = (uid_t)b;
	else if (sscanf(line, "Gid: %lu %lu", &a, &b) == 2)
		state->group = (gid_t)b;
}

hiphop_error privilege_read(pid_t process, struct privilege_state *state)
{
	char path[64] = "/proc/thread-self/status", line[512];
	if (process)
		snprintf(path, sizeof path, "/proc/%ld/status", (long)process);
	FILE *file = fopen(path, "re");
	if (!file)
		return HIPHOP_SYSTEM;
	*state = (struct privilege_state){.permitted = UINT64_MAX, .effective = UINT64_MAX, .inheritable = UINT64_MAX};
	while (fgets(line, sizeof line, file))
		read_line(line, state);
	fclose(file);
	return HIPHOP_OK;
}
