/* SPDX-License-Identifier: MIT */
/* Certificates in HIP packets, and who is let in by them (RFC 8002). Chains are real. */
#include "forge.h"

#include "hip/core/certificates.h"
#include "tests/unit/failing_allocation.h"
#include "tests/unit/hip/certificate_maker.h"

/* ---- a world with authorities ---- */

static struct certificate_authorities *authorities;

static void check(void *context, instant now, const struct host_identity *holder, const struct certificate_item *items,
	size_t count, struct certificate_report *report)
{
	(void)context, (void)now;
	certificate_verify(authorities, items, count, holder, MAKER_WALL, report);
}

struct world {
	struct network *network;
	struct authority root, middle, lower;
	struct certificate_chain chains[2];
};

static struct world *make_world(void)
{
	struct world *world = calloc(1, sizeof *world);
	char text[8192] = "";

	assert_non_null(world);
	world->network = network_make(2, TRANSPORT_UDP);
	world->root = maker_authority(EVP_EC_gen("P-384"), "root", NULL);
	world->middle = maker_authority(EVP_EC_gen("P-256"), "middle", &world->root);
	maker_pem(world->root.certificate, text, sizeof text);
	assert_int_equal(certificate_authorities_add(text, strlen(text), &authorities), HIPHOP_OK);
	return world;
}

/* Gives a host the certificates of a PEM text, and a need for those of others. */
static void equip(struct world *world, size_t index, const char *pem, bool wants)
{
	struct network_host *self = &world->network->hosts[index];

	network_crash(world->network, index);
	if (*pem)
		assert_int_equal(
			certificate_chain_from_pem(pem, strlen(pem), self->identity, &world->chains[index]), HIPHOP_OK);
	self->configuration.certificates = &world->chains[index];
	self->configuration.environment.check_certificates = check;
	self->wants_certificates = wants;
	network_boot(world->network, index);
}

/* The host's certificate, that of the authority above it, and so many more of its own, each so long. */
static void equip_well(struct world *world, size_t index, struct certificate_wish wish, size_t more, bool wants)
{
	struct network_host *self = &world->network->hosts[index];
	X509 *leaf;
	static char text[32768];

	wish.hit = &self->hit;
	leaf = maker_host(self->identity, &world->middle, &wish);
	text[0] = 0;
	maker_pem(leaf, text, sizeof text);
	maker_pem(world->middle.certificate, text, sizeof text);
	for (size_t i = 0; i < more; i++) {
		const struct certificate_wish long_one = {.padding = wish.padding};
		X509 *another = maker_host(self->identity, &world->middle, &long_one);

		maker_pem(another, text, sizeof text);
		X509_free(another);
	}
	X509_free(leaf);
	equip(world, index, text, wants);
}

static void free_world(struct world *world)
{
	network_free(world->network);
	maker_authority_free(&world->root);
	maker_authority_free(&world->middle);
	certificate_chain_free(&world->chains[0]);
	certificate_chain_free(&world->chains[1]);
	certificate_authorities_free(authorities);
	authorities = NULL;
	free(world);
}

static void begin(struct world *world)
{
	network_introduce(world->network, 0, 1);
	network_connect(world->network, 0, 1);
}

static struct host_association_view view_of(struct world *world, size_t a, size_t b)
{
	struct host_association_view view;

	assert_true(host_association_find(world->network->hosts[a].host, &world->network->hosts[b].hit, &view));
	return view;
}

static uint64_t told(struct world *world, size_t index, uint16_t type)
{
	struct host_notify_count count;

	assert_true(host_notify_count_at(world->network->hosts[index].host, notification_index(type), &count));
	return count.sent;
}

/* ---- what is sent ---- */

struct watch {
	unsigned certificates[64]; /* by packet type */
	unsigned lose_updates;
	bool lose_all_updates_of_initiator;
};

/* Looks at the rules of groups in each packet. */
static packet_fate watch_packet(struct network *network, struct flying *packet)
{
	struct watch *watch = network->fate_context;
	struct packet_view view;
	struct parameter_cert cert;
	uint8_t group = 0, id = 0;

	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	for (size_t nth = 0; !parameter_cert_read(packet_find_nth(&view, PARAMETER_CERT, nth), &cert); nth++) {
		assert_true(cert.group >= group);
		assert_true(cert.id == id + 1 || (!id && cert.id <= cert.count));
		group = cert.group;
		id = cert.id;
		watch->certificates[view.type]++;
	}
	if (view.type == HIP_PACKET_UPDATE && packet->from == 0 && watch->lose_all_updates_of_initiator)
		return FATE_LOSE;
	if (view.type == HIP_PACKET_UPDATE && watch->lose_updates) {
		watch->lose_updates--;
		return FATE_LOSE;
	}
	return FATE_PASS;
}

