/* SPDX-License-Identifier: MIT */
/* What must not happen when locators change: forged, replayed and reordered UPDATEs, addresses of victims, addresses
 * that cannot be, and changes without end. */
#include "tests/sim/moves.h"

#include "daemon/node_internal.h"
#include "hip/core/host_internal.h"
#include "hip/wire/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CAPTURED 64

/* ---- capturing ---- */

/* UPDATEs of alice to bob, as an observer on the way has them. */
struct capture {
	struct moves *moves;
	size_t count;
	struct captured {
		struct endpoint source, destination;
		size_t length;
		uint8_t octets[1500];
	} packets[CAPTURED];
};

static bool is_update(const uint8_t *octets, size_t length)
{
	struct span contents;

	return framing_classify(octets, length, &contents) == FRAMING_HIP && contents.length > 2 &&
	       (contents.data[2] & 0x7f) == HIP_PACKET_UPDATE;
}

static bool is_at_bob(const struct moves *moves, const struct address *address)
{
	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		const struct simulation_link *link = &moves->simulation.hosts[BOB].links[i];

		if (link->used && address_equal(&link->known.address, address))
			return true;
	}
	return false;
}

static void note_update(struct simulation *simulation, size_t from, const struct endpoint *source,
	const struct packet *packet, bool esp)
{
	struct capture *capture = ((struct moves *)simulation->observer_context)->also_context;
	const uint8_t *octets = packet_data((struct packet *)packet);
	struct captured *captured = &capture->packets[capture->count];

	if (from != ALICE || esp || capture->count == CAPTURED || packet->length > sizeof(captured->octets) ||
		!is_update(octets, packet->length) || !is_at_bob(capture->moves, &packet->remote.address))
		return;
	captured->source = *source;
	captured->destination = packet->remote;
	captured->length = packet->length;
	memcpy(captured->octets, octets, packet->length);
	capture->count++;
}

static struct capture *start_capture(struct moves *moves)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	assert_non_null(capture);
	capture->moves = moves;
	moves->also = note_update;
	moves->also_context = capture;
	return capture;
}

static void stop_capture(struct moves *moves)
{
	moves->also = NULL;
}

static void inject(struct moves *moves, const struct captured *captured, const struct endpoint *source)
{
	simulation_inject(&moves->simulation, source ? source : &captured->source, &captured->destination,
		PACKET_DATAGRAM, captured->octets, captured->length);
}

/* ---- what must stay as it is ---- */

static bool bob_sends_to(struct moves *moves, const struct address *address)
{
	struct host_path_view path;

	return moves_current(moves, BOB, ALICE, &path) && address_equal(&path.remote.address, address);
}

static const struct address *alice_is_at(const struct moves *moves)
{
	return &moves->simulation.hosts[ALICE].links[0].known.address;
}

static void assert_undisturbed(struct moves *moves)
{
	assert_true(bob_sends_to(moves, alice_is_at(moves)));
	assert_true(moves_flows(moves, SECONDS(2), 95));
	assert_true(bob_sends_to(moves, alice_is_at(moves)));
}

/* The address of an attacker, who can send and listen, and whom the judge takes for alice's claim. */
static struct endpoint attacker(struct moves *moves, bool ipv4)
{
	return (struct endpoint){moves_new_victim(moves, ALICE, ipv4), 10500, TRANSPORT_UDP};
}

static uint64_t esp_to(const struct moves *moves, size_t host, const struct address *address)
{
	return simulation_traffic_with(&moves->simulation, host, address).sent.esp;
}

/* `sent` is what went to victims. */
static void assert_no_amplification(struct simulation_octets sent, uint64_t received)
{
	if (sent.hip + sent.esp > received)
		fail_msg("%llu octets of HIP and %llu of ESP for %llu", (unsigned long long)sent.hip,
			(unsigned long long)sent.esp, (unsigned long long)received);
}

/* ---- UPDATEs ---- */

/* Alice moves thrice while somebody listens. */
static struct capture *capture_moves(struct moves *moves)
{
	struct capture *capture = start_capture(moves);

	for (unsigned i = 0; i < 3; i++) {
		moves_change(moves, ALICE, 0, false);
		simulation_run(&moves->simulation, SECONDS(2));
	}
	stop_capture(moves);
	assert_true(capture->count >= 3);
	return capture;
}

