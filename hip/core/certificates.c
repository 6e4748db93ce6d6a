/* SPDX-License-Identifier: MIT */
#include "hip/core/certificates.h"

#include "hip/wire/constants.h"
#include "hip/wire/parameters.h"

#include <stdlib.h>
#include <string.h>

#define OWN_GROUP 1
/* Type, Length, and the four octets in front of the certificate. */
#define CERT_OVERHEAD 8

/* ---- own ---- */

size_t own_certificates_write(
	const struct certificate_chain *chain, struct packet_builder *builder, size_t from, size_t reserve)
{
	for (; chain && from < chain->count; from++) {
		const struct buffer *certificate = &chain->certificates[from];
		const struct parameter_cert cert = {.group = OWN_GROUP,
			.count = (uint8_t)chain->count,
			.id = (uint8_t)(from + 1),
			.type = CERTIFICATE_X509,
			.certificate = {certificate->data, certificate->length}};
		size_t length = (CERT_OVERHEAD + certificate->length + 7) / 8 * 8;
		size_t used = builder->writer.position;

		if (used + length + reserve > HIP_PACKET_MAXIMUM || parameter_cert_write(builder, &cert))
			return from;
	}
	return from;
}

/* ---- groups ---- */

static void group_free(struct certificate_group *group, struct certificate_space *space)
{
	if (!group)
		return;
	for (size_t i = 0; i < CERTIFICATE_CHAIN_MAXIMUM; i++)
		buffer_free(&group->parts[i]);
	free(group);
	space->groups--;
}

static struct certificate_group *group_make(struct certificate_space *space, const struct parameter_cert *cert)
{
	struct certificate_group *group = space->groups < CERTIFICATE_GROUPS_MAXIMUM ? calloc(1, sizeof *group) : NULL;

	if (!group)
		return NULL;
	space->groups++;
	group->number = cert->group;
	group->count = cert->count;
	return group;
}

void peer_certificates_give_up(struct peer_certificates *certificates, struct certificate_space *space)
{
	group_free(certificates->group, space);
	certificates->group = NULL;
}

void peer_certificates_free(struct peer_certificates *certificates, struct certificate_space *space)
{
	if (!certificates)
		return;
	peer_certificates_give_up(certificates, space);
	free(certificates);
}

host_certificate_state peer_certificates_state(const struct peer_certificates *certificates, bool last)
{
	if (certificates && certificates->judged && certificates->report.verdict == CERTIFICATE_VALID)
		return HOST_CERTIFICATE_VALID;
	if ((certificates && certificates->group) || !last)
		return HOST_CERTIFICATE_PENDING;
	return certificates && certificates->judged ? HOST_CERTIFICATE_INVALID : HOST_CERTIFICATE_NONE;
}

/* ---- judging ---- */

/* A valid one is not undone by another group that does not hold. */
static void keep_report(
	struct peer_certificates *certificates, const struct certificate_report *report, uint8_t group, uint8_t culprit)
{
	if (certificates->judged && certificates->report.verdict == CERTIFICATE_VALID &&
		report->verdict != CERTIFICATE_VALID)
		return;
	certificates->judged = true;
	certificates->report = *report;
	certificates->culprit_group = report->verdict == CERTIFICATE_VALID ? 0 : group;
	certificates->culprit_id = report->verdict == CERTIFICATE_VALID ? 0 : culprit;
}

static void judge_group(
	struct peer_certificates *certificates, const struct certificate_judge *judge, struct certificate_group *group)
{
	struct certificate_item items[CERTIFICATE_CHAIN_MAXIMUM];
	struct certificate_report report = {.verdict = CERTIFICATE_NO_AUTHORITIES};

	for (size_t i = 0; i < group->count; i++)
		items[i] = (struct certificate_item){group->types[i], {group->parts[i].data, group->parts[i].length}};
	if (judge->environment->check_certificates)
		judge->environment->check_certificates(
			judge->environment->context, judge->now, judge->holder, items, group->count, &report);
	keep_report(certificates, &report, group->number,
		report.culprit < group->count ? (uint8_t)(report.culprit + 1) : 0);
}

