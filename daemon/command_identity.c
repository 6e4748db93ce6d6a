/* SPDX-License-Identifier: MIT */
/** keygen and id. */
#include "daemon/command.h"

#include "daemon/identity_kind.h"
#include "kernel-helpers/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/** One line for each HIT; those after the first, whose name or sort matters, say which they are. */
static void print_id(const json_t *answer)
{
	const json_t *identities = json_object_get(answer, "identities");
	size_t index;
	json_t *identity;
	puts(command_text(answer, "hit"));
	json_array_foreach(identities, index, identity)
	{
		if (index == 0)
			continue;
		command_print_safe(command_text(identity, "hit"));
		if (json_is_true(json_object_get(identity, "anonymous")))
			fputs(" anonymous", stdout);
		if (json_is_string(json_object_get(identity, "name"))) {
			putchar(' ');
			command_print_safe(command_text(identity, "name"));
		}
		putchar('\n');
	}
}

static void show_identity(const struct command_line *line, const char *file, const struct host_identity *identity)
{
	char hit[HIT_TEXT_SIZE], kind[IDENTITY_KIND_SIZE];
	json_t *answer = json_pack("{s:b, s:s, s:s, s:s}", "ok", 1, "hit", hit_format(host_identity_hit(identity), hit),
		"algorithm", identity_kind_name(identity, kind), "file", file);
	if (command_show(line, answer))
		print_id(answer);
	json_decref(answer);
}

static command_exit write_key(const struct command_line *line, const char *file, const struct host_identity *identity)
{
	struct buffer text;
	hiphop_error error = host_identity_to_pem(identity, &text);
	if (error)
		return command_complain(line, COMMAND_FAILED, "failed", "The key cannot be written as text: %s.",
			hiphop_error_text(error));
	error = file_write_secret(file, text.data, text.length, line->force);
	int error_number = errno;
	host_identity_pem_free(&text);
	if (error == HIPHOP_EXISTS)
		return command_complain(line, COMMAND_FAILED, "exists",
			"%s exists already and was left alone; --force would replace it, and with it this host's "
			"identity.",
			file);
	if (error)
		return command_complain(
			line, COMMAND_FAILED, "failed", "%s cannot be written: %s.", file, strerror(error_number));
	show_identity(line, file, identity);
	return COMMAND_OK;
}

command_exit command_keygen(const struct command_line *line)
{
	const char *file = line->argument_count ? line->arguments[0]
			   : line->output       ? line->output
						: COMMAND_DEFAULT_KEY;
	struct host_identity *identity;
	host_identity_kind kind = HOST_IDENTITY_ECDSA_P256;
	if (line->argument_count && line->output)
		return command_complain(
			line, COMMAND_USAGE, "usage", "The file of the key is named twice, as FILE and with --output.");
	if (line->type && host_identity_kind_by_name(line->type, &kind))
		return command_complain(line, COMMAND_USAGE, "usage",
			"\"%s\" is no type of key; there are ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072 and, weak, "
			"ecdsa-low.",
			line->type);
	if (kind == HOST_IDENTITY_ECDSA_LOW && !line->weak)
		return command_complain(line, COMMAND_USAGE, "usage",
			"A key of ecdsa-low is weak (SHA-1 and a curve of 160 bits); --weak says that it is meant.");
	/* hiphopd makes its state directory too; when it cannot be made, writing the key says why. */
	if (strcmp(file, COMMAND_DEFAULT_KEY) == 0)
		(void)directory_prepare(COMMAND_DEFAULT_STATE, false, 0, 0);
	hiphop_error error = host_identity_generate(kind, &identity);
	if (error)
		return command_complain(
			line, COMMAND_FAILED, "failed", "The key cannot be made: %s.", hiphop_error_text(error));
	command_exit code = write_key(line, file, identity);
	host_identity_free(identity);
	return code;
}

static command_exit id_of_file(const struct command_line *line, const char *file)
{
	struct buffer text;
	struct host_identity *identity;
	hiphop_error error = file_read(file, HOST_IDENTITY_PEM_MAXIMUM, &text);
	if (error)
		return command_complain(line, COMMAND_FAILED, hiphop_error_text(error), "%s cannot be read: %s.", file,
			error == HIPHOP_TOO_LARGE ? "it is too large for a key" : strerror(errno));
	error = host_identity_from_pem((const char *)text.data, text.length, &identity);
	file_free_secret(&text);
	if (error)
		return command_complain(line, COMMAND_FAILED, hiphop_error_text(error),
			"%s holds no private key that a host identity can be (%s).", file, hiphop_error_text(error));
	show_identity(line, file, identity);
	host_identity_free(identity);
	return COMMAND_OK;
}

command_exit command_id(const struct command_line *line)
{
	if (line->argument_count)
		return id_of_file(line, line->arguments[0]);
	return command_ask_once(line, json_pack("{s:s}", "command", "id"), print_id);
}
