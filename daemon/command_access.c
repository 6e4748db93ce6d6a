/* SPDX-License-Identifier: MIT */
/** access and reload. */
#include "daemon/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_SIZE 4096

/* ---- access ---- */

static void print_rule(const json_t *rule)
{
	printf("%3.0f  ", command_number(rule, "number", 0));
	command_print_safe(command_text(rule, "rule"));
	if (json_is_string(json_object_get(rule, "hit")) &&
		!strstr(command_text(rule, "rule"), command_text(rule, "hit"))) {
		printf(" (");
		command_print_safe(command_text(rule, "hit"));
		printf(")");
	}
	double matched = command_number(rule, "matched", 0);
	if (strcmp(command_text(rule, "source"), "configuration") == 0)
		printf("  [configuration]");
	if (matched > 0)
		printf("  matched %.0f", matched);
	putchar('\n');
}

static void print_access(const json_t *answer)
{
	size_t index;
	json_t *rule;
	const json_t *otherwise = json_object_get(answer, "otherwise");
	bool listed = strcmp(command_text(otherwise, "associate"), "listed") == 0;
	json_array_foreach(json_object_get(answer, "rules"), index, rule) print_rule(rule);
	printf("  -  otherwise: %s; flows in are denied, flows out and answers pass\n",
		listed ? "who is in the configuration may associate" : "anyone may associate");
}

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

static void print_added(const json_t *answer)
{
	printf("%3.0f  ", command_number(answer, "number", 0));
	command_print_safe(command_text(answer, "rule"));
	printf(json_is_true(json_object_get(answer, "replaced")) ? "  (in the place of an older rule)\n" : "\n");
	print_list("     closed ", json_object_get(answer, "closed"));
}

static void print_removed(const json_t *answer)
{
	if (json_array_size(json_object_get(answer, "removed")) == 0)
		puts("no rule was given by command");
	print_list("removed ", json_object_get(answer, "removed"));
	print_list("     closed ", json_object_get(answer, "closed"));
}

static bool needs_quotes(const char *argument)
{
	return strchr(argument, ' ') && !strchr(argument, '"');
}

/** The arguments from `first` on as one text. An argument of several words is a name, unless it is all there is besides
 * "allow" or "deny". */
static bool join(const struct command_line *line, int first, char text[static RULE_SIZE])
{
	size_t length = 0;
	bool only = line->argument_count - first <= 2;
	text[0] = 0;
	for (int i = first; i < line->argument_count; i++) {
		const char *argument = line->arguments[i], *quote = !only && needs_quotes(argument) ? "\"" : "";
		int used = snprintf(
			text + length, RULE_SIZE - length, "%s%s%s%s", length ? " " : "", quote, argument, quote);
		if (used < 0 || length + (size_t)used >= RULE_SIZE)
			return false;
		length += (size_t)used;
	}
	return true;
}

static bool parse_number(const char *text, long *number)
{
	char *end;
	*number = strtol(text, &end, 10);
	return end != text && !*end && *number >= 1 && *number <= 1000000;
}

static command_exit misused(const struct command_line *line)
{
	return command_complain(line, COMMAND_USAGE, "usage",
		"write `hiphop access`, `hiphop access allow RULE`, `hiphop access deny RULE`, `hiphop access add N "
		"allow|deny RULE` or `hiphop access remove N|all`; RULE is such as \"in tcp/22 from bob\" or \"with "
		"bob\".");
}

/** `first` is where the rule begins, with "allow" or "deny". */
static command_exit add_rule(const struct command_line *line, int first, long position)
{
	char text[RULE_SIZE];
	if (line->argument_count - first < 1 || !join(line, first, text))
		return misused(line);
	json_t *request = json_pack("{s:s, s:s}", "command", "access-add", "rule", text);
	if (request && position)
		json_object_set_new(request, "position", json_integer(position));
	return command_ask_once(line, request, print_added);
}

static command_exit remove_rule(const struct command_line *line)
{
	char text[RULE_SIZE];
	long number;
	if (line->argument_count < 2 || !join(line, 1, text))
		return misused(line);
	if (strcmp(text, "all") == 0)
		return command_ask_once(
			line, json_pack("{s:s, s:b}", "command", "access-remove", "all", 1), print_removed);
	if (parse_number(text, &number))
		return command_ask_once(line,
			json_pack("{s:s, s:I}", "command", "access-remove", "number", (json_int_t)number),
			print_removed);
	return command_ask_once(line, json_pack("{s:s, s:s}", "command", "access-remove", "rule", text), print_removed);
}

command_exit command_access(const struct command_line *line)
{
	long position;
	if (line->argument_count == 0)
		return command_ask_once(line, json_pack("{s:s}", "command", "access"), print_access);
	const char *verb = line->arguments[0];
	if (strcmp(verb, "allow") == 0 || strcmp(verb, "deny") == 0)
		return add_rule(line, 0, 0);
	if (strcmp(verb, "remove") == 0)
		return remove_rule(line);
	if (strcmp(verb, "add") != 0 || line->argument_count < 2)
		return misused(line);
	if (parse_number(line->arguments[1], &position))
		return add_rule(line, 2, position);
	return add_rule(line, 1, 0);
}

/* ---- reload ---- */

static void print_reloaded(const json_t *answer)
{
	printf("the access part of the configuration was read again; %.0f rules\n", command_number(answer, "rules", 0));
	print_list("     closed ", json_object_get(answer, "closed"));
}

command_exit command_reload(const struct command_line *line)
{
	return command_ask_once(line, json_pack("{s:s}", "command", "reload"), print_reloaded);
}
