/* SPDX-License-Identifier: MIT */
/** resolve, put, get, trust and monitor. */
#include "daemon/command.h"

#include <stdio.h>

static void print_list(const char *title, const json_t *list)
{
	size_t index;
	json_t *entry;
	json_array_foreach(list, index, entry)
	{
		printf("%s", title);
		command_print_safe(json_is_string(entry) ? json_string_value(entry) : "-");
		putchar('\n');
	}
}

static void print_resolve(const json_t *answer)
{
	print_list("", json_object_get(answer, "hits"));
	print_list("  held by ", json_object_get(answer, "holders"));
	if (json_is_string(json_object_get(answer, "pinned"))) {
		printf("  pinned to ");
		command_print_safe(command_text(answer, "pinned"));
		putchar('\n');
	}
}

command_exit command_resolve(const struct command_line *line)
{
	return command_ask_once(
		line, json_pack("{s:s, s:s}", "command", "resolve", "aor", line->arguments[0]), print_resolve);
}

static void print_put(const json_t *answer)
{
	printf("stored for %.0f s\n", command_number(answer, "expires_s", 0));
	print_list("  held by ", json_object_get(answer, "holders"));
}

command_exit command_put(const struct command_line *line)
{
	json_t *request =
		json_pack("{s:s, s:s, s:s}", "command", "put", "key", line->arguments[0], "value", line->arguments[1]);
	return command_ask_once(line, request, print_put);
}

static void print_get(const json_t *answer)
{
	size_t index;
	json_t *entry;
	json_array_foreach(json_object_get(answer, "values"), index, entry)
	{
		bool text = json_is_string(json_object_get(entry, "value"));
		command_print_safe(command_text(entry, text ? "value" : "value_base64"));
		printf("\n  by ");
		command_print_safe(command_text(entry, "writer"));
		printf(text ? ", for %.0f s\n" : " in base64, for %.0f s\n", command_number(entry, "expires_s", 0));
	}
	if (json_is_true(json_object_get(answer, "partial")))
		printf("There are more entries than one answer holds, or some with a bad signature.\n");
}

command_exit command_get(const struct command_line *line)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "get", "key", line->arguments[0]);
	return command_ask_once(line, request, print_get);
}

static void print_trust(const json_t *answer)
{
	command_print_safe(command_text(answer, "aor"));
	printf(" is trusted to be ");
	command_print_safe(command_text(answer, "hit"));
	if (json_is_string(json_object_get(answer, "previous"))) {
		printf(" (before: ");
		command_print_safe(command_text(answer, "previous"));
		printf(")");
	}
	putchar('\n');
}

command_exit command_trust(const struct command_line *line)
{
	return command_ask_once(line,
		json_pack("{s:s, s:s, s:s}", "command", "trust", "aor", line->arguments[0], "hit", line->arguments[1]),
		print_trust);
}

/** An event is one JSON object a line, with or without --json: there is no shorter way to say it. */
static bool print_event(const struct command_line *line, const json_t *answer)
{
	struct command_line as_json = *line;
	as_json.json = command_is_ok(answer) || line->json;
	(void)command_show(&as_json, answer);
	return command_is_ok(answer);
}

command_exit command_monitor(const struct command_line *line)
{
	bool last = false, good = true;
	json_t *answer = NULL;
	struct command_client *client;
	command_exit code = command_open(line, json_pack("{s:s}", "command", "monitor"), &client);
	if (code)
		return code;
	while (!last && (answer = command_receive(client, true, &last))) {
		good = print_event(line, answer);
		json_decref(answer);
	}
	command_disconnect(client);
	if (!answer && !*line->interrupted)
		return COMMAND_UNREACHABLE;
	return good ? COMMAND_OK : COMMAND_FAILED;
}
