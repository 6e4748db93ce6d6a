/* SPDX-License-Identifier: MIT */
/* What a peer says of where it is, and where it speaks from: what is taken of it, and what it may cost. Host 0 is ours,
 * host 1 says what the test wants. */
#include "mobile_network.h"

static struct network *make(void)
{
	struct network *network = network_make(2, TRANSPORT_UDP);

	network_associate(network, 0, 1);
	network_run(network, SECONDS(1));
	return network;
}

/* The true addresses of the peer; it tells nobody by itself. */
static void peer_has(struct network *network, const char *text)
{
	struct network_host *peer = &network->hosts[1];
	char copy[256], *rest = NULL;

	snprintf(copy, sizeof copy, "%s", text);
	peer->link_count = 0;
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		peer->links[peer->link_count++] = network_link(word);
	peer->address = peer->links[0].address;
}

/* ---- which locators are taken ---- */

static const char *const unusable[] = {"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "224.0.0.1",
	"239.255.255.255", "255.255.255.255", "169.254.1.1", "192.0.2.1" /* host 0 itself */, "::1", "::", "ff02::1",
	"ff0e::1234", "fe80::1", "2001:22::1", "2001:2f:ffff::1"};

/* conforms: RFC8046-5.3-6 RFC8047-5.2-3 */
static void addresses_that_nobody_may_have(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
		struct network *network = make();
		struct parameter_locator_set set = mobile_set("192.0.2.2");
		struct endpoint known[HOST_LOCATORS_MAXIMUM];
		struct mobile_tally tally;

		set.items[set.count++] = mobile_locator(unusable[i], false);
		mobile_watch(network, &tally, 0, unusable[i]);
		mobile_claim(network, 1, 0, &set);
		network_run(network, SECONDS(20));
		assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_LOCATOR), 1);
		assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 1);
		assert_int_equal(tally.packets, 0);
		assert_int_equal(mobile_path_count(network, 0, 1), 1);
		mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
		assert_int_equal(
			host_locators(network->hosts[0].host, &network->hosts[1].hit, known, HOST_LOCATORS_MAXIMUM), 1);
		network_free(network);
	}
}

/* A transport, port or kind of traffic that cannot be used from here. */
static void locators_that_cannot_be_used(void **state)
{
	struct locator cases[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		cases[i] = mobile_locator("198.51.100.2", false);
	cases[0].protocol = 6;
	cases[1].port = 0;
	cases[2].traffic = LOCATOR_TRAFFIC_DATA;
	cases[3].type = LOCATOR_TYPE_ADDRESS; /* plain IP, which this host does not use */
	for (size_t i = 0; i < 4; i++) {
		struct network *network = make();
		struct parameter_locator_set set = mobile_set("192.0.2.2");

		set.items[set.count++] = cases[i];
		mobile_claim(network, 1, 0, &set);
		network_run(network, SECONDS(5));
		assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_LOCATOR), 1);
		assert_int_equal(mobile_path_count(network, 0, 1), 1);
		network_free(network);
	}
}

/* conforms: RFC8046-4-1 RFC8046-5.3-1 RFC8046-5.4-1 RFC8046-5.4-2 RFC8046-3.2.1-1 */
static void a_listed_locator_is_checked_and_then_used(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("198.51.100.2 192.0.2.2");

	(void)state;
	peer_has(network, "192.0.2.2 198.51.100.2");
	mobile_claim(network, 1, 0, &set);
	assert_string_equal(mobile_state(network, 0, 1, "", "198.51.100.2"), "UNVERIFIED");
	/* Meanwhile what works is used. */
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_false(mobile_is_unverified(network, 0, 1));
	network_run(network, SECONDS(1));
	assert_string_equal(mobile_state(network, 0, 1, "", "198.51.100.2"), "ACTIVE");
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.2");
	assert_false(mobile_is_unverified(network, 0, 1));
	assert_int_equal(network->hosts[0].handovers, 1);
	assert_string_equal(network->hosts[0].handover.reason, "better path");
	network_free(network);
}