static void watch_all(struct world *world, struct watch *watch)
{
	*watch = (struct watch){.lose_updates = 0};
	world->network->fate = watch_packet;
	world->network->fate_context = watch;
}

/* conforms: RFC8002-2-1 RFC8002-2-3 RFC8002-2-4 RFC8002-2-5 RFC8002-3-3 RFC8002-7-2 */
static void both_ends_show_theirs(void **state)
{
	struct world *world = make_world();
	struct watch watch;

	(void)state;
	equip_well(world, 0, (struct certificate_wish){.name = "initiator"}, 0, true);
	equip_well(world, 1, (struct certificate_wish){.name = "responder"}, 0, true);
	watch_all(world, &watch);
	begin(world);
	network_run(world->network, SECONDS(2));
	assert_true(network_esp(world->network, 0, 1));
	assert_true(network_esp(world->network, 1, 0));
	assert_int_equal(view_of(world, 0, 1).certificate_state, HOST_CERTIFICATE_VALID);
	assert_string_equal(view_of(world, 0, 1).certificate->subject, "CN=responder");
	assert_string_equal(view_of(world, 1, 0).certificate->subject, "CN=initiator");
	assert_int_equal(watch.certificates[HIP_PACKET_I1], 0);
	assert_int_equal(watch.certificates[HIP_PACKET_R1], 2);
	assert_int_equal(watch.certificates[HIP_PACKET_I2], 2);
	assert_int_equal(watch.certificates[HIP_PACKET_R2], 0);
	assert_int_equal(watch.certificates[HIP_PACKET_UPDATE], 0);
	free_world(world);
}

/* What does not fit goes on in R2 and UPDATE; there is no ESP before all of it is there. */
/* conforms: RFC8002-2-3 RFC8002-2-4 RFC8002-2-5 RFC8002-3-3 */
static void long_chains_take_several_packets(void **state)
{
	(void)state;
	for (unsigned lost = 0; lost < 4; lost++) {
		struct world *world = make_world();
		struct watch watch;

		equip_well(world, 0, (struct certificate_wish){.padding = 900}, 3, true);
		equip_well(world, 1, (struct certificate_wish){.padding = 900}, 3, true);
		watch_all(world, &watch);
		watch.lose_updates = lost;
		begin(world);
		network_run(world->network, MILLISECONDS(41));
		assert_int_equal(network_sa_count(&world->network->hosts[0]), 0);
		assert_int_equal(network_sa_count(&world->network->hosts[1]), 0);
		network_run(world->network, SECONDS(9));
		assert_true(network_esp(world->network, 0, 1));
		assert_true(network_esp(world->network, 1, 0));
		assert_int_equal(view_of(world, 0, 1).certificate_state, HOST_CERTIFICATE_VALID);
		assert_int_equal(view_of(world, 1, 0).certificate_state, HOST_CERTIFICATE_VALID);
		assert_true(watch.certificates[HIP_PACKET_R1] > 0);
		assert_true(watch.certificates[HIP_PACKET_I2] > 0);
		assert_true(watch.certificates[HIP_PACKET_R2] > 0);
		assert_true(watch.certificates[HIP_PACKET_UPDATE] > 0);
		assert_int_equal(world->network->hosts[0].host->certificate_space.groups, 0);
		assert_int_equal(world->network->hosts[1].host->certificate_space.groups, 0);
		free_world(world);
	}
}

/* ---- who is not let in ---- */

static void nobody_is_let_in(struct world *world)
{
	assert_int_equal(network_sa_count(&world->network->hosts[0]), 0);
	assert_int_equal(network_sa_count(&world->network->hosts[1]), 0);
	assert_int_equal(world->network->hosts[0].usable, 0);
	assert_int_equal(world->network->hosts[1].usable, 0);
}

