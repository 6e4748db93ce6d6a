/* SPDX-License-Identifier: MIT */
/** The command's end of the control socket, and what all subcommands print alike. */
#include "daemon/command.h"

#include "kernel-helpers/local_socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAXIMUM (1024 * 1024 + 1)
/** Longer than any exchange of the protocols takes to give up. */
#define PATIENCE_MILLISECONDS 90000

struct command_client {
	int descriptor;
	const struct command_line *line;
	size_t length;
	char buffer[ANSWER_MAXIMUM];
};

command_exit command_complain(
	const struct command_line *line, command_exit code, const char *word, const char *format, ...)
{
	char sentence[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	fprintf(stderr, "hiphop: %s\n", sentence);
	if (line->json) {
		json_t *answer = json_pack("{s:b, s:s, s:s}", "ok", 0, "error", sentence, "code", word);
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(answer);
	}
	return code;
}

static void complain_unreachable(const struct command_line *line, hiphop_error error)
{
	const char *path = line->socket;
	if (error == HIPHOP_REFUSED)
		command_complain(line, COMMAND_UNREACHABLE, "unreachable",
			"You may not use the control socket %s; ask as root, or as a member of hiphopd's group.", path);
	else
		command_complain(line, COMMAND_UNREACHABLE, "unreachable",
			"No hiphopd answers at %s (%s); start it with `hiphopd --config FILE`, or name its socket with "
			"--socket.",
			path, error == HIPHOP_TOO_LARGE ? "the path is too long" : strerror(errno));
}

static struct command_client *connect_to_hiphopd(const struct command_line *line)
{
	struct command_client *client = malloc(sizeof *client);
	if (!client) {
		command_complain(line, COMMAND_UNREACHABLE, "no memory", "Out of memory.");
		return NULL;
	}
	client->line = line;
	client->length = 0;
	hiphop_error error = local_socket_connect(line->socket, &client->descriptor);
	if (!error)
		return client;
	complain_unreachable(line, error);
	free(client);
	return NULL;
}

/** False when hiphopd is gone. */
static bool send_request(struct command_client *client, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text)
		return false;
	size_t length = strlen(text), written = 0;
	text[length] = '\n'; /* in the place of its zero */
	hiphop_error error = local_socket_write(client->descriptor, text, length + 1, &written);
	free(text);
	return !error && written == length + 1;
}

/** Takes the first line out of the buffer. NULL when there is no whole line. */
static json_t *take_line(struct command_client *client, bool *found)
{
	char *newline = memchr(client->buffer, '\n', client->length);
	*found = newline != NULL;
	if (!newline)
		return NULL;
	size_t length = (size_t)(newline - client->buffer);
	json_t *answer = json_loadb(client->buffer, length, 0, NULL);
	client->length -= length + 1;
	memmove(client->buffer, newline + 1, client->length);
	if (json_is_object(answer))
		return answer;
	json_decref(answer);
	return NULL;
}

/** Reads more into the buffer. False at the end, at Ctrl-C, and after long silence. */
static bool read_more(struct command_client *client, bool patient)
{
	size_t length;
	if (*client->line->interrupted || client->length == sizeof client->buffer)
		return false;
	hiphop_error error = local_socket_wait(client->descriptor, patient ? -1 : PATIENCE_MILLISECONDS);
	if (error)
		return error == HIPHOP_SYSTEM && errno == EINTR && !*client->line->interrupted;
	error = local_socket_read(
		client->descriptor, client->buffer + client->length, sizeof client->buffer - client->length, &length);
	client->length += length;
	return !error;
}

json_t *command_receive(struct command_client *client, bool patient, bool *last)
{
	bool found;
	json_t *answer = take_line(client, &found);
	while (!found && read_more(client, patient))
		answer = take_line(client, &found);
	if (answer) {
		if (last)
			*last = !json_is_false(json_object_get(answer, "last"));
		json_object_del(answer, "last");
	} else if (!*client->line->interrupted) {
		command_complain(client->line, COMMAND_UNREACHABLE, "unreachable",
			"hiphopd at %s has gone, or does not answer.", client->line->socket);
	}
	return answer;
}

void command_disconnect(struct command_client *client)
{
	close(client->descriptor);
	free(client);
}

bool command_is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

/** The control characters of ASCII, and those of Unicode (U+0080 to U+009F, in UTF-8 c2 80 to c2 9f), become '?'. */
static void print_safe_to(FILE *to, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		bool wide = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
		fputc(wide || *at < 0x20 || *at == 0x7f ? '?' : *at, to);
		at += wide;
	}
}

bool command_show(const struct command_line *line, const json_t *answer)
{
	if (line->json) {
		json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
		fflush(stdout);
		return false;
	}
	if (command_is_ok(answer))
		return true;
	fputs("hiphop: ", stderr);
	print_safe_to(stderr, command_text(answer, "error"));
	fputc('\n', stderr);
	return false;
}

command_exit command_open(const struct command_line *line, json_t *request, struct command_client **client)
{
	/* JSON is UTF-8, so jansson refused to make the request. */
	if (!request)
		return command_complain(line, COMMAND_USAGE, "usage", "What is asked for must be UTF-8.");
	*client = connect_to_hiphopd(line);
	if (!*client) {
		json_decref(request);
		return COMMAND_UNREACHABLE;
	}
	/* An answer may come without a request: hiphopd turns strangers away before they ask. */
	(void)send_request(*client, request);
	return COMMAND_OK;
}

command_exit command_ask_once(const struct command_line *line, json_t *request, void (*print)(const json_t *answer))
{
	struct command_client *client;
	command_exit code = command_open(line, request, &client);
	if (code)
		return code;
	json_t *answer = command_receive(client, false, NULL);
	code = COMMAND_UNREACHABLE;
	if (answer) {
		code = command_is_ok(answer) ? COMMAND_OK : COMMAND_FAILED;
		if (command_show(line, answer))
			print(answer);
	}
	json_decref(answer);
	command_disconnect(client);
	return code;
}

const char *command_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "-";
}

double command_number(const json_t *object, const char *key, double otherwise)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : otherwise;
}

void command_print_safe(const char *text)
{
	print_safe_to(stdout, text);
}