/* All are listed, so what is not is no more (RFC 8047 section 4.2.4). */
static void what_is_not_listed_is_left(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set both = mobile_set("192.0.2.2 198.51.100.2"), one = mobile_set("192.0.2.2");

	(void)state;
	peer_has(network, "192.0.2.2 198.51.100.2");
	mobile_claim(network, 1, 0, &both);
	network_run(network, SECONDS(1));
	assert_int_equal(mobile_path_count(network, 0, 1), 2);
	mobile_claim(network, 1, 0, &one);
	network_run(network, MILLISECONDS(1));
	assert_int_equal(mobile_path_count(network, 0, 1), 1);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

/* The peer is gone from where it was: what it lists is used at once, within credit, until it has answered there. */
/* A link that comes later, of the family of that locator, is no reason to look for the peer there. */
static void what_was_taken_back_stays_away(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set both = mobile_set("192.0.2.2 2001:db8::77"), one = mobile_set("192.0.2.2");
	struct mobile_tally tally;

	(void)state;
	mobile_claim(network, 1, 0, &both);
	network_run(network, SECONDS(1));
	mobile_claim(network, 1, 0, &one);
	network_run(network, SECONDS(1));
	mobile_watch(network, &tally, 0, "2001:db8::77");
	network_set_addresses(network, 0, "192.0.2.1 2001:db8::1");
	network_run_with_traffic(network, SECONDS(5), 0, 1);
	assert_string_equal(mobile_state(network, 0, 1, "", "2001:db8::77"), "");
	assert_int_equal(tally.packets, 0);
	/* While it is listed, it is one. */
	mobile_claim(network, 1, 0, &both);
	network_run(network, MILLISECONDS(1));
	assert_string_equal(mobile_state(network, 0, 1, "", "2001:db8::77"), "UNVERIFIED");
	network_free(network);
}

/* What was listed before there was a link of its family. */
static void a_link_of_another_family_makes_paths(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set both = mobile_set("192.0.2.2 2001:db8::77");

	(void)state;
	mobile_claim(network, 1, 0, &both);
	network_run(network, SECONDS(1));
	assert_string_equal(mobile_state(network, 0, 1, "", "2001:db8::77"), "");
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1 2001:db8::1");
	network_run(network, MILLISECONDS(1));
	assert_string_equal(mobile_state(network, 0, 1, "2001:db8::1", "2001:db8::77"), "UNVERIFIED");
	network_free(network);
}

/* conforms: RFC8046-3.2.1-2 RFC8046-4-3 */
static void the_peer_moves(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("198.51.100.2");

	(void)state;
	peer_has(network, "198.51.100.2");
	mobile_claim(network, 1, 0, &set);
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.2");
	assert_true(mobile_is_unverified(network, 0, 1));
	assert_string_equal(network->hosts[0].handover.reason, "deprecated");
	network_run(network, MILLISECONDS(100));
	assert_false(mobile_is_unverified(network, 0, 1));
	assert_string_equal(mobile_state(network, 0, 1, "", "198.51.100.2"), "ACTIVE");
	assert_true(network_esp(network, 0, 1));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_I1], 1);
	network_free(network);
}

/* Nothing listed takes all back; but somebody speaks from there. */
static void a_set_without_locators(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set none = {0}, both = mobile_set("192.0.2.2 198.51.100.2");

	(void)state;
	peer_has(network, "192.0.2.2 198.51.100.2");
	mobile_claim(network, 1, 0, &both);
	network_run(network, SECONDS(1));
	mobile_claim(network, 1, 0, &none);
	network_run(network, MILLISECONDS(1));
	assert_int_equal(mobile_path_count(network, 0, 1), 1);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_string_equal(mobile_state(network, 0, 1, "", "192.0.2.2"), "ACTIVE");
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* ---- malformed ones ---- */

/* Contents of a LOCATOR_SET with one locator of 16 octets. */
static void raw_locator(uint8_t octets[24], uint8_t type, uint8_t words, uint8_t flags, uint32_t lifetime)
{
	const struct address address = mobile_endpoint("198.51.100.2").address;

	memset(octets, 0, 24);
	octets[1] = type;
	octets[2] = words;
	octets[3] = flags;
	octets[6] = (uint8_t)(lifetime >> 8);
	octets[7] = (uint8_t)lifetime;
	memcpy(octets + 8, address.octets, sizeof address.octets);
}

static bool is_acknowledged(struct network *network, const uint8_t *octets, size_t length)
{
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .raw = {octets, length}};
	const unsigned before = network->hosts[0].out_of_type[HIP_PACKET_UPDATE];
	struct flying packet;

	mobile_update(network, 1, 0, &update, &packet);
	mobile_arrive(network, 0, &packet, NULL);
	return network->hosts[0].out_of_type[HIP_PACKET_UPDATE] > before;
}

