/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  Here a read that gives less than asked has not emptied the
 * socket: it stops where the kind changes.  So it is read until there is
 * nothing, and then nothing is missed either.
 */

#include "net/wire_tagged.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/sock.h"
#include "net/wire_sock.h"

union tag_room {
	char b[CMSG_SPACE(1)];
	struct cmsghdr aligned;
};

/* About the bytes, and not about the connection that they came by. */
static bool
is_about_bytes(int error)
{
	switch (error) {
	case EBADMSG:
	case EINVAL:
	case EIO:
	case EKEYEXPIRED:
	case EMSGSIZE:
	case EPROTO:
		return true;
	default:
		return false;
	}
}

static enum io
read_failed(struct wire *w, int error, struct wire_piece *out)
{
	if (!is_about_bytes(error))
		return wire_sock_read_failed(w, error);
	out->refused = error;
	/* It waits there for whoever writes next, too. */
	(void)sock_error(w->fd);
	return IO_FAIL;
}

static uint8_t
tag_of(struct msghdr *m, const struct wire_tagging *g)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	uint8_t tag = g->usual;

	if (c != NULL && c->cmsg_level == g->level &&
	    c->cmsg_type == g->type_in && c->cmsg_len >= CMSG_LEN(1))
		memcpy(&tag, CMSG_DATA(c), 1);
	return tag;
}

enum io
wire_sock_read_tagged(struct wire *w, const struct wire_tagging *g, uint8_t *p,
    size_t n, struct wire_piece *out)
{
	struct iovec iov = { .iov_base = p, .iov_len = n };
	union tag_room room;
	struct msghdr m;
	ssize_t r;

	*out = (struct wire_piece){ .tag = g->usual };
	if (w->is_failed)
		return IO_FAIL;
	if (w->is_eof)
		return IO_EOF;
	if (!w->can_read)
		return IO_AGAIN;
	do {
		m = (struct msghdr){
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = room.b,
			.msg_controllen = sizeof(room.b),
		};
		r = recvmsg(w->fd, &m, 0);
	} while (r == -1 && errno == EINTR);
	if (r == -1)
		return read_failed(w, errno, out);
	out->tag = tag_of(&m, g);
	out->len = (size_t)r;
	w->bytes_in += out->len;
	if (r > 0 || out->tag != g->usual)
		return IO_DONE;
	if (w->error == ECONNRESET)
		return wire_sock_read_failed(w, ECONNRESET);
	w->is_eof = true;
	w->can_read = false;
	return IO_EOF;
}

static void
put_tag(struct msghdr *m, const struct wire_tagging *g, uint8_t tag)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	c->cmsg_level = g->level;
	c->cmsg_type = g->type_out;
	c->cmsg_len = CMSG_LEN(1);
	memcpy(CMSG_DATA(c), &tag, 1);
}

enum io
wire_sock_send_tagged(struct wire *w, const struct wire_tagging *g, uint8_t tag,
    const uint8_t *p, size_t n)
{
	struct iovec iov = { .iov_len = n };
	union tag_room room = { .b = { 0 } };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room.b,
		.msg_controllen = sizeof(room.b),
	};
	ssize_t r;

	if (w->error != 0 || w->is_finishing)
		return IO_FAIL;
	if (!w->can_write)
		return IO_AGAIN;
	/* sendmsg(2) does not write, but iov_base is not const. */
	memcpy(&iov.iov_base, &p, sizeof(p));
	put_tag(&m, g, tag);
	do
		r = sendmsg(w->fd, &m, MSG_NOSIGNAL);
	while (r == -1 && errno == EINTR);
	if (r == -1 && errno != EAGAIN)
		return wire_sock_send_failed(w, errno);
	if (r == -1) {
		w->can_write = false;
		return IO_AGAIN;
	}
	w->bytes_out += (size_t)r;
	/* In two pieces it would be something else. */
	return (size_t)r == n ? IO_DONE : wire_sock_send_failed(w, EIO);
}
