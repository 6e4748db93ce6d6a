/* SPDX-License-Identifier: MIT */
/*
 * The R1s of the pool are made here, one public-key operation or two a tick, so that neither an I1 nor the data behind
 * it waits for them: an R1 of a group that somebody asks for the first time, R1s of the present generation when the
 * difficulty has changed, and the whole next generation when the time of the present one is over (RFC 7401 section
 * 6.7.1).
 */
#include "hip/core/host_internal.h"

#include <string.h>

/* Between two pieces of work, so that others come in between. */
#define PAUSE        MILLISECONDS(1)
#define PAUSE_FAILED SECONDS(1)
#define NO_WORK      INSTANT_NEVER

struct work {
	struct r1_generation *generation; /* NULL: the next generation is ready */
	size_t place;
};

void r1_preparation_ask(struct host *host, const struct incoming *in, size_t place)
{
	struct waiting_i1 *waiting = &host->waiting[place];

	/* Whoever came first; the others come again. */
	if (waiting->length || in->length > sizeof waiting->octets) {
		count(host, HOST_COUNT_DROP_I1_RATE);
		return;
	}
	waiting->arrival = *in->arrival;
	memcpy(waiting->octets, in->octets, in->length);
	waiting->length = in->length;
	host->r1_work_at = instant_earlier(host->r1_work_at, in->now);
}

void r1_preparation_hurry(struct host *host, instant now)
{
	host->r1_work_at = instant_earlier(host->r1_work_at, now);
}

static bool lacks(const struct host *host, const struct r1_generation *generation, size_t place)
{
	const struct r1_entry *entry = generation->entries[place];

	return !entry || !entry->r1[host->difficulty.level].length;
}

/* The first group, and those that were asked for in the present generation. */
static bool is_in_use(struct host *host, size_t place)
{
	const struct r1_entry *entry = r1_pool_current(&host->r1_pool)->entries[place];

	return !place || host->waiting[place].length || (entry && entry->offered);
}

static bool find_lack(struct host *host, struct r1_generation *generation, struct work *work)
{
	for (size_t place = 0; place < host->configuration.dh_group_count; place++) {
		if (is_in_use(host, place) && lacks(host, generation, place)) {
			*work = (struct work){.generation = generation, .place = place};
			return true;
		}
	}
	return false;
}

static bool find_work(struct host *host, instant now, struct work *work)
{
	if (find_lack(host, r1_pool_current(&host->r1_pool), work))
		return true;
	if (now < r1_pool_due(&host->r1_pool))
		return false;
	if (!find_lack(host, r1_pool_next(&host->r1_pool), work))
		*work = (struct work){.generation = NULL};
	return true;
}

static void answer_waiting(struct host *host, instant now, size_t place)
{
	struct waiting_i1 *waiting = &host->waiting[place];

	if (waiting->length)
		i1_answer_waiting(host, now, waiting);
	waiting->length = 0;
}

static hiphop_error carry_out(struct host *host, instant now, const struct work *work)
{
	hiphop_error error;

	if (!work->generation) {
		r1_pool_turn(&host->r1_pool, now);
		return HIPHOP_OK;
	}
	error = r1_entry_prepare(host, work->generation, work->place, host->difficulty.level);
	if (work->generation != r1_pool_current(&host->r1_pool))
		return error;
	if (error)
		host->waiting[work->place].length = 0;
	else
		answer_waiting(host, now, work->place);
	return error;
}

void r1_preparation_tick(struct host *host, instant now)
{
	hiphop_error error;
	struct work work;

	if (now < r1_preparation_next_wake(host))
		return;
	host->r1_work_at = NO_WORK;
	if (!find_work(host, now, &work))
		return;
	error = carry_out(host, now, &work);
	if (error)
		host->r1_work_at = instant_after(now, PAUSE_FAILED);
	else if (find_work(host, now, &work))
		host->r1_work_at = instant_after(now, PAUSE);
}

instant r1_preparation_next_wake(const struct host *host)
{
	return host->r1_work_at != NO_WORK ? host->r1_work_at : r1_pool_due(&host->r1_pool);
}
