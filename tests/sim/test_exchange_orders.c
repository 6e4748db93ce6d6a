/* SPDX-License-Identifier: MIT */
/*
 * Two hosts begin base exchanges with each other, either first, the other at any moment of it: up to eight packets
 * cross (seven without a fault: of two I2s one always loses). Every order in which they can arrive is played, and each
 * order again with every single loss and duplication, with one timer that fires before what is on its way arrives, and
 * with the state of one host lost at every step. A run is repeated from the start for each next choice, so every
 * schedule is one of real hosts. However it went: in the end both have one association with the same keys.
 */
#include "tests/unit/hip/core/host_network.h"

#include "hip/core/host_internal.h"

/* Decisions in one run at most; a run that needs more does not come to an end. */
#define DEPTH_MAXIMUM 96
/* What two hosts can have in flight at once. */
#define FLYING_MAXIMUM 24
#define STATES_MAXIMUM (1u << 18)
/* The latest that anything may still be going on: all I1s and I2s have had their tries. */
#define SETTLED_WITHIN SECONDS(60)
/* R2-SENT becomes ESTABLISHED, and retired SAs are gone. */
#define QUIET SECONDS(14)

/* The sanitizers are slow: then states that were reached before are not branched from again. */
#ifdef __SANITIZE_ADDRESS__
#define MERGES true
#else
#define MERGES false
#endif

/* What the schedule may do besides delivering, once in a run. */
typedef enum { FAULT_LOSS = 1, FAULT_DUPLICATION = 2, FAULT_DELAY = 4, FAULT_RESTART = 8 } fault_kind;

/* ---- the search ---- */

struct choices {
	unsigned taken[DEPTH_MAXIMUM], open[DEPTH_MAXIMUM];
	size_t depth, known;
};

struct search {
	struct choices choices;
	unsigned faults; /* a set of fault_kind */
	bool renews;     /* they have an association, and both move: each makes new keys */
	bool merges;     /* a state that was seen before is not branched from again */
	unsigned long runs, deliveries;
	unsigned most; /* packets of base exchanges in one run */
	duration slowest;
	size_t state_count;
	uint64_t states[STATES_MAXIMUM]; /* hashes; 0: free */
};

static unsigned choose(struct choices *choices, unsigned options, bool branches)
{
	size_t place = choices->depth++;

	assert_true(place < DEPTH_MAXIMUM);
	if (place >= choices->known) {
		choices->known = place + 1;
		choices->taken[place] = 0;
		choices->open[place] = branches ? options : 1;
	}
	return choices->taken[place];
}

/* The next schedule, depth first; false when all have been played. */
static bool next_schedule(struct choices *choices)
{
	while (choices->known > 0) {
		size_t last = choices->known - 1;

		if (++choices->taken[last] < choices->open[last])
			break;
		choices->known--;
	}
	choices->depth = 0;
	return choices->known > 0;
}

/* ---- what is seen from outside, as a number ---- */

