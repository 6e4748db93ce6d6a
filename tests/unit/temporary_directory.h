/* SPDX-License-Identifier: MIT */
/**
 * A directory for the files of one test, gone afterwards: the set-up and tear-down that tests of files share.
 */
#ifndef HIPHOP_TESTS_UNIT_TEMPORARY_DIRECTORY_H
#define HIPHOP_TESTS_UNIT_TEMPORARY_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>

/** The directory of the running test, and the file in it that the test is about. */
static char directory[64];
static char path[96];

/** Makes the directory; `path` is then `file` in it. Returns what a cmocka set-up returns. */
static int temporary_directory_make(const char *file)
{
	snprintf(directory, sizeof directory, "/tmp/hiphop-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof path, "%s/%s", directory, file);
	return 0;
}

/** A cmocka tear-down. */
static int temporary_directory_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	return system(command);
}

#endif
