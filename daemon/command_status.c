/* SPDX-License-Identifier: MIT */
/** status and peers. */
#include "daemon/command.h"

#include <stdio.h>
#include <string.h>

/** "2 d 3 h", "5 min", "42 s" */
static void print_span(double seconds)
{
	long whole = (long)seconds;
	if (whole >= 86400)
		printf("%ld d %ld h", whole / 86400, whole % 86400 / 3600);
	else if (whole >= 3600)
		printf("%ld h %ld min", whole / 3600, whole % 3600 / 60);
	else if (whole >= 60)
		printf("%ld min", whole / 60);
	else
		printf("%ld s", whole);
}

static void print_octets(double octets)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;
	while (octets >= 1000 && unit + 1 < sizeof units / sizeof *units) {
		octets /= 1000;
		unit++;
	}
	printf(unit ? "%.1f %s" : "%.0f %s", octets, units[unit]);
}

static void print_text(const json_t *object, const char *key)
{
	command_print_safe(command_text(object, key));
}

/** Associations that `status` shows, so that it stays one screen. */
#define STATUS_ASSOCIATIONS 8
#define SCREEN_WIDTH        80

static void print_agreed(const json_t *association)
{
	printf("    ESP ");
	print_text(association, "suite");
	printf(", HIP ");
	print_text(association, "hip_cipher");
	printf(", group ");
	print_text(association, "dh_group");
	putchar('\n');
}

/** Two or three lines: who; state, path, round trip, traffic; what is agreed. */
static void print_association(const json_t *association)
{
	double rtt = command_number(association, "rtt_ms", -1);
	printf("  ");
	print_text(association, "hit");
	if (json_is_string(json_object_get(association, "name"))) {
		printf(" (");
		print_text(association, "name");
		printf(")");
	}
	if (json_is_true(json_object_get(association, "anonymous")))
		printf(", anonymous");
	if (json_is_string(json_object_get(association, "claimed_name"))) {
		printf(", says it is ");
		print_text(association, "claimed_name");
	}
	printf("\n    ");
	print_text(association, "state");
	printf(", ");
	print_text(association, "path");
	printf(" ");
	print_text(association, "transport");
	printf(" to ");
	print_text(association, "remote");
	if (rtt >= 0)
		printf(", %.2f ms", rtt);
	printf(", in ");
	print_octets(command_number(association, "bytes_in", 0));
	printf(", out ");
	print_octets(command_number(association, "bytes_out", 0));
	putchar('\n');
	if (*command_text(association, "dh_group") && *command_text(association, "suite"))
		print_agreed(association);
}

static const char *plural(double count)
{
	return count == 1 ? "" : "s";
}

static void print_overlay(const json_t *overlay)
{
	printf("overlay       ");
	print_text(overlay, "name");
	printf(" (");
	print_text(overlay, "topology");
	printf(", ");
	print_text(overlay, "role");
	double neighbours = command_number(overlay, "neighbours", 0), stored = command_number(overlay, "stored", 0);
	printf("), %s\n              %.0f neighbour%s, %.0f value%s held\n",
		json_is_true(json_object_get(overlay, "joined")) ? "joined" : "not joined", neighbours,
		plural(neighbours), stored, plural(stored));
}

static void print_sip(const json_t *sip)
{
	size_t index;
	json_t *registration;
	printf("SIP           ");
	print_text(sip, "domain");
	putchar('\n');
	json_array_foreach(json_object_get(sip, "registrations"), index, registration)
	{
		printf("  ");
		print_text(registration, "aor");
		printf(" at ");
		print_text(registration, "contact");
		printf(" for ");
		print_span(command_number(registration, "expires_s", 0));
		putchar('\n');
	}
	double relays = (double)json_array_size(json_object_get(sip, "relays"));
	if (relays > 0)
		printf("  media of phones on board: %.0f stream%s relayed\n", relays, plural(relays));
}

