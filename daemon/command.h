/* SPDX-License-Identifier: MIT */
/**
 * The command `hiphop`: what its subcommands share. Each subcommand makes requests of docs/control.md and prints the
 * answers, for people or, with --json, as they came.
 */
#ifndef HIPHOP_DAEMON_COMMAND_H
#define HIPHOP_DAEMON_COMMAND_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/** Exit codes, a contract (docs/control.md). */
typedef enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2, COMMAND_UNREACHABLE = 3 } command_exit;

#define COMMAND_DEFAULT_SOCKET "/run/hiphop/control.sock"
#define COMMAND_DEFAULT_STATE  "/var/lib/hiphop"
#define COMMAND_DEFAULT_KEY    COMMAND_DEFAULT_STATE "/host.pem"
#define COMMAND_PING_COUNT     4

/** What stood on the command line. */
struct command_line {
	const char *socket;
	bool json;
	bool force;
	bool dh;                      /**< of rekey */
	const char *type;             /**< of a key */
	bool weak;                    /**< a weak type of key is meant */
	const char *output;           /**< file of a key; NULL = not given */
	const char *from;             /**< HIT of this host to ping from; NULL = the first */
	long count;                   /**< of pings; 0 = until interrupted */
	double interval_s, timeout_s; /**< 0 = not given */
	char **arguments;             /**< after the name of the subcommand */
	int argument_count;
	const volatile sig_atomic_t *interrupted; /**< becomes 1 at Ctrl-C */
};

/** A connection to hiphopd. */
struct command_client;

/** Connects and sends one request, whose reference is taken. Not COMMAND_OK after a complaint: COMMAND_UNREACHABLE, or
 * COMMAND_USAGE when `request` is NULL since its text is no UTF-8. */
command_exit command_open(const struct command_line *line, json_t *request, struct command_client **client);
/** The next answer, without "last"; `last`, if not NULL, tells whether it was the last. NULL when hiphopd is gone or
 * silent, or at Ctrl-C. The caller owns it. `patient`: wait for ever. */
json_t *command_receive(struct command_client *client, bool patient, bool *last);
void command_disconnect(struct command_client *client);

/** Prints an answer of failure or, with --json, any answer. True when the caller should print it for people itself. */
bool command_show(const struct command_line *line, const json_t *answer);
/** Connects, asks once, shows, and calls `print` for a good answer in words. Takes the request. Returns the exit code.
 */
command_exit command_ask_once(const struct command_line *line, json_t *request, void (*print)(const json_t *answer));
/** Complains in the form asked for (JSON or a sentence) and returns `code`. */
command_exit command_complain(const struct command_line *line, command_exit code, const char *word, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/** The text at `key`, or "-" when it is absent, null, or no text. */
const char *command_text(const json_t *object, const char *key);
/** The number at `key`, or `otherwise`. */
double command_number(const json_t *object, const char *key, double otherwise);
bool command_is_ok(const json_t *answer);
/** Prints text from outside with its control characters as '?', so that no answer can drive the terminal. */
void command_print_safe(const char *text);

/* The subcommands. */
command_exit command_keygen(const struct command_line *line);
command_exit command_id(const struct command_line *line);
command_exit command_status(const struct command_line *line);
command_exit command_peers(const struct command_line *line);
command_exit command_ping(const struct command_line *line);
command_exit command_trace(const struct command_line *line);
command_exit command_resolve(const struct command_line *line);
command_exit command_put(const struct command_line *line);
command_exit command_get(const struct command_line *line);
command_exit command_trust(const struct command_line *line);
command_exit command_access(const struct command_line *line);
command_exit command_reload(const struct command_line *line);
command_exit command_rekey(const struct command_line *line);
command_exit command_monitor(const struct command_line *line);

#endif
