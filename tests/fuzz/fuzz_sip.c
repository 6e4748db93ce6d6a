/* SPDX-License-Identifier: MIT */
/**
 * The SIP engine fed with arbitrary octets: first octet chooses who speaks and how, the rest is split at "\x01" into
 * messages. The overlay answers everything at once.
 */
#include "sipglue/registration_record.h"
#include "sipglue/sip.h"

#include <stdlib.h>
#include <string.h>

static struct hit own = {{0x20, 0x01, 0, 0x22, [15] = 1}};

static void answer(struct sip *sip, instant now)
{
	struct sip_effect effect;
	struct sip_target target = {.hit = {{0x20, 0x01, 0, 0x22, [15] = 2}}};
	while (sip_next_effect(sip, &effect)) {
		if (effect.kind == SIP_RESOLVE)
			sip_resolved(sip, now, effect.token, HIPHOP_OK, &target, 1);
		else if (effect.kind == SIP_STORE)
			sip_stored(sip, now, effect.token, HIPHOP_OK);
		else if (effect.kind == SIP_VERIFY_CALLER)
			sip_caller_verified(sip, now, effect.token, HIPHOP_OK);
		else if (effect.kind == SIP_STREAM_CONNECT)
			sip_stream_opened(sip, now, effect.connection, &effect.local, &effect.remote);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is stored under a name: written again it must be the same. */
static void read_record(const uint8_t *data, size_t size)
{
	struct registration_record record;
	uint8_t again[4096];
	size_t length;

	if (registration_record_decode(data, size, &record) ||
		registration_record_encode(&record, again, sizeof again, &length))
		return;
	if (length != size || memcmp(again, data, size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seeded_random seed;
	struct random_source random = seeded_random_start(&seed, 1);
	struct sip_configuration configuration = {.domain = "example.com", .self = own, .random = &random};
	struct endpoint local = {.port = SIP_PORT}, phone = {.port = 5070};
	struct sip *sip;
	instant now = SECONDS(1);
	if (size)
		read_record(data + 1, size - 1);
	if (size < 1 || sip_create(&configuration, &sip) != HIPHOP_OK)
		return 0;
	memcpy(local.address.octets, own.octets, HIT_LENGTH);
	phone.address = local.address;
	phone.address.octets[15] = data[0] & 1 ? 1 : 3;
	sip_stream_opened(sip, now, 1, &local, &phone);
	sip_restore_registration(sip, now, "bob@example.com", "sip:bob@[::1]:5070", 1000, 3600);
	answer(sip, now);
	for (size_t start = 1, end; start < size; start = end + 1) {
		const uint8_t *mark = memchr(data + start, 1, size - start);
		end = mark ? (size_t)(mark - data) : size;
		if (data[0] & 2)
			sip_input_stream(sip, now, 1, data + start, end - start);
		else
			sip_input_datagram(sip, now, &local, &phone, data + start, end - start);
		answer(sip, now);
		now += SECONDS(data[0] >> 4);
		sip_tick(sip, now);
		answer(sip, now);
	}
	sip_free(sip);
	return 0;
}
