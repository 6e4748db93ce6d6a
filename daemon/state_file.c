/* SPDX-License-Identifier: MIT */
#include "daemon/state_file.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APPLICATION_ID      0x68697068 /* "hiph" */
#define APPLICATION_ID_TEXT "0x68697068"
#define PAGE_SIZE           4096

struct state_file {
	sqlite3 *database;
	sqlite3_stmt *store, *forget;
};

/* One process has it, so the write-ahead log needs no shared memory. */
static const char *const preparation[] = {
	"PRAGMA locking_mode = EXCLUSIVE",
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = NORMAL",
	"PRAGMA temp_store = MEMORY",
	"PRAGMA application_id = " APPLICATION_ID_TEXT,
	"CREATE TABLE IF NOT EXISTS records (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
	" expires INTEGER NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID",
};

static const char store_statement[] = "INSERT INTO records (space, key, value, expires) VALUES (?1, ?2, ?3, ?4)"
				      " ON CONFLICT (space, key) DO UPDATE SET value = ?3, expires = ?4";
static const char forget_statement[] = "DELETE FROM records WHERE space = ?1 AND key = ?2";
static const char load_statement[] = "SELECT space, key, value, expires FROM records ORDER BY space, key";
static const char expire_statement[] = "DELETE FROM records WHERE expires != 0 AND expires <= ?1";

static hiphop_error from_sqlite(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return HIPHOP_OK;
	case SQLITE_NOMEM:
		return HIPHOP_NO_MEMORY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_ERROR:
		return HIPHOP_MALFORMED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return HIPHOP_EXISTS;
	case SQLITE_FULL:
	case SQLITE_TOOBIG:
		return HIPHOP_TOO_LARGE;
	default:
		return HIPHOP_SYSTEM;
	}
}

/** One number that the database tells of itself. */
static int ask_number(struct state_file *file, const char *text, int *number)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(file->database, text, -1, &statement, NULL);
	*number = 0;
	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		*number = sqlite3_column_int(statement, 0);
		code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return code;
}

/** A database of another program is left as it is; an empty one becomes ours. */
static int check_owner(struct state_file *file, bool *foreign)
{
	int owner = 0, objects = 0;
	int code = ask_number(file, "PRAGMA application_id", &owner);
	if (code == SQLITE_OK)
		code = ask_number(file, "SELECT count(*) FROM sqlite_master", &objects);
	*foreign = code == SQLITE_OK && owner != APPLICATION_ID && (owner != 0 || objects > 0);
	return code;
}

static int prepare(struct state_file *file)
{
	char limit[64];
	int code = SQLITE_OK;
	for (size_t i = 0; i < sizeof preparation / sizeof *preparation && code == SQLITE_OK; i++)
		code = sqlite3_exec(file->database, preparation[i], NULL, NULL, NULL);
	snprintf(limit, sizeof limit, "PRAGMA max_page_count = %d", STATE_FILE_MAXIMUM / PAGE_SIZE);
	if (code == SQLITE_OK)
		code = sqlite3_exec(file->database, limit, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(file->database, store_statement, -1, &file->store, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(file->database, forget_statement, -1, &file->forget, NULL);
	return code;
}

/* SQLite makes every name absolute, and then opens it from the root. hiphopd may pass the directories above its state
 * before it gives its rights up, not afterwards; so a name stays what it is, from the current directory on. */
static int keep_name(sqlite3_vfs *system, const char *name, int size, char *out)
{
	size_t length = strlen(name);
	(void)system;
	if (length >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(out, name, length + 1);
	return SQLITE_OK;
}

#define KEEP_NAMES "hiphop-keeps-names"

/* Registered once in a process; the library owns it from then on. */
static int register_keep_names(void)
{
	const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
	sqlite3_vfs *ours;
	if (sqlite3_vfs_find(KEEP_NAMES))
		return SQLITE_OK;
	ours = usual ? malloc(sizeof *ours) : NULL;
	if (!ours)
		return SQLITE_NOMEM;
	*ours = *usual;
	ours->zName = KEEP_NAMES;
	ours->pNext = NULL;
	ours->xFullPathname = keep_name;
	return sqlite3_vfs_register(ours, 0);
}

hiphop_error state_file_open(const char *path, struct state_file **out, char *reason, size_t reason_size)
{
	bool foreign = false;
	struct state_file *file = calloc(1, sizeof *file);
	if (!file)
		return HIPHOP_NO_MEMORY;
	int code = register_keep_names();
	if (code == SQLITE_OK)
		code = sqlite3_open_v2(path, &file->database,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_FULLMUTEX,
			KEEP_NAMES);
	if (code == SQLITE_OK)
		code = check_owner(file, &foreign);
	if (code == SQLITE_OK && !foreign)
		code = prepare(file);
	if (code != SQLITE_OK || foreign) {
		snprintf(reason, reason_size, "%s",
			foreign ? "it is the database of another program" : state_file_trouble(file));
		state_file_close(file);
		return foreign ? HIPHOP_MALFORMED : from_sqlite(code);
	}
	*out = file;
	return HIPHOP_OK;
}

static hiphop_error run_with_wall(struct state_file *file, const char *text, wall_milliseconds wall)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(file->database, text, -1, &statement, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)wall);
		code = sqlite3_step(statement);
	}
	sqlite3_finalize(statement);
	return from_sqlite(code);
}

