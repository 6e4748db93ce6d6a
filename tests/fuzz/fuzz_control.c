/* SPDX-License-Identifier: MIT */
/**
 * The control socket with clients that say anything, in any pieces, and leave when they like; behind it a whole node
 * that carries the requests out. The first octet of each step chooses what happens.
 */
#include "daemon/configuration.h"
#include "daemon/control.h"
#include "daemon/node.h"
#include "hip/crypto/host_identity.h"
#include "tests/fuzz/cheap_crypto.h"
#include "tests/fuzz/input.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#define CLIENTS 3

struct bench {
	uv_loop_t loop;
	struct control_server *server;
	struct configuration configuration;
	struct host_identity *identity;
	struct seeded_random generator;
	struct random_source random;
	struct node *node;
	struct packet_vector *vector;
	instant now;
	struct sockaddr_un name;
	socklen_t name_length;
	int clients[CLIENTS];
};

static const struct {
	const char *text;
} requests[] = {
	{"{\"command\":\"id\"}\n"},
	{"{\"command\":\"status\"}\n"},
	{"{\"command\":\"peers\"}\n"},
	{"{\"command\":\"ping\",\"target\":\"2001:22::1\",\"count\":2}\n"},
	{"{\"command\":\"trace\",\"target\":\"sip:bob@example.com\"}\n"},
	{"{\"command\":\"resolve\",\"aor\":\"sip:bob@example.com\"}\n"},
	{"{\"command\":\"put\",\"key\":\"a\",\"value\":\"b\"}\n"},
	{"{\"command\":\"get\",\"key\":\"a\"}\n"},
	{"{\"command\":\"trust\",\"aor\":\"sip:bob@example.com\",\"hit\":\"2001:22::1\"}\n"},
	{"{\"command\":\"monitor\"}\n"},
	{"{\"command\":\"access\"}\n"},
	{"{\"command\":\"access-add\",\"rule\":\"deny with 2001:22::1\",\"position\":1}\n"},
	{"{\"command\":\"access-add\",\"rule\":\"allow tcp/80-90 from bob@example.com\"}\n"},
	{"{\"command\":\"access-remove\",\"number\":1}\n"},
	{"{\"command\":\"access-remove\",\"all\":true}\n"},
	{"{\"command\":\"access-remove\",\"rule\":\"deny with 2001:22::1\"}\n"},
	{"{\"command\":\"reload\"}\n"},
	{"{\"command\":\"rekey\",\"target\":\"2001:22::1\",\"dh\":true}\n"},
};

#define REQUESTS (sizeof requests / sizeof *requests)

/* Every other time the file is wrong. */
static void reload(struct bench *bench, uint64_t token)
{
	struct configuration configuration;
	bool bad = token & 1;

	CHECK(!configuration_default(&configuration));
	node_reload(bench->node, bench->now, token, bad ? NULL : &configuration, bad ? "x.conf:1: wrong." : "");
	configuration_free(&configuration);
}

static void carry_out(struct bench *bench)
{
	struct node_effect effect;

	while (node_next_effect(bench->node, &effect)) {
		if (effect.kind == NODE_REPLY)
			control_reply(bench->server, effect.token, effect.text, effect.last);
		if (effect.kind == NODE_RELOAD)
			reload(bench, effect.token);
	}
}

static void on_request(void *context, uint64_t token, json_t *request)
{
	struct bench *bench = context;

	CHECK(json_is_object(request) && json_is_string(json_object_get(request, "command")));
	node_command(bench->node, bench->now, token, request);
	carry_out(bench);
}

static void on_gone(void *context, uint64_t token)
{
	struct bench *bench = context;

	node_command_gone(bench->node, token);
	carry_out(bench);
}

static void start_server(struct bench *bench)
{
	const struct control_policy policy = {.user = geteuid(), .group = getegid()};
	const struct control_handler handler = {.request = on_request, .gone = on_gone, .context = bench};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	bench->name.sun_family = AF_UNIX; /* the kernel gives it an abstract name */
	bench->name_length = sizeof bench->name;
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&bench->name, sizeof(sa_family_t)) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&bench->name, &bench->name_length) == 0);
	CHECK(listen(listener, 16) == 0 && uv_loop_init(&bench->loop) == 0);
	CHECK(!control_start(&bench->loop, listener, &policy, &handler, NULL, &bench->server));
}

static void start_node(struct bench *bench)
{
	struct node_environment environment = {.configuration = &bench->configuration, .random = &bench->random};

	bench->now = SECONDS(100);
	bench->random = seeded_random_start(&bench->generator, 1);
	CHECK(!configuration_default(&bench->configuration));
	CHECK(!host_identity_from_seed(&bench->random, &bench->identity));
	environment.identity = bench->identity;
	CHECK(!node_create(&environment, bench->now, 1700000000000, &bench->node));
	node_start(bench->node, bench->now);
	carry_out(bench);
}

static void turn(struct bench *bench)
{
	for (int i = 0; i < 3; i++)
		uv_run(&bench->loop, UV_RUN_NOWAIT);
}

static bool join(const struct bench *bench, int *client)
{
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(*client >= 0);
	if (connect(*client, (const struct sockaddr *)&bench->name, bench->name_length) == 0)
		return true;
	close(*client);
	*client = -1;
	return false;
}

static void leave(int *client)
{
	if (*client >= 0)
		close(*client);
	*client = -1;
}

static void hear(int client)
{
	char answer[4096];

	while (recv(client, answer, sizeof answer, MSG_DONTWAIT) > 0)
		;
}

static void say(struct fuzz_input *input, int client, uint8_t choice)
{
	size_t length, wanted = choice & 0x80 ? input_u16(input) : input_u8(input);
	const uint8_t *octets = input_octets(input, wanted, &length);

	if (length)
		(void)send(client, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (choice & 0x40)
		(void)send(client, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A right request with one octet changed. */
static void ask(struct fuzz_input *input, int client)
{
	char text[160];
	uint8_t choice = input_u8(input), place;
	size_t length = strlen(requests[choice % REQUESTS].text);

	memcpy(text, requests[choice % REQUESTS].text, length);
	place = input_u8(input);
	if (place)
		text[place % length] = (char)input_u8(input);
	(void)send(client, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void step(struct bench *bench, struct fuzz_input *input)
{
	uint8_t choice = input_u8(input);
	int *client = &bench->clients[choice % CLIENTS];

	if (*client < 0 && !join(bench, client)) {
		turn(bench); /* the backlog is full */
		return;
	}
	switch (choice / CLIENTS % 8) {
	case 0:
	case 1:
	case 2:
		say(input, *client, choice);
		break;
	case 3:
		ask(input, *client);
		break;
	case 4:
		leave(client);
		break;
	case 5:
		shutdown(*client, SHUT_WR);
		break;
	case 6:
		hear(*client);
		break;
	default:
		bench->now += SECONDS(input_u8(input) % 16);
		node_tick(bench->node, bench->now);
		carry_out(bench);
		break;
	}
	if (!(choice & 0x20))
		turn(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct bench bench = {.clients = {-1, -1, -1}};

	start_server(&bench);
	start_node(&bench);
	for (unsigned steps = 0; steps < 48 && !input_is_over(&input); steps++)
		step(&bench, &input);
	turn(&bench);
	control_stop(bench.server);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&bench.loop) == 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		leave(&bench.clients[i]);
	node_free(bench.node);
	host_identity_free(bench.identity);
	configuration_free(&bench.configuration);
	return 0;
}
