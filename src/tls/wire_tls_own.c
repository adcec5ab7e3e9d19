/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of an open wire without OpenSSL's SSL object: data, alerts, and the
 * few handshake messages that may still come.  How a wire gets here is in
 * wire_tls_takeover.c.  Thread of the wire.
 *
 * In TLS 1.3 a server's tickets follow its handshake.  Only OpenSSL can make a
 * session of them, so the records that carry nothing else are shown to it as
 * well, as long as nothing else has come: it stays in step with the numbers.
 * It never writes again: what it would say is thrown away.
 */

#include <openssl/err.h>
#include <string.h>

#include "tls/client_context.h"
#include "tls/tls_error.h"
#include "tls/wire_tls_own.h"
#include "tls/wire_tls_state.h"

#define ALERT_WARNING 1
#define ALERT_FATAL 2
/* As many as session.c keeps for a server. */
#define TICKETS_SHOWN 2
/* A message that we only skip; the longest ticket is half of this. */
#define SKIPPED_MOST ((size_t)256 * 1024)
/* Of shorter records fewer are made, so that the other side has less to do. */
#define LONG ((size_t)4096)

static bool
is_1_3(const struct tls_own *o)
{
	return o->in.suite->version == RECORD_TLS_1_3;
}

/* One record behind what waits to be sent. */
static bool
put_record(struct tls_wire *t, enum record_type type, const void *p, size_t n,
    bool is_placed)
{
	struct bio_ends *e = &t->ends;
	uint8_t *out = loop_scratch(e->wire->loop, SCRATCH_OUT) + e->out_len;
	const uint8_t *from = is_placed ? out + record_before(&t->own->out) : p;
	size_t len;

	if (t->own->kernel.has_out)
		return tls_kernel_say(t, type, p, n);
	len = record_seal(&t->own->out, type, from, n, out);
	if (len == 0) {
		ERR_clear_error();
		peer_fail(&t->peer, TLS_FAIL_OTHER,
		    "a record cannot be sealed any more");
		return false;
	}
	e->out_len += len;
	return true;
}

static bool
make_room(struct tls_wire *t)
{
	return SCRATCH_SIZE - t->ends.out_len >=
		   RECORD_PLAIN + RECORD_OVERHEAD_MOST ||
	       bio_send(&t->ends) != IO_FAIL;
}

static void
say_alert(struct tls_wire *t, uint8_t level, uint8_t what)
{
	const uint8_t alert[] = { level, what };

	/* Behind close_notify nothing may follow. */
	if (!t->is_notified && make_room(t))
		(void)put_record(t, RECORD_ALERT, alert, sizeof(alert), false);
}

/* No session of a connection that failed is used again. */
static void
end_badly(struct tls_wire *t)
{
	t->end = IO_FAIL;
	tls_own_drop_ssl(t);
	if (!t->own->is_server)
		client_context_forget(t->peer.client, t->peer.session_key);
}

static void
refuse(struct tls_wire *t, uint8_t alert)
{
	struct text why = TEXT_EMPTY;

	tls_error_name_alert(alert, &why);
	peer_fail(&t->peer, TLS_FAIL_OTHER,
	    "TLS failed: what the peer sent is answered with %s", why.p);
	text_free(&why);
	say_alert(t, ALERT_FATAL, alert);
	end_badly(t);
}

static void
break_down(struct tls_wire *t)
{
	ERR_clear_error();
	peer_fail(&t->peer, TLS_FAIL_OTHER, "keys cannot be changed");
	if (tls_kernel_has_out(t))
		say_alert(t, ALERT_FATAL, SSL_AD_INTERNAL_ERROR);
	end_badly(t);
}

static bool
send_key_update(struct tls_wire *t, bool is_asking)
{
	const uint8_t m[] = { SSL3_MT_KEY_UPDATE, 0, 0, 1, is_asking };

	if (t->is_notified)
		return true;
	return make_room(t) &&
	       put_record(t, RECORD_HANDSHAKE, m, sizeof(m), false) &&
	       /* The kernel's changes when the message is out. */
	       (tls_kernel_has_out(t) || record_key_update(&t->own->out));
}

/* A cipher is good for so many records; both sides look at their own. */
static bool
renew_keys(struct tls_wire *t)
{
	struct tls_own *o = t->own;
	bool is_in_old;

	if (!is_1_3(o))
		return true;
	if (o->kernel.has_out)
		tls_kernel_count(t);
	is_in_old = o->in.seq >= o->update_at && !o->is_update_asked;
	if (o->out.seq < o->update_at && !is_in_old)
		return true;
	if (o->kernel.has_out && !tls_kernel_can_renew(t))
		return !tls_kernel_is_worn(t);
	o->is_update_asked |= is_in_old;
	return send_key_update(t, is_in_old);
}

