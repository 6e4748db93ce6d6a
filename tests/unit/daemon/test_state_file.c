/* SPDX-License-Identifier: MIT */
#include "daemon/state_file.h"
#include "daemon/state_writer.h"
#include "tests/unit/temporary_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char reason[128];

/** What a load handed out, one line a record. */
static char seen[65536];

static int start(void **state)
{
	(void)state;
	return temporary_directory_make("hiphop.db");
}

static struct state_file *open_file(void)
{
	struct state_file *file;
	assert_int_equal(state_file_open(path, &file, reason, sizeof reason), HIPHOP_OK);
	return file;
}

static struct node_record record(const char *space, const char *key, const char *value, wall_milliseconds expires)
{
	return (struct node_record){.space = space,
		.key = key,
		.value = (const uint8_t *)value,
		.length = strlen(value),
		.expires = expires};
}

static void take(void *context, const struct node_record *loaded)
{
	size_t used = strlen(seen);
	(void)context;
	snprintf(seen + used, sizeof seen - used, "%s %s %.*s %llu\n", loaded->space, loaded->key, (int)loaded->length,
		(const char *)loaded->value, (unsigned long long)loaded->expires);
}

static void assert_loads(struct state_file *file, wall_milliseconds wall, const char *expected)
{
	*seen = 0;
	assert_int_equal(state_file_load(file, wall, take, NULL), HIPHOP_OK);
	assert_string_equal(seen, expected);
}

static void records_survive(void **state)
{
	(void)state;
	struct state_file *file = open_file();
	struct node_record first = record("pin", "bob", "one", 0), second = record("value", "k", "two", 1000);
	struct node_record replaced = record("pin", "bob", "three", 0), empty = record("pin", "void", "", 0);
	assert_int_equal(state_file_store(file, &first), HIPHOP_OK);
	assert_int_equal(state_file_store(file, &second), HIPHOP_OK);
	assert_int_equal(state_file_store(file, &replaced), HIPHOP_OK);
	assert_int_equal(state_file_store(file, &empty), HIPHOP_OK);
	state_file_close(file);
	file = open_file();
	assert_loads(file, 500, "pin bob three 0\npin void  0\nvalue k two 1000\n");
	assert_int_equal(state_file_forget(file, "pin", "void"), HIPHOP_OK);
	assert_int_equal(state_file_forget(file, "pin", "nothing there"), HIPHOP_OK);
	assert_loads(file, 500, "pin bob three 0\nvalue k two 1000\n");
	state_file_close(file);
}

static void the_expired_are_gone_for_good(void **state)
{
	(void)state;
	struct state_file *file = open_file();
	assert_loads(file, 1000, "pin bob three 0\n");
	/* Also when the clock goes back. */
	assert_loads(file, 500, "pin bob three 0\n");
	state_file_close(file);
}

static void binary_values_and_limits(void **state)
{
	(void)state;
	static uint8_t large[STATE_VALUE_MAXIMUM + 1];
	struct state_file *file = open_file();
	struct node_record most = {.space = "x", .key = "most", .value = large, .length = STATE_VALUE_MAXIMUM};
	struct node_record more = {.space = "x", .key = "more", .value = large, .length = STATE_VALUE_MAXIMUM + 1};
	assert_int_equal(state_file_store(file, &most), HIPHOP_OK);
	assert_int_equal(state_file_store(file, &more), HIPHOP_TOO_LARGE);
	assert_int_equal(state_file_forget(file, "x", "most"), HIPHOP_OK);
	assert_loads(file, 500, "pin bob three 0\n");
	state_file_close(file);
}

static void a_full_database_refuses_and_lives_on(void **state)
{
	(void)state;
	static uint8_t large[STATE_VALUE_MAXIMUM];
	struct state_file *file = open_file();
	hiphop_error error = HIPHOP_OK;
	char key[32];
	assert_int_equal(state_file_begin(file), HIPHOP_OK);
	for (int i = 0; !error && i < 2 * STATE_FILE_MAXIMUM / STATE_VALUE_MAXIMUM; i++) {
		struct node_record one = {.space = "x", .key = key, .value = large, .length = sizeof large};
		snprintf(key, sizeof key, "%d", i);
		error = state_file_store(file, &one);
	}
	assert_int_equal(error, HIPHOP_TOO_LARGE);
	(void)state_file_commit(file);
	state_file_close(file);
	/* In a new one, writing goes on. */
	unlink(path);
	file = open_file();
	struct node_record first = record("pin", "bob", "three", 0);
	assert_int_equal(state_file_store(file, &first), HIPHOP_OK);
	state_file_close(file);
}