static void print_trouble(const json_t *trouble)
{
	size_t index;
	json_t *sentence;
	if (json_array_size(trouble) == 0)
		return;
	puts("trouble");
	json_array_foreach(trouble, index, sentence)
	{
		printf("  ");
		command_print_safe(json_is_string(sentence) ? json_string_value(sentence) : "-");
		putchar('\n');
	}
}

static void print_few_associations(const json_t *associations)
{
	size_t count = json_array_size(associations);
	printf("associations  %zu\n", count);
	for (size_t i = 0; i < count && i < STATUS_ASSOCIATIONS; i++)
		print_association(json_array_get(associations, i));
	if (count > STATUS_ASSOCIATIONS)
		printf("  and %zu more, which `hiphop peers` shows\n", count - STATUS_ASSOCIATIONS);
}

static bool is_of_drops(const char *name)
{
	return strstr(name, "drop") || strstr(name, "refused") || strstr(name, "malformed") || strstr(name, "lost") ||
	       strstr(name, "limited");
}

/** What was dropped and why, as the counters name it, in lines that fit the screen. */
static void print_drops(json_t *counters)
{
	const char *name;
	json_t *value;
	int column = 0;
	json_object_foreach(counters, name, value)
	{
		char text[96];
		if (!is_of_drops(name))
			continue;
		int width = snprintf(text, sizeof text, "%s %.0f", name, json_number_value(value));
		if (column == 0 || column + 2 + width >= SCREEN_WIDTH)
			column = printf(column ? ",\n              " : "dropped       ") - (column ? 2 : 0);
		else
			column += printf(", ");
		command_print_safe(text);
		column += width;
	}
	if (column > 0)
		putchar('\n');
}

/** One list of what this host offers, in lines that fit the screen. */
static void print_offer(const char *title, const json_t *list)
{
	size_t index;
	json_t *name;
	int column = printf("  %-12s", title);
	json_array_foreach(list, index, name)
	{
		const char *text = json_is_string(name) ? json_string_value(name) : "-";
		bool last = index + 1 == json_array_size(list);
		if (column + 2 + (int)strlen(text) >= SCREEN_WIDTH)
			column = printf("\n%14s", "") - 1;
		command_print_safe(text);
		column += (int)strlen(text) + printf(last ? "" : ", ");
	}
	putchar('\n');
}

static void print_offers(const json_t *offers)
{
	if (!offers)
		return;
	puts("offers");
	print_offer("HIT suites", json_object_get(offers, "hit_suites"));
	print_offer("DH groups", json_object_get(offers, "dh_groups"));
	print_offer("HIP ciphers", json_object_get(offers, "hip_ciphers"));
	print_offer("ESP suites", json_object_get(offers, "esp_suites"));
}

static void print_identities(const json_t *identities)
{
	size_t index;
	json_t *identity;
	json_array_foreach(identities, index, identity)
	{
		printf(index ? "              " : "identity      ");
		print_text(identity, "hit");
		if (json_is_true(json_object_get(identity, "anonymous")))
			printf(", anonymous");
		if (json_is_string(json_object_get(identity, "name"))) {
			printf(", ");
			print_text(identity, "name");
		}
		putchar('\n');
	}
}

/** Of one list of prefixes, a line each: the prefix, its host, and what `key` says of it. */
static void print_prefix_list(const json_t *list, const char *key)
{
	size_t index;
	json_t *prefix;
	json_array_foreach(list, index, prefix)
	{
		printf("  ");
		print_text(prefix, "prefix");
		printf(" behind ");
		print_text(prefix, json_is_string(json_object_get(prefix, "name")) ? "name" : "owner");
		printf(", %s", strcmp(key, "route") == 0 ? "route " : "refused: ");
		print_text(prefix, key);
		putchar('\n');
	}
}

