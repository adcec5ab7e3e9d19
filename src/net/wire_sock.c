/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket below a wire.  can_read and can_write remember what an edge told
 * us, so that no call is made whose answer is known.
 *
 * A recv(2) that gives less than asked has emptied the socket: a further edge
 * comes for whatever arrives afterwards.  Only what was announced together
 * with those bytes comes no more.  The peer's FIN is told apart (EV_CLOSED)
 * and read at once.  An error is not: libevent shows it as "readable and
 * writable", which is also how plain bytes look.  Rather than to ask after
 * every read, we ask once a wire has been quiet for a moment (probe).
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/loop_state.h"
#include "net/pipe.h"
#include "net/wire.h"
#include "net/wire_sock.h"

#define IOV_MOST 16
/* Of one loop; from then on whoever is slow gets the usual pieces. */
#define UNSENT_MUCH ((size_t)16 * 1024 * 1024)
/* Probes of all wires of a loop fall together on multiples of this. */
#define PROBE_MS 256

static enum io
fail(struct wire *w, int error)
{
	w->error = error;
	w->can_write = false;
	return IO_FAIL;
}

static void
probe_later(struct wire *w)
{
	uint64_t now = loop_now_ms(w->loop);

	w->is_doubtful = false;
	timer_set(&w->probe, 2 * PROBE_MS - now % PROBE_MS);
}

enum io
wire_sock_read_failed(struct wire *w, int error)
{
	w->can_read = false;
	if (error == EAGAIN)
		return IO_AGAIN;
	w->is_failed = true;
	return fail(w, error);
}

enum io
wire_sock_read(struct wire *w, uint8_t *p, size_t n, size_t *got)
{
	ssize_t r;

	*got = 0;
	if (w->is_failed)
		return IO_FAIL;
	if (w->is_eof)
		return IO_EOF;
	if (!w->can_read || n == 0)
		return IO_AGAIN;
	do
		r = recv(w->fd, p, n, 0);
	while (r == -1 && errno == EINTR);
	if (r == -1)
		return wire_sock_read_failed(w, errno);
	/* The kernel tells of a reset once, and sending has had it. */
	if (r == 0 && w->error == ECONNRESET)
		return wire_sock_read_failed(w, ECONNRESET);
	if (r == 0) {
		w->is_eof = true;
		w->can_read = false;
		return IO_EOF;
	}
	*got = (size_t)r;
	w->bytes_in += *got;
	if (*got < n && !w->is_hup && w->error == 0) {
		w->can_read = false;
		if (w->is_doubtful)
			probe_later(w);
	}
	return IO_DONE;
}

/* Up to IOV_MOST pieces, from `skip` bytes into the first. */
static size_t
fill_iov(struct iovec *iov, const struct str *v, size_t n, size_t skip)
{
	size_t i;

	if (n > IOV_MOST)
		n = IOV_MOST;
	for (i = 0; i < n; i++) {
		/* sendmsg(2) does not write, but iov_base is not const. */
		memcpy(&iov[i].iov_base, &v[i].p, sizeof(v[i].p));
		iov[i].iov_len = v[i].len;
	}
	if (n > 0) {
		iov[0].iov_base = (char *)iov[0].iov_base + skip;
		iov[0].iov_len -= skip;
	}
	return n;
}

/*
 * What the peer said before it reset the connection is there to be read,
 * though its edge may not have been told yet.
 */
enum io
wire_sock_send_failed(struct wire *w, int error)
{
	w->can_read = !w->is_failed;
	return fail(w, error);
}

/*
 * Send what the socket takes, counting in *sent.  IO_AGAIN when it is full; a
 * send that took less than given has met that end too.
 */
static enum io
send_iov(struct wire *w, struct iovec *iov, size_t n, size_t *sent)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
	size_t i, asked = 0;
	ssize_t r;

	*sent = 0;
	for (i = 0; i < n; i++)
		asked += iov[i].iov_len;
	if (asked == 0)
		return IO_DONE;
	if (!w->can_write)
		return w->error != 0 ? IO_FAIL : IO_AGAIN;
	do
		/* One piece, the usual case, costs the kernel less alone. */
		r = n == 1 ? send(w->fd, iov->iov_base, asked, MSG_NOSIGNAL)
			   : sendmsg(w->fd, &m, MSG_NOSIGNAL);
	while (r == -1 && errno == EINTR);
	if (r == -1 && errno != EAGAIN)
		return wire_sock_send_failed(w, errno);
	if (r > 0)
		*sent = (size_t)r;
	w->bytes_out += *sent;
	if (*sent == asked)
		return IO_DONE;
	w->can_write = false;
	return IO_AGAIN;
}

size_t
wire_sock_unsent(const struct wire *w)
{
	return w->out.to - w->out.from + (w->pipe != NULL ? w->pipe->held : 0);
}

static void
keep_unsent(struct wire *w, const struct str *v, size_t n, size_t skip)
{
	size_t i;

	for (i = 0; i < n; i++) {
		wire_buf_add(&w->out, str_from(v[i], skip));
		w->loop->unsent += v[i].len - skip;
		skip = 0;
	}
}

void
wire_sock_forget(struct wire *w)
{
	w->loop->unsent -= w->out.to - w->out.from;
	wire_buf_free(&w->out);
}

bool
wire_may_read_much(const struct wire *w)
{
	return w->reads_much && w->loop->unsent < UNSENT_MUCH;
}

enum io
wire_sock_write(struct wire *w, const struct str *v, size_t n)
{
	struct iovec iov[IOV_MOST];
	enum io io = IO_AGAIN;
	size_t sent, skip = 0;

	if (w->is_finishing)
		return fail(w, EPIPE);
	if (w->error != 0)
		return IO_FAIL;
	while (wire_sock_unsent(w) == 0 && n > 0) {
		io = send_iov(w, iov, fill_iov(iov, v, n, skip), &sent);
		if (io == IO_FAIL)
			return IO_FAIL;
		for (sent += skip; n > 0 && sent >= v->len; v++, n--)
			sent -= v->len;
		skip = sent;
		if (io == IO_AGAIN)
			break;
	}
	keep_unsent(w, v, n, skip);
	/* The room that an edge told of after the last try. */
	if (n > 0 && w->can_write && wire_sock_flush(w) == IO_FAIL)
		return IO_FAIL;
	return IO_DONE;
}

static enum io
send_fin(struct wire *w)
{
	if (!w->is_finishing || w->is_finished)
		return IO_DONE;
	/* A peer that is gone altogether needs no FIN. */
	if (shutdown(w->fd, SHUT_WR) == -1 && errno != ENOTCONN)
		return fail(w, errno);
	w->is_finished = true;
	return IO_DONE;
}

enum io
wire_sock_flush(struct wire *w)
{
	struct iovec iov;
	struct str left;
	size_t sent;
	enum io io;

	if (w->error != 0)
		return IO_FAIL;
	if (w->pipe != NULL && (io = wire_sock_flush_pipe(w)) != IO_DONE)
		return io;
	while (w->out.to > w->out.from) {
		left = wire_buf_str(&w->out);
		io = send_iov(w, &iov, fill_iov(&iov, &left, 1, 0), &sent);
		wire_buf_consume(&w->out, sent);
		w->loop->unsent -= sent;
		if (io != IO_DONE)
			return io;
	}
	return send_fin(w);
}

enum io
wire_sock_finish(struct wire *w)
{
	w->is_finishing = true;
	return wire_sock_flush(w);
}
