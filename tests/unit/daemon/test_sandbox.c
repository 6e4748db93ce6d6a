/* SPDX-License-Identifier: MIT */
/**
 * The sandbox of hiphopd from within: what its normal life needs goes on working, and files elsewhere are out of reach.
 * (Forbidden calls: tests/unit/kernel-helpers/test_privilege_filter.c.)
 */
#include "daemon/state_file.h"
#include "hip/crypto/diffie_hellman.h"
#include "hip/crypto/host_identity.h"
#include "kernel-helpers/clocks.h"
#include "kernel-helpers/local_socket.h"
#include "kernel-helpers/network_watch.h"
#include "kernel-helpers/route_question.h"
#include "kernel-helpers/signal_descriptor.h"
#include "kernel-helpers/sip_sockets.h"
#include "kernel-helpers/source_address.h"
#include "kernel-helpers/system_random.h"
#include "kernel-helpers/underlay_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/sandbox_case.h"
#include "tests/unit/temporary_directory.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

/** A case ends with the line that failed, as far as an exit status can tell it. */
#define NEED(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			dprintf(2, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));               \
			return 254;                                                                                    \
		}                                                                                                      \
	} while (0)

static char state[96], control[96], control_socket[128];
static const struct privilege_path paths[] = {
	{".", PRIVILEGE_FILES_KEEP}, {control, PRIVILEGE_FILES_REMOVE}, {"/dev/urandom", PRIVILEGE_FILES_READ}};
static const struct sandbox_place place = {PRIVILEGE_ROLE_DAEMON, paths, 3};

/* Opened before the sandbox, as hiphopd does. */
static int control_listener = -1;
static struct network_watch *watch;
static struct underlay_sockets underlay;
static struct route_asker asker;

static int start(void **unused)
{
	struct privilege_user user;
	privilege_user_result result;

	(void)unused;
	assert_int_equal(temporary_directory_make("x"), 0);
	snprintf(state, sizeof state, "%s/state", directory);
	snprintf(control, sizeof control, "%s/control", directory);
	snprintf(control_socket, sizeof control_socket, "%s/c.sock", control);
	assert_int_equal(privilege_find_user("nobody", "nogroup", &user, &result), HIPHOP_OK);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(mkdir(state, 0700), 0);
	assert_int_equal(local_socket_listen(control_socket, user.user, user.group, &control_listener), HIPHOP_OK);
	if (user.change) {
		assert_int_equal(chown(state, user.user, user.group), 0);
		assert_int_equal(chown(control, user.user, user.group), 0);
	}
	assert_int_equal(chdir(state), 0);
	assert_int_equal(network_watch_open("hip0", &watch), HIPHOP_OK);
	assert_int_equal(route_asker_open(&asker), HIPHOP_OK);
	underlay_sockets_start(&underlay);
	assert_int_equal(underlay_open_udp(&underlay, 0), HIPHOP_OK);
	return 0;
}

static int stop(void **unused)
{
	network_watch_close(watch);
	underlay_sockets_close(&underlay);
	route_asker_close(&asker);
	close(control_listener);
	return chdir("/") || temporary_directory_remove(unused);
}

/* ---- what must work ---- */

static void take_record(void *context, const struct node_record *record)
{
	*(int *)context += record->length == 5;
}

static int state_file_lives(const void *unused)
{
	const struct node_record record = {
		.space = "value", .key = "k", .value = (const uint8_t *)"hello", .length = 5};
	struct state_file *file;
	char reason[128];
	int seen = 0;

	(void)unused;
	for (int round = 0; round < 2; round++) {
		NEED(!state_file_open("hiphop.db", &file, reason, sizeof reason));
		NEED(!state_file_begin(file) && !state_file_store(file, &record) && !state_file_commit(file));
		NEED(!state_file_load(file, 1, take_record, &seen));
		state_file_close(file);
	}
	NEED(seen == 2);
	return 0;
}

static int datagrams_pass(const void *unused)
{
	static struct packet_vector vector;
	struct pollfd wait = {.fd = underlay.descriptors[UNDERLAY_UDP], .events = POLLIN};
	struct packet *packet = packet_vector_add(&vector);

	(void)unused;
	NEED(!packet_fill(packet, PACKET_DATAGRAM, "hello", 5));
	NEED(!address_parse("127.0.0.1", &packet->remote.address));
	packet->remote.port = underlay.port;
	packet->remote.transport = TRANSPORT_UDP;
	underlay_send(&underlay, &vector);
	NEED(poll(&wait, 1, 10000) == 1);
	NEED(underlay_receive(&underlay, UNDERLAY_UDP, &vector) == 1);
	NEED(vector.count == 1 && vector.packets[0].length == 5);
	return 0;
}