/* What was captured of alice's moves, at the disposal of somebody elsewhere. */
struct attack_on_moves {
	struct moves moves;
	struct capture *capture;
	struct endpoint elsewhere;
	uint64_t sets;
};

static void start_attack(struct attack_on_moves *attack)
{
	moves_start(&attack->moves, &(struct moves_setup){0});
	attack->capture = capture_moves(&attack->moves);
	attack->elsewhere = attacker(&attack->moves, false);
	attack->sets = moves_count(&attack->moves, BOB, HOST_COUNT_LOCATOR_SET_IN);
}

/* Nothing has come of it. */
static void end_attack(struct attack_on_moves *attack)
{
	assert_int_equal(moves_count(&attack->moves, BOB, HOST_COUNT_LOCATOR_SET_IN), attack->sets);
	assert_undisturbed(&attack->moves);
	assert_int_equal(esp_to(&attack->moves, BOB, &attack->elsewhere.address), 0);
	free(attack->capture);
	moves_end(&attack->moves);
}

static void replayed_updates_change_nothing(void **state)
{
	(void)state;
	struct attack_on_moves attack;

	start_attack(&attack);
	for (size_t i = 0; i < attack.capture->count; i++) {
		inject(&attack.moves, &attack.capture->packets[i], NULL);
		inject(&attack.moves, &attack.capture->packets[i], &attack.elsewhere);
		simulation_run(&attack.moves.simulation, MILLISECONDS(100));
	}
	end_attack(&attack);
}

/* Each octet of each UPDATE in turn is another. */
static void forged_updates_change_nothing(void **state)
{
	(void)state;
	struct attack_on_moves attack;

	start_attack(&attack);
	for (size_t i = 0; i < attack.capture->count; i++) {
		for (size_t j = 0; j < attack.capture->packets[i].length; j += 3) {
			struct captured forged = attack.capture->packets[i];

			forged.octets[j] ^= 0x40;
			inject(&attack.moves, &forged, &attack.elsewhere);
			simulation_run(&attack.moves.simulation, MILLISECONDS(2));
		}
	}
	end_attack(&attack);
}

/* Sent by alice from where she has been since, and slower than the next one. */
static void a_late_update_changes_nothing(void **state)
{
	(void)state;
	struct moves moves;
	struct capture *capture;
	struct address between;
	struct simulation_octets before;
	size_t late;

	moves_start(&moves, &(struct moves_setup){0});
	capture = start_capture(&moves);
	moves.simulation.hosts[ALICE].links[0].silent_out = true;
	moves_change(&moves, ALICE, 0, false);
	between = *alice_is_at(&moves);
	simulation_run(&moves.simulation, MILLISECONDS(150));
	late = capture->count;
	assert_true(late > 0);
	moves.simulation.hosts[ALICE].links[0].silent_out = false;
	moves_change(&moves, ALICE, 0, false);
	simulation_run(&moves.simulation, SECONDS(2));
	stop_capture(&moves);
	assert_undisturbed(&moves);
	before = simulation_sent_to_nobody(&moves.simulation, &between);
	for (size_t i = 0; i < late; i++) {
		inject(&moves, &capture->packets[i], NULL);
		simulation_run(&moves.simulation, MILLISECONDS(50));
	}
	assert_undisturbed(&moves);
	assert_int_equal(simulation_sent_to_nobody(&moves.simulation, &between).esp, before.esp);
	free(capture);
	moves_end(&moves);
}

/* Somebody on the way sends alice's own fresh UPDATEs again, from elsewhere and sooner than they arrive. */
struct racing {
	struct endpoint elsewhere;
	uint64_t octets;
};

static void race(struct simulation *simulation, size_t from, const struct endpoint *source, const struct packet *packet,
	bool esp)
{
	struct moves *moves = simulation->observer_context;
	struct racing *racing = moves->also_context;
	const uint8_t *octets = packet_data((struct packet *)packet);

	(void)source;
	if (from != ALICE || esp || !is_update(octets, packet->length) || !is_at_bob(moves, &packet->remote.address))
		return;
	racing->octets += packet->length;
	simulation_inject(simulation, &racing->elsewhere, &packet->remote, PACKET_DATAGRAM, octets, packet->length);
}

