/* SPDX-License-Identifier: MIT */
/**
 * Members of the overlay that this host was last associated with. They survive a restart and are asked first, so that a
 * host comes back at once, also one that has no bootstrap peer because it is that of others.
 */
#include "daemon/node_internal.h"

#include "hip/base/bytes.h"

#include <string.h>

#define MEMBER_RECORD_LENGTH 20
#define MEMBER_LIFE_MS       (UINT64_C(7) * 86400 * 1000)

static struct known_member *find_member(struct node *node, const struct hit *hit)
{
	for (size_t i = 0; i < node->member_count; i++) {
		if (hit_equal(&node->members[i].hit, hit))
			return &node->members[i];
	}
	return NULL;
}

void node_member_restore(struct node *node, const struct node_record *record)
{
	struct reader reader = reader_over(record->value, record->length);
	struct known_member member = {.restored = true};

	reader_copy(&reader, member.endpoint.address.octets, sizeof(member.endpoint.address.octets));
	member.endpoint.port = reader_u16(&reader);
	member.endpoint.transport = reader_u16(&reader);
	if (reader_status(&reader) || hit_parse(record->key, &member.hit) || !hit_is_host(&member.hit) ||
		member.endpoint.transport > TRANSPORT_IP) {
		log_write(node->log, LOG_LEVEL_WARNING, "a stored member is broken and was left out");
		return;
	}
	if (node->member_count < NODE_MEMBERS_MAXIMUM && !find_member(node, &member.hit))
		node->members[node->member_count++] = member;
}

void node_members_start(struct node *node, instant now)
{
	for (size_t i = 0; i < node->member_count && !node->configuration->outside_overlay; i++) {
		const struct known_member *member = &node->members[i];

		if (!host_learn_locator(node->host, &member->hit, &member->endpoint, false))
			host_connect(node->host, now, &member->hit);
	}
}

static void persist_member(struct node *node, instant now, const struct known_member *member)
{
	uint8_t octets[MEMBER_RECORD_LENGTH];
	struct writer writer = writer_over(octets, sizeof(octets));
	char text[HIT_TEXT_SIZE];

	writer_copy(&writer, member->endpoint.address.octets, sizeof(member->endpoint.address.octets));
	writer_u16(&writer, member->endpoint.port);
	writer_u16(&writer, member->endpoint.transport);
	node_persist(node, "member", hit_format(&member->hit, text), octets, sizeof(octets),
		node_wall(node, now) + MEMBER_LIFE_MS);
}

/* The place of a new member: a free one, or that of the one longest known. */
static struct known_member *take_place(struct node *node)
{
	char text[HIT_TEXT_SIZE];

	if (node->member_count == NODE_MEMBERS_MAXIMUM) {
		node_forget(node, "member", hit_format(&node->members[0].hit, text));
		memmove(node->members, node->members + 1, --node->member_count * sizeof(node->members[0]));
	}
	return &node->members[node->member_count++];
}

void node_member_is_up(struct node *node, instant now, const struct hit *hit)
{
	struct known_member *member = find_member(node, hit);
	struct host_association_view view;

	if (member && member->restored) {
		/* It knows the ring that this host was in before its restart. */
		member->restored = false;
		overlay_bootstrap_up(node->overlay, now, hit);
	}
	if (!host_association_find(node->host, hit, &view) || address_is_unspecified(&view.remote.address))
		return;
	/* An anonymous identity is not to be stored (RFC 7401 section 5.1.2). */
	if (view.anonymous)
		return;
	if (member && endpoint_equal(&member->endpoint, &view.remote))
		return;
	if (!member) {
		member = take_place(node);
		*member = (struct known_member){.hit = *hit};
	}
	member->endpoint = view.remote;
	persist_member(node, now, member);
}
