/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/helper.h"

#include "kernel-helpers/network_setup.h"
#include "kernel-helpers/prefix_routes.h"
#include "kernel-helpers/underlay_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_WAIT_MILLISECONDS 5000
/** Room for the largest message and one octet more, so that a longer one shows. */
#define MESSAGE_ROOM (sizeof(struct helper_policy) + 1)

/** What one run of the helper knows. */
struct service {
	int channel;
	struct helper_policy policy;
	const int *queues;
	unsigned queue_count, queues_used;
	unsigned route_count;
	bool network_is_set;
};

static hiphop_error serve_network(struct service *service, struct helper_answer *answer)
{
	const char *step = "";
	const struct helper_policy *policy = &service->policy;
	struct hit hits[1 + HELPER_MORE_HITS_MAXIMUM] = {policy->hit};
	memcpy(&hits[1], policy->more, sizeof policy->more);
	service->network_is_set = true;
	hiphop_error error =
		network_setup(policy->tunnel_name, policy->mtu, hits, (size_t)policy->more_count + 1, &step);
	if (!error && !address_is_unspecified(&policy->ipv4)) {
		step = "IPv4 address";
		error = prefix_address_add(policy->tunnel_name, &policy->ipv4);
	}
	if (error)
		strncpy(answer->step, step, sizeof answer->step - 1);
	return error;
}

/** The caller closes `descriptor` after it was sent. */
static hiphop_error serve_underlay(struct service *service, uint16_t which, int *descriptor)
{
	struct underlay_sockets sockets;
	underlay_sockets_start(&sockets);
	hiphop_error error = which == UNDERLAY_UDP ? underlay_open_udp(&sockets, service->policy.port)
						   : underlay_open_raw(&sockets, (underlay_socket)which);
	*descriptor = sockets.descriptors[which];
	sockets.descriptors[which] = -1;
	underlay_sockets_close(&sockets);
	return error;
}

static hiphop_error serve_queue(struct service *service, int *descriptor)
{
	if (service->queues_used == service->queue_count)
		return HIPHOP_LIMITED;
	int queue = service->queues[service->queues_used];
	hiphop_error error = tunnel_queue_attach(queue, service->policy.tunnel_name);
	if (error)
		return error;
	service->queues_used++;
	*descriptor = queue;
	return HIPHOP_OK;
}

static hiphop_error serve_route(struct service *service, const struct helper_request *request)
{
	const struct helper_policy *policy = &service->policy;
	const struct ip_prefix prefix = {.address = request->prefix, .length = (uint8_t)request->argument};
	struct prefix_route_settings settings = {
		.tunnel_name = policy->tunnel_name, .mtu = ip_prefix_tunnel_mtu(policy->mtu), .source = policy->ipv4};
	bool add = request->choice == HELPER_ADD_ROUTE;
	if (!ip_prefix_is_ipv4(&prefix))
		memcpy(settings.source.octets, policy->hit.octets, HIT_LENGTH);
	if (add && service->route_count >= HELPER_ROUTES_MAXIMUM)
		return HIPHOP_LIMITED;
	hiphop_error error = add ? prefix_route_add(&settings, &prefix) : prefix_route_remove(&settings, &prefix);
	if (!error && add)
		service->route_count++;
	else if (!error && service->route_count)
		service->route_count--;
	return error;
}

static hiphop_error carry_out(
	struct service *service, const struct helper_request *request, struct helper_answer *answer, int *descriptor)
{
	switch (request->choice) {
	case HELPER_SETUP_NETWORK:
		return serve_network(service, answer);
	case HELPER_OPEN_UNDERLAY:
		return serve_underlay(service, request->argument, descriptor);
	case HELPER_OPEN_QUEUE:
		return serve_queue(service, descriptor);
	case HELPER_ADD_ROUTE:
	case HELPER_REMOVE_ROUTE:
		return serve_route(service, request);
	default:
		return HIPHOP_UNSUPPORTED;
	}
}

static hiphop_error serve_one(struct service *service, const uint8_t *octets, size_t length)
{
	struct helper_request request = {0};
	struct helper_answer answer = {.magic = HELPER_MAGIC};
	int descriptor = -1;
	errno = 0;
	hiphop_error error = helper_request_check(&service->policy, octets, length, &request);
	if (!error)
		error = carry_out(service, &request, &answer, &descriptor);
	answer.error = error;
	answer.error_number = error ? errno : 0;
	answer.sequence = request.sequence;
	error = helper_message_send(service->channel, &answer, sizeof answer, descriptor);
	if (descriptor >= 0)
		close(descriptor);
	return error;
}

/** Takes one message; one that brings a descriptor counts as one of no octets, which is malformed. */
static hiphop_error take_message(int channel, uint8_t octets[static MESSAGE_ROOM], size_t *length)
{
	int unwanted;
	hiphop_error error = helper_message_receive(channel, octets, MESSAGE_ROOM, length, &unwanted);
	if (unwanted >= 0) {
		close(unwanted);
		*length = 0;
	}
	return error;
}

void helper_serve(int channel, const int *queues, unsigned queue_count)
{
	struct service service = {.channel = channel, .queues = queues, .queue_count = queue_count};
	uint8_t octets[MESSAGE_ROOM];
	size_t length;
	if (take_message(channel, octets, &length) || helper_policy_check(octets, length, &service.policy))
		return;
	while (take_message(channel, octets, &length) == HIPHOP_OK)
		if (serve_one(&service, octets, length))
			break;
	if (service.network_is_set)
		network_setup_undo();
}

