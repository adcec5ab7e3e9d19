/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel's life: DIAL the egress, SECURE it, CARRY.  Both wires' events lead
 * to run(), which goes on as far as it can.
 */

#include "ctl/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "net/dial.h"
#include "tls/wire_tls.h"

#define CONNECT_MS 10000
#define SECURE_MS 15000
#define READS_A_TURN 16

enum step { GO, WAIT, END };
enum stage { STAGE_DIAL, STAGE_SECURE, STAGE_CARRY };

struct tunnel {
	const struct tunnel_config *config;
	enum stage stage;
	struct dial dial;
	struct timer late;
	struct wire *local;
	struct wire *egress;
	bool local_ended;
	bool egress_ended;
	char error[512]; /* empty: all is well */
	void (*done)(void *arg, const char *error);
	void *arg;
};

static enum step
fail(struct tunnel *t, const char *what, struct str why)
{
	snprintf(t->error, sizeof(t->error), "%s%s%.*s", what,
	    why.len > 0 ? ": " : "", STR_ARG(why));
	return END;
}

static const char *
dial_text(enum dial_status s)
{
	switch (s) {
	case DIAL_OK:
		return "";
	case DIAL_REFUSED_ADDRESS:
		return "the address is not allowed";
	case DIAL_REFUSED:
		return "the egress refuses the connection";
	case DIAL_UNREACHABLE:
		return "the egress cannot be reached";
	case DIAL_RESET:
		return "the egress reset the connection";
	case DIAL_LATE:
		return "the egress does not answer";
	case DIAL_NO_FDS:
		return "no descriptor is left";
	case DIAL_NO_WAY:
	case DIAL_FAILED:
		return "the egress cannot be dialled";
	}
	return "";
}

static enum step
lost(struct tunnel *t)
{
	struct str why = wire_tls_failure_text(t->egress);

	if (why.len == 0 && t->egress->error != 0)
		why = str_of(strerror(t->egress->error));
	return fail(t, "the egress ended the connection", why);
}

static enum step
secure(struct tunnel *t)
{
	switch (wire_tls_handshake(t->egress)) {
	case IO_DONE:
		timer_stop(&t->late);
		t->stage = STAGE_CARRY;
		return GO;
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
	case IO_FAIL:
		break;
	}
	return lost(t);
}

enum pump { PUMP_WAIT, PUMP_MORE, PUMP_ENDED, PUMP_FAIL };

/* Nothing is read while the other side has not taken what was. */
static enum pump
pump(struct wire *from, struct wire *to, bool *has_ended)
{
	struct span s;
	unsigned i;

	for (i = 0; i < READS_A_TURN; i++) {
		if (wire_unsent(to) > 0 && wire_flush(to) == IO_FAIL)
			return PUMP_FAIL;
		if (wire_unsent(to) > 0)
			return PUMP_WAIT;
		if (*has_ended)
			return PUMP_ENDED;
		switch (wire_read(from, &s)) {
		case IO_DONE:
			if (wire_write(to, (struct str){ .p = (const void *)s.p,
					       .len = s.len }) == IO_FAIL)
				return PUMP_FAIL;
			break;
		case IO_AGAIN:
			return PUMP_WAIT;
		case IO_EOF:
		case IO_CUT:
			*has_ended = true;
			if (wire_finish(to) == IO_FAIL)
				return PUMP_FAIL;
			break;
		case IO_FAIL:
			return PUMP_FAIL;
		}
	}
	return PUMP_MORE;
}

static enum step
carry(struct tunnel *t)
{
	enum pump up = pump(t->local, t->egress, &t->local_ended);
	enum pump down;

	if (up == PUMP_FAIL)
		return lost(t);
	down = pump(t->egress, t->local, &t->egress_ended);
	if (down == PUMP_FAIL)
		return lost(t);
	if (up == PUMP_ENDED && down == PUMP_ENDED)
		return END;
	if (up == PUMP_MORE || down == PUMP_MORE)
		wire_kick(t->local);
	return WAIT;
}

static void
release(struct tunnel *t)
{
	bool is_bad = t->error[0] != '\0';

	timer_stop(&t->late);
	dial_stop(&t->dial);
	wire_free(t->egress);
	if (is_bad)
		wire_reset(t->local);
	else
		wire_free(t->local);
	t->done(t->arg, is_bad ? t->error : NULL);
	free(t);
}

static void
run(void *arg)
{
	struct tunnel *t = arg;
	enum step step = GO;

	while (step == GO)
		switch (t->stage) {
		case STAGE_DIAL:
			step = WAIT;
			break;
		case STAGE_SECURE:
			step = secure(t);
			break;
		case STAGE_CARRY:
			step = carry(t);
			break;
		}
	if (step == END)
		release(t);
}

static void
on_late(void *arg)
{
	struct tunnel *t = arg;

	fail(t, "the TLS handshake with the egress takes too long", STR(""));
	release(t);
}

static bool
begin_tls(struct tunnel *t)
{
	const struct tunnel_config *c = t->config;
	struct text why = TEXT_EMPTY;
	bool is_good = wire_tls_connect_mesh(t->egress, c->sni, c->ca_pem,
	    c->cert_pem, c->key_pem, c->spiffe, &why);

	if (!is_good)
		fail(t, "TLS cannot be set up", text_str(&why));
	text_free(&why);
	return is_good;
}

static void
on_dialled(void *arg, enum dial_status s)
{
	struct tunnel *t = arg;
	struct addr to;

	if (s != DIAL_OK) {
		fail(t, dial_text(s), STR(""));
		release(t);
		return;
	}
	t->egress = dial_take(&t->dial, &to);
	if (!begin_tls(t)) {
		release(t);
		return;
	}
	t->stage = STAGE_SECURE;
	timer_set(&t->late, SECURE_MS);
	wire_set_owner(t->egress, run, t);
	run(t);
}

void
tunnel_start(const struct tunnel_config *c, struct wire *local,
    void (*done)(void *, const char *), void *arg)
{
	const struct dial_plan plan = {
		.addrs = &c->egress,
		.n = 1,
		.is_literal = true,
		.timeout_ms = CONNECT_MS,
	};
	struct tunnel *t = xcalloc(1, sizeof(*t));

	t->config = c;
	t->local = local;
	t->done = done;
	t->arg = arg;
	timer_init(&t->late, c->loop, on_late, t);
	wire_set_owner(local, run, t);
	dial_start(&t->dial, c->loop, &plan, on_dialled, t);
}
