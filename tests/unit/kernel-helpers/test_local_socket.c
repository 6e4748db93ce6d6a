/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/local_socket.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/temporary_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int start(void **state)
{
	(void)state;
	return temporary_directory_make("run/c.sock");
}

static void listen_accept_and_talk(void **state)
{
	(void)state;
	int listener, client, server;
	struct stat status;
	uid_t user;
	gid_t group;
	char data[8];
	size_t length;
	assert_int_equal(local_socket_listen(path, geteuid(), getegid(), &listener), HIPHOP_OK);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	assert_int_equal(local_socket_accept(listener, &server), HIPHOP_NOT_FOUND);
	assert_int_equal(local_socket_connect(path, &client), HIPHOP_OK);
	assert_int_equal(local_socket_accept(listener, &server), HIPHOP_OK);
	assert_true(local_socket_peer(server, &user, &group));
	assert_int_equal(user, geteuid());
	assert_int_equal(group, getegid());
	assert_false(local_socket_peer_has_group(server, 0x7ffffff0));
	assert_int_equal(local_socket_read(server, data, sizeof data, &length), HIPHOP_OK);
	assert_int_equal(length, 0);
	assert_int_equal(local_socket_wait(server, 0), HIPHOP_TIMEOUT);
	assert_int_equal(local_socket_write(client, "abc", 3, &length), HIPHOP_OK);
	assert_int_equal(local_socket_wait(server, 5000), HIPHOP_OK);
	assert_int_equal(local_socket_read(server, data, sizeof data, &length), HIPHOP_OK);
	assert_int_equal(length, 3);
	shutdown(client, SHUT_WR);
	assert_int_equal(local_socket_read(server, data, sizeof data, &length), HIPHOP_NOT_FOUND);
	assert_false(local_socket_is_hung_up(server));
	close(client);
	assert_true(local_socket_is_hung_up(server));
	assert_int_equal(local_socket_write(server, "abc", 3, &length), HIPHOP_SYSTEM);
	close(server);
	/* Somebody answers there: not to be replaced. */
	assert_int_equal(local_socket_listen(path, geteuid(), getegid(), &client), HIPHOP_EXISTS);
	close(listener);
	/* Nobody answers any more: replaced. */
	assert_int_equal(local_socket_connect(path, &client), HIPHOP_NOT_FOUND);
	assert_int_equal(local_socket_listen(path, geteuid(), getegid(), &listener), HIPHOP_OK);
	close(listener);
}

static void what_cannot_be(void **state)
{
	(void)state;
	int listener;
	char name[200];
	memset(name, 'a', sizeof name);
	name[0] = '/';
	name[sizeof name - 1] = 0;
	assert_int_equal(local_socket_listen(name, 0, 0, &listener), HIPHOP_TOO_LARGE);
	assert_int_equal(local_socket_connect(name, &listener), HIPHOP_TOO_LARGE);
	assert_int_equal(local_socket_connect("/nonexistent/x", &listener), HIPHOP_NOT_FOUND);
	snprintf(name, sizeof name, "%s/file", directory);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(local_socket_listen(name, geteuid(), getegid(), &listener), HIPHOP_EXISTS);
	assert_int_equal(access(name, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listen_accept_and_talk),
		cmocka_unit_test(what_cannot_be),
	};
	return cmocka_run_group_tests(tests, start, temporary_directory_remove);
}
