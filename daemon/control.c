/* SPDX-License-Identifier: MIT */
#include "daemon/control.h"

#include "daemon/json_text.h"

#include "kernel-helpers/local_socket.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct control_client {
	struct control_server *server;
	struct control_client *next;
	uv_poll_t poll;
	int descriptor;
	uint64_t token;   /**< of the request that runs; 0 = none */
	bool input_ended; /**< the client will send no more */
	bool doomed;      /**< to be dropped as soon as nothing of ours is on the stack */
	uint8_t *input;   /**< CONTROL_LINE_MAXIMUM of room */
	size_t input_length;
	char *output; /**< answers not written yet */
	size_t output_length;
};

struct control_server {
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_idle_t later; /**< serves lines that waited for an answer, and drops the doomed */
	int listener;
	unsigned open_handles;
	bool stopping;
	struct control_policy policy;
	struct control_handler handler;
	const struct log *log;
	struct control_client *clients;
	unsigned client_count;
	uint64_t last_token;
};

static void on_client(uv_poll_t *poll, int status, int events);
static void on_later(uv_idle_t *later);

static void free_server_if_done(struct control_server *server)
{
	if (server->stopping && server->open_handles == 0)
		free(server);
}

static void on_server_handle_closed(uv_handle_t *handle)
{
	struct control_server *server = handle->data;
	server->open_handles--;
	free_server_if_done(server);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;
	struct control_server *server = client->server;
	close(client->descriptor);
	free(client->input);
	free(client->output);
	free(client);
	server->open_handles--;
	free_server_if_done(server);
}

/** Takes the client out of the list and closes it; tells the handler of its unfinished request. */
static void drop_client(struct control_client *client)
{
	struct control_server *server = client->server;
	struct control_client **link = &server->clients;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	server->client_count--;
	uint64_t token = client->token;
	uv_close((uv_handle_t *)&client->poll, on_client_closed);
	if (token && !server->stopping)
		server->handler.gone(server->handler.context, token);
}

static void come_back_later(struct control_server *server)
{
	uv_idle_start(&server->later, on_later);
}

static void watch_client(struct control_client *client)
{
	int events = 0;
	/* An ended input stays readable for ever; a full one is read on when its line was served. */
	if (!client->input_ended && client->input_length < CONTROL_LINE_MAXIMUM)
		events |= UV_READABLE;
	if (client->output_length > 0)
		events |= UV_WRITABLE;
	if (events)
		uv_poll_start(&client->poll, events, on_client);
	else
		uv_poll_stop(&client->poll);
}

static void flush_output(struct control_client *client)
{
	size_t written;
	if (client->output_length == 0)
		return;
	if (local_socket_write(client->descriptor, client->output, client->output_length, &written)) {
		client->doomed = true;
		return;
	}
	client->output_length -= written;
	memmove(client->output, client->output + written, client->output_length);
}

static bool append_output(struct control_client *client, const char *text, size_t length)
{
	if (length + 1 > CONTROL_UNREAD_MAXIMUM - client->output_length)
		return false;
	char *larger = realloc(client->output, client->output_length + length + 1);
	if (!larger)
		return false;
	memcpy(larger + client->output_length, text, length);
	larger[client->output_length + length] = '\n';
	client->output = larger;
	client->output_length += length + 1;
	return true;
}

/** The answer as it goes out, with "last"; NULL when it is no JSON object or memory is short. Free it. */
static char *finish_text(const char *text, bool last)
{
	json_t *answer = json_loads(text, 0, NULL);
	char *finished = NULL;
	if (json_is_object(answer) && json_object_set_new(answer, "last", json_boolean(last)) == 0)
		finished = json_text(answer, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(answer);
	return finished;
}

static void send_answer(struct control_client *client, const char *text, bool last)
{
	char *finished = finish_text(text, last);
	if (!finished || !append_output(client, finished, strlen(finished)))
		client->doomed = true;
	else
		flush_output(client);
	free(finished);
	if (client->doomed)
		come_back_later(client->server);
	else
		watch_client(client);
}

void control_reply(struct control_server *server, uint64_t token, const char *text, bool last)
{
	struct control_client *client = server->clients;
	while (client && client->token != token)
		client = client->next;
	if (!client || !token)
		return;
	if (last) {
		client->token = 0;
		come_back_later(server);
	}
	send_answer(client, text, last);
}

static void serve_line(struct control_client *client, const char *line, size_t length)
{
	struct control_server *server = client->server;
	json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(request) || !json_is_string(json_object_get(request, "command"))) {
		send_answer(client,
			"{\"ok\":false,\"error\":\"A request is one JSON object on a line, with a text "
			"\\\"command\\\".\","
			"\"code\":\"malformed\"}",
			true);
	} else {
		client->token = ++server->last_token;
		server->handler.request(server->handler.context, client->token, request);
	}
	json_decref(request);
}

