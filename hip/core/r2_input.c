/* SPDX-License-Identifier: MIT */
/*
 * R2 → session (RFC 7401 section 6.10).
 */
#include "hip/core/state_actions.h"

/* No R1 is shorter: puzzle, public value, Host Identity and signature of the smallest suite. */
#define R1_OCTETS_LEAST 240

#include <string.h>

static const struct way *way_in_use(const struct acceptance *acceptance, const struct incoming *in)
{
	/* The R2 answers an I2 that went to another locator, perhaps. */
	for (size_t i = 0; i < acceptance->way_count && !in->arrival->inside_esp; i++) {
		const struct way *way = &acceptance->ways[i];

		if (!way->overlay && endpoint_equal(&way->remote, &in->arrival->remote))
			return way;
	}
	return &acceptance->ways[acceptance->way];
}

static void fill_session(struct host *host, struct session *session, const struct incoming *in,
	struct acceptance *acceptance, uint32_t spi_out)
{
	const struct way *way = way_in_use(acceptance, in);

	session->state = in->rule->next;
	session->initiator = true;
	session->direct = !in->overlay && !way->overlay;
	session->carries_hip = acceptance->carries_hip;
	session->overlay_hops = acceptance->overlay_hops;
	if (session->direct) {
		session->local = in->arrival->local;
		session->remote = way->remote;
	}
	session->spi_in = acceptance->spi_in;
	session->spi_out = spi_out;
	/* What has come from the peer may go where it has not answered (RFC 8046 section 5.6). */
	session->credit = (uint32_t)in->length + R1_OCTETS_LEAST;
	session->keys = acceptance->keys;
	session->own_key = acceptance->own_key;
	acceptance->own_key = NULL;
	session->peer_public = acceptance->peer_public;
	acceptance->peer_public = (struct buffer){NULL, 0};
	session->identity = acceptance->identity;
	acceptance->identity = NULL;
	session->opaque_mark = host->next_opaque;
	session->peer_counter = acceptance->counter;
	/* The SPI stays registered; the session has it now. */
	acceptance->spi_in = 0;
}

static void note_responder(struct association *association, const struct acceptance *acceptance)
{
	struct parameter_list list;
	const struct parameter_view *host_id = NULL;

	if (!parameters_parse(acceptance->host_id.data, acceptance->host_id.length, &list))
		host_id = parameters_find(&list, PARAMETER_HOST_ID);
	association_note_peer(association, acceptance->anonymous, host_id);
}

static bool is_on_probation(struct host *host, const struct incoming *in, const struct association *association)
{
	const struct initiation *initiation = association->initiation;
	struct host_claim claim = {.proved = true,
		.over_overlay = in->overlay || initiation->acceptance->overlay_hops > 0,
		.certificate = peer_certificates_state(initiation->certificates, true)};

	if (association->name)
		claim.name = *association->name;
	return peer_may_associate(host, in->now, &association->peer, &claim) != HOST_ALLOWED;
}

/* Those of the R1 and of this R2 are what the peer is judged by. */
static hiphop_error note_certificates(
	struct host *host, const struct incoming *in, struct association *association, struct session *session)
{
	struct initiation *initiation = association->initiation;
	const struct acceptance *acceptance = initiation->acceptance;
	hiphop_error error =
		certificates_take(host, in->now, &in->view, acceptance->identity, &initiation->certificates);

	if (!error)
		error = certificates_prepare(host, session, initiation->certificates,
			is_on_probation(host, in, association), 0, acceptance->certificates_sent);
	if (!error)
		association_note_certificates(host, association, &initiation->certificates);
	return error;
}

static void commit(struct host *host, const struct incoming *in, struct association *association, uint32_t spi_out)
{
	struct initiation *initiation = association->initiation;
	bool direct = !in->overlay && !way_in_use(initiation->acceptance, in)->overlay;
	struct session *session = session_make();
	struct queued_effect *change = effect_make(HOST_ASSOCIATION, 0);
	struct queued_effect *install = direct ? effect_make(HOST_INSTALL_SA, 0) : NULL;

	note_responder(association, initiation->acceptance);
	if (!session || !change || (direct && !install) || note_certificates(host, in, association, session)) {
		session_free(session);
		effect_discard(change);
		effect_discard(install);
		count(host, HOST_COUNT_DROP_NO_MEMORY);
		return;
	}
	if (initiation->tries == 1)
		association->round_trip = in->now - initiation->sent;
	fill_session(host, session, in, initiation->acceptance, spi_out);
	session_commit(host, in->now, association, session, &initiation->acceptance->esp_keys, install, change);
	locator_set_take_of_r2(host, in, association);
	certificates_settle(host, in->now, association);
}

/* Under the right MAC it is the Responder who is told what was wrong. */
static hiphop_error verify(struct host *host, const struct incoming *in, const struct acceptance *acceptance)
{
	const struct span host_id = {acceptance->host_id.data, acceptance->host_id.length};
	hiphop_error error = verify_mac_2(host, in, &acceptance->keys, host_id);

	if (error)
		return error;
	error = verify_signature(host, in, acceptance->identity, PARAMETER_HIP_SIGNATURE);
	if (error)
		notify_sender(host, in, NOTIFY_AUTHENTICATION_FAILED, (struct span){NULL, 0}, SHOWN_KEYS);
	return error;
}

void r2_input(struct host *host, struct incoming *in)
{
	struct association *association = association_find(host, &in->view.sender);
	const struct acceptance *acceptance = association->initiation->acceptance;
	struct parameter_esp_info esp_info;

	if (parameter_esp_info_read(packet_find(&in->view, PARAMETER_ESP_INFO), &esp_info)) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		return;
	}
	if (verify(host, in, acceptance))
		return;
	if (esp_info.new_spi < 256 || esp_info.keymat_index != acceptance->keys.keymat_index) {
		count(host, HOST_COUNT_DROP_MALFORMED);
		notify_sender(host, in, NOTIFY_INVALID_SYNTAX, (struct span){NULL, 0}, SHOWN_IDENTITY);
		return;
	}
	commit(host, in, association, esp_info.new_spi);
}
