/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

/*
 * Sessions with external servers, to be resumed: a bounded cache by key, the
 * longest unused first out.  One thread.
 */

#include <openssl/ssl.h>
#include <stdint.h>

#include "base/str.h"

struct session_cache;

struct session_cache *session_cache_new(size_t max_keys) MUST_CHECK;
void session_cache_free(struct session_cache *c);
size_t session_count(const struct session_cache *c);

/* Takes s over; it is good until end_s. */
void session_put(
    struct session_cache *c, struct str key, SSL_SESSION *s, int64_t end_s);
/*
 * One that may be offered now, the caller's to free, or NULL.  A session of
 * TLS 1.3 is given once (RFC 8446, appendix C.4), an older one stays.
 */
SSL_SESSION *session_take(struct session_cache *c, struct str key,
    int64_t now_s, int64_t *end_s) MUST_CHECK;
/* It led to nothing good: the next connection begins anew. */
void session_drop(struct session_cache *c, struct str key);

#endif
