/* SPDX-License-Identifier: MIT */
/** Any HIP packet for a host that has an exchange under way and a neighbour: direct, or out of the neighbour's ESP. */
#include "hip/core/host.h"
#include "hip/wire/builder.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seeded_random generator;
static struct random_source source;
static struct host_identity *identities[2];
static struct host *hosts[2];
static instant now = SECONDS(100);

static const struct host_arrival direct[2] = {
	{.local = {{{[10] = 255, 255, 192, 0, 2, 1}}, 10500, TRANSPORT_UDP},
		.remote = {{{[10] = 255, 255, 192, 0, 2, 2}}, 10500, TRANSPORT_UDP}},
	{.local = {{{[10] = 255, 255, 192, 0, 2, 2}}, 10500, TRANSPORT_UDP},
		.remote = {{{[10] = 255, 255, 192, 0, 2, 1}}, 10500, TRANSPORT_UDP}}};

/* Hands what one host sends to the other until both are silent. */
static void exchange(void)
{
	struct host_effect effect;
	bool busy = true;

	while (busy) {
		busy = false;
		for (int i = 0; i < 2; i++) {
			while (host_next_effect(hosts[i], &effect)) {
				busy = true;
				if (effect.kind == HOST_SEND)
					host_input(hosts[1 - i], now, &direct[1 - i], effect.octets, effect.length);
			}
		}
	}
}

static void start(void)
{
	static const struct hit stranger = {{0x20, 0x01, 0x00, 0x22, [15] = 9}};
	struct host_configuration configuration = {.random = &source, .overlay = true, .overlay_id = 0x01020304};

	source = seeded_random_start(&generator, 7);
	for (int i = 0; i < 2; i++) {
		if (host_identity_from_seed(&source, &identities[i]))
			abort();
		configuration.identity = identities[i];
		if (host_create(&configuration, now, &hosts[i]))
			abort();
	}
	host_learn_locator(hosts[0], host_identity_hit(identities[1]), &direct[0].remote, true);
	host_learn_locator(hosts[0], &stranger, &direct[0].remote, true);
	host_connect(hosts[0], now, host_identity_hit(identities[1]));
	exchange();
	host_connect(hosts[0], now, &stranger);
	exchange();
}

/* The first octet says how it comes and whether the HITs are put right; so the fuzzer need not guess them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t packet[9000];
	struct host_arrival arrival = direct[0];
	struct host_effect effect;
	struct address ends[2];

	if (!hosts[0])
		start();
	if (size < 41 || size - 1 > sizeof packet)
		return 0;
	memcpy(packet, data + 1, size - 1);
	now += MILLISECONDS(50);
	if (data[0] & 1)
		memcpy(packet + 8, host_identity_hit(identities[1])->octets, HIT_LENGTH);
	if (data[0] & 2)
		memcpy(packet + 24, host_identity_hit(identities[0])->octets, HIT_LENGTH);
	if (data[0] & 4) {
		arrival = (struct host_arrival){.inside_esp = true, .neighbour = *host_identity_hit(identities[1])};
		ends[0] = hit_as_address(&arrival.neighbour);
		ends[1] = hit_as_address(host_identity_hit(identities[0]));
		packet_set_checksum(packet, size - 1, HIP_CARRIER_ESP, &ends[0], &ends[1]);
	} else {
		memset(packet + 4, 0, 2);
	}
	host_input(hosts[0], now, &arrival, packet, size - 1);
	host_tick(hosts[0], now);
	while (host_next_effect(hosts[0], &effect))
		;
	return 0;
}
