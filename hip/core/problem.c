/* SPDX-License-Identifier: MIT */
/*
 * ICMP messages to senders with whom there is no association to speak in (RFC 7401 sections 4.3, 5.4 and 6.7). Only for
 * what came over plain IP: ICMP knows nothing of what UDP carries. Anybody's address may stand in a packet, so there
 * are few of them (RFC 4443 section 2.4): for a source prefix, in all, and never more octets than have come.
 */
#include "hip/core/host_internal.h"

#include <string.h>

#define IP_HEADER_OCTETS(address) (address_is_ipv4(address) ? 20U : 40U)

/* One host may speak to one host: not to many, and not for many (RFC 1122 section 3.2.2). */
static bool is_between_two(const struct host *host, const struct endpoint *local, const struct endpoint *remote)
{
	if (!address_is_usable_locator(&remote->address) || !address_is_usable_locator(&local->address))
		return false;
	/* There may be more than are kept. */
	return candidates_link(host, &local->address) || host->link_count == HOST_ADDRESSES_MAXIMUM;
}

/* What has come pays for what goes out: in the long run nobody gets more octets by us than somebody has sent. */
static bool is_paid_for(struct host *host, const struct endpoint *remote, size_t came, size_t goes)
{
	size_t header = IP_HEADER_OCTETS(&remote->address);

	host->problem_credit += (uint32_t)(came + header);
	if (host->problem_credit > PROBLEM_CREDIT_MAXIMUM)
		host->problem_credit = PROBLEM_CREDIT_MAXIMUM;
	if (host->problem_credit < goes + header)
		return false;
	host->problem_credit -= (uint32_t)(goes + header);
	return true;
}

static bool is_seldom(struct host *host, instant now, const struct address *to)
{
	return hashed_rates_take(&host->problem_prefixes, to->octets, address_prefix_length(to), now, 1) &&
	       token_bucket_take(&host->problem_rate, now);
}

static void send_message(struct host *host, const struct endpoint *local, const struct endpoint *remote,
	const uint8_t *message, size_t length)
{
	struct queued_effect *made = effect_make(HOST_SEND_ICMP, length);

	if (!made)
		return;
	memcpy(made->octets, message, length);
	made->effect.length = length;
	made->effect.local = *local;
	made->effect.remote = *remote;
	effects_add(&host->effects, made);
	count(host, HOST_COUNT_ICMP_OUT);
}

static void tell(struct host *host, instant now, const struct endpoint *local, const struct endpoint *remote,
	struct icmp_problem *problem)
{
	uint8_t message[ICMP_PROBLEM_MAXIMUM];
	size_t length;

	problem->source = remote->address;
	problem->destination = local->address;
	if (host->configuration.never_icmp || remote->transport != TRANSPORT_IP ||
		!is_between_two(host, local, remote) || icmp_problem_write(problem, message, sizeof message, &length))
		return;
	if (is_paid_for(host, remote, problem->packet.length, length) && is_seldom(host, now, &remote->address))
		send_message(host, local, remote, message, length);
	else
		count(host, HOST_COUNT_DROP_ICMP_RATE);
}

void problem_of_packet(struct host *host, const struct incoming *in, icmp_problem_kind kind, size_t pointer)
{
	struct icmp_problem problem = {.kind = kind,
		.protocol = HIP_PROTOCOL,
		.pointer = (uint16_t)pointer,
		.packet = {in->octets, in->length}};

	/* A NOTIFY is itself about a packet of ours. */
	if (!in->arrival->inside_esp && in->view.type != HIP_PACKET_NOTIFY)
		tell(host, in->now, &in->arrival->local, &in->arrival->remote, &problem);
}

void problem_of_stranger(struct host *host, const struct incoming *in, size_t pointer)
{
	const struct association *association = association_find(host, &in->view.sender);

	if (!association || association_state(association) == HOST_FAILED)
		problem_of_packet(host, in, ICMP_PARAMETER_PROBLEM, pointer);
}

void problem_of_hits(struct host *host, const struct incoming *in)
{
	static const uint16_t need_an_association = PACKET_BIT_UPDATE | PACKET_BIT_CLOSE | PACKET_BIT_CLOSE_ACK;

	if (!(packet_type_bit(in->view.type) & need_an_association))
		return;
	if (association_find(host, &in->view.sender) && !hit_equal(&in->view.receiver, &host->self))
		problem_of_packet(host, in, ICMP_PARAMETER_PROBLEM, HIP_RECEIVER_HIT_OFFSET);
	else
		problem_of_stranger(host, in, HIP_SENDER_HIT_OFFSET);
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
