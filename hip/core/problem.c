/* SPDX-License-Identifier: MIT */
/*
 * ICMP messages to senders with whom there is no association to speak in (RFC 7401 sections 4.3 and 5.4). Only for what
 * came over plain IP: ICMP knows nothing of what UDP carries. At a low rate in all (RFC 4443 section 2.4), since the
 * sender may be anybody's name.
 */
#include "hip/core/host_internal.h"

#include <string.h>

static void tell(struct host *host, instant now, const struct endpoint *local, const struct endpoint *remote,
	struct icmp_problem *problem)
{
	uint8_t message[ICMP_PROBLEM_MAXIMUM];
	struct queued_effect *made;
	size_t length;

	problem->source = remote->address;
	problem->destination = local->address;
	if (remote->transport != TRANSPORT_IP || !address_is_usable_locator(&remote->address) ||
		!token_bucket_take(&host->problem_rate, now) ||
		icmp_problem_write(problem, message, sizeof message, &length))
		return;
	made = effect_make(HOST_SEND_ICMP, length);
	if (!made)
		return;
	memcpy(made->octets, message, length);
	made->effect.length = length;
	made->effect.local = *local;
	made->effect.remote = *remote;
	effects_add(&host->effects, made);
	count(host, HOST_COUNT_ICMP_OUT);
}

void problem_of_packet(struct host *host, const struct incoming *in, icmp_problem_kind kind, size_t pointer)
{
	struct icmp_problem problem = {.kind = kind,
		.protocol = HIP_PROTOCOL,
		.pointer = (uint16_t)pointer,
		.packet = {in->octets, in->length}};

	if (!in->arrival->inside_esp)
		tell(host, in->now, &in->arrival->local, &in->arrival->remote, &problem);
}

void host_unmatched_esp(struct host *host, instant now, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *packet, size_t length)
{
	/* The SPI comes first (RFC 7402 section 5.4.1). */
	struct icmp_problem problem = {
		.kind = ICMP_PARAMETER_PROBLEM, .protocol = ESP_PROTOCOL, .packet = {packet, length}};

	effects_release_taken(&host->effects);
	tell(host, now, local, remote, &problem);
}
