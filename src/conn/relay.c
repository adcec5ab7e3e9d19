/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump behind a relayed connection.  It knows no timers and ends nothing:
 * conn.c does.  A worker's thread.
 */

#include "conn/relay.h"

/* Reads in one direction before the others have their turn. */
#define READS_A_TURN 4

enum pump {
	PUMP_WAIT,
	PUMP_MORE, /* stopped for the others' sake */
	PUMP_ENDED,
	PUMP_SOURCE_FAIL,
	PUMP_SINK_FAIL
};

void
relay_init(struct relay *r, struct wire *client, struct wire *server)
{
	*r = (struct relay){ .client = client, .server = server };
}

/* True when nothing is left to send; *failed when the wire did. */
static bool
is_clear(struct wire *to, bool *failed)
{
	if (wire_unsent(to) == 0)
		return true;
	*failed = wire_flush(to) == IO_FAIL;
	return !*failed && wire_unsent(to) == 0;
}

static enum pump
pump(struct wire *from, struct wire *to, uint64_t *bytes, bool *was_cut)
{
	struct span s;
	bool failed = false;

	for (int i = 0; i < READS_A_TURN; i++) {
		if (!is_clear(to, &failed))
			return failed ? PUMP_SINK_FAIL : PUMP_WAIT;
		switch (wire_read(from, &s)) {
		case IO_DONE:
			*bytes += s.len;
			if (wire_write(to,
				(struct str){ (char *)s.p, s.len }) == IO_FAIL)
				return PUMP_SINK_FAIL;
			break;
		case IO_AGAIN:
			return PUMP_WAIT;
		case IO_CUT:
			*was_cut = true;
			/* FALLTHROUGH */
		case IO_EOF:
			return wire_finish(to) == IO_FAIL ? PUMP_SINK_FAIL
							  : PUMP_ENDED;
		case IO_FAIL:
			return PUMP_SOURCE_FAIL;
		}
	}
	return PUMP_MORE;
}

/* One direction, unless it has ended; what is unsent goes on all the same. */
static enum pump
direction(struct wire *from, struct wire *to, bool *ended, bool *was_cut,
    uint64_t *bytes)
{
	enum pump p;
	bool failed = false;

	if (*ended) {
		(void)is_clear(to, &failed);
		return failed ? PUMP_SINK_FAIL : PUMP_ENDED;
	}
	p = pump(from, to, bytes, was_cut);
	*ended = p == PUMP_ENDED;
	return p;
}

enum relay_end
relay_run(struct relay *r)
{
	enum pump up, down;

	up = direction(r->client, r->server, &r->client_ended,
	    &r->client_was_cut, &r->bytes_up);
	if (up == PUMP_SOURCE_FAIL)
		return RELAY_CLIENT_FAIL;
	down = direction(r->server, r->client, &r->server_ended,
	    &r->server_was_cut, &r->bytes_down);
	/* A server that closed may still have had the last word: read first. */
	if (down == PUMP_SOURCE_FAIL || up == PUMP_SINK_FAIL)
		return RELAY_SERVER_FAIL;
	if (down == PUMP_SINK_FAIL)
		return RELAY_CLIENT_FAIL;
	if (r->client_ended && r->server_ended && wire_unsent(r->client) == 0 &&
	    wire_unsent(r->server) == 0)
		return RELAY_DONE;
	if (up == PUMP_MORE || down == PUMP_MORE)
		wire_kick(r->client);
	return RELAY_GOES_ON;
}
