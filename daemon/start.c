/* SPDX-License-Identifier: MIT */
#include "daemon/start.h"

#include "daemon/link_policy.h"
#include "daemon/start_internal.h"
#include "hip/crypto/host_identity.h"
#include "kernel-helpers/clocks.h"
#include "kernel-helpers/local_socket.h"
#include "kernel-helpers/source_address.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

bool start_fail(const struct hiphopd *hiphopd, const char *format, ...)
{
	char sentence[480];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	log_write(&hiphopd->log, LOG_LEVEL_ERROR, "%s", sentence);
	return false;
}

static bool find_user(struct hiphopd *hiphopd)
{
	const struct configuration *configuration = &hiphopd->configuration;
	privilege_user_result result;
	if (privilege_find_user(configuration->user, configuration->group, &hiphopd->user, &result))
		return start_fail(hiphopd,
			"There is no user %s with group %s to become (`user` and `group` of the configuration).",
			configuration->user, configuration->group);
	if (result == PRIVILEGE_USER_NOBODY)
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "there is no user %s; going on as nobody",
			configuration->user);
	if (result == PRIVILEGE_USER_UNMAPPED)
		log_write(&hiphopd->log, LOG_LEVEL_INFO,
			"this namespace has one user only; staying it, without capabilities");
	return true;
}

static bool start_the_helper(struct hiphopd *hiphopd)
{
	return helper_start(&hiphopd->helper, &hiphopd->user) == HIPHOP_OK ||
	       start_fail(hiphopd, "The kernel helper cannot be started: %s.", strerror(errno));
}

static bool start_control_socket(struct hiphopd *hiphopd)
{
	const char *path = hiphopd->configuration.control_socket;
	hiphop_error error =
		local_socket_listen(path, hiphopd->user.user, hiphopd->user.group, &hiphopd->control_listener);
	if (error == HIPHOP_EXISTS)
		return start_fail(hiphopd,
			"The control socket %s cannot be made: another hiphopd answers there, or it is no socket.",
			path);
	return !error || start_fail(hiphopd, "The control socket %s cannot be opened: %s.", path, strerror(errno));
}

/* From here on the state is the current directory: the paths above it may be closed to the user we become. */
static bool enter_state(struct hiphopd *hiphopd)
{
	return chdir(hiphopd->configuration.state) == 0 ||
	       start_fail(hiphopd, "The state directory %s cannot be entered: %s.", hiphopd->configuration.state,
		       strerror(errno));
}

static bool drop_privilege(struct hiphopd *hiphopd)
{
	return privilege_drop(&hiphopd->user, PRIVILEGE_NOTHING) == HIPHOP_OK ||
	       start_fail(hiphopd, "Privilege cannot be given up: %s.", strerror(errno));
}

static bool start_random(struct hiphopd *hiphopd)
{
	return system_random_start(&hiphopd->random, &hiphopd->random_source) == HIPHOP_OK ||
	       start_fail(hiphopd, "The system gives no random numbers: %s.", strerror(errno));
}

static bool open_state(struct hiphopd *hiphopd)
{
	const char *state = hiphopd->configuration.state;
	char reason[128] = "";
	hiphop_error error = state_file_open("hiphop.db", &hiphopd->state, reason, sizeof reason);
	if (error == HIPHOP_MALFORMED)
		return start_fail(hiphopd,
			"%s/hiphop.db is no state file of hiphop (%s); move it away to start afresh.", state, reason);
	return !error || start_fail(hiphopd, "The state file %s/hiphop.db cannot be opened by user id %u: %s.", state,
				 (unsigned)hiphopd->user.user, reason);
}

static bool source_address(void *context, const struct address *remote, struct address *source)
{
	const struct hiphopd *hiphopd = context;
	return source_address_towards(remote, source) &&
	       link_policy_source(hiphopd->links, hiphopd->used_links, hiphopd->link_count, source);
}

static void restore(void *context, const struct node_record *record)
{
	node_restore(context, record);
}

/** Of a flood of ESP with made-up SPIs one in so many gets past the kernel's sorting; the rest of an SPI stays random.
 */
#define SPI_MASK UINT32_C(0x00fff000)

static bool make_node(struct hiphopd *hiphopd)
{
	/* What a mobile router hands on has the SPIs of others. */
	const uint32_t spi_mask = hiphopd->configuration.router.serves ? 0 : SPI_MASK;
	const uint32_t spi_mark = random_u32(&hiphopd->random_source) & spi_mask;
	const struct node_environment environment = {.configuration = &hiphopd->configuration,
		.identity = hiphopd->identity,
		.more = hiphopd->more,
		.certificates = hiphopd->certificates,
		.authorities = hiphopd->authorities,
		.random = &hiphopd->random_source,
		.spi_mask = spi_mask,
		.spi_mark = spi_mark,
		.log = &hiphopd->log,
		.source_address = source_address,
		.context = hiphopd};
	hiphop_error error = node_create(&environment, clock_now(), clock_wall(), &hiphopd->node);
	if (error)
		return start_fail(hiphopd, "The node cannot be made: %s.", hiphop_error_text(error));
	if (spi_mask)
		underlay_mark_spis(&hiphopd->underlay, spi_mask, spi_mark);
	error = state_file_load(hiphopd->state, clock_wall(), restore, hiphopd->node);
	if (error)
		log_write(&hiphopd->log, LOG_LEVEL_ERROR, "the state file could not be read to its end: %s",
			state_file_trouble(hiphopd->state));
	return true;
}

