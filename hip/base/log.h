/* SPDX-License-Identifier: MIT */
/**
 * Log lines. An engine gets a `struct log` at creation and writes sentences to it; secrets never go in.
 */
#ifndef HIPHOP_HIP_BASE_LOG_H
#define HIPHOP_HIP_BASE_LOG_H

typedef enum { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } log_level;

/** `write` gets one line without newline. NULL `write` drops all. Borrowed by its users. */
struct log {
	void (*write)(void *context, log_level level, const char *line);
	void *context;
	log_level maximum; /**< lines above this level are not even formatted */
};

/** Formats and writes one line; cut at 512 octets. `log` may be NULL. */
void log_write(const struct log *log, log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