struct run {
	struct network *network;
	struct search *search;
	unsigned fault_left; /* a set of fault_kind */
	bool begun[2];
	uint32_t spis[8];  /* in order of appearance, so that random numbers do not make states differ */
	uint64_t sent[64]; /* hashes of packets, likewise */
	size_t spi_count, sent_count;
	size_t wanting; /* after a restart: who still has data to send; 2: both */
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash ^= value;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t name_of_spi(struct run *run, uint32_t spi)
{
	size_t place = 0;

	while (place < run->spi_count && run->spis[place] != spi)
		place++;
	if (place == run->spi_count && place < sizeof run->spis / sizeof run->spis[0])
		run->spis[run->spi_count++] = spi;
	return spi ? place + 1 : 0;
}

static uint64_t name_of_packet(struct run *run, const struct flying *packet)
{
	uint64_t hash = packet->from + 1;
	size_t place = 0;

	for (size_t i = 0; i < packet->length; i++)
		hash = mix(hash, packet->octets[i]);
	while (place < run->sent_count && run->sent[place] != hash)
		place++;
	if (place == run->sent_count && place < sizeof run->sent / sizeof run->sent[0])
		run->sent[run->sent_count++] = hash;
	return mix(place, flying_type(packet));
}

static uint64_t name_of_host(struct run *run, size_t index)
{
	struct host_association_view view;
	uint64_t hash = index + 1;

	if (!host_association_find(run->network->hosts[index].host, &run->network->hosts[1 - index].hit, &view))
		return hash;
	hash = mix(hash, view.state);
	hash = mix(hash, (uint64_t)view.usable << 1 | view.initiator);
	hash = mix(hash, name_of_spi(run, view.spi_in));
	return mix(hash, name_of_spi(run, view.spi_out));
}

/* True when it is a new one. */
static bool note_state(struct run *run)
{
	struct search *search = run->search;
	uint64_t hash = mix(mix(name_of_host(run, 0), name_of_host(run, 1)), run->fault_left);
	uint64_t packets = (uint64_t)run->begun[0] << 1 | run->begun[1];
	size_t place;

	for (const struct flying *packet = run->network->flying; packet; packet = packet->next)
		packets += mix(1, name_of_packet(run, packet));
	hash = mix(hash, packets) | 1;
	for (place = hash % STATES_MAXIMUM; search->states[place]; place = (place + 1) % STATES_MAXIMUM) {
		if (search->states[place] == hash)
			return false;
	}
	search->states[place] = hash;
	search->state_count++;
	assert_true(search->state_count < STATES_MAXIMUM / 2);
	return true;
}

/* ---- one run ---- */

static struct flying **link_at(struct network *network, unsigned place)
{
	struct flying **link = &network->flying;

	while (place--)
		link = &(*link)->next;
	return link;
}

static unsigned flying_count(const struct network *network)
{
	unsigned count = 0;

	for (const struct flying *packet = network->flying; packet; packet = packet->next)
		count++;
	assert_true(count <= FLYING_MAXIMUM);
	return count;
}

static struct flying *take(struct network *network, unsigned place)
{
	struct flying **link = link_at(network, place);
	struct flying *packet = *link;

