/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one caller.  How many there are, how long they go on and what
 * becomes of the numbers: see load.c.
 */

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port.h"

#define BATCH 12
#define PENDING_MAX 32

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
watch(struct client *c, bool out)
{
	struct epoll_event e = { .events = EPOLLIN | (out ? EPOLLOUT : 0u),
		.data = { .ptr = c } };

	if (c->wants_out == out)
		return;
	c->wants_out = out;
	epoll_ctl(c->l->epoll, EPOLL_CTL_MOD, c->chan.fd, &e);
}

static bool
is_open(enum state s)
{
	return s != STATE_CLOSED && s != STATE_CONNECT && s != STATE_HANDSHAKE;
}

static void
start_client(struct client *c)
{
	struct load *l = c->l;
	struct sockaddr_in a = port_address(l->port);
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT,
		.data = { .ptr = c } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd == -1)
		die("socket");
	chan_init(&c->chan, l->ctx, fd, true);
	SSL_set_tlsext_host_name(c->chan.ssl, l->name);
	if (c->session != NULL)
		SSL_set_session(c->chan.ssl, c->session);
	c->state = STATE_CONNECT;
	c->wants_out = true;
	c->have = 0;
	c->asked = 0;
	c->pos = 0;
	c->since_ns = meter_now_ns();
	l->pending++;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1 &&
	    errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) == -1)
		die("epoll_ctl");
}

/* Politely, so that the proxy does not see what looks like a failure. */
static void
stop_client(struct client *c)
{
	if (is_open(c->state)) {
		chan_close(&c->chan);
		(void)chan_flush(&c->chan);
		c->l->open--;
	} else {
		c->l->pending--;
	}
	if (c->state == STATE_STREAMS)
		streams_fini(&c->streams);
	chan_fini(&c->chan);
	c->state = STATE_CLOSED;
}

static void
fail(struct client *c, uint64_t *counter, const char *what)
{
	if (*counter < 3)
		fprintf(stderr, "load: %s (state %d, %zu bytes: %.*s)\n", what,
		    c->state, c->have, (int)(c->have < 200 ? c->have : 200),
		    c->buf);
	++*counter;
	stop_client(c);
}

static void
cut(struct client *c)
{
	struct tally *t = &c->l->tally;

	if (is_open(c->state))
		fail(c, &t->cut, "an open connection ended");
	else
		fail(c, &t->refused, "a connection was refused");
}

static bool
flush(struct client *c)
{
	enum chan_status status = chan_flush(&c->chan);

	if (status == CHAN_END) {
		cut(c);
		return false;
	}
	watch(c, status == CHAN_WAIT || c->state == STATE_SEND);
	return status == CHAN_OK;
}

static void
ask(struct client *c)
{
	c->state = STATE_ASKED;
	c->asked++;
	if (c->l->mode != MODE_HANDSHAKE)
		c->since_ns = meter_now_ns();
	chan_write(&c->chan, c->l->request, c->l->request_size);
	flush(c);
}

/* Sends what collected: as many requests as there are streams free. */
static void
ask_on_streams(struct client *c)
{
	struct h2_link *l = &c->streams.link;

	if (c->asked == 0 || c->l->pace_ns == 0)
		streams_ask(&c->streams);
	c->asked = 1;
	if (l->out_size > 0)
		chan_write(&c->chan, l->out, l->out_size);
	h2_sent(l);
	flush(c);
}

static void
on_open(struct client *c)
{
	struct load *l = c->l;
	uint64_t took = meter_now_ns() - c->since_ns;

	l->pending--;
	l->open++;
	l->tally.opened++;
	if (l->resumes && SSL_session_reused(c->chan.ssl))
		l->tally.resumed++;
	if (took > l->tally.longest_open)
		l->tally.longest_open = took;
	if (l->h2_kind != H2_KINDS) {
		c->state = STATE_STREAMS;
		streams_init(&c->streams, &l->h2_cargo, l->h2_kind, l->streams);
		ask_on_streams(c);
		return;
	}
	ask(c);
	if (c->state != STATE_ASKED)
		return;
	if (l->mode == MODE_DOWNLOAD || l->mode == MODE_RAW)
		c->state = STATE_HEAD;
	if (l->mode == MODE_UPLOAD)
		c->state = STATE_SEND;
	watch(c, c->state == STATE_SEND);
}

/* The newest: with TLS 1.3 it came with the answer. */
static void
keep_session(struct client *c)
{
	if (!c->l->resumes)
		return;
	SSL_SESSION_free(c->session);
	c->session = SSL_get1_session(c->chan.ssl);
}

static void
on_answered(struct client *c, size_t used)
{
	struct load *l = c->l;
	uint64_t now = meter_now_ns();

	histogram_add(&l->tally.answers, now - c->since_ns);
	l->tally.done++;
	c->have -= used;
	if (c->have != 0) {
		fail(c, &l->tally.wrong, "bytes nobody asked for");
		return;
	}
	if (l->mode == MODE_HANDSHAKE ||
	    (l->requests != 0 && c->asked >= l->requests)) {
		keep_session(c);
		stop_client(c);
	} else if (l->pace_ns == 0) {
		ask(c);
	} else {
		/* The pace does not slip when an answer is late. */
		c->state = STATE_PAUSE;
		while (c->due_ns <= now)
			c->due_ns += l->pace_ns;
	}
}