/* conforms: RFC8046-4-2 */
static void a_set_that_cannot_be_read_is_not_acknowledged(void **state)
{
	static const struct {
		uint8_t words;
		uint32_t lifetime;
		size_t length;
	} cases[] = {{4, 0, 24}, {5, 100, 24}, {3, 100, 24}, {4, 100, 20}, {255, 100, 24}, {4, 100, 4}};
	uint8_t octets[24];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct network *network = make();

		raw_locator(octets, LOCATOR_TYPE_ADDRESS, cases[i].words, 0, cases[i].lifetime);
		assert_false(is_acknowledged(network, octets, cases[i].length));
		assert_int_equal(network->hosts[0].last_notification, NOTIFY_INVALID_SYNTAX);
		assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_MALFORMED), 1);
		assert_int_equal(mobile_path_count(network, 0, 1), 1);
		assert_true(network_esp(network, 0, 1));
		network_free(network);
	}
}

static void more_locators_than_anybody_has(void **state)
{
	struct network *network = make();
	struct parameter_locator_set set = {0};
	uint8_t octets[(LOCATOR_SET_MAXIMUM + 1) * 24];

	(void)state;
	for (size_t i = 0; i <= LOCATOR_SET_MAXIMUM; i++)
		raw_locator(octets + 24 * i, LOCATOR_TYPE_ADDRESS, 4, 0, 100);
	assert_false(is_acknowledged(network, octets, sizeof octets));
	/* As many as are read: paths have an end before that. */
	for (size_t i = 0; i < LOCATOR_SET_MAXIMUM; i++) {
		set.items[set.count] = mobile_locator("198.51.100.2", false);
		set.items[set.count++].address.octets[15] = (uint8_t)(100 + i);
	}
	mobile_claim(network, 1, 0, &set);
	network_run(network, SECONDS(30));
	assert_true(mobile_path_count(network, 0, 1) <= PATHS_MAXIMUM);
	assert_int_equal(mobile_session(network, 0, 1)->mobility->paths.capacity, PATHS_MAXIMUM);
	network_free(network);
}

static void locators_of_unknown_types_are_passed_over(void **state)
{
	struct network *network = make();
	uint8_t octets[24 + 36];
	struct host_path_view view;

	(void)state;
	raw_locator(octets, 77, 4, 0, 100);
	memset(octets + 24, 0, 36);
	octets[24 + 1] = LOCATOR_TYPE_TRANSPORT_ADDRESS;
	octets[24 + 2] = 7;
	octets[24 + 7] = 100;
	octets[24 + 8] = 10500 >> 8;
	octets[24 + 9] = 10500 & 255;
	octets[24 + 10] = 17;
	memcpy(octets + 24 + 20, mobile_endpoint("198.51.100.9").address.octets, 16);
	assert_true(is_acknowledged(network, octets, sizeof octets));
	assert_true(mobile_path(network, 0, 1, "", "198.51.100.9", &view));
	assert_false(mobile_path(network, 0, 1, "", "198.51.100.2", &view));
	network_free(network);
}

/* The peer is told that the one it prefers is not known here; the others are taken. */
/* conforms: RFC8046-5.3-8 RFC8047-5.2-5 */
static void a_preferred_locator_of_unknown_type(void **state)
{
	(void)state;
	for (uint8_t preferred = 0; preferred < 2; preferred++) {
		struct network *network = make();
		uint8_t octets[24];

		raw_locator(octets, 77, 4, preferred, 100);
		assert_true(is_acknowledged(network, octets, sizeof octets));
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_NOTIFY], preferred);
		assert_int_equal(network->hosts[0].last_notification, preferred ? NOTIFY_LOCATOR_TYPE_UNSUPPORTED : 0);
		network_free(network);
	}
}

/* ---- order, repetition, forgery ---- */

static void claim_with(struct network *network, uint32_t id, const char *text)
{
	const struct parameter_locator_set set = mobile_set(text);
	const struct update update = {.has_seq = true, .seq = id, .set = &set};
	struct flying packet;

	mobile_update(network, 1, 0, &update, &packet);
	mobile_arrive(network, 0, &packet, NULL);
}

