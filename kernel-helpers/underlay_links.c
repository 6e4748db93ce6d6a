/* SPDX-License-Identifier: MIT */
/** Which interface a packet leaves by. */
#include "kernel-helpers/route_question.h"
#include "kernel-helpers/underlay_internal.h"

#include <stdlib.h>
#include <string.h>

/** Pairs of addresses whose way is remembered. A power of two. */
#define WAYS 1024

/** What the kernel said of one pair. */
struct known_way {
	struct address local, remote;
	struct underlay_way way;
	bool known;
};

struct underlay_links {
	struct route_asker asker;
	struct link_address links[UNDERLAY_LINKS];
	size_t count;
	/** They are of more than one interface, or were, so there is something to decide: the routes of one that has
	 * gone may outlive its addresses for a moment. */
	bool several;
	struct known_way ways[WAYS];
};

hiphop_error underlay_open_routes(struct underlay_sockets *sockets)
{
	struct underlay_links *links = calloc(1, sizeof *links);
	if (!links)
		return HIPHOP_NO_MEMORY;
	hiphop_error error = route_asker_open(&links->asker);
	if (error) {
		free(links);
		return error;
	}
	sockets->links = links;
	return HIPHOP_OK;
}

void underlay_links_free(struct underlay_links *links)
{
	if (links)
		route_asker_close(&links->asker);
	free(links);
}

void underlay_set_links(struct underlay_sockets *sockets, const struct link_address *list, size_t count)
{
	struct underlay_links *links = sockets->links;
	if (!links)
		return;
	links->count = count < UNDERLAY_LINKS ? count : UNDERLAY_LINKS;
	for (size_t i = 0; i < links->count; i++) {
		links->links[i] = list[i];
		links->several |= list[i].interface != list[0].interface;
	}
	memset(links->ways, 0, sizeof links->ways);
}

/** 0 when it is none of ours, or has no one interface. */
static uint32_t interface_of(const struct underlay_links *links, const struct address *local)
{
	uint32_t found = 0;
	for (size_t i = 0; i < links->count; i++) {
		if (!address_equal(&links->links[i].address, local))
			continue;
		if (found && found != links->links[i].interface)
			return 0;
		found = links->links[i].interface;
	}
	return found;
}

/** With the source given. A rule of the user's for this source counts, as it does without an interface. */
static bool obeys_with_source(struct underlay_links *links, const struct route_question *bound)
{
	struct route_answer answer;
	return route_ask(&links->asker, bound, &answer) && answer.interface == bound->interface && answer.to_others;
}

/** IPv6 takes the interface for a wish only, as long as the source is given: the least metric wins, or the hash of the
 *  flow. Without a source it obeys, and chooses the source itself. */
static bool obeys_without_source(struct underlay_links *links, const struct route_question *bound)
{
	struct route_question question = *bound;
	struct route_answer answer;
	question.local = (struct address){0};
	return !address_is_ipv4(&bound->local) && route_ask(&links->asker, &question, &answer) &&
	       answer.interface == bound->interface && answer.to_others && address_equal(&answer.source, &bound->local);
}

static bool is_dealt_out(struct underlay_links *links, const struct route_question *bound)
{
	struct route_question question = *bound;
	struct route_answer answer;
	question.about_entry = true;
	return !address_is_ipv4(&bound->local) && route_ask(&links->asker, &question, &answer) && answer.dealt_out;
}

static bool is_to_ourselves(struct underlay_links *links, const struct route_question *bound)
{
	struct route_question question = *bound;
	struct route_answer answer;
	question.interface = 0;
	return route_ask(&links->asker, &question, &answer) && !answer.to_others;
}

/** The kernel knows a way to just these addresses, by another interface, where ours has a default route alone. */
static bool leads_elsewhere(struct underlay_links *links, const struct route_question *bound)
{
	struct route_question question = *bound;
	struct route_answer routed, own;
	question.about_entry = true;
	question.interface = 0;
	if (!route_ask(&links->asker, &question, &routed) || !routed.is_special || routed.interface == bound->interface)
		return false;
	question.interface = bound->interface;
	return !route_ask(&links->asker, &question, &own) || !own.is_special;
}

static struct underlay_way ask_way(
	struct underlay_links *links, const struct address *local, const struct address *remote)
{
	const struct underlay_way as_routed = {0};
	const struct route_question bound = {
		.local = *local, .remote = *remote, .interface = interface_of(links, local)};
	const struct underlay_way named = {.interface = bound.interface},
				  nameless = {.interface = bound.interface, .nameless = true};
	if (!bound.interface || is_to_ourselves(links, &bound) || leads_elsewhere(links, &bound))
		return as_routed;
	if (is_dealt_out(links, &bound) && obeys_without_source(links, &bound))
		return nameless;
	if (obeys_with_source(links, &bound))
		return named;
	return obeys_without_source(links, &bound) ? nameless : as_routed;
}

/** Two pairs in one place push each other out, which costs a question and no more, so nothing here is secret. */
static struct known_way *place_of(
	struct underlay_links *links, const struct address *local, const struct address *remote)
{
	uint64_t parts[4], sum = 0;
	memcpy(parts, local->octets, 16);
	memcpy(parts + 2, remote->octets, 16);
	for (size_t i = 0; i < 4; i++) {
		sum = (sum ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
	}
	return &links->ways[sum % WAYS];
}

static bool is_of(const struct known_way *known, const struct address *local, const struct address *remote)
{
	return known->known && address_equal(&known->local, local) && address_equal(&known->remote, remote);
}

struct underlay_way underlay_way_between(
	struct underlay_links *links, const struct address *local, const struct address *remote)
{
	if (!links || !links->several)
		return (struct underlay_way){0};
	struct known_way *known = place_of(links, local, remote);
	if (!is_of(known, local, remote))
		*known = (struct known_way){
			.local = *local, .remote = *remote, .way = ask_way(links, local, remote), .known = true};
	return known->way;
}

void underlay_way_failed(struct underlay_links *links, const struct address *local, const struct address *remote)
{
	struct known_way *known = place_of(links, local, remote);
	if (is_of(known, local, remote))
		known->known = false;
}