static struct node_record record_of_row(sqlite3_stmt *row)
{
	return (struct node_record){
		.space = (const char *)sqlite3_column_text(row, 0),
		.key = (const char *)sqlite3_column_text(row, 1),
		.value = sqlite3_column_blob(row, 2),
		.length = (size_t)sqlite3_column_bytes(row, 2),
		.expires = (wall_milliseconds)sqlite3_column_int64(row, 3),
	};
}

hiphop_error state_file_load(struct state_file *file, wall_milliseconds wall,
	void (*take)(void *context, const struct node_record *record), void *context)
{
	static const uint8_t nothing[1];
	sqlite3_stmt *statement;
	/* A disk that is full of other things is no reason not to read. */
	(void)run_with_wall(file, expire_statement, wall);
	int code = sqlite3_prepare_v2(file->database, load_statement, -1, &statement, NULL);
	if (code != SQLITE_OK)
		return from_sqlite(code);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct node_record record = record_of_row(statement);
		if (!record.value)
			record.value = nothing;
		if (record.space && record.key && (!record.expires || record.expires > wall))
			take(context, &record);
	}
	sqlite3_finalize(statement);
	return from_sqlite(code);
}

static hiphop_error run(struct state_file *file, const char *text)
{
	return from_sqlite(sqlite3_exec(file->database, text, NULL, NULL, NULL));
}

hiphop_error state_file_begin(struct state_file *file)
{
	return run(file, "BEGIN");
}

void state_file_roll_back(struct state_file *file)
{
	if (!sqlite3_get_autocommit(file->database))
		(void)run(file, "ROLLBACK");
}

hiphop_error state_file_commit(struct state_file *file)
{
	hiphop_error error = run(file, "COMMIT");
	/* A commit that fails leaves the transaction open, and the next one must be able to begin. */
	if (error)
		state_file_roll_back(file);
	return error;
}

static hiphop_error step_once(sqlite3_stmt *statement)
{
	hiphop_error error = from_sqlite(sqlite3_step(statement));
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return error;
}

hiphop_error state_file_store(struct state_file *file, const struct node_record *record)
{
	if (record->length > STATE_VALUE_MAXIMUM)
		return HIPHOP_TOO_LARGE;
	sqlite3_bind_text(file->store, 1, record->space, -1, SQLITE_STATIC);
	sqlite3_bind_text(file->store, 2, record->key, -1, SQLITE_STATIC);
	if (record->length > 0)
		sqlite3_bind_blob(file->store, 3, record->value, (int)record->length, SQLITE_STATIC);
	else
		sqlite3_bind_zeroblob(file->store, 3, 0);
	sqlite3_bind_int64(file->store, 4, (sqlite3_int64)record->expires);
	return step_once(file->store);
}

hiphop_error state_file_forget(struct state_file *file, const char *space, const char *key)
{
	sqlite3_bind_text(file->forget, 1, space, -1, SQLITE_STATIC);
	sqlite3_bind_text(file->forget, 2, key, -1, SQLITE_STATIC);
	return step_once(file->forget);
}

const char *state_file_trouble(const struct state_file *file)
{
	return file->database ? sqlite3_errmsg(file->database) : "out of memory";
}

void state_file_close(struct state_file *file)
{
	if (!file)
		return;
	sqlite3_finalize(file->store);
	sqlite3_finalize(file->forget);
	sqlite3_close(file->database);
	free(file);
}
