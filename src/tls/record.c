/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  Nonces never repeat under a key: they are made of the
 * record's number, which only grows and ends the key before it would wrap.
 */

#include "tls/record.h"

#include <openssl/ssl.h>
#include <string.h>

#define VERSION_MAJOR 3
#define VERSION_MINOR 3
/* TLS 1.3: padding and inner type come on top of the tag. */
#define BODY_MOST_1_3 (RECORD_PLAIN + 256)
#define AAD_MOST 13
/* Bytes that are rather copied than sealed in two runs. */
#define COPIED_MOST 512

/* What the cipher is given for one record, and where that is. */
struct sealed {
	struct record_bytes bytes;
	uint8_t nonce[RECORD_IV];
	uint8_t aad[AAD_MOST];
};

static void
put_u64(uint8_t *p, uint64_t v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

size_t
record_len(const uint8_t *p)
{
	return RECORD_HEADER + ((size_t)p[3] << 8 | p[4]);
}

size_t
record_before(const struct record_key *k)
{
	return RECORD_HEADER + k->suite->explicit_len;
}

static void
put_header(uint8_t *p, uint8_t type, size_t body)
{
	p[0] = type;
	p[1] = VERSION_MAJOR;
	p[2] = VERSION_MINOR;
	p[3] = (uint8_t)(body >> 8);
	p[4] = (uint8_t)body;
}

/* The part that is in the record stands at `given`, if the suite has one. */
static void
make_nonce(
    const struct record_key *k, const uint8_t *given, uint8_t nonce[RECORD_IV])
{
	size_t n = k->suite->explicit_len, i;
	uint8_t seq[8];

	memcpy(nonce, k->iv, RECORD_IV);
	if (n > 0) {
		memcpy(nonce + RECORD_IV - n, given, n);
		return;
	}
	put_u64(seq, k->seq);
	for (i = 0; i < sizeof(seq); i++)
		nonce[RECORD_IV - sizeof(seq) + i] ^= seq[i];
}

/* What is authenticated beside the bytes; header is the record's own. */
static size_t
make_aad(const struct record_key *k, const uint8_t *header, size_t n,
    uint8_t aad[AAD_MOST])
{
	switch (k->suite->version) {
	case RECORD_TLS_1_3:
		memcpy(aad, header, RECORD_HEADER);
		return RECORD_HEADER;
	case RECORD_TLS_1_2:
		break;
	}
	put_u64(aad, k->seq);
	memcpy(aad + 8, header, 3);
	aad[11] = (uint8_t)(n >> 8);
	aad[12] = (uint8_t)n;
	return AAD_MOST;
}

/* header is the record's, len what it carries. */
static void
make_bytes(const struct record_key *k, const uint8_t *header, size_t len,
    struct sealed *s)
{
	make_nonce(k, header + RECORD_HEADER, s->nonce);
	s->bytes = (struct record_bytes){
		.nonce = s->nonce,
		.aad = s->aad,
		.aad_len = make_aad(k, header, len, s->aad),
		.n = len,
	};
}

size_t
record_seal(struct record_key *k, enum record_type type, const uint8_t *in,
    size_t n, uint8_t *out)
{
	bool is_1_3 = k->suite->version == RECORD_TLS_1_3;
	uint8_t inner = (uint8_t)type, *at = out + record_before(k);
	size_t body = k->suite->explicit_len + n + is_1_3 + RECORD_TAG;
	size_t n_end = is_1_3;
	struct sealed s;

	if (k->seq == UINT64_MAX || n > RECORD_PLAIN || !record_key_wake(k))
		return 0;
	put_header(out, is_1_3 ? RECORD_DATA : inner, body);
	if (k->suite->explicit_len > 0)
		put_u64(out + RECORD_HEADER, k->seq);
	make_bytes(k, out, n, &s);
	s.bytes.in = in;
	s.bytes.out = at;
	/* One run costs less than two, and than a copy until it is long. */
	if (is_1_3 && (in == at || n <= COPIED_MOST)) {
		if (in != at)
			memcpy(at, in, n);
		at[n] = inner;
		s.bytes.in = at;
		s.bytes.n = n + 1;
		n_end = 0;
	}
	if (!k->cipher->engine->seal(k->cipher, &s.bytes, &inner, n_end))
		return 0;
	k->seq++;
	return RECORD_HEADER + body;
}

static bool
is_bad(struct record *r, uint8_t alert)
{
	r->alert = alert;
	return false;
}

/* TLS 1.3: the last byte that is not 0 is the type, zeroes are padding. */
static bool
take_inner_type(const uint8_t *p, struct record *r)
{
	while (r->len > 0 && p[r->len - 1] == 0)
		r->len--;
	if (r->len == 0)
		return is_bad(r, SSL_AD_UNEXPECTED_MESSAGE);
	r->type = p[--r->len];
	return true;
}

static bool
check_sizes(
    const struct record_key *k, const uint8_t *p, size_t n, struct record *r)
{
	bool is_1_3 = k->suite->version == RECORD_TLS_1_3;
	size_t body = n - RECORD_HEADER;

	if (is_1_3 && p[0] != RECORD_DATA)
		return is_bad(r, SSL_AD_UNEXPECTED_MESSAGE);
	if (p[1] != VERSION_MAJOR || p[2] != VERSION_MINOR)
		return is_bad(r, SSL_AD_PROTOCOL_VERSION);
	if (body > (is_1_3 ? BODY_MOST_1_3 : RECORD_BODY_MOST))
		return is_bad(r, SSL_AD_RECORD_OVERFLOW);
	if (body < k->suite->explicit_len + RECORD_TAG + is_1_3)
		return is_bad(r, SSL_AD_BAD_RECORD_MAC);
	return true;
}

static bool
decrypt(struct record_key *k, const uint8_t *p, uint8_t *out, size_t len)
{
	struct sealed s;

	if (!record_key_wake(k))
		return false;
	make_bytes(k, p, len, &s);
	s.bytes.in = p + record_before(k);
	s.bytes.out = out;
	return k->cipher->engine->open(k->cipher, &s.bytes, s.bytes.in + len);
}

bool
record_open(struct record_key *k, const uint8_t *p, size_t n, uint8_t *out,
    struct record *r)
{
	*r = (struct record){ .type = p[0] };
	if (!check_sizes(k, p, n, r))
		return false;
	r->len = n - record_before(k) - RECORD_TAG;
	if (k->seq == UINT64_MAX || !decrypt(k, p, out, r->len))
		return is_bad(r, SSL_AD_BAD_RECORD_MAC);
	k->seq++;
	if (k->suite->version == RECORD_TLS_1_3 && !take_inner_type(out, r))
		return false;
	if (r->len > RECORD_PLAIN)
		return is_bad(r, SSL_AD_RECORD_OVERFLOW);
	return true;
}