static void a_responder_asks_for_one(void **state)
{
	struct world *world = make_world();

	(void)state;
	equip(world, 0, "", false);
	equip_well(world, 1, (struct certificate_wish){.name = NULL}, 0, true);
	begin(world);
	network_run(world->network, SECONDS(60));
	nobody_is_let_in(world);
	assert_true(told(world, 1, NOTIFY_CREDENTIALS_REQUIRED) > 0);
	assert_int_equal(told(world, 1, NOTIFY_INVALID_CERTIFICATE), 0);
	assert_int_equal(world->network->hosts[0].last.reason, HIPHOP_REFUSED);
	free_world(world);
}

/* One that does not ask is content without. */
static void nobody_asks(void **state)
{
	struct world *world = make_world();

	(void)state;
	equip(world, 0, "", false);
	equip(world, 1, "", false);
	begin(world);
	network_run(world->network, SECONDS(1));
	assert_true(network_esp(world->network, 0, 1));
	assert_null(view_of(world, 0, 1).certificate);
	assert_int_equal(view_of(world, 0, 1).certificate_state, HOST_CERTIFICATE_NONE);
	free_world(world);
}

struct last_notify {
	size_t length;
	uint8_t data[8];
};

static packet_fate note_notify(struct network *network, struct flying *packet)
{
	struct last_notify *last = network->fate_context;
	struct parameter_notification notification;
	struct packet_view view;

	if (flying_type(packet) != HIP_PACKET_NOTIFY)
		return FATE_PASS;
	assert_int_equal(packet_parse(packet->octets, packet->length, &view), HIPHOP_OK);
	assert_int_equal(
		parameter_notification_read(packet_find(&view, PARAMETER_NOTIFICATION), &notification), HIPHOP_OK);
	last->length = notification.data.length;
	memcpy(last->data, notification.data.data, last->length > 8 ? 8 : last->length);
	return FATE_PASS;
}

static void what_does_not_hold_is_told(void **state)
{
	const struct certificate_wish wishes[] = {{.ends = 60}, {.begins = 200000}, {.digest = EVP_sha512()}};

	(void)state;
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		struct world *world = make_world();
		struct last_notify last = {.length = 0};

		equip_well(world, 0, wishes[i], 0, false);
		equip(world, 1, "", true);
		world->network->fate = note_notify;
		world->network->fate_context = &last;
		begin(world);
		network_run(world->network, SECONDS(60));
		nobody_is_let_in(world);
		assert_true(told(world, 1, NOTIFY_INVALID_CERTIFICATE) > 0);
		assert_int_equal(told(world, 1, NOTIFY_CREDENTIALS_REQUIRED), 0);
		/* CERT group and CERT ID. */
		assert_int_equal(last.length, 2);
		assert_int_equal(last.data[0], 1);
		assert_int_equal(last.data[1], 1);
		free_world(world);
	}
}

/* The certificate is good, and somebody else's: he has taken it from a packet of the other's. */
static void a_certificate_of_another_host(void **state)
{
	struct world *world = make_world();
	struct network_host *a = &world->network->hosts[0], *b = &world->network->hosts[1];
	X509 *leaf = maker_host(b->identity, &world->middle, &(struct certificate_wish){.hit = &b->hit});
	struct buffer der = maker_der(leaf);

	(void)state;
	equip(world, 0, "", false);
	world->chains[0].count = 1;
	world->chains[0].certificates[0] = der;
	equip(world, 1, "", true);
	assert_int_equal(a->configuration.certificates->count, 1);
	begin(world);
	network_run(world->network, SECONDS(60));
	nobody_is_let_in(world);
	assert_true(told(world, 1, NOTIFY_INVALID_CERTIFICATE) > 0);
	X509_free(leaf);
	free_world(world);
}

static void an_initiator_asks_for_one(void **state)
{
	struct world *world = make_world();

	(void)state;
	equip_well(world, 0, (struct certificate_wish){.name = NULL}, 0, true);
	equip(world, 1, "", false);
	begin(world);
	network_run(world->network, SECONDS(5));
	assert_int_equal(world->network->hosts[0].usable, 0);
	assert_int_equal(network_sa_count(&world->network->hosts[0]), 0);
	assert_int_equal(told(world, 0, NOTIFY_CREDENTIALS_REQUIRED), 1);
	/* The Responder had an association, which is closed. */
	assert_int_equal(network_sa_count(&world->network->hosts[1]), 0);
	assert_int_equal(world->network->hosts[1].closed, 1);
	free_world(world);
}

