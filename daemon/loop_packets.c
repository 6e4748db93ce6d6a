/* SPDX-License-Identifier: MIT */
/** Packets: the underlay's sockets and the tunnel device, a vector at a time. */
#include "daemon/loop.h"

#include "kernel-helpers/clocks.h"

#include <stdlib.h>
#include <string.h>

static void on_underlay(uv_poll_t *poll, int status, int events)
{
	struct loop_watch *watch = poll->data;
	struct hiphopd *hiphopd = watch->hiphopd;
	(void)status;
	(void)events;
	underlay_socket which = (underlay_socket)watch->index;
	int rounds = underlay_rank_of(which) == UNDERLAY_DATA ? LOOP_ROUNDS : LOOP_ROUNDS_CONTROL;
	for (int round = 0; round < rounds; round += !underlay_holds(&hiphopd->underlay, which)) {
		size_t taken = underlay_receive(&hiphopd->underlay, which, hiphopd->vector);
		if (taken == 0)
			break;
		node_input_underlay(hiphopd->node, clock_now(), hiphopd->vector);
		loop_carry_out(hiphopd);
		if (taken < PACKET_VECTOR_MAXIMUM)
			break; /* what came since then wakes us again */
	}
}

static void on_tunnel(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	(void)events;
	if (status < 0) {
		log_write(&hiphopd->log, LOG_LEVEL_ERROR, "the tunnel device is gone");
		loop_watch_stop(&hiphopd->tunnel_watch);
		return;
	}
	for (int round = 0; round < LOOP_ROUNDS; round += !tunnel_holds(&hiphopd->tunnel)) {
		bool held = tunnel_holds(&hiphopd->tunnel);
		size_t taken = tunnel_read(&hiphopd->tunnel, hiphopd->vector);
		if (taken == 0)
			break;
		node_input_tunnel(hiphopd->node, clock_now(), hiphopd->vector);
		loop_carry_out(hiphopd);
		if (taken < PACKET_VECTOR_MAXIMUM && !held)
			break; /* nothing is left in the kernel */
	}
}

bool loop_packets_start(struct hiphopd *hiphopd)
{
	hiphopd->vector = calloc(1, sizeof *hiphopd->vector);
	if (!hiphopd->vector)
		return false;
	for (unsigned i = 0; i < UNDERLAY_SOCKETS; i++)
		if (hiphopd->underlay.descriptors[i] >= 0 && !loop_watch_start(hiphopd, &hiphopd->underlay_watches[i],
								     hiphopd->underlay.descriptors[i], i, on_underlay))
			return false;
	return loop_watch_start(hiphopd, &hiphopd->tunnel_watch, hiphopd->tunnel.descriptor, 0, on_tunnel);
}

void loop_packets_stop(struct hiphopd *hiphopd)
{
	for (unsigned i = 0; i < UNDERLAY_SOCKETS; i++)
		loop_watch_stop(&hiphopd->underlay_watches[i]);
	loop_watch_stop(&hiphopd->tunnel_watch);
}

static void report_queue(struct hiphopd *hiphopd, underlay_socket which)
{
	uint64_t lost = underlay_queue_lost(&hiphopd->underlay, which), *seen = &hiphopd->queue_lost_seen[which];
	if (lost > *seen)
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "%llu packets were lost, since the queue of %s was full",
			(unsigned long long)(lost - *seen), underlay_socket_name(which));
	*seen = lost;
}

void loop_packets_losses(const struct hiphopd *hiphopd, struct node_queue_losses *losses)
{
	uint64_t sums[UNDERLAY_RANKS] = {0};
	for (int which = 0; which < UNDERLAY_SOCKETS; which++)
		sums[underlay_rank_of((underlay_socket)which)] +=
			underlay_queue_lost(&hiphopd->underlay, (underlay_socket)which);
	*losses = (struct node_queue_losses){
		.data = sums[UNDERLAY_DATA], .control = sums[UNDERLAY_CONTROL], .i1 = sums[UNDERLAY_STRANGERS]};
}

void loop_packets_report(struct hiphopd *hiphopd)
{
	for (int which = 0; which < UNDERLAY_SOCKETS; which++)
		report_queue(hiphopd, (underlay_socket)which);
	uint64_t errors = hiphopd->underlay.send_errors;
	if (errors != hiphopd->send_errors_seen)
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "%llu packets could not be sent, the last: %s",
			(unsigned long long)(errors - hiphopd->send_errors_seen),
			strerror(hiphopd->underlay.last_send_error));
	hiphopd->send_errors_seen = errors;
	uint64_t unbound = hiphopd->underlay.unbound_messages;
	if (unbound != hiphopd->unbound_seen)
		log_write(&hiphopd->log, LOG_LEVEL_INFO,
			"%llu messages found no way by the interface of their source and took another",
			(unsigned long long)(unbound - hiphopd->unbound_seen));
	hiphopd->unbound_seen = unbound;
}
