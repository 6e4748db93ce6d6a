/* SPDX-License-Identifier: MIT */
/**
 * Certificates in HIP packets (RFC 8002): own ones into packets, a peer's out of them, over several packets when they
 * do not fit one. Own certificates are CERT group 1; a packet takes as many as fit, the next one the rest. For
 * hip/core.
 *
 * What a peer may make this host keep is bounded: one incomplete group, eight certificates in it, for ten seconds, and
 * of all peers at most 256 such groups. What breaks the rules of groups is thrown away with its group.
 */
#ifndef HIPHOP_HIP_CORE_CERTIFICATES_H
#define HIPHOP_HIP_CORE_CERTIFICATES_H

#include "hip/base/bytes.h"
#include "hip/base/error.h"
#include "hip/base/time.h"
#include "hip/core/host.h"
#include "hip/crypto/certificate.h"
#include "hip/wire/builder.h"
#include "hip/wire/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Time that the rest of a group has. */
#define CERTIFICATE_GROUP_LIFE SECONDS(10)
/** Incomplete groups of all peers at most. */
#define CERTIFICATE_GROUPS_MAXIMUM 256
/** CERT parameters of one packet that are looked at. */
#define CERTIFICATES_OF_PACKET 8

/** An incomplete group. */
struct certificate_group {
	uint8_t number, count, have;
	uint8_t types[CERTIFICATE_CHAIN_MAXIMUM];
	struct buffer parts[CERTIFICATE_CHAIN_MAXIMUM];
};

/** What a peer has sent of certificates. */
struct peer_certificates {
	struct certificate_group *group; /**< NULL: none is incomplete */
	bool judged;                     /**< there is a report */
	struct certificate_report report;
	uint8_t culprit_group, culprit_id; /**< of the report; 0: none */
};

/** Who verifies a whole group. */
struct certificate_judge {
	const struct host_environment *environment;
	instant now;
	const struct host_identity *holder;
};

/** How many incomplete groups there are, of all peers. */
struct certificate_space {
	size_t groups;
};

/**
 * Takes the CERT parameters of a packet that is proved to be of the holder. `*certificates` is made when there are some
 * (NULL: there are none yet), owned by the caller. HIPHOP_NO_MEMORY: what there was stays.
 */
hiphop_error peer_certificates_take(struct peer_certificates **certificates, struct certificate_space *space,
	const struct certificate_judge *judge, const struct packet_view *view);
/** The rest of a group did not come in time, or is not to be waited for. */
void peer_certificates_give_up(struct peer_certificates *certificates, struct certificate_space *space);
/** NULL is allowed. */
void peer_certificates_free(struct peer_certificates *certificates, struct certificate_space *space);
/** As in struct host_claim. `last`: no packet that may carry some is expected any more. */
host_certificate_state peer_certificates_state(const struct peer_certificates *certificates, bool last);

/**
 * Writes own certificates from the place `from` on, as many as leave `reserve` octets of the packet free. Returns the
 * place of the first that was not written.
 */
size_t own_certificates_write(
	const struct certificate_chain *chain, struct packet_builder *builder, size_t from, size_t reserve);

#endif
