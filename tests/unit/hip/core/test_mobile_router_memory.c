/* SPDX-License-Identifier: MIT */
/* A host comes on board, talks, the router moves, the host leaves, while allocations fail, those of OpenSSL too:
 * nothing breaks, and once there is memory again it comes to its end. */
#include "../../failing_sweep.h"

#define WORLD_CALL(call) (failing_allocation_resume(), (void)(call), failing_allocation_stop())
#include "router_world.h"

#define PATIENCE 900 /* seconds: what is sent again is sent ever less often */

enum { HOST, PEER, ROUTER };

static struct world *start(void)
{
	return world_of_three(HOST, PEER, ROUTER);
}

static void connect_when_idle(struct world *world)
{
	(void)host_connect(world->hosts[HOST].host, world->now, &world->hosts[PEER].hit);
	world_drain(&world->hosts[HOST]);
}

/* With a packet each way every second, so that silence is noticed. */
static void run_until_they_talk(struct world *world, const char *uplink)
{
	const struct address address = world_address(uplink);
	const struct world_sa *sa;
	unsigned seconds = 0;

	do {
		assert_true(seconds++ < PATIENCE);
		connect_when_idle(world);
		world_run(world, SECONDS(1));
		sa = world_outbound(&world->hosts[PEER], &world->hosts[HOST].hit);
	} while (!world_talk(world, HOST, PEER) || !address_equal(&sa->sa.remote.address, &address));
}

static void play(const void *context)
{
	struct world *world = start();
	struct host_router_view view;
	unsigned seconds = 0;

	(void)context;
	failing_sweep_begin();
	world_connect(world, HOST, PEER, "192.0.2.1");
	run_until_they_talk(world, "198.51.100.1");
	world_relink(world, ROUTER, "uplink", "203.0.113.1");
	run_until_they_talk(world, "203.0.113.1");
	failing_sweep_end();
	/* With memory again it is whole. */
	while (world_router(world, HOST).confirmed != 1) {
		assert_true(seconds++ < PATIENCE);
		connect_when_idle(world);
		world_run(world, SECONDS(1));
		(void)world_talk(world, HOST, PEER);
	}
	world_relink(world, ROUTER, "uplink", "203.0.113.2");
	run_until_they_talk(world, "203.0.113.2");
	host_use_router(world->hosts[HOST].host, world->now, NULL);
	world_run(world, SECONDS(30));
	host_router(world->hosts[ROUTER].host, &view);
	assert_int_equal(view.boarders, 0);
	assert_int_equal(view.delegations, 0);
	world_free(world);
}

static void on_board_without_memory(void **state)
{
	(void)state;
	failing_sweep_run(&(struct failing_sweep){"on board", play, NULL, 200});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(on_board_without_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
