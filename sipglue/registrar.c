/* SPDX-License-Identifier: MIT */
#include "sipglue/registrar.h"

#include "sipglue/bindings.h"
#include "sipglue/library_memory.h"
#include "sipglue/place.h"
#include "sipglue/registration_record.h"
#include "sipglue/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** A SIP_STORE whose answer is awaited. */
struct pending_store {
	TAILQ_ENTRY(pending_store) link;
	uint64_t token;
	struct transaction *transaction; /* NULL: a registration brought back after a restart */
	struct deadline deadline;
};

static const uint16_t quality_of_no_q = 1000;

/* ---- Reading a REGISTER ---- */

static bool is_star(const osip_contact_t *contact)
{
	return contact->displayname && strcmp(contact->displayname, "*") == 0 && !contact->url;
}

/** q as thousandths; 1.0 when it is absent or no q value. */
static uint16_t contact_quality(osip_contact_t *contact)
{
	const char *q = parameter_value(&contact->gen_params, "q");
	if (!q || (*q != '0' && *q != '1'))
		return quality_of_no_q;
	uint16_t value = 0, weight = 100;
	if (*q == '1')
		return quality_of_no_q;
	for (q += q[1] == '.' ? 2 : 1; *q >= '0' && *q <= '9' && weight; q++, weight /= 10)
		value = (uint16_t)(value + (*q - '0') * weight);
	return value;
}

/** Section 10.2.1.1: the contact's own `expires`, else the Expires header, else our default; cut to our maximum. */
static uint32_t requested_expires(const struct sip *sip, const struct message *request, osip_contact_t *contact)
{
	const char *text = parameter_value(&contact->gen_params, "expires");
	uint64_t seconds = sip->limits.default_expires_s;
	if (!text)
		text = message_header(request, "expires");
	if (text && number_parse(text, UINT32_MAX, &seconds) != HIPHOP_OK)
		seconds = sip->limits.default_expires_s; /* malformed counts as not given, section 10.2.1.1 */
	return (uint32_t)(seconds < sip->limits.maximum_expires_s ? seconds : sip->limits.maximum_expires_s);
}

static osip_contact_t *contact_at(const struct message *request, int index)
{
	return osip_list_get(&request->osip->contacts, index);
}

static int contact_count(const struct message *request)
{
	return osip_list_size(&request->osip->contacts);
}

/** The status of a Contact that cannot be taken, or 0. */
static int check_contact(const struct sip *sip, const struct message *request, osip_contact_t *contact,
	const struct registration *registration)
{
	char *text = NULL, call_id[SIP_TEXT_SIZE];
	uint32_t seconds = requested_expires(sip, request, contact);
	if (!contact->url || !place_uri_is_sip(contact->url) || !contact->url->host)
		return 400;
	if (osip_uri_to_str(contact->url, &text) != OSIP_SUCCESS)
		return 500;
	bool fits = strlen(text) < SIP_TEXT_SIZE;
	osip_free(text);
	if (!fits)
		return 400;
	if (seconds > 0 && seconds < sip->limits.minimum_expires_s)
		return 423;
	const struct binding *old = registration ? binding_find(registration, contact->url) : NULL;
	message_call_id(request, call_id);
	/* Section 10.3 step 7: out of order, so the whole request fails. */
	return old && strcmp(old->call_id, call_id) == 0 && message_cseq(request) <= old->cseq ? 500 : 0;
}

static int check_star(const struct message *request)
{
	const char *expires = message_header(request, "expires");
	uint64_t seconds = 1;
	bool zero = expires && number_parse(expires, UINT32_MAX, &seconds) == HIPHOP_OK && seconds == 0;
	return contact_count(request) == 1 && zero ? 0 : 400;
}

static int check_contacts(const struct sip *sip, const struct message *request, const struct registration *registration)
{
	int count = contact_count(request);
	if (count > BINDINGS_MAXIMUM)
		return 403;
	for (int i = 0; i < count; i++) {
		osip_contact_t *contact = contact_at(request, i);
		int status =
			is_star(contact) ? check_star(request) : check_contact(sip, request, contact, registration);
		if (status)
			return status;
	}
	return 0;
}