static int streams_pass(const void *unused)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t room = sizeof name;
	struct endpoint local = {0}, remote = {0};
	struct sip_stream stream;
	struct pollfd wait = {.fd = listener, .events = POLLIN};

	(void)unused;
	NEED(listener >= 0 && bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 1) == 0);
	NEED(getsockname(listener, (struct sockaddr *)&name, &room) == 0);
	NEED(!address_parse("127.0.0.1", &remote.address));
	local.address = remote.address;
	remote.port = ntohs(name.sin_port);
	NEED(!sip_stream_connect(&stream, &local, &remote));
	NEED(poll(&wait, 1, 10000) == 1);
	NEED(accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0);
	return 0;
}

static int routes_and_addresses_are_asked(const void *unused)
{
	struct link_address links[NETWORK_ADDRESSES];
	struct route_answer answer;
	struct address remote, source;
	size_t count;

	(void)unused;
	NEED(!address_parse("127.0.0.1", &remote));
	NEED(source_address_towards(&remote, &source));
	NEED(!network_watch_addresses(watch, links, &count));
	NEED(route_ask(&asker, &(struct route_question){.remote = remote}, &answer) && !answer.to_others);
	return 0;
}

static void work(uv_work_t *job)
{
	*(int *)job->data = 1;
}

static void on_timer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

static int the_loop_runs(const void *unused)
{
	uv_loop_t loop;
	uv_timer_t timer;
	uv_work_t job;
	int done = 0, descriptor;

	(void)unused;
	job.data = &done;
	NEED(uv_loop_init(&loop) == 0);
	NEED(uv_timer_init(&loop, &timer) == 0);
	NEED(uv_timer_start(&timer, on_timer, 1, 0) == 0);
	NEED(uv_queue_work(&loop, &job, work, NULL) == 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	NEED(done == 1);
	NEED(!clock_timer_open(&descriptor));
	clock_timer_set(descriptor, clock_now() + MILLISECONDS(1));
	NEED(poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, 10000) == 1);
	NEED(!clock_step_open(&descriptor));
	NEED(!signal_descriptor_open(&descriptor));
	NEED(raise(SIGTERM) == 0 && signal_descriptor_next(descriptor) == SIGTERM);
	return 0;
}

static int clients_are_served(const void *unused)
{
	struct pollfd wait = {.fd = control_listener, .events = POLLIN};
	int client;
	uid_t user;
	gid_t group;

	(void)unused;
	NEED(poll(&wait, 1, 10000) == 1);
	NEED(!local_socket_accept(control_listener, &client));
	NEED(local_socket_peer(client, &user, &group));
	(void)local_socket_peer_has_group(client, group);
	NEED(unlink(control_socket) == 0);
	return 0;
}

static int cryptography_works(const void *unused)
{
	static const uint8_t groups[] = {3, 4, 7, 8, 9, 10, 11};
	struct system_random random;
	struct random_source source;
	struct host_identity *identity;
	struct span nothing = {(const uint8_t *)"x", 1};
	uint8_t signature[HOST_IDENTITY_SIGNATURE_MAXIMUM];

	(void)unused;
	NEED(!system_random_start(&random, &source));
	NEED(!host_identity_generate(HOST_IDENTITY_ECDSA_P384, &identity));
	NEED(!host_identity_sign(identity, &nothing, 1, signature));
	for (size_t i = 0; i < sizeof groups; i++) {
		struct diffie_hellman *key;
		NEED(!diffie_hellman_new(groups[i], &source, &key));
		diffie_hellman_free(key);
	}
	return 0;
}

static void *in_thread(void *argument)
{
	char *memory = malloc(4 << 20);

	if (memory)
		memset(memory, 1, 4 << 20);
	*(bool *)argument = memory != NULL;
	free(memory);
	return NULL;
}

