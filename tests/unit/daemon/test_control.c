/* SPDX-License-Identifier: MIT */
#include "daemon/control.h"
#include "kernel-helpers/local_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** A server on a loop, and what its handler saw. */
struct bench {
	uv_loop_t loop;
	char directory[64], path[96];
	struct control_server *server;
	uint64_t token, gone;
	unsigned requests;
	char command[64];
};

static void on_request(void *context, uint64_t token, json_t *request)
{
	struct bench *bench = context;
	bench->token = token;
	bench->requests++;
	snprintf(bench->command, sizeof bench->command, "%s", json_string_value(json_object_get(request, "command")));
	if (strcmp(bench->command, "now") == 0)
		control_reply(bench->server, token, "{\"ok\":true}", true);
}

static void on_gone(void *context, uint64_t token)
{
	((struct bench *)context)->gone = token;
}

static void turn(struct bench *bench)
{
	for (int i = 0; i < 4; i++)
		uv_run(&bench->loop, UV_RUN_NOWAIT);
}

static void start_with(struct bench *bench, uid_t user, gid_t group)
{
	const struct control_policy policy = {.user = user, .group = group};
	const struct control_handler handler = {.request = on_request, .gone = on_gone, .context = bench};
	int listener;
	memset(bench, 0, sizeof *bench);
	strcpy(bench->directory, "/tmp/hiphop-test-control-XXXXXX");
	assert_non_null(mkdtemp(bench->directory));
	snprintf(bench->path, sizeof bench->path, "%s/c.sock", bench->directory);
	uv_loop_init(&bench->loop);
	assert_int_equal(local_socket_listen(bench->path, geteuid(), getegid(), &listener), HIPHOP_OK);
	assert_int_equal(control_start(&bench->loop, listener, &policy, &handler, NULL, &bench->server), HIPHOP_OK);
}

static void finish(struct bench *bench)
{
	control_stop(bench->server);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	unlink(bench->path);
	rmdir(bench->directory);
}

static int join(struct bench *bench)
{
	int client;
	assert_int_equal(local_socket_connect(bench->path, &client), HIPHOP_OK);
	turn(bench);
	return client;
}

static void say(struct bench *bench, int client, const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn(bench);
}

static void hear(int client, const char *expected)
{
	char text[4096];
	ssize_t length = recv(client, text, sizeof text - 1, MSG_DONTWAIT);
	text[length > 0 ? length : 0] = 0;
	assert_string_equal(text, expected);
}

static void an_answer_at_once(void **state)
{
	(void)state;
	struct bench bench;
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	say(&bench, client, "{\"command\":\"now\"}\n");
	hear(client, "{\"ok\":true,\"last\":true}\n");
	close(client);
	finish(&bench);
}

static void answers_later_and_many(void **state)
{
	(void)state;
	struct bench bench;
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	say(&bench, client, "{\"command\":\"ping\"}\n");
	hear(client, "");
	control_reply(bench.server, bench.token, "{\"ok\":true,\"sequence\":1}", false);
	control_reply(bench.server, bench.token + 1, "{\"ok\":true,\"sequence\":9}", false);
	control_reply(bench.server, bench.token, "{\"ok\":true,\"sequence\":2}", true);
	control_reply(bench.server, bench.token, "{\"ok\":true,\"sequence\":3}", true);
	turn(&bench);
	hear(client, "{\"ok\":true,\"sequence\":1,\"last\":false}\n{\"ok\":true,\"sequence\":2,\"last\":true}\n");
	close(client);
	turn(&bench);
	assert_int_equal(bench.gone, 0);
	finish(&bench);
}

static void requests_wait_their_turn(void **state)
{
	(void)state;
	struct bench bench;
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	say(&bench, client, "{\"command\":\"first\"}\n{\"command\":\"now\"}\n\n{\"comm");
	assert_int_equal(bench.requests, 1);
	control_reply(bench.server, bench.token, "{\"ok\":true,\"n\":1}", true);
	turn(&bench);
	hear(client, "{\"ok\":true,\"n\":1,\"last\":true}\n{\"ok\":true,\"last\":true}\n");
	say(&bench, client, "and\":\"now\"}\n");
	hear(client, "{\"ok\":true,\"last\":true}\n");
	assert_int_equal(bench.requests, 3);
	close(client);
	finish(&bench);
}

static void rubbish_is_answered(void **state)
{
	(void)state;
	static const char *const lines[] = {"rubbish\n", "[]\n", "{}\n", "{\"command\":5}\n",
		"{\"command\":\"a\",\"command\":\"b\"}\n", "{\"command\":\"a\n"};
	struct bench bench;
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char text[512];
		say(&bench, client, lines[i]);
		ssize_t length = recv(client, text, sizeof text - 1, MSG_DONTWAIT);
		assert_true(length > 0);
		text[length] = 0;
		assert_non_null(strstr(text, "\"code\":\"malformed\""));
	}
	assert_int_equal(bench.requests, 0);
	say(&bench, client, "{\"command\":\"now\"}\n");
	hear(client, "{\"ok\":true,\"last\":true}\n");
	close(client);
	finish(&bench);
}

