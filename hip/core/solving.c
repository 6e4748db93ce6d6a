/* SPDX-License-Identifier: MIT */
/*
 * The puzzle of an R1, solved in slices between which everything else goes on (RFC 7401 sections 4.1.2 and 6.8 step
 * 12). The R1 waits with it, already verified; the first slice comes at once, and mostly is enough.
 */
#include "hip/core/state_actions.h"

#include <stdlib.h>
#include <string.h>

/* About three milliseconds of hashing, and then a pause. */
#define SLICE UINT64_C(3000)
#define PAUSE MILLISECONDS(1)
/* A search this much longer than its average happens once in nine million. */
#define PATIENCE UINT64_C(16)

static instant end_of_lifetime(instant now, uint8_t exponent)
{
	/* 2^(exponent - 32) seconds; beyond an hour it makes no difference. */
	if (exponent >= 44)
		return instant_after(now, SECONDS(3600));
	if (exponent >= 32)
		return instant_after(now, SECONDS(1) << (exponent - 32));
	return instant_after(now, SECONDS(1) >> (32 - exponent));
}

/* When I1s went to several addresses, their R1s need not come in the order of their generations: the I2 waits for twice
 * the time that the first took (RFC 7401 sections 4.1.4, 6.8). The puzzle does not. */
static instant others_until(const struct initiation *initiation, instant now)
{
	duration round_trip = now - initiation->sent;

	if (initiation->solving)
		return initiation->solving->not_before;
	if (!initiation->parallel || initiation->tries > 1 || initiation->acceptance)
		return now;
	return instant_after(now, 2 * round_trip < PARALLEL_R1_WAIT ? 2 * round_trip : PARALLEL_R1_WAIT);
}

hiphop_error solving_begin(struct host *host, const struct incoming *in, struct association *association,
	const struct parameter_puzzle *puzzle, uint64_t counter)
{
	struct initiation *initiation = association->initiation;
	const struct puzzle_parties parties = {.rhash = rhash_of_suite(hit_suite(&in->view.sender)),
		.initiator = host->self,
		.responder = in->view.sender};
	struct solving *solving = malloc(sizeof *solving + in->length);
	hiphop_error error = solving ? HIPHOP_OK : HIPHOP_NO_MEMORY;

	if (!error)
		error = puzzle_search_start(&solving->search, &parties, puzzle->difficulty,
			(struct span){puzzle->random_i, puzzle->random_length}, host->random);
	if (error) {
		free(solving);
		return error;
	}
	solving->solved = false;
	solving->not_before = others_until(initiation, in->now);
	solving->counter = counter;
	solving->over = end_of_lifetime(in->now, puzzle->lifetime);
	solving->arrival = *in->arrival;
	solving->overlay = in->overlay;
	solving->length = in->length;
	memcpy(solving->r1, in->octets, in->length);
	solving_free(initiation->solving);
	initiation->solving = solving;
	initiation->offers++;
	return HIPHOP_OK;
}

void solving_free(struct solving *solving)
{
	if (!solving)
		return;
	bytes_wipe(&solving->search, sizeof solving->search);
	host_identity_free(solving->identity);
	free(solving);
}

static bool is_over(const struct solving *solving, instant now)
{
	return now >= solving->over || solving->search.tries >= PATIENCE << solving->search.difficulty;
}

static void solving_drop(struct association *association)
{
	solving_free(association->initiation->solving);
	association->initiation->solving = NULL;
}

/* The R1 is given up; another try may bring another. */
static void give_up(struct host *host, instant now, struct association *association)
{
	solving_drop(association);
	count(host, HOST_COUNT_DROP_PUZZLE_TOO_HARD);
	initiator_timer(host, now, association);
}

void solving_run(struct host *host, instant now, struct association *association)
{
	struct solving *solving = association->initiation->solving;
	hiphop_error error = HIPHOP_LIMITED;

	if (is_over(solving, now)) {
		give_up(host, now, association);
		return;
	}
	/* One slice for all exchanges in one call of the host. */
	if (solving->solved)
		error = HIPHOP_OK;
	else if (host->sliced != now)
		error = puzzle_search_run(&solving->search, SLICE);
	host->sliced = now;
	solving->solved = !error;
	if (!error && now < solving->not_before) {
		association_set_timer(host, association, TIMER_EXCHANGE, solving->not_before);
	} else if (!error) {
		r1_solved(host, now, association);
	} else if (error == HIPHOP_LIMITED) {
		association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, PAUSE));
	} else {
		solving_drop(association);
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		association_set_timer(host, association, TIMER_EXCHANGE, instant_after(now, I1_FIRST_TIMEOUT));
	}
}
