/* SPDX-License-Identifier: MIT */
/** The helper as a process in a namespace of its own: what it does, what it refuses, what it may, and how it ends. */
#include "kernel-helpers/helper.h"
#include "kernel-helpers/network_watch.h"
#include "kernel-helpers/source_address.h"
#include "kernel-helpers/underlay_sockets.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"
#include "tests/unit/kernel-helpers/namespace.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct tunnel_device tunnel = {.descriptor = -1};
static struct hit own, second;

static struct helper_policy policy(void)
{
	struct helper_policy made;
	memset(&made, 0, sizeof made);
	strcpy(made.tunnel_name, "hiptest0");
	made.mtu = 1400;
	made.raw = 1;
	made.hit = own;
	made.more_count = 1;
	made.more[0] = second;
	return made;
}

static int start(void **state)
{
	static struct helper helper;
	struct privilege_user user;
	privilege_user_result result;
	*state = NULL;
	assert_int_equal(hit_parse("2001:22::aaaa", &own), HIPHOP_OK);
	assert_int_equal(hit_parse("2001:22::aaab", &second), HIPHOP_OK);
	if (!namespace_enter() || tunnel_device_open("hiptest0", &tunnel))
		return 0; /* the tests skip themselves */
	assert_int_equal(privilege_find_user("nobody", "nogroup", &user, &result), HIPHOP_OK);
	assert_int_equal(helper_start(&helper, &user), HIPHOP_OK);
	struct helper_policy made = policy();
	assert_int_equal(helper_set_policy(&helper, &made), HIPHOP_OK);
	*state = &helper;
	return 0;
}

static struct helper *running(void **state)
{
	if (!*state)
		skip();
	return *state;
}

static void network_is_set_up(void **state)
{
	struct helper *helper = running(state);
	struct helper_answer answer;
	struct address source, peer;
	assert_int_equal(helper_ask(helper, HELPER_SETUP_NETWORK, 0, &answer, NULL), HIPHOP_OK);
	/* The second time finds everything there. */
	assert_int_equal(helper_ask(helper, HELPER_SETUP_NETWORK, 0, &answer, NULL), HIPHOP_OK);
	assert_int_equal(address_parse("2001:22::bbbb", &peer), HIPHOP_OK);
	assert_true(source_address_towards(&peer, &source));
	assert_memory_equal(source.octets, own.octets, sizeof own.octets);
}

static bool can_be_bound(const struct hit *hit)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	int socket_descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(socket_descriptor >= 0);
	memcpy(&address.sin6_addr, hit->octets, HIT_LENGTH);
	bool bound = bind(socket_descriptor, (struct sockaddr *)&address, sizeof address) == 0;
	close(socket_descriptor);
	return bound;
}

static void every_hit_is_an_address(void **state)
{
	struct hit other = own;
	(void)running(state);
	assert_true(can_be_bound(&own));
	assert_true(can_be_bound(&second));
	other.octets[15]++;
	other.octets[14]++;
	assert_false(can_be_bound(&other));
}

static bool label_is_set(void)
{
	char line[128];
	bool found = false;
	FILE *labels = popen("ip addrlabel list 2>/dev/null", "r");
	assert_non_null(labels);
	while (fgets(line, sizeof line, labels))
		found |= strstr(line, "2001:20::/28") != NULL;
	if (pclose(labels) != 0)
		skip();
	return found;
}

static void hit_is_no_source_for_other_addresses(void **state)
{
	(void)running(state);
	assert_true(label_is_set());
}

static void helper_keeps_two_capabilities(void **state)
{
	struct helper *helper = running(state);
	struct privilege_state seen;
	assert_int_equal(privilege_read(helper->process, &seen), HIPHOP_OK);
	assert_int_equal(seen.permitted, PRIVILEGE_HELPER);
	assert_int_equal(seen.effective, PRIVILEGE_HELPER);
	assert_int_equal(seen.inheritable | seen.bounding | seen.ambient, 0);
	assert_true(seen.no_new_privileges);
	assert_int_equal(seen.seccomp, 2);
}

static void menu_gives_descriptors(void **state)
{
	struct helper *helper = running(state);
	struct helper_answer answer;
	for (uint16_t which = 0; which < UNDERLAY_SOCKETS; which++) {
		int descriptor = -1;
		if (which != UNDERLAY_UDP && underlay_is_udp((underlay_socket)which))
			continue;
		assert_int_equal(helper_ask(helper, HELPER_OPEN_UNDERLAY, which, &answer, &descriptor), HIPHOP_OK);
		assert_true(descriptor >= 0);
		close(descriptor);
	}
	for (int i = 0; i < HELPER_QUEUES_MAXIMUM; i++) {
		int queue = -1;
		assert_int_equal(helper_ask(helper, HELPER_OPEN_QUEUE, 0, &answer, &queue), HIPHOP_OK);
		close(queue);
	}
	assert_int_equal(helper_ask(helper, HELPER_OPEN_QUEUE, 0, &answer, NULL), HIPHOP_LIMITED);
}

