/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_H2_SERVER_H
#define BENCH_H2_SERVER_H

/*
 * A connection of HTTP/2 to the server outside.  Bytes come and go through the
 * owner.
 */

#include "h2_cargo.h"

/* A request of which more is to come. */
struct h2_upload {
	uint32_t stream;
	bool is_refused;
	struct h2_part part;
};

/* An answer that waits for the peer's window. */
struct h2_due {
	uint32_t stream;
	const struct h2_message *answer;
};

struct h2_server {
	struct h2_link link;
	const struct h2_cargo *cargo;
	struct h2_upload *uploads;
	size_t n_uploads;
	size_t room_uploads;
	struct h2_due *dues;
	size_t n_dues;
	size_t room_dues;
};

struct h2_server *h2_server_new(const struct h2_cargo *cargo);
void h2_server_free(struct h2_server *s);

/* Answers the whole frames of the n bytes at buf, *used bytes.  false: the
 * connection makes no sense any more. */
bool h2_server_take(
    struct h2_server *s, const uint8_t *buf, size_t n, size_t *used);

#endif