static void
on_key_update(struct tls_wire *t, const struct late_message *m, bool is_last)
{
	struct tls_own *o = t->own;

	if (m->len != 1) {
		refuse(t, SSL_AD_DECODE_ERROR);
		return;
	}
	/* What follows it would be under two keys. */
	if (!is_last) {
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
		return;
	}
	if (m->first > 1) {
		refuse(t, SSL_AD_ILLEGAL_PARAMETER);
		return;
	}
	o->is_update_asked = false;
	if (!record_key_update(&o->in) || !tls_kernel_renew_in(t) ||
	    (m->first == 1 && !send_key_update(t, false)))
		break_down(t);
}

static void
refuse_late_request(
    struct tls_wire *t, const char *what, uint8_t level, uint8_t alert)
{
	peer_fail(&t->peer, TLS_FAIL_RENEGOTIATION,
	    "the server asked for %s; if it wants a client certificate late, "
	    "set allowRenegotiation: true",
	    what);
	say_alert(t, level, alert);
	end_badly(t);
}

/* False: refused. */
static void
on_message_1_2(struct tls_wire *t, const struct late_message *m)
{
	if (t->own->is_server && m->type == SSL3_MT_CLIENT_HELLO)
		/* It may go on with what it has. */
		say_alert(t, ALERT_WARNING, SSL_AD_NO_RENEGOTIATION);
	else if (!t->own->is_server && m->type == SSL3_MT_HELLO_REQUEST &&
		 m->len > 0)
		refuse(t, SSL_AD_DECODE_ERROR);
	else if (!t->own->is_server && m->type == SSL3_MT_HELLO_REQUEST)
		refuse_late_request(t, "a renegotiation", ALERT_WARNING,
		    SSL_AD_NO_RENEGOTIATION);
	else
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
}

static void
on_message_1_3(struct tls_wire *t, const struct late_message *m, bool is_last)
{
	if (m->type == SSL3_MT_KEY_UPDATE)
		on_key_update(t, m, is_last);
	else if (t->own->is_server)
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
	else if (m->type == SSL3_MT_NEWSESSION_TICKET)
		t->own->tickets++;
	else if (m->type == SSL3_MT_CERTIFICATE_REQUEST)
		refuse_late_request(t, "something after the handshake",
		    ALERT_FATAL, SSL_AD_UNEXPECTED_MESSAGE);
	else
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
}

static void
on_message(struct tls_wire *t, const struct late_message *m, bool is_last)
{
	if (is_1_3(t->own))
		on_message_1_3(t, m, is_last);
	else
		on_message_1_2(t, m);
}

/* Is the rest of it worth waiting for?  All else is refused as it begins. */
static bool
is_awaited(const struct tls_own *o, const struct late_message *m)
{
	if (!is_1_3(o))
		return o->is_server && m->type == SSL3_MT_CLIENT_HELLO &&
		       m->len <= SKIPPED_MOST;
	if (m->type == SSL3_MT_KEY_UPDATE)
		return m->len == 1;
	return !o->is_server && m->type == SSL3_MT_NEWSESSION_TICKET &&
	       m->len <= SKIPPED_MOST;
}

static void
check_open_message(struct tls_wire *t)
{
	const struct late_cut *c = &t->own->messages;
	struct late_message m = { .type = c->head[0] };

	if (c->have < LATE_HEADER)
		return;
	m.len = late_message_len(c);
	if (is_awaited(t->own, &m))
		return;
	on_message(t, &m, true);
	if (t->end == IO_DONE)
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
}

static void
on_handshake(struct tls_wire *t, struct str bytes)
{
	struct tls_own *o = t->own;
	struct late_message m;

	if (bytes.len == 0) {
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
		return;
	}
	t->chatter++;
	while (t->end == IO_DONE && bytes.len > 0) {
		if (late_message_next(&o->messages, &bytes, &m) == LATE_MORE) {
			check_open_message(t);
			break;
		}
		t->chatter++;
		on_message(t, &m, bytes.len == 0);
	}
}

/* Levels mean nothing in TLS 1.3 (RFC 8446, section 6). */
static bool
is_warning(const struct tls_own *o, const uint8_t alert[2])
{
	return is_1_3(o) ? alert[1] == SSL_AD_USER_CANCELLED
			 : alert[0] == ALERT_WARNING;
}