static void a_fresh_update_from_elsewhere_draws_no_data(void **state)
{
	(void)state;
	struct moves moves;
	struct racing racing = {.octets = 0};
	struct simulation_octets sent;

	moves_start(&moves, &(struct moves_setup){.round_trip = MILLISECONDS(50)});
	racing.elsewhere = attacker(&moves, false);
	/* The copy has less far to go. */
	moves.simulation.hosts[ALICE].links[0].delay = MILLISECONDS(20);
	moves.also = race;
	moves.also_context = &racing;
	for (unsigned i = 0; i < 10; i++) {
		moves_change(&moves, ALICE, 0, false);
		simulation_run(&moves.simulation, SECONDS(3));
		assert_undisturbed(&moves);
	}
	sent = simulation_traffic_with(&moves.simulation, BOB, &racing.elsewhere.address).sent;
	assert_true(racing.octets > 0);
	/* Alice's own packets count for her as well. */
	assert_no_amplification(sent, 2 * racing.octets);
	moves_end(&moves);
}

/* ESP too: copies of it from elsewhere. */
static void race_esp(struct simulation *simulation, size_t from, const struct endpoint *source,
	const struct packet *packet, bool esp)
{
	struct moves *moves = simulation->observer_context;
	struct racing *racing = moves->also_context;

	(void)source;
	if (from != ALICE || !esp || !is_at_bob(moves, &packet->remote.address))
		return;
	racing->octets += packet->length;
	simulation_inject(simulation, &racing->elsewhere, &packet->remote, PACKET_DATAGRAM,
		packet_data((struct packet *)packet), packet->length);
}

static void esp_from_elsewhere_draws_no_data(void **state)
{
	(void)state;
	struct moves moves;
	struct racing racing = {.octets = 0};
	struct simulation_octets sent;

	moves_start(&moves, &(struct moves_setup){.round_trip = MILLISECONDS(50)});
	racing.elsewhere = attacker(&moves, false);
	moves.simulation.hosts[ALICE].links[0].delay = MILLISECONDS(20);
	moves.also = race_esp;
	moves.also_context = &racing;
	simulation_run(&moves.simulation, SECONDS(30));
	sent = simulation_traffic_with(&moves.simulation, BOB, &racing.elsewhere.address).sent;
	assert_true(racing.octets > 0);
	assert_no_amplification(sent, racing.octets);
	assert_true(moves_flows(&moves, SECONDS(5), 90));
	moves_end(&moves);
}

/* ---- victims ---- */

static uint64_t received_from_alice(const struct moves *moves)
{
	struct simulation_octets received = {0, 0};

	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		const struct simulation_link *link = &moves->simulation.hosts[ALICE].links[i];

		if (link->used) {
			const struct address *address = &link->known.address;
			struct simulation_octets from =
				simulation_traffic_with(&moves->simulation, BOB, address).received;

			received.hip += from.hip;
			received.esp += from.esp;
		}
	}
	return received.hip + received.esp;
}

/* Alice says to be at a victim's, as much as she can, and asks for a lot of data. */
static void check_victim(link_preference preference, bool ipv4, bool hides)
{
	struct moves moves;
	struct address victim;
	struct simulation_octets sent, received;
	size_t claim;

	moves_start(&moves, &(struct moves_setup){0});
	simulation_stream_start(&moves.simulation, BOB, ALICE, MILLISECONDS(1));
	victim = moves_new_victim(&moves, ALICE, ipv4);
	claim = moves_claim(&moves, ALICE, victim, preference);
	simulation_run(&moves.simulation, SECONDS(10));
	if (hides) {
		/* Nothing is to be had from her elsewhere. */
		simulation_link_set_silent(&moves.simulation, ALICE, 0, true);
		simulation_run(&moves.simulation, SECONDS(30));
		simulation_link_set_down(&moves.simulation, ALICE, 0, true);
		simulation_run(&moves.simulation, SECONDS(30));
		simulation_link_remove(&moves.simulation, ALICE, claim);
		simulation_run(&moves.simulation, SECONDS(30));
	}
	sent = simulation_sent_to_nobody(&moves.simulation, &victim);
	/* A link that is gone is not counted by now. */
	received = simulation_traffic_with(&moves.simulation, BOB, &victim).received;
	assert_no_amplification(sent, received_from_alice(&moves) + (hides ? received.hip + received.esp : 0));
	moves_end(&moves);
}

