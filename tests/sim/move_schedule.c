/* SPDX-License-Identifier: MIT */
#include "tests/sim/move_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The most that happens at once, and how long all of it may take. */
#define STORIES_MOST 6
#define ALL_WITHIN   SECONDS(20)
/* Both ends have found a path that works in this time after everything, and keep it for so long. */
#define CONVERGE_WITHIN SECONDS(10)
/* So much when there was no path for so long that the association was lost: base exchanges through the overlay, with
 * their timers, at up to a fifth of loss on each hop. */
#define ASSOCIATE_WITHIN SECONDS(40)
#define KEEP_FOR         SECONDS(5)

/* ---- drawing ---- */

struct drawing {
	struct move_schedule *schedule;
	struct seeded_random generator;
	struct random_source random;
};

static uint32_t below(struct drawing *drawing, uint32_t bound)
{
	return random_below(&drawing->random, bound);
}

/* From nothing to 5 s, each order of magnitude as likely. */
static duration draw_length(struct drawing *drawing)
{
	static const duration most[] = {0, MILLISECONDS(10), MILLISECONDS(100), SECONDS(1), SECONDS(5)};
	duration limit = most[below(drawing, sizeof(most) / sizeof(most[0]))];

	return limit ? random_u64(&drawing->random) % limit : 0;
}

/* Kept in order of time; of two at one time the first drawn comes first. */
static void add(struct drawing *drawing, const struct step *step)
{
	struct move_schedule *schedule = drawing->schedule;
	size_t place = schedule->count;

	if (place == SCHEDULE_STEPS)
		return;
	while (place > 0 && schedule->steps[place - 1].at > step->at) {
		schedule->steps[place] = schedule->steps[place - 1];
		place--;
	}
	schedule->steps[place] = *step;
	schedule->count++;
}

static void then(struct drawing *drawing, struct step *step, enum step_kind kind, duration later)
{
	step->at += later;
	step->kind = (uint8_t)kind;
	add(drawing, step);
}

/* What happens together. Each gets a step with time, host, link and flag drawn. */
typedef void story(struct drawing *drawing, struct step *step);

static void move_at_once(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_ADDRESS, 0);
}

static void break_before_make(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_DOWN, 0);
	then(drawing, step, STEP_ADDRESS, draw_length(drawing));
	then(drawing, step, STEP_UP, 0);
}

static void make_before_break(struct drawing *drawing, struct step *step)
{
	step->value = (uint16_t)below(drawing, 3);
	then(drawing, step, STEP_ADD, 0);
	then(drawing, step, STEP_REMOVE, draw_length(drawing));
}

static void add_link(struct drawing *drawing, struct step *step)
{
	step->value = (uint16_t)below(drawing, 3);
	then(drawing, step, STEP_ADD, 0);
}

static void down_and_up(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_DOWN, 0);
	then(drawing, step, STEP_UP, draw_length(drawing));
}

static void silence_and_heal(struct drawing *drawing, struct step *step)
{
	step->value = (uint16_t)(1 + below(drawing, 3));
	then(drawing, step, STEP_SILENCE, 0);
	then(drawing, step, STEP_HEAL, draw_length(drawing));
}

static void nat(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_NAT, 0);
	if (below(drawing, 2))
		then(drawing, step, STEP_NAT, draw_length(drawing));
}

static void rebind(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_REBIND, 0);
}

static void both_move(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_ADDRESS, 0);
	step->host = ALICE + BOB - step->host;
	then(drawing, step, STEP_ADDRESS, below(drawing, 2) ? 0 : MILLISECONDS(below(drawing, 30)));
}

static void sleep_a_while(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_SUSPEND, 0);
	then(drawing, step, STEP_RESUME, draw_length(drawing) * (below(drawing, 4) ? 1 : 20));
}

static void weather(struct drawing *drawing, struct step *step)
{
	step->value = (uint16_t)below(drawing, 200);
	then(drawing, step, STEP_LOSS, 0);
	step->value = (uint16_t)below(drawing, 60);
	then(drawing, step, STEP_JITTER, 0);
}

static void claim(struct drawing *drawing, struct step *step)
{
	step->value = (uint16_t)below(drawing, 3);
	then(drawing, step, STEP_CLAIM, 0);
	then(drawing, step, STEP_UNCLAIM, draw_length(drawing) * 2);
}

static void pause_a_while(struct drawing *drawing, struct step *step)
{
	then(drawing, step, STEP_PAUSE, 0);
	then(drawing, step, STEP_TALK, draw_length(drawing) * 2);
}

