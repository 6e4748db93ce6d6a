/* SPDX-License-Identifier: MIT */
/** status and peers. */
#include "daemon/command.h"

#include <stdio.h>

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

/** One line: who, state, path, round trip, traffic. */
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
}

static void print_associations(const json_t *associations, void (*print)(const json_t *association))
{
	size_t index;
	json_t *association;
	json_array_foreach(associations, index, association) print(association);
	if (index == 0)
		puts("  none");
}

static void print_overlay(const json_t *overlay)
{
	printf("overlay       ");
	print_text(overlay, "name");
	printf(" (");
	print_text(overlay, "topology");
	printf(", ");
	print_text(overlay, "role");
	printf("), %s, %.0f neighbours, %.0f values held\n",
		json_is_true(json_object_get(overlay, "joined")) ? "joined" : "not joined",
		command_number(overlay, "neighbours", 0), command_number(overlay, "stored", 0));
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

static void print_status(const json_t *answer)
{
	const json_t *associations = json_object_get(answer, "associations");
	printf("identity      ");
	print_text(answer, "hit");
	printf("\nhiphopd       version ");
	print_text(answer, "version");
	if (json_is_number(json_object_get(answer, "uptime_s"))) {
		printf(", up ");
		print_span(command_number(answer, "uptime_s", 0));
	}
	putchar('\n');
	print_overlay(json_object_get(answer, "overlay"));
	printf("associations  %zu\n", json_array_size(associations));
	if (json_array_size(associations) > 0)
		print_associations(associations, print_association);
	print_sip(json_object_get(answer, "sip"));
	print_trouble(json_object_get(answer, "trouble"));
}

command_exit command_status(const struct command_line *line)
{
	return command_ask_once(line, json_pack("{s:s}", "command", "status"), print_status);
}

/** All there is to know about one association. */
static void print_peer(const json_t *association)
{
	size_t index;
	json_t *locator;
	print_association(association);
	printf("    suite ");
	print_text(association, "suite");
	printf(", local ");
	print_text(association, "local");
	if (json_is_number(json_object_get(association, "overlay_hops")))
		printf(", %.0f overlay hops", command_number(association, "overlay_hops", 0));
	if (json_is_number(json_object_get(association, "last_handover_s"))) {
		printf(", last handover ");
		print_span(command_number(association, "last_handover_s", 0));
		printf(" ago");
	}
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
	print_associations(json_object_get(answer, "associations"), print_peer);
}

command_exit command_peers(const struct command_line *line)
{
	return command_ask_once(line, json_pack("{s:s}", "command", "peers"), print_peers);
}
