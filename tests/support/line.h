/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_LINE_H
#define SUPPORT_LINE_H

/*
 * Connections of a test, callers' and servers' ones, all moved by the test's
 * own thread: nothing happens but in lines_turn(), so that a test says in
 * which order things happen on both sides of the daemon.  A line is a
 * connection, plain or TLS; a door is a listening socket.  What is spoken over
 * a line is a peer's business: h1_peer.h, h2_peer.h.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "support/bytes.h"
#include "support/mesh_client.h"

#define LINES_MOST 512
#define DOORS_MOST 16

enum line_end {
	LINE_OPEN,
	LINE_FIN, /* with close_notify before it under TLS */
	LINE_CUT, /* without */
	LINE_RST,
	LINE_FAILED /* TLS; see alert */
};

struct line;
struct lines;

/* Who speaks over a line. */
struct line_ops {
	void (*on_in)(struct line *l);   /* l->in has grown, or it ended */
	void (*on_room)(struct line *l); /* l->out is short: add more to it */
	void (*free)(void *peer);
};

struct line {
	struct lines *all;
	struct door *door; /* it came in by; NULL: a caller's */
	int fd;            /* -1: closed */
	SSL *ssl;
	struct mesh_client *mesh; /* owns fd and ssl of a caller */
	bool shakes;              /* the handshake is not through */
	bool wants_write;         /* TLS has to */
	bool is_stopped;          /* reads nothing */
	bool finishes;            /* FIN behind what is in out */
	bool has_finished;
	enum line_end end;
	int alert;
	char alpn[32];    /* what TLS agreed on */
	char offered[64]; /* by the client of a door, by commas */
	struct bytes in;
	struct bytes out;
	uint64_t taken; /* bytes that the socket took */
	uint64_t got;
	const struct line_ops *ops;
	void *peer;
};

struct door_options {
	const char *cert_pem; /* NULL: no TLS */
	const char *key_pem;
	const char *alpn;   /* chosen if offered; NULL: none */
	bool insists;       /* on alpn, offered or not */
	int receive_buffer; /* bytes; 0: the kernel's idea */
	/* Gives the line its peer; its handshake is through. */
	void (*on_line)(struct line *l, void *arg);
	void *arg;
};

struct door {
	struct lines *all;
	struct door_options options;
	int fd;
	uint16_t port;
	SSL_CTX *ctx;
	unsigned accepted;
	unsigned refused; /* handshakes that failed */
};

struct lines {
	struct line *v[LINES_MOST];
	size_t n;
	struct door *doors[DOORS_MOST];
	size_t n_doors;
};

struct door *door_open(struct lines *ls, const struct door_options *o);
/* Nobody gets in any more; its lines stay. */
void door_close(struct door *d);

/* A caller's; NULL and m as mesh_open() leaves it when there is none. */
struct line *line_call(struct lines *ls, const struct mesh_options *o);
void line_set_peer(struct line *l, const struct line_ops *ops, void *peer);
void line_close(struct line *l);
void line_reset(struct line *l);
/* Does the line still take and give bytes? */
bool line_is_open(const struct line *l);

/* Moves what can be moved; waits at most ms for that. */
void lines_turn(struct lines *ls, unsigned ms);
void lines_free(struct lines *ls);

/* Turns until cond is true: then true. */
#define TURN_UNTIL(ls, ms, cond)                                        \
	({                                                              \
		const uint64_t turn_end_ = clock_ms() + (uint64_t)(ms); \
		bool turn_ok_;                                          \
		while (!(turn_ok_ = (cond)) && clock_ms() < turn_end_)  \
			lines_turn(ls, 5);                              \
		turn_ok_;                                               \
	})

#endif
