/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_H2_HEAR_H
#define SUPPORT_H2_HEAR_H

/* Private to the HTTP/2 peer of tests: what it reads. */

#include "support/h2_peer.h"

/* Whole frames of l->in; what is left of it stays. */
void h2_hear(struct line *l);
/* h2_peer.c: the stream, made if it is new. */
struct h2_talk *h2_hear_talk(struct h2_peer *p, uint32_t id);

#endif