/** Serves the first whole line in the input. False when there is none. */
static bool serve_next_line(struct control_client *client)
{
	if (client->doomed || client->token || client->input_length == 0)
		return false;
	uint8_t *newline = memchr(client->input, '\n', client->input_length);
	if (!newline) {
		if (client->input_length < CONTROL_LINE_MAXIMUM)
			return false;
		send_answer(client, "{\"ok\":false,\"error\":\"The line is too long.\",\"code\":\"malformed\"}", true);
		client->doomed = true;
		return false;
	}
	size_t length = (size_t)(newline - client->input);
	if (length > 0)
		serve_line(client, (const char *)client->input, length);
	client->input_length -= length + 1;
	memmove(client->input, newline + 1, client->input_length);
	return true;
}

/** Serves what can be served, then drops the client or watches it on. */
static void settle_client(struct control_client *client)
{
	while (serve_next_line(client))
		;
	if (client->input_ended && !client->token && client->output_length == 0)
		client->doomed = true;
	if (client->doomed)
		drop_client(client);
	else
		watch_client(client);
}

static void read_input(struct control_client *client)
{
	size_t length = 1;
	while (length > 0 && client->input_length < CONTROL_LINE_MAXIMUM) {
		hiphop_error error = local_socket_read(client->descriptor, client->input + client->input_length,
			CONTROL_LINE_MAXIMUM - client->input_length, &length);
		client->input_length += length;
		if (!error)
			continue;
		client->input_ended = true;
		client->doomed = error != HIPHOP_NOT_FOUND || local_socket_is_hung_up(client->descriptor);
		return;
	}
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct control_client *client = poll->data;
	if (status < 0)
		client->doomed = true;
	if (!client->doomed && events & UV_WRITABLE)
		flush_output(client);
	if (!client->doomed && events & UV_READABLE)
		read_input(client);
	settle_client(client);
}

static void on_later(uv_idle_t *later)
{
	struct control_server *server = later->data;
	uv_idle_stop(later);
	for (struct control_client *client = server->clients, *next; client; client = next) {
		next = client->next;
		settle_client(client);
	}
}

static bool may_come_in(const struct control_policy *policy, int descriptor)
{
	uid_t user;
	gid_t group;
	if (!local_socket_peer(descriptor, &user, &group))
		return false;
	return user == 0 || user == policy->user || group == policy->group ||
	       local_socket_peer_has_group(descriptor, policy->group);
}

static void turn_away(int descriptor, const char *line)
{
	size_t written;
	(void)local_socket_write(descriptor, line, strlen(line), &written);
	close(descriptor);
}

static void add_client(struct control_server *server, int descriptor)
{
	struct control_client *client = calloc(1, sizeof *client);
	uint8_t *input = malloc(CONTROL_LINE_MAXIMUM);
	if (!client || !input || uv_poll_init(server->loop, &client->poll, descriptor) < 0) {
		free(client);
		free(input);
		close(descriptor);
		return;
	}
	client->server = server;
	client->poll.data = client;
	client->descriptor = descriptor;
	client->input = input;
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	server->open_handles++;
	watch_client(client);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct control_server *server = poll->data;
	int descriptor;
	(void)status;
	(void)events;
	while (local_socket_accept(server->listener, &descriptor) == HIPHOP_OK) {
		if (!may_come_in(&server->policy, descriptor)) {
			log_write(server->log, LOG_LEVEL_WARNING,
				"control socket: a client of another user was turned away");
			turn_away(descriptor, "{\"ok\":false,\"error\":\"You may not control this "
					      "hiphopd.\",\"code\":\"refused\",\"last\":true}\n");
		} else if (server->client_count >= CONTROL_CLIENTS) {
			turn_away(descriptor, "{\"ok\":false,\"error\":\"Too many clients; try "
					      "later.\",\"code\":\"limited\",\"last\":true}\n");
		} else {
			add_client(server, descriptor);
		}
	}
}

hiphop_error control_start(uv_loop_t *loop, int listener, const struct control_policy *policy,
	const struct control_handler *handler, const struct log *log, struct control_server **out)
{
	struct control_server *server = calloc(1, sizeof *server);
	if (!server || uv_poll_init(loop, &server->poll, listener) < 0) {
		hiphop_error error = server ? HIPHOP_SYSTEM : HIPHOP_NO_MEMORY;
		free(server);
		close(listener);
		return error;
	}
	uv_idle_init(loop, &server->later);
	server->poll.data = server;
	server->later.data = server;
	server->open_handles = 2;
	server->loop = loop;
	server->listener = listener;
	server->policy = *policy;
	server->handler = *handler;
	server->log = log;
	uv_poll_start(&server->poll, UV_READABLE, on_listener);
	*out = server;
	return HIPHOP_OK;
}

void control_stop(struct control_server *server)
{
	if (!server)
		return;
	server->stopping = true;
	while (server->clients)
		drop_client(server->clients);
	uv_close((uv_handle_t *)&server->poll, on_server_handle_closed);
	uv_close((uv_handle_t *)&server->later, on_server_handle_closed);
	close(server->listener);
}
