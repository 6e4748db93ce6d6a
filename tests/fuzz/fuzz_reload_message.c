/* SPDX-License-Identifier: MIT */
/* RELOAD message contents into an engine, from a stranger and from a neighbour, with some state behind it. */
#include "tests/unit/overlay/fake_crypto.h"

#include "overlay/message.h"

static void deliver(struct overlay *overlay, const struct hit *sender, const uint8_t *data, size_t size)
{
	struct overlay_arrival arrival = {
		.sender = *sender, .transaction = 1, .hops = 1, .route = "r", .route_length = 1};
	struct overlay_effect effect;

	overlay_input(overlay, SECONDS(2), 1, &arrival, data, size);
	overlay_tick(overlay, SECONDS(3), 1);
	while (overlay_next_effect(overlay, &effect))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_identity identity;
	struct seeded_random generator;
	struct random_source random = seeded_random_start(&generator, 1);
	struct hit neighbour = fake_identity_start(&identity, 2), stranger = fake_identity_start(&identity, 3);
	struct overlay_configuration configuration = {.name = "fuzz",
		.topology = "chord",
		.hash = "sha256",
		.replicas = 2,
		.self = fake_identity_start(&identity, 1),
		.crypto = fake_crypto(&identity),
		.random = &random};
	struct overlay *overlay;
	struct overlay_status status;

	if (overlay_create(&configuration, SECONDS(1), 1, &overlay))
		return 0;
	overlay_neighbour_up(overlay, SECONDS(1), &neighbour);
	overlay_store(
		overlay, SECONDS(1), 1, 1, OVERLAY_KIND_PUT, &configuration.self, data, 1 < size ? 1 : size, 60, true);
	deliver(overlay, &neighbour, data, size);
	deliver(overlay, &stranger, data, size);
	overlay_get_status(overlay, &status);
	overlay_free(overlay);
	return 0;
}