static void
on_error_alert(struct tls_wire *t, const uint8_t alert[2])
{
	struct text why = TEXT_EMPTY;

	tls_error_explain_alert(alert[1], &why);
	peer_fail(&t->peer, TLS_FAIL_ALERT, "%s", why.p);
	text_free(&why);
	/* A refusal of what we never asked for. */
	if (is_warning(t->own, alert))
		say_alert(t, ALERT_FATAL, SSL_AD_HANDSHAKE_FAILURE);
	end_badly(t);
}

static void
on_alert(struct tls_wire *t, const uint8_t *p, size_t n)
{
	bool has_level = !is_1_3(t->own);

	if (n != 2) {
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
	} else if (has_level && p[0] != ALERT_WARNING && p[0] != ALERT_FATAL) {
		refuse(t, SSL_AD_ILLEGAL_PARAMETER);
	} else if (p[1] == SSL_AD_CLOSE_NOTIFY &&
		   (!has_level || p[0] == ALERT_WARNING)) {
		t->end = IO_EOF;
		tls_own_drop_ssl(t);
	} else if (is_warning(t->own, p) && p[1] != SSL_AD_NO_RENEGOTIATION) {
		t->chatter++;
	} else {
		on_error_alert(t, p);
	}
}

/* What resuming took is to be replaced, and servers send no more then. */
static unsigned
tickets_wanted(const struct tls_own *o)
{
	return o->info.is_resumed ? 1 : TICKETS_SHOWN;
}

/* The record at p brought tickets and nothing else: OpenSSL is to know. */
static void
show_tickets(struct tls_wire *t, const uint8_t *p, size_t n)
{
	struct bio_ends saved;
	unsigned char none;
	size_t got;
	bool is_fine;

	/* Then whatever is gathered after this is OpenSSL's. */
	bio_send(&t->ends);
	saved = t->ends;
	ERR_clear_error();
	t->ends.in = p;
	t->ends.in_len = n;
	is_fine = SSL_read_ex(t->ssl, &none, 1, &got) != 1 &&
		  SSL_get_error(t->ssl, 0) == SSL_ERROR_WANT_READ &&
		  t->ends.in_len == 0 && t->ends.out_len == 0;
	ERR_clear_error();
	t->ends = saved;
	if (!is_fine)
		refuse(t, SSL_AD_DECODE_ERROR);
	else if (t->own->tickets >= tickets_wanted(t->own) &&
		 !late_message_is_open(&t->own->messages))
		tls_own_drop_ssl(t);
}

/*
 * In TLS 1.3 nothing comes between the parts of a message.  Before, no data
 * once it is known what message it is, as OpenSSL has it.
 */
static bool
is_misplaced(const struct tls_own *o, enum record_type type)
{
	if (is_1_3(o))
		return late_message_is_open(&o->messages);
	return type == RECORD_DATA && o->messages.have >= LATE_HEADER;
}

/* What a record means; p is how it came, plain what was in it. */
static size_t
take_record(struct tls_wire *t, const struct record *r, const uint8_t *p,
    size_t n, const uint8_t *plain)
{
	struct str bytes = { .p = (const void *)plain, .len = r->len };
	bool is_message = r->type == RECORD_HANDSHAKE;
	uint64_t key_began = t->own->in.seq;

	if (!is_message && is_misplaced(t->own, r->type)) {
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
		return 0;
	}
	if (!is_message)
		tls_own_drop_ssl(t);
	switch (r->type) {
	case RECORD_DATA:
		t->chatter = r->len > 0 ? 0 : t->chatter + 1;
		return r->len;
	case RECORD_HANDSHAKE:
		on_handshake(t, bytes);
		break;
	case RECORD_ALERT:
		on_alert(t, plain, r->len);
		break;
	default:
		refuse(t, SSL_AD_UNEXPECTED_MESSAGE);
		break;
	}
	if (t->ssl == NULL || t->end != IO_DONE)
		return 0;
	if (t->own->in.seq == key_began)
		show_tickets(t, p, n);
	else
		tls_own_drop_ssl(t);
	return 0;
}

static void
check_chatter(struct tls_wire *t)
{
	if (t->end != IO_DONE || t->chatter <= CHATTER_MOST)
		return;
	peer_fail(&t->peer, TLS_FAIL_OTHER,
	    "the peer sends handshake messages without end");
	end_badly(t);
}

