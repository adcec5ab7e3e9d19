/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_WIRE_TLS_TURN_H
#define TLS_WIRE_TLS_TURN_H

/*
 * Records from the keys of one wire to those of another, where they lie: bulk
 * that is relayed needs one buffer then instead of three, and stays in the
 * second-level cache.  For the files of wire_tls only.
 */

#include "net/wire.h"

struct tls_wire;

/* All that may come in one read of from can be turned for to. */
bool tls_own_can_turn(const struct tls_wire *from, const struct tls_wire *to);
/*
 * The records at from's ends.in, after tls_wire_fill(); *got grows by the bytes
 * they carry.  They are sent, or kept as unsent; a failure of to is told by
 * whatever is asked of it next.
 */
void tls_own_turn(struct tls_wire *from, struct tls_wire *to, size_t *got);

#endif
