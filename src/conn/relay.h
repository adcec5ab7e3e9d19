/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_RELAY_H
#define CONN_RELAY_H

/*
 * Bytes both ways between two wires, with backpressure and half-close.  It
 * holds nothing but counters: what cannot be sent at once waits in the wire it
 * goes to, and as long as it does nothing more is read for that wire.
 *
 * A direction in which much comes at a time is spliced, where both wires are
 * plain; small exchanges are copied, which costs fewer calls.
 */

#include <stdbool.h>
#include <stdint.h>

#include "net/wire.h"

enum relay_end {
	RELAY_GOES_ON,
	RELAY_DONE,        /* both directions ended in order */
	RELAY_CLIENT_FAIL, /* the wire failed: reset, or a TLS error */
	RELAY_SERVER_FAIL
};

struct relay {
	struct wire *client; /* borrowed */
	struct wire *server;
	bool client_ended; /* its EOF was seen and passed on */
	bool server_ended;
	bool client_was_cut; /* FIN without close_notify */
	bool server_was_cut;
	uint64_t bytes_up; /* client to server */
	uint64_t bytes_down;
	uint32_t bulk_up; /* bytes of large reads, one after the other */
	uint32_t bulk_down;
};

void relay_init(struct relay *r, struct wire *client, struct wire *server);
/*
 * Move what can be moved; kicks the client's wire if it stopped only to let
 * others have a turn.
 */
enum relay_end relay_run(struct relay *r) MUST_CHECK;

#endif