static void a_victim_is_sent_no_more_than_was_received(void **state)
{
	(void)state;
	check_victim(LINK_NORMAL, false, false);
	check_victim(LINK_PREFER, false, false);
	check_victim(LINK_PREFER, true, false);
	check_victim(LINK_AVOID, false, true);
	check_victim(LINK_PREFER, false, true);
}

/* A new one each second, many at once. */
static void many_victims_get_no_more_than_one(void **state)
{
	(void)state;
	struct moves moves;
	struct simulation_octets sum = {0, 0};
	size_t claims[3];
	struct address victims[180];

	moves_start(&moves, &(struct moves_setup){0});
	simulation_stream_start(&moves.simulation, BOB, ALICE, MILLISECONDS(1));
	for (size_t i = 0; i < 180; i++) {
		if (i >= 3)
			simulation_link_remove(&moves.simulation, ALICE, claims[i % 3]);
		victims[i] = moves_new_victim(&moves, ALICE, false);
		claims[i % 3] = moves_claim(&moves, ALICE, victims[i], LINK_PREFER);
		simulation_run(&moves.simulation, MILLISECONDS(333));
	}
	for (size_t i = 0; i < 180; i++) {
		struct simulation_octets sent = simulation_sent_to_nobody(&moves.simulation, &victims[i]);

		sum.hip += sent.hip;
		sum.esp += sent.esp;
	}
	assert_no_amplification(sum, received_from_alice(&moves));
	assert_true(bob_sends_to(&moves, alice_is_at(&moves)));
	moves_end(&moves);
}

static uint64_t hip_to_victims(const struct moves *moves, const struct address *victims, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += simulation_sent_to_nobody(&moves->simulation, &victims[i]).hip;
	return sum;
}

/* Nobody talks; she only ever names more victims. What goes to them is no more than she sends. */
static void claims_alone_draw_no_more_than_they_cost(void **state)
{
	(void)state;
	struct moves moves;
	struct address victims[60];
	uint64_t hers;

	moves_start(&moves, &(struct moves_setup){0});
	simulation_stream_stop(&moves.simulation, TO_BOB);
	simulation_stream_stop(&moves.simulation, TO_ALICE);
	simulation_run(&moves.simulation, SECONDS(30));
	for (size_t i = 0; i < 60; i++) {
		size_t claim;

		victims[i] = moves_new_victim(&moves, ALICE, false);
		claim = moves_claim(&moves, ALICE, victims[i], LINK_PREFER);
		simulation_run(&moves.simulation, SECONDS(3));
		simulation_link_remove(&moves.simulation, ALICE, claim);
	}
	simulation_run(&moves.simulation, SECONDS(60));
	hers = moves.octets[ALICE];
	print_message("%llu octets of alice, %llu of HIP to 60 victims\n", (unsigned long long)hers,
		(unsigned long long)hip_to_victims(&moves, victims, 60));
	assert_true(hip_to_victims(&moves, victims, 60) <= hers);
	moves_end(&moves);
}

/* ---- addresses that cannot be ---- */

/* Gives alice's host an address that it would not take from a link, for what it tells her peers. */
static void poke_link(struct moves *moves, const char *text)
{
	struct host *host = moves->simulation.hosts[ALICE].node->locals[0].host;

	assert_true(host->link_count < HOST_ADDRESSES_MAXIMUM);
	host->links[host->link_count] = host->links[0];
	host->links[host->link_count++].address = simulation_address(text);
}

