/* SPDX-License-Identifier: MIT */
#include "sipglue/engine.h"

#include <stdlib.h>
#include <string.h>

struct queued_effect {
	TAILQ_ENTRY(queued_effect) link;
	struct sip_effect effect;
	uint8_t copied[];
};

static const char *const event_texts[] = {
	[SIP_EVENT_REGISTERED] = "sip-registered",
	[SIP_EVENT_UNREGISTERED] = "sip-unregistered",
	[SIP_EVENT_EXPIRED] = "sip-expired",
	[SIP_EVENT_CALL_STARTED] = "call-started",
	[SIP_EVENT_CALL_ANSWERED] = "call-answered",
	[SIP_EVENT_CALL_FAILED] = "call-failed",
	[SIP_EVENT_CALL_ENDED] = "call-ended",
};

const char *sip_event_text(sip_event event)
{
	return (size_t)event < sizeof event_texts / sizeof *event_texts ? event_texts[event] : "unknown";
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/** Copies text behind the effect and returns where; NULL stays NULL. */
static const char *keep_text(uint8_t **next, const char *text)
{
	if (!text)
		return NULL;
	char *kept = (char *)*next;
	memcpy(kept, text, text_size(text));
	*next += text_size(text);
	return kept;
}

void effect_push(struct sip *sip, const struct sip_effect *effect)
{
	size_t size = text_size(effect->aor) + text_size(effect->contact) + text_size(effect->call_id);
	struct queued_effect *queued = malloc(sizeof *queued + size + effect->octets.length);
	if (!queued) {
		sip->counters.lost_for_memory++;
		return;
	}
	uint8_t *next = queued->copied;
	queued->effect = *effect;
	queued->effect.aor = keep_text(&next, effect->aor);
	queued->effect.contact = keep_text(&next, effect->contact);
	queued->effect.call_id = keep_text(&next, effect->call_id);
	queued->effect.octets.data = next;
	if (effect->octets.length)
		memcpy(next, effect->octets.data, effect->octets.length);
	TAILQ_INSERT_TAIL(&sip->effects, queued, link);
}

bool sip_next_effect(struct sip *sip, struct sip_effect *effect)
{
	free(sip->shown);
	sip->shown = TAILQ_FIRST(&sip->effects);
	if (!sip->shown)
		return false;
	TAILQ_REMOVE(&sip->effects, sip->shown, link);
	*effect = sip->shown->effect;
	return true;
}

void sip_effects_free(struct sip *sip)
{
	struct sip_effect effect;
	while (sip_next_effect(sip, &effect))
		;
}
