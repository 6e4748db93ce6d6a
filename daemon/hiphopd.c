/* SPDX-License-Identifier: MIT */
/** hiphopd --config FILE: one service, in the foreground, with its log on stderr. */
#include "daemon/configuration_options.h"
#include "daemon/start.h"
#include "daemon/version.h"
#include "kernel-helpers/clocks.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 2

static const char usage[] = "usage: hiphopd --config FILE [--log LEVEL] [--check]\n"
			    "       hiphopd --options | --version | --help\n"
			    "\n"
			    "  -c, --config FILE  the configuration (docs/configuration.md)\n"
			    "  -l, --log LEVEL    error, warning, info (the default) or debug\n"
			    "      --check        look the configuration over, and end\n"
			    "      --options      print every key of the configuration, and end\n"
			    "  -h, --help         this text\n"
			    "\n"
			    "Runs in the foreground and logs to stderr. SIGTERM and SIGINT end it.\n";

static const char *const level_names[] = {[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug"};

struct arguments {
	const char *config;
	log_level level;
	bool check;
	int exit_code; /**< with `done`: end with it */
	bool done;
};

/** One write a line, so that lines of several processes do not mix. */
static void write_line(void *context, log_level level, const char *line)
{
	char text[640], moment[32] = "";
	time_t now = (time_t)(clock_wall() / 1000U);
	struct tm parts;
	(void)context;
	if (gmtime_r(&now, &parts))
		strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &parts);
	int length = snprintf(text, sizeof text, "%s %s: %s\n", moment, level_names[level], line);
	if (length > 0) {
		ssize_t ignored =
			write(STDERR_FILENO, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
		(void)ignored;
	}
}

static bool parse_level(const char *name, log_level *level)
{
	for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
		if (strcmp(level_names[i], name) == 0) {
			*level = (log_level)i;
			return true;
		}
	return false;
}

static void print_options(void)
{
	char row[1024];
	puts("| key | default | values | what it is |\n|---|---|---|---|");
	for (size_t i = 0; i < configuration_option_count; i++) {
		configuration_option_row(i, row, sizeof row);
		puts(row);
	}
}

static struct arguments end_with(int exit_code)
{
	return (struct arguments){.done = true, .exit_code = exit_code};
}

static struct arguments misused(void)
{
	fputs(usage, stderr);
	return end_with(EXIT_USAGE);
}

static struct arguments parse_arguments(int count, char **values)
{
	enum { OPTION_CHECK = 256, OPTION_OPTIONS, OPTION_VERSION };
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"log", required_argument, NULL, 'l'},
		{"check", no_argument, NULL, OPTION_CHECK},
		{"options", no_argument, NULL, OPTION_OPTIONS},
		{"version", no_argument, NULL, OPTION_VERSION},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct arguments arguments = {.level = LOG_LEVEL_INFO};
	for (int option; (option = getopt_long(count, values, "c:l:h", options, NULL)) != -1;) {
		switch (option) {
		case 'c':
			arguments.config = optarg;
			break;
		case 'l':
			if (!parse_level(optarg, &arguments.level))
				return misused();
			break;
		case OPTION_CHECK:
			arguments.check = true;
			break;
		case OPTION_OPTIONS:
			print_options();
			return end_with(EXIT_SUCCESS);
		case OPTION_VERSION:
			puts("hiphopd " HIPHOP_VERSION);
			return end_with(EXIT_SUCCESS);
		case 'h':
			fputs(usage, stdout);
			return end_with(EXIT_SUCCESS);
		default:
			return misused();
		}
	}
	return arguments.config && optind == count ? arguments : misused();
}

/** A descriptor 0, 1 or 2 of ours would be taken for stdin, stdout or stderr. */
static bool occupy_standard_descriptors(void)
{
	int descriptor;
	do
		descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (descriptor >= 0 && descriptor <= STDERR_FILENO);
	if (descriptor > STDERR_FILENO)
		close(descriptor);
	return descriptor >= 0;
}

/** As an absolute name: hiphopd works in its state directory. NULL without memory. */
static char *absolute(const char *path)
{
	char *directory = *path == '/' ? strdup("") : getcwd(NULL, 0), *joined = NULL;
	if (directory && asprintf(&joined, "%s%s%s", directory, *directory ? "/" : "", path) < 0)
		joined = NULL;
	free(directory);
	return joined;
}

static int run(struct hiphopd *hiphopd)
{
	int exit_code = EXIT_FAILURE;
	bool ready = start_everything(hiphopd);
	bool has_socket = ready || hiphopd->control_listener >= 0;
	if (ready) {
		log_write(&hiphopd->log, LOG_LEVEL_INFO, "ready on %s, UDP port %u", hiphopd->configuration.tunnel_name,
			hiphopd->underlay.port);
		exit_code = loop_run(hiphopd);
	}
	/* In the directory of another owner it stays, and the next start clears it away. */
	if (has_socket)
		unlink(hiphopd->configuration.control_socket);
	start_undo(hiphopd);
	return exit_code;
}

int main(int count, char **values)
{
	char message[1024];
	struct arguments arguments = parse_arguments(count, values);
	if (arguments.done)
		return arguments.exit_code;
	struct hiphopd *hiphopd = malloc(sizeof *hiphopd);
	if (!hiphopd || !occupy_standard_descriptors()) {
		fputs("hiphopd: out of memory, or no /dev/null.\n", stderr);
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	start_clear(hiphopd);
	hiphopd->log = (struct log){.write = write_line, .maximum = arguments.level};
	hiphop_error error = configuration_read(arguments.config, &hiphopd->configuration, message, sizeof message);
	int exit_code = error ? EXIT_FAILURE : EXIT_SUCCESS;
	hiphopd->configuration_file = absolute(arguments.config);
	if (error)
		fprintf(stderr, "hiphopd: %s\n", message);
	else if (!hiphopd->configuration_file)
		exit_code = EXIT_FAILURE;
	else if (!arguments.check)
		exit_code = run(hiphopd);
	else
		start_undo(hiphopd);
	free(hiphopd->configuration_file);
	free(hiphopd);
	return exit_code;
}
