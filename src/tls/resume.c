/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of callers stay here, and a caller holds no more than the id of
 * his, in TLS 1.3 too.  What OpenSSL would write into a ticket is the caller's
 * certificate, which it decodes again for each ticket, at the price of half a
 * handshake.  Instead a session carries a note: until when it may be used, for
 * which server name it was made, and the caller's identity as it was verified.
 * Whatever does not fit leads to a full handshake, never to an error.  A
 * renewed session does not live longer than the first one would have: the
 * certificate is seen again every two hours.  Permission is asked elsewhere,
 * each time.  Thread of the wire.
 */

#include "tls/resume.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/xalloc.h"
#include "tls/callers.h"
#include "tls/library.h"
#include "tls/session_table.h"
#include "tls/tls_mesh.h"

#define NOTE_FORMAT 1
/* Of ASN.1. */
#define DER_SEQUENCE 0x30

struct note {
	int64_t end_s;
	struct str sni;
	struct str packed; /* the identity */
};

static void
add_number(struct text *t, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		text_add_char(t, (char)(v >> (8 * bytes) & 0xff));
}

static bool
write_note(SSL_SESSION *s, const struct tls_peer *p)
{
	struct text t = TEXT_EMPTY;
	bool is_ok;

	if (p->identity == NULL)
		return false;
	add_number(&t, NOTE_FORMAT, 1);
	add_number(&t, (uint64_t)p->session_end_s, 8);
	add_number(&t, p->sni.len, 2);
	text_add(&t, p->sni);
	identity_pack(p->identity, &t);
	is_ok = library_session_note(s, text_str(&t));
	text_free(&t);
	return is_ok;
}

static bool
read_note(const SSL *ssl, SSL_SESSION *s, struct note *out)
{
	struct str note;
	struct reader r;

	if (s == NULL || !library_session_read_note(ssl, s, &note))
		return false;
	reader_init(&r, note.p, note.len);
	if (reader_u8(&r) != NOTE_FORMAT)
		return false;
	out->end_s = (int64_t)((uint64_t)reader_u32(&r) << 32);
	out->end_s |= (int64_t)reader_u32(&r);
	out->sni = reader_bytes(&r, reader_u16(&r));
	out->packed = reader_bytes(&r, reader_left(&r));
	return !reader_is_bad(&r);
}

static bool
is_valid(const struct note *n, const struct tls_peer *p)
{
	return clock_wall_s() < n->end_s && str_eq_nocase(n->sni, p->sni);
}

/* Short lengths are one byte, longer ones say first how many bytes they are. */
static size_t
read_length(struct reader *r)
{
	uint8_t first = reader_u8(r);

	switch (first) {
	case 0x81:
		return reader_u8(r);
	case 0x82:
		return reader_u16(r);
	case 0x83:
		return reader_u24(r);
	default:
		if (first >= 0x80)
			reader_fail(r);
		return first;
	}
}

/* In as few bytes as it takes, as DER wants it. */
static void
add_length(struct text *t, size_t n)
{
	if (n >= 0x100)
		add_number(t, 0x82, 1);
	else if (n >= 0x80)
		add_number(t, 0x81, 1);
	add_number(t, n, n >= 0x100 ? 2 : 1);
}

/* The session der without its peer's certificate. */
static bool
drop_peer(struct str der, struct text *out)
{
	struct reader r, body;
	struct text rest = TEXT_EMPTY;
	const uint8_t *from;
	uint8_t tag;

	reader_init(&r, der.p, der.len);
	if (reader_u8(&r) != DER_SEQUENCE)
		return false;
	body = reader_sub(&r, read_length(&r));
	while (reader_left(&body) > 0 && !reader_is_bad(&body)) {
		from = body.p;
		tag = reader_u8(&body);
		reader_skip(&body, read_length(&body));
		if (!library_session_is_peer(tag) && !reader_is_bad(&body))
			text_add(&rest, (struct str){ .p = (const void *)from,
					    .len = (size_t)(body.p - from) });
	}
	if (!reader_is_bad(&r) && !reader_is_bad(&body) &&
	    rest.len <= SESSION_BYTES_MAX) {
		add_number(out, DER_SEQUENCE, 1);
		add_length(out, rest.len);
		text_add(out, text_str(&rest));
		/* What the library has put behind it. */
		text_add(out, reader_bytes(&r, reader_left(&r)));
	}
	if (rest.p != NULL)
		OPENSSL_cleanse(rest.p, rest.len);
	text_free(&rest);
	return out->len > 0;
}

