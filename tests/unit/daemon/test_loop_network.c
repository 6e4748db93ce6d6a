/* SPDX-License-Identifier: MIT */
/**
 * How changes of the network come to the node: in a namespace with a real kernel, with a stand-in for the node, and for
 * the rest of the loop, neither of which is linked in.
 */
#include "daemon/loop.h"
#include "kernel-helpers/clocks.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <stdlib.h>

#define TELLINGS 4096

static bool ready;
static struct hiphopd hiphopd;
/** What the node was told: the instants, and the last list. */
static instant told_at[TELLINGS];
static size_t told;
static struct link_address told_links[NETWORK_ADDRESSES];
static size_t told_count;
static unsigned others_had_their_turn;

void node_addresses(struct node *node, instant now, const struct link_address *links, size_t count)
{
	(void)node;
	assert_true(told < TELLINGS && count <= NETWORK_ADDRESSES);
	told_at[told++] = now;
	memcpy(told_links, links, count * sizeof *links);
	told_count = count;
}

void loop_carry_out(struct hiphopd *unused)
{
	(void)unused;
}

bool loop_watch_start(
	struct hiphopd *owner, struct loop_watch *watch, int descriptor, unsigned index, uv_poll_cb callback)
{
	(void)index;
	*watch = (struct loop_watch){.hiphopd = owner, .open = true};
	if (uv_poll_init(&owner->loop, &watch->poll, descriptor) < 0)
		return false;
	watch->poll.data = watch;
	return uv_poll_start(&watch->poll, UV_READABLE, callback) == 0;
}

void loop_watch_stop(struct loop_watch *watch)
{
	uv_close((uv_handle_t *)&watch->poll, NULL);
	watch->open = false;
}

static void on_end(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	others_had_their_turn++;
}

/** Runs the loop for so many milliseconds. */
static void run_for(unsigned milliseconds)
{
	uv_timer_t end;
	bool over = false;
	uv_timer_init(&hiphopd.loop, &end);
	end.data = &over;
	uv_update_time(&hiphopd.loop);
	uv_timer_start(&end, on_end, milliseconds, 0);
	while (!over)
		uv_run(&hiphopd.loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&end, NULL);
	uv_run(&hiphopd.loop, UV_RUN_NOWAIT);
}

