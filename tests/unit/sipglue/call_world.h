/* SPDX-License-Identifier: MIT */
/**
 * Alice's phone at host A (own HIT, port 5070) and Bob's at host B (own HIT, port 5080), both registered, and what they
 * say.
 */
#ifndef CALL_WORLD_H
#define CALL_WORLD_H

#include "sip_world.h"

#define ALICE 5070
#define BOB   5080

#define SDP_OF(address, port)                                                                                          \
	"v=0\no=- 1 1 IN IP6 " address "\ns=-\nc=IN IP6 " address "\nt=0 0\nm=audio " port                             \
	" RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"

static struct world world;
static struct host *a, *b;
static char text_a[HIT_TEXT_SIZE], text_b[HIT_TEXT_SIZE];

static inline void register_phone(struct host *host, const char *user, uint16_t port, const char *parameters)
{
	static unsigned count;
	char text[HIT_TEXT_SIZE];
	count++;
	say(&world, host, hit_endpoint(host, SIP_PORT), hit_endpoint(host, port),
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bKreg%u;rport\n"
		"From: <sip:%s@example.com>;tag=1\nTo: <sip:%s@example.com>\nCall-ID: reg%u\nCSeq: 1 REGISTER\n"
		"Contact: <sip:%s@[%s]:%u>%s\nExpires: 7200\n\n",
		hit_text(host, text), port, count, user, user, count, user, text, port, parameters);
	expect(host, port, "SIP/2.0 200 ");
}

static int start(void **state)
{
	(void)state;
	world_start(&world);
	a = &world.hosts[0];
	b = &world.hosts[1];
	hit_text(a, text_a);
	hit_text(b, text_b);
	register_phone(a, "alice", ALICE, "");
	register_phone(b, "bob", BOB, "");
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

/** Alice's phone sends a request to `uri`; `lines` are header lines, body included after an empty line. */
static inline void alice_says(
	const char *method, const char *uri, const char *branch, const char *to, unsigned cseq, const char *lines)
{
	say(&world, a, hit_endpoint(a, SIP_PORT), hit_endpoint(a, ALICE),
		"%s %s SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		"From: <sip:alice@example.com>;tag=alice\nTo: %s\nCall-ID: call@alice\nCSeq: %u %s\n"
		"Contact: <sip:alice@[%s]:%u>\n%s\n",
		method, uri, text_a, ALICE, branch, to, cseq, method, text_a, ALICE, lines);
}

static inline void alice_invites(const char *branch)
{
	char body[2048], lines[4096];
	snprintf(body, sizeof body, SDP_OF("2001:22::a", "4000"));
	char *octets = wire(body);
	snprintf(lines, sizeof lines, "Content-Type: application/sdp\nContent-Length: %zu\n\n%s", strlen(octets), body);
	free(octets);
	/* The empty line of `lines` ends the head; the one that alice_says adds falls behind the body. */
	alice_says("INVITE", "sip:bob@example.com", branch, "<sip:bob@example.com>", 1, lines);
}

/** The last letter read, to be answered. */
static inline struct letter *letter_with(struct host *host, const char *text)
{
	for (size_t i = 0; i < host->inbox_count; i++)
		if (host->inbox[i].text == text)
			return &host->inbox[i];
	return NULL;
}

static inline void bob_replies(const char *request, const char *status, const char *extra, const char *body)
{
	char lines[1024];
	snprintf(lines, sizeof lines, "Contact: <sip:bob@[%s]:%u>\n%s", text_b, BOB, extra);
	reply(&world, b, letter_with(b, request), request, status, "bob", lines, body);
}

/** The call is set up as far as the INVITE at Bob's phone. */
static inline const char *ring_bob(void)
{
	alice_invites("invite");
	expect(a, ALICE, "SIP/2.0 100 ");
	return expect(b, BOB, "INVITE sip:bob@[");
}

/** Record-Route of a response, in reverse, as Route lines of the caller. */
static inline void caller_routes(const char *response, char *routes, size_t size)
{
	char value[512];
	int count = 0;
	while (*header(response, "Record-Route", count, value))
		count++;
	routes[0] = 0;
	while (count-- > 0) {
		size_t used = strlen(routes);
		header(response, "Record-Route", count, value);
		snprintf(routes + used, size - used, "Route: %s\n", value);
	}
}

/** The call stands; gives the Route lines of each side, and the INVITE that Bob saw. */
static inline const char *talk(char *alice_routes, char *bob_routes, size_t size)
{
	char value[512];
	const char *invite = ring_bob();
	bob_replies(invite, "180 Ringing", "", "");
	expect(a, ALICE, "SIP/2.0 180 ");
	bob_replies(invite, "200 OK", "Content-Type: application/sdp\n", SDP_OF("2001:22::b", "6000"));
	const char *answer = expect(a, ALICE, "SIP/2.0 200 ");
	caller_routes(answer, alice_routes, size);
	bob_routes[0] = 0;
	for (int i = 0; *header(invite, "Record-Route", i, value); i++)
		snprintf(bob_routes + strlen(bob_routes), size - strlen(bob_routes), "Route: %s\n", value);
	char uri[128];
	snprintf(uri, sizeof uri, "sip:bob@[%s]:%u", text_b, BOB);
	alice_says("ACK", uri, "ack", "<sip:bob@example.com>;tag=bob", 1, alice_routes);
	expect(b, BOB, "ACK sip:bob@[");
	return invite;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

#endif
