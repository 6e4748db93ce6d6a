/* SPDX-License-Identifier: MIT */
/** hiphop: the one command for people and scripts. */
#include "daemon/command.h"
#include "daemon/version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct subcommand {
	const char *name;
	const char *arguments;
	const char *help;
	int least, most;     /**< number of arguments */
	const char *options; /**< letters of the options it takes besides -s, -j and -h */
	command_exit (*run)(const struct command_line *line);
};

static const struct subcommand subcommands[] = {
	{"keygen", "[-t TYPE] [--weak] [-f] [FILE]", "make a host identity", 0, 1, "tfow", command_keygen},
	{"id", "[FILE]", "print the HIT of hiphopd, or of a key file", 0, 1, "", command_id},
	{"status", "", "one screen: identity, overlay, associations, SIP users, trouble", 0, 0, "", command_status},
	{"peers", "", "the associations in full", 0, 0, "", command_peers},
	{"ping", "[-c COUNT] [-i S] [-W S] [-I HIT] NAME", "reach a host", 1, 1, "ciWI", command_ping},
	{"trace", "[-W S] NAME", "show the overlay hops and the path to a host", 1, 1, "W", command_trace},
	{"resolve", "AOR", "the HITs behind a SIP name, and who holds the record", 1, 1, "", command_resolve},
	{"put", "KEY VALUE", "store a signed value in the overlay", 2, 2, "", command_put},
	{"get", "KEY", "fetch the values under a key", 1, 1, "", command_get},
	{"trust", "AOR HIT", "pin a SIP name to another HIT from now on", 2, 2, "", command_trust},
	{"access", "[allow|deny|add|remove …]", "who may associate, and what may pass on hip0", 0, 64, "",
		command_access},
	{"reload", "", "read the access part of the configuration again", 0, 0, "", command_reload},
	{"rekey", "[-D] [-I HIT] NAME", "new ESP keys with a host now, -D: by a new Diffie-Hellman", 1, 1, "DI",
		command_rekey},
	{"monitor", "", "events as they happen, one JSON object a line", 0, 0, "", command_monitor},
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void print_usage(FILE *to)
{
	fputs("usage: hiphop [--socket PATH] [--json] COMMAND …\n\n", to);
	for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++) {
		const struct subcommand *subcommand = &subcommands[i];
		int width = fprintf(to, "  %s %s", subcommand->name, subcommand->arguments);
		fprintf(to, "%*s%s\n", width < 42 ? 42 - width : 1, "", subcommand->help);
	}
	fputs("\nRules of access: `hiphop access deny bob`, `hiphop access allow tcp/22 from 2001:22:…`,\n"
	      "`hiphop access add 2 deny out udp to strangers`, `hiphop access remove 2` (docs/configuration.md).\n",
		to);
	fputs("\nNAME is a HIT, a SIP name, or the name of a host in the configuration.\n"
	      "  -s, --socket PATH   control socket of hiphopd; else $HIPHOP_SOCKET, else " COMMAND_DEFAULT_SOCKET "\n"
	      "  -j, --json          print the answers as JSON, one object a line (docs/control.md)\n"
	      "  -c, --count N       tries of ping, 4 by default; 0 goes on until Ctrl-C\n"
	      "  -i, --interval S    seconds from try to try\n"
	      "  -W, --timeout S     seconds to wait for an answer\n"
	      "  -I, --from HIT      the identity of this host to ping from\n"
	      "  -t, --type TYPE     ecdsa-p256 (the default), ecdsa-p384, rsa-2048, rsa-3072 or ecdsa-low\n"
	      "      --weak          makes an ecdsa-low, which is weak and for tests only\n"
	      "  -o, --output FILE   where the key goes, " COMMAND_DEFAULT_KEY " by default\n"
	      "  -D, --dh            with a new Diffie-Hellman\n"
	      "  -f, --force         replace a key that is there\n"
	      "      --version       print the version\n"
	      "\nExit codes: 0 done, 1 it failed, 2 misused, 3 hiphopd not reached.\n",
		to);
}

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	return NULL;
}

static bool parse_seconds(const char *text, double *seconds)
{
	char *end;
	*seconds = strtod(text, &end);
	return end != text && !*end && *seconds > 0 && *seconds <= 60;
}