static void ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], SIG_IGN);
}

/** Leaves stderr and the channel, which becomes descriptor 3; 0 and 1 become /dev/null. */
static int keep_channel_only(int channel)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return -1;
	if (channel != 3 && dup2(channel, 3) < 0)
		return -1;
	return close_range(4, ~0U, 0) < 0 ? -1 : 3;
}

static unsigned open_queues(int queues[static HELPER_QUEUES_MAXIMUM])
{
	unsigned count = 0;
	/* Opened while we still may; attached to the device one by one, when asked. */
	while (count < HELPER_QUEUES_MAXIMUM && tunnel_queue_open(&queues[count]) == HIPHOP_OK)
		count++;
	return count;
}

/** No file at all, and the calls of the helper. */
static bool close_the_box(void)
{
	hiphop_error files = privilege_restrict_files(PRIVILEGE_ROLE_HELPER, NULL, 0);
	hiphop_error calls = privilege_filter_calls(PRIVILEGE_ROLE_HELPER);
	return (!files || files == HIPHOP_UNSUPPORTED) && (!calls || calls == HIPHOP_UNSUPPORTED);
}

static _Noreturn void run_helper(int channel, const struct privilege_user *user)
{
	int queues[HELPER_QUEUES_MAXIMUM];
	ignore_signals();
	prctl(PR_SET_NAME, "hiphop-helper", 0, 0, 0);
	channel = keep_channel_only(channel);
	unsigned queue_count = channel < 0 ? 0 : open_queues(queues);
	if (channel < 0 || chdir("/") < 0 || privilege_drop(user, PRIVILEGE_HELPER) || !close_the_box())
		_exit(EXIT_FAILURE);
	helper_serve(channel, queues, queue_count);
	_exit(EXIT_SUCCESS);
}

hiphop_error helper_start(struct helper *helper, const struct privilege_user *user)
{
	int ends[2];
	*helper = (struct helper){.process = -1, .channel = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return HIPHOP_SYSTEM;
	pid_t process = fork();
	if (process == 0)
		run_helper(ends[1], user);
	close(ends[1]);
	if (process < 0) {
		close(ends[0]);
		return HIPHOP_SYSTEM;
	}
	helper->process = process;
	helper->channel = ends[0];
	return HIPHOP_OK;
}

hiphop_error helper_set_policy(struct helper *helper, const struct helper_policy *policy)
{
	struct helper_policy message = *policy;
	message.magic = HELPER_MAGIC;
	return helper_message_send(helper->channel, &message, sizeof message, -1);
}

static hiphop_error wait_for_answer(int channel, int milliseconds, struct helper_answer *answer, int *descriptor)
{
	struct pollfd wait = {.fd = channel, .events = POLLIN};
	size_t length;
	int ready;
	do
		ready = poll(&wait, 1, milliseconds);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready == 0 ? HIPHOP_TIMEOUT : HIPHOP_SYSTEM;
	hiphop_error error = helper_message_receive(channel, answer, sizeof *answer, &length, descriptor);
	if (error)
		return error;
	if (length != sizeof *answer || answer->magic != HELPER_MAGIC)
		return HIPHOP_MALFORMED;
	answer->step[sizeof answer->step - 1] = 0;
	return HIPHOP_OK;
}

hiphop_error helper_ask(
	struct helper *helper, helper_choice choice, uint16_t argument, struct helper_answer *answer, int *descriptor)
{
	struct helper_request request = {.magic = HELPER_MAGIC,
		.sequence = ++helper->sequence,
		.choice = (uint16_t)choice,
		.argument = argument};
	struct helper_answer unwanted_answer = {0};
	struct helper_answer *out = answer ? answer : &unwanted_answer;
	int got = -1;
	*out = (struct helper_answer){0};
	hiphop_error error = helper_message_send(helper->channel, &request, sizeof request, -1);
	if (!error)
		error = wait_for_answer(helper->channel, ANSWER_WAIT_MILLISECONDS, out, &got);
	if (!error)
		error = out->sequence == request.sequence ? (hiphop_error)out->error : HIPHOP_MALFORMED;
	if (descriptor && !error)
		*descriptor = got;
	else if (got >= 0)
		close(got);
	errno = out->error_number;
	return error;
}

hiphop_error helper_ask_route(struct helper *helper, helper_choice choice, const struct ip_prefix *prefix)
{
	struct helper_request request = {.magic = HELPER_MAGIC,
		.sequence = ++helper->sequence,
		.choice = (uint16_t)choice,
		.argument = prefix->length,
		.prefix = prefix->address};
	return helper_message_send(helper->channel, &request, sizeof request, -1);
}

hiphop_error helper_take_answer(struct helper *helper, struct helper_answer *answer)
{
	int unwanted = -1;
	*answer = (struct helper_answer){0};
	hiphop_error error = wait_for_answer(helper->channel, 0, answer, &unwanted);
	if (unwanted >= 0)
		close(unwanted);
	if (!error && answer->sequence != helper->sequence)
		error = HIPHOP_MALFORMED;
	return error;
}

void helper_stop(struct helper *helper)
{
	if (helper->channel >= 0)
		close(helper->channel);
	if (helper->process > 0)
		while (waitpid(helper->process, NULL, 0) < 0 && errno == EINTR)
			;
	*helper = (struct helper){.process = -1, .channel = -1};
}