/** Whether each Contact of a phone of a local network is of that network, or nowhere here: it must not make this host
 *  send to its own services. One that is nowhere is reached where the registration came from. */
static bool contacts_fit_source(const struct sip *sip, const struct transaction *transaction)
{
	const struct address *source = &transaction->source.remote.address;
	for (int i = 0; place_network(sip, source) && i < contact_count(transaction->request); i++) {
		const osip_contact_t *contact = contact_at(transaction->request, i);
		struct address literal;
		if (!contact->url || !place_literal(contact->url->host, &literal) || !place_is_own(sip, &literal))
			continue;
		if (place_is_host(sip, &literal) || place_network(sip, &literal) != place_network(sip, source))
			return false;
	}
	return true;
}

/** Steps 1 to 5 of section 10.3. The status to refuse with, or 0 with the Address-of-Record. */
static int check_request(const struct sip *sip, const struct transaction *transaction, char aor[static SIP_TEXT_SIZE])
{
	const struct message *request = transaction->request;
	const osip_uri_t *to = request->osip->to->url;
	if (!place_is_own(sip, &transaction->source.remote.address) || !contacts_fit_source(sip, transaction))
		return 403;
	if (!place_uri_is_sip(to) || !to->host || strcasecmp(to->host, sip->domain) != 0)
		return 404;
	if (place_aor(to, sip->domain, aor) != HIPHOP_OK)
		return 404;
	return check_contacts(sip, request, registration_find(sip, aor));
}

/* ---- Committing ---- */

static hiphop_error fill_binding(const struct sip *sip, const struct transaction *transaction, osip_contact_t *contact,
	uint32_t seconds, struct binding **filled)
{
	char *text = NULL;
	struct binding *made = calloc(1, sizeof *made);
	if (!made || uri_copy(contact->url, &made->uri) != HIPHOP_OK ||
		osip_uri_to_str(contact->url, &text) != OSIP_SUCCESS) {
		binding_free(made);
		return HIPHOP_NO_MEMORY;
	}
	snprintf(made->contact, sizeof made->contact, "%s", text);
	osip_free(text);
	made->quality = contact_quality(contact);
	made->cseq = message_cseq(transaction->request);
	message_call_id(transaction->request, made->call_id);
	made->expires = instant_after(sip->now, SECONDS(seconds));
	made->has_flow = true;
	made->flow = transaction->source;
	*filled = made;
	return HIPHOP_OK;
}

static hiphop_error commit_contact(struct sip *sip, const struct transaction *transaction,
	struct registration *registration, osip_contact_t *contact)
{
	uint32_t seconds = requested_expires(sip, transaction->request, contact);
	struct binding *filled;
	if (seconds == 0) {
		struct binding *old = binding_find(registration, contact->url);
		if (old)
			binding_remove(sip, registration, old, SIP_EVENT_UNREGISTERED);
		return HIPHOP_OK;
	}
	hiphop_error error = fill_binding(sip, transaction, contact, seconds, &filled);
	if (error)
		return error;
	error = binding_put(sip, registration, filled);
	if (error)
		binding_free(filled);
	return error;
}

static hiphop_error commit(struct sip *sip, const struct transaction *transaction, const char *aor)
{
	struct registration *registration;
	const struct message *request = transaction->request;
	hiphop_error error = registration_make(sip, aor, &registration);
	if (error)
		return error;
	for (int i = 0; i < contact_count(request) && !error; i++) {
		osip_contact_t *contact = contact_at(request, i);
		if (is_star(contact))
			while (registration->count)
				binding_remove(sip, registration, registration->bindings[0], SIP_EVENT_UNREGISTERED);
		else
			error = commit_contact(sip, transaction, registration, contact);
	}
	registration_settle(sip, registration);
	return error;
}

/* ---- Answering ---- */