static const struct link_address *told_of(const char *text)
{
	char got[ENDPOINT_TEXT_SIZE];
	for (size_t i = 0; i < told_count; i++)
		if (strcmp(address_format(&told_links[i].address, got), text) == 0)
			return &told_links[i];
	return NULL;
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int start(void **state)
{
	static struct configured_interface entries[] = {
		{.name = "u*", .unused = true}, {.name = "v0", .preference = LINK_AVOID, .metered = true, .cost = 7}};
	(void)state;
	/* Addresses that the kernel gives of itself are ready at once, and no news seconds later. */
	ready = namespace_enter() &&
		system("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; for l in u v; do ip link add ${l}0 type "
		       "veth peer name ${l}1 && ip link set ${l}1 up &&"
		       " ip link set ${l}0 up || exit 1; done; ip addr add 192.0.2.1/24 dev v0 &&"
		       " ip addr add 198.51.100.1/24 dev u0 && ip -6 addr add 2001:db8::1/64 dev v0 nodad") == 0;
	if (!ready)
		return 0;
	underlay_sockets_start(&hiphopd.underlay);
	hiphopd.configuration.interfaces = entries;
	hiphopd.configuration.interface_count = 2;
	return uv_loop_init(&hiphopd.loop) || network_watch_open("hip0", &hiphopd.network) ||
	       !loop_network_start(&hiphopd);
}

static int stop(void **state)
{
	(void)state;
	if (!ready)
		return 0;
	loop_network_stop(&hiphopd);
	uv_run(&hiphopd.loop, UV_RUN_DEFAULT);
	network_watch_close(hiphopd.network);
	return uv_loop_close(&hiphopd.loop);
}

/** Until nothing has come for a while: what the kernel does of itself with new links takes seconds. */
static int settle(void **state)
{
	(void)state;
	for (int i = 0; ready && i < 50; i++) {
		told = 0;
		run_for(500);
		if (!told)
			break;
	}
	told = 0;
	return 0;
}

static void the_list_follows_the_configuration(void **state)
{
	(void)state;
	if (!ready)
		skip();
	loop_network_tell(&hiphopd);
	assert_int_equal(told, 1);
	assert_null(told_of("198.51.100.1"));
	const struct link_address *link = told_of("192.0.2.1");
	assert_non_null(link);
	assert_string_equal(link->name, "v0");
	assert_int_equal(link->interface, if_nametoindex("v0"));
	assert_int_equal(link->preference, LINK_AVOID);
	assert_true(link->metered);
	assert_int_equal(link->cost, 7);
}

/* Without any wait: within the very turn of the loop that sees it. */
static void the_first_change_is_told_at_once(void **state)
{
	(void)state;
	if (!ready)
		skip();
	run("ip addr add 192.0.2.7/24 dev v0");
	uv_run(&hiphopd.loop, UV_RUN_NOWAIT);
	assert_int_equal(told, 1);
	assert_non_null(told_of("192.0.2.7"));
	run("ip link set v1 down && ip link set v1 up");
	run_for(50);
	assert_true(told >= 2);
}

static void what_changes_nothing_is_not_told(void **state)
{
	(void)state;
	if (!ready)
		skip();
	run("ip -6 addr change 2001:db8::1/64 dev v0 noprefixroute valid_lft 600 preferred_lft 600");
	settle(NULL);
	run("ip -6 addr change 2001:db8::1/64 dev v0 noprefixroute valid_lft 900 preferred_lft 900");
	run_for(50);
	assert_int_equal(told, 0);
	/* An address of a link that is not used. */
	run("ip -6 addr add 2001:db8:5::1/64 dev u0 nodad noprefixroute");
	run_for(50);
	settle(NULL);
	run("ip -6 addr change 2001:db8:5::1/64 dev u0 noprefixroute valid_lft 900 preferred_lft 900");
	run_for(50);
	assert_int_equal(told, 0);
}

static void a_route_is_told_with_the_same_list(void **state)
{
	(void)state;
	if (!ready)
		skip();
	size_t count = told_count;
	run("ip route add default via 192.0.2.254");
	uv_run(&hiphopd.loop, UV_RUN_NOWAIT);
	assert_int_equal(told, 1);
	assert_int_equal(told_count, count);
	run("ip route del default");
	run_for(50);
	assert_int_equal(told, 2);
}

/* Thousands of changes one after the other: told at most every 10 ms, not put off, with the right end, and other duties
 * of the loop have their turns. */
static void a_flood_starves_nobody(void **state)
{
	(void)state;
	static uv_timer_t tick;
	if (!ready)
		skip();
	uv_timer_init(&hiphopd.loop, &tick);
	uv_timer_start(&tick, on_tick, 1, 1);
	run("(for round in $(seq 30); do for i in $(seq 200); do echo addr add 203.0.113.$i/32 dev v0; done;"
	    " for i in $(seq 200); do echo addr del 203.0.113.$i/32 dev v0; done; done;"
	    " echo addr add 203.0.113.250/32 dev v0) | ip -batch - &");
	others_had_their_turn = 0;
	for (int i = 0; i < 100 && !told_of("203.0.113.250"); i++)
		run_for(50);
	assert_non_null(told_of("203.0.113.250"));
	run_for(50);
	assert_null(told_of("203.0.113.1"));
	assert_true(told >= 5);
	assert_true(others_had_their_turn > told);
	for (size_t i = 1; i < told; i++)
		if (told_at[i] - told_at[i - 1] < MILLISECONDS(9))
			fail_msg("told again after %llu ns", (unsigned long long)(told_at[i] - told_at[i - 1]));
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&hiphopd.loop, UV_RUN_NOWAIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_list_follows_the_configuration, settle),
		cmocka_unit_test_setup(the_first_change_is_told_at_once, settle),
		cmocka_unit_test_setup(what_changes_nothing_is_not_told, settle),
		cmocka_unit_test_setup(a_route_is_told_with_the_same_list, settle),
		cmocka_unit_test_setup(a_flood_starves_nobody, settle),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