static void an_older_set_that_comes_late_changes_nothing(void **state)
{
	struct network *network = make();
	const uint32_t first = mobile_next_id(network, 1, 0);
	struct host_path_view view;
	unsigned answers;

	(void)state;
	peer_has(network, "198.51.100.3");
	claim_with(network, first + 2, "198.51.100.3");
	answers = network->hosts[0].out_of_type[HIP_PACKET_UPDATE];
	claim_with(network, first + 1, "198.51.100.66");
	claim_with(network, first, "192.0.2.2 198.51.100.66");
	/* Both are acknowledged, so that they do not come again. */
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], answers + 2);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_DROP_OLD_LOCATOR_SET), 2);
	assert_false(mobile_path(network, 0, 1, "", "198.51.100.66", &view));
	network_run(network, SECONDS(1));
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.3");
	network_free(network);
}

/* conforms: RFC8046-5.3-2 RFC8046-5.3-3 */
static void a_set_is_taken_once(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("198.51.100.2 192.0.2.2"), one = mobile_set("192.0.2.2");
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set};
	struct flying packet;

	(void)state;
	peer_has(network, "192.0.2.2 198.51.100.2");
	mobile_update(network, 1, 0, &update, &packet);
	mobile_arrive(network, 0, &packet, NULL);
	for (unsigned i = 0; i < 5; i++) {
		const unsigned before = network->hosts[0].out_of_type[HIP_PACKET_UPDATE];

		network_run(network, SECONDS(1));
		mobile_arrive(network, 0, &packet, NULL);
		assert_true(network->hosts[0].out_of_type[HIP_PACKET_UPDATE] > before);
	}
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 1);
	/* Nor after a newer one: that would be a way to send us back. */
	mobile_claim(network, 1, 0, &one);
	mobile_arrive(network, 0, &packet, NULL);
	assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 2);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_int_equal(mobile_path_count(network, 0, 1), 1);
	network_free(network);
}

/* Whoever catches an UPDATE and sends it from elsewhere gets an answer there, no more; nothing is learnt of it. */
static void a_replay_from_elsewhere_moves_nothing(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("192.0.2.2");
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set};
	const struct endpoint elsewhere = mobile_endpoint("203.0.113.66");
	struct mobile_tally tally;
	struct flying packet;
	unsigned octets = 0;

	(void)state;
	mobile_update(network, 1, 0, &update, &packet);
	mobile_arrive(network, 0, &packet, NULL);
	mobile_watch(network, &tally, 0, "203.0.113.66");
	for (unsigned i = 0; i < 1000; i++) {
		octets += (unsigned)packet.length;
		mobile_arrive(network, 0, &packet, &elsewhere);
		network_run(network, MILLISECONDS(10));
	}
	assert_true(tally.octets < octets);
	assert_in_range(tally.packets, 1, 40 + 10 * 20);
	assert_string_equal(mobile_state(network, 0, 1, "", "203.0.113.66"), "");
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

static void a_forged_update_changes_nothing(void **state)
{
	(void)state;
	for (unsigned spoil = SPOIL_MAC; spoil <= SPOIL_SIGNATURE; spoil++) {
		struct network *network = make();
		const struct parameter_locator_set set = mobile_set("198.51.100.66");
		const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set};
		struct flying packet, forged;

		mobile_update(network, 1, 0, &update, &packet);
		forge(network, &packet, NULL, 0, spoil, &forged);
		mobile_arrive(network, 0, &forged, NULL);
		network_run(network, SECONDS(5));
		assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 0);
		assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], 0);
		assert_int_equal(mobile_path_count(network, 0, 1), 1);
		/* The true one comes after all. */
		mobile_arrive(network, 0, &packet, NULL);
		assert_int_equal(counted(&network->hosts[0], HOST_COUNT_LOCATOR_SET_IN), 1);
		network_free(network);
	}
}

/* ---- lifetimes ---- */

static struct parameter_locator_set with_lifetime(const char *text, size_t place, uint32_t seconds)
{
	struct parameter_locator_set set = mobile_set(text);

	set.items[place].lifetime = seconds;
	return set;
}

/* Of its own accord, with nothing else to do meanwhile. */
static void a_locator_expires(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = with_lifetime("198.51.100.2 192.0.2.2", 0, 30);

	(void)state;
	peer_has(network, "192.0.2.2 198.51.100.2");
	mobile_claim(network, 1, 0, &set);
	network_run(network, SECONDS(29));
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.2");
	network_run(network, SECONDS(1) + MILLISECONDS(10));
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_string_equal(network->hosts[0].handover.reason, "deprecated");
	assert_string_equal(mobile_state(network, 0, 1, "", "198.51.100.2"), "");
	network_free(network);
}