static hiphop_error list_contacts(struct sip *sip, const char *aor, struct message *response)
{
	const struct registration *registration = registration_find(sip, aor);
	hiphop_error error = HIPHOP_OK;
	for (size_t i = 0; registration && i < registration->count && !error; i++) {
		char line[SIP_TEXT_SIZE + 64];
		const struct binding *binding = registration->bindings[i];
		snprintf(line, sizeof line, "<%s>;q=%u.%03u;expires=%u", binding->contact,
			(unsigned)binding->quality / 1000U, (unsigned)binding->quality % 1000U,
			binding_seconds_left(binding, sip->now));
		library_memory_watch();
		if (osip_message_set_contact(response->osip, line) != OSIP_SUCCESS || library_memory_failed())
			error = HIPHOP_NO_MEMORY;
	}
	return error;
}

static void answer_contacts(struct sip *sip, struct transaction *transaction, const char *aor)
{
	struct message *response = NULL;
	hiphop_error error = message_response(transaction->request, 200, transaction->to_tag, &response);
	if (!error)
		error = list_contacts(sip, aor, response);
	if (!error)
		error = transaction_respond(sip, transaction, response);
	message_free(response);
	if (error)
		transaction_answer(sip, transaction, 500, NULL, NULL);
}

static void answer_status(struct sip *sip, struct transaction *transaction, int status)
{
	char minimum[16];
	snprintf(minimum, sizeof minimum, "%u", sip->limits.minimum_expires_s);
	transaction_answer(sip, transaction, status, status == 423 ? "Min-Expires" : NULL, minimum);
}

/** Checks again, since time has passed; then commits and answers. */
static void commit_and_answer(struct sip *sip, struct transaction *transaction)
{
	char aor[SIP_TEXT_SIZE];
	int status = check_request(sip, transaction, aor);
	if (!status) {
		hiphop_error error = commit(sip, transaction, aor);
		status = error == HIPHOP_LIMITED ? 503 : error ? 500 : 0;
	}
	if (status)
		answer_status(sip, transaction, status);
	else
		answer_contacts(sip, transaction, aor);
}

/* ---- Storing ---- */

/** The longest life that the Address-of-Record would have after this request; 0 when no contact would be left. */
static uint32_t lifetime_after(const struct sip *sip, const struct message *request, const char *aor)
{
	const struct registration *registration = registration_find(sip, aor);
	uint32_t longest = 0;
	for (int i = 0; i < contact_count(request); i++) {
		osip_contact_t *contact = contact_at(request, i);
		if (is_star(contact))
			return 0;
		uint32_t seconds = requested_expires(sip, request, contact);
		longest = seconds > longest ? seconds : longest;
	}
	for (size_t i = 0; registration && i < registration->count; i++) {
		const struct binding *binding = registration->bindings[i];
		bool replaced = false;
		for (int j = 0; j < contact_count(request); j++)
			replaced |= place_uri_equal(contact_at(request, j)->url, binding->uri);
		uint32_t left = binding_seconds_left(binding, sip->now);
		longest = !replaced && left > longest ? left : longest;
	}
	return longest;
}

static hiphop_error push_store(struct sip *sip, const char *aor, uint64_t token, uint32_t lifetime_s)
{
	uint8_t octets[REGISTRATION_RECORD_MAXIMUM];
	size_t length;
	struct registration_record record = {
		.type = REGISTRATION_ROUTE, .destinations = {sip->self}, .destination_count = 1};
	hiphop_error error = registration_record_encode(&record, octets, sizeof octets, &length);
	if (!error)
		effect_push(sip, &(struct sip_effect){.kind = SIP_STORE,
					 .token = token,
					 .aor = aor,
					 .octets = {octets, length},
					 .lifetime_s = lifetime_s});
	return error;
}

static hiphop_error store(struct sip *sip, struct transaction *transaction, const char *aor, uint32_t lifetime_s)
{
	if (engine_admit_deadlines(sip, 1) != HIPHOP_OK)
		return HIPHOP_NO_MEMORY;
	struct pending_store *pending = calloc(1, sizeof *pending);
	if (!pending) {
		sip->deadlines_admitted--;
		return HIPHOP_NO_MEMORY;
	}
	pending->token = ++sip->next_token;
	pending->transaction = transaction;
	TAILQ_INSERT_TAIL(&sip->stores, pending, link);
	engine_set_deadline(sip, &pending->deadline, DEADLINE_STORE, pending, WAIT_FOR_OVERLAY);
	return push_store(sip, aor, pending->token, lifetime_s);
}