static void print_prefixes(const json_t *prefixes)
{
	const json_t *announced = json_object_get(prefixes, "announced");
	const json_t *accepted = json_object_get(prefixes, "accepted"), *refused = json_object_get(prefixes, "refused");
	const json_t *awaited = json_object_get(prefixes, "awaited");
	size_t index;
	json_t *prefix, *owner;
	if (json_array_size(announced) + json_array_size(accepted) + json_array_size(refused) +
			json_array_size(awaited) ==
		0)
		return;
	puts("prefixes");
	json_array_foreach(announced, index, prefix)
	{
		printf("  ");
		print_text(prefix, "prefix");
		puts(json_is_true(json_object_get(prefix, "stored")) ? " behind this host, announced"
								     : " behind this host, not announced yet");
	}
	print_prefix_list(accepted, "route");
	print_prefix_list(refused, "reason");
	json_array_foreach(awaited, index, owner)
	{
		printf("  nothing is announced by ");
		print_text(owner, json_is_string(json_object_get(owner, "name")) ? "name" : "owner");
		putchar('\n');
	}
}

/** Where a mobile router is reached, or that it has no link. */
static void print_endpoints(const json_t *endpoints)
{
	size_t index;
	json_t *endpoint;
	json_array_foreach(endpoints, index, endpoint) printf("%s%s", index ? ", " : "", json_string_value(endpoint));
	puts(json_array_size(endpoints) ? "" : "nowhere");
}

/** A line for the router that this host uses, one for being one, and one for each host on board. */
static void print_mobile_router(const json_t *router)
{
	const json_t *on_board = json_object_get(router, "on_board");
	size_t index;
	json_t *host;
	if (json_is_string(json_object_get(router, "router"))) {
		printf("mobile router ");
		print_text(router, "router");
		printf(", ");
		print_text(router, "state");
		printf("; %.0f of %.0f peers have a ticket; reached at ", command_number(router, "confirmed", 0),
			command_number(router, "tickets", 0));
		print_endpoints(json_object_get(router, "locators"));
	}
	if (!json_is_true(json_object_get(router, "serves")))
		return;
	printf("on board      %zu hosts with %.0f tickets; reached at ", json_array_size(on_board),
		command_number(router, "delegations", 0));
	print_endpoints(json_object_get(router, "uplinks"));
	json_array_foreach(on_board, index, host)
	{
		printf("  ");
		print_text(host, "hit");
		printf(json_is_string(json_object_get(host, "at")) ? " at " : " behind ");
		print_text(host, json_is_string(json_object_get(host, "at")) ? "at" : "behind");
		printf(", %.0f tickets", command_number(host, "tickets", 0));
		if (command_number(host, "unconfirmed", 0) > 0)
			printf(", %.0f peers not answering", command_number(host, "unconfirmed", 0));
		putchar('\n');
	}
}

/** Most of the time one line that says that all is calm. */
static void print_puzzle(const json_t *puzzle)
{
	double difficulty = command_number(puzzle, "difficulty", 0), calm = command_number(puzzle, "calm", 0);
	printf("puzzles       %.0f bits", difficulty);
	if (difficulty > calm)
		printf(" (%.0f when it is calm)", calm);
	printf(", %.0f I1 and %.0f I2 a second\n", command_number(puzzle, "i1_per_s", 0),
		command_number(puzzle, "i2_per_s", 0));
}

static void print_status(const json_t *answer)
{
	print_identities(json_object_get(answer, "identities"));
	printf("hiphopd       version ");
	print_text(answer, "version");
	if (json_is_number(json_object_get(answer, "uptime_s"))) {
		printf(", up ");
		print_span(command_number(answer, "uptime_s", 0));
	}
	putchar('\n');
	print_overlay(json_object_get(answer, "overlay"));
	print_offers(json_object_get(answer, "offers"));
	print_few_associations(json_object_get(answer, "associations"));
	print_prefixes(json_object_get(answer, "prefixes"));
	print_mobile_router(json_object_get(answer, "mobile_router"));
	print_sip(json_object_get(answer, "sip"));
	print_puzzle(json_object_get(answer, "puzzle"));
	print_drops(json_object_get(answer, "counters"));
	print_trouble(json_object_get(answer, "trouble"));
}

