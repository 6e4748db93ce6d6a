/* SPDX-License-Identifier: MIT */
/**
 * The loop of hiphopd: descriptors and timers of the system on one side, the pure node on the other. One thread, libuv;
 * nothing in it waits.
 */
#ifndef HIPHOP_DAEMON_LOOP_H
#define HIPHOP_DAEMON_LOOP_H

#include "daemon/configuration.h"
#include "daemon/control.h"
#include "daemon/node.h"
#include "daemon/state_writer.h"
#include "hip/base/log.h"
#include "hip/crypto/certificate.h"
#include "kernel-helpers/helper.h"
#include "kernel-helpers/media_sockets.h"
#include "kernel-helpers/network_watch.h"
#include "kernel-helpers/sip_sockets.h"
#include "kernel-helpers/system_random.h"
#include "kernel-helpers/tunnel_device.h"
#include "kernel-helpers/underlay_sockets.h"

#include <stdbool.h>
#include <uv.h>

/** SIP streams at once at most. */
#define LOOP_SIP_STREAMS 256
/** Connects that may fail at once in one run of effects and still be told to the node. */
#define LOOP_SIP_FAILURES 64
/** Vectors taken from one descriptor of data before the others have their turn. */
#define LOOP_ROUNDS 4
/** And from one that strangers can fill: one, so that data never waits for more than that. */
#define LOOP_ROUNDS_CONTROL 1

struct host_identity;
struct loop_sip_stream;
struct loop_media;

/** One watched descriptor. */
struct loop_watch {
	uv_poll_t poll;
	struct hiphopd *hiphopd;
	unsigned index; /**< which socket or place, for those of which there are several */
	bool open;
};

/** Everything of one running hiphopd. daemon/start.h fills in the first part, loop_run the second. */
struct hiphopd {
	struct configuration configuration;
	char *configuration_file; /**< where it was read, absolute; owned */
	struct host_identity *identity;
	struct host_identity *more[CONFIGURATION_MORE];                /**< by the entries of identity.more */
	struct certificate_chain certificates[CONFIGURATION_MORE + 1]; /**< of the first identity, and of those */
	struct certificate_authorities *authorities;
	struct log log;
	struct system_random random;
	struct random_source random_source;
	struct privilege_user user;
	struct helper helper;
	int lock;
	struct tunnel_device tunnel;
	struct underlay_sockets underlay;
	struct sip_sockets sip;
	struct network_watch *network;
	int control_listener;
	struct state_file *state;
	struct node *node;

	uv_loop_t loop;
	struct loop_watch wake_watch, step_watch, tunnel_watch, network_watch, helper_watch, signal_watch;
	struct loop_watch underlay_watches[UNDERLAY_SOCKETS];
	struct loop_watch datagram_watches[SIP_PLACES], listener_watches[SIP_PLACES];
	uv_timer_t network_rest, minute, leave_limit;
	int wake_timer, step_descriptor, signal_descriptor;
	struct link_address
		links[NETWORK_ADDRESSES]; /**< as they were last: those that the node was told, then the unused */
	size_t used_links, link_count;
	bool network_missed; /**< the last look at the network failed */
	instant armed;       /**< what the wake timer is set to */
	struct control_server *control;
	struct state_writer *writer;
	struct packet_vector *vector; /**< for input; the node may send it on */
	uint8_t *sip_octets;          /**< SIP_MESSAGE_MAXIMUM, for input */
	struct loop_sip_stream *streams;
	unsigned stream_count;
	uint32_t last_accepted; /**< connection number of the last accepted stream */
	uint32_t failed_connects[LOOP_SIP_FAILURES];
	unsigned failed_connect_count;
	struct loop_media *media;
	struct media_vector *media_vector; /**< for media that is relayed; made with the first */
	uint64_t send_errors_seen, unbound_seen;
	uint64_t queue_lost_seen[UNDERLAY_SOCKETS];
	bool leaving; /**< a signal came; the overlay is being left */
	bool stopping;
	int exit_code;
};

/** Runs until a signal or the end of the helper. Returns the exit code. The node is stopped, its last effects are
 * carried out. */
int loop_run(struct hiphopd *hiphopd);

/* Between the files of the loop. */

/** Carries out all effects of the node and sets the timer. Call after every input. */
void loop_carry_out(struct hiphopd *hiphopd);
/** Begins to wait for `descriptor` to become readable. False when that is not possible. */
bool loop_watch_start(
	struct hiphopd *hiphopd, struct loop_watch *watch, int descriptor, unsigned index, uv_poll_cb callback);
void loop_watch_stop(struct loop_watch *watch);

/* loop_packets.c */
bool loop_packets_start(struct hiphopd *hiphopd);
void loop_packets_stop(struct hiphopd *hiphopd);
/** Warns, at most once per call and socket, when packets could not be sent or queued since the last call. */
void loop_packets_report(struct hiphopd *hiphopd);
/** What the queues of the kernel have lost since the start. */
void loop_packets_losses(const struct hiphopd *hiphopd, struct node_queue_losses *losses);

/* loop_network.c */
bool loop_network_start(struct hiphopd *hiphopd);
void loop_network_stop(struct hiphopd *hiphopd);
/** Tells the node the addresses of this host. */
void loop_network_tell(struct hiphopd *hiphopd);

/* loop_routes.c */
/** Asks the helper for a change of a route; the answer comes to the loop. */
void loop_route(struct hiphopd *hiphopd, const struct node_effect *effect);

/* loop_sip.c */
bool loop_sip_start(struct hiphopd *hiphopd);
void loop_sip_stop(struct hiphopd *hiphopd);
void loop_sip_carry_out(struct hiphopd *hiphopd, const struct node_effect *effect);
/** Tells the node of streams that failed while effects were carried out. True when there were any, so that new effects
 * may wait. */
bool loop_sip_tell_failures(struct hiphopd *hiphopd);

/* loop_media.c */
void loop_media_stop(struct hiphopd *hiphopd);
void loop_media_carry_out(struct hiphopd *hiphopd, const struct node_effect *effect);
/** Likewise of ports for media that could not be opened. */
bool loop_media_tell_failures(struct hiphopd *hiphopd);

#endif
