/* SPDX-License-Identifier: MIT */
#include "daemon/loop.h"

#include "kernel-helpers/clocks.h"
#include "kernel-helpers/signal_descriptor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINUTE_MILLISECONDS 60000
/** Time that the neighbours have to take over what this host carried. */
#define LEAVE_MILLISECONDS 4000

bool loop_watch_start(
	struct hiphopd *hiphopd, struct loop_watch *watch, int descriptor, unsigned index, uv_poll_cb callback)
{
	if (uv_poll_init(&hiphopd->loop, &watch->poll, descriptor) < 0)
		return false;
	watch->hiphopd = hiphopd;
	watch->index = index;
	watch->poll.data = watch;
	watch->open = true;
	return uv_poll_start(&watch->poll, UV_READABLE, callback) == 0;
}

void loop_watch_stop(struct loop_watch *watch)
{
	if (watch->open)
		uv_close((uv_handle_t *)&watch->poll, NULL);
	watch->open = false;
}

static void persist(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	hiphop_error error = effect->kind == NODE_PERSIST ? state_writer_store(hiphopd->writer, &effect->record)
							  : state_writer_forget(hiphopd->writer, &effect->record);
	if (error && error != HIPHOP_LIMITED)
		log_write(&hiphopd->log, LOG_LEVEL_ERROR, "a change of the state could not be queued: %s",
			hiphop_error_text(error));
}

/** Only the access part is taken; the rest waits for a restart. With a file that is wrong all stays as it is. */
static void reload(struct hiphopd *hiphopd, uint64_t token)
{
	struct configuration configuration;
	char message[1024];
	bool bad =
		configuration_read(hiphopd->configuration_file, &configuration, message, sizeof message) != HIPHOP_OK;
	if (bad)
		log_write(&hiphopd->log, LOG_LEVEL_ERROR, "the configuration stays as it is: %s", message);
	node_reload(hiphopd->node, clock_now(), token, bad ? NULL : &configuration, message);
	if (!bad)
		configuration_free(&configuration);
}

static void carry_out_one(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	switch (effect->kind) {
	case NODE_UNDERLAY_SEND:
		underlay_send(&hiphopd->underlay, effect->vector);
		break;
	case NODE_TUNNEL_WRITE:
		tunnel_write(&hiphopd->tunnel, effect->vector);
		break;
	case NODE_SIP_DATAGRAM:
	case NODE_SIP_CONNECT:
	case NODE_SIP_STREAM:
	case NODE_SIP_CLOSE:
		loop_sip_carry_out(hiphopd, effect);
		break;
	case NODE_MEDIA_OPEN:
	case NODE_MEDIA_CLOSE:
		loop_media_carry_out(hiphopd, effect);
		break;
	case NODE_PERSIST:
	case NODE_FORGET:
		persist(hiphopd, effect);
		break;
	case NODE_ROUTE_ADD:
	case NODE_ROUTE_REMOVE:
		loop_route(hiphopd, effect);
		break;
	case NODE_RELOAD:
		reload(hiphopd, effect->token);
		break;
	case NODE_REPLY:
		control_reply(hiphopd->control, effect->token, effect->text, effect->last);
		break;
	}
}

static void on_leave_limit(uv_timer_t *timer);

void loop_carry_out(struct hiphopd *hiphopd)
{
	struct node_effect effect;
	do {
		while (node_next_effect(hiphopd->node, &effect))
			carry_out_one(hiphopd, &effect);
	} while (loop_sip_tell_failures(hiphopd) || loop_media_tell_failures(hiphopd));
	instant wake = node_next_wake(hiphopd->node);
	if (wake != hiphopd->armed)
		clock_timer_set(hiphopd->wake_timer, wake);
	hiphopd->armed = wake;
	/* Not at once: this may be a callback of what is going to be closed. */
	if (hiphopd->leaving && !hiphopd->stopping && node_has_left(hiphopd->node))
		uv_timer_start(&hiphopd->leave_limit, on_leave_limit, 0, 0);
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	(void)status;
	(void)events;
	clock_timer_consume(hiphopd->wake_timer);
	hiphopd->armed = INSTANT_NEVER;
	node_tick(hiphopd->node, clock_now());
	loop_carry_out(hiphopd);
}

