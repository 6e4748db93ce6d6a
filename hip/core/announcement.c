/* SPDX-License-Identifier: MIT */
/*
 * Our LOCATOR_SET on its way to a peer (RFC 8046 section 5.2): on the path in use, then on the others and through the
 * overlay, until it is acknowledged; and again before the lifetime of what it says is over.
 */
#include "hip/core/host_internal.h"

/* A LOCATOR_SET goes out this often until it is acknowledged; from the second on over the overlay as well. */
#define ANNOUNCEMENT_TRIES   8
#define ANNOUNCEMENT_OVERLAY 1
/* After a change that the rate did not allow to tell. */
#define ANNOUNCEMENT_INTERVAL MILLISECONDS(500)
/* Told again before the lifetime of the locators is over (one hour, candidates.c). */
#define ANNOUNCEMENT_LIFETIME SECONDS(2700)

uint64_t announcement_digest(const struct host *host, const struct session *session)
{
	struct parameter_locator_set set;

	candidates_offer(host, session, &set);
	return candidates_digest(&set);
}

void mobility_announce(instant now, struct association *association)
{
	struct announcement *announcement = &association->session->mobility->announcement;

	announcement->due = true;
	announcement->tries = 0;
	announcement->next = now;
}

/* The path in use first, then each in turn. */
static size_t place_of_try(const struct path_set *set, unsigned tries)
{
	size_t place = (set->current + tries) % set->count;

	while (set->items[place].link_gone)
		place = (place + 1) % set->count;
	return place;
}

static bool may_announce(const struct host *host, instant now, struct session *session)
{
	struct mobility *mobility = session->mobility;
	struct announcement *announcement = &mobility->announcement;

	if (announcement->tries)
		return true;
	if (!token_bucket_take(&mobility->announcements, now)) {
		announcement->next = instant_after(now, ANNOUNCEMENT_INTERVAL);
		return false;
	}
	announcement->update = session->own_update++;
	announcement->digest = announcement_digest(host, session);
	return true;
}

/* The peer is gone, or does not know us any more. */
static void give_up(struct host *host, instant now, struct association *association)
{
	association->session->mobility->announcement.due = false;
	if (!association->initiation)
		initiator_begin(host, now, association);
}

void announcement_run(struct host *host, instant now, struct association *association)
{
	struct mobility *mobility = association->session->mobility;
	struct announcement *announcement = &mobility->announcement;
	/* Without one, of another family than all locators of the peer say, the overlay alone knows a way. */
	bool has_path = path_set_has_link(&mobility->paths);

	if (!announcement->due || now < announcement->next || (!has_path && !host->link_count))
		return;
	if (announcement->tries >= ANNOUNCEMENT_TRIES) {
		give_up(host, now, association);
		return;
	}
	if (!may_announce(host, now, association->session))
		return;
	if (has_path)
		path_check_send(
			host, now, association, place_of_try(&mobility->paths, announcement->tries), NULL, NULL, true);
	if (!has_path || announcement->tries >= ANNOUNCEMENT_OVERLAY)
		path_check_send_over_overlay(host, association);
	announcement->tries++;
	announcement->next = instant_after(
		now, path_check_wait(association, path_set_current(&mobility->paths), announcement->tries));
}

void announcement_acknowledged(struct host *host, instant now, struct association *association)
{
	struct mobility *mobility = association->session->mobility;

	mobility->announcement.due = false;
	mobility->told = mobility->announcement.digest;
	mobility->told_at = now;
	if (mobility->told != announcement_digest(host, association->session))
		mobility_announce(now, association);
	else if (host->configuration.rekey_on_move && mobility->handover.reason == HANDOVER_LINK_GONE)
		(void)rekey_begin(host, now, association, false);
}

instant announcement_next(const struct host *host, const struct mobility *mobility)
{
	if (mobility->announcement.due)
		return path_set_has_link(&mobility->paths) || host->link_count ? mobility->announcement.next
									       : INSTANT_NEVER;
	return mobility->told ? instant_after(mobility->told_at, ANNOUNCEMENT_LIFETIME) : INSTANT_NEVER;
}
