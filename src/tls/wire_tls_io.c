/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of an open TLS wire, both ways.  Reading gives OpenSSL whole records
 * only (wire_tls_fill.c) and collects all their plaintext.  Writing makes large
 * records out of small pieces and sends them in one call.  Thread of the wire.
 */

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "tls/library.h"
#include "tls/server_alpn.h"
#include "tls/tls_error.h"
#include "tls/wire_tls_state.h"
#include "tls/wire_tls_turn.h"

#define LAST_WORDS ((size_t)64 * 1024)
#define ANSWERS_MOST ((size_t)16 * 1024)
/* Written while a renegotiation goes on. */
#define HELD_MOST ((size_t)1024 * 1024)

void
tls_wire_fail(struct tls_wire *t)
{
	struct text why = TEXT_EMPTY;
	enum tls_failure f;
	int reason = ERR_GET_REASON(ERR_peek_error());

	if (reason == SSL_R_UNEXPECTED_MESSAGE && t->stage == TLS_OPEN &&
	    !SSL_is_server(t->ssl) && !t->peer.spec->allow_renegotiation)
		peer_fail(&t->peer, TLS_FAIL_RENEGOTIATION,
		    "the server asked for something after the handshake; if "
		    "it wants a client certificate late, set "
		    "allowRenegotiation: true");
	if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL)
		t->peer.is_alpn_wrong = true;
	f = tls_error_take(&why);
	peer_fail(&t->peer, f, "%s", why.p);
	text_free(&why);
	bio_send(&t->ends);
}

/* A HelloRequest, or in TLS 1.3 a late CertificateRequest. */
static void
on_late_request(struct tls_wire *t)
{
	const struct tls_spec *spec = t->peer.spec;
	bool may = spec->allow_renegotiation;
	unsigned most = spec->renegotiations > 0 ? spec->renegotiations
						 : TLS_RENEGOTIATIONS;

	/* A server that does it more often does not mean well. */
	if (may && ++t->late <= most) {
		/* Its messages are not without end. */
		t->chatter = 0;
		return;
	}
	library_refuse_late(t->ssl);
	t->is_late_bad = true;
	if (may)
		peer_fail(&t->peer, TLS_FAIL_RENEGOTIATION,
		    "the server asked for a renegotiation more than %u times; "
		    "if it needs that, raise tls.renegotiations",
		    most);
	else
		peer_fail(&t->peer, TLS_FAIL_RENEGOTIATION,
		    "the server asked for a renegotiation; if it wants a "
		    "client certificate late, set allowRenegotiation: true");
}

void
tls_wire_on_message(int is_ours, int version, int type, const void *p, size_t n,
    SSL *ssl, void *arg)
{
	struct tls_wire *t = arg;
	uint8_t message;

	(void)version;
	if (t->own != NULL && t->own->is_on)
		return;
	if (t->own != NULL && type == SSL3_RT_HEADER && n > 0) {
		memcpy(&message, p, 1);
		tls_own_on_header(t->own, is_ours != 0, ssl, message);
		return;
	}
	if (is_ours || type != SSL3_RT_HANDSHAKE || n == 0)
		return;
	if (t->stage != TLS_OPEN) {
		if (!SSL_is_server(ssl))
			server_alpn_check(&t->peer, p, n);
		return;
	}
	t->chatter++;
	memcpy(&message, p, 1);
	if (SSL_is_server(ssl))
		return;
	if (message == SSL3_MT_HELLO_REQUEST ||
	    (message == SSL3_MT_CERTIFICATE_REQUEST &&
		SSL_version(ssl) >= TLS1_3_VERSION))
		on_late_request(t);
}

/* What a failed SSL_read() means for reading from now on. */
static void
note_end(struct tls_wire *t, int result)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_ZERO_RETURN:
		t->end = IO_EOF;
		break;
	default:
		tls_wire_fail(t);
		t->end = IO_FAIL;
		break;
	}
}

/*
 * SSL_get_error() takes whatever is in the thread's queue for the reason.  To
 * look costs a fraction of clearing, and it is empty nearly always.
 */
static void
forget_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/* Has OpenSSL anything to read from?  It was given whole records only. */
static bool
has_more(const struct tls_wire *t)
{
	return t->ends.in_len > 0 || SSL_pending(t->ssl) > 0;
}

static size_t
decrypt(struct tls_wire *t, uint8_t *plain)
{
	size_t n = 0, got;
	int r;

	if (tls_own_is_on(t))
		return tls_own_open(t, plain);
	forget_errors();
	while (t->end == IO_DONE && n < SCRATCH_SIZE && has_more(t)) {
		r = SSL_read_ex(t->ssl, plain + n, SCRATCH_SIZE - n, &got);
		if (t->is_late_bad || t->chatter > CHATTER_MOST) {
			peer_fail(&t->peer, TLS_FAIL_OTHER,
			    "the peer sends handshake messages without end");
			t->end = IO_FAIL;
		}
		if (r != 1) {
			note_end(t, r);
			break;
		}
		n += got;
		t->chatter = 0;
	}
	tls_wire_stash(t);
	return n;
}

