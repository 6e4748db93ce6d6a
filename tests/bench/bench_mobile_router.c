/* SPDX-License-Identifier: MIT */
/**
 * A mobile router moves with a thousand associations of hosts on board, on virtual time with 50 ms of round trip: how
 * long until each peer has verified the new place, and what it costs on the wire and in computing.
 */
#include <stdlib.h>

#define WORLD_REQUIRE(condition)                                                                                       \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

#include "tests/unit/hip/core/router_world.h"

#include <time.h>

#define ROUTER       0
#define PEERS        10
#define ON_BOARD     100
#define FIRST_PEER   1
#define FIRST_BOARD  (FIRST_PEER + PEERS)
#define HOSTS        (FIRST_BOARD + ON_BOARD)
#define ASSOCIATIONS (PEERS * ON_BOARD)
#define SETTLES      SECONDS(20)

static const char inside[][LINK_NAME_SIZE] = {"inside"};

static struct world *start(void)
{
	struct world *world = world_make(HOSTS);
	char text[32];

	world->hosts[ROUTER].configuration.mobile_router = true;
	world->hosts[ROUTER].configuration.inside = inside;
	world->hosts[ROUTER].configuration.inside_count = 1;
	world_link(world, ROUTER, "uplink", "198.51.100.1");
	world_link(world, ROUTER, "inside", "10.1.0.1");
	for (size_t i = 0; i < PEERS; i++) {
		snprintf(text, sizeof text, "192.0.2.%zu", i + 1);
		world_link(world, FIRST_PEER + i, "eth0", text);
	}
	for (size_t i = 0; i < ON_BOARD; i++) {
		snprintf(text, sizeof text, "10.1.1.%zu", i + 1);
		world_link(world, FIRST_BOARD + i, "wlan0", text);
	}
	for (size_t i = 0; i < HOSTS; i++)
		world_boot(world, i);
	return world;
}

/* One after the other, so that no limit for strangers is met. */
static void fill(struct world *world)
{
	char text[32];

	for (size_t i = 0; i < ON_BOARD; i++) {
		world_board(world, FIRST_BOARD + i, ROUTER, "10.1.0.1");
		world_run(world, MILLISECONDS(100));
		for (size_t j = 0; j < PEERS; j++) {
			snprintf(text, sizeof text, "192.0.2.%zu", j + 1);
			world_connect(world, FIRST_BOARD + i, FIRST_PEER + j, text);
			world_run(world, MILLISECONDS(50));
		}
	}
	world_run(world, SETTLES);
}

/* Associations whose peer sends to `address` without limit. */
static size_t count_verified(const struct world *world, const struct address *address)
{
	size_t count = 0;

	for (size_t i = 0; i < PEERS; i++) {
		for (size_t j = 0; j < ON_BOARD; j++) {
			const struct world_sa *sa =
				world_outbound(&world->hosts[FIRST_PEER + i], &world->hosts[FIRST_BOARD + j].hit);

			count += sa && !sa->sa.route.unverified && address_equal(&sa->sa.remote.address, address);
		}
	}
	return count;
}

static bool all_talk(struct world *world)
{
	for (size_t i = 0; i < PEERS; i++) {
		for (size_t j = 0; j < ON_BOARD; j++) {
			if (!world_talk(world, FIRST_BOARD + j, FIRST_PEER + i))
				return false;
		}
	}
	return true;
}

struct cost {
	size_t packets, octets;
};

/* Of the router and the peers, outside. */
static struct cost cost_outside(const struct world *world)
{
	struct cost cost = {0, 0};

	for (size_t i = ROUTER; i < FIRST_BOARD; i++) {
		cost.packets += world->hosts[i].packets_outside;
		cost.octets += world->hosts[i].octets_outside;
	}
	return cost;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool measure(struct world *world, const char *to)
{
	const struct address address = world_address(to);
	struct cost before = cost_outside(world), after;
	instant began = world->now;
	double cpu = seconds_now();
	duration half = 0, all = 0;

	world_relink(world, ROUTER, "uplink", to);
	while (!all && world->now < instant_after(began, SECONDS(30))) {
		size_t verified;

		world_run(world, MILLISECONDS(1));
		verified = count_verified(world, &address);
		if (!half && verified >= ASSOCIATIONS / 2)
			half = world->now - began;
		if (verified == ASSOCIATIONS)
			all = world->now - began;
	}
	cpu = seconds_now() - cpu;
	after = cost_outside(world);
	world_run(world, SECONDS(5));
	if (!all || !all_talk(world))
		return false;
	printf("  half of them verified after        %8.0f ms\n", (double)half / 1e6);
	printf("  all of them verified after         %8.0f ms\n", (double)all / 1e6);
	printf("  signalling of one, UDP and IPv4 in %8.0f octets, in %.2f packets\n",
		(double)(after.octets - before.octets) / ASSOCIATIONS,
		(double)(after.packets - before.packets) / ASSOCIATIONS);
	printf("  computing, router and peers        %8.0f ms in all\n", cpu * 1e3);
	return true;
}

int main(void)
{
	struct world *world = start();
	bool done;

	printf("A mobile router with %d hosts on board, each with %d peers, moves; 50 ms round trip\n", ON_BOARD,
		PEERS);
	fill(world);
	done = world_router(world, ROUTER).delegations == ASSOCIATIONS && all_talk(world);
	if (!done)
		fputs("bench_mobile_router: the associations do not stand\n", stderr);
	done = done && measure(world, "203.0.113.1");
	done = done && measure(world, "203.0.113.2");
	if (!done)
		fputs("bench_mobile_router: not all were verified\n", stderr);
	world_free(world);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