static void a_line_has_a_limit(void **state)
{
	(void)state;
	struct bench bench;
	static char line[CONTROL_LINE_MAXIMUM + 1];
	char text[256];
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	memset(line, 'a', sizeof line - 1);
	say(&bench, client, line);
	ssize_t length = recv(client, text, sizeof text - 1, MSG_DONTWAIT);
	assert_true(length > 0);
	text[length] = 0;
	assert_non_null(strstr(text, "too long"));
	assert_int_equal(recv(client, text, sizeof text, MSG_DONTWAIT), 0);
	close(client);
	/* As long as allowed, to the octet. */
	client = join(&bench);
	const char *head = "{\"command\":\"now\",\"x\":\"", *tail = "\"}\n";
	memcpy(line, head, strlen(head));
	memcpy(line + CONTROL_LINE_MAXIMUM - strlen(tail), tail, strlen(tail) + 1);
	say(&bench, client, line);
	hear(client, "{\"ok\":true,\"last\":true}\n");
	close(client);
	finish(&bench);
}

static void a_client_that_leaves_ends_its_request(void **state)
{
	(void)state;
	struct bench bench;
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	say(&bench, client, "{\"command\":\"monitor\"}\n");
	close(client);
	turn(&bench);
	assert_int_equal(bench.gone, bench.token);
	control_reply(bench.server, bench.token, "{\"ok\":true}", false);
	finish(&bench);
}

static void a_client_that_only_stops_sending_is_answered(void **state)
{
	(void)state;
	struct bench bench;
	char octet;
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	say(&bench, client, "{\"command\":\"slow\"}\n");
	shutdown(client, SHUT_WR);
	turn(&bench);
	assert_int_equal(bench.gone, 0);
	control_reply(bench.server, bench.token, "{\"ok\":true}", true);
	turn(&bench);
	hear(client, "{\"ok\":true,\"last\":true}\n");
	assert_int_equal(recv(client, &octet, 1, MSG_DONTWAIT), 0);
	close(client);
	finish(&bench);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
	(void)state;
	struct bench bench;
	static char answer[60000];
	start_with(&bench, geteuid(), getegid());
	int client = join(&bench);
	say(&bench, client, "{\"command\":\"monitor\"}\n");
	memset(answer, ' ', sizeof answer - 1);
	memcpy(answer, "{\"x\":\"", 6);
	memset(answer + 6, 'a', 50000);
	memcpy(answer + 50006, "\"}", 2);
	for (int i = 0; i < 100 && !bench.gone; i++) {
		control_reply(bench.server, bench.token, answer, false);
		turn(&bench);
	}
	assert_int_equal(bench.gone, bench.token);
	close(client);
	finish(&bench);
}

static void clients_are_limited(void **state)
{
	(void)state;
	struct bench bench;
	int clients[CONTROL_CLIENTS + 1];
	char text[256];
	start_with(&bench, geteuid(), getegid());
	for (size_t i = 0; i < CONTROL_CLIENTS + 1; i++)
		clients[i] = join(&bench);
	ssize_t length = recv(clients[CONTROL_CLIENTS], text, sizeof text - 1, MSG_DONTWAIT);
	assert_true(length > 0);
	text[length] = 0;
	assert_non_null(strstr(text, "\"code\":\"limited\""));
	close(clients[0]);
	turn(&bench);
	close(clients[CONTROL_CLIENTS]);
	clients[0] = join(&bench);
	say(&bench, clients[0], "{\"command\":\"now\"}\n");
	hear(clients[0], "{\"ok\":true,\"last\":true}\n");
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		close(clients[i]);
	finish(&bench);
}

/** Root is always let in, so this one leaves root in a child. */
static void strangers_are_turned_away(void **state)
{
	(void)state;
	struct bench bench;
	if (geteuid() != 0)
		skip();
	start_with(&bench, 4711, 4711);
	assert_int_equal(seteuid(12345), 0);
	int client = -1;
	hiphop_error error = local_socket_connect(bench.path, &client);
	assert_int_equal(seteuid(0), 0);
	/* The file's mode turns it away first; the same again with the door open. */
	assert_int_equal(error, HIPHOP_REFUSED);
	char command[200];
	snprintf(command, sizeof command, "chmod 755 '%s' && chmod 666 '%s'", bench.directory, bench.path);
	assert_int_equal(system(command), 0);
	assert_int_equal(setegid(12345), 0);
	assert_int_equal(seteuid(12345), 0);
	error = local_socket_connect(bench.path, &client);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(error, HIPHOP_OK);
	turn(&bench);
	hear(client,
		"{\"ok\":false,\"error\":\"You may not control this hiphopd.\",\"code\":\"refused\",\"last\":true}\n");
	close(client);
	finish(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_at_once),
		cmocka_unit_test(answers_later_and_many),
		cmocka_unit_test(requests_wait_their_turn),
		cmocka_unit_test(rubbish_is_answered),
		cmocka_unit_test(a_line_has_a_limit),
		cmocka_unit_test(a_client_that_leaves_ends_its_request),
		cmocka_unit_test(a_client_that_only_stops_sending_is_answered),
		cmocka_unit_test(a_client_that_does_not_read_is_dropped),
		cmocka_unit_test(clients_are_limited),
		cmocka_unit_test(strangers_are_turned_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