static void tell_wall(struct hiphopd *hiphopd)
{
	node_set_wall(hiphopd->node, clock_now(), clock_wall());
	loop_carry_out(hiphopd);
}

static void on_step(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	(void)status;
	(void)events;
	if (!clock_step_consume(hiphopd->step_descriptor))
		return;
	log_write(&hiphopd->log, LOG_LEVEL_INFO, "the wall clock was set");
	tell_wall(hiphopd);
}

static void on_minute(uv_timer_t *timer)
{
	struct hiphopd *hiphopd = timer->data;
	tell_wall(hiphopd);
	loop_packets_report(hiphopd);
	state_writer_retry(hiphopd->writer);
}

static void on_request(void *context, uint64_t token, json_t *request)
{
	struct hiphopd *hiphopd = context;
	struct node_queue_losses losses;
	loop_packets_losses(hiphopd, &losses);
	node_set_queue_losses(hiphopd->node, &losses);
	node_set_state_trouble(hiphopd->node, state_writer_trouble(hiphopd->writer));
	node_command(hiphopd->node, clock_now(), token, request);
	loop_carry_out(hiphopd);
}

static void on_gone(void *context, uint64_t token)
{
	struct hiphopd *hiphopd = context;
	node_command_gone(hiphopd->node, token);
	loop_carry_out(hiphopd);
}

static void stop(struct hiphopd *hiphopd, int exit_code)
{
	if (hiphopd->stopping)
		return;
	hiphopd->stopping = true;
	hiphopd->exit_code = exit_code;
	node_stop(hiphopd->node, clock_now());
	loop_carry_out(hiphopd);
	loop_packets_stop(hiphopd);
	loop_network_stop(hiphopd);
	loop_sip_stop(hiphopd);
	loop_media_stop(hiphopd);
	control_stop(hiphopd->control);
	hiphopd->control = NULL;
	loop_watch_stop(&hiphopd->wake_watch);
	loop_watch_stop(&hiphopd->step_watch);
	loop_watch_stop(&hiphopd->helper_watch);
	loop_watch_stop(&hiphopd->signal_watch);
	uv_close((uv_handle_t *)&hiphopd->minute, NULL);
	if (hiphopd->leaving)
		uv_close((uv_handle_t *)&hiphopd->leave_limit, NULL);
}

static void on_leave_limit(uv_timer_t *timer)
{
	stop(timer->data, EXIT_SUCCESS);
}

/* The first signal leaves in order, the second at once. */
static void leave(struct hiphopd *hiphopd)
{
	if (hiphopd->leaving) {
		stop(hiphopd, EXIT_SUCCESS);
		return;
	}
	uv_timer_init(&hiphopd->loop, &hiphopd->leave_limit);
	hiphopd->leave_limit.data = hiphopd;
	uv_timer_start(&hiphopd->leave_limit, on_leave_limit, LEAVE_MILLISECONDS, 0);
	hiphopd->leaving = true;
	node_leave(hiphopd->node, clock_now());
	loop_carry_out(hiphopd);
}

static void take_signal(struct hiphopd *hiphopd, int number)
{
	if (number == SIGHUP) {
		log_write(&hiphopd->log, LOG_LEVEL_INFO, "SIGHUP: reading the configuration again");
		reload(hiphopd, 0);
		loop_carry_out(hiphopd);
		return;
	}
	log_write(&hiphopd->log, LOG_LEVEL_INFO, "%s: leaving", number == SIGINT ? "SIGINT" : "SIGTERM");
	leave(hiphopd);
}

