/* SPDX-License-Identifier: MIT */
/* Whole nodes while allocations fail, those of OpenSSL, libosip2 and jansson too: they join, store, fetch, call and
 * answer commands. Nothing breaks, nothing stored is lost, and once there is memory again all comes to its end. */
#include "tests/unit/failing_sweep.h"

#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define TRIES 60

static void call(bool begins)
{
	if (begins)
		failing_allocation_resume();
	else
		failing_allocation_stop();
}

static void start(struct simulation *simulation, size_t count, size_t up)
{
	simulation_start(simulation, 1, count);
	simulation->call = call;
	simulation->log.write = getenv("SIM_LOG") ? simulation->log.write : NULL;
	for (size_t i = 0; i < up; i++) {
		simulation_boot(simulation, i);
		simulation_run(simulation, MILLISECONDS(100));
	}
	if (up > 1)
		assert_true(simulation_run_until(simulation, SECONDS(60), simulation_ring_is_right));
	simulation_run(simulation, SECONDS(5));
}

/* ---- commands ---- */

static bool is_ok(json_t *answer)
{
	return answer && json_is_true(json_object_get(answer, "ok"));
}

/* Asks until the answer is good. Each question gets some answer. */
static json_t *ask(struct simulation *simulation, size_t host, json_t *request)
{
	json_t *answer = NULL;

	for (unsigned try = 0; try < TRIES && !is_ok(answer); try++) {
		if (try)
			simulation_run(simulation, SECONDS(1));
		answer = simulation_ask(simulation, host, json_incref(request), SECONDS(60));
		assert_non_null(answer);
	}
	if (!is_ok(answer))
		fail_msg("%s", json_string_value(json_object_get(answer, "error")));
	json_decref(request);
	return answer;
}

static void put(struct simulation *simulation, size_t host, const char *key, const char *value)
{
	ask(simulation, host, json_pack("{s:s, s:s, s:s}", "command", "put", "key", key, "value", value));
}

static bool has_value(json_t *answer, const char *value)
{
	const char *found =
		json_string_value(json_object_get(json_array_get(json_object_get(answer, "values"), 0), "value"));

	return found && strcmp(found, value) == 0;
}

static void get(struct simulation *simulation, size_t host, const char *key, const char *value)
{
	json_t *answer = NULL;

	for (unsigned try = 0; try < TRIES && !has_value(answer, value); try++)
		answer = ask(simulation, host, json_pack("{s:s, s:s}", "command", "get", "key", key));
	assert_true(has_value(answer, value));
}

/* ---- the overlay ---- */

static void play_join(const void *context)
{
	struct simulation simulation;

	(void)context;
	start(&simulation, 3, 2);
	put(&simulation, 0, "old", "red");
	failing_sweep_begin();
	simulation_boot(&simulation, 2);
	put(&simulation, 2, "colour", "green");
	get(&simulation, 0, "colour", "green");
	failing_sweep_end();
	assert_true(simulation_run_until(&simulation, SECONDS(120), simulation_ring_is_right));
	get(&simulation, 1, "colour", "green");
	get(&simulation, 2, "old", "red");
	simulation_free(&simulation);
}

static void join_store_and_fetch(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"join, store, fetch", play_join, NULL, 100});
}

/* Through the tunnel, from command to answer. */
static void play_ping(const void *context)
{
	struct simulation simulation;
	char hit[HIT_TEXT_SIZE];

	(void)context;
	start(&simulation, 3, 3);
	failing_sweep_begin();
	for (size_t from = 0; from < 3; from++)
		ask(&simulation, from,
			json_pack("{s:s, s:s, s:i, s:i}", "command", "ping", "target",
				simulation_hit(&simulation, (from + 1) % 3, hit), "count", 1, "timeout_ms", 20000));
	failing_sweep_end();
	simulation_free(&simulation);
}

static void ping_each_other(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"ping", play_ping, NULL, 60});
}

/* ---- commands ---- */

static void play_commands(const void *context)
{
	static const char *const commands[] = {
		"{\"command\":\"status\"}",
		"{\"command\":\"peers\"}",
		"{\"command\":\"access\"}",
		"{\"command\":\"get\", \"key\":\"colour\"}",
	};
	struct simulation simulation;

	(void)context;
	start(&simulation, 2, 2);
	put(&simulation, 0, "colour", "green");
	failing_sweep_begin();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		ask(&simulation, 1, json_loads(commands[i], 0, NULL));
	failing_sweep_end();
	get(&simulation, 1, "colour", "green");
	simulation_free(&simulation);
}