static bool encrypt(struct tls_wire *t, struct str s);
static enum io tls_finish(struct wire *w);

/* The renegotiation is over: what was written meanwhile goes out. */
static void
release_held(struct wire *w, struct tls_wire *t)
{
	struct wire_buf held = t->held;

	if (held.p == NULL || tls_own_is_on(t) || SSL_in_init(t->ssl) ||
	    t->end == IO_FAIL)
		return;
	t->held = (struct wire_buf){ .p = NULL };
	w->held = 0;
	if (!encrypt(t, wire_buf_str(&held)))
		t->end = IO_FAIL;
	OPENSSL_cleanse(held.p, held.cap);
	wire_buf_free(&held);
	bio_send(&t->ends);
	/* Whoever had to wait for this was not told by any event. */
	wire_kick(w);
	if (t->is_finish_held && t->held.p == NULL)
		(void)tls_finish(w);
}

/*
 * Reading may have made answers.  A peer that never reads them, and goes on
 * asking, must not fill our memory.
 */
static void
send_answers(struct wire *w, struct tls_wire *t)
{
	if (t->ends.out_len == 0)
		return;
	if (wire_sock_unsent(w) == 0)
		t->answers = 0;
	t->answers += t->ends.out_len;
	/* If it cannot be sent, reading still can go on to the end. */
	bio_send(&t->ends);
	if (t->answers > ANSWERS_MOST && wire_sock_unsent(w) > 0) {
		peer_fail(&t->peer, TLS_FAIL_OTHER,
		    "the peer does not read our answers to its messages");
		t->end = IO_FAIL;
	}
}

/* Only the socket can bring more, and it has nothing. */
static bool
is_dry(const struct wire *w, const struct tls_wire *t)
{
	return !w->can_read && !w->is_eof && !w->is_failed &&
	       t->end == IO_DONE && !t->has_whole &&
	       (tls_own_is_on(t) || SSL_pending(t->ssl) == 0);
}

/* Plaintext of what is there; n 0 and IO_DONE: there may be more. */
static enum io
fetch(struct wire *w, struct tls_wire *t, uint8_t *plain, size_t *n)
{
	enum io io;

	tls_kernel_take_in(t);
	if (tls_kernel_has_in(t))
		return tls_kernel_read(t, plain, tls_wire_read_most(w), n);
	io = tls_wire_fill(w, t, tls_wire_read_most(w));
	if (io == IO_DONE)
		*n = decrypt(t, plain);
	return io;
}

static enum io
tls_read(struct wire *w, struct span *out)
{
	struct tls_wire *t = w->impl;
	uint8_t *plain = loop_scratch(w->loop, SCRATCH_PLAIN);
	size_t n = 0;
	enum io io = IO_DONE;

	/* Nothing is read for a peer who is not known yet. */
	if (t->stage != TLS_OPEN)
		return IO_FAIL;
	while (n == 0 && io == IO_DONE && t->end == IO_DONE) {
		io = fetch(w, t, plain, &n);
		if (io == IO_EOF)
			t->end = IO_CUT;
		else if (io == IO_FAIL)
			t->end = IO_FAIL;
		send_answers(w, t);
		release_held(w, t);
	}
	w->is_dry = is_dry(w, t);
	if (n == 0)
		return t->end == IO_DONE ? IO_AGAIN : t->end;
	*out = (struct span){
		.p = plain,
		.len = n,
		.room_before = SCRATCH_ROOM,
		.room_after = SCRATCH_SIZE - n + SCRATCH_ROOM,
	};
	return IO_DONE;
}

static bool
hold(struct tls_wire *t, struct str s)
{
	wire_buf_add(&t->held, s);
	t->ends.wire->held = t->held.to - t->held.from;
	if (t->ends.wire->held <= HELD_MOST)
		return true;
	peer_fail(&t->peer, TLS_FAIL_RENEGOTIATION,
	    "the server does not end the renegotiation it asked for");
	return false;
}

/* Into records; or kept, while a renegotiation goes on. */
static bool
encrypt(struct tls_wire *t, struct str s)
{
	size_t done;

	if (s.len == 0)
		return true;
	if (t->held.p != NULL || SSL_in_init(t->ssl))
		return hold(t, s);
	forget_errors();
	t->chatter = 0;
	if (SSL_write_ex(t->ssl, s.p, s.len, &done) == 1)
		return true;
	if (SSL_get_error(t->ssl, 0) == SSL_ERROR_WANT_READ)
		return hold(t, s);
	tls_wire_fail(t);
	return false;
}

/* Pieces that are put together to be one record. */
struct batch {
	size_t len;
	char b[RECORD_PLAIN];
};

