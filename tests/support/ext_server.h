/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_EXT_SERVER_H
#define SUPPORT_EXT_SERVER_H

/*
 * An external server for tests and for the demonstration: a thread a
 * connection, blocking, plain or TLS, that does what it is told to do wrong.
 * It remembers what it saw.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/proxy_reader.h"

enum ext_protocol {
	EXT_ECHO, /* "echo NAME: " and whatever comes, line by line */
	EXT_RAW,  /* whatever comes goes back */
	EXT_HTTP, /* HTTP/1.1; what it does is in the path, see below */
	EXT_SINK  /* reads, and says how many bytes at the end */
};

enum ext_fault {
	EXT_FINE,
	EXT_CLOSES,        /* right after accept */
	EXT_RESETS,        /* likewise, by RST */
	EXT_SILENT,        /* accepts and does nothing, not even TLS */
	EXT_CUTS,          /* closes without close_notify at the end */
	EXT_FINISHES,      /* after the greeting its direction ends */
	EXT_RESETS_LATE,   /* RST once the first bytes have come */
	EXT_STALLS,        /* reads nothing before ext_go_on() */
	EXT_RENEGOTIATES,  /* TLS 1.2: after the first bytes, a new handshake */
	EXT_ASKS_FOR_CERT, /* likewise, for a client certificate (1.2, 1.3) */
	EXT_RENEGOTIATES_FOREVER,
	EXT_LIKES_CERT /* asks for a client certificate, and does without */
};

/*
 * Paths of EXT_HTTP: /bytes/N, /chunked/N, /toclose/N (bodies of N bytes),
 * /status/N, /trailers, /early/N (answers before the body is read, closes),
 * /refuse (417 to an Expect, stays), /cut (promises 100 bytes, sends 10),
 * /cutchunk (an unfinished chunk), /reset, /none (closes without an answer),
 * /hang, /informational (a 103 first), /bad (no HTTP), /both, /lengths,
 * /switch (a 101), /extra (more than was asked), /bighead/N, /http10, /hop
 * (fields of the hop), /ntlm (401 with WWW-Authenticate: NTLM), /stale (the
 * next request on the connection is not answered, but ends it), /close; any
 * other gives the request as it came, head and body, as text.  Expect:
 * 100-continue is answered by a 100.
 */
struct ext_config {
	enum ext_protocol protocol;
	enum ext_fault fault;
	const char *name;      /* said in answers */
	const char *address;   /* NULL: 127.0.0.1 */
	uint16_t port;         /* 0: any that is free */
	const char *unix_path; /* a socket there in place of a port */
	bool wants_proxy;      /* a PROXY header comes before all */
	const char *greeting;  /* sent first */
	/* TLS when cert_pem is given. */
	const char *cert_pem;
	const char *key_pem;
	const char *client_ca_pem;   /* asked for, and required unless fault */
	int min_version;             /* 0: 1.2 */
	int max_version;             /* 0: 1.3 */
	const char *alpn;            /* selected when offered */
	const unsigned char *staple; /* an answer of OCSP, for who asks */
	size_t staple_len;
	bool is_weak;        /* security level 0 */
	const char *groups;  /* NULL: OpenSSL's */
	const char *ciphers; /* of TLS 1.2 */
};

struct ext_seen {
	unsigned connections; /* accepted */
	unsigned open;
	unsigned handshakes;
	unsigned resumed;
	unsigned renegotiated; /* and late handshakes of TLS 1.3 */
	unsigned resets;       /* connections that the peer reset */
	unsigned ends;         /* FINs read */
	unsigned requests;
	uint64_t bytes;
	char from[64]; /* address of the last connection */
	char sni[256]; /* of the last handshake; "" when none was sent */
	char alpn[32];
	char version[16];
	char cipher[64];
	char group[32];
	char peer[256];          /* subject of the last client certificate */
	char head[4096];         /* of the last request */
	char error[256];         /* of the last handshake that failed */
	unsigned introduced;     /* connections with a good PROXY header */
	struct proxy_seen proxy; /* the last one */
};

struct ext_server;

struct ext_server *ext_start(const struct ext_config *c);
uint16_t ext_port(const struct ext_server *s);
void ext_get(struct ext_server *s, struct ext_seen *out);
/* EXT_HTTP answers every path so; 0: as before. */
void ext_set_status(struct ext_server *s, unsigned status);
/* The fault EXT_STALLS is over. */
void ext_go_on(struct ext_server *s);
/* Closes listener and connections, and waits for the threads. */
void ext_stop(struct ext_server *s);
/*
 * The same, and connections are reset.  To stop is no reset for sure: nobody
 * tells of room that comes behind a shutdown, and a window that was zero stays
 * so for a minute.
 */
void ext_reset(struct ext_server *s);

#endif
