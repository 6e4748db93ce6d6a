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
	for (int round = 0; round < LOOP_ROUNDS; round += !underlay_holds(&hiphopd->underlay, which)) {
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

void loop_packets_report(struct hiphopd *hiphopd)
{
	uint64_t errors = hiphopd->underlay.send_errors;
	if (errors != hiphopd->send_errors_seen)
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "%llu packets could not be sent, the last: %s",
			(unsigned long long)(errors - hiphopd->send_errors_seen),
			strerror(hiphopd->underlay.last_send_error));
	hiphopd->send_errors_seen = errors;
}