static void what_is_no_database(void **state)
{
	(void)state;
	struct state_file *file;
	char other[128];
	snprintf(other, sizeof other, "%s/other", directory);
	int text = open(other, O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 200; i++)
		assert_int_equal(write(text, "this is no database\n", 20), 20);
	close(text);
	*reason = 0;
	assert_int_equal(state_file_open(other, &file, reason, sizeof reason), HIPHOP_MALFORMED);
	assert_true(*reason);
	assert_int_not_equal(state_file_open("/nonexistent/x.db", &file, reason, sizeof reason), HIPHOP_OK);
	assert_int_not_equal(state_file_open(directory, &file, reason, sizeof reason), HIPHOP_OK);
}

static void the_writer_keeps_the_order(void **state)
{
	(void)state;
	uv_loop_t loop;
	struct state_writer *writer;
	struct state_file *file = open_file();
	char value[32];
	uv_loop_init(&loop);
	assert_int_equal(state_writer_start(&loop, file, NULL, &writer), HIPHOP_OK);
	for (int i = 0; i < 500; i++) {
		snprintf(value, sizeof value, "value-%d", i);
		struct node_record one = record("pin", "bob", value, 0);
		assert_int_equal(state_writer_store(writer, &one), HIPHOP_OK);
		if (i % 100 == 0)
			uv_run(&loop, UV_RUN_NOWAIT);
		if (i == 250)
			assert_int_equal(state_writer_forget(writer, &one), HIPHOP_OK);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	state_writer_free(writer);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_loads(file, 500, "pin bob value-499 0\n");
	state_file_close(file);
}

static void the_writer_is_bounded(void **state)
{
	(void)state;
	static uint8_t large[STATE_VALUE_MAXIMUM];
	uv_loop_t loop;
	struct state_writer *writer;
	struct state_file *file = open_file();
	hiphop_error error = HIPHOP_OK;
	unsigned taken = 0;
	uv_loop_init(&loop);
	assert_int_equal(state_writer_start(&loop, file, NULL, &writer), HIPHOP_OK);
	/* The loop does not turn, so only the first job begins. */
	while (!error && taken < 1000) {
		struct node_record one = {.space = "x", .key = "k", .value = large, .length = sizeof large};
		error = state_writer_store(writer, &one);
		taken += !error;
	}
	assert_int_equal(error, HIPHOP_LIMITED);
	assert_true(taken <= STATE_QUEUE_MAXIMUM / STATE_VALUE_MAXIMUM + 2);
	uv_run(&loop, UV_RUN_DEFAULT);
	state_writer_free(writer);
	uv_loop_close(&loop);
	state_file_close(file);
}

static void turn(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
}

/* A limit on the size of files stands for the full disk. */
static void what_a_full_disk_refused_is_written_later(void **state)
{
	(void)state;
	static uint8_t large[STATE_VALUE_MAXIMUM];
	uv_loop_t loop;
	struct state_writer *writer;
	struct rlimit before, small;
	unlink(path);
	struct state_file *file = open_file();
	struct node_record first = record("pin", "bob", "kept", 0), last = record("pin", "dora", "late", 0);
	struct node_record big = {.space = "x", .key = "k", .value = large, .length = sizeof large};
	uv_loop_init(&loop);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 32768;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(state_writer_start(&loop, file, NULL, &writer), HIPHOP_OK);
	assert_int_equal(state_writer_store(writer, &first), HIPHOP_OK);
	assert_int_equal(state_writer_store(writer, &big), HIPHOP_OK);
	turn(&loop);
	assert_non_null(state_writer_trouble(writer));
	assert_int_equal(state_writer_store(writer, &last), HIPHOP_OK);
	turn(&loop);
	assert_non_null(state_writer_trouble(writer));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	state_writer_retry(writer);
	turn(&loop);
	assert_null(state_writer_trouble(writer));
	assert_int_equal(state_writer_forget(writer, &big), HIPHOP_OK);
	turn(&loop);
	state_writer_free(writer);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_loads(file, 500, "pin bob kept 0\npin dora late 0\n");
	state_file_close(file);
}

static void a_database_of_others_is_left_alone(void **state)
{
	(void)state;
	struct state_file *file;
	sqlite3 *database;
	char other[128];
	snprintf(other, sizeof other, "%s/foreign", directory);
	assert_int_equal(sqlite3_open(other, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, "CREATE TABLE theirs (x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
	assert_int_equal(state_file_open(other, &file, reason, sizeof reason), HIPHOP_MALFORMED);
	assert_non_null(strstr(reason, "another program"));
	assert_int_equal(sqlite3_open(other, &database), SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(database, "SELECT * FROM records", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_survive),
		cmocka_unit_test(the_expired_are_gone_for_good),
		cmocka_unit_test(binary_values_and_limits),
		cmocka_unit_test(a_full_database_refuses_and_lives_on),
		cmocka_unit_test(what_is_no_database),
		cmocka_unit_test(the_writer_keeps_the_order),
		cmocka_unit_test(the_writer_is_bounded),
		cmocka_unit_test(what_a_full_disk_refused_is_written_later),
		cmocka_unit_test(a_database_of_others_is_left_alone),
	};
	return cmocka_run_group_tests(tests, start, temporary_directory_remove);
}