/* Looks for the end of a download's head, then compares what follows. */
static void
check_stream(struct client *c)
{
	if (c->state == STATE_HEAD) {
		char *end = memmem(c->buf, c->have, "\r\n\r\n", 4);

		if (end == NULL)
			return;
		end += 4;
		c->have -= (size_t)(end - c->buf);
		memmove(c->buf, end, c->have);
		c->state = STATE_CHECK;
	}
	if (!cargo_is(&c->l->cargo, c->pos, c->buf, c->have)) {
		fail(c, &c->l->tally.wrong, "other bytes than were sent");
		return;
	}
	c->pos += c->have;
	c->l->tally.bytes += c->have;
	c->have = 0;
	if (c->pos >= CARGO_CHECKED)
		c->state = STATE_DROP;
}

static void
check_answer(struct client *c)
{
	size_t used = 0;

	switch (cargo_check_answer(c->buf, c->have, &used)) {
	case CARGO_WHOLE:
		on_answered(c, used);
		break;
	case CARGO_MORE:
		break;
	case CARGO_WRONG:
		fail(c, &c->l->tally.wrong, "a wrong answer");
		break;
	}
}

static void
check_streams(struct client *c)
{
	struct tally *t = &c->l->tally;
	size_t used;
	bool ok = streams_take(
	    &c->streams, (const uint8_t *)c->buf, c->have, &used, &t->answers);

	t->done = t->answers.count;
	if (!ok) {
		c->have = 0;
		fail(c, &t->wrong, c->streams.link.why);
		return;
	}
	c->have -= used;
	memmove(c->buf, c->buf + used, c->have);
}

static void
read_some(struct client *c)
{
	enum chan_status status;

	do {
		size_t n = chan_read(&c->chan, c->buf + c->have,
		    sizeof(c->buf) - c->have, &status);

		if (status == CHAN_END) {
			cut(c);
			return;
		}
		if (n == 0)
			return;
		c->have += n;
		if (c->state == STATE_HEAD || c->state == STATE_CHECK)
			check_stream(c);
		else if (c->state == STATE_ASKED)
			check_answer(c);
		else if (c->state == STATE_STREAMS)
			check_streams(c);
		else
			fail(c, &c->l->tally.wrong, "bytes nobody asked for");
	} while (c->state != STATE_CLOSED && c->state != STATE_DROP &&
		 chan_has_more(&c->chan));
	if (c->state == STATE_STREAMS)
		ask_on_streams(c);
}

static void
drop(struct client *c)
{
	enum chan_status status;

	c->l->tally.bytes += chan_drop(&c->chan, &status);
	if (status == CHAN_END)
		cut(c);
}

static void
send_stream(struct client *c)
{
	for (int turn = 0; turn < 8 && flush(c); turn++) {
		for (int i = 0; i < BATCH; i++) {
			chan_write(&c->chan, cargo_at(&c->l->cargo, c->pos),
			    CLIENT_RECORD);
			c->pos += CLIENT_RECORD;
			c->l->tally.bytes += CLIENT_RECORD;
		}
	}
}

static void
shake_hands(struct client *c)
{
	switch (chan_handshake(&c->chan)) {
	case CHAN_OK:
		on_open(c);
		break;
	case CHAN_WAIT:
		watch(c, false);
		break;
	case CHAN_END:
		cut(c);
		break;
	}
}

void
client_step(struct client *c, uint32_t events)
{
	int error = 0;
	socklen_t size = sizeof(error);

	switch (c->state) {
	case STATE_CLOSED:
		break;
	case STATE_CONNECT:
		getsockopt(c->chan.fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error != 0) {
			cut(c);
			break;
		}
		if ((events & EPOLLOUT) == 0)
			break;
		c->state = STATE_HANDSHAKE;
		shake_hands(c);
		break;
	case STATE_HANDSHAKE:
		shake_hands(c);
		break;
	case STATE_DROP:
		drop(c);
		break;
	case STATE_SEND:
		if ((events & EPOLLIN) != 0)
			read_some(c);
		else
			send_stream(c);
		break;
	case STATE_ASKED:
	case STATE_STREAMS:
	case STATE_PAUSE:
	case STATE_HEAD:
	case STATE_CHECK:
		if ((events & EPOLLOUT) != 0 && !flush(c))
			break;
		if ((events & ~(uint32_t)EPOLLOUT) != 0)
			read_some(c);
		break;
	}
}

void
clients_tend(struct load *l)
{
	uint64_t now = meter_now_ns();

	for (unsigned i = 0; i < l->conns; i++) {
		struct client *c = &l->clients[i];

		if (c->state == STATE_CLOSED && l->pending < PENDING_MAX &&
		    !l->rests)
			start_client(c);
		else if (c->state == STATE_PAUSE && c->due_ns <= now)
			ask(c);
	}
}
