/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from one wire to another of its kind as they lie.  Of plain ones they
 * go through a pipe, so that the kernel hands over its own pages and copies
 * nothing.  The pipe hangs on the wire that the
 * bytes go to, in front of w->out, and goes back once it is empty; so all that
 * holds for what is unsent (backpressure, FIN behind it, what happens to it
 * when the wire is freed) holds for these too.
 *
 * splice(2) knows no MSG_NOSIGNAL: whoever uses this ignores SIGPIPE.
 */

#include <errno.h>
#include <fcntl.h>

#include "net/loop_state.h"
#include "net/pipe.h"
#include "net/wire.h"
#include "net/wire_sock.h"

/* More at once would only wait in the pipe for a socket that is full. */
#define SPLICE_MOST ((size_t)1024 * 1024)

static ssize_t
move(int from, int to, size_t n)
{
	ssize_t r;

	do
		r = splice(
		    from, NULL, to, NULL, n, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (r == -1 && errno == EINTR);
	return r;
}

static bool
can_move(const struct wire *from, const struct wire *to)
{
	return from->ops == to->ops && !from->is_dry && !from->is_failed &&
	       wire_kept(from) == 0 && wire_unsent(to) == 0 && to->error == 0 &&
	       !to->is_finishing;
}

/* Not the connection's fault: it can still be read and written. */
static bool
is_unable(int error)
{
	switch (error) {
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
	case EPERM:
	case ENOMEM:
		return true;
	default:
		return false;
	}
}

/*
 * The end is left to recv(2), which tells it from a reset; and so is "nothing
 * there", because a splice stops in front of urgent data.
 */
static enum io
splice_plain(struct wire *from, struct wire *to, size_t *got)
{
	struct pipe *p;
	ssize_t r;

	if (!from->can_read || (p = pipe_borrow(to->loop)) == NULL)
		return IO_AGAIN;
	r = move(from->fd, p->in, SPLICE_MOST);
	if (r <= 0) {
		pipe_return(to->loop, p);
		if (r == 0 || errno == EAGAIN)
			return IO_AGAIN;
		if (!is_unable(errno))
			return wire_sock_read_failed(from, errno);
		pipes_give_up(to->loop);
		return IO_AGAIN;
	}
	p->held = (size_t)r;
	to->pipe = p;
	*got = p->held;
	from->bytes_in += *got;
	return IO_DONE;
}

enum io
wire_splice(struct wire *from, struct wire *to, size_t *got)
{
	*got = 0;
	if (!can_move(from, to))
		return IO_AGAIN;
	if (wire_is_plain(from))
		return splice_plain(from, to, got);
	return from->ops->move == NULL ? IO_AGAIN
				       : from->ops->move(from, to, got);
}

enum io
wire_sock_flush_pipe(struct wire *w)
{
	struct pipe *p = w->pipe;
	ssize_t r;

	while (p->held > 0) {
		if (!w->can_write)
			return IO_AGAIN;
		r = move(p->out, w->fd, p->held);
		if (r == -1 && errno == EAGAIN) {
			w->can_write = false;
			return IO_AGAIN;
		}
		if (r <= 0)
			return wire_sock_send_failed(w, r == 0 ? EIO : errno);
		p->held -= (size_t)r;
		w->bytes_out += (size_t)r;
	}
	w->pipe = NULL;
	pipe_return(w->loop, p);
	return IO_DONE;
}