static void store_free(struct sip *sip, struct pending_store *store)
{
	engine_retire_deadline(sip, &store->deadline);
	TAILQ_REMOVE(&sip->stores, store, link);
	free(store);
}

static void store_done(struct sip *sip, struct pending_store *store, hiphop_error error)
{
	struct transaction *transaction = store->transaction;
	store_free(sip, store);
	if (!transaction)
		return;
	if (!error)
		commit_and_answer(sip, transaction);
	else
		answer_status(sip, transaction, error == HIPHOP_REFUSED ? 403 : error == HIPHOP_TIMEOUT ? 504 : 500);
}

void sip_stored(struct sip *sip, instant now, uint64_t token, hiphop_error error)
{
	struct pending_store *each;
	sip->now = now;
	TAILQ_FOREACH(each, &sip->stores, link)
	if (each->token == token) {
		store_done(sip, each, error);
		return;
	}
}

void registrar_store_deadline(struct sip *sip, struct pending_store *store)
{
	store_done(sip, store, HIPHOP_TIMEOUT);
}

void registrar_free(struct sip *sip)
{
	while (!TAILQ_EMPTY(&sip->stores))
		store_free(sip, TAILQ_FIRST(&sip->stores));
	registrations_free(sip);
}

void registrar_request(struct sip *sip, struct transaction *transaction)
{
	char aor[SIP_TEXT_SIZE];
	const struct message *request = transaction->request;
	int status = check_request(sip, transaction, aor);
	if (status) {
		answer_status(sip, transaction, status);
		return;
	}
	uint32_t lifetime_s = lifetime_after(sip, request, aor);
	if (contact_count(request) == 0)
		answer_contacts(sip, transaction, aor);
	else if (lifetime_s == 0)
		commit_and_answer(sip, transaction);
	else if (store(sip, transaction, aor, lifetime_s) != HIPHOP_OK)
		answer_status(sip, transaction, 500);
}

/* ---- After a restart ---- */

static hiphop_error restore_binding(const char *contact, uint16_t quality, instant expires, struct binding **restored)
{
	struct binding *made = calloc(1, sizeof *made);
	if (!made || osip_uri_init(&made->uri) != OSIP_SUCCESS) {
		binding_free(made);
		return HIPHOP_NO_MEMORY;
	}
	snprintf(made->contact, sizeof made->contact, "%s", contact);
	made->quality = quality;
	made->expires = expires;
	if (osip_uri_parse(made->uri, contact) != OSIP_SUCCESS || !place_uri_is_sip(made->uri) || !made->uri->host) {
		binding_free(made);
		return HIPHOP_MALFORMED;
	}
	*restored = made;
	return HIPHOP_OK;
}

hiphop_error sip_restore_registration(
	struct sip *sip, instant now, const char *aor, const char *contact, uint16_t quality, uint32_t expires_s)
{
	struct binding *restored;
	struct registration *registration;
	const char *at = strchr(aor, '@');
	sip->now = now;
	if (!at || strcasecmp(at + 1, sip->domain) != 0 || strlen(aor) >= SIP_TEXT_SIZE ||
		strlen(contact) >= SIP_TEXT_SIZE)
		return HIPHOP_MALFORMED;
	if (expires_s == 0)
		return HIPHOP_OK;
	hiphop_error error = restore_binding(contact, quality, instant_after(now, SECONDS(expires_s)), &restored);
	if (error)
		return error;
	error = registration_make(sip, aor, &registration);
	if (!error)
		error = binding_put(sip, registration, restored);
	if (error) {
		binding_free(restored);
		return error;
	}
	registration_settle(sip, registration);
	return store(sip, NULL, aor, registration_seconds_left(registration, now));
}
