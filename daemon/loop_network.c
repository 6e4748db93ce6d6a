/* SPDX-License-Identifier: MIT */
/**
 * The host's own addresses. The first change of a burst is told to the node at once; then the descriptor is left alone
 * for NETWORK_REST, so that what comes meanwhile is told together. So no flood of changes takes more than its share of
 * the loop, nor puts the list off.
 */
#include "daemon/loop.h"

#include "daemon/link_policy.h"
#include "kernel-helpers/clocks.h"

#include <string.h>

/* Milliseconds from one look at the network to the next, and after one that failed. */
#define NETWORK_REST  10
#define NETWORK_RETRY 1000

static bool equals_last(const struct hiphopd *hiphopd, const struct link_address *links, size_t used)
{
	size_t same = 0;
	while (same < used && same < hiphopd->used_links && link_equal(&links[same], &hiphopd->links[same]))
		same++;
	return same == used && same == hiphopd->used_links;
}

/** `routes`: the node is told even when the addresses are what they were. */
static bool look(struct hiphopd *hiphopd, bool routes)
{
	struct link_address links[NETWORK_ADDRESSES];
	size_t count;
	hiphop_error error = network_watch_addresses(hiphopd->network, links, &count);
	if (error) {
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "the addresses of this host cannot be listed: %s",
			hiphop_error_text(error));
		return false;
	}
	size_t used = link_policy_apply(&hiphopd->configuration, links, count);
	bool news = routes || !equals_last(hiphopd, links, used);
	memcpy(hiphopd->links, links, count * sizeof *links);
	hiphopd->used_links = used;
	hiphopd->link_count = count;
	/* All of them: answers leave from unused links too, where a stranger has asked there. */
	underlay_set_links(&hiphopd->underlay, links, count);
	if (news) {
		node_addresses(hiphopd->node, clock_now(), links, used);
		loop_carry_out(hiphopd);
	}
	return true;
}

static void on_rested(uv_timer_t *timer);

static void rest(struct hiphopd *hiphopd, bool looked)
{
	if (!hiphopd->network_watch.open)
		return; /* the look has ended it all */
	hiphopd->network_missed = !looked;
	uv_poll_stop(&hiphopd->network_watch.poll);
	/* The look itself took time, and the rest begins after it. */
	uv_update_time(&hiphopd->loop);
	uv_timer_start(&hiphopd->network_rest, on_rested, looked ? NETWORK_REST : NETWORK_RETRY, 0);
}

static void on_change(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	(void)status;
	(void)events;
	network_change change = network_watch_consume(hiphopd->network);
	if (change != NETWORK_UNCHANGED)
		rest(hiphopd, look(hiphopd, change == NETWORK_PATHS_CHANGED));
}

static void on_rested(uv_timer_t *timer)
{
	struct hiphopd *hiphopd = timer->data;
	if (hiphopd->network_missed)
		rest(hiphopd, look(hiphopd, true));
	else
		uv_poll_start(&hiphopd->network_watch.poll, UV_READABLE, on_change);
}

void loop_network_tell(struct hiphopd *hiphopd)
{
	if (!look(hiphopd, true))
		rest(hiphopd, false);
}

bool loop_network_start(struct hiphopd *hiphopd)
{
	uv_timer_init(&hiphopd->loop, &hiphopd->network_rest);
	hiphopd->network_rest.data = hiphopd;
	return loop_watch_start(
		hiphopd, &hiphopd->network_watch, network_watch_descriptor(hiphopd->network), 0, on_change);
}

void loop_network_stop(struct hiphopd *hiphopd)
{
	loop_watch_stop(&hiphopd->network_watch);
	uv_close((uv_handle_t *)&hiphopd->network_rest, NULL);
}
