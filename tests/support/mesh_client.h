/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_MESH_CLIENT_H
#define SUPPORT_MESH_CLIENT_H

/*
 * A mesh caller for tests: blocking, with every odd thing that a caller may
 * do.  It tells how the other side ended: by which alert, by FIN or by RST.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mesh_end {
	MESH_OPEN, /* nothing ended yet */
	MESH_FIN,  /* FIN, with close_notify before it under TLS */
	MESH_FIN_NO_NOTIFY,
	MESH_RST,
	MESH_ALERT,  /* a fatal alert came: see alert */
	MESH_TIMEOUT /* nothing for timeout_ms */
};

struct mesh_options {
	const char *host; /* NULL: 127.0.0.1 */
	uint16_t port;
	const char *source;   /* bind to this address; NULL: any */
	const char *sni;      /* NULL: none is sent */
	const char *ca_pem;   /* NULL: the server is not verified */
	const char *cert_pem; /* NULL: none is shown */
	const char *key_pem;
	int max_version;      /* 0: 1.3 */
	const char *ciphers;  /* of TLS 1.2; NULL: OpenSSL's */
	const char *groups;   /* likewise */
	const char *alpn;     /* "kuma", "h2,http/1.1"; NULL: none */
	SSL_SESSION *session; /* to resume; NULL: none */
	unsigned timeout_ms;  /* of each call; 0: 10000 */
};

struct mesh_client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session; /* the newest ticket, owned */
	enum mesh_end end;
	int alert; /* RFC 8446, section 6; 0: none */
	char error[256];
	char peer_uris[512]; /* URI SANs of the server, by spaces */
	bool is_resumed;
	unsigned timeout_ms;
};

/* TCP only: for bytes that are no TLS, or half a hello. */
bool mesh_connect(struct mesh_client *m, const struct mesh_options *o);
/* And the handshake; false when it failed, see end, alert and error. */
bool mesh_open(struct mesh_client *m, const struct mesh_options *o);
/* Over TLS if there is any, else plainly.  False: see end. */
bool mesh_write(struct mesh_client *m, const void *p, size_t n);
/* Up to n bytes; 0 at the end, see end. */
size_t mesh_read(struct mesh_client *m, void *p, size_t n);
/* Until n bytes came or it ended; the number. */
size_t mesh_read_full(struct mesh_client *m, void *p, size_t n);
/* Until the end; terminated; the number. */
size_t mesh_read_all(struct mesh_client *m, char *p, size_t cap);
/* An HTTP answer: head and body by Content-Length or chunked, as text. */
bool mesh_read_response(struct mesh_client *m, char *p, size_t cap);
/* As far as a head goes: answers without a body. */
bool mesh_read_head(struct mesh_client *m, char *p, size_t cap);
/*
 * Sends up bytes of a pattern and expects down of them back, both at once.
 * False when it ended before, or other bytes came.
 */
bool mesh_pump(struct mesh_client *m, uint64_t up, uint64_t down);
/* Our direction ends: close_notify and FIN. */
void mesh_finish(struct mesh_client *m);
/* FIN without close_notify. */
void mesh_cut(struct mesh_client *m);
void mesh_reset(struct mesh_client *m);
void mesh_close(struct mesh_client *m);
/* Has it ended (without waiting longer than ms)? */
enum mesh_end mesh_wait_end(struct mesh_client *m, unsigned ms);

#endif