static int libc_works(const void *unused)
{
	pthread_t threads[3];
	bool ran[3] = {false};
	struct timespec a_moment = {0, 1000};
	struct tm parts;
	time_t now = time(NULL);
	char text[64];

	(void)unused;
	for (int i = 0; i < 3; i++)
		NEED(pthread_create(&threads[i], NULL, in_thread, &ran[i]) == 0);
	for (int i = 0; i < 3; i++)
		NEED(pthread_join(threads[i], NULL) == 0 && ran[i]);
	NEED(nanosleep(&a_moment, NULL) == 0 && gmtime_r(&now, &parts) && localtime(&now));
	NEED(strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0);
	dprintf(2, "%s", "");
	return 0;
}

static int the_helper_is_waited_for(const void *unused)
{
	(void)unused;
	/* Not its parent, so there is nobody to wait for; the call as such is let through. */
	NEED(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
	return 0;
}

static void normal_life_goes_on(void **unused)
{
	static const struct {
		const char *name;
		int (*attempt)(const void *);
	} cases[] = {
		{"the state file", state_file_lives},
		{"datagrams", datagrams_pass},
		{"streams", streams_pass},
		{"routes and addresses", routes_and_addresses_are_asked},
		{"the loop", the_loop_runs},
		{"clients", clients_are_served},
		{"cryptography", cryptography_works},
		{"libc", libc_works},
		{"waiting", the_helper_is_waited_for},
	};
	int client;

	(void)unused;
	assert_int_equal(local_socket_connect(control_socket, &client), HIPHOP_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int found = sandbox_try(&place, cases[i].attempt, NULL);
		if (found)
			print_error("%s: %d\n", cases[i].name, found);
		assert_int_equal(found, 0);
	}
	close(client);
	assert_int_equal(access(control_socket, F_OK), -1);
}

/* ---- what must not ---- */

struct file_case {
	const char *path;
	int flags, expected;
};

static int open_it(const void *argument)
{
	const struct file_case *wanted = argument;
	int descriptor = open(wanted->path, wanted->flags | O_CLOEXEC, 0600);

	return descriptor < 0 ? errno : 0;
}

static void files_elsewhere_are_out_of_reach(void **unused)
{
	static char made_in_control[128];
	const struct file_case cases[] = {
		{"inside", O_RDWR | O_CREAT, 0},
		{"inside", O_RDWR | O_TRUNC, 0},
		{".", O_RDONLY | O_DIRECTORY, 0},
		{"/dev/urandom", O_RDONLY, 0},
		{"/dev/urandom", O_WRONLY, EACCES},
		{"/etc/passwd", O_RDONLY, EACCES},
		{"/proc/self/maps", O_RDONLY, EACCES},
		{"/dev/null", O_RDWR, EACCES},
		{"..", O_RDONLY | O_DIRECTORY, EACCES},
		{"../x", O_RDWR | O_CREAT, EACCES},
		{"/tmp/hiphop-test-outside", O_RDWR | O_CREAT, EACCES},
		{made_in_control, O_RDWR | O_CREAT, EACCES},
	};

	(void)unused;
	snprintf(made_in_control, sizeof made_in_control, "%s/new", control);
	if (!sandbox_has_landlock())
		skip();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int found = sandbox_try(&place, open_it, &cases[i]);
		if (found != cases[i].expected)
			print_error("%s: ends with %d\n", cases[i].path, found);
		assert_int_equal(found, cases[i].expected);
	}
}

static int remove_outside(const void *argument)
{
	return unlink(argument) < 0 ? errno : 0;
}

static void files_elsewhere_stay(void **unused)
{
	char kept[128];

	(void)unused;
	if (!sandbox_has_landlock())
		skip();
	snprintf(kept, sizeof kept, "%s/kept", directory);
	close(open(kept, O_RDWR | O_CREAT | O_CLOEXEC, 0666));
	assert_int_equal(chmod(directory, 0777), 0);
	assert_int_equal(sandbox_try(&place, remove_outside, kept), EACCES);
	assert_int_equal(access(kept, F_OK), 0);
}

static int abort_now(const void *unused)
{
	(void)unused;
	abort();
}

/* A failed assertion of a library must show as what it is. */
static void abort_is_still_abort(void **unused)
{
	int status;
	pid_t child = fork();

	(void)unused;
	if (child == 0)
		_exit(sandbox_enter(&place) ? abort_now(NULL) : 255);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0; /* the sanitizer's own calls are not on the lists */
#endif
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_life_goes_on),
		cmocka_unit_test(files_elsewhere_are_out_of_reach),
		cmocka_unit_test(files_elsewhere_stay),
		cmocka_unit_test(abort_is_still_abort),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