static story *const stories[] = {
	move_at_once,
	break_before_make,
	make_before_break,
	add_link,
	down_and_up,
	silence_and_heal,
	nat,
	rebind,
	both_move,
	sleep_a_while,
	weather,
	claim,
	pause_a_while,
};

void move_schedule_draw(struct move_schedule *schedule, uint64_t seed)
{
	static const duration round_trips[] = {MILLISECONDS(2), MILLISECONDS(20), MILLISECONDS(50), MILLISECONDS(300)};
	struct drawing drawing = {.schedule = schedule};
	uint32_t count;
	duration at = 0;

	memset(schedule, 0, sizeof(*schedule));
	/* Other numbers than those of the simulation with this seed. */
	drawing.random = seeded_random_start(&drawing.generator, seed ^ UINT64_C(0x6d6f766573));
	schedule->seed = seed;
	schedule->round_trip = round_trips[below(&drawing, 4)];
	schedule->filter = (nat_filter)below(&drawing, 3);
	schedule->ipv4 = below(&drawing, 3) == 0;
	schedule->kept = (uint16_t)below(&drawing, 1 << (2 * SIMULATION_LINKS));
	count = 1 + below(&drawing, STORIES_MOST);
	for (uint32_t i = 0; i < count; i++) {
		struct step step = {.at = at,
			.host = (uint8_t)(ALICE + below(&drawing, 2)),
			.link = (uint8_t)below(&drawing, SIMULATION_LINKS),
			.flag = below(&drawing, 3) == 0};

		stories[below(&drawing, sizeof(stories) / sizeof(stories[0]))](&drawing, &step);
		at += draw_length(&drawing);
		if (at > ALL_WITHIN)
			at = ALL_WITHIN;
	}
}

/* ---- doing ---- */

#define NO_LINK SIMULATION_LINKS

static bool is_own_link(const struct simulation_link *link)
{
	return link->used && !link->claimed;
}

/* NO_LINK: the host has none. */
static size_t link_of(const struct moves *moves, const struct step *step)
{
	const struct simulation_link *links = moves->simulation.hosts[step->host].links;
	size_t count = 0, skip;

	for (size_t i = 0; i < SIMULATION_LINKS; i++)
		count += is_own_link(&links[i]);
	skip = count ? step->link % count : 0;
	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		if (is_own_link(&links[i]) && skip-- == 0)
			return i;
	}
	return NO_LINK;
}

static void do_down(struct moves *moves, const struct step *step, size_t link)
{
	simulation_link_set_down(&moves->simulation, step->host, link, true);
}

static void do_up(struct moves *moves, const struct step *step, size_t link)
{
	simulation_link_set_down(&moves->simulation, step->host, link, false);
}

static void do_address(struct moves *moves, const struct step *step, size_t link)
{
	/* Behind a NAT there is one family. */
	bool in_nat = moves->simulation.hosts[step->host].links[link].nat != 0;

	moves_change(moves, step->host, link, in_nat || step->flag);
}

static bool has_room(const struct moves *moves, size_t host)
{
	size_t used = 0;

	for (size_t i = 0; i < SIMULATION_LINKS; i++)
		used += moves->simulation.hosts[host].links[i].used;
	return used < SIMULATION_LINKS;
}

static void do_add(struct moves *moves, const struct step *step, size_t link)
{
	struct simulation_link added = {.known = {.preference = (uint8_t)step->value}};

	(void)link;
	if (!has_room(moves, step->host))
		return;
	added.known.address = moves_new_address(moves, step->host, step->flag);
	moves_add_link(moves, step->host, "lte", added);
}

static void do_remove(struct moves *moves, const struct step *step, size_t link)
{
	simulation_link_remove(&moves->simulation, step->host, link);
}

static void do_silence(struct moves *moves, const struct step *step, size_t link)
{
	struct simulation_link *silenced = &moves->simulation.hosts[step->host].links[link];

	silenced->silent_in = step->value & 1;
	silenced->silent_out = step->value & 2;
}

static void do_heal(struct moves *moves, const struct step *step, size_t link)
{
	simulation_link_set_silent(&moves->simulation, step->host, link, false);
}

/* The NATs of alice and bob, in this order, are of IPv4. */
static void do_nat(struct moves *moves, const struct step *step, size_t link)
{
	const struct simulation_link *moved = &moves->simulation.hosts[step->host].links[link];
	struct address inner = moves_new_address(moves, step->host, true);

	simulation_link_set_nat(&moves->simulation, step->host, link, moved->nat ? 0 : step->host, &inner);
}