size_t
tls_own_open_next(struct tls_wire *t, uint8_t *plain)
{
	const uint8_t *p = t->ends.in;
	size_t n = record_len(p), got = 0;
	struct record r;

	/* Not whole: it is longer than any may be. */
	if (n > t->ends.in_len) {
		refuse(t, SSL_AD_RECORD_OVERFLOW);
		return 0;
	}
	t->ends.in += n;
	t->ends.in_len -= n;
	if (record_open(&t->own->in, p, n, plain, &r))
		got = take_record(t, &r, p, n, plain);
	else
		refuse(t, r.alert);
	check_chatter(t);
	if (t->end == IO_DONE && !renew_keys(t))
		break_down(t);
	return got;
}

size_t
tls_own_take(struct tls_wire *t, const struct record *r, const uint8_t *plain)
{
	size_t got = take_record(t, r, NULL, 0, plain);

	check_chatter(t);
	if (t->end == IO_DONE && !renew_keys(t))
		break_down(t);
	return got;
}

void
tls_own_refuse(struct tls_wire *t, uint8_t alert)
{
	refuse(t, alert);
}

void
tls_own_note_size(struct tls_own *o, size_t bytes, size_t records)
{
	o->has_long = bytes >= records * LONG;
}

void
tls_own_end_stream(struct tls_wire *t)
{
	if (t->end != IO_DONE)
		t->ends.in_len = t->tail = 0;
}

size_t
tls_own_open(struct tls_wire *t, uint8_t *plain)
{
	size_t n = 0, records = 0;

	tls_own_stir(t->own);
	while (t->end == IO_DONE && t->ends.in_len >= RECORD_HEADER &&
	       n + RECORD_HEADER + RECORD_BODY_MOST <= SCRATCH_SIZE) {
		n += tls_own_open_next(t, plain + n);
		records++;
	}
	tls_own_note_size(t->own, n, records);
	tls_own_end_stream(t);
	tls_wire_stash(t);
	return n;
}

/* Pieces in the order of their bytes, the first begun at `at`. */
struct pieces {
	const struct str *v;
	size_t n;
	size_t at;
};

static size_t
skip_empty(struct pieces *p)
{
	while (p->n > 0 && p->at == p->v->len) {
		p->v++;
		p->n--;
		p->at = 0;
	}
	return p->n > 0 ? p->v->len - p->at : 0;
}

/* Up to most bytes, put together at out. */
static size_t
gather(struct pieces *p, uint8_t *out, size_t most)
{
	size_t got = 0, part;

	while (got < most && (part = skip_empty(p)) > 0) {
		if (part > most - got)
			part = most - got;
		memcpy(out + got, p->v->p + p->at, part);
		p->at += part;
		got += part;
	}
	return got;
}

/* A large piece, and the last one, is sealed from where it lies. */
static bool
seal_next(struct tls_wire *t, struct pieces *p, size_t first)
{
	uint8_t *out =
	    loop_scratch(t->ends.wire->loop, SCRATCH_OUT) + t->ends.out_len;
	const char *from;
	size_t n;

	if (first < RECORD_PLAIN && p->n > 1) {
		n = gather(p, out + record_before(&t->own->out), RECORD_PLAIN);
		return put_record(t, RECORD_DATA, NULL, n, true);
	}
	n = first < RECORD_PLAIN ? first : RECORD_PLAIN;
	from = p->v->p + p->at;
	p->at += n;
	return put_record(t, RECORD_DATA, from, n, false);
}

static bool
give_to_kernel(struct tls_wire *t, const struct str *v, size_t n)
{
	if (renew_keys(t) && tls_kernel_write(t, v, n))
		return true;
	break_down(t);
	return false;
}

bool
tls_own_seal(struct tls_wire *t, const struct str *v, size_t n)
{
	struct pieces p = { .v = v, .n = n };
	size_t first;

	t->chatter = 0;
	if (t->own->kernel.is_wanted)
		tls_kernel_take_out(t);
	if (t->own->kernel.has_out)
		return give_to_kernel(t, v, n);
	tls_own_stir(t->own);
	while ((first = skip_empty(&p)) > 0) {
		if (!renew_keys(t) || !make_room(t) ||
		    !seal_next(t, &p, first)) {
			end_badly(t);
			/* The scratch is not ours for longer than this. */
			bio_send(&t->ends);
			return false;
		}
	}
	return true;
}

void
tls_own_notify(struct tls_wire *t)
{
	const uint8_t alert[] = { ALERT_WARNING, SSL_AD_CLOSE_NOTIFY };

	if (make_room(t))
		(void)put_record(t, RECORD_ALERT, alert, sizeof(alert), false);
}