	*link = packet->next;
	return packet;
}

static void deliver(struct run *run, struct flying *packet)
{
	run->network->now += MILLISECONDS(1);
	run->search->deliveries++;
	network_arrive(run->network, packet);
	free(packet);
}

static void duplicate(struct run *run, unsigned place)
{
	struct flying *packet = *link_at(run->network, place);
	struct flying *copy = malloc(sizeof *copy);

	assert_non_null(copy);
	*copy = *packet;
	copy->next = packet->next;
	packet->next = copy;
	deliver(run, take(run->network, place));
}

static void tick(struct run *run)
{
	struct network *network = run->network;
	instant next = INSTANT_NEVER;

	for (size_t i = 0; i < 2; i++)
		next = instant_earlier(next, host_next_wake(network->hosts[i].host));
	assert_true(next != INSTANT_NEVER);
	if (next > network->now)
		network->now = next;
	for (size_t i = 0; i < 2; i++) {
		host_tick(network->hosts[i].host, network->now);
		network_drain(network, &network->hosts[i]);
	}
}

static void restart(struct run *run, size_t index, size_t wanting)
{
	struct network *network = run->network;

	network_crash(network, index);
	network->hosts[index].configuration.r1_generation = 1000;
	network_boot(network, index);
	network_introduce(network, index, 1 - index);
	run->wanting = wanting;
	if (wanting == index || wanting == 2)
		network_connect(network, index, 1 - index);
}

static bool is_exchanging(const struct network *network, size_t index)
{
	const struct association *association =
		association_find(network->hosts[index].host, &network->hosts[1 - index].hit);

	return association && association->initiation;
}

/* As a host does that nobody answers. */
static void renew(struct network *network, size_t index)
{
	struct network_host *self = &network->hosts[index];

	assert_int_equal(
		initiator_begin(self->host, network->now, association_find(self->host, &network->hosts[1 - index].hit)),
		HIPHOP_OK);
	network_drain(network, self);
}

static void begin(struct run *run, size_t index)
{
	run->begun[index] = true;
	if (run->search->renews)
		renew(run->network, index);
	else
		network_connect(run->network, index, 1 - index);
}

/* Packets to where nobody is (any more, or yet) need no order. */
static void lose_the_undeliverable(struct network *network)
{
	struct flying **link = &network->flying;

	while (*link) {
		struct flying *packet = *link;

		if (address_equal(&packet->destination.address, &network->hosts[1 - packet->from].address)) {
			link = &packet->next;
			continue;
		}
		*link = packet->next;
		free(packet);
	}
}

static void associate_before(struct network *network)
{
	network_associate(network, 0, 1);
	network_run(network, SECONDS(5));
}

/* The options at a step: deliver each packet; begin; then, when there is still a fault to come, those. */
static void step(struct run *run, bool branches)
{
	unsigned packets = flying_count(run->network), beginners = !run->begun[0] + !run->begun[1];
	bool loss = run->fault_left & FAULT_LOSS, duplication = run->fault_left & FAULT_DUPLICATION;
	bool delay = packets && (run->fault_left & FAULT_DELAY);
	bool loses_state = packets && (run->fault_left & FAULT_RESTART);
	unsigned options = packets * (1u + loss + duplication) + beginners + delay + (loses_state ? 4 : 0);
	unsigned choice = options > 1 ? choose(&run->search->choices, options, branches) : 0;

	if (choice < packets) {
		deliver(run, take(run->network, choice));
		return;
	}
	choice -= packets;
	if (choice < beginners) {
		begin(run, choice == 0 && !run->begun[0] ? 0 : 1);
		return;
	}
	choice += packets - beginners;
	run->fault_left = 0;
	choice -= packets;
	if (loss && choice < packets) {
		free(take(run->network, choice));
		return;
	}
	choice -= loss ? packets : 0;
	if (duplication && choice < packets) {
		duplicate(run, choice);
		return;
	}
	choice -= duplication ? packets : 0;
	if (delay && choice-- == 0)
		tick(run);
	else
		restart(run, choice % 2, choice / 2 ? choice % 2 : 1 - choice % 2);
}

static bool is_usable(const struct run *run, size_t index)
{
	struct host_association_view view;

	return host_association_find(run->network->hosts[index].host, &run->network->hosts[1 - index].hit, &view) &&
	       view.usable;
}

static bool is_settled(const struct run *run)
{
	if (run->network->flying || !run->begun[0] || !run->begun[1])
		return false;
	return is_usable(run, 0) && is_usable(run, 1) && !is_exchanging(run->network, 0) &&
	       !is_exchanging(run->network, 1);
}

static void check_settled(struct run *run)
{
	struct network *network = run->network;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(network_state(network, i, 1 - i), HOST_ESTABLISHED);
		assert_int_equal(network_sa_count(&network->hosts[i]), 1);
		assert_int_equal(host_association_count(network->hosts[i].host), 1);
		assert_true(network_esp(network, i, 1 - i));
		assert_int_equal(network->hosts[i].failed, 0);
	}
}

/* Users go on sending: whoever has an association sends by it, who has none and wants one begins. */
static void use(struct run *run, duration span)
{
	struct network *network = run->network;
	instant end = network->now + span;

	while (network->now < end) {
		for (size_t i = 0; i < 2; i++) {
			if (is_usable(run, i))
				network_esp(network, i, 1 - i);
			else if (run->wanting == i || run->wanting == 2)
				host_connect(network->hosts[i].host, network->now, &network->hosts[1 - i].hit);
			network_drain(network, &network->hosts[i]);
		}
		network_run(network, MILLISECONDS(200));
	}
}

