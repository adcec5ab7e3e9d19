/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

/*
 * One mesh caller among many: connects, asks, checks what comes, asks again.
 * The load owns its clients, the loop they share, and the tally they keep.
 */

#include "cargo.h"
#include "chan.h"
#include "meter.h"
#include "streams.h"

#define CLIENT_RECORD 16384

enum mode {
	MODE_HTTP,
	MODE_DOWNLOAD,
	MODE_RAW,
	MODE_UPLOAD,
	MODE_HANDSHAKE,
	MODE_STEADY,
	MODE_HTTP2,
	MODE_GRPC,
};

enum state {
	STATE_CLOSED,
	STATE_CONNECT,
	STATE_HANDSHAKE,
	STATE_ASKED,
	STATE_STREAMS,
	STATE_PAUSE,
	STATE_HEAD,
	STATE_CHECK,
	STATE_DROP,
	STATE_SEND,
};

struct tally {
	uint64_t done;
	uint64_t bytes;
	uint64_t refused;
	uint64_t cut;
	uint64_t wrong;
	uint64_t opened;
	uint64_t resumed;
	uint64_t longest_open;
	struct histogram answers;
};

struct load {
	enum mode mode;
	const char *name;
	const char *cert;
	const char *ca;
	const char *version;
	const char *pids;
	const char *backend_pids;
	int port;
	unsigned conns;
	unsigned streams; /* of each, over HTTP/2 */
	unsigned requests;
	uint64_t pace_ns;
	double seconds;
	double share; /* of a core that we and the server may use; 0: any */
	uint64_t started_ns;
	uint64_t looked_ns;
	double started_cpu;
	double outside_cpu;

	bool resumes;
	bool rests;
	struct cargo cargo;
	struct h2_cargo h2_cargo;
	enum h2_kind h2_kind; /* H2_KINDS: not over HTTP/2 */
	SSL_CTX *ctx;
	int epoll;
	struct client *clients;
	char request[512];
	size_t request_size;
	unsigned open;
	unsigned pending;
	struct tally tally;

	uint64_t begun_ns;
	double cpu;
	double backend_cpu;
	double own_cpu;
	double machine_cpu;
};

struct client {
	struct load *l;
	struct chan chan;
	SSL_SESSION *session;
	struct streams streams; /* from STATE_STREAMS on */
	enum state state;
	bool wants_out;
	unsigned asked;
	uint64_t since_ns;
	uint64_t due_ns;
	uint64_t pos;
	size_t have;
	char buf[2 * CLIENT_RECORD];
};

/* Opens the clients that are closed, and lets ask whose pause is over. */
void clients_tend(struct load *l);
void client_step(struct client *c, uint32_t events);

#endif
