/* SPDX-License-Identifier: Apache-2.0 */
/* See wire_tls_turn.h.  Thread of the wires. */

#include "tls/wire_tls_turn.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "tls/wire_tls_state.h"

/* More records than this are in no read of long ones. */
#define RECORDS_MOST 1024

static bool
is_ours(const struct tls_wire *t)
{
	const struct tls_own *o = t->own;

	return tls_own_is_on(t) && t->stage == TLS_OPEN &&
	       !o->kernel.is_wanted && !o->kernel.has_in && !o->kernel.has_out;
}

/* Neither side has to speak of new keys meanwhile. */
static bool
is_fresh(const struct record_key *k, const struct tls_own *o)
{
	return k->suite->version != RECORD_TLS_1_3 ||
	       k->seq + RECORDS_MOST < o->update_at;
}

bool
tls_own_can_turn(const struct tls_wire *from, const struct tls_wire *to)
{
	const struct record_key *in, *out;

	/* Tickets that OpenSSL is to see have to be there as they came. */
	if (!is_ours(from) || !is_ours(to) || from->ssl != NULL ||
	    !from->own->has_long || to->end == IO_FAIL || to->is_notified ||
	    to->is_finish_held)
		return false;
	in = &from->own->in;
	out = &to->own->out;
	/* A record must not become longer than it was. */
	return in->suite->version == out->suite->version &&
	       record_before(in) == record_before(out) &&
	       is_fresh(out, to->own);
}

/* One record of from, for to at its place or before it; its new length. */
static size_t
turn_next(struct tls_wire *from, struct tls_wire *to, uint8_t *end, size_t *got)
{
	struct record_key *k = &to->own->out;
	uint8_t *in = loop_scratch(from->ends.wire->loop, SCRATCH_IN);
	uint8_t *record = in + (from->ends.in - in);
	size_t n = tls_own_open_next(from, record + record_before(k)), len;

	*got += n;
	if (n == 0)
		return 0;
	len = record_seal(k, RECORD_DATA, record + record_before(k), n, record);
	if (len == 0) {
		ERR_clear_error();
		peer_fail(&to->peer, TLS_FAIL_OTHER,
		    "a record cannot be sealed any more");
		/* Flushing is to say it. */
		to->end = IO_FAIL;
		to->ends.wire->error = EIO;
	}
	/* Something before it carried nothing, or padding. */
	if (end != record)
		memmove(end, record, len);
	return len;
}

void
tls_own_turn(struct tls_wire *from, struct tls_wire *to, size_t *got)
{
	uint8_t *out = loop_scratch(from->ends.wire->loop, SCRATCH_IN);
	size_t records = 0, used = 0;
	struct str all;

	tls_own_stir(from->own);
	tls_own_stir(to->own);
	to->chatter = 0;
	while (from->end == IO_DONE && to->end != IO_FAIL &&
	       from->ends.in_len >= RECORD_HEADER && records < RECORDS_MOST) {
		used += turn_next(from, to, out + used, got);
		records++;
	}
	tls_own_note_size(from->own, *got, records);
	tls_own_end_stream(from);
	tls_wire_stash(from);
	all = (struct str){ .p = (const void *)out, .len = used };
	/* If it fails, flushing says so. */
	(void)wire_sock_write(to->ends.wire, &all, 1);
}
