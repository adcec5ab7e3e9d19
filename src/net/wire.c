/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wire's life, its events and the plain kind.  Reading is in wire_read.c,
 * the socket in wire_sock.c.  Memory is freed by the loop after the events of
 * the turn, because the owner frees a wire inside its own on_ready.
 */

#include "net/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/loop_state.h"
#include "net/pipe.h"
#include "net/sock.h"
#include "net/wire_sock.h"

/* More at once would leave the second-level cache before it is used. */
#define READ_MOST ((size_t)64 * 1024)

static enum io
plain_read(struct wire *w, struct span *out)
{
	uint8_t *p = loop_scratch(w->loop, SCRATCH_IN);
	size_t got;
	enum io io = wire_sock_read(w, p, READ_MOST, &got);

	if (io == IO_DONE)
		*out = (struct span){
			.p = p,
			.len = got,
			.room_before = SCRATCH_ROOM,
			.room_after = SCRATCH_SIZE - got + SCRATCH_ROOM,
		};
	return io;
}

static void
plain_close(struct wire *w)
{
	(void)w;
}

static const struct wire_ops plain_ops = {
	.read = plain_read,
	.write = wire_sock_write,
	.flush = wire_sock_flush,
	.finish = wire_sock_finish,
	.close = plain_close,
};

bool
wire_is_plain(const struct wire *w)
{
	return w->ops == &plain_ops;
}

static void
tell(struct wire *w)
{
	if (w->on_ready != NULL)
		w->on_ready(w->arg);
	else
		w->has_missed = true;
}

/* Once the end was read each event says so again, but for an error. */
static void
check_ended(struct wire *w, short what)
{
	if (!w->is_eof || (what & EV_CLOSED) != 0 || (what & EV_READ) == 0)
		return;
	w->error = sock_error(w->fd);
	w->is_failed = w->error != 0;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct wire *w = arg;
	bool is_news = (what & (EV_READ | EV_CLOSED)) != 0 || !w->can_write;

	(void)fd;
	loop_enter(w->loop);
	check_ended(w, what);
	if ((what & (EV_READ | EV_CLOSED)) != 0)
		w->can_read = !w->is_eof && !w->is_failed;
	w->is_dry = false;
	if ((what & EV_CLOSED) != 0)
		w->is_hup = true;
	if ((what & EV_WRITE) != 0)
		w->can_write = w->error == 0;
	/* An error looks like this, and so do most bytes. */
	w->is_doubtful = (what & EV_READ) != 0 && (what & EV_WRITE) != 0;
	if (is_news)
		tell(w);
}

static void
on_probe(void *arg)
{
	struct wire *w = arg;

	if (w->is_eof || w->is_failed || w->can_read)
		return;
	w->can_read = true;
	w->is_dry = false;
	tell(w);
}

struct wire *
wire_new(struct loop *l, int fd)
{
	struct wire *w = xcalloc(1, sizeof(*w));

	w->ops = &plain_ops;
	w->loop = l;
	w->fd = fd;
	w->can_read = true;
	w->can_write = true;
	timer_init(&w->probe, l, on_probe, w);
	if (event_assign(&w->ev, l->base, fd,
		EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event,
		w) == -1 ||
	    event_add(&w->ev, NULL) == -1) {
		/* Out of kernel memory: this one fails, the others go on. */
		w->error = errno != 0 ? errno : ENOMEM;
		w->is_failed = true;
		w->can_read = false;
		w->can_write = false;
		wire_kick(w);
	}
	return w;
}

void
wire_set_owner(struct wire *w, void (*on_ready)(void *arg), void *arg)
{
	w->on_ready = on_ready;
	w->arg = arg;
	if (on_ready != NULL && w->has_missed) {
		w->has_missed = false;
		wire_kick(w);
	}
}

static void
kicked(void *arg)
{
	struct wire *w = arg;

	w->is_kicked = false;
	if (w->fd != -1)
		tell(w);
}

void
wire_kick(struct wire *w)
{
	if (w->is_kicked)
		return;
	w->is_kicked = true;
	loop_later(w->loop, kicked, w);
}

void
wire_free(struct wire *w)
{
	if (w == NULL)
		return;
	w->on_ready = NULL;
	w->ops->close(w);
	if (w->is_reset)
		sock_linger_reset(w->fd);
	else if (wire_unsent(w) > 0)
		(void)wire_sock_flush(w);
	timer_stop(&w->probe);
	if (w->pipe != NULL)
		pipe_return(w->loop, w->pipe);
	event_del(&w->ev);
	close(w->fd);
	w->fd = -1;
	wire_buf_free(&w->in);
	wire_sock_forget(w);
	loop_later(w->loop, free, w);
}

void
wire_reset(struct wire *w)
{
	if (w == NULL)
		return;
	w->is_reset = true;
	wire_free(w);
}

/* Reading may have more to say of a failure. */
static enum io
noted(struct wire *w, enum io io)
{
	if (io == IO_FAIL)
		w->is_dry = false;
	return io;
}

enum io
wire_write(struct wire *w, struct str bytes)
{
	return noted(w, w->ops->write(w, &bytes, 1));
}

enum io
wire_writev(struct wire *w, const struct str *v, size_t n)
{
	return noted(w, w->ops->write(w, v, n));
}

size_t
wire_unsent(const struct wire *w)
{
	return wire_sock_unsent(w) + w->held;
}

enum io
wire_flush(struct wire *w)
{
	return noted(w, w->ops->flush(w));
}

enum io
wire_finish(struct wire *w)
{
	return noted(w, w->ops->finish(w));
}

bool
wire_peer(const struct wire *w, struct addr *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getpeername(w->fd, (void *)&ss, &len) == 0 &&
	       addr_from_sockaddr((const void *)&ss, len, out);
}

bool
wire_local(const struct wire *w, struct addr *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getsockname(w->fd, (void *)&ss, &len) == 0 &&
	       addr_from_sockaddr((const void *)&ss, len, out);
}