static bool
encrypt_batch(struct tls_wire *t, struct batch *batch)
{
	size_t len = batch->len;

	batch->len = 0;
	return encrypt(t, (struct str){ .p = batch->b, .len = len });
}

static bool
add_piece(struct tls_wire *t, struct batch *batch, struct str piece)
{
	size_t n;

	while (piece.len > 0) {
		if (batch->len == 0 && piece.len >= RECORD_PLAIN)
			return encrypt(t, piece);
		n = RECORD_PLAIN - batch->len;
		if (n > piece.len)
			n = piece.len;
		memcpy(batch->b + batch->len, piece.p, n);
		batch->len += n;
		piece = str_from(piece, n);
		if (batch->len == RECORD_PLAIN && !encrypt_batch(t, batch))
			return false;
	}
	return true;
}

static bool
encrypt_all(struct tls_wire *t, const struct str *v, size_t n)
{
	struct batch batch;
	size_t i;

	if (tls_own_is_on(t))
		return tls_own_seal(t, v, n);
	if (n == 1)
		return encrypt(t, v[0]);
	batch.len = 0;
	for (i = 0; i < n; i++)
		if (!add_piece(t, &batch, v[i]))
			return false;
	return encrypt_batch(t, &batch);
}

static enum io
tls_write(struct wire *w, const struct str *v, size_t n)
{
	struct tls_wire *t = w->impl;

	if (t->stage != TLS_OPEN || t->end == IO_FAIL)
		return IO_FAIL;
	if (t->is_notified || t->is_finish_held) {
		w->error = EPIPE;
		return IO_FAIL;
	}
	if (!encrypt_all(t, v, n)) {
		t->end = IO_FAIL;
		return IO_FAIL;
	}
	return bio_send(&t->ends) == IO_FAIL ? IO_FAIL : IO_DONE;
}

static enum io
tls_flush(struct wire *w)
{
	struct tls_wire *t = w->impl;
	enum io io;

	if (tls_kernel_has_out(t)) {
		io = tls_kernel_flush(t);
		return io == IO_DONE && t->is_finish_held ? tls_finish(w) : io;
	}
	io = wire_sock_flush(w);
	if (io == IO_DONE && t->held.p != NULL)
		return IO_AGAIN;
	return io;
}

static void
shut_down(SSL *ssl)
{
	ERR_clear_error();
	if (!SSL_in_init(ssl) && SSL_shutdown(ssl) < 0)
		ERR_clear_error();
}

static void
notify(struct tls_wire *t)
{
	if (t->is_notified || t->stage != TLS_OPEN || t->end == IO_FAIL)
		return;
	if (tls_own_is_on(t))
		tls_own_notify(t);
	else
		shut_down(t->ssl);
	t->is_notified = true;
	bio_send(&t->ends);
}

static enum io
tls_finish(struct wire *w)
{
	struct tls_wire *t = w->impl;

	if (t->held.p == NULL && !tls_kernel_is_saying(t))
		notify(t);
	if (t->held.p != NULL || tls_kernel_is_saying(t)) {
		t->is_finish_held = true;
		return IO_AGAIN;
	}
	return wire_sock_finish(w);
}

/*
 * After an alert: bytes that nobody reads would turn our close into a reset,
 * and the peer might never see the alert.
 */
static void
close_after_alert(struct wire *w)
{
	uint8_t *in = loop_scratch(w->loop, SCRATCH_IN);
	size_t got, rounds = 16;

	(void)wire_sock_finish(w);
	while (
	    rounds-- > 0 && wire_sock_read(w, in, LAST_WORDS, &got) == IO_DONE)
		;
}

/* What waits behind unsent bytes has now, or never, its turn. */
static void
say_last(struct wire *w, struct tls_wire *t)
{
	if (tls_kernel_is_saying(t))
		(void)tls_flush(w);
}

static void
tls_close(struct wire *w)
{
	struct tls_wire *t = w->impl;

	if (!w->is_reset && w->error == 0) {
		say_last(w, t);
		if (t->peer.failure != TLS_FAIL_NONE)
			close_after_alert(w);
		else
			notify(t);
		say_last(w, t);
	}
	w->impl = NULL;
	tls_wire_free(t);
}

static enum io
tls_move(struct wire *from, struct wire *to, size_t *got)
{
	struct tls_wire *t = from->impl;

	if (t->end != IO_DONE || !tls_own_can_turn(t, to->impl) ||
	    tls_wire_fill(from, t, tls_wire_turn_most(from)) != IO_DONE)
		return IO_AGAIN;
	tls_own_turn(t, to->impl, got);
	send_answers(from, t);
	from->is_dry = is_dry(from, t);
	/* How it ended reading says, now and later. */
	return *got > 0 ? IO_DONE : IO_AGAIN;
}

const struct wire_ops tls_wire_ops = {
	.read = tls_read,
	.write = tls_write,
	.flush = tls_flush,
	.finish = tls_finish,
	.move = tls_move,
	.close = tls_close,
};
