/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_UPSTREAM_H2_HOST_H
#define UNIT_UPSTREAM_H2_HOST_H

/*
 * A server of HTTP/2 on the test's own loop, which does only what it is told:
 * it reads requests without looking at their fields, and answers 200 without a
 * body, at once or when the test says so.  Frames are made by hand; nothing of
 * the code under test is in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"
#include "support/pki.h"

#define H2_HOST_CONNS 128
#define H2_HOST_STREAMS 256

struct h2_host_options {
	/* SETTINGS_MAX_CONCURRENT_STREAMS, which is also enforced; 0: none */
	unsigned streams;
	bool holds;             /* answers when it is told to */
	bool holds_settings;    /* likewise its SETTINGS */
	const struct pki *cert; /* TLS; NULL: plain */
	const char *alpn;       /* chosen whatever was offered; NULL: none */
};

struct h2_host_conn {
	struct h2_host *host;
	struct watch watch;
	int fd; /* -1: closed */
	void *ssl;
	bool is_shaken;
	bool has_preface;
	uint32_t open[H2_HOST_STREAMS]; /* requests that are not answered */
	unsigned n_open;
	unsigned n_most; /* at a time */
	unsigned n_requests;
	unsigned n_refused;
	unsigned n_resets; /* RST_STREAM that came */
	unsigned streams;  /* as announced; 0: no limit */
	uint32_t last_id;
	uint8_t in[65536];
	size_t n_in;
};

struct h2_host {
	struct h2_host_options options;
	struct loop *loop;
	struct watch watch;
	int fd;
	uint16_t port;
	void *ctx;
	struct h2_host_conn *conns[H2_HOST_CONNS]; /* in order of accept */
	unsigned n_conns;
};

struct h2_host *h2_host_start(struct loop *l, const struct h2_host_options *o);
void h2_host_stop(struct h2_host *h);

unsigned h2_host_requests(const struct h2_host *h);
unsigned h2_host_refused(const struct h2_host *h);
unsigned h2_host_open_conns(const struct h2_host *h);
/* Answer the oldest n of what is held on the i-th connection. */
void h2_host_answer(struct h2_host *h, unsigned i, unsigned n);
void h2_host_settings(struct h2_host *h, unsigned i, unsigned streams);
void h2_host_no_streams(struct h2_host *h, unsigned i);
void h2_host_goaway(struct h2_host *h, unsigned i, uint32_t last);
/* The oldest request is reset. */
void h2_host_reset(struct h2_host *h, unsigned i, uint32_t code);
/* Bytes as they are. */
void h2_host_say(struct h2_host *h, unsigned i, const void *p, size_t n);
void h2_host_close(struct h2_host *h, unsigned i);

#endif