static void commands_are_answered(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"commands", play_commands, NULL, 60});
}

/* ---- a call ---- */

#define PHONE_PORT 5070
#define ALICE      0
#define BOB        1

struct phones {
	int status[2]; /* of the last response to each */
	unsigned rung;
};

/* Bob picks up at once: the lines of the request that a response repeats (RFC 3261 section 8.2.6.2), and a body. */
static void pick_up(struct simulation *simulation, const char *request)
{
	static const char *const repeated[] = {"Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:", "To:"};
	char response[4096] = "SIP/2.0 200 OK\r\n", hit[HIT_TEXT_SIZE];

	for (const char *line = strstr(request, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
		int length = (int)(strstr(line + 2, "\r\n") - line - 2);

		for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++) {
			if (strncasecmp(line + 2, repeated[i], strlen(repeated[i])) == 0)
				snprintf(response + strlen(response), sizeof(response) - strlen(response), "%.*s%s\r\n",
					length, line + 2, i == 5 ? ";tag=bob" : "");
		}
	}
	snprintf(response + strlen(response), sizeof(response) - strlen(response),
		"Contact: <sip:bob@[%s]:%d>\r\nContent-Length: 0\r\n\r\n", simulation_hit(simulation, BOB, hit),
		PHONE_PORT);
	simulation_phone_send(simulation, BOB, PHONE_PORT, response);
}

static void on_phone(struct simulation *simulation, size_t host, const struct endpoint *phone,
	const struct endpoint *from, const uint8_t *octets, size_t length)
{
	struct phones *phones = simulation->phone_context;
	char message[8192];

	(void)phone;
	(void)from;
	assert_true(length < sizeof(message));
	memcpy(message, octets, length);
	message[length] = 0;
	if (strncmp(message, "SIP/2.0 ", 8) == 0) {
		phones->status[host] = atoi(message + 8);
	} else if (strncmp(message, "INVITE ", 7) == 0) {
		phones->rung++;
		pick_up(simulation, message);
	}
}

static void send_request(
	struct simulation *simulation, size_t host, const char *method, const char *to, unsigned sequence)
{
	const char *user = host == ALICE ? "alice" : "bob";
	char message[2048], hit[HIT_TEXT_SIZE];

	snprintf(message, sizeof(message),
		"%1$s sip:%5$s SIP/2.0\r\nVia: SIP/2.0/UDP [%2$s]:%3$d;branch=z9hG4bK%4$s%1$s%6$u\r\n"
		"From: <sip:%4$s@example.com>;tag=%6$u\r\nTo: <sip:%7$s@example.com>\r\nCall-ID: %1$s-%4$s-%6$u\r\n"
		"CSeq: %6$u %1$s\r\nContact: <sip:%4$s@[%2$s]:%3$d>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		method, simulation_hit(simulation, host, hit), PHONE_PORT, user, to, sequence,
		strchr(to, '@') ? "bob" : user);
	simulation_phone_send(simulation, host, PHONE_PORT, message);
}

/* As a phone does whose user is patient: until there is a good answer. */
static void request_until_ok(struct simulation *simulation, size_t host, const char *method, const char *to)
{
	struct phones *phones = simulation->phone_context;

	phones->status[host] = 0;
	for (unsigned try = 1; phones->status[host] != 200; try++) {
		assert_true(try < TRIES);
		send_request(simulation, host, method, to, try);
		for (unsigned half = 0; half < 80 && phones->status[host] < 200; half++)
			simulation_run(simulation, MILLISECONDS(500));
		if (phones->status[host] != 200)
			phones->status[host] = 0;
	}
}

static void play_call(const void *context)
{
	struct simulation simulation;
	struct phones phones = {{0, 0}, 0};

	(void)context;
	start(&simulation, 2, 2);
	simulation.phone = on_phone;
	simulation.phone_context = &phones;
	failing_sweep_begin();
	request_until_ok(&simulation, BOB, "REGISTER", "example.com");
	request_until_ok(&simulation, ALICE, "REGISTER", "example.com");
	request_until_ok(&simulation, ALICE, "INVITE", "bob@example.com");
	failing_sweep_end();
	assert_true(phones.rung > 0);
	/* Bob's registration stood. */
	request_until_ok(&simulation, ALICE, "INVITE", "bob@example.com");
	simulation_free(&simulation);
}

static void a_call(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"REGISTER, INVITE", play_call, NULL, 80});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(join_store_and_fetch),
		cmocka_unit_test(ping_each_other),
		cmocka_unit_test(commands_are_answered),
		cmocka_unit_test(a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
