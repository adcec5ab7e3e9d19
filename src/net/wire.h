/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

/*
 * One open byte stream, plain or (tls/wire_tls.h) TLS.  Its events are edge
 * triggered and registered once: a wire calls on_ready whenever it may be able
 * to do what it could not, and the owner tries again.  So nobody ever asks for
 * readiness, and backpressure is simply not reading.
 *
 * While nothing waits a wire holds no buffer: reads borrow the loop's scratch,
 * and what the reader gives back (wire_keep) or the socket does not take
 * (wire_unsent) is what it holds.
 *
 * Own thread.  on_ready never comes from inside a call to the wire.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

enum io {
	IO_DONE,
	IO_AGAIN, /* nothing now; on_ready will come */
	IO_EOF,   /* the peer finished its direction, in order */
	IO_CUT,   /* TLS: FIN without close_notify */
	IO_FAIL   /* wire_error() says why; only wire_free() is left */
};

/* Borrowed bytes with room around them in the same memory. */
struct span {
	uint8_t *p;
	size_t len;
	size_t room_before;
	size_t room_after;
};

struct pipe;
struct wire;

/*
 * What a kind of wire does; the functions below call these.  w->in belongs to
 * wire_read() and wire_keep(): read gives new bytes only, and says IO_EOF,
 * IO_CUT or IO_FAIL again whenever it is asked again.  It may set w->is_dry
 * when it knows that only an event can bring more; then it is not asked before
 * that, nor before a write, flush or finish has failed.
 */
struct wire_ops {
	enum io (*read)(struct wire *w, struct span *out);
	/* Take all of v or fail; what cannot be sent now is kept in w->out. */
	enum io (*write)(struct wire *w, const struct str *v, size_t n);
	/* Send what is kept; IO_DONE when nothing is left. */
	enum io (*flush)(struct wire *w);
	/* End our direction once all is sent. */
	enum io (*finish)(struct wire *w);
	/*
	 * wire_splice() between two wires of this kind; NULL: it cannot.  What
	 * is not sent is in to->out.
	 */
	enum io (*move)(struct wire *from, struct wire *to, size_t *got);
	/* Free what hangs on w->impl; politely if nothing failed. */
	void (*close)(struct wire *w);
};

struct wire_buf {
	uint8_t *p;
	size_t from;
	size_t to;
	size_t cap;
};

/* What each event needs stands together, first: there are thousands. */
struct wire {
	const struct wire_ops *ops;
	struct loop *loop;
	int fd;
	int error;     /* errno of the failure, 0 if it was not the socket's */
	bool can_read; /* the socket may have something */
	bool is_dry; /* until an event reading gives nothing; ops->read sets it
		      */
	bool can_write;
	bool is_finishing; /* finish asked for */
	bool is_finished;  /* our FIN is out */
	bool is_reset;     /* close with RST */
	bool is_eof;
	bool is_failed;   /* reading failed: so it will again */
	bool is_hup;      /* the end was announced, perhaps behind bytes */
	bool is_doubtful; /* an error may have been announced with bytes */
	bool is_kicked;
	/* The owner's: this is bulk.  See wire_may_read_much(). */
	bool reads_much;
	bool has_missed; /* an event came while nobody was told */
	bool has_news;   /* the last read gave what no read gave before */
	void (*on_ready)(void *arg);
	void *arg;
	void *impl;          /* of ops */
	struct wire_buf in;  /* read, and given back */
	struct wire_buf out; /* accepted, and not sent */
	struct pipe *pipe;   /* spliced and not sent: goes before out */
	size_t held;         /* accepted, and not yet in out: see tls/ */
	uint64_t bytes_in;   /* on the socket */
	uint64_t bytes_out;
	struct event ev;
	size_t peeked;   /* bytes that wire_peek() has shown */
	size_t ended_at; /* bytes kept when the end was first met */
	struct timer probe;
};

/* Takes over fd (non-blocking, TCP or Unix).  Plain. */
struct wire *wire_new(struct loop *l, int fd) MUST_CHECK;
/* Who is told; fn NULL: nobody, and nothing is lost meanwhile. */
void wire_set_owner(struct wire *w, void (*on_ready)(void *arg), void *arg);
/*
 * Make on_ready come once more from the loop, though no event is due: for an
 * owner that stopped halfway to let others have a turn, or took a wire over.
 */
void wire_kick(struct wire *w);
/* Closes; sends what the socket takes at once.  NULL is fine. */
void wire_free(struct wire *w);
/* As wire_free(), but the peer sees RST. */
void wire_reset(struct wire *w);

/*
 * All that was received and not consumed, up to max bytes, without consuming
 * it.  IO_AGAIN when nothing new came since the last call.  Plain wires only.
 */
enum io wire_peek(struct wire *w, size_t max, struct str *all);

/*
 * Borrow the next bytes; valid until the next read on any wire of the loop.
 * All of it is consumed unless wire_keep() gives a tail back.  What was kept
 * comes again, in front of what is new, also when nothing is new: so whoever
 * keeps bytes because he needs more of them waits for on_ready, which comes.
 * At the end of the stream kept bytes are given once more; if they are kept
 * whole again IO_EOF (or IO_CUT) comes, with them in out.
 */
enum io wire_read(struct wire *w, struct span *out);
/* At most once after each read. */
void wire_keep(struct wire *w, struct str tail);
/* Bytes that wire_read() would give without the socket. */
size_t wire_kept(const struct wire *w);

/* IO_DONE: all is taken, sent or not (wire_unsent); else IO_FAIL. */
enum io wire_write(struct wire *w, struct str bytes);
enum io wire_writev(struct wire *w, const struct str *v, size_t n);
/* Accepted and not sent.  Do not read more for w while it is over 0. */
size_t wire_unsent(const struct wire *w);
enum io wire_flush(struct wire *w);
/* End our direction in order (close_notify, FIN) after what is unsent. */
enum io wire_finish(struct wire *w);

/*
 * Move what from has to to, which must hold nothing unsent, without copying
 * it: as far as from is concerned it is read, and for to it is unsent, so
 * wire_flush(to) is next.  got: bytes that wire_read() would have given.
 * IO_AGAIN: there is nothing that can be moved so, or no means to do it;
 * wire_read() then tells what there is.
 */
enum io wire_splice(struct wire *from, struct wire *to, size_t *got);

bool wire_peer(const struct wire *w, struct addr *out);
bool wire_local(const struct wire *w, struct addr *out);

/* Its bytes are those on the socket. */
bool wire_is_plain(const struct wire *w);

/*
 * For implementations of wire_ops: a read may take more than usual, as nobody
 * on this loop is slow to send it on.  So those who stop to read leave no more
 * of it with us than of anything else.
 */
bool wire_may_read_much(const struct wire *w);
/* Likewise: the socket itself. */
size_t wire_sock_unsent(const struct wire *w);
enum io wire_sock_read(struct wire *w, uint8_t *p, size_t n, size_t *got);
/* Sends p, after what w->out holds; the rest is kept in w->out. */
enum io wire_sock_write(struct wire *w, const struct str *v, size_t n);
enum io wire_sock_flush(struct wire *w);
enum io wire_sock_finish(struct wire *w);
void wire_buf_add(struct wire_buf *b, struct str bytes);
void wire_buf_consume(struct wire_buf *b, size_t n);
void wire_buf_free(struct wire_buf *b);
struct str wire_buf_str(const struct wire_buf *b);

#endif
