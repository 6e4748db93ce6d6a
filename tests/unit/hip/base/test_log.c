/* SPDX-License-Identifier: MIT */
#include "hip/base/log.h"

#include "tests/unit/cmocka.h"

#include <string.h>

struct capture {
	int lines;
	log_level level;
	char line[600];
};

static void capture_line(void *context, log_level level, const char *line)
{
	struct capture *capture = context;

	capture->lines++;
	capture->level = level;
	strncpy(capture->line, line, sizeof capture->line - 1);
}

static void test_levels_and_cut(void **state)
{
	struct capture capture = {0};
	struct log log = {.write = capture_line, .context = &capture, .maximum = LOG_LEVEL_INFO};
	char wide[600];

	(void)state;
	log_write(&log, LOG_LEVEL_DEBUG, "not %s", "this");
	assert_int_equal(capture.lines, 0);
	log_write(&log, LOG_LEVEL_INFO, "peer %d", 7);
	assert_int_equal(capture.lines, 1);
	assert_int_equal(capture.level, LOG_LEVEL_INFO);
	assert_string_equal(capture.line, "peer 7");
	log_write(&log, LOG_LEVEL_ERROR, "name %s", "evil\n\x1b[31mred");
	assert_string_equal(capture.line, "name evil??[31mred");
	memset(wide, 'w', sizeof wide);
	wide[sizeof wide - 1] = '\0';
	memset(&capture, 0, sizeof capture);
	log_write(&log, LOG_LEVEL_ERROR, "%s", wide);
	assert_int_equal(strlen(capture.line), 512);
	log_write(NULL, LOG_LEVEL_ERROR, "nobody listens");
	log.write = NULL;
	log_write(&log, LOG_LEVEL_ERROR, "nobody listens");
	assert_int_equal(capture.lines, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels_and_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
