/* SPDX-License-Identifier: MIT */
#include "tests/sim/simulation_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_log(void *context, log_level level, const char *line)
{
	const struct simulation *simulation = context;

	fprintf(stderr, "%9.3f %d %s\n", (double)simulation->now / 1e9, (int)level, line);
}

/* ---- making ---- */

static struct address address_of(size_t index)
{
	struct address address = {{0x20, 0x01, 0x0d, 0xb8}};

	address.octets[14] = (uint8_t)((index + 1) >> 8);
	address.octets[15] = (uint8_t)(index + 1);
	return address;
}

static void configure(struct simulation *simulation, struct simulation_host *host)
{
	struct configuration *configuration = &host->configuration;

	assert_int_equal(configuration_default(configuration), HIPHOP_OK);
	snprintf(configuration->overlay_name, sizeof(configuration->overlay_name), "example.com");
	snprintf(configuration->sip_domain, sizeof(configuration->sip_domain), "example.com");
	configuration->transports[0] = TRANSPORT_UDP;
	configuration->transport_count = 1;
	if (host->index > 0) {
		free(configuration->bootstrap);
		configuration->bootstrap = calloc(1, sizeof(*configuration->bootstrap));
		assert_non_null(configuration->bootstrap);
		configuration->bootstrap_count = 1;
		configuration->bootstrap->endpoint.address = address_of(0);
		configuration->bootstrap->endpoint.port = configuration->port;
		configuration->bootstrap->hit = *host_identity_hit(simulation->hosts[0].identity);
	}
}

static void make_wakes(struct simulation *simulation)
{
	simulation->wake_leaves = 1;
	while (simulation->wake_leaves < simulation->host_count)
		simulation->wake_leaves *= 2;
	simulation->wakes = malloc(2 * simulation->wake_leaves * sizeof(*simulation->wakes));
	assert_non_null(simulation->wakes);
	for (size_t i = 0; i < 2 * simulation->wake_leaves; i++)
		simulation->wakes[i] = INSTANT_NEVER;
}

void simulation_start(struct simulation *simulation, uint64_t seed, size_t count)
{
	memset(simulation, 0, sizeof(*simulation));
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	simulation->seed = seed;
	simulation->random = seeded_random_start(&simulation->generator, seed);
	simulation->now = SECONDS(1);
	simulation->wall_start = UINT64_C(1800000000000);
	simulation->delay = MILLISECONDS(10);
	simulation->trace = UINT64_C(0xcbf29ce484222325);
	simulation->vector = calloc(1, sizeof(*simulation->vector));
	simulation->replies_vectors = calloc(2, sizeof(*simulation->replies_vectors));
	assert_non_null(simulation->replies_vectors);
	simulation->hosts = calloc(count, sizeof(*simulation->hosts));
	assert_non_null(simulation->vector);
	assert_non_null(simulation->hosts);
	simulation->host_count = count;
	make_wakes(simulation);
	simulation_network_start(simulation);
	simulation->log = (struct log){write_log, simulation, getenv("SIM_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR};
	for (size_t i = 0; i < count; i++) {
		struct simulation_host *host = &simulation->hosts[i];

		host->simulation = simulation;
		host->index = i;
		host->address = address_of(i);
		host->random = seeded_random_start(&host->generator, seed * 1000003 + i);
		assert_int_equal(host_identity_from_seed(&host->random, &host->identity), HIPHOP_OK);
		configure(simulation, host);
		simulation_first_link(simulation, host);
	}
}

void simulation_free(struct simulation *simulation)
{
	for (size_t i = 0; i < simulation->host_count; i++) {
		struct simulation_host *host = &simulation->hosts[i];

		if (host->node)
			simulation_kill(simulation, i);
		simulation_free_state(host);
		host_identity_free(host->identity);
		for (size_t j = 0; j < CONFIGURATION_MORE; j++)
			host_identity_free(host->more[j]);
		configuration_free(&host->configuration);
	}
	simulation_network_free(simulation);
	simulation_streams_free(simulation);
	for (size_t i = 0; i < SIMULATION_REPLIES; i++)
		json_decref(simulation->replies[i]);
	free(simulation->wakes);
	free(simulation->hosts);
	free(simulation->vector);
	free(simulation->replies_vectors);
}

/* ---- life of a host ---- */

static wall_milliseconds wall_now(const struct simulation *simulation)
{
	return simulation->wall_start + simulation->now / MILLISECONDS(1);
}

struct hit simulation_add_identity(
	struct simulation *simulation, size_t index, struct host_identity *identity, bool anonymous)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct configuration *configuration = &host->configuration;
	size_t place = configuration->more_count++;

	assert_true(place < CONFIGURATION_MORE);
	configuration->more = realloc(configuration->more, configuration->more_count * sizeof(*configuration->more));
	assert_non_null(configuration->more);
	configuration->more[place] = (struct configured_identity){.anonymous = anonymous};
	if (!identity)
		assert_int_equal(host_identity_from_seed(&host->random, &identity), HIPHOP_OK);
	host->more[place] = identity;
	return *host_identity_hit(identity);
}

void simulation_boot(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];
	struct node_environment environment = {
		.configuration = &host->configuration,
		.identity = host->identity,
		.more = host->more,
		.random = &host->random,
		.log = &simulation->log,
		.source_address = simulation_source_address,
		.context = host,
	};

	assert_null(host->node);
	assert_int_equal(node_create(&environment, simulation->now, wall_now(simulation), &host->node), HIPHOP_OK);
	simulation_restore_state(simulation, host);
	simulation_tell_addresses(simulation, host);
	CALL(node_start(host->node, simulation->now));
	simulation_drain(simulation, host);
}

