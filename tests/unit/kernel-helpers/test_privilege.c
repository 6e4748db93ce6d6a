/* SPDX-License-Identifier: MIT */
/** Each test drops privilege in a child of its own and reports what the child saw. */
#include "kernel-helpers/privilege.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                     \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

static void in_child(void (*body)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static struct privilege_user find(void)
{
	struct privilege_user user;
	privilege_user_result result;
	CHECK(privilege_find_user("nobody", "nogroup", &user, &result) == HIPHOP_OK);
	return user;
}

static void drop_everything(void)
{
	struct privilege_user user = find();
	struct privilege_state state;
	CHECK(privilege_drop(&user, PRIVILEGE_NOTHING) == HIPHOP_OK);
	CHECK(privilege_read(0, &state) == HIPHOP_OK);
	CHECK(state.permitted == 0 && state.effective == 0 && state.inheritable == 0 && state.ambient == 0);
	CHECK(state.no_new_privileges);
	CHECK(state.user == user.user && state.group == user.group);
	if (user.change) {
		CHECK(state.bounding == 0);
		CHECK(setuid(0) < 0);
		CHECK(open("/etc/shadow", O_RDONLY) < 0);
	}
	CHECK(socket(AF_INET, SOCK_RAW, 139) < 0);
}

static void nothing_is_left(void **state)
{
	(void)state;
	in_child(drop_everything);
}

static void keep_two(void)
{
	struct privilege_user user = find();
	struct privilege_state before, after;
	CHECK(privilege_read(0, &before) == HIPHOP_OK);
	CHECK(privilege_drop(&user, PRIVILEGE_HELPER) == HIPHOP_OK);
	CHECK(privilege_read(0, &after) == HIPHOP_OK);
	CHECK(after.effective == (before.permitted & PRIVILEGE_HELPER));
}

static void helper_keeps_what_it_needs(void **state)
{
	(void)state;
	in_child(keep_two);
}

static void *thread_body(void *argument)
{
	*(int *)argument = 1;
	return NULL;
}

static void filter_daemon(void)
{
	struct privilege_user user = {0};
	int ran = 0, file = open("/dev/null", O_RDWR);
	pthread_t thread;
	CHECK(privilege_drop(&user, PRIVILEGE_NOTHING) == HIPHOP_OK);
	CHECK(privilege_filter_calls(PRIVILEGE_ROLE_DAEMON) == HIPHOP_OK);
	/* What must go on working. */
	CHECK(pthread_create(&thread, NULL, thread_body, &ran) == 0);
	CHECK(pthread_join(thread, NULL) == 0 && ran == 1);
	CHECK(socket(AF_INET6, SOCK_STREAM, 0) >= 0);
	CHECK(open("/dev/null", O_RDONLY) >= 0);
	void *memory = malloc(1 << 22);
	CHECK(memory);
	free(memory);
	CHECK(write(file, "x", 1) == 1);
	/* What must not; test_privilege_filter.c has the rest. */
	errno = 0;
	CHECK(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == EPERM);
	CHECK(chown("/dev/null", 0, 0) < 0 && errno == EPERM);
}

static void filter_of_the_daemon(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* the sanitizer's own calls are not on the list */
#endif
	in_child(filter_daemon);
}

static void filter_helper(void)
{
	struct privilege_user user = {0};
	CHECK(privilege_drop(&user, PRIVILEGE_NOTHING) == HIPHOP_OK);
	CHECK(privilege_filter_calls(PRIVILEGE_ROLE_HELPER) == HIPHOP_OK);
	CHECK(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
	CHECK(open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
}

static void filter_of_the_helper(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	in_child(filter_helper);
}

static void missing_user_becomes_nobody(void **state)
{
	(void)state;
	struct privilege_user user;
	privilege_user_result result;
	if (geteuid() != 0)
		skip();
	assert_int_equal(privilege_find_user("no-such-user-here", "no-such-group", &user, &result), HIPHOP_OK);
	assert_true(result == PRIVILEGE_USER_NOBODY || result == PRIVILEGE_USER_UNMAPPED);
	hiphop_error error = privilege_find_user("root", "no-such-group", &user, &result);
	assert_true(error == HIPHOP_NOT_FOUND || result == PRIVILEGE_USER_UNMAPPED);
}

static void another_process_is_read(void **state)
{
	(void)state;
	struct privilege_state seen;
	assert_int_equal(privilege_read(getpid(), &seen), HIPHOP_OK);
	assert_int_equal(seen.user, geteuid());
	assert_int_equal(privilege_read(0x3ffffff, &seen), HIPHOP_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(helper_keeps_what_it_needs),
		cmocka_unit_test(filter_of_the_daemon),
		cmocka_unit_test(filter_of_the_helper),
		cmocka_unit_test(missing_user_becomes_nobody),
		cmocka_unit_test(another_process_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
