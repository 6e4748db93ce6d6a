/* SPDX-License-Identifier: MIT */
/** ping, trace and rekey. */
#include "daemon/command.h"

#include <stdio.h>

/** What ping sums up at its end. */
struct ping_tally {
	long tries, answers;
	double least_ms, most_ms, sum_ms;
};

static void count_answer(struct ping_tally *tally, double rtt_ms)
{
	if (tally->answers == 0 || rtt_ms < tally->least_ms)
		tally->least_ms = rtt_ms;
	if (tally->answers == 0 || rtt_ms > tally->most_ms)
		tally->most_ms = rtt_ms;
	tally->sum_ms += rtt_ms;
	tally->answers++;
}

static void print_try(const json_t *answer)
{
	double sequence = command_number(answer, "sequence", 0);
	if (!command_is_ok(answer)) {
		printf("seq=%.0f: ", sequence);
		command_print_safe(command_text(answer, "error"));
	} else {
		printf("answer from ");
		command_print_safe(command_text(answer, "target"));
		printf(": seq=%.0f path=", sequence);
		command_print_safe(command_text(answer, "path"));
		printf(" via ");
		command_print_safe(command_text(answer, "remote"));
		printf(" time=%.2f ms", command_number(answer, "rtt_ms", 0));
	}
	putchar('\n');
	fflush(stdout);
}

static void print_tally(const char *target, const struct ping_tally *tally)
{
	printf("\n--- %s ping statistics ---\n", target);
	printf("%ld tries, %ld answers, %ld%% loss\n", tally->tries, tally->answers,
		tally->tries ? (tally->tries - tally->answers) * 100 / tally->tries : 0);
	if (tally->answers)
		printf("rtt min/avg/max = %.2f/%.2f/%.2f ms\n", tally->least_ms, tally->sum_ms / (double)tally->answers,
			tally->most_ms);
}

/** Takes one answer. A failure without a sequence is about the whole, and said once. */
static void take_try(const struct command_line *line, const json_t *answer, struct ping_tally *tally)
{
	bool is_try = json_is_number(json_object_get(answer, "sequence"));
	tally->tries += is_try;
	if (command_is_ok(answer))
		count_answer(tally, command_number(answer, "rtt_ms", 0));
	if (line->json || !is_try)
		(void)command_show(line, answer);
	else
		print_try(answer);
}

static json_t *ping_request(const struct command_line *line)
{
	const long for_ever = 1000000;
	json_t *request = json_pack("{s:s, s:s, s:I}", "command", "ping", "target", line->arguments[0], "count",
		(json_int_t)(line->count ? line->count : for_ever));
	if (request && line->interval_s > 0)
		json_object_set_new(request, "interval_ms", json_integer((json_int_t)(line->interval_s * 1000)));
	if (request && line->timeout_s > 0)
		json_object_set_new(request, "timeout_ms", json_integer((json_int_t)(line->timeout_s * 1000)));
	if (request && line->from && json_object_set_new(request, "from", json_string(line->from))) {
		json_decref(request);
		return NULL;
	}
	return request;
}

command_exit command_ping(const struct command_line *line)
{
	struct ping_tally tally = {0};
	bool last = false;
	json_t *answer = NULL;
	struct command_client *client;
	command_exit code = command_open(line, ping_request(line), &client);
	if (code)
		return code;
	while (!last && (answer = command_receive(client, false, &last))) {
		take_try(line, answer, &tally);
		json_decref(answer);
	}
	command_disconnect(client);
	if (!line->json && tally.tries > 0)
		print_tally(line->arguments[0], &tally);
	if (!answer && !*line->interrupted)
		return COMMAND_UNREACHABLE;
	return tally.answers > 0 ? COMMAND_OK : COMMAND_FAILED;
}

static void print_trace(const json_t *answer)
{
	size_t index;
	json_t *hop;
	json_array_foreach(json_object_get(answer, "hops"), index, hop)
	{
		printf("%2zu  ", index + 1);
		command_print_safe(command_text(hop, "hit"));
		if (json_is_number(json_object_get(hop, "rtt_ms")))
			printf("  %.2f ms", command_number(hop, "rtt_ms", 0));
		putchar('\n');
	}
	printf("path: ");
	command_print_safe(command_text(answer, "path"));
	printf(" over ");
	command_print_safe(command_text(answer, "transport"));
	printf(", ");
	command_print_safe(command_text(answer, "local"));
	printf(" to ");
	command_print_safe(command_text(answer, "remote"));
	if (json_is_number(json_object_get(answer, "rtt_ms")))
		printf(", %.2f ms", command_number(answer, "rtt_ms", 0));
	putchar('\n');
}

command_exit command_trace(const struct command_line *line)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "trace", "target", line->arguments[0]);
	if (request && line->timeout_s > 0)
		json_object_set_new(request, "timeout_ms", json_integer((json_int_t)(line->timeout_s * 1000)));
	return command_ask_once(line, request, print_trace);
}

static void print_rekey(const json_t *answer)
{
	printf("New ESP keys are asked for with ");
	command_print_safe(command_text(answer, "target"));
	printf("; `hiphop monitor` tells when they are in use.\n");
}

command_exit command_rekey(const struct command_line *line)
{
	json_t *request =
		json_pack("{s:s, s:s, s:b}", "command", "rekey", "target", line->arguments[0], "dh", line->dh);
	if (request && line->from && json_object_set_new(request, "from", json_string(line->from))) {
		json_decref(request);
		request = NULL;
	}
	return command_ask_once(line, request, print_rekey);
}
