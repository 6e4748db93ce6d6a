/* SPDX-License-Identifier: MIT */
/*
 * Certificates in the node: who verifies those of peers, who is "certified" in the rules of access, and what is shown.
 */
#include "daemon/node_certificates.h"

#include "daemon/node_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void node_check_certificates(void *context, instant now, const struct host_identity *holder,
	const struct certificate_item *items, size_t count, struct certificate_report *report)
{
	const struct node *node = ((struct local_identity *)context)->node;

	certificate_verify(node->environment.authorities, items, count, holder, node_wall(node, now), report);
}

const struct certificate_chain *node_own_certificates(const struct local_identity *local)
{
	const struct node *node = local->node;
	const struct certificate_chain *all = node->environment.certificates;
	size_t place = (size_t)(local - node->locals);

	return all && all[place].count ? &all[place] : NULL;
}

bool node_is_certified(void *context, const struct hit *peer)
{
	const struct node *node = context;
	struct host_association_view view;

	for (size_t i = 0; i < node->local_count; i++) {
		if (host_association_find(node->locals[i].host, peer, &view) &&
			view.certificate_state == HOST_CERTIFICATE_VALID && view.certificate->valid_until > node->wall)
			return true;
	}
	return false;
}

/* RFC 3339, or null for a time that is none. */
static json_t *moment_json(wall_milliseconds wall)
{
	time_t seconds = (time_t)(wall / 1000);
	struct tm parts;
	char text[32];

	if (!wall || !gmtime_r(&seconds, &parts) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts))
		return json_null();
	return json_string(text);
}

/* A stranger's words may be anything. */
static json_t *words_json(const char *words)
{
	json_t *text = *words ? json_string(words) : NULL;

	return text ? text : json_null();
}

json_t *node_certificate_json(const struct host_association_view *view)
{
	const struct certificate_report *report = view->certificate;
	bool valid = view->certificate_state == HOST_CERTIFICATE_VALID;

	if (view->certificate_state == HOST_CERTIFICATE_PENDING)
		return json_pack("{s:b, s:n, s:n, s:n, s:s}", "verified", false, "subject", "issuer", "valid_until",
			"trouble", "the rest of it is awaited");
	if (!report)
		return json_null();
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "verified", valid, "subject", words_json(report->subject),
		"issuer", words_json(report->issuer), "valid_until", moment_json(report->valid_until), "trouble",
		valid ? json_null() : json_string(certificate_verdict_text(report->verdict)));
}

void node_certificates_trouble(const struct node *node, json_t *trouble)
{
	size_t count;
	const struct access_rule *rules = access_rules(node->access, &count);
	bool asked = false;

	for (size_t i = 0; i < count; i++)
		asked |= rules[i].who == ACCESS_CERTIFIED;
	if (asked && !node->environment.authorities)
		json_array_append_new(trouble,
			json_string("A rule is about certified hosts, and access.certificate_authorities is empty: "
				    "nobody is one."));
}