static void on_signal(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	int number;
	(void)status;
	(void)events;
	while (!hiphopd->stopping && (number = signal_descriptor_next(hiphopd->signal_descriptor)) != 0)
		take_signal(hiphopd, number);
}

/** The helper never speaks unasked, so this is an answer about a route, or its end. */
static void on_helper(uv_poll_t *poll, int status, int events)
{
	struct hiphopd *hiphopd = ((struct loop_watch *)poll->data)->hiphopd;
	struct helper_answer answer;
	(void)status;
	(void)events;
	hiphop_error error = helper_take_answer(&hiphopd->helper, &answer);
	if (error == HIPHOP_TIMEOUT)
		return;
	if (!error) {
		node_route_answer(hiphopd->node, clock_now(), (hiphop_error)answer.error);
		loop_carry_out(hiphopd);
		return;
	}
	log_write(&hiphopd->log, LOG_LEVEL_ERROR, "the kernel helper has died; leaving");
	stop(hiphopd, EXIT_FAILURE);
}

static bool start_timers(struct hiphopd *hiphopd)
{
	if (clock_timer_open(&hiphopd->wake_timer) || clock_step_open(&hiphopd->step_descriptor))
		return false;
	uv_timer_init(&hiphopd->loop, &hiphopd->minute);
	hiphopd->minute.data = hiphopd;
	uv_timer_start(&hiphopd->minute, on_minute, MINUTE_MILLISECONDS, MINUTE_MILLISECONDS);
	return loop_watch_start(hiphopd, &hiphopd->wake_watch, hiphopd->wake_timer, 0, on_wake) &&
	       loop_watch_start(hiphopd, &hiphopd->step_watch, hiphopd->step_descriptor, 0, on_step);
}

static bool start_signals(struct hiphopd *hiphopd)
{
	return signal_descriptor_open(&hiphopd->signal_descriptor) == HIPHOP_OK &&
	       loop_watch_start(hiphopd, &hiphopd->signal_watch, hiphopd->signal_descriptor, 0, on_signal);
}

static bool start_control(struct hiphopd *hiphopd)
{
	const struct control_policy policy = {.user = hiphopd->user.user, .group = hiphopd->user.group};
	const struct control_handler handler = {.request = on_request, .gone = on_gone, .context = hiphopd};
	int listener = hiphopd->control_listener;
	hiphopd->control_listener = -1;
	return control_start(&hiphopd->loop, listener, &policy, &handler, &hiphopd->log, &hiphopd->control) ==
	       HIPHOP_OK;
}

static bool start_all(struct hiphopd *hiphopd)
{
	return start_signals(hiphopd) &&
	       state_writer_start(&hiphopd->loop, hiphopd->state, &hiphopd->log, &hiphopd->writer) == HIPHOP_OK &&
	       start_timers(hiphopd) && start_control(hiphopd) &&
	       loop_watch_start(hiphopd, &hiphopd->helper_watch, hiphopd->helper.channel, 0, on_helper) &&
	       loop_packets_start(hiphopd) && loop_sip_start(hiphopd) && loop_network_start(hiphopd);
}

int loop_run(struct hiphopd *hiphopd)
{
	hiphopd->armed = INSTANT_NEVER;
	if (uv_loop_init(&hiphopd->loop) < 0 || !start_all(hiphopd)) {
		/* Happens when memory or descriptors run out at the start; the process ends, and all goes with it. */
		log_write(&hiphopd->log, LOG_LEVEL_ERROR, "the loop cannot be started: out of memory or descriptors");
		return EXIT_FAILURE;
	}
	loop_network_tell(hiphopd);
	node_start(hiphopd->node, clock_now());
	loop_carry_out(hiphopd);
	uv_run(&hiphopd->loop, UV_RUN_DEFAULT);
	state_writer_free(hiphopd->writer);
	uv_loop_close(&hiphopd->loop);
	close(hiphopd->wake_timer);
	close(hiphopd->step_descriptor);
	close(hiphopd->signal_descriptor);
	return hiphopd->exit_code;
}
