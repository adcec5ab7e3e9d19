/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a PROXY header: addresses, and behind them values by type: the
 * name that was asked for, that TLS with a verified certificate was spoken, and
 * whose it is.  Mesh certificates have no common name, so none is sent.
 */

#include "upstream/proxy_protocol.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "upstream/pool.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define VERSION_LOCAL "\x20"
#define VERSION_PROXY 0x21
#define TLV_AUTHORITY 0x02
#define TLV_SSL 0x20
#define SSL_VERSION 0x21
#define CLIENT_SSL 0x01
#define CLIENT_CERT_CONN 0x02
#define CLIENT_CERT_SESS 0x04
#define VALUE_MOST 4096

static void
add_u8(struct text *out, size_t n)
{
	text_add_char(out, (char)(unsigned char)n);
}

static void
add_u16(struct text *out, size_t n)
{
	add_u8(out, n >> 8 & 0xff);
	add_u8(out, n & 0xff);
}

static void
add_value(struct text *out, unsigned type, struct str value)
{
	if (value.len == 0 || value.len > VALUE_MOST)
		return;
	add_u8(out, type);
	add_u16(out, value.len);
	text_add(out, value);
}

static bool
is_v4(const struct addr *a)
{
	return a->u.sa.sa_family == AF_INET ||
	       IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr);
}

static void
add_host(struct text *out, const struct addr *a, bool as_v4)
{
	const void *p = &a->u.in6.sin6_addr;

	if (a->u.sa.sa_family == AF_INET)
		p = &a->u.in.sin_addr;
	else if (as_v4)
		p = &a->u.in6.sin6_addr.s6_addr[12];
	text_add(out, (struct str){ .p = p, .len = as_v4 ? 4 : 16 });
}

/* Family and protocol, length, addresses; the length is filled in later. */
static void
add_addresses(struct text *out, const struct proxy_facts *f)
{
	bool is_known = f->from.len > 0 && f->to.len > 0 &&
			is_v4(&f->from) == is_v4(&f->to);
	bool as_v4 = is_known && is_v4(&f->from);

	add_u8(out, !is_known ? 0x00 : as_v4 ? 0x11 : 0x21);
	add_u16(out, 0);
	if (!is_known)
		return;
	add_host(out, &f->from, as_v4);
	add_host(out, &f->to, as_v4);
	add_u16(out, addr_port(&f->from));
	add_u16(out, addr_port(&f->to));
}

/* Which bits, a zero that says that it was verified, and what they spoke. */
static void
add_tls(struct text *out, const char *version)
{
	struct text t = TEXT_EMPTY;

	add_u8(&t, CLIENT_SSL | CLIENT_CERT_CONN | CLIENT_CERT_SESS);
	add_u16(&t, 0);
	add_u16(&t, 0);
	add_value(&t, SSL_VERSION, str_of(version));
	add_value(out, TLV_SSL, text_str(&t));
	text_free(&t);
}

struct str
proxy_header_local(void)
{
	/* Of no family, with nothing behind it. */
	return STR(SIGNATURE VERSION_LOCAL "\0\0\0");
}

struct proxy_header *
proxy_header_new(const struct proxy_facts *f)
{
	const struct str signature = STR(SIGNATURE);
	struct proxy_header *h = xcalloc(1, sizeof(*h));
	struct text *out = &h->bytes;
	size_t length;

	h->refs = 1;
	TAILQ_INIT(&h->backs);
	text_add(out, signature);
	add_u8(out, VERSION_PROXY);
	add_addresses(out, f);
	add_value(out, TLV_AUTHORITY, f->sni);
	if (f->tls_version != NULL)
		add_tls(out, f->tls_version);
	add_value(out, PROXY_TLV_SPIFFE, f->spiffe);
	length = out->len - signature.len - 4;
	out->p[signature.len + 2] = (char)(unsigned char)(length >> 8);
	out->p[signature.len + 3] = (char)(unsigned char)(length & 0xff);
	return h;
}

struct proxy_header *
proxy_header_ref(struct proxy_header *h)
{
	if (h != NULL)
		h->refs++;
	return h;
}

static struct back *
first_idle(const struct proxy_header *h)
{
	struct back *b;

	TAILQ_FOREACH(b, &h->backs, in_header)
	if (b->place == BACK_IDLE)
		return b;
	return NULL;
}

void
proxy_header_leave(struct proxy_header *h)
{
	struct back *b;

	if (h == NULL)
		return;
	h->is_left = true;
	/* What is closed makes room, for which another may be closed. */
	while ((b = first_idle(h)) != NULL) {
		pool_take_out(b);
		b->ops->close(b);
	}
	proxy_header_unref(h);
}

void
proxy_header_unref(struct proxy_header *h)
{
	if (h == NULL || --h->refs > 0)
		return;
	text_free(&h->bytes);
	free(h);
}
