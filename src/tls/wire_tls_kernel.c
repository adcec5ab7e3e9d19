/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  Written bytes go to the socket as they are; what is not
 * data goes with its type, by sendmsg(2), when all before it is sent.  Behind
 * a KeyUpdate bytes are held until it is out, as they need the new key.
 * Thread of the wire.
 *
 * The kernel begins to open records with the next byte of the socket, so ours
 * go on until none is begun; a client of TLS 1.3 waits for tickets first,
 * which OpenSSL is to see as they come.
 */

#include "tls/wire_tls_kernel.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "tls/kernel_tls.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"

/* As much as behind a renegotiation. */
#define HELD_MOST ((size_t)1024 * 1024)
/* Pieces that one call to the kernel takes, at least. */
#define PIECES_A_CALL 16
/* Calls that a write, or a flush, makes beyond those. */
#define CALLS_MORE 4
#define ALERT_FATAL 2

static int
fd_of(const struct tls_wire *t)
{
	return t->ends.wire->fd;
}

bool
tls_kernel_has_in(const struct tls_wire *t)
{
	return t->own != NULL && t->own->kernel.has_in;
}

bool
tls_kernel_has_out(const struct tls_wire *t)
{
	return t->own != NULL && t->own->kernel.has_out;
}

bool
tls_kernel_wants_in(const struct tls_wire *t)
{
	return tls_own_is_on(t) && t->own->kernel.is_wanted &&
	       t->own->kernel.has_out && !t->own->kernel.has_in &&
	       t->ssl == NULL;
}

bool
tls_kernel_is_saying(const struct tls_wire *t)
{
	return tls_kernel_has_out(t) && t->own->kernel.said.len > 0;
}

/* Our own go on; the first time is worth a word. */
static void
give_up(struct tls_wire *t, const char *what, int error)
{
	static atomic_flag is_said = ATOMIC_FLAG_INIT;

	t->own->kernel.is_wanted = false;
	/* The peer has hung up already. */
	if (error == ENOTCONN || atomic_flag_test_and_set(&is_said))
		return;
	log_warn("tls",
	    "the kernel does not take the records of a connection (%s, %s: "
	    "%s); our own are used where that is so",
	    t->own->info.cipher, what, strerror(error));
}

static void
count_as_kernels(struct tls_own *o)
{
	if (o->is_fast)
		tls_engine_remove(TLS_ENGINE_IPSEC_MB);
	o->is_fast = false;
	tls_engine_remove(TLS_ENGINE_OWN);
	tls_engine_add(TLS_ENGINE_KERNEL);
}

void
tls_kernel_take_out(struct tls_wire *t)
{
	struct tls_own *o = t->own;
	const struct wire *w = t->ends.wire;
	int error;

	/* What is sealed already must not be sealed again. */
	if (!o->kernel.is_wanted || o->kernel.has_out || t->is_notified ||
	    t->ends.out_len > 0 || wire_sock_unsent(w) > 0 || w->error != 0 ||
	    w->is_finishing)
		return;
	error = kernel_tls_start(w->fd, &o->out);
	if (error != 0) {
		give_up(t, "sending", error);
		return;
	}
	kernel_tls_learn(w->fd, &o->out);
	record_key_rest(&o->out);
	o->kernel.has_out = true;
	count_as_kernels(o);
}

void
tls_kernel_take_in(struct tls_wire *t)
{
	struct tls_own *o = t->own;
	const struct wire *w = t->ends.wire;
	int error;

	if (!tls_kernel_wants_in(t) || t->cipher.p != NULL ||
	    t->ends.in_len > 0 || t->tail > 0 || w->is_eof || w->is_failed)
		return;
	error = kernel_tls_start(w->fd, &o->in);
	if (error != 0) {
		give_up(t, "receiving", error);
		return;
	}
	record_key_rest(&o->in);
	o->kernel.has_in = true;
}

/* The kernel stops behind what looks like the start of a KeyUpdate. */
static bool
wake(struct tls_wire *t)
{
	struct tls_own *o = t->own;

	if (o->kernel.is_woken ||
	    !kernel_tls_number(fd_of(t), &o->in, &o->in.seq))
		return false;
	o->kernel.is_woken = true;
	o->kernel.in_since = 0;
	return kernel_tls_start(fd_of(t), &o->in) == 0;
}

