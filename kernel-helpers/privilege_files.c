/* SPDX-License-Identifier: MIT */
/** Landlock: which files a process may still reach. */
#include "kernel-helpers/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of newer kernels than the headers may be. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#define NET_BIND_TCP    (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT  (1ULL << 0)
#define SCOPE_SIGNAL    (1ULL << 1)

/** struct landlock_ruleset_attr as it is since version 6; older kernels take the front of it. */
struct ruleset {
	uint64_t files, net, scoped;
};

/** What each version of Landlock can restrict. */
static const struct {
	int version;
	size_t size;
	uint64_t files;
	bool net, scopes;
} versions[] = {
	{6, sizeof(struct ruleset), (LANDLOCK_ACCESS_FS_IOCTL_DEV << 1) - 1, true, true},
	{5, 2 * sizeof(uint64_t), (LANDLOCK_ACCESS_FS_IOCTL_DEV << 1) - 1, true, false},
	{4, 2 * sizeof(uint64_t), (LANDLOCK_ACCESS_FS_TRUNCATE << 1) - 1, true, false},
	{3, sizeof(uint64_t), (LANDLOCK_ACCESS_FS_TRUNCATE << 1) - 1, false, false},
	{2, sizeof(uint64_t), (LANDLOCK_ACCESS_FS_REFER << 1) - 1, false, false},
	{1, sizeof(uint64_t), (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1, false, false},
};

static const uint64_t rights[] = {
	[PRIVILEGE_FILES_KEEP] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE,
	[PRIVILEGE_FILES_REMOVE] = LANDLOCK_ACCESS_FS_REMOVE_FILE,
	[PRIVILEGE_FILES_READ] = LANDLOCK_ACCESS_FS_READ_FILE,
};

static hiphop_error allow(int ruleset, const struct privilege_path *path, uint64_t known)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights[path->right] & known};
	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	/* What cannot be passed cannot be used either. */
	if (rule.parent_fd < 0)
		return HIPHOP_OK;
	long code = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return code < 0 ? HIPHOP_SYSTEM : HIPHOP_OK;
}

hiphop_error privilege_restrict_files(privilege_role role, const struct privilege_path *paths, size_t count)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	size_t row = 0;
	if (version < 1)
		return HIPHOP_UNSUPPORTED;
	while (versions[row].version > version)
		row++;
	struct ruleset attributes = {.files = versions[row].files};
	if (versions[row].net && role == PRIVILEGE_ROLE_HELPER)
		attributes.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (versions[row].scopes)
		attributes.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, versions[row].size, 0);
	if (ruleset < 0)
		return HIPHOP_SYSTEM;
	hiphop_error error = HIPHOP_OK;
	for (size_t i = 0; i < count && !error; i++)
		error = allow(ruleset, &paths[i], versions[row].files);
	if (!error && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		error = HIPHOP_SYSTEM;
	close(ruleset);
	return error;
}