command_exit command_status(const struct command_line *line)
{
	return command_ask_once(line, json_pack("{s:s}", "command", "status"), print_status);
}

static void print_keys(const json_t *keys)
{
	double rekeys = command_number(keys, "rekeys", 0);
	if (!json_is_object(keys))
		return;
	printf("\n    ESP keys for ");
	print_span(command_number(keys, "age_s", 0));
	printf(", renewed %.0f time%s, next in ", rekeys, plural(rekeys));
	print_span(command_number(keys, "rekey_in_s", 0));
	if (json_is_number(json_object_get(keys, "bytes_left"))) {
		printf(" or after ");
		print_octets(command_number(keys, "bytes_left", 0));
	}
	if (json_is_number(json_object_get(keys, "packets_left")))
		printf(" or %.0f packets", command_number(keys, "packets_left", 0));
}

static void print_milliseconds(const json_t *object, const char *key, const char *before)
{
	if (json_is_number(json_object_get(object, key)))
		printf("%s%.2f ms", before, command_number(object, key, 0));
}

/** One line: what is used, between what, in what state, and what was measured. */
static void print_path(const json_t *path)
{
	bool current = json_is_true(json_object_get(path, "current"));
	double loss = command_number(path, "loss_percent", 0);
	printf("\n    %c path ", current ? '*' : json_is_true(json_object_get(path, "also_used")) ? '+' : ' ');
	print_text(path, "local");
	printf(" to ");
	print_text(path, "remote");
	printf(", ");
	print_text(path, "state");
	print_milliseconds(path, "rtt_ms", ", ");
	if (loss >= 0.05)
		printf(", %.1f %% lost", loss);
	if (strcmp(command_text(path, "preference"), "normal") != 0) {
		printf(", ");
		print_text(path, "preference");
	}
	if (json_is_true(json_object_get(path, "metered")))
		printf(", metered");
	if (command_number(path, "cost", 0) > 0)
		printf(", cost %.0f", command_number(path, "cost", 0));
	if (json_is_true(json_object_get(path, "on_probation")))
		printf(", has failed before");
}

static void print_handover(const json_t *association)
{
	const json_t *handover = json_object_get(association, "handover");
	double count = command_number(association, "handovers", 0);
	if (!json_is_object(handover))
		return;
	printf("\n    %.0f handover%s, the last ", count, plural(count));
	print_span(command_number(handover, "ago_s", 0));
	printf(" ago (");
	print_text(handover, "reason");
	print_milliseconds(handover, "gap_ms", ", gap ");
	putchar(')');
}

static void print_paths(const json_t *association)
{
	const json_t *paths = json_object_get(association, "paths");
	size_t index;
	json_t *path;
	if (json_array_size(paths) > 1)
		json_array_foreach(paths, index, path) print_path(path);
	print_handover(association);
}

/** All there is to know about one association. */
static void print_peer(const json_t *association)
{
	size_t index;
	json_t *locator;
	print_association(association);
	printf("    local ");
	print_text(association, "local");
	printf(" as ");
	print_text(association, "local_hit");
	if (json_is_number(json_object_get(association, "overlay_hops")))
		printf(", %.0f overlay hops", command_number(association, "overlay_hops", 0));
	print_paths(association);
	print_keys(json_object_get(association, "keys"));
	if (json_array_size(json_object_get(association, "locators")) > 0)
		printf("\n    locators");
	json_array_foreach(json_object_get(association, "locators"), index, locator)
	{
		putchar(' ');
		command_print_safe(json_is_string(locator) ? json_string_value(locator) : "-");
	}
	putchar('\n');
}

static void print_peers(const json_t *answer)
{
	size_t index;
	json_t *association;
	json_array_foreach(json_object_get(answer, "associations"), index, association) print_peer(association);
	if (index == 0)
		puts("none");
}

command_exit command_peers(const struct command_line *line)
{
	return command_ask_once(line, json_pack("{s:s}", "command", "peers"), print_peers);
}
