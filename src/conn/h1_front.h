/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_H1_FRONT_H
#define CONN_H1_FRONT_H

/*
 * The caller's side of an HTTP/1.1 connection: waits for a request's head,
 * runs an exchange for it, and the next one after that.  A worker's thread.
 */

#include "conn/conn.h"

struct h1_front;

/* Takes c's client wire over. */
struct h1_front *h1_front_new(struct conn *c) MUST_CHECK;
/* Closes the client's wire. */
void h1_front_free(struct h1_front *f);
/* WAIT, or END with the connection's outcome set. */
enum next h1_front_run(struct h1_front *f) MUST_CHECK;
/* End now when idle, else after the answer that is under way. */
void h1_front_drain(struct h1_front *f);

uint64_t h1_front_requests(const struct h1_front *f);

#endif
