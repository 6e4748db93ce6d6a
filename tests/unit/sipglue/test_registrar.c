/* SPDX-License-Identifier: MIT */
#include "sip_world.h"

static struct world world;
static struct host *a;
static struct endpoint phone, proxy;
static unsigned sequence;

static int start(void **state)
{
	(void)state;
	world_start(&world);
	a = &world.hosts[0];
	phone = hit_endpoint(a, 5070);
	proxy = hit_endpoint(a, SIP_PORT);
	sequence = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

/** A REGISTER for alice with the next CSeq; `lines` are the Contact and other lines. */
static void register_from(struct endpoint local, struct endpoint remote, const char *lines)
{
	char address[ENDPOINT_TEXT_SIZE];
	sequence++;
	say(&world, a, local, remote,
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [%s]:%u;branch=z9hG4bKr%u;rport\n"
		"From: <sip:alice@example.com>;tag=1\nTo: <sip:alice@Example.COM>\nCall-ID: reg\nCSeq: %u REGISTER\n"
		"Max-Forwards: 70\n%s\n",
		address_format(&remote.address, address), remote.port, sequence, sequence, lines);
}

static void register_alice(const char *lines)
{
	register_from(proxy, phone, lines);
}

static void test_registers_once_stored(void **state)
{
	(void)state;
	char value[512];
	world.hold_store = true;
	register_alice("Contact: <sip:alice@[2001:22::a]:5070>\nExpires: 600\n");
	expect_nothing(a, 5070);
	assert_int_equal(a->stored, 1);
	assert_int_equal(a->last_lifetime, 600);
	assert_int_equal(sip_counters(a->sip).registrations, 0);
	sip_stored(a->sip, world.now, a->last_store, HIPHOP_OK);
	pump(&world);
	const char *answer = expect(a, 5070, "SIP/2.0 200 ");
	assert_string_equal(header(answer, "Contact", 0, value), "<sip:alice@[2001:22::a]:5070>;q=1.000;expires=600");
	assert_non_null(strstr(answer, ";received="));
	assert_non_null(strstr(answer, ";rport=5070"));
	assert_int_equal(sip_counters(a->sip).registrations, 1);
	assert_int_equal(a->persisted, 1);
	assert_int_equal(a->events[SIP_EVENT_REGISTERED], 1);
}

static void test_store_answers(void **state)
{
	(void)state;
	world.store_error = HIPHOP_REFUSED;
	register_alice("Contact: <sip:alice@[::1]:5070>\n");
	expect(a, 5070, "SIP/2.0 403 ");
	world.store_error = HIPHOP_TIMEOUT;
	register_alice("Contact: <sip:alice@[::1]:5070>\n");
	expect(a, 5070, "SIP/2.0 504 ");
	world.hold_store = true;
	register_alice("Contact: <sip:alice@[::1]:5070>\n");
	pass(&world, SECONDS(11));
	expect(a, 5070, "SIP/2.0 504 ");
	assert_int_equal(sip_counters(a->sip).registrations, 0);
}

static void test_only_from_this_host(void **state)
{
	(void)state;
	register_from(proxy, hit_endpoint(&world.hosts[1], 5070), "Contact: <sip:alice@[::1]:5070>\n");
	expect(a, 5070, "SIP/2.0 403 ");
	assert_int_equal(a->stored, 0);
	register_from(at("::1", SIP_PORT), at("::1", 5071), "Contact: <sip:alice@[::1]:5071>\n");
	expect(a, 5071, "SIP/2.0 200 ");
	register_from(at("127.0.0.1", SIP_PORT), at("127.0.0.1", 5072), "Contact: <sip:alice@127.0.0.1:5072>\n");
	expect(a, 5072, "SIP/2.0 200 ");
}

static void test_several_contacts(void **state)
{
	(void)state;
	char value[512];
	register_alice("Contact: <sip:alice@[::1]:5070>;q=0.5;expires=100, <sip:alice@[::1]:5071>;expires=200\n");
	const char *answer = expect(a, 5070, "SIP/2.0 200 ");
	assert_string_equal(header(answer, "Contact", 0, value), "<sip:alice@[::1]:5070>;q=0.500;expires=100");
	assert_string_equal(header(answer, "Contact", 1, value), "<sip:alice@[::1]:5071>;q=1.000;expires=200");
	assert_int_equal(a->last_lifetime, 200);
	register_alice("Contact: <sip:alice@[::1]:5070>;expires=0\n");
	answer = expect(a, 5070, "SIP/2.0 200 ");
	assert_string_equal(header(answer, "Contact", 1, value), "");
	assert_int_equal(a->unstored, 0);
	register_alice("Contact: *\nExpires: 0\n");
	answer = expect(a, 5070, "SIP/2.0 200 ");
	assert_string_equal(header(answer, "Contact", 0, value), "");
	assert_int_equal(a->unstored, 1);
	assert_int_equal(a->forgotten, 2);
	assert_int_equal(sip_counters(a->sip).registrations, 0);
}

static void test_query_without_contact(void **state)
{
	(void)state;
	char value[512];
	register_alice("Contact: <sip:alice@[::1]:5070>;expires=100\n");
	expect(a, 5070, "SIP/2.0 200 ");
	pass(&world, SECONDS(10));
	register_alice("");
	assert_string_equal(header(expect(a, 5070, "SIP/2.0 200 "), "Contact", 0, value),
		"<sip:alice@[::1]:5070>;q=1.000;expires=90");
	assert_int_equal(a->stored, 1);
}

static void test_refusals(void **state)
{
	(void)state;
	char value[512];
	register_alice("Contact: <sip:alice@[::1]:5070>;expires=10\n");
	assert_string_equal(header(expect(a, 5070, "SIP/2.0 423 "), "Min-expires", 0, value), "60");
	register_alice("Contact: *\n");
	expect(a, 5070, "SIP/2.0 400 ");
	register_alice("Contact: *\nContact: <sip:alice@[::1]:5070>\nExpires: 0\n");
	expect(a, 5070, "SIP/2.0 400 ");
	register_alice("Contact: <sip:alice@[::1]:5070>\nRequire: nonsense\n");
	assert_string_equal(header(expect(a, 5070, "SIP/2.0 420 "), "Unsupported", 0, value), "nonsense");
	register_alice("Contact: <sip:alice@[::1]:5070>\nContent-Type: text/plain\nContent-Length: 2\n\nhi");
	expect(a, 5070, "SIP/2.0 415 ");
	say(&world, a, proxy, phone,
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [::1]:5070;branch=z9hG4bKx;rport\nFrom: "
		"<sip:a@b>;tag=1\n"
		"To: <sip:alice@elsewhere.org>\nCall-ID: x\nCSeq: 1 REGISTER\nContact: <sip:a@[::1]:5070>\n\n");
	expect(a, 5070, "SIP/2.0 404 ");
}

static void test_order_of_cseq(void **state)
{
	(void)state;
	register_alice("Contact: <sip:alice@[::1]:5070>\n");
	expect(a, 5070, "SIP/2.0 200 ");
	sequence = 0;
	say(&world, a, proxy, phone,
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [::1]:5070;branch=z9hG4bKold;rport\n"
		"From: <sip:alice@example.com>;tag=1\nTo: <sip:alice@example.com>\nCall-ID: reg\nCSeq: 1 REGISTER\n"
		"Contact: <sip:alice@[::1]:5070>;expires=0\n\n");
	expect(a, 5070, "SIP/2.0 500 ");
	assert_int_equal(sip_counters(a->sip).registrations, 1);
}

static void test_retransmission_gets_the_same_answer(void **state)
{
	(void)state;
	register_alice("Contact: <sip:alice@[::1]:5070>\n");
	expect(a, 5070, "SIP/2.0 200 ");
	sequence--;
	register_alice("Contact: <sip:alice@[::1]:5070>\n");
	expect(a, 5070, "SIP/2.0 200 ");
	assert_int_equal(a->stored, 1);
}

static void test_expiry(void **state)
{
	(void)state;
	register_alice("Contact: <sip:alice@[::1]:5070>;expires=100\nContact: <sip:alice@[::1]:5071>;expires=200\n");
	pass(&world, SECONDS(101));
	assert_int_equal(a->events[SIP_EVENT_EXPIRED], 1);
	assert_int_equal(a->unstored, 0);
	pass(&world, SECONDS(100));
	assert_int_equal(a->events[SIP_EVENT_EXPIRED], 2);
	assert_int_equal(a->unstored, 1);
	assert_int_equal(a->forgotten, 2);
	/* Nothing is left behind, no timer either. */
	assert_int_equal(sip_counters(a->sip).transactions, 0);
	assert_true(sip_next_wake(a->sip) == INSTANT_NEVER);
}

static void see(void *context, const struct sip_registration_status *status)
{
	assert_string_equal(status->aor, "bob@example.com");
	assert_string_equal(status->contact, "sip:bob@[::1]:5071");
	assert_int_equal(status->expires_s, 50);
	++*(int *)context;
}

static void test_restore(void **state)
{
	(void)state;
	int seen = 0;
	assert_int_equal(sip_restore_registration(a->sip, world.now, "bob@example.com", "sip:bob@[::1]:5071", 1000, 50),
		HIPHOP_OK);
	assert_int_equal(
		sip_restore_registration(a->sip, world.now, "bob@other.org", "sip:b@[::1]:1", 0, 50), HIPHOP_MALFORMED);
	assert_int_equal(
		sip_restore_registration(a->sip, world.now, "bob@example.com", "nonsense", 0, 50), HIPHOP_MALFORMED);
	pump(&world);
	assert_int_equal(a->stored, 1);
	assert_int_equal(a->last_lifetime, 50);
	sip_walk_registrations(a->sip, world.now, see, &seen);
	assert_int_equal(seen, 1);
}

static void test_limits(void **state)
{
	(void)state;
	world_end(&world);
	world_start_limited(&world, (struct sip_limits){.registrations = 2});
	const char *names[] = {"a", "b", "c"};
	for (unsigned i = 0; i < 3; i++)
		say(&world, a, proxy, phone,
			"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP [::1]:5070;branch=z9hG4bK%u;rport\nFrom: "
			"<sip:a@b>;tag=1\n"
			"To: <sip:%s@example.com>\nCall-ID: %u\nCSeq: 1 REGISTER\nContact: <sip:a@[::1]:5070>\n\n",
			i, names[i], i);
	expect(a, 5070, "SIP/2.0 200 ");
	expect(a, 5070, "SIP/2.0 200 ");
	expect(a, 5070, "SIP/2.0 503 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers_once_stored),
		TEST(test_store_answers),
		TEST(test_only_from_this_host),
		TEST(test_several_contacts),
		TEST(test_query_without_contact),
		TEST(test_refusals),
		TEST(test_order_of_cseq),
		TEST(test_retransmission_gets_the_same_answer),
		TEST(test_expiry),
		TEST(test_restore),
		TEST(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
