/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/files.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/temporary_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(void **state)
{
	(void)state;
	return temporary_directory_make("key");
}

static void a_secret_file_is_private_and_never_overwritten(void **state)
{
	(void)state;
	struct stat status;
	struct buffer content;
	assert_int_equal(file_write_secret(path, "first", 5, false), HIPHOP_OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_false(file_is_open_to_others(path));
	assert_int_equal(file_write_secret(path, "second", 6, false), HIPHOP_EXISTS);
	assert_int_equal(file_read(path, 100, &content), HIPHOP_OK);
	assert_int_equal(content.length, 5);
	assert_memory_equal(content.data, "first", 5);
	file_free_secret(&content);
	assert_int_equal(file_write_secret(path, "second", 6, true), HIPHOP_OK);
	assert_int_equal(file_read(path, 100, &content), HIPHOP_OK);
	assert_memory_equal(content.data, "second", 6);
	file_free_secret(&content);
	chmod(path, 0640);
	assert_true(file_is_open_to_others(path));
}

static void bad_reads(void **state)
{
	(void)state;
	struct buffer content;
	assert_int_equal(file_read("/nonexistent/x", 100, &content), HIPHOP_NOT_FOUND);
	assert_int_equal(file_read(path, 3, &content), HIPHOP_TOO_LARGE);
	assert_int_equal(file_read(directory, 100, &content), HIPHOP_SYSTEM);
	assert_int_equal(file_write_secret("/nonexistent/x", "a", 1, false), HIPHOP_NOT_FOUND);
}

static void directories_are_made_with_their_parents(void **state)
{
	(void)state;
	char deep[128];
	struct stat status;
	snprintf(deep, sizeof deep, "%s/a/b/c", directory);
	assert_int_equal(directory_prepare(deep, false, 0, 0), HIPHOP_OK);
	assert_int_equal(directory_prepare(deep, true, geteuid(), getegid()), HIPHOP_OK);
	assert_int_equal(stat(deep, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0750);
	assert_int_not_equal(directory_prepare(path, true, geteuid(), getegid()), HIPHOP_OK);
}

static void links_are_not_given_away(void **state)
{
	(void)state;
	char link_name[128], target[128];
	struct stat status;
	if (geteuid() != 0)
		skip();
	snprintf(target, sizeof target, "%s/elsewhere", directory);
	snprintf(link_name, sizeof link_name, "%s/a/hiphop.db", directory);
	close(open(target, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(symlink(target, link_name), 0);
	snprintf(link_name, sizeof link_name, "%s/a", directory);
	assert_int_equal(directory_prepare(link_name, true, 65534, 65534), HIPHOP_OK);
	assert_int_equal(stat(target, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(stat(link_name, &status), 0);
	assert_int_equal(status.st_uid, 65534);
}

static void one_lock_at_a_time(void **state)
{
	(void)state;
	int first, second;
	assert_int_equal(directory_lock(directory, &first), HIPHOP_OK);
	assert_int_equal(directory_lock(directory, &second), HIPHOP_EXISTS);
	close(first);
	assert_int_equal(directory_lock(directory, &second), HIPHOP_OK);
	close(second);
	assert_int_equal(directory_lock("/nonexistent", &second), HIPHOP_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_file_is_private_and_never_overwritten),
		cmocka_unit_test(bad_reads),
		cmocka_unit_test(directories_are_made_with_their_parents),
		cmocka_unit_test(links_are_not_given_away),
		cmocka_unit_test(one_lock_at_a_time),
	};
	return cmocka_run_group_tests(tests, start, temporary_directory_remove);
}
