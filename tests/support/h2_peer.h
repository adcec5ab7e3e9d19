/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_H2_PEER_H
#define SUPPORT_H2_PEER_H

/*
 * HTTP/2 as a test speaks it, in either role: frames are made and read here,
 * only HPACK is libnghttp2's.  It behaves (acknowledges, answers PINGs, gives
 * windows back, sends within the other's) unless it is told not to, and any
 * frame may be sent at any time.  Nothing of the code under test is in it.
 */

#include <nghttp2/nghttp2.h>

#include "support/line.h"
#include "support/message.h"

enum h2_frame_type {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_PRIORITY,
	FRAME_RST_STREAM,
	FRAME_SETTINGS,
	FRAME_PUSH_PROMISE,
	FRAME_PING,
	FRAME_GOAWAY,
	FRAME_WINDOW_UPDATE,
	FRAME_CONTINUATION,
	FRAME_PRIORITY_UPDATE = 16,
	FRAME_TYPES
};

enum h2_flag {
	FLAG_NONE = 0,
	FLAG_ACK = 1,
	FLAG_END_STREAM = 1,
	FLAG_END_HEADERS = 4,
	FLAG_PADDED = 8
};

enum h2_setting {
	SETTING_TABLE_SIZE = 1,
	SETTING_PUSH,
	SETTING_STREAMS,
	SETTING_WINDOW,
	SETTING_FRAME_SIZE,
	SETTING_HEADERS_SIZE,
	SETTING_CONNECT = 8, /* RFC 8441 */
	SETTINGS_N
};

enum h2_code {
	CODE_NO_ERROR,
	CODE_PROTOCOL_ERROR,
	CODE_INTERNAL_ERROR,
	CODE_FLOW_CONTROL_ERROR,
	CODE_SETTINGS_TIMEOUT,
	CODE_STREAM_CLOSED,
	CODE_FRAME_SIZE_ERROR,
	CODE_REFUSED_STREAM,
	CODE_CANCEL,
	CODE_COMPRESSION_ERROR,
	CODE_CONNECT_ERROR,
	CODE_ENHANCE_YOUR_CALM
};

struct h2_peer;

/* A stream: what came in it, and what is left to say. */
struct h2_talk {
	struct h2_peer *peer;
	uint32_t id;
	struct message *in;
	struct source out;
	char *out_trailers;
	bool out_ends; /* END_STREAM behind what is left */
	bool out_ended;
	int64_t window;      /* that the peer left us */
	uint64_t sent;       /* bytes of DATA */
	uint32_t unreturned; /* taken from our window */
	bool is_answered;    /* for servers: by a handler */
};

struct h2_options {
	bool is_server;
	/* Pairs; what is not named is not sent.  { 0, 0 } ends it. */
	const uint32_t (*settings)[2];
	bool is_silent;     /* says nothing by itself, not even its preface */
	bool keeps_windows; /* gives none back */
	bool no_acks;       /* of SETTINGS */
	bool no_pongs;
	/* A server's: a request's head came, or (again) its end, or a reset. */
	void (*on_request)(struct h2_talk *t, void *arg);
	void *arg;
};

struct h2_peer {
	struct line *line;
	struct h2_options options;
	nghttp2_hd_deflater *deflater;
	nghttp2_hd_inflater *inflater;
	bool has_preface;       /* a server has read it */
	struct h2_talk **talks; /* by id, ascending */
	size_t n_talks;
	size_t next_out; /* whose turn it is to send */
	uint32_t next_id;
	int64_t window; /* of the connection, that the peer left us */
	uint32_t unreturned;
	uint32_t settings[SETTINGS_N]; /* the peer's */
	uint32_t our_window;           /* of a stream */
	unsigned n_settings;           /* SETTINGS that came, without ACKs */
	unsigned n_acks;
	unsigned n_pongs;
	unsigned frames[FRAME_TYPES]; /* that came */
	size_t biggest_data;
	bool has_goaway;
	uint32_t goaway_last;
	uint32_t goaway_code;
	char goaway_text[256];
	char wrong[128];   /* what the peer did against RFC 9113; "" */
	uint32_t block_id; /* of the field block that is not complete; 0 */
	uint8_t block_flags;
	struct bytes block;
};

struct h2_peer *h2_peer_new(struct line *l, const struct h2_options *o);

/* A request, its body within the windows; the stream. */
struct h2_talk *h2_ask(struct h2_peer *p, const struct said *a);
/* Likewise the answer, a 1xx too. */
void h2_answer(struct h2_talk *t, const struct said *a);
/* More of the body of a message that stays_open; and its end. */
void h2_more(struct h2_talk *t, const struct said *a);
void h2_finish(struct h2_talk *t, const char *trailers);
void h2_reset(struct h2_talk *t, uint32_t code);

/* The stream, or NULL. */
struct h2_talk *h2_find(struct h2_peer *p, uint32_t id);
/* The n-th stream that the other side opened (from 0), or NULL. */
struct h2_talk *h2_nth(struct h2_peer *p, size_t n);
/* Streams that are not ended on both sides. */
size_t h2_count_open(const struct h2_peer *p);

/* Frames as they are. */
void h2_preface(struct h2_peer *p);
void h2_frame(struct h2_peer *p, unsigned type, unsigned flags, uint32_t id,
    const void *payload, size_t n);
/* The lines, encoded; CONTINUATIONs where one frame does not hold them. */
void h2_headers(
    struct h2_peer *p, uint32_t id, unsigned flags, const char *lines);
/* Only encoded, at the end of to. */
void h2_encode(struct h2_peer *p, const char *lines, struct bytes *to);
void h2_set(struct h2_peer *p, const uint32_t (*settings)[2]);
void h2_ping(struct h2_peer *p, uint64_t what);
void h2_window(struct h2_peer *p, uint32_t id, uint32_t by);
void h2_goaway(struct h2_peer *p, uint32_t last, uint32_t code);
/* A new stream's number, for raw frames; the talk is there, too. */
struct h2_talk *h2_open(struct h2_peer *p);

#endif
