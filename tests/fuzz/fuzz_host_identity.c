/* SPDX-License-Identifier: MIT */
/* A Host Identity and a signature from a stranger: the first octet chooses the algorithm, the rest is HI and signature.
 */
#include "hip/crypto/host_identity.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_identity *identity;
	if (!size || host_identity_from_octets(data[0] & 15, (struct span){data + 1, size - 1}, &identity))
		return 0;
	struct hit hit;
	const struct span octets = host_identity_octets(identity), everything = {data, size};
	if (hit_from_octets(host_identity_algorithm(identity), octets, &hit) ||
		!hit_equal(&hit, host_identity_hit(identity)))
		abort();
	size_t length = host_identity_signature_length(identity);
	if (length <= size &&
		!host_identity_verify(identity, &everything, 1, (struct span){data + size - length, length}))
		abort();
	host_identity_free(identity);
	return 0;
}