static bool
print_session(SSL_SESSION *s, struct text *out)
{
	unsigned char *der = NULL;
	int n = library_session_print(s, &der);
	bool is_ok;

	if (n <= 0)
		return false;
	is_ok = drop_peer(
	    (struct str){ .p = (const void *)der, .len = (size_t)n }, out);
	OPENSSL_clear_free(der, (size_t)n);
	return is_ok;
}

static void
keep(SSL_SESSION *s, const struct note *note, struct session_table *t)
{
	struct session_entry e = { .end_s = note->end_s };
	struct text der = TEXT_EMPTY;
	const unsigned char *id;
	unsigned n;

	id = SSL_SESSION_get_id(s, &n);
	if (n != sizeof(e.id) || !print_session(s, &der))
		return;
	memcpy(e.id, id, n);
	e.bytes = text_str(&der);
	/* Callers use one of TLS 1.3 once, and need another. */
	e.is_lasting = SSL_SESSION_get_protocol_version(s) < TLS1_3_VERSION;
	session_table_put(t, &e, clock_wall_s());
	OPENSSL_cleanse(der.p, der.len);
	text_free(&der);
}

/*
 * OpenSSL has made a session.  If it comes from a resumed one (TLS 1.3), it
 * has the note of that.  The result says that we took no reference.
 */
static int
on_new(SSL *ssl, SSL_SESSION *s)
{
	const struct tls_peer *p = peer_of(ssl);
	struct note note;

	if (p->mesh != NULL && p->failure == TLS_FAIL_NONE &&
	    (SSL_session_reused(ssl) == 1 || write_note(s, p)) &&
	    read_note(ssl, s, &note))
		keep(s, &note, callers_sessions(p->mesh->callers));
	return 0;
}

/* A caller comes with this id. */
static SSL_SESSION *
on_lookup(SSL *ssl, const unsigned char *id, int len, int *must_ref)
{
	const struct tls_peer *p = peer_of(ssl);
	struct text der = TEXT_EMPTY;
	SSL_SESSION *s;
	struct note note;

	*must_ref = 0;
	if (p->mesh == NULL || len != SESSION_ID_LEN ||
	    !session_table_get(
		callers_sessions(p->mesh->callers), id, clock_wall_s(), &der))
		return NULL;
	s = library_session_parse(text_str(&der));
	OPENSSL_cleanse(der.p, der.len);
	text_free(&der);
	if (read_note(ssl, s, &note) && is_valid(&note, p))
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

bool
resume_adopt(SSL *ssl, struct tls_peer *p)
{
	struct note note;

	identity_free(p->identity);
	p->identity = NULL;
	if (!read_note(ssl, SSL_get0_session(ssl), &note) ||
	    !is_valid(&note, p))
		return false;
	p->identity = identity_unpack(note.packed, str_of(p->mesh->mesh));
	if (p->identity == NULL)
		return false;
	p->not_after_s = p->identity->not_after_s;
	p->session_end_s = note.end_s;
	return true;
}

void
resume_set_up(SSL_CTX *ctx, const struct digest *scope)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER |
						SSL_SESS_CACHE_NO_INTERNAL |
						SSL_SESS_CACHE_NO_AUTO_CLEAR);
	SSL_CTX_set_timeout(ctx, PEER_SESSION_S);
	/* In TLS 1.3 the id goes out as a ticket; one is enough. */
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_sess_set_new_cb(ctx, on_new);
	SSL_CTX_sess_set_get_cb(ctx, on_lookup);
	library_sessions_set_up(ctx, PEER_SESSION_S);
	/* Whatever is resumed was issued for this mesh and this CA set. */
	if (SSL_CTX_set_session_id_context(ctx, scope->b, sizeof(scope->b)) !=
	    1)
		abort();
}