static void garbage_is_refused_and_survived(void **state)
{
	struct helper *helper = running(state);
	struct helper_answer answer;
	char garbage[300];
	memset(garbage, 0x5a, sizeof garbage);
	const size_t sizes[] = {1, 15, 16, 17, sizeof garbage};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t length;
		int descriptor;
		assert_int_equal(helper_message_send(helper->channel, garbage, sizes[i], -1), HIPHOP_OK);
		assert_int_equal(helper_message_receive(helper->channel, &answer, sizeof answer, &length, &descriptor),
			HIPHOP_OK);
		assert_int_equal(answer.error, HIPHOP_MALFORMED);
	}
	assert_int_equal(helper_ask(helper, (helper_choice)99, 0, &answer, NULL), HIPHOP_UNSUPPORTED);
	assert_int_equal(helper_ask(helper, HELPER_OPEN_UNDERLAY, 99, &answer, NULL), HIPHOP_REFUSED);
	assert_int_equal(helper_ask(helper, HELPER_SETUP_NETWORK, 0, &answer, NULL), HIPHOP_OK);
}

/* ---- a daemon that has gone bad ---- */

/* Entries of /proc/PID/fd; 0 where that may not be read. */
static unsigned descriptors_of(pid_t process)
{
	char path[64];
	unsigned count = 0;
	snprintf(path, sizeof path, "/proc/%ld/fd", (long)process);
	DIR *directory = opendir(path);
	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	return count;
}

static hiphop_error say(int channel, const void *octets, size_t length, int descriptor)
{
	struct helper_answer answer;
	size_t got;
	int unwanted;
	assert_int_equal(helper_message_send(channel, octets, length, descriptor), HIPHOP_OK);
	hiphop_error error = helper_message_receive(channel, &answer, sizeof answer, &got, &unwanted);
	if (unwanted >= 0)
		close(unwanted);
	return error ? error : (hiphop_error)answer.error;
}

static void descriptors_are_not_taken(void **state)
{
	struct helper *helper = running(state);
	const struct helper_request request = {.magic = HELPER_MAGIC, .choice = HELPER_SETUP_NETWORK};
	unsigned before = descriptors_of(helper->process);
	for (int i = 0; i < 20; i++)
		assert_int_equal(say(helper->channel, &request, sizeof request, helper->channel), HIPHOP_MALFORMED);
	assert_int_equal(descriptors_of(helper->process), before);
	assert_int_equal(say(helper->channel, &request, sizeof request, -1), HIPHOP_OK);
}

static void a_policy_is_said_once(void **state)
{
	struct helper *helper = running(state);
	struct helper_policy other = policy();
	other.magic = HELPER_MAGIC;
	other.port = 80;
	assert_int_equal(say(helper->channel, &other, sizeof other, -1), HIPHOP_MALFORMED);
	assert_int_equal(helper_ask(helper, HELPER_SETUP_NETWORK, 0, NULL, NULL), HIPHOP_OK);
}

static pid_t start_another(struct helper *helper)
{
	struct privilege_user self = {0};
	assert_int_equal(helper_start(helper, &self), HIPHOP_OK);
	return helper->process;
}

static void ends(struct helper *helper)
{
	int status = -1;
	assert_int_equal(waitpid(helper->process, &status, 0), helper->process);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(helper->channel);
}

