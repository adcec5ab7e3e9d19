/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: who may speak, and how a line comes in and an answer
 * goes out.  What lines mean is command.c's.  Callers are few and each has its
 * seconds, so that a hung one cannot keep others out.  Main thread.
 */

#include "admin/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "admin/command.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/sock.h"
#include "net/wire.h"

#define CALLERS_MOST 32
#define LINE_MOST 4096
#define PATIENCE_MS 30000
/* Out of descriptors. */
#define REST_MS 100

enum step { GO, WAIT, END };
enum caller_state { CALLER_ASKING, CALLER_TOLD, CALLER_LEAVING };

struct caller {
	struct caller *prev;
	struct caller *next;
	struct control *control;
	struct wire *wire;
	struct timer timer;
	enum caller_state state;
	uid_t uid;
};

struct control {
	struct loop *loop;
	int fd;
	struct watch watch;
	struct timer rest;
	struct admin_source source;
	struct caller *callers;
	size_t n;
};

static void
caller_free(struct caller *c)
{
	timer_stop(&c->timer);
	wire_free(c->wire);
	DL_DELETE(c->control->callers, c);
	c->control->n--;
	free(c);
}

static void
answer(struct caller *c, struct str line)
{
	struct text body = TEXT_EMPTY, all = TEXT_EMPTY;
	struct admin_source source = c->control->source;
	bool is_good;

	source.uid = c->uid;
	is_good = command_run(&source, line, &body);
	text_addf(&all, "%s %zu\n", is_good ? "ok" : "fail", body.len);
	text_add(&all, text_str(&body));
	/* A failure shows in the flush that follows. */
	(void)wire_write(c->wire, text_str(&all));
	text_free(&body);
	text_free(&all);
}

/* One line; more than one is not asked for. */
static enum step
hear(struct caller *c)
{
	struct str all;
	ptrdiff_t end;

	switch (wire_peek(c->wire, LINE_MOST, &all)) {
	case IO_DONE:
		break;
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
	case IO_FAIL:
		return END;
	}
	end = str_index(all, '\n');
	if (end == -1)
		return all.len < LINE_MOST ? WAIT : END;
	c->state = CALLER_TOLD;
	answer(c, str_trim(str_first(all, (size_t)end)));
	return GO;
}

static enum step
tell(struct caller *c)
{
	switch (wire_flush(c->wire)) {
	case IO_DONE:
		break;
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
	case IO_FAIL:
		return END;
	}
	if (wire_unsent(c->wire) > 0)
		return WAIT;
	c->state = CALLER_LEAVING;
	return GO;
}

static enum step
run(struct caller *c)
{
	switch (c->state) {
	case CALLER_ASKING:
		return hear(c);
	case CALLER_TOLD:
		return tell(c);
	case CALLER_LEAVING:
		return END;
	}
	return END;
}

static void
on_ready(void *arg)
{
	struct caller *c = arg;
	enum step step;

	while ((step = run(c)) == GO)
		;
	if (step == END)
		caller_free(c);
}

static void
on_late(void *arg)
{
	caller_free(arg);
}

static bool
may_speak(int fd, uid_t *uid)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1)
		return false;
	*uid = who.uid;
	if (who.uid == 0 || who.uid == geteuid() || who.gid == getegid())
		return true;
	log_warn("control socket", "user %u, group %u was turned away",
	    (unsigned)who.uid, (unsigned)who.gid);
	return false;
}

static void on_listen(void *arg, int fd, bool can_read, bool can_write);

static void
listen_on(void *arg)
{
	struct control *k = arg;

	watch_start(&k->watch, k->loop, k->fd, true, false, on_listen, k);
}

static void
rest(struct control *k)
{
	watch_stop(&k->watch);
	timer_set(&k->rest, REST_MS);
}

static void
on_listen(void *arg, int fd, bool can_read, bool can_write)
{
	struct control *k = arg;
	struct caller *c;
	uid_t uid;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)can_read;
	(void)can_write;
	if (client == -1 && sock_is_short(errno))
		rest(k);
	if (client == -1)
		return;
	if (k->n == CALLERS_MOST || !may_speak(client, &uid)) {
		close(client);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->control = k;
	c->uid = uid;
	DL_APPEND(k->callers, c);
	k->n++;
	timer_init(&c->timer, k->loop, on_late, c);
	timer_set(&c->timer, PATIENCE_MS);
	c->wire = wire_new(k->loop, client);
	wire_set_owner(c->wire, on_ready, c);
	wire_kick(c->wire);
}

struct control *
control_new(struct loop *l, int listen_fd, const struct admin_source *src)
{
	struct control *k = xcalloc(1, sizeof(*k));

	k->loop = l;
	k->fd = listen_fd;
	k->source = *src;
	timer_init(&k->rest, l, listen_on, k);
	listen_on(k);
	return k;
}

void
control_free(struct control *k)
{
	if (k == NULL)
		return;
	timer_stop(&k->rest);
	watch_stop(&k->watch);
	while (k->callers != NULL)
		caller_free(k->callers);
	close(k->fd);
	free(k);
}