static bool parse_count(const char *text, long *count)
{
	char *end;
	*count = strtol(text, &end, 10);
	return end != text && !*end && *count >= 0 && *count <= 1000000;
}

/** Stores one option. False when its value is bad. */
static bool take_option(struct command_line *line, int option, const char *value)
{
	switch (option) {
	case 's':
		line->socket = value;
		return *value != 0;
	case 'j':
		line->json = true;
		return true;
	case 'f':
		line->force = true;
		return true;
	case 'D':
		line->dh = true;
		return true;
	case 't':
		line->type = value;
		return true;
	case 'w':
		line->weak = true;
		return true;
	case 'o':
		line->output = value;
		return true;
	case 'I':
		line->from = value;
		return true;
	case 'c':
		return parse_count(value, &line->count);
	case 'i':
		return parse_seconds(value, &line->interval_s);
	case 'W':
		return parse_seconds(value, &line->timeout_s);
	default:
		return false;
	}
}

static const struct option long_options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"count", required_argument, NULL, 'c'},
	{"interval", required_argument, NULL, 'i'},
	{"timeout", required_argument, NULL, 'W'},
	{"from", required_argument, NULL, 'I'},
	{"type", required_argument, NULL, 't'},
	{"weak", no_argument, NULL, 'w'},
	{"output", required_argument, NULL, 'o'},
	{"force", no_argument, NULL, 'f'},
	{"dh", no_argument, NULL, 'D'},
	{NULL, 0, NULL, 0},
};

static command_exit misused(const char *before, const char *what, const char *after)
{
	fprintf(stderr, "hiphop: %s%s%s `hiphop --help` says more.\n", before, what, after);
	return COMMAND_USAGE;
}

/** `option` is the whole of a long one; of a short one getopt knows the letter. */
static command_exit unknown_option(const char *option)
{
	char letter[3] = {'-', (char)optopt};
	return misused(
		"\"", optopt ? letter : option, "\" is no option; put -- before arguments that begin with \"-\".");
}

static command_exit run(const struct subcommand *subcommand, struct command_line *line, const char *used)
{
	char letter[2] = "";
	for (; *used; used++)
		if (!strchr("sj", *used) && !strchr(subcommand->options, *used)) {
			letter[0] = *used;
			return misused("This command has no option -", letter, ".");
		}
	if (line->argument_count < subcommand->least || line->argument_count > subcommand->most) {
		fprintf(stderr, "usage: hiphop %s %s\n", subcommand->name, subcommand->arguments);
		return COMMAND_USAGE;
	}
	return subcommand->run(line);
}

static void catch_interrupt(void)
{
	/* Without SA_RESTART, so that waiting ends. */
	struct sigaction action = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int count, char **values)
{
	const char *from_environment = getenv("HIPHOP_SOCKET");
	struct command_line line = {.socket = from_environment ? from_environment : COMMAND_DEFAULT_SOCKET,
		.count = COMMAND_PING_COUNT,
		.interrupted = &interrupted};
	char used[64] = "";
	size_t used_count = 0;
	opterr = 0;
	for (int option; (option = getopt_long(count, values, ":s:jhc:i:W:I:t:o:fD", long_options, NULL)) != -1;) {
		if (option == 'h') {
			print_usage(stdout);
			return COMMAND_OK;
		}
		if (option == 'V') {
			puts("hiphop " HIPHOP_VERSION);
			return COMMAND_OK;
		}
		if (option == ':')
			return misused("\"", values[optind - 1], "\" needs a value after it.");
		if (option == '?')
			return unknown_option(values[optind - 1]);
		if (used_count + 1 == sizeof used)
			return misused("", "These are too many options", ".");
		if (!take_option(&line, option, optarg))
			return misused("\"", optarg, "\" is out of range.");
		used[used_count++] = (char)option;
	}
	if (optind == count) {
		print_usage(stderr);
		return COMMAND_USAGE;
	}
	const struct subcommand *subcommand = find_subcommand(values[optind]);
	if (!subcommand)
		return misused("There is no command \"", values[optind], "\".");
	line.arguments = values + optind + 1;
	line.argument_count = count - optind - 1;
	catch_interrupt();
	return run(subcommand, &line, used);
}