/** The directory of a file; of one in the root the file itself. */
static void directory_of(const char *path, char directory[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int length = slash && slash > path ? (int)(slash - path) : (int)strlen(path);
	snprintf(directory, PATH_MAX, "%.*s", length, path);
}

static bool restrict_files(struct hiphopd *hiphopd)
{
	char control[PATH_MAX], configuration[PATH_MAX];
	/* Where it is unlinked at the end; and where it is read again, under whichever inode it has then. */
	directory_of(hiphopd->configuration.control_socket, control);
	directory_of(hiphopd->configuration_file, configuration);
	const struct privilege_path paths[] = {
		{".", PRIVILEGE_FILES_KEEP}, /* the state directory */
		{control, PRIVILEGE_FILES_REMOVE}, {configuration, PRIVILEGE_FILES_READ},
		{"/dev/urandom", PRIVILEGE_FILES_READ}, /* SQLite asks there */
	};
	/* A sanitizer reads /proc and its symbols at its end. */
	hiphop_error error =
		SANITIZED ? HIPHOP_OK
			  : privilege_restrict_files(PRIVILEGE_ROLE_DAEMON, paths, sizeof paths / sizeof *paths);
	if (error == HIPHOP_UNSUPPORTED)
		log_write(&hiphopd->log, LOG_LEVEL_INFO, "this kernel has no Landlock; files are not fenced in");
	return !error || error == HIPHOP_UNSUPPORTED ||
	       start_fail(hiphopd, "Files cannot be fenced in: %s.", hiphop_error_text(error));
}

static bool filter_calls(struct hiphopd *hiphopd)
{
	if (SANITIZED) {
		/* The sanitizer traces the process itself at its end. */
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "built with a sanitizer: system calls are not filtered");
		return true;
	}
	hiphop_error error = privilege_filter_calls(PRIVILEGE_ROLE_DAEMON);
	if (error != HIPHOP_UNSUPPORTED)
		return !error || start_fail(hiphopd, "System calls cannot be filtered: %s.", hiphop_error_text(error));
	log_write(&hiphopd->log, LOG_LEVEL_WARNING, "this kernel has no seccomp; system calls are not filtered");
	return true;
}

void start_clear(struct hiphopd *hiphopd)
{
	memset(hiphopd, 0, sizeof *hiphopd);
	hiphopd->helper = (struct helper){.process = -1, .channel = -1};
	hiphopd->lock = hiphopd->control_listener = hiphopd->tunnel.descriptor = -1;
	underlay_sockets_start(&hiphopd->underlay);
	sip_sockets_start(&hiphopd->sip);
}

bool start_everything(struct hiphopd *hiphopd)
{
	/* The order is the point: the helper before a key is in memory, the lock before anything is changed, the drop
	 * before anything that strangers wrote is read. */
	static const start_step steps[] = {
		find_user,
		start_state_directory,
		start_lock,
		start_the_helper,
		start_identity,
		start_more_identities,
		start_certificates,
		start_policy,
		start_tunnel,
		start_underlay,
		start_network_setup,
		start_sip,
		start_network_watch,
		start_control_socket,
		enter_state,
		drop_privilege,
		restrict_files,
		start_random,
		open_state,
		make_node,
		filter_calls,
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (!steps[i](hiphopd))
			return false;
	return true;
}

static void close_descriptor(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

void start_undo(struct hiphopd *hiphopd)
{
	if (hiphopd->node)
		node_free(hiphopd->node);
	state_file_close(hiphopd->state);
	close_descriptor(&hiphopd->control_listener);
	network_watch_close(hiphopd->network);
	sip_sockets_close(&hiphopd->sip);
	underlay_sockets_close(&hiphopd->underlay);
	tunnel_device_close(&hiphopd->tunnel);
	helper_stop(&hiphopd->helper);
	host_identity_free(hiphopd->identity);
	for (size_t i = 0; i < CONFIGURATION_MORE; i++)
		host_identity_free(hiphopd->more[i]);
	for (size_t i = 0; i <= CONFIGURATION_MORE; i++)
		certificate_chain_free(&hiphopd->certificates[i]);
	certificate_authorities_free(hiphopd->authorities);
	system_random_stop(&hiphopd->random);
	free(hiphopd->vector);
	free(hiphopd->sip_octets);
	free(hiphopd->media_vector);
	/* Last, so that the next hiphopd finds nothing of this one. */
	close_descriptor(&hiphopd->lock);
	configuration_free(&hiphopd->configuration);
}
