/* SPDX-License-Identifier: MIT */
/* Certificates of a stranger (RFC 8002): a type, a length of two octets and a certificate, one after the other,
 * verified for a known host against a known authority. */
#include "hip/crypto/certificate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2040-01-01 */
#define WALL UINT64_C(2208988800000)

/* A root by openssl, for P-256. */
static const char root[] = "-----BEGIN CERTIFICATE-----\n"
			   "MIIBgDCCASWgAwIBAgIUA9bdLEgCKPfv8I2O/32oNQhhr6QwCgYIKoZIzj0EAwIw\n"
			   "FDESMBAGA1UEAwwJZnV6eiByb290MCAXDTI2MTEyMjEyMTkyNFoYDzIwODEwODI1\n"
			   "MTIxOTI0WjAUMRIwEAYDVQQDDAlmdXp6IHJvb3QwWTATBgcqhkjOPQIBBggqhkjO\n"
			   "PQMBBwNCAASjPJaEMoj0SHU5MiV2tCWk44/bCQi9D9KMdHhUnXsUISG1aR8dj1SL\n"
			   "pxh1juXn5FA5ZV10zSMXnaHTxODt+kNwo1MwUTAdBgNVHQ4EFgQUXFpedCdPhTPv\n"
			   "cuAkW/ym49ISr3AwHwYDVR0jBBgwFoAUXFpedCdPhTPvcuAkW/ym49ISr3AwDwYD\n"
			   "VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAmbEUeR+DszI+pZTR+eqU\n"
			   "4DuaEMtuezZBCv1NsYI0ggQCIQDOYI9ISdJAd/GN9JRd7IIXd3l+AZ6KvNG2ynOc\n"
			   "tAd0VA==\n"
			   "-----END CERTIFICATE-----\n";

/* The Host Identity of the kept inputs. */
static const uint8_t identity_octets[] = {0x00, 0x01, 0x05, 0x94, 0xb4, 0xf8, 0x9d, 0x01, 0xe0, 0x76, 0xb3, 0x4b, 0xa6,
	0x22, 0xd3, 0xef, 0x1c, 0xb1, 0xdb, 0xdd, 0x83, 0xaf, 0xf0, 0xf9, 0x29, 0x6b, 0xd8, 0x30, 0x50, 0x59, 0xb0,
	0x5b, 0x97, 0xfb, 0xb3, 0x02, 0x25, 0x18, 0xf5, 0x1d, 0x5f, 0x93, 0xc3, 0x77, 0x65, 0xb3, 0xf0, 0x27, 0x11,
	0xb6, 0x97, 0xdf, 0x91, 0x60, 0x73, 0xe0, 0x9b, 0xbc, 0x3c, 0xdf, 0x66, 0xdb, 0x2e, 0x4d, 0x95, 0x69};

static struct host_identity *holder;
static struct certificate_authorities *authorities;

static void start(void)
{
	const struct span octets = {identity_octets, sizeof identity_octets};

	if (holder)
		return;
	if (host_identity_from_octets(7, octets, &holder) ||
		certificate_authorities_add(root, sizeof root - 1, &authorities))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certificate_item items[CERTIFICATE_CHAIN_MAXIMUM];
	struct reader reader = reader_over(data, size);
	struct certificate_report report;
	size_t count = 0;

	start();
	while (count < CERTIFICATE_CHAIN_MAXIMUM && reader_left(&reader) >= 3) {
		uint8_t type = reader_u8(&reader);
		size_t length = reader_u16(&reader);

		if (length > reader_left(&reader))
			length = reader_left(&reader);
		items[count++] = (struct certificate_item){type, reader_span(&reader, length)};
	}
	certificate_verify(authorities, items, count, holder, WALL, &report);
	if (report.verdict == CERTIFICATE_VALID && !report.valid_until)
		abort();
	return 0;
}