static void misgrouped(
	struct peer_certificates *certificates, struct certificate_space *space, const struct parameter_cert *cert)
{
	const struct certificate_report report = {.verdict = CERTIFICATE_MISGROUPED};

	peer_certificates_give_up(certificates, space);
	keep_report(certificates, &report, cert->group, cert->id);
}

/* ---- taking ---- */

static bool may_be_in_a_group(const struct parameter_cert *cert)
{
	return cert->count >= 1 && cert->count <= CERTIFICATE_CHAIN_MAXIMUM && cert->id >= 1 && cert->id <= cert->count;
}

/* The same certificate again is none too many: packets are retransmitted. */
static bool is_there(const struct certificate_group *group, const struct parameter_cert *cert, bool *same)
{
	const struct buffer *part = &group->parts[cert->id - 1];

	*same = group->types[cert->id - 1] == cert->type && part->length == cert->certificate.length &&
		(!part->length || memcmp(part->data, cert->certificate.data, part->length) == 0);
	return part->data != NULL;
}

static hiphop_error take_part(struct peer_certificates *certificates, struct certificate_space *space,
	const struct certificate_judge *judge, const struct parameter_cert *cert)
{
	struct certificate_group *group = certificates->group;
	hiphop_error error;
	bool same;

	if (group->count != cert->count || (is_there(group, cert, &same) && !same)) {
		misgrouped(certificates, space, cert);
		return HIPHOP_OK;
	}
	if (is_there(group, cert, &same))
		return HIPHOP_OK;
	error = buffer_copy(&group->parts[cert->id - 1], cert->certificate.data, cert->certificate.length);
	if (error)
		return error;
	group->types[cert->id - 1] = cert->type;
	if (++group->have < group->count)
		return HIPHOP_OK;
	judge_group(certificates, judge, group);
	peer_certificates_give_up(certificates, space);
	return HIPHOP_OK;
}

static hiphop_error take_one(struct peer_certificates *certificates, struct certificate_space *space,
	const struct certificate_judge *judge, const struct parameter_cert *cert)
{
	if (!cert->certificate.length || cert->certificate.length > HIP_PARAMETERS_MAXIMUM ||
		!may_be_in_a_group(cert)) {
		misgrouped(certificates, space, cert);
		return HIPHOP_OK;
	}
	/* Another group begins: the one before is not to be completed any more. */
	if (certificates->group && certificates->group->number != cert->group)
		peer_certificates_give_up(certificates, space);
	if (!certificates->group)
		certificates->group = group_make(space, cert);
	return certificates->group ? take_part(certificates, space, judge, cert) : HIPHOP_NO_MEMORY;
}

/* Groups stand in ascending order in a packet, and only the last of them may be incomplete (RFC 8002 section 2). */
static bool breaks_the_order(
	const struct peer_certificates *certificates, const struct parameter_cert *cert, const uint8_t *before)
{
	if (!before)
		return false;
	return cert->group < *before || (cert->group > *before && certificates->group);
}

hiphop_error peer_certificates_take(struct peer_certificates **certificates, struct certificate_space *space,
	const struct certificate_judge *judge, const struct packet_view *view)
{
	struct parameter_cert cert;
	uint8_t before = 0;
	hiphop_error error = HIPHOP_OK;

	if (!packet_find(view, PARAMETER_CERT))
		return HIPHOP_OK;
	if (!*certificates)
		*certificates = calloc(1, sizeof **certificates);
	if (!*certificates)
		return HIPHOP_NO_MEMORY;
	for (size_t nth = 0; !error && nth < CERTIFICATES_OF_PACKET; nth++) {
		if (parameter_cert_read(packet_find_nth(view, PARAMETER_CERT, nth), &cert))
			break;
		if (breaks_the_order(*certificates, &cert, nth ? &before : NULL)) {
			misgrouped(*certificates, space, &cert);
			break;
		}
		before = cert.group;
		error = take_one(*certificates, space, judge, &cert);
	}
	return error;
}