void simulation_kill(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	node_free(host->node);
	host->node = NULL;
	host->route_count = 0; /* they went with the device */
	host->suspended = false;
	simulation_forget_waiting(host);
	simulation_set_wake(simulation, host, INSTANT_NEVER);
}

void simulation_suspend(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	assert_non_null(host->node);
	host->suspended = true;
	simulation_set_wake(simulation, host, INSTANT_NEVER);
}

void simulation_resume(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	host->suspended = false;
	CALL(node_tick(host->node, simulation->now));
	simulation_drain(simulation, host);
	if (host->links_untold)
		simulation_links_tell(simulation, index);
}

void simulation_leave(struct simulation *simulation, size_t index)
{
	struct simulation_host *host = &simulation->hosts[index];

	CALL(node_leave(host->node, simulation->now));
	simulation_drain(simulation, host);
	for (int i = 0; i < 50 && !node_has_left(host->node); i++)
		simulation_run(simulation, MILLISECONDS(100));
	CALL(node_stop(host->node, simulation->now));
	simulation_drain(simulation, host);
	simulation_kill(simulation, index);
}

/* ---- running ---- */

void simulation_set_wake(struct simulation *simulation, const struct simulation_host *host, instant at)
{
	size_t place = simulation->wake_leaves + host->index;

	simulation->wakes[place] = at;
	for (place /= 2; place > 0; place /= 2)
		simulation->wakes[place] =
			instant_earlier(simulation->wakes[2 * place], simulation->wakes[2 * place + 1]);
}

/* Of those that are due at one instant the one with the lowest number. */
static struct simulation_host *first_to_wake(struct simulation *simulation)
{
	const instant *wakes = simulation->wakes;
	size_t place = 1;

	while (place < simulation->wake_leaves)
		place = wakes[2 * place] == wakes[place] ? 2 * place : 2 * place + 1;
	return &simulation->hosts[place - simulation->wake_leaves];
}

static void wake_first(struct simulation *simulation)
{
	struct simulation_host *host = first_to_wake(simulation);
	instant wake = simulation->wakes[1];

	if (wake > simulation->now)
		simulation->now = wake;
	CALL(node_tick(host->node, simulation->now));
	simulation_drain(simulation, host);
}

/* One step: the next arrival, packet of a stream or timer, whichever is first. False when nothing is due up to `end`.
 */
static bool step(struct simulation *simulation, instant end)
{
	struct simulation_stream *stream = simulation_next_stream(simulation);
	instant arrival = simulation_next_arrival(simulation), wake = simulation->wakes[1];
	instant sending = stream ? stream->next : INSTANT_NEVER;

	if (instant_earlier(instant_earlier(arrival, sending), wake) > end)
		return false;
	if (arrival <= wake && arrival <= sending)
		simulation_arrive(simulation);
	else if (sending <= wake)
		simulation_stream_send(simulation, stream);
	else
		wake_first(simulation);
	return true;
}

void simulation_run(struct simulation *simulation, duration length)
{
	instant end = simulation->now + length;

	while (step(simulation, end))
		continue;
	simulation->now = end;
}

bool simulation_run_until(struct simulation *simulation, duration limit, bool (*done)(struct simulation *simulation))
{
	instant end = simulation->now + limit;

	while (!done(simulation)) {
		if (simulation->now >= end)
			return false;
		simulation_run(simulation, MILLISECONDS(100));
	}
	return true;
}

uint64_t simulation_seed(void)
{
	const char *text = getenv("SIM_SEED");

	return text ? strtoull(text, NULL, 10) : 1;
}