/* What the kernel says instead of giving a record. */
static void
on_refused(struct tls_wire *t, int error)
{
	switch (error) {
	case EKEYEXPIRED:
		if (wake(t))
			return;
		tls_own_refuse(t, SSL_AD_INTERNAL_ERROR);
		break;
	case EBADMSG:
		tls_own_refuse(t, SSL_AD_BAD_RECORD_MAC);
		break;
	case EMSGSIZE:
		tls_own_refuse(t, SSL_AD_RECORD_OVERFLOW);
		break;
	case EINVAL:
		tls_own_refuse(t, SSL_AD_PROTOCOL_VERSION);
		break;
	default:
		tls_own_refuse(t, SSL_AD_INTERNAL_ERROR);
		break;
	}
}

enum io
tls_kernel_read(struct tls_wire *t, uint8_t *plain, size_t most, size_t *n)
{
	struct tls_kernel *k = &t->own->kernel;
	struct wire_piece piece;
	struct record r;
	enum io io;

	*n = 0;
	io = wire_sock_read_tagged(
	    t->ends.wire, &kernel_tls_tagging, plain, most, &piece);
	if (io == IO_FAIL && piece.refused != 0) {
		on_refused(t, piece.refused);
		return IO_DONE;
	}
	if (io != IO_DONE)
		return io;
	k->is_woken = false;
	k->in_since += piece.len > 0 ? piece.len : 1;
	r = (struct record){ .type = piece.tag, .len = piece.len };
	*n = tls_own_take(t, &r, plain);
	return IO_DONE;
}

/* What of ours the wire has taken beside what is in its buffer. */
static void
note_held(struct tls_wire *t)
{
	t->ends.wire->held =
	    t->held.to - t->held.from + t->own->kernel.said.len;
}

static bool
hold(struct tls_wire *t, const struct str *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		wire_buf_add(&t->held, v[i]);
	note_held(t);
	if (t->held.to - t->held.from <= HELD_MOST)
		return true;
	peer_fail(&t->peer, TLS_FAIL_OTHER,
	    "the peer does not read what is sent before a change of keys");
	return false;
}

static void
forget_held(struct tls_wire *t)
{
	if (t->held.p != NULL)
		OPENSSL_cleanse(t->held.p, t->held.cap);
	wire_buf_free(&t->held);
}

bool
tls_kernel_write(struct tls_wire *t, const struct str *v, size_t n)
{
	struct tls_kernel *k = &t->own->kernel;
	size_t i;

	if (k->said.len > 0)
		return hold(t, v, n);
	for (i = 0; i < n; i++)
		k->out_since += v[i].len / RECORD_PLAIN;
	k->out_since += n / PIECES_A_CALL + CALLS_MORE;
	if (wire_sock_write(t->ends.wire, v, n) == IO_FAIL)
		t->ends.sent = IO_FAIL;
	return true;
}

static bool
cannot_renew(struct tls_wire *t, const char *what, int error)
{
	peer_fail(&t->peer, TLS_FAIL_OTHER,
	    "%s, and the kernel does not take the new key: %s; Linux 6.14 and "
	    "later can, and so does tls_records = \"own\"",
	    what, strerror(error));
	return false;
}

static bool
renew_out(struct tls_wire *t)
{
	struct tls_own *o = t->own;
	int error;

	if (!record_key_update(&o->out))
		return false;
	record_key_rest(&o->out);
	o->kernel.out_since = 0;
	error = kernel_tls_start(fd_of(t), &o->out);
	return error == 0 || cannot_renew(t, "we change keys", error);
}

bool
tls_kernel_renew_in(struct tls_wire *t)
{
	struct tls_own *o = t->own;
	int error;

	if (!o->kernel.has_in)
		return true;
	record_key_rest(&o->in);
	o->kernel.in_since = 0;
	error = kernel_tls_start(fd_of(t), &o->in);
	return error == 0 || cannot_renew(t, "the peer changes keys", error);
}

/* IO_FAIL with no error of the wire: the key could not be changed after it. */
static enum io
send_said(struct tls_wire *t)
{
	struct tls_kernel *k = &t->own->kernel;
	enum io io;

	if (wire_sock_unsent(t->ends.wire) > 0)
		return IO_AGAIN;
	k->out_since++;
	io = wire_sock_send_tagged(t->ends.wire, &kernel_tls_tagging,
	    k->said.type, k->said.b, k->said.len);
	if (io == IO_AGAIN)
		return io;
	k->said.len = 0;
	note_held(t);
	if (io == IO_DONE && k->said.type == RECORD_HANDSHAKE && !renew_out(t))
		return IO_FAIL;
	return io;
}