/* The only one is used further, for want of another, and comes back with the next set. */
static void the_last_locator_expires(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = with_lifetime("192.0.2.2", 0, 5), again = mobile_set("192.0.2.2");

	(void)state;
	mobile_claim(network, 1, 0, &set);
	network_run(network, SECONDS(6));
	assert_string_equal(mobile_state(network, 0, 1, "", "192.0.2.2"), "DEPRECATED");
	assert_true(network_esp(network, 0, 1));
	mobile_claim(network, 1, 0, &again);
	network_run(network, SECONDS(1));
	assert_string_equal(mobile_state(network, 0, 1, "", "192.0.2.2"), "ACTIVE");
	assert_false(mobile_is_unverified(network, 0, 1));
	network_free(network);
}

static void a_set_that_comes_in_time_renews(void **state)
{
	struct network *network = make();
	struct parameter_locator_set set = with_lifetime("192.0.2.2", 0, 10);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		mobile_claim(network, 1, 0, &set);
		network_run(network, SECONDS(9));
		assert_string_equal(mobile_state(network, 0, 1, "", "192.0.2.2"), "ACTIVE");
	}
	set.items[0].lifetime = LOCATOR_LIFETIME_UNBOUNDED;
	mobile_claim(network, 1, 0, &set);
	assert_true(mobile_session(network, 0, 1)->mobility->paths.items[0].expires == INSTANT_NEVER);
	assert_int_equal(network->hosts[0].handovers, 0);
	network_free(network);
}

/* ---- a peer that claims what others have ---- */

/* It is believed as far as its own octets reach, whichever way it claims the victim's address. */
struct attack {
	bool spoofs;        /* its UPDATEs come from the victim's address */
	bool keeps_its_own; /* lists its own address too */
	bool renews;        /* a new set each time, with another address of the victim in between */
};

static void run_attack(const struct attack *attack)
{
	struct network *network = make();
	const struct endpoint victim = mobile_endpoint("203.0.113.99");
	const struct parameter_locator_set sets[2] = {
		mobile_set(attack->keeps_its_own ? "203.0.113.99 192.0.2.2" : "203.0.113.99"),
		mobile_set("198.51.100.77")};
	struct mobile_tally tally;
	size_t octets = 0;

	mobile_watch(network, &tally, 0, "203.0.113.99");
	for (unsigned i = 0; i < 600; i++) {
		const struct update update = {.has_seq = true,
			.seq = mobile_next_id(network, 1, 0),
			.set = &sets[attack->renews ? i % 2 : 0]};
		struct flying packet;

		mobile_update(network, 1, 0, &update, &packet);
		octets += packet.length;
		mobile_arrive(network, 0, &packet, attack->spoofs ? &victim : NULL);
		network_run(network, MILLISECONDS(100));
		/* What it sent for the base exchange counts as well. */
		assert_true(tally.octets <= octets + 900);
	}
	network_run(network, SECONDS(100));
	assert_true(tally.octets <= octets + 900);
	assert_true(tally.packets > 0);
	network_free(network);
}

/* conforms: RFC8046-5.6-1 */
static void a_victim_gets_no_more_than_the_attacker_sends(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		run_attack(&(struct attack){i & 1, i & 2, i & 4});
}

/* A single UPDATE, with nothing after it, is no flood either. */
static void one_update_for_a_victim(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("203.0.113.99");
	struct mobile_tally tally;

	(void)state;
	mobile_watch(network, &tally, 0, "203.0.113.99");
	mobile_claim(network, 1, 0, &set);
	network_run(network, SECONDS(600));
	assert_in_range(tally.packets, 1, 10);
	network_free(network);
}

/* ---- many ---- */

/* The peer says 10000 times a minute that it is elsewhere. */
/* conforms: RFC8046-6.2.2-1 */
static void a_peer_that_never_rests(void **state)
{
	struct network *network = make();
	struct network_host *self = &network->hosts[0];
	struct endpoint known[HOST_LOCATORS_MAXIMUM * 2];
	unsigned before = sent_in_all(self) + self->probes;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct parameter_locator_set set = mobile_set("198.51.100.2 192.0.2.2");

		set.items[0].address.octets[14] = (uint8_t)(i >> 8);
		set.items[0].address.octets[15] = (uint8_t)i;
		mobile_claim(network, 1, 0, &set);
		network_run(network, MILLISECONDS(6));
		assert_true(mobile_path_count(network, 0, 1) <= 3);
	}
	/* The rate of answers bounds it all: 40 at once and 20 a second, and a check and its tries for each. */
	assert_true(sent_in_all(self) + self->probes - before < 5000);
	assert_true(host_locators(self->host, &network->hosts[1].hit, known, HOST_LOCATORS_MAXIMUM * 2) <=
		    HOST_LOCATORS_MAXIMUM);
	assert_true(self->handovers < 10);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* Someone on the way, or the peer, has its ESP come from 10000 places. */
