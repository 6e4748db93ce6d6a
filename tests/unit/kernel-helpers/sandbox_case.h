/* SPDX-License-Identifier: MIT */
/**
 * Tries things from within the sandbox of a role: each in a child that enters the very sandbox of hiphopd, so that what
 * the kernel kills is a child.
 */
#ifndef HIPHOP_TESTS_SANDBOX_CASE_H
#define HIPHOP_TESTS_SANDBOX_CASE_H

#include "kernel-helpers/privilege.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** How a case ends: 0 it was let through, an errno, or SANDBOX_KILLED. */
#define SANDBOX_KILLED 1000
#define SANDBOX_LOST   1001 /* something else; see stderr */

struct sandbox_place {
	privilege_role role;
	const struct privilege_path *paths;
	size_t count;
};

static inline bool sandbox_enter(const struct sandbox_place *place)
{
	struct privilege_user user;
	privilege_user_result result;
	uint64_t keep = place->role == PRIVILEGE_ROLE_HELPER ? PRIVILEGE_HELPER : PRIVILEGE_NOTHING;

	if (privilege_find_user("nobody", "nogroup", &user, &result) || privilege_drop(&user, keep))
		return false;
	hiphop_error error = privilege_restrict_files(place->role, place->paths, place->count);
	if (error && error != HIPHOP_UNSUPPORTED)
		return false;
	return !privilege_filter_calls(place->role);
}

/** Whether this kernel fences files in. */
static inline bool sandbox_has_landlock(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct privilege_user self = {0};
		_exit(!privilege_drop(&self, PRIVILEGE_NOTHING) &&
					privilege_restrict_files(PRIVILEGE_ROLE_DAEMON, NULL, 0) == HIPHOP_OK
				? 0
				: 1);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/** Runs `attempt` in the sandbox: it returns 0 or an errno. */
static inline int sandbox_try(const struct sandbox_place *place, int (*attempt)(const void *), const void *argument)
{
	static const struct rlimit no_core = {0, 0};
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		if (!sandbox_enter(place))
			_exit(255);
		_exit(attempt(argument));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return SANDBOX_LOST;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? SANDBOX_KILLED : SANDBOX_LOST;
	return WEXITSTATUS(status) == 255 ? SANDBOX_LOST : WEXITSTATUS(status);
}

#endif
