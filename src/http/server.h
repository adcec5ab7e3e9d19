/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

/*
 * A small HTTP/1.1 server for the admin address: GET and HEAD only, a bounded
 * number of connections, whole answers.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/loop.h"

struct server_request {
	struct str path;  /* without the query */
	struct str query; /* after '?', or empty */
};

struct server_answer {
	uint16_t status;
	const char *content_type;
	struct text body; /* freed by the server */
};

struct server;

/* Takes over the listening descriptor. */
struct server *server_new(struct loop *l, int listen_fd, size_t max_connections,
    void (*handle)(
	void *arg, const struct server_request *q, struct server_answer *a),
    void *arg) MUST_CHECK;
void server_free(struct server *s);

#endif
