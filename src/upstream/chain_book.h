/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_CHAIN_BOOK_H
#define UPSTREAM_CHAIN_BOOK_H

/*
 * Until when the certificates of servers last, as seen in handshakes: of each
 * service the earliest end of a chain, by its name in the metrics.  Workers
 * write, main reads; a lock, that is taken once a minute and endpoint at most
 * unless a server shows another chain than before.  Bounded.
 */

#include <stdint.h>

#include "base/str.h"

struct chain_book;
struct cluster;
struct live_endpoint;

struct chain_book *chain_book_new(void) MUST_CHECK;
/* NULL is fine. */
void chain_book_free(struct chain_book *b);

/*
 * A chain was shown that ends at end_s.  The earliest one holds, until it was
 * not seen again for an hour while others were: then it was replaced.
 */
void chain_book_note(
    struct chain_book *b, struct str service, int64_t end_s, int64_t now_s);
void chain_book_forget(struct chain_book *b, struct str service);
/* Another number whenever some end is another one. */
uint64_t chain_book_version(struct chain_book *b);
/* visit is called with the lock held. */
void chain_book_each(struct chain_book *b,
    void (*visit)(void *arg, struct str service, int64_t end_s), void *arg);

/* From a handshake; an end_s of 0 says nothing.  Thread of the cluster. */
void cluster_saw_chain(
    struct cluster *c, struct live_endpoint *e, int64_t end_s);

#endif
