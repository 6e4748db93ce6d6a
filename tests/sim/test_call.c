/* SPDX-License-Identifier: MIT */
/* A call by name between phones of real nodes on virtual time: registrar, overlay, base exchange, proxies, access and
 * media. */
#include "tests/sim/simulation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PHONE_PORT 5070
#define MEDIA_PORT 9000
#define HOSTS      12

/* What the phones have seen. */
struct phones {
	size_t alice, bob;
	int last_status;  /* of the last response that came to a phone */
	unsigned ringing; /* 180s */
	unsigned invites; /* INVITEs that came to bob, retransmissions included */
	unsigned media;
	char invite[4096]; /* the INVITE that rings at bob */
};

/* Copies the lines of a request that its response repeats (RFC 3261 section 8.2.6.2). */
static void copy_headers(const char *request, char *response, size_t size, const char *tag)
{
	static const char *const repeated[] = {"Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:", "To:"};

	for (const char *line = strstr(request, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
		const char *end = strstr(line + 2, "\r\n");
		int length = (int)(end - line - 2);

		for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++) {
			if (strncasecmp(line + 2, repeated[i], strlen(repeated[i])) != 0)
				continue;
			snprintf(response + strlen(response), size - strlen(response), "%.*s%s\r\n", length, line + 2,
				i == 5 && !memmem(line + 2, (size_t)length, "tag=", 4) ? tag : "");
		}
	}
}

static const char *hit_text(struct simulation *simulation, size_t host)
{
	static char text[HIT_TEXT_SIZE];

	return simulation_hit(simulation, host, text);
}

