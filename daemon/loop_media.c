/* SPDX-License-Identifier: MIT */
/** Media of calls with phones of local networks: from the ports at one address of this host to those at another. */
#include "daemon/loop.h"

#include "kernel-helpers/clocks.h"

#include <stdlib.h>

#define WATCHES 4

/** One stream: its four ports, by side and kind. */
struct loop_media {
	struct loop_media *next;
	struct hiphopd *hiphopd;
	uint64_t token;
	struct media_sockets sockets;
	uv_poll_t polls[WATCHES];
	unsigned watched, closed; /**< of the polls */
	bool failed;              /**< while effects were carried out; the node is told afterwards */
};

/** The memory goes when libuv has let go of the last handle. */
static void on_closed(uv_handle_t *handle)
{
	struct loop_media *media = handle->data;
	if (++media->closed < media->watched)
		return;
	media_sockets_close(&media->sockets);
	free(media);
}

static void remove_media(struct loop_media *media)
{
	struct loop_media **link = &media->hiphopd->media;
	while (*link != media)
		link = &(*link)->next;
	*link = media->next;
	for (unsigned i = 0; i < media->watched; i++)
		uv_close((uv_handle_t *)&media->polls[i], on_closed);
	if (media->watched == 0) {
		media_sockets_close(&media->sockets);
		free(media);
	}
}

static void forward(struct loop_media *media, unsigned side, unsigned kind)
{
	struct hiphopd *hiphopd = media->hiphopd;
	struct media_vector *vector = hiphopd->media_vector;
	instant now = clock_now();
	for (size_t i = 0; i < vector->count; i++) {
		struct media_datagram *datagram = &vector->datagrams[i];
		const struct node_media_arrival arrival = {.token = media->token,
			.second_side = side == 1,
			.control = kind == 1,
			.remote = datagram->remote};
		datagram->going = node_media_packet(hiphopd->node, now, &arrival, &datagram->remote);
	}
	(void)media_send(media->sockets.descriptors[1 - side][kind], vector);
}

static void on_media(uv_poll_t *poll, int status, int events)
{
	struct loop_media *media = poll->data;
	unsigned which = (unsigned)(poll - media->polls), side = which / 2, kind = which % 2;
	(void)status;
	(void)events;
	for (int round = 0; round < LOOP_ROUNDS; round++) {
		if (!media_receive(media->sockets.descriptors[side][kind], media->hiphopd->media_vector))
			return;
		forward(media, side, kind);
	}
}

static bool watch_all(struct loop_media *media)
{
	for (unsigned i = 0; i < WATCHES; i++) {
		int descriptor = media->sockets.descriptors[i / 2][i % 2];
		if (uv_poll_init(&media->hiphopd->loop, &media->polls[i], descriptor) < 0)
			return false;
		media->polls[i].data = media;
		media->watched++;
		if (uv_poll_start(&media->polls[i], UV_READABLE, on_media) < 0)
			return false;
	}
	return true;
}

static void open_media(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	const struct endpoint sides[2] = {effect->local, effect->remote};
	char text[2][ENDPOINT_TEXT_SIZE];
	struct loop_media *media = calloc(1, sizeof *media);
	if (!hiphopd->media_vector)
		hiphopd->media_vector = malloc(sizeof *hiphopd->media_vector);
	if (!media || !hiphopd->media_vector) {
		/* The stream stays silent; the node closes it when nothing has come for long. */
		free(media);
		return;
	}
	media->hiphopd = hiphopd;
	media->token = effect->token;
	media->next = hiphopd->media;
	hiphopd->media = media;
	media->failed = media_sockets_open(&media->sockets, sides) != HIPHOP_OK || !watch_all(media);
	if (media->failed)
		log_write(&hiphopd->log, LOG_LEVEL_WARNING, "media cannot be relayed between %s and %s: ports in use",
			endpoint_format(&sides[0], text[0]), endpoint_format(&sides[1], text[1]));
}

void loop_media_carry_out(struct hiphopd *hiphopd, const struct node_effect *effect)
{
	if (effect->kind == NODE_MEDIA_OPEN) {
		open_media(hiphopd, effect);
		return;
	}
	for (struct loop_media *media = hiphopd->media; media; media = media->next) {
		if (media->token == effect->token) {
			remove_media(media);
			return;
		}
	}
}

bool loop_media_tell_failures(struct hiphopd *hiphopd)
{
	bool told = false;
	for (struct loop_media *media = hiphopd->media, *next; media; media = next) {
		next = media->next;
		if (!media->failed)
			continue;
		uint64_t token = media->token;
		remove_media(media);
		node_media_failed(hiphopd->node, clock_now(), token);
		told = true;
	}
	return told;
}

void loop_media_stop(struct hiphopd *hiphopd)
{
	while (hiphopd->media)
		remove_media(hiphopd->media);
}
