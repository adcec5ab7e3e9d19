/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump behind a relayed connection.  It knows no timers and ends nothing:
 * conn.c does.  A worker's thread.
 */

#include "conn/relay.h"

/* Reads in one direction before the others have their turn. */
#define READS_A_TURN 4
/* Reads of this size are worth three calls instead of two, */
#define LARGE ((size_t)16 * 1024)
/* once there were some in a row: who has sent so much has more. */
#define MUCH (256U * 1024)

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

/* A direction, as it stands in struct relay. */
struct way {
	struct wire *from;
	struct wire *to;
	bool *ended;
	bool *was_cut;
	uint64_t *bytes;
	uint32_t *bulk;
};

static void
count(const struct way *y, size_t n)
{
	*y->bytes += n;
	if (n < LARGE)
		*y->bulk -= *y->bulk / 4;
	else if (*y->bulk < 2 * MUCH)
		*y->bulk += (uint32_t)n;
}

static enum io
copy(const struct way *y, bool *failed)
{
	struct span s;
	enum io io;

	io = wire_read(y->from, &s);
	if (io != IO_DONE)
		return io;
	count(y, s.len);
	*failed =
	    wire_write(y->to, (struct str){ (char *)s.p, s.len }) == IO_FAIL;
	return IO_DONE;
}

/* What comes next goes over, or as much of it as is done at a time. */
static enum io
move(const struct way *y, bool *failed)
{
	enum io io;
	size_t n;

	y->from->reads_much = *y->bulk >= MUCH;
	if (!y->from->reads_much)
		return copy(y, failed);
	io = wire_splice(y->from, y->to, &n);
	if (io == IO_AGAIN)
		return copy(y, failed);
	if (io == IO_DONE) {
		count(y, n);
		*failed = wire_flush(y->to) == IO_FAIL;
	}
	return io;
}

static enum pump
pump(const struct way *y)
{
	bool failed = false;

	for (int i = 0; i < READS_A_TURN; i++) {
		if (!is_clear(y->to, &failed))
			return failed ? PUMP_SINK_FAIL : PUMP_WAIT;
		switch (move(y, &failed)) {
		case IO_DONE:
			if (failed)
				return PUMP_SINK_FAIL;
			break;
		case IO_AGAIN:
			return PUMP_WAIT;
		case IO_CUT:
			*y->was_cut = true;
			/* FALLTHROUGH */
		case IO_EOF:
			return wire_finish(y->to) == IO_FAIL ? PUMP_SINK_FAIL
							     : PUMP_ENDED;
		case IO_FAIL:
			return PUMP_SOURCE_FAIL;
		}
	}
	return PUMP_MORE;
}

/* One direction, unless it has ended; what is unsent goes on all the same. */
static enum pump
direction(const struct way *y)
{
	enum pump p;
	bool failed = false;

	if (*y->ended) {
		(void)is_clear(y->to, &failed);
		return failed ? PUMP_SINK_FAIL : PUMP_ENDED;
	}
	p = pump(y);
	*y->ended = p == PUMP_ENDED;
	return p;
}

static enum pump
go_up(struct relay *r)
{
	return direction(&(struct way){
	    .from = r->client,
	    .to = r->server,
	    .ended = &r->client_ended,
	    .was_cut = &r->client_was_cut,
	    .bytes = &r->bytes_up,
	    .bulk = &r->bulk_up,
	});
}

static enum pump
go_down(struct relay *r)
{
	return direction(&(struct way){
	    .from = r->server,
	    .to = r->client,
	    .ended = &r->server_ended,
	    .was_cut = &r->server_was_cut,
	    .bytes = &r->bytes_down,
	    .bulk = &r->bulk_down,
	});
}

enum relay_end
relay_run(struct relay *r)
{
	enum pump up, down;

	up = go_up(r);
	if (up == PUMP_SOURCE_FAIL)
		return RELAY_CLIENT_FAIL;
	down = go_down(r);
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
