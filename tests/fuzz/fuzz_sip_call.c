/* SPDX-License-Identifier: MIT */
/**
 * Calls through the SIP engine: the input is a script of requests that phones and another proxy make, of answers to
 * what the engine has sent (with its own Via, tags and Call-ID), each with changes in its text, and of what the layers
 * above and the streams do meanwhile.
 */
#include "sipglue/sip.h"
#include "tests/fuzz/input.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#define LETTERS       16
#define TEXT_MAXIMUM  6000
#define STEPS_MAXIMUM 64

/* A network on board, with a phone in it. */
static const struct sip_network board = {
	{{[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 168, [14] = 10, [15] = 1}}, 96 + 24};

static const struct hit own = {{0x20, 0x01, 0, 0x22, [15] = 1}}, peer = {{0x20, 0x01, 0, 0x22, [15] = 2}};

struct letter {
	char text[TEXT_MAXIMUM];
	size_t length;
	struct endpoint local, remote;
	uint32_t connection; /* 0: a datagram */
};

struct bench {
	struct sip *sip;
	instant now;
	bool hold; /* the layers above do not answer by themselves */
	hiphop_error error;
	struct letter letters[LETTERS];
	unsigned count;
	uint64_t token; /* of the last question */
	uint32_t connection;
	size_t relays; /* opened and not closed */
	uint64_t relay;
};

/* ---- what the engine does ---- */

static void keep(struct bench *bench, const struct sip_effect *effect)
{
	struct letter *letter = &bench->letters[bench->count++ % LETTERS];

	letter->length = effect->octets.length < TEXT_MAXIMUM ? effect->octets.length : TEXT_MAXIMUM - 1;
	memcpy(letter->text, effect->octets.data, letter->length);
	letter->text[letter->length] = 0;
	letter->local = effect->local;
	letter->remote = effect->remote;
	letter->connection = effect->kind == SIP_STREAM_SEND ? effect->connection : 0;
}

static void answer(struct bench *bench, sip_effect_kind kind, uint64_t token, hiphop_error error)
{
	const struct sip_target targets[] = {{.hit = peer}, {.aor = "carol@example.com"}, {.hit = own}};

	if (kind == SIP_RESOLVE)
		sip_resolved(bench->sip, bench->now, token, error, targets, 1 + token % 3);
	else if (kind == SIP_STORE)
		sip_stored(bench->sip, bench->now, token, error);
	else
		sip_caller_verified(bench->sip, bench->now, token, error);
}

static void drain(struct bench *bench)
{
	struct sip_effect effect;

	while (sip_next_effect(bench->sip, &effect)) {
		switch (effect.kind) {
		case SIP_SEND_DATAGRAM:
		case SIP_STREAM_SEND:
			keep(bench, &effect);
			break;
		case SIP_STREAM_CONNECT:
			bench->connection = effect.connection;
			if (!bench->hold) {
				const struct endpoint local = effect.local, remote = effect.remote;
				sip_stream_opened(bench->sip, bench->now, effect.connection, &local, &remote);
			}
			break;
		case SIP_STORE:
		case SIP_RESOLVE:
		case SIP_VERIFY_CALLER:
			bench->token = effect.token;
			if (!bench->hold)
				answer(bench, effect.kind, effect.token, bench->error);
			break;
		case SIP_RELAY_OPEN:
			bench->relays++;
			bench->relay = effect.token;
			break;
		case SIP_RELAY_CLOSE:
			CHECK(bench->relays-- > 0);
			break;
		default:
			break;
		}
	}
}

static struct endpoint board_phone(uint8_t last, uint16_t port)
{
	struct endpoint phone = {.address = board.address, .port = port};

	phone.address.octets[15] = last;
	return phone;
}

static void count_relay(void *context, const struct sip_relay_status *status)
{
	CHECK(status->port >= SIP_RELAY_PORT_FIRST && status->port < SIP_RELAY_PORT_LAST);
	++*(size_t *)context;
}

/* A datagram at the relay goes to an end of a call, never to a service of the host itself. */
static void relay_packet(struct bench *bench, uint8_t choice)
{
	struct endpoint to = {0}, remote = board_phone(choice & 1 ? 5 : 6, choice & 2 ? 4000 : 4004);
	size_t count = 0;

	if (choice & 16)
		memcpy(remote.address.octets, choice & 32 ? peer.octets : own.octets, HIT_LENGTH);

	const struct sip_relay_arrival arrival = {
		.token = bench->relay, .second_side = choice & 4, .control = choice & 8, .remote = remote};

	if (sip_relay_packet(bench->sip, bench->now, &arrival, &to)) {
		bool ours = to.port == SIP_PORT || (to.port >= SIP_RELAY_PORT_FIRST && to.port <= SIP_RELAY_PORT_LAST);

		CHECK(to.port && !address_equal(&to.address, &board.address));
		CHECK(!ours || memcmp(to.address.octets, own.octets, HIT_LENGTH) != 0);
	}
	sip_walk_relays(bench->sip, count_relay, &count);
	CHECK(count == bench->relays && count <= 4 * 10 * 4);
}

/* ---- messages ---- */

struct draft {
	char text[TEXT_MAXIMUM];
	size_t length;
};

static void add(struct draft *draft, const char *text, size_t length)
{
	if (length > sizeof draft->text - 1 - draft->length)
		length = sizeof draft->text - 1 - draft->length;
	memcpy(draft->text + draft->length, text, length);
	draft->length += length;
	draft->text[draft->length] = 0;
}

static void add_text(struct draft *draft, const char *text)
{
	add(draft, text, strlen(text));
}

static const char sdp[] = "v=0\r\no=- 1 1 IN IP6 2001:22::1\r\ns=-\r\nc=IN IP6 2001:22::1\r\nt=0 0\r\n"
			  "m=audio 4000 RTP/AVP 0\r\na=rtcp:4001\r\n";

static void add_body(struct draft *draft, bool with_sdp)
{
	char line[128];

	if (!with_sdp) {
		add_text(draft, "Content-Length: 0\r\n\r\n");
		return;
	}
	snprintf(line, sizeof line, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n", sizeof sdp - 1);
	add_text(draft, line);
	add_text(draft, sdp);
}

static const char *const methods[] = {"INVITE", "REGISTER", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "PRACK",
	"UPDATE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "WHATEVER"};
static const char *const users[] = {"bob@example.com", "alice@example.com", "carol@example.com",
	"bob@[2001:22::1]:5070", "bob@[2001:22::2]", "dave@other.org", "example.com", "bob@[::1]:5080"};
static const unsigned statuses[] = {100, 180, 181, 183, 200, 202, 300, 302, 305, 400, 401, 403, 404, 407, 408, 480, 481,
	486, 487, 491, 500, 503, 600, 603, 606, 699};

/* A request from nothing: who and what by small numbers. */
static void write_request(struct draft *draft, struct fuzz_input *input)
{
	uint8_t method = input_u8(input) % 14, parties = input_u8(input), more = input_u8(input);
	char line[512];

	snprintf(line, sizeof line,
		"%s sip:%s SIP/2.0\r\nVia: SIP/2.0/%s [2001:22::%x]:%u;branch=z9hG4bK%u%s\r\nMax-Forwards: %u\r\n",
		methods[method], users[parties & 7], more & 1 ? "TCP" : "UDP", more >> 7 ? 2 : 1,
		more >> 7 ? 5060 : 5070, method == 2 || method == 4 ? 0 : more >> 1 & 7, more & 0x40 ? ";rport" : "",
		more == 0xff ? 0 : 70);
	add_text(draft, line);
	snprintf(line, sizeof line, "From: <sip:%s>;tag=1\r\nTo: <sip:%s>%s\r\nCall-ID: c%u\r\nCSeq: %u %s\r\n",
		users[parties >> 3 & 7], users[parties & 7], parties & 0x40 ? ";tag=2" : "", parties >> 6, more & 3,
		methods[method]);
	add_text(draft, line);
	if (more & 4)
		add_text(draft, "Contact: <sip:alice@[2001:22::1]:5070>;q=0.5\r\nExpires: 100\r\n");
	if (more & 8)
		add_text(draft, "Contact: *\r\nExpires: 0\r\n");
	if (more & 16)
		add_text(draft, "Route: <sip:[2001:22::1];lr>\r\nRecord-Route: <sip:[2001:22::2];lr>\r\n");
	add_body(draft, more & 32);
}

static void copy_headers(struct draft *draft, const char *message, const char *const *names)
{
	for (const char *line = message; line && *line; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL) {
		size_t length = strcspn(line, "\r");
		for (const char *const *name = names; *name; name++)
			if (strncasecmp(line, *name, strlen(*name)) == 0) {
				add(draft, line, length);
				if (**name == 'T' && !memmem(line, length, ";tag=", 5))
					add_text(draft, ";tag=far");
				add_text(draft, "\r\n");
			}
		if (!length)
			break;
	}
}

/* An answer to a request that the engine sent. */
static void write_response(struct draft *draft, struct fuzz_input *input, const struct letter *letter)
{
	static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:", "Record-Route:", NULL};
	uint8_t choice = input_u8(input);
	char line[64];

	snprintf(line, sizeof line, "SIP/2.0 %u Because\r\n", statuses[choice % (sizeof statuses / sizeof *statuses)]);
	add_text(draft, line);
	copy_headers(draft, letter->text, names);
	if (choice & 0x80)
		add_text(draft, "Contact: <sip:bob@[2001:22::1]:5070>\r\nContact: <sip:carol@example.com>;q=0.1\r\n");
	add_body(draft, choice & 0x40);
}

/* ACK, CANCEL, BYE and so on for a call that the engine has passed a message of. */
static void write_in_dialog(struct draft *draft, struct fuzz_input *input, const struct letter *letter)
{
	static const char *const names[] = {"From:", "To:", "Call-ID:", "Route:", NULL},
				 *const routed[] = {"Via:", "From:", "To:", "Call-ID:", "Record-Route:", NULL};
	uint8_t choice = input_u8(input);
	char line[256];

	snprintf(line, sizeof line, "%s sip:%s SIP/2.0\r\n", methods[choice % 14], users[choice >> 4 & 7]);
	add_text(draft, line);
	if (!(choice & 0x80))
		add_text(draft, "Via: SIP/2.0/UDP [2001:22::1]:5070;branch=z9hG4bK9;rport\r\n");
	copy_headers(draft, letter->text, choice & 0x80 ? routed : names);
	snprintf(line, sizeof line, "CSeq: %u %s\r\nMax-Forwards: 9\r\n", input_u8(input) & 3, methods[choice % 14]);
	add_text(draft, line);
	add_body(draft, choice & 0x40);
}

static void edit(struct draft *draft, struct fuzz_input *input)
{
	uint8_t kind = input_u8(input);
	size_t place = draft->length ? input_u16(input) % draft->length : 0, length, rest;
	const uint8_t *octets;

	switch (kind % 4) {
	case 0:
		if (draft->length)
			draft->text[place] = (char)input_u8(input);
		break;
	case 1: /* more in between */
		octets = input_octets(input, input_u8(input), &length);
		if (!length || length >= sizeof draft->text - draft->length)
			break;
		memmove(draft->text + place + length, draft->text + place, draft->length - place);
		memcpy(draft->text + place, octets, length);
		draft->length += length;
		break;
	case 2: /* less */
		length = input_u8(input);
		rest = draft->length - place;
		length = length < rest ? length : rest;
		memmove(draft->text + place, draft->text + place + length, rest - length);
		draft->length -= length;
		break;
	default:
		draft->length = place;
		break;
	}
}

/* ---- steps ---- */

static void say(
	struct bench *bench, struct fuzz_input *input, struct draft *draft, uint8_t choice, const struct letter *letter)
{
	struct endpoint local = {.port = SIP_PORT}, remote = {.port = 5070};

	for (unsigned edits = choice >> 6; edits; edits--)
		edit(draft, input);
	memcpy(local.address.octets, own.octets, HIT_LENGTH);
	remote.address = local.address;
	if (letter) {
		local = letter->local;
		remote = letter->remote;
	} else if (choice & 0x20) {
		local = board_phone(1, SIP_PORT);
		remote = board_phone(5, 5070);
	} else if (choice & 8) {
		memcpy(remote.address.octets, peer.octets, HIT_LENGTH);
		remote.port = SIP_PORT;
	}
	if (letter && letter->connection)
		sip_input_stream(
			bench->sip, bench->now, letter->connection, (const uint8_t *)draft->text, draft->length);
	else if (choice & 16)
		sip_input_stream(bench->sip, bench->now, 1, (const uint8_t *)draft->text, draft->length);
	else
		sip_input_datagram(
			bench->sip, bench->now, &local, &remote, (const uint8_t *)draft->text, draft->length);
}

static void visit_registration(void *context, const struct sip_registration_status *status)
{
	*(size_t *)context += strlen(status->aor) + strlen(status->contact);
}

static void visit_call(void *context, const struct sip_call_status *status)
{
	*(size_t *)context += strlen(status->call_id) + strlen(status->caller) + strlen(status->callee);
}

static void other_layers(struct bench *bench, struct fuzz_input *input, uint8_t choice)
{
	static const hiphop_error errors[] = {
		HIPHOP_OK, HIPHOP_NOT_FOUND, HIPHOP_REFUSED, HIPHOP_TIMEOUT, HIPHOP_NO_MEMORY};
	static const sip_effect_kind questions[] = {SIP_RESOLVE, SIP_STORE, SIP_VERIFY_CALLER};
	struct endpoint local = {.port = SIP_PORT}, remote = {.port = 5071};
	uint8_t more = input_u8(input);
	size_t sum = 0;

	memcpy(local.address.octets, own.octets, HIT_LENGTH);
	remote.address = local.address;
	switch (choice >> 3 & 7) {
	case 0:
		bench->hold = more & 1;
		break;
	case 1:
		bench->error = errors[more % 5];
		break;
	case 2:
		answer(bench, questions[more % 3], bench->token - (more >> 5), errors[more >> 2 & 3]);
		break;
	case 3:
		sip_peer_unreachable(bench->sip, bench->now, more & 1 ? &peer : &own);
		break;
	case 4:
		sip_forget_name(bench->sip, bench->now, users[more & 7]);
		break;
	case 5:
		if (more & 1)
			sip_stream_opened(bench->sip, bench->now, 1, &local, &remote);
		else
			sip_stream_closed(bench->sip, bench->now, more & 2 ? bench->connection : 1, more & 4);
		break;
	case 6:
		(void)sip_restore_registration(bench->sip, bench->now, users[more & 7],
			more & 8 ? "sip:carol@[2001:22::1]:5090" : "sip:carol@[::1]:5091;transport=tcp", 500, more);
		break;
	default:
		sip_walk_registrations(bench->sip, bench->now, visit_registration, &sum);
		sip_walk_calls(bench->sip, bench->now, visit_call, &sum);
		relay_packet(bench, more);
		break;
	}
}

static void step(struct bench *bench, struct fuzz_input *input)
{
	static const duration spans[] = {MILLISECONDS(500), SECONDS(1), SECONDS(5), SECONDS(33), SECONDS(65),
		SECONDS(200), SECONDS(3700), MILLISECONDS(10)};
	static struct draft draft;
	uint8_t choice = input_u8(input);
	unsigned kept = bench->count < LETTERS ? bench->count : LETTERS;
	const struct letter *letter =
		kept ? &bench->letters[(bench->count - 1 - (choice >> 3 & 7) % kept) % LETTERS] : NULL;

	draft.length = 0;
	switch (choice % 8) {
	case 0:
	case 1:
		write_request(&draft, input);
		say(bench, input, &draft, choice, NULL);
		break;
	case 2:
	case 3:
		if (!letter)
			break;
		write_response(&draft, input, letter);
		say(bench, input, &draft, choice, letter);
		break;
	case 4:
		if (!letter)
			break;
		write_in_dialog(&draft, input, letter);
		say(bench, input, &draft, choice, NULL);
		break;
	case 5: /* what the engine sent comes back to it, or goes on from elsewhere */
		if (!letter)
			break;
		add(&draft, letter->text, letter->length);
		say(bench, input, &draft, choice, choice & 0x20 ? letter : NULL);
		break;
	case 6:
		other_layers(bench, input, choice);
		break;
	default:
		bench->now += spans[choice >> 3 & 7];
		if (sip_next_wake(bench->sip) <= bench->now)
			sip_tick(bench->sip, bench->now);
		break;
	}
	drain(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct seeded_random seed;
	const struct random_source random = seeded_random_start(&seed, 1);
	const struct sip_configuration configuration = {.domain = "example.com",
		.self = own,
		.random = &random,
		.networks = &board,
		.network_count = 1,
		.limits = {
			.registrations = 6, .transactions = 24, .transactions_peer = 12, .calls = 4, .connections = 4}};
	struct fuzz_input input = {data, size};

	bench.now = SECONDS(1);
	bench.hold = false;
	bench.error = HIPHOP_OK;
	bench.count = 0;
	bench.relays = 0;
	bench.relay = 0;
	CHECK(!sip_create(&configuration, &bench.sip));
	sip_restore_registration(bench.sip, bench.now, "bob@example.com", "sip:bob@[2001:22::1]:5070", 1000, 3600);
	sip_restore_registration(bench.sip, bench.now, "alice@example.com", "sip:alice@192.168.10.5:5070", 1000, 3600);
	drain(&bench);
	for (unsigned steps = 0; steps < STEPS_MAXIMUM && !input_is_over(&input); steps++)
		step(&bench, &input);
	/* Whatever was said, all transactions end. */
	for (unsigned rounds = 0; rounds < 40; rounds++) {
		bench.now += SECONDS(250);
		sip_tick(bench.sip, bench.now);
		drain(&bench);
	}
	CHECK(sip_counters(bench.sip).transactions == 0 && sip_counters(bench.sip).calls <= 4);
	sip_free(bench.sip);
	return 0;
}