/* conforms: RFC8002-7-1 */
static void the_rest_never_comes(void **state)
{
	struct world *world = make_world();
	struct watch watch;

	(void)state;
	equip_well(world, 0, (struct certificate_wish){.padding = 900}, 3, false);
	equip(world, 1, "", true);
	watch_all(world, &watch);
	watch.lose_all_updates_of_initiator = true;
	begin(world);
	network_run(world->network, SECONDS(2));
	assert_true(view_of(world, 1, 0).on_probation);
	assert_int_equal(view_of(world, 1, 0).certificate_state, HOST_CERTIFICATE_PENDING);
	assert_int_equal(world->network->hosts[1].host->certificate_space.groups, 1);
	network_run(world->network, SECONDS(10));
	assert_int_equal(world->network->hosts[1].usable, 0);
	assert_int_equal(network_sa_count(&world->network->hosts[1]), 0);
	assert_int_equal(world->network->hosts[1].host->certificate_space.groups, 0);
	assert_int_equal(told(world, 1, NOTIFY_CREDENTIALS_REQUIRED), 1);
	free_world(world);
}

/* New keys are no way round the probation. */
static void no_rekeying_on_probation(void **state)
{
	struct world *world = make_world();
	struct network_host *a = &world->network->hosts[0];
	struct watch watch;

	(void)state;
	equip_well(world, 0, (struct certificate_wish){.padding = 900}, 3, false);
	equip(world, 1, "", true);
	watch_all(world, &watch);
	watch.lose_all_updates_of_initiator = true;
	begin(world);
	network_run(world->network, SECONDS(1));
	assert_true(view_of(world, 1, 0).on_probation);
	/* From now on its UPDATEs arrive, but those with certificates are all under way already. */
	watch.lose_all_updates_of_initiator = false;
	a->host->configuration.certificates = NULL;
	assert_int_equal(host_rekey(a->host, world->network->now, &world->network->hosts[1].hit, true), HIPHOP_OK);
	network_drain(world->network, a);
	network_run(world->network, SECONDS(5));
	assert_true(view_of(world, 1, 0).on_probation);
	assert_int_equal(network_sa_count(&world->network->hosts[1]), 0);
	assert_int_equal(
		host_rekey(world->network->hosts[1].host, world->network->now, &a->hit, true), HIPHOP_NOT_FOUND);
	network_run(world->network, SECONDS(30));
	assert_int_equal(world->network->hosts[1].usable, 0);
	free_world(world);
}

/* Nor are new addresses: nothing moves before there is something to move, and then all paths are found. */
static void paths_wait_for_the_end_of_the_probation(void **state)
{
	struct world *world = make_world();
	struct network *network = world->network;
	struct host_path_view view;
	struct watch watch;
	size_t paths[2] = {0, 0};

	(void)state;
	equip_well(world, 0, (struct certificate_wish){.padding = 900}, 3, false);
	equip(world, 1, "", true);
	network_set_addresses(network, 0, "192.0.2.1 198.51.100.1");
	network_set_addresses(network, 1, "192.0.2.2 198.51.100.2");
	watch_all(world, &watch);
	watch.lose_all_updates_of_initiator = true;
	begin(world);
	network_run(network, SECONDS(1));
	assert_true(view_of(world, 1, 0).on_probation);
	network_set_addresses(network, 1, "192.0.2.2 203.0.113.2");
	network_set_addresses(network, 0, "192.0.2.1 203.0.113.1");
	network_run(network, MILLISECONDS(500));
	assert_true(view_of(world, 1, 0).on_probation);
	assert_int_equal(network->hosts[1].moves, 0);
	watch.lose_all_updates_of_initiator = false;
	network_run_with_traffic(network, SECONDS(20), 0, 1);
	assert_false(view_of(world, 1, 0).on_probation);
	assert_true(network_esp(network, 0, 1));
	assert_true(network_esp(network, 1, 0));
	for (size_t i = 0; i < 2; i++) {
		while (host_path_at(network->hosts[i].host, &network->hosts[1 - i].hit, paths[i], &view)) {
			assert_string_equal(view.state, "ACTIVE");
			paths[i]++;
		}
		assert_int_equal(paths[i], 4);
	}
	free_world(world);
}

