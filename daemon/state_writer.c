/* SPDX-License-Identifier: MIT */
#include "daemon/state_writer.h"

#include <stdio.h>
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
	size_t waiting_size, writing_size;
	bool job_runs, full_was_logged, in_trouble;
	hiphop_error error; /**< of the last job */
	char trouble[128];  /**< the same in words */
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
	snprintf(writer->trouble, sizeof writer->trouble, "%s", state_file_trouble(writer->file));
}

/** All or nothing: a batch that failed is written again as a whole, and writing a change twice does no harm. */
static void write_list(struct state_writer *writer)
{
	writer->error = HIPHOP_OK;
	note_error(writer, state_file_begin(writer->file));
	for (struct change *change = writer->writing.first; change && !writer->error; change = change->next)
		note_error(writer, write_change(writer->file, change));
	if (writer->error)
		state_file_roll_back(writer->file);
	else
		note_error(writer, state_file_commit(writer->file));
}

/** Moves all of `from` to the end of `to`. */
static void list_append(struct change_list *to, struct change_list *from)
{
	if (!from->first)
		return;
	*to->end = from->first;
	to->end = from->end;
	list_start(from);
}

static void take_waiting(struct state_writer *writer)
{
	list_append(&writer->writing, &writer->waiting);
	writer->writing_size += writer->waiting_size;
	writer->waiting_size = 0;
	writer->full_was_logged = false;
}

static void note_trouble(struct state_writer *writer)
{
	if (!writer->in_trouble)
		log_write(writer->log, LOG_LEVEL_ERROR,
			"the state file cannot be written (%s); it is tried again and again", writer->trouble);
	writer->in_trouble = true;
}

/** After a failure the batch stays in `writing`, ahead of what comes later. */
static void finish_writing(struct state_writer *writer)
{
	if (writer->error) {
		note_trouble(writer);
		return;
	}
	if (writer->in_trouble)
		log_write(writer->log, LOG_LEVEL_INFO, "the state file can be written again");
	writer->in_trouble = false;
	list_free(&writer->writing);
	writer->writing_size = 0;
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
	/* In trouble, the next change or retry is soon enough. */
	if (!writer->in_trouble)
		begin_job(writer);
}

static void begin_job(struct state_writer *writer)
{
	if (writer->job_runs || (!writer->waiting.first && !writer->writing.first))
		return;
	take_waiting(writer);
	writer->job_runs = true;
	if (uv_queue_work(writer->loop, &writer->work, run_job, after_job) < 0) {
		writer->job_runs = false;
		write_list(writer);
		finish_writing(writer);
	}
}

void state_writer_retry(struct state_writer *writer)
{
	begin_job(writer);
}

const char *state_writer_trouble(const struct state_writer *writer)
{
	/* While a job runs, the text is the job's. */
	if (!writer->in_trouble)
		return NULL;
	return writer->job_runs ? "it is being tried again" : writer->trouble;
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
	if (writer->waiting_size + writer->writing_size + record->length > STATE_QUEUE_MAXIMUM) {
		if (!writer->full_was_logged)
			log_write(writer->log, LOG_LEVEL_ERROR, "the state file cannot keep up; changes are lost");
		writer->full_was_logged = true;
		begin_job(writer);
		return HIPHOP_LIMITED;
	}
	if (!forget && record->length > STATE_VALUE_MAXIMUM)
		return HIPHOP_TOO_LARGE;
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
	take_waiting(writer);
	if (writer->writing.first) {
		write_list(writer);
		finish_writing(writer);
	}
	list_free(&writer->writing);
	free(writer);
}