static void esp_from_everywhere(void **state)
{
	struct network *network = make();
	struct network_host *self = &network->hosts[0];
	const struct endpoint local = mobile_endpoint("192.0.2.1");
	struct endpoint remote = mobile_endpoint("198.51.100.1");
	const uint32_t spi = network_outbound(self, &network->hosts[1].hit)->spi_in;
	const unsigned before = sent_in_all(self);

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		remote.address.octets[14] = (uint8_t)(i >> 8);
		remote.address.octets[15] = (uint8_t)i;
		host_note_elsewhere(self->host, network->now, spi, &local, &remote);
		network_drain(network, self);
		network_run(network, MILLISECONDS(6));
		assert_true(mobile_path_count(network, 0, 1) <= PATHS_MAXIMUM);
	}
	/* There is credit for a few; and questions to where the peer is, whether it still is. */
	assert_true(sent_in_all(self) - before < 1500);
	assert_true(network_esp(network, 0, 1));
	network_run_with_traffic(network, SECONDS(60), 0, 1);
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	assert_int_equal(self->handovers, 0);
	network_free(network);
}

/* All the room for paths is taken by paths that work, and the peer moves altogether. */
static void a_full_set_makes_room_for_what_is_listed_now(void **state)
{
	static const char *const new[] = {"203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"};
	struct network *network = make();
	struct host_path_view view;

	(void)state;
	network_set_addresses(network, 0, "192.0.2.1 192.0.2.11 192.0.2.12 192.0.2.13");
	network_run(network, SECONDS(1));
	network_set_addresses(network, 1, "198.51.100.1 198.51.100.2 198.51.100.3 198.51.100.4");
	network_run(network, SECONDS(20));
	/* The one that was used last, and is no more, had its place while these came. */
	assert_true(mobile_path_count(network, 0, 1) >= PATHS_MAXIMUM - 1);
	for (size_t i = 0; host_path_at(network->hosts[0].host, &network->hosts[1].hit, i, &view); i++)
		assert_string_equal(view.state, "ACTIVE");
	network_set_addresses(network, 1, "203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4");
	network_run(network, SECONDS(20));
	for (size_t i = 0; i < 4; i++) {
		assert_true(mobile_path(network, 0, 1, "", new[i], &view));
		assert_string_equal(view.state, "ACTIVE");
	}
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* ---- where it speaks from ---- */

/* A NAT has another mapping: nobody told, but ESP comes from there. */
static void the_peer_is_heard_elsewhere(void **state)
{
	struct network *network = make();
	struct network_host *self = &network->hosts[0];
	const struct endpoint local = mobile_endpoint("192.0.2.1"), remote = mobile_endpoint("198.51.100.8");

	(void)state;
	peer_has(network, "198.51.100.8");
	host_note_elsewhere(
		self->host, network->now, network_outbound(self, &network->hosts[1].hit)->spi_in, &local, &remote);
	network_drain(network, self);
	/* It is not believed before there is an answer. */
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_run(network, MILLISECONDS(100));
	mobile_goes(network, 0, 1, "192.0.2.1", "198.51.100.8");
	assert_false(mobile_is_unverified(network, 0, 1));
	assert_int_equal(counted(self, HOST_COUNT_LOCATOR_OBSERVED), 1);
	assert_true(network_esp(network, 0, 1));
	network_free(network);
}

/* Someone sends the peer's packets on from an address of his own, and its answers too: as long as the true place
 * answers, that is where we send. */
static void a_relay_on_the_way_is_not_followed(void **state)
{
	struct network *network = make();
	struct network_host *self = &network->hosts[0];
	const struct endpoint local = mobile_endpoint("192.0.2.1"), remote = mobile_endpoint("203.0.113.5");

	(void)state;
	peer_has(network, "192.0.2.2 203.0.113.5");
	host_note_elsewhere(
		self->host, network->now, network_outbound(self, &network->hosts[1].hit)->spi_in, &local, &remote);
	network_drain(network, self);
	network_run(network, SECONDS(3));
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

/* conforms: RFC8046-5.3-9 */
static void an_update_from_an_unlisted_address(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("192.0.2.2");
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set};
	const struct endpoint source = mobile_endpoint("198.51.100.40");
	struct host_path_view view;
	struct flying packet;

	(void)state;
	peer_has(network, "192.0.2.2 198.51.100.40");
	mobile_update(network, 1, 0, &update, &packet);
	mobile_arrive(network, 0, &packet, &source);
	network_run(network, SECONDS(2));
	assert_true(mobile_path(network, 0, 1, "", "198.51.100.40", &view));
	assert_string_equal(view.origin, "observation");
	assert_string_equal(view.state, "ACTIVE");
	/* What is listed is used rather. */
	mobile_goes(network, 0, 1, "192.0.2.1", "192.0.2.2");
	network_free(network);
}

/* A set from an address where the peer has never been: the answer goes there, with a check. */
/* conforms: RFC8046-5.3-1 */
static void the_acknowledgment_carries_the_check(void **state)
{
	struct network *network = make();
	const struct parameter_locator_set set = mobile_set("198.51.100.2");
	const struct update update = {.has_seq = true, .seq = mobile_next_id(network, 1, 0), .set = &set};
	const struct endpoint source = mobile_endpoint("198.51.100.2");
	struct parameter_sequence_list acks;
	struct packet_view view;
	struct catch catch;
	struct flying packet;
	uint32_t seq;

	(void)state;
	mobile_update(network, 1, 0, &update, &packet);
	catch_next(network, &catch, HIP_PACKET_UPDATE);
	mobile_arrive(network, 0, &packet, &source);
	assert_true(catch.full);
	assert_true(endpoint_equal(&catch.packet.destination, &source));
	assert_int_equal(packet_parse(catch.packet.octets, catch.packet.length, &view), HIPHOP_OK);
	assert_int_equal(parameter_sequence_list_read(packet_find(&view, PARAMETER_ACK), &acks), HIPHOP_OK);
	assert_int_equal(acks.count, 1);
	assert_int_equal(acks.items[0], update.seq);
	assert_int_equal(parameter_number_read(packet_find(&view, PARAMETER_SEQ), &seq), HIPHOP_OK);
	assert_non_null(packet_find(&view, PARAMETER_ECHO_REQUEST_SIGNED));
	assert_int_equal(network->hosts[0].out_of_type[HIP_PACKET_UPDATE], 1);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_that_nobody_may_have),
		cmocka_unit_test(locators_that_cannot_be_used),
		cmocka_unit_test(a_listed_locator_is_checked_and_then_used),
		cmocka_unit_test(what_is_not_listed_is_left),
		cmocka_unit_test(what_was_taken_back_stays_away),
		cmocka_unit_test(a_link_of_another_family_makes_paths),
		cmocka_unit_test(the_peer_moves),
		cmocka_unit_test(a_set_without_locators),
		cmocka_unit_test(a_set_that_cannot_be_read_is_not_acknowledged),
		cmocka_unit_test(more_locators_than_anybody_has),
		cmocka_unit_test(locators_of_unknown_types_are_passed_over),
		cmocka_unit_test(a_preferred_locator_of_unknown_type),
		cmocka_unit_test(an_older_set_that_comes_late_changes_nothing),
		cmocka_unit_test(a_set_is_taken_once),
		cmocka_unit_test(a_replay_from_elsewhere_moves_nothing),
		cmocka_unit_test(a_forged_update_changes_nothing),
		cmocka_unit_test(a_locator_expires),
		cmocka_unit_test(the_last_locator_expires),
		cmocka_unit_test(a_set_that_comes_in_time_renews),
		cmocka_unit_test(a_victim_gets_no_more_than_the_attacker_sends),
		cmocka_unit_test(one_update_for_a_victim),
		cmocka_unit_test(a_peer_that_never_rests),
		cmocka_unit_test(esp_from_everywhere),
		cmocka_unit_test(a_full_set_makes_room_for_what_is_listed_now),
		cmocka_unit_test(the_peer_is_heard_elsewhere),
		cmocka_unit_test(a_relay_on_the_way_is_not_followed),
		cmocka_unit_test(an_update_from_an_unlisted_address),
		cmocka_unit_test(the_acknowledgment_carries_the_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
