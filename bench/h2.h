/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_H2_H
#define BENCH_H2_H

/*
 * One end of a connection of HTTP/2, in either role, as cheap as it can be and
 * still be right: frames are read where they lie, messages are made before the
 * measuring, and what is sent collects in memory, so that a batch of messages
 * is one record.  Frames are ours, field blocks are libnghttp2's.  What the
 * messages say is not here, see h2_cargo.h, nor who owns the streams.
 */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define H2_PREFACE NGHTTP2_CLIENT_MAGIC
#define H2_PREFACE_SIZE NGHTTP2_CLIENT_MAGIC_LEN
#define H2_ALPN NGHTTP2_PROTO_ALPN
#define H2_ALPN_SIZE NGHTTP2_PROTO_ALPN_LEN
#define H2_FRAMES_MAX 3
#define H2_FORM_SIZE 512

/* A name and a value that are constants. */
#define H2_FIELD(n, v)                                              \
	{                                                           \
		.name = (uint8_t *)(n), .value = (uint8_t *)(v),    \
		.namelen = sizeof(n) - 1, .valuelen = sizeof(v) - 1 \
	}

struct h2_frame {
	unsigned type;
	unsigned flags;
	uint32_t stream;
	const uint8_t *data;
	size_t size;
};

/* Whole frames, and where in them a stream's number is to be put. */
struct h2_form {
	uint8_t bytes[H2_FORM_SIZE];
	size_t size;
	size_t streams[H2_FRAMES_MAX];
	unsigned frames;
};

/* The same message as the first one of a connection, as one whose fields the
 * peer has in its table, and without any table. */
struct h2_message {
	struct h2_form first;
	struct h2_form again;
	struct h2_form plain;
	size_t body;
};

struct h2_link {
	nghttp2_hd_inflater *inflater;
	uint8_t *out;
	size_t out_size;
	size_t out_room;
	int64_t credit; /* bytes of DATA that the peer takes now */
	uint32_t taken; /* of its DATA, and not granted again */
	uint32_t peer_streams;
	const struct h2_message *in_table;
	bool has_no_table;
	const char *why; /* of what is bad or wrong */
	char text[64];   /* for it */
};

enum h2_read {
	H2_READ_MORE,
	H2_READ_FRAME,
	H2_READ_BAD,
};

/* head and trailer: n_head and n_trailer fields; each may be 0 but for the
 * head.  The last frame ends the stream. */
struct h2_parts {
	const nghttp2_nv *head;
	size_t n_head;
	const void *body;
	size_t body_size;
	const nghttp2_nv *trailer;
	size_t n_trailer;
};

void h2_message_init(struct h2_message *m, const struct h2_parts *parts);

/* Puts what a connection begins with; of a client with the preface. */
void h2_link_init(struct h2_link *l, bool is_client);
void h2_link_fini(struct h2_link *l);

/* The owner sends out_size bytes of out, and says so with h2_sent(). */
void h2_sent(struct h2_link *l);

/* Whether the peer takes the body of m now; then m can be put. */
bool h2_may_put(const struct h2_link *l, const struct h2_message *m);
void h2_put(struct h2_link *l, const struct h2_message *m, uint32_t stream);

/* The next HEADERS, DATA, RST_STREAM or GOAWAY of the n bytes at buf, and in
 * *used what came before it and itself; other frames are dealt with. */
enum h2_read h2_read(struct h2_link *l, const uint8_t *buf, size_t n,
    size_t *used, struct h2_frame *f);

/* What a RST_STREAM or GOAWAY says. */
const char *h2_print_end(struct h2_link *l, const struct h2_frame *f);

/* Gives each field of a HEADERS frame to visit. */
bool h2_read_fields(struct h2_link *l, const struct h2_frame *f,
    void (*visit)(void *arg, const nghttp2_nv *field), void *arg);

#endif
