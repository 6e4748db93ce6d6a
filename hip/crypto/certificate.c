/* SPDX-License-Identifier: MIT */
#include "hip/crypto/certificate.h"

const char *certificate_verdict_text(certificate_verdict verdict)
{
	static const char *const texts[] = {
#define CERTIFICATE_VERDICT_TEXT(name, text) text,
		CERTIFICATE_VERDICTS(CERTIFICATE_VERDICT_TEXT)
#undef CERTIFICATE_VERDICT_TEXT
	};

	return (size_t)verdict < CERTIFICATE_VERDICT_COUNT ? texts[verdict] : "";
}

void certificate_chain_free(struct certificate_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		buffer_free(&chain->certificates[i]);
	chain->count = 0;
}