/* The address of either end is another one before there is anything that could move. */
static void a_move_on_probation(void **state)
{
	(void)state;
	for (size_t mover = 0; mover < 2; mover++) {
		struct world *world = make_world();
		struct network *network = world->network;
		struct watch watch;

		equip_well(world, 0, (struct certificate_wish){.padding = 900}, 3, false);
		equip(world, 1, "", true);
		watch_all(world, &watch);
		watch.lose_all_updates_of_initiator = true;
		begin(world);
		network_run(network, SECONDS(1));
		assert_true(view_of(world, 1, 0).on_probation);
		network_set_addresses(network, mover, "203.0.113.7");
		network_run(network, MILLISECONDS(500));
		assert_int_equal(network->hosts[1].moves, 0);
		watch.lose_all_updates_of_initiator = false;
		network_introduce(network, 0, 1);
		for (unsigned i = 0; i < 60 && !(network_esp(network, 0, 1) && network_esp(network, 1, 0)); i++) {
			(void)host_connect(network->hosts[0].host, network->now, &network->hosts[1].hit);
			network_drain(network, &network->hosts[0]);
			network_run(network, SECONDS(1));
		}
		assert_true(network_esp(network, 0, 1));
		assert_true(network_esp(network, 1, 0));
		free_world(world);
	}
}

/* ---- groups ---- */

static unsigned judged;
static size_t judged_count;

static void note_judgement(void *context, instant now, const struct host_identity *holder,
	const struct certificate_item *items, size_t count, struct certificate_report *report)
{
	(void)context, (void)now, (void)holder, (void)items;
	judged++;
	judged_count = count;
	*report = (struct certificate_report){.verdict = CERTIFICATE_VALID, .culprit = count};
}

struct one {
	uint8_t group, count, id;
	const char *octets;
};

/* A packet with these; returns the state afterwards. */
static host_certificate_state take(
	struct peer_certificates **certificates, struct certificate_space *space, const struct one *ones, size_t count)
{
	static const struct hit nobody;
	const struct host_environment environment = {.check_certificates = note_judgement};
	const struct certificate_judge judge = {.environment = &environment};
	uint8_t octets[HIP_PACKET_MAXIMUM];
	struct packet_builder builder;
	struct packet_view view;
	size_t length;

	packet_builder_start(&builder, octets, sizeof octets, HIP_PACKET_UPDATE, 0, &nobody, &nobody);
	for (size_t i = 0; i < count; i++) {
		const struct parameter_cert cert = {ones[i].group, ones[i].count, ones[i].id, CERTIFICATE_X509,
			{(const uint8_t *)ones[i].octets, strlen(ones[i].octets)}};

		assert_int_equal(parameter_cert_write(&builder, &cert), HIPHOP_OK);
	}
	assert_int_equal(packet_builder_finish(&builder, &length), HIPHOP_OK);
	assert_int_equal(packet_parse(octets, length, &view), HIPHOP_OK);
	(void)peer_certificates_take(certificates, space, &judge, &view);
	return peer_certificates_state(*certificates, true);
}

#define TAKE(...)                                                                                                      \
	take(&certificates, &space, (const struct one[]){__VA_ARGS__},                                                 \
		sizeof((const struct one[]){__VA_ARGS__}) / sizeof(struct one))

#define FRESH()                                                                                                        \
	do {                                                                                                           \
		peer_certificates_free(certificates, &space);                                                          \
		certificates = NULL;                                                                                   \
		judged = 0;                                                                                            \
	} while (0)

static void groups_over_packets(void **state)
{
	struct peer_certificates *certificates = NULL;
	struct certificate_space space = {0};

	(void)state;
	FRESH();
	assert_int_equal(TAKE({1, 3, 1, "a"}), HOST_CERTIFICATE_PENDING);
	assert_int_equal(TAKE({1, 3, 1, "a"}, {1, 3, 2, "b"}), HOST_CERTIFICATE_PENDING); /* the first again */
	assert_int_equal(judged, 0);
	assert_int_equal(TAKE({1, 3, 3, "c"}), HOST_CERTIFICATE_VALID);
	assert_int_equal(judged, 1);
	assert_int_equal(judged_count, 3);
	assert_int_equal(space.groups, 0);
	FRESH();
	/* Ungrouped ones, and an incomplete group behind them. */
	assert_int_equal(TAKE({1, 1, 1, "a"}, {2, 1, 1, "b"}, {3, 2, 1, "c"}), HOST_CERTIFICATE_VALID);
	assert_int_equal(judged, 2);
	assert_int_equal(space.groups, 1);
	FRESH();
	assert_int_equal(space.groups, 0);
}