static void do_rebind(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	simulation_nat_rebind(&moves->simulation, step->host);
}

static void do_suspend(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	simulation_suspend(&moves->simulation, step->host);
}

static void do_resume(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	if (moves->simulation.hosts[step->host].suspended)
		simulation_resume(&moves->simulation, step->host);
}

static void do_loss(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	moves->simulation.loss_per_mille = step->value;
}

static void do_jitter(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	moves->simulation.jitter = MILLISECONDS(step->value);
}

static void do_claim(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	if (has_room(moves, step->host))
		moves_claim(moves, step->host, moves_new_victim(moves, step->host, step->flag),
			(link_preference)step->value);
}

static void do_unclaim(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		const struct simulation_link *claimed = &moves->simulation.hosts[step->host].links[i];

		if (claimed->used && claimed->claimed)
			simulation_link_remove(&moves->simulation, step->host, i);
	}
}

static size_t stream_from(size_t host)
{
	return host == ALICE ? TO_BOB : TO_ALICE;
}

static void do_pause(struct moves *moves, const struct step *step, size_t link)
{
	(void)link;
	simulation_stream_stop(&moves->simulation, stream_from(step->host));
}

static void do_talk(struct moves *moves, const struct step *step, size_t link)
{
	struct simulation_stream *stream = &moves->simulation.streams[stream_from(step->host)];

	(void)link;
	if (stream->next == INSTANT_NEVER)
		stream->next = moves->simulation.now;
}

static const struct {
	const char *name;
	void (*run)(struct moves *moves, const struct step *step, size_t link);
	bool needs_link;
} kinds[STEP_KINDS] = {
	[STEP_DOWN] = {"down", do_down, true},
	[STEP_UP] = {"up", do_up, true},
	[STEP_ADDRESS] = {"address", do_address, true},
	[STEP_ADD] = {"add", do_add, false},
	[STEP_REMOVE] = {"remove", do_remove, true},
	[STEP_SILENCE] = {"silence", do_silence, true},
	[STEP_HEAL] = {"heal", do_heal, true},
	[STEP_NAT] = {"nat", do_nat, true},
	[STEP_REBIND] = {"rebind", do_rebind, false},
	[STEP_SUSPEND] = {"suspend", do_suspend, false},
	[STEP_RESUME] = {"resume", do_resume, false},
	[STEP_LOSS] = {"loss", do_loss, false},
	[STEP_JITTER] = {"jitter", do_jitter, false},
	[STEP_CLAIM] = {"claim", do_claim, false},
	[STEP_UNCLAIM] = {"unclaim", do_unclaim, false},
	[STEP_PAUSE] = {"pause", do_pause, false},
	[STEP_TALK] = {"talk", do_talk, false},
};

static void do_step(struct moves *moves, const struct step *step)
{
	size_t link = link_of(moves, step);

	if (link != NO_LINK || !kinds[step->kind].needs_link)
		kinds[step->kind].run(moves, step, link);
}

/* ---- the end of it: one pair of links works ---- */

static void heal_others(struct moves *moves, size_t host, uint16_t kept)
{
	struct simulation_link *links = moves->simulation.hosts[host].links;

	for (size_t i = 0; i < SIMULATION_LINKS; i++) {
		if (is_own_link(&links[i]) && (kept >> i & 1)) {
			simulation_link_set_down(&moves->simulation, host, i, false);
			simulation_link_set_silent(&moves->simulation, host, i, false);
		}
	}
}

static void make_work(struct moves *moves, size_t host, const struct move_schedule *schedule)
{
	const struct step any = {.host = (uint8_t)host, .link = (uint8_t)(schedule->kept >> 2), .flag = schedule->ipv4};
	size_t link = link_of(moves, &any);
	struct address address;

	do_unclaim(moves, &any, link);
	if (link == NO_LINK) {
		do_add(moves, &any, link);
		link = link_of(moves, &any);
	}
	/* One of the two stays in its NAT. */
	if (moves->simulation.hosts[host].links[link].nat && (host == BOB || !schedule->ipv4)) {
		address = moves_new_address(moves, host, schedule->ipv4);
		simulation_link_set_nat(&moves->simulation, host, link, 0, &address);
	} else if (address_is_ipv4(&moves->simulation.hosts[host].links[link].known.address) != schedule->ipv4) {
		moves_change(moves, host, link, schedule->ipv4);
	}
	simulation_link_set_down(&moves->simulation, host, link, false);
	simulation_link_set_silent(&moves->simulation, host, link, false);
	heal_others(moves, host, (uint16_t)(schedule->kept >> (host == BOB ? SIMULATION_LINKS : 0)));
	do_resume(moves, &any, link);
	do_talk(moves, &any, link);
}