static void add_sdp(struct simulation *simulation, size_t host, char *message, size_t size)
{
	char body[512];

	snprintf(body, sizeof(body),
		"v=0\r\no=- 1 1 IN IP6 %1$s\r\ns=-\r\nc=IN IP6 %1$s\r\nt=0 0\r\nm=audio %2$d RTP/AVP 0\r\n",
		hit_text(simulation, host), MEDIA_PORT);
	snprintf(message + strlen(message), size - strlen(message),
		"Contact: <sip:phone@[%s]:%d>\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		hit_text(simulation, host), PHONE_PORT, strlen(body), body);
}

static void respond(struct simulation *simulation, size_t host, const char *request, const char *status, bool sdp)
{
	char response[4096];

	snprintf(response, sizeof(response), "SIP/2.0 %s\r\n", status);
	copy_headers(request, response, sizeof(response), ";tag=bobtag");
	if (sdp)
		add_sdp(simulation, host, response, sizeof(response));
	else
		snprintf(response + strlen(response), sizeof(response) - strlen(response), "Content-Length: 0\r\n\r\n");
	simulation_phone_send(simulation, host, PHONE_PORT, response);
}

static void on_phone(struct simulation *simulation, size_t host, const struct endpoint *phone,
	const struct endpoint *from, const uint8_t *octets, size_t length)
{
	struct phones *phones = simulation->phone_context;
	char message[8192];

	(void)from;
	if (phone->port == MEDIA_PORT) {
		phones->media++;
		return;
	}
	assert_true(length < sizeof(message));
	memcpy(message, octets, length);
	message[length] = 0;
	if (strncmp(message, "SIP/2.0 ", 8) == 0) {
		phones->last_status = atoi(message + 8);
		phones->ringing += phones->last_status == 180;
	} else if (strncmp(message, "INVITE ", 7) == 0) {
		phones->invites++;
		snprintf(phones->invite, sizeof(phones->invite), "%.4000s", message);
		respond(simulation, host, message, "180 Ringing", false);
	}
}

static void send_register(struct simulation *simulation, size_t host, const char *user, unsigned sequence)
{
	char message[2048];
	char hit[HIT_TEXT_SIZE];

	simulation_hit(simulation, host, hit);
	snprintf(message, sizeof(message),
		"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP [%1$s]:%2$d;branch=z9hG4bKr%3$s%4$u\r\n"
		"From: <sip:%3$s@example.com>;tag=r\r\nTo: <sip:%3$s@example.com>\r\nCall-ID: register-%3$s\r\n"
		"CSeq: %4$u REGISTER\r\nContact: <sip:%3$s@[%1$s]:%2$d>\r\nExpires: 600\r\nMax-Forwards: 70\r\n"
		"Content-Length: 0\r\n\r\n",
		hit, PHONE_PORT, user, sequence);
	simulation_phone_send(simulation, host, PHONE_PORT, message);
}

static void send_invite(struct simulation *simulation, size_t host, const char *to)
{
	char message[4096];

	snprintf(message, sizeof(message),
		"INVITE sip:%1$s@example.com SIP/2.0\r\nVia: SIP/2.0/UDP [%2$s]:%3$d;branch=z9hG4bKinvite\r\n"
		"From: <sip:alice@example.com>;tag=alicetag\r\nTo: <sip:%1$s@example.com>\r\nCall-ID: call-1\r\n"
		"CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n",
		to, hit_text(simulation, host), PHONE_PORT);
	add_sdp(simulation, host, message, sizeof(message));
	simulation_phone_send(simulation, host, PHONE_PORT, message);
}

static bool joined(struct simulation *simulation)
{
	return simulation_ring_is_right(simulation);
}

static void start(struct simulation *simulation, struct phones *phones, uint32_t loss_per_mille)
{
	simulation_start(simulation, simulation_seed(), HOSTS);
	simulation->loss_per_mille = loss_per_mille;
	simulation->jitter = MILLISECONDS(5);
	*phones = (struct phones){.alice = 3, .bob = 8};
	simulation->phone = on_phone;
	simulation->phone_context = phones;
	for (size_t i = 0; i < HOSTS; i++)
		simulation_boot(simulation, i);
	simulation_run(simulation, SECONDS(5));
	assert_true(simulation_run_until(simulation, SECONDS(120), joined));
}

/* Registers until a final response has come; a phone would retransmit as well. */
static int register_phone(struct simulation *simulation, struct phones *phones, size_t host, const char *user)
{
	phones->last_status = 0;
	for (unsigned try = 1; try < 10 && phones->last_status < 200; try++) {
		send_register(simulation, host, user, try);
		simulation_run(simulation, SECONDS(8));
	}
	return phones->last_status;
}

static void call_by_name(uint32_t loss_per_mille)
{
	struct simulation simulation;
	struct phones phones;

	start(&simulation, &phones, loss_per_mille);
	assert_int_equal(register_phone(&simulation, &phones, phones.bob, "bob"), 200);
	assert_int_equal(register_phone(&simulation, &phones, phones.alice, "alice"), 200);

	/* Before the call nobody's media comes in. */
	simulation_phone_send_to(&simulation, phones.alice, MEDIA_PORT, phones.bob, MEDIA_PORT, "rtp");
	simulation_run(&simulation, SECONDS(5));
	assert_int_equal(phones.media, 0);

	phones.last_status = 0;
	send_invite(&simulation, phones.alice, "bob");
	simulation_run(&simulation, SECONDS(10));
	assert_true(phones.invites >= 1);
	/* Bob picks up. Not at once: the network may turn two packets round that leave at the same time. */
	respond(&simulation, phones.bob, phones.invite, "200 OK", true);
	simulation_run(&simulation, SECONDS(20));
	assert_int_equal(phones.last_status, 200);
	assert_true(loss_per_mille || phones.ringing >= 1);

	/* Media flows HIT to HIT while the call lasts, from either side; with loss some of it. */
	for (int i = 0; i < 20; i++) {
		simulation_phone_send_to(&simulation, phones.alice, MEDIA_PORT, phones.bob, MEDIA_PORT, "rtp");
		simulation_run(&simulation, MILLISECONDS(20));
	}
	simulation_run(&simulation, SECONDS(1));
	assert_true(phones.media >= (loss_per_mille ? 10 : 20));
	/* Strangers do not profit from it. */
	phones.media = 0;
	simulation_phone_send_to(&simulation, 5, MEDIA_PORT, phones.bob, MEDIA_PORT, "rtp");
	simulation_run(&simulation, SECONDS(5));
	assert_int_equal(phones.media, 0);
	simulation_free(&simulation);
}

static void test_call_by_name(void **state)
{
	(void)state;
	call_by_name(0);
}

static void test_call_by_name_with_loss(void **state)
{
	(void)state;
	call_by_name(50);
}

static void test_first_come_first_owned(void **state)
{
	(void)state;
	struct simulation simulation;
	struct phones phones;

	start(&simulation, &phones, 0);
	assert_int_equal(register_phone(&simulation, &phones, phones.bob, "bob"), 200);
	assert_int_equal(register_phone(&simulation, &phones, phones.alice, "bob"), 403);
	/* The name outlives its owner: nobody takes it when the record has gone. */
	simulation_kill(&simulation, phones.bob);
	simulation_run(&simulation, SECONDS(1200));
	assert_int_equal(register_phone(&simulation, &phones, phones.alice, "bob"), 403);
	/* Nobody answers under it either. */
	assert_int_equal(register_phone(&simulation, &phones, phones.alice, "alice"), 200);
	phones.last_status = 0;
	send_invite(&simulation, phones.alice, "bob");
	simulation_run(&simulation, SECONDS(40));
	assert_int_equal(phones.last_status, 404);
	simulation_free(&simulation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_by_name),
		cmocka_unit_test(test_call_by_name_with_loss),
		cmocka_unit_test(test_first_come_first_owned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