/* Is there a message that makes this one needless, or takes its place? */
static bool
is_said_already(struct tls_wire *t, enum record_type type, const uint8_t *p)
{
	struct tls_kernel *k = &t->own->kernel;
	bool is_update = type == RECORD_HANDSHAKE;

	if (k->said.len == 0)
		return false;
	/* One answer is enough (RFC 8446, section 4.6.3); it may ask too. */
	if (is_update && k->said.type == RECORD_HANDSHAKE)
		k->said.b[4] |= p[4];
	if (is_update || p[0] != ALERT_FATAL)
		return true;
	/* What waits makes room for it, and nothing follows. */
	forget_held(t);
	return false;
}

bool
tls_kernel_say(
    struct tls_wire *t, enum record_type type, const uint8_t *p, size_t n)
{
	struct tls_kernel *k = &t->own->kernel;
	struct wire *w = t->ends.wire;

	if (type == RECORD_HANDSHAKE && !tls_kernel_can_renew(t))
		return cannot_renew(t, "a change of keys is asked for", EBUSY);
	if (is_said_already(t, type, p))
		return true;
	k->said.type = (uint8_t)type;
	k->said.len = n;
	memcpy(k->said.b, p, n);
	note_held(t);
	if (send_said(t) != IO_FAIL)
		return true;
	t->ends.sent = IO_FAIL;
	return w->error != 0 || w->is_finishing;
}

/* Bytes that waited for the key that has come. */
static enum io
send_held(struct tls_wire *t)
{
	struct wire_buf held = t->held;
	struct str s = wire_buf_str(&held);
	bool is_ok;

	t->held = (struct wire_buf){ .p = NULL };
	note_held(t);
	if (held.p == NULL)
		return IO_DONE;
	is_ok = tls_kernel_write(t, &s, 1) && t->ends.sent != IO_FAIL;
	OPENSSL_cleanse(held.p, held.cap);
	wire_buf_free(&held);
	if (!is_ok)
		return IO_FAIL;
	return wire_sock_unsent(t->ends.wire) > 0 ? IO_AGAIN : IO_DONE;
}

enum io
tls_kernel_flush(struct tls_wire *t)
{
	struct tls_kernel *k = &t->own->kernel;
	struct wire *w = t->ends.wire;
	enum io io;

	k->out_since += wire_sock_unsent(w) / RECORD_PLAIN + CALLS_MORE;
	io = wire_sock_flush(w);
	if (io != IO_DONE || k->said.len == 0)
		return io;
	io = send_said(t);
	/* If it is the socket's, the reason may still be read. */
	if (io == IO_FAIL && w->error == 0)
		t->end = IO_FAIL;
	return io == IO_DONE ? send_held(t) : io;
}

/*
 * A record has a byte at least, so bytes are an upper bound, and the kernel is
 * asked when that comes near.  If it does not tell, sending trusts the bound;
 * who sends to us has to look at his own.
 */
static void
count(struct tls_wire *t, struct record_key *k, uint64_t *since)
{
	uint64_t at = t->own->update_at, n;

	if (k->seq >= at)
		at *= 2;
	if (k->seq + *since < at)
		return;
	if (kernel_tls_number(fd_of(t), k, &n))
		k->seq = n;
	else
		k->seq += k->is_sealing ? *since : *since / RECORD_PLAIN + 1;
	*since = 0;
}

void
tls_kernel_count(struct tls_wire *t)
{
	struct tls_own *o = t->own;

	if (o->kernel.has_in)
		count(t, &o->in, &o->kernel.in_since);
	if (o->kernel.has_out)
		count(t, &o->out, &o->kernel.out_since);
}

bool
tls_kernel_can_renew(const struct tls_wire *t)
{
	return !tls_kernel_has_out(t) || kernel_tls_can_renew();
}

/* Keys are renewed at half of what they are good for. */
bool
tls_kernel_is_worn(struct tls_wire *t)
{
	const struct tls_own *o = t->own;
	uint64_t last = 2 * o->update_at;

	if (o->in.seq < last && o->out.seq < last)
		return false;
	peer_fail(&t->peer, TLS_FAIL_OTHER,
	    "a key has done as many records as it may, and this kernel cannot "
	    "change keys: Linux 6.14 and later can, and so does tls_records = "
	    "\"own\"");
	return true;
}