static void count_packets(const struct run *run)
{
	static const uint8_t types[] = {HIP_PACKET_I1, HIP_PACKET_R1, HIP_PACKET_I2, HIP_PACKET_R2};
	unsigned sum = 0;

	for (size_t host = 0; host < 2; host++) {
		for (size_t i = 0; i < sizeof types; i++)
			sum += run->network->hosts[host].out_of_type[types[i]];
	}
	if (sum > run->search->most)
		run->search->most = sum;
}

static void play(struct search *search)
{
	struct run run = {.network = network_make(2, TRANSPORT_UDP), .search = search, .fault_left = search->faults};
	struct network *network = run.network;
	instant began;

	run.wanting = 2;
	network_introduce(network, 0, 1);
	network_introduce(network, 1, 0);
	if (search->renews)
		associate_before(network);
	began = network->now;
	while (!is_settled(&run)) {
		bool is_new;

		lose_the_undeliverable(network);
		is_new = note_state(&run);

		if (network->flying || !run.begun[0] || !run.begun[1])
			step(&run, is_new || !search->merges);
		else if ((search->faults & FAULT_RESTART) && !run.fault_left)
			break;
		else
			tick(&run);
		assert_true(network->now < began + SETTLED_WITHIN);
	}
	count_packets(&run);
	if (network->now - began > search->slowest)
		search->slowest = network->now - began;
	if (search->faults & FAULT_RESTART) {
		use(&run, SECONDS(20));
		run.wanting = 3;
		network_run(network, SECONDS(5));
		for (size_t i = 0; i < 2; i++)
			network->hosts[i].failed = 0;
	} else {
		/* What both have must fit at once, not after somebody has noticed. */
		assert_true(network_esp(network, 0, 1) && network_esp(network, 1, 0));
		network_run(network, QUIET);
	}
	check_settled(&run);
	network_free(network);
}

static void explore(const char *name, bool renews, unsigned faults, bool merges)
{
	struct search *search = calloc(1, sizeof *search);

	assert_non_null(search);
	search->renews = renews;
	search->faults = faults;
	search->merges = merges;
	do {
		play(search);
		search->runs++;
	} while (next_schedule(&search->choices));
	print_message("%s: %lu schedules, %zu distinct states, %lu deliveries of up to %u packets, settled within %lld "
		      "ms\n",
		name, search->runs, search->state_count, search->deliveries, search->most,
		(long long)(search->slowest / 1000000));
	free(search);
}

/* conforms: RFC7401-6.7-7 RFC7401-6.7-8 RFC7401-6.9-5 RFC7401-6.10-1 */
static void every_order(void **state)
{
	(void)state;
	explore("every order", false, 0, false);
}

/* conforms: RFC7401-6.6-4 RFC7401-6.8-22 */
static void every_loss(void **state)
{
	(void)state;
	explore("every order and one loss", false, FAULT_LOSS, MERGES);
}

static void every_duplication(void **state)
{
	(void)state;
	explore("every order and one duplication", false, FAULT_DUPLICATION, MERGES);
}

static void every_delay(void **state)
{
	(void)state;
	explore("every order and one delay past a timer", false, FAULT_DELAY, true);
}

static void every_restart(void **state)
{
	(void)state;
	explore("every order and one loss of state", false, FAULT_RESTART, true);
}

static void every_renewal(void **state)
{
	(void)state;
	explore("every order of two renewals", true, 0, MERGES);
	explore("every order of two renewals and one loss", true, FAULT_LOSS, true);
	explore("every order of two renewals and one duplication", true, FAULT_DUPLICATION, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order),
		cmocka_unit_test(every_loss),
		cmocka_unit_test(every_duplication),
		cmocka_unit_test(every_delay),
		cmocka_unit_test(every_restart),
		cmocka_unit_test(every_renewal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