/* conforms: RFC8002-2-3 RFC8002-2-4 RFC8002-2-5 */
static void groups_that_break_the_rules(void **state)
{
	static const struct {
		struct one ones[2];
	} wrong[] = {
		{{{2, 1, 1, "a"}, {1, 2, 1, "b"}}}, /* descending */
		{{{1, 2, 1, "a"}, {2, 2, 1, "b"}}}, /* two incomplete groups */
		{{{1, 2, 1, "a"}, {1, 3, 2, "b"}}}, /* another count */
		{{{1, 2, 1, "a"}, {1, 2, 1, "b"}}}, /* another certificate with the same ID */
		{{{1, 2, 0, "a"}, {1, 2, 1, "b"}}}, /* an ID below 1 */
		{{{1, 2, 3, "a"}, {1, 2, 1, "b"}}}, /* or above the count */
		{{{1, 0, 0, "a"}, {1, 0, 1, "b"}}}, /* a group of none */
		{{{1, 9, 1, "a"}, {1, 9, 2, "b"}}}, /* or of too many */
		{{{1, 2, 1, ""}, {1, 2, 2, ""}}},   /* nothing in it */
	};
	struct peer_certificates *certificates = NULL;
	struct certificate_space space = {0};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		FRESH();
		take(&certificates, &space, wrong[i].ones, 2);
		if (!certificates->judged || (certificates->report.verdict == CERTIFICATE_VALID) != (i == 0))
			fail_msg("case %zu", i);
		assert_int_equal(judged, i == 0);
	}
	FRESH();
}

/* conforms: RFC8002-7-1 */
static void incomplete_groups_are_few(void **state)
{
	struct peer_certificates *all[CERTIFICATE_GROUPS_MAXIMUM + 1] = {NULL}, *certificates;
	struct certificate_space space = {0};
	const struct one first = {1, 2, 1, "a"}, whole = {1, 1, 1, "a"};

	(void)state;
	for (size_t i = 0; i < CERTIFICATE_GROUPS_MAXIMUM; i++)
		assert_int_equal(take(&all[i], &space, &first, 1), HOST_CERTIFICATE_PENDING);
	assert_int_equal(space.groups, CERTIFICATE_GROUPS_MAXIMUM);
	certificates = NULL;
	assert_int_equal(take(&certificates, &space, &first, 1), HOST_CERTIFICATE_NONE);
	peer_certificates_give_up(all[0], &space);
	assert_int_equal(take(&certificates, &space, &whole, 1), HOST_CERTIFICATE_VALID);
	peer_certificates_free(certificates, &space);
	for (size_t i = 0; i < CERTIFICATE_GROUPS_MAXIMUM; i++)
		peer_certificates_free(all[i], &space);
	assert_int_equal(space.groups, 0);
}

/* Memory runs out at each point in turn: what there was stays, and the same packet is taken when there is some. */
static void without_memory(void **state)
{
	static const struct one first[] = {{1, 3, 1, "a"}}, rest[] = {{1, 3, 2, "b"}, {1, 3, 3, "c"}};
	struct certificate_space space = {0};

	(void)state;
	for (unsigned allowed = 0; allowed < 6; allowed++) {
		struct peer_certificates *certificates = NULL;

		failing_allocation_after(allowed);
		take(&certificates, &space, first, 1);
		take(&certificates, &space, rest, 2);
		failing_allocation_stop();
		take(&certificates, &space, first, 1);
		assert_int_equal(take(&certificates, &space, rest, 2), HOST_CERTIFICATE_VALID);
		peer_certificates_free(certificates, &space);
		assert_int_equal(space.groups, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_show_theirs),
		cmocka_unit_test(long_chains_take_several_packets),
		cmocka_unit_test(a_responder_asks_for_one),
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(what_does_not_hold_is_told),
		cmocka_unit_test(a_certificate_of_another_host),
		cmocka_unit_test(an_initiator_asks_for_one),
		cmocka_unit_test(the_rest_never_comes),
		cmocka_unit_test(no_rekeying_on_probation),
		cmocka_unit_test(paths_wait_for_the_end_of_the_probation),
		cmocka_unit_test(a_move_on_probation),
		cmocka_unit_test(groups_over_packets),
		cmocka_unit_test(groups_that_break_the_rules),
		cmocka_unit_test(incomplete_groups_are_few),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