/* The daemon dies: its end of the channel closes. */
static void ends_at_once(struct helper *helper)
{
	int status = -1;
	close(helper->channel);
	assert_int_equal(waitpid(helper->process, &status, 0), helper->process);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_request_before_the_policy_ends_it(void **state)
{
	struct helper helper;
	(void)running(state);
	start_another(&helper);
	assert_int_not_equal(helper_ask(&helper, HELPER_SETUP_NETWORK, 0, NULL, NULL), HIPHOP_OK);
	ends(&helper);
}

static void a_policy_with_a_descriptor_ends_it(void **state)
{
	struct helper helper;
	struct helper_policy made = policy();
	(void)running(state);
	start_another(&helper);
	made.magic = HELPER_MAGIC;
	assert_int_equal(helper_message_send(helper.channel, &made, sizeof made, helper.channel), HIPHOP_OK);
	ends(&helper);
}

static void raw_sockets_need_the_policy(void **state)
{
	struct helper helper;
	struct helper_policy made = policy();
	(void)running(state);
	start_another(&helper);
	made.raw = 0;
	assert_int_equal(helper_set_policy(&helper, &made), HIPHOP_OK);
	for (uint16_t which = 0; which <= UNDERLAY_SOCKETS; which++) {
		int descriptor = -1;
		hiphop_error error = helper_ask(&helper, HELPER_OPEN_UNDERLAY, which, NULL, &descriptor);
		assert_int_equal(error, which == UNDERLAY_UDP ? HIPHOP_OK : HIPHOP_REFUSED);
		assert_true((descriptor >= 0) == !error);
		if (descriptor >= 0)
			close(descriptor);
	}
	ends_at_once(&helper);
}

/* Nobody reads the answers: it must keep neither them nor the sockets, and end with the channel. */
static void a_flood_is_survived(void **state)
{
	struct helper helper;
	struct helper_policy made = policy();
	struct pollfd wait;
	unsigned sent = 0;
	(void)running(state);
	start_another(&helper);
	assert_int_equal(helper_set_policy(&helper, &made), HIPHOP_OK);
	struct helper_request request = {.magic = HELPER_MAGIC, .choice = HELPER_OPEN_UNDERLAY};
	wait = (struct pollfd){.fd = helper.channel, .events = POLLOUT};
	/* Until it has not read for a while, since its answers fill the channel. */
	while (sent < 100000 && poll(&wait, 1, 200) == 1 && wait.revents == POLLOUT) {
		ssize_t done = send(helper.channel, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += done == (ssize_t)sizeof request;
		request.argument = (uint16_t)(sent % (UNDERLAY_SOCKETS + 2));
	}
	assert_true(sent > 100);
	assert_int_equal(waitpid(helper.process, NULL, WNOHANG), 0);
	assert_true(descriptors_of(helper.process) < 32);
	ends_at_once(&helper);
}

static void the_label_goes_with_the_daemon(void **state)
{
	struct helper helper;
	struct helper_policy made = policy();
	(void)running(state);
	start_another(&helper);
	assert_int_equal(helper_set_policy(&helper, &made), HIPHOP_OK);
	assert_int_equal(helper_ask(&helper, HELPER_SETUP_NETWORK, 0, NULL, NULL), HIPHOP_OK);
	assert_true(label_is_set());
	ends_at_once(&helper);
	assert_false(label_is_set());
}

static void terminal_signals_do_not_end_it(void **state)
{
	struct helper *helper = running(state);
	kill(helper->process, SIGINT);
	kill(helper->process, SIGTERM);
	assert_int_equal(helper_ask(helper, HELPER_SETUP_NETWORK, 0, NULL, NULL), HIPHOP_OK);
}

static void ends_with_its_channel(void **state)
{
	struct helper *helper = running(state);
	int status = -1;
	close(helper->channel);
	assert_int_equal(waitpid(helper->process, &status, 0), helper->process);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	tunnel_device_close(&tunnel);
	assert_int_equal(if_nametoindex("hiptest0"), 0);
}

static void a_killed_helper_shows_on_the_channel(void **state)
{
	(void)running(state);
	struct helper helper;
	struct privilege_user self = {0};
	assert_int_equal(helper_start(&helper, &self), HIPHOP_OK);
	kill(helper.process, SIGKILL);
	struct pollfd wait = {.fd = helper.channel, .events = POLLIN};
	assert_int_equal(poll(&wait, 1, -1), 1);
	assert_int_not_equal(helper_ask(&helper, HELPER_SETUP_NETWORK, 0, NULL, NULL), HIPHOP_OK);
	helper_stop(&helper);
}

static void a_bad_policy_ends_it(void **state)
{
	(void)running(state);
	struct helper helper;
	struct privilege_user self = {0};
	struct helper_policy bad = policy();
	int status = -1;
	bad.mtu = 20;
	assert_int_equal(helper_start(&helper, &self), HIPHOP_OK);
	assert_int_equal(helper_set_policy(&helper, &bad), HIPHOP_OK);
	assert_int_equal(waitpid(helper.process, &status, 0), helper.process);
	close(helper.channel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_is_set_up),
		cmocka_unit_test(every_hit_is_an_address),
		cmocka_unit_test(hit_is_no_source_for_other_addresses),
		cmocka_unit_test(helper_keeps_two_capabilities),
		cmocka_unit_test(menu_gives_descriptors),
		cmocka_unit_test(garbage_is_refused_and_survived),
		cmocka_unit_test(descriptors_are_not_taken),
		cmocka_unit_test(a_policy_is_said_once),
		cmocka_unit_test(a_request_before_the_policy_ends_it),
		cmocka_unit_test(a_policy_with_a_descriptor_ends_it),
		cmocka_unit_test(raw_sockets_need_the_policy),
		cmocka_unit_test(a_flood_is_survived),
		cmocka_unit_test(the_label_goes_with_the_daemon),
		cmocka_unit_test(terminal_signals_do_not_end_it),
		cmocka_unit_test(ends_with_its_channel),
		cmocka_unit_test(a_killed_helper_shows_on_the_channel),
		cmocka_unit_test(a_bad_policy_ends_it),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