static void impossible_addresses_are_never_sent_to(void **state)
{
	(void)state;
	static const char *const impossible[] = {"::1", "127.0.0.1", "ff02::1", "224.0.0.1", "fe80::1", "169.254.1.1",
		"::", "0.0.0.0", "255.255.255.255", "2001:20::1"};

	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		struct moves moves;
		struct simulation_traffic traffic;
		struct address address = simulation_address(impossible[i]);
		uint64_t refused;

		moves_start(&moves, &(struct moves_setup){0});
		moves_add_link(&moves, BOB, "ether",
			(struct simulation_link){.known.address = moves_new_address(&moves, BOB, true)});
		simulation_run(&moves.simulation, SECONDS(3));
		refused = moves_count(&moves, BOB, HOST_COUNT_DROP_LOCATOR);
		moves_add_link(&moves, ALICE, "lte", (struct simulation_link){0});
		poke_link(&moves, impossible[i]);
		simulation_run(&moves.simulation, SECONDS(20));
		for (size_t host = 0; host < moves.simulation.host_count; host++) {
			traffic = simulation_traffic_with(&moves.simulation, host, &address);
			if (host != ALICE)
				assert_int_equal(traffic.sent.hip + traffic.sent.esp, 0);
		}
		assert_true(moves_count(&moves, BOB, HOST_COUNT_DROP_LOCATOR) > refused);
		assert_true(moves_flows(&moves, SECONDS(2), 95));
		moves_end(&moves);
	}
}

/* Alice says to be where bob is. */
static void the_own_address_is_no_locator_of_a_peer(void **state)
{
	(void)state;
	struct moves moves;
	struct address bobs;
	uint64_t sent;

	moves_start(&moves, &(struct moves_setup){0});
	bobs = moves.simulation.hosts[BOB].links[0].known.address;
	sent = simulation_traffic_with(&moves.simulation, BOB, &bobs).sent.hip;
	moves_claim(&moves, ALICE, bobs, LINK_PREFER);
	simulation_run(&moves.simulation, SECONDS(20));
	assert_int_equal(simulation_traffic_with(&moves.simulation, BOB, &bobs).sent.hip, sent);
	assert_int_equal(esp_to(&moves, BOB, &bobs), 0);
	assert_true(moves_flows(&moves, SECONDS(2), 95));
	moves_end(&moves);
}

/* ---- without end ---- */

#define CHANGES   10000
#define ADDRESSES 250

static void ten_thousand_changes_in_a_minute(void **state)
{
	(void)state;
	struct moves moves;
	struct address addresses[ADDRESSES];
	uint64_t packets, octets, of_bob;

	moves_start(&moves, &(struct moves_setup){0});
	for (size_t i = 0; i < ADDRESSES; i++)
		addresses[i] = moves_new_address(&moves, ALICE, false);
	packets = moves.hip_packets[ALICE];
	octets = moves.hip_octets[ALICE];
	of_bob = moves.hip_packets[BOB];
	for (size_t i = 0; i < CHANGES; i++) {
		simulation_link_change(&moves.simulation, ALICE, 0, &addresses[i % ADDRESSES]);
		simulation_run(&moves.simulation, SECONDS(60) / CHANGES);
		assert_null(moves_beyond_bounds(&moves));
	}
	packets = moves.hip_packets[ALICE] - packets;
	octets = moves.hip_octets[ALICE] - octets;
	of_bob = moves.hip_packets[BOB] - of_bob;
	print_message("%llu HIP packets of alice, %llu octets; %llu of bob\n", (unsigned long long)packets,
		(unsigned long long)octets, (unsigned long long)of_bob);
	/* She has three peers; 15 a second with each, with what is sent again, are no flood. */
	assert_true(packets < 60 * 3 * 15);
	assert_true(of_bob < 60 * 3 * 15);
	assert_true(moves_converge(&moves, SECONDS(10), NULL));
	assert_true(moves_flows(&moves, SECONDS(5), 95));
	moves_end(&moves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replayed_updates_change_nothing),
		cmocka_unit_test(forged_updates_change_nothing),
		cmocka_unit_test(a_late_update_changes_nothing),
		cmocka_unit_test(a_fresh_update_from_elsewhere_draws_no_data),
		cmocka_unit_test(esp_from_elsewhere_draws_no_data),
		cmocka_unit_test(a_victim_is_sent_no_more_than_was_received),
		cmocka_unit_test(many_victims_get_no_more_than_one),
		cmocka_unit_test(claims_alone_draw_no_more_than_they_cost),
		cmocka_unit_test(impossible_addresses_are_never_sent_to),
		cmocka_unit_test(the_own_address_is_no_locator_of_a_peer),
		cmocka_unit_test(ten_thousand_changes_in_a_minute),
	};

	if (getenv("SIM_TEST"))
		cmocka_set_test_filter(getenv("SIM_TEST"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
