/* SPDX-License-Identifier: MIT */
#include "daemon/state_writer.h"

#include <stdlib.h>
#include <string.h>

/** One change; space, key and value stand behind it. */
struct change {
	struct change *next;
	bool forget;
	struct node_record record;
	size_t size;
};

struct change_list {
	struct change *first, **end;
};

struct state_writer {
	uv_loop_t *loop;
	uv_work_t work;
	struct state_file *file;
	const struct log *log;
	struct change_list waiting; /**< the loop's */
	struct change_list writing; /**< the job's, while one runs */
	size_t waiting_size;
	bool job_runs, full_was_logged;
	hiphop_error error; /**< of the last job */
	char trouble[128];
};

static void list_start(struct change_list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void list_free(struct change_list *list)
{
	for (struct change *change = list->first, *next; change; change = next) {
		next = change->next;
		free(change);
	}
	list_start(list);
}

hiphop_error state_writer_start(
	uv_loop_t *loop, struct state_file *file, const struct log *log, struct state_writer **out)
{
	struct state_writer *writer = calloc(1, sizeof *writer);
	if (!writer)
		return HIPHOP_NO_MEMORY;
	writer->loop = loop;
	writer->file = file;
	writer->log = log;
	writer->work.data = writer;
	list_start(&writer->waiting);
	list_start(&writer->writing);
	*out = writer;
	return HIPHOP_OK;
}

static hiphop_error write_change(struct state_file *file, const struct change *change)
{
	return change->forget ? state_file_forget(file, change->record.space, change->record.key)
			      : state_file_store(file, &change->record);
}

static void note_error(struct state_writer *writer, hiphop_error error)
{
	if (!error || writer->error)
		return;
	writer->error = error;
	strncpy(writer->trouble, state_file_trouble(writer->file), sizeof writer->trouble - 1);
}

/** One failed change does not take the others along. */
static void write_list(struct state_writer *writer)
{
	writer->error = HIPHOP_OK;
	note_error(writer, state_file_begin(writer->file));
	for (struct change *change = writer->writing.first; change; change = change->next)
		note_error(writer, write_change(writer->file, change));
	note_error(writer, state_file_commit(writer->file));
}

static void take_waiting(struct state_writer *writer)
{
	/* The job only walks and frees the list, so its end needs no moving. */
	writer->writing.first = writer->waiting.first;
	list_start(&writer->waiting);
	writer->waiting_size = 0;
	writer->full_was_logged = false;
}

static void finish_writing(struct state_writer *writer)
{
	if (writer->error)
		log_write(writer->log, LOG_LEVEL_ERROR, "the state file could not be written (%s): %s",
			hiphop_error_text(writer->error), writer->trouble);
	list_free(&writer->writing);
}

static void run_job(uv_work_t *work)
{
	write_list(work->data);
}

static void begin_job(struct state_writer *writer);

static void after_job(uv_work_t *work, int status)
{
	struct state_writer *writer = work->data;
	(void)status;
	writer->job_runs = false;
	finish_writing(writer);
	begin_job(writer);
}

static void begin_job(struct state_writer *writer)
{
	if (writer->job_runs || !writer->waiting.first)
		return;
	take_waiting(writer);
	writer->job_runs = true;
	if (uv_queue_work(writer->loop, &writer->work, run_job, after_job) < 0) {
		writer->job_runs = false;
		write_list(writer);
		finish_writing(writer);
	}
}

static struct change *copy_change(const struct node_record *record, bool forget)
{
	size_t space = strlen(record->space) + 1, key = strlen(record->key) + 1;
	size_t length = forget ? 0 : record->length;
	size_t size = sizeof(struct change) + space + key + length;
	struct change *change = malloc(size);
	if (!change)
		return NULL;
	char *text = (char *)(change + 1);
	*change = (struct change){.forget = forget, .size = size};
	change->record = (struct node_record){.space = text,
		.key = text + space,
		.value = (uint8_t *)text + space + key,
		.length = length,
		.expires = record->expires};
	memcpy(text, record->space, space);
	memcpy(text + space, record->key, key);
	if (length > 0)
		memcpy(text + space + key, record->value, length);
	return change;
}

static hiphop_error queue_change(struct state_writer *writer, const struct node_record *record, bool forget)
{
	if (writer->waiting_size + record->length > STATE_QUEUE_MAXIMUM) {
		if (!writer->full_was_logged)
			log_write(writer->log, LOG_LEVEL_ERROR, "the state file cannot keep up; changes are lost");
		writer->full_was_logged = true;
		return HIPHOP_LIMITED;
	}
	struct change *change = copy_change(record, forget);
	if (!change)
		return HIPHOP_NO_MEMORY;
	*writer->waiting.end = change;
	writer->waiting.end = &change->next;
	writer->waiting_size += change->size;
	begin_job(writer);
	return HIPHOP_OK;
}

hiphop_error state_writer_store(struct state_writer *writer, const struct node_record *record)
{
	return queue_change(writer, record, false);
}

hiphop_error state_writer_forget(struct state_writer *writer, const struct node_record *record)
{
	return queue_change(writer, record, true);
}

void state_writer_free(struct state_writer *writer)
{
	if (!writer)
		return;
	if (writer->waiting.first) {
		take_waiting(writer);
		write_list(writer);
		finish_writing(writer);
	}
	free(writer);
}