static void wrong(struct move_outcome *outcome, enum move_trouble trouble, const char *what)
{
	if (outcome->trouble)
		return;
	outcome->trouble = trouble;
	snprintf(outcome->what, sizeof(outcome->what), "%s", what);
}

static bool has_sas(struct moves *moves, size_t host, size_t peer)
{
	struct host_association_view view;

	return moves_association(moves, host, peer, &view) && view.usable;
}

static void judge_end(struct moves *moves, duration limit, struct move_outcome *outcome)
{
	const char *beyond;

	if (!moves_converge(moves, limit, &outcome->took))
		wrong(outcome, MOVE_LOST, "the ends do not find each other");
	else if (!moves_flows(moves, KEEP_FOR, 50))
		wrong(outcome, MOVE_LOST_AGAIN, "the ends have found each other and lose each other again");
	if (moves->verdict[0])
		wrong(outcome, MOVE_JUDGED, moves->verdict);
	beyond = moves_beyond_bounds(moves);
	if (beyond)
		wrong(outcome, MOVE_GREW, beyond);
	outcome->handovers = moves_handovers(moves);
}

static uint32_t spi_of(struct moves *moves)
{
	struct host_association_view view;

	return moves_association(moves, ALICE, BOB, &view) ? view.spi_in : 0;
}

void move_schedule_continue(const struct move_schedule *schedule, struct moves *moves, struct move_outcome *outcome)
{
	instant began = moves->simulation.now;
	uint32_t spi = spi_of(moves);
	duration limit;

	memset(outcome, 0, sizeof(*outcome));
	for (size_t i = 0; i < schedule->count; i++) {
		const struct step *step = &schedule->steps[i];

		if (began + step->at > moves->simulation.now)
			simulation_run(&moves->simulation, began + step->at - moves->simulation.now);
		do_step(moves, step);
	}
	limit = has_sas(moves, ALICE, BOB) && has_sas(moves, BOB, ALICE) ? CONVERGE_WITHIN : ASSOCIATE_WITHIN;
	make_work(moves, ALICE, schedule);
	make_work(moves, BOB, schedule);
	judge_end(moves, limit, outcome);
	outcome->same = spi && spi_of(moves) == spi;
}

void move_schedule_run(const struct move_schedule *schedule, struct move_outcome *outcome)
{
	const struct moves_setup setup = {
		.seed = schedule->seed, .round_trip = schedule->round_trip, .interval = MILLISECONDS(20)};
	struct moves *moves = malloc(sizeof(*moves));

	assert_non_null(moves);
	moves_start(moves, &setup);
	assert_int_equal(moves_add_nat(moves, ALICE, true, schedule->filter, SECONDS(60)), ALICE);
	assert_int_equal(moves_add_nat(moves, BOB, true, schedule->filter, SECONDS(60)), BOB);
	move_schedule_continue(schedule, moves, outcome);
	moves_free(moves);
	free(moves);
}

/* ---- showing ---- */

void move_schedule_shorten(struct move_schedule *schedule, struct move_outcome *outcome)
{
	for (size_t i = schedule->count; i-- > 0;) {
		struct move_schedule shorter = *schedule;
		struct move_outcome other;

		shorter.count--;
		memmove(&shorter.steps[i], &shorter.steps[i + 1], (shorter.count - i) * sizeof(shorter.steps[0]));
		move_schedule_run(&shorter, &other);
		if (other.trouble != outcome->trouble)
			continue;
		*schedule = shorter;
		*outcome = other;
	}
}

void move_schedule_print(const struct move_schedule *schedule, FILE *file)
{
	static const char *const names[] = {[ALICE] = "alice", [BOB] = "bob"};

	fprintf(file, "round trip %.0f ms, filter %d, in the end IPv%d, kept %x\n", (double)schedule->round_trip / 1e6,
		(int)schedule->filter, schedule->ipv4 ? 4 : 6, (unsigned)schedule->kept);
	for (size_t i = 0; i < schedule->count; i++) {
		const struct step *step = &schedule->steps[i];

		fprintf(file, "%8.3f s  %-5s %-8s link %u, flag %d, value %u\n", (double)step->at / 1e9,
			names[step->host], kinds[step->kind].name, step->link, step->flag, step->value);
	}
}
