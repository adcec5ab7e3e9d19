/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_TLS_DUO_H
#define UNIT_TLS_DUO_H

/*
 * One of our wires against plain OpenSSL, over a socket pair, in one thread:
 * each is moved in turn until both have what they wanted.
 */

#include <openssl/ssl.h>
#include <stdbool.h>

#include "net/loop.h"
#include "net/wire.h"
#include "policy/mesh_spec.h"
#include "policy/tls_spec.h"
#include "support/pki.h"
#include "tls/tls_records.h"
#include "tls/wire_tls.h"

struct duo_peer {
	const struct pki *cert; /* NULL: none */
	const struct pki *ca;   /* NULL: nobody is verified */
	const char *sni;        /* client only; NULL: none */
	const char *alpn;       /* one id; "a,b": two; NULL: none */
	int min_version;
	int max_version;
	const char *ciphers; /* of TLS 1.2 */
	const char *groups;
	SSL_SESSION *session;        /* client only */
	bool wants_cert;             /* server only: asks at once */
	const char *chain_pem;       /* sent after cert */
	const unsigned char *staple; /* server only: an answer of OCSP */
	size_t staple_len;
	const char *sigalgs;
};

struct duo {
	struct loop *loop;
	struct wire *wire;
	int fd; /* the peer's end */
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session; /* the newest one that the peer got */
	int alert;            /* last one that the peer received; -1 */
	int warnings;
	enum io io; /* of our handshake */
	bool is_peer_done;
};

/* What a suite of our clients and OpenSSL's servers needs. */
struct duo_world {
	struct pki *ca;
	struct pki *server_cert; /* of api.example.com */
	struct tls_clients *clients;
};
void duo_world_init(struct duo_world *w, enum tls_records records);
void duo_world_fini(struct duo_world *w);

/* Is ours OpenSSL too, or another library?  See library.h. */
bool duo_is_openssl(void);

void duo_init(struct duo *d);
/* Over TCP: kernel TLS knows nothing else. */
void duo_init_tcp(struct duo *d);
void duo_fini(struct duo *d);
void duo_peer_client(struct duo *d, const struct duo_peer *o);
void duo_peer_server(struct duo *d, const struct duo_peer *o);
/* A context for several servers, so that they share sessions. */
SSL_CTX *duo_server_ctx(const struct duo_peer *o);
void duo_peer_server_of(struct duo *d, SSL_CTX *ctx);
/* Our side as a server of mesh, having peeked at the hello. */
void duo_accept(struct duo *d, struct tls_identities *set, const char *mesh,
    enum tls_alpn alpn);
/* Our side as a client; its sessions are for "host:443". */
void duo_connect(
    struct duo *d, struct tls_clients *clients, struct tls_spec *spec);
/* Both handshakes to their end, and until the peer has read what came. */
enum io duo_shake(struct duo *d);
/* One turn of the loop, and let the peer read into out. */
int duo_peer_read(struct duo *d, void *out, int n);
/* A word each way; what names the case, turns bounds the way back. */
void duo_answer(struct duo *d, const char *what, int turns);
/* Read from the wire until it says something else than AGAIN. */
enum io duo_read(struct duo *d, struct span *out);

/* A mesh that mints its own identity, or (own) has one given. */
struct mesh_spec *duo_mesh(
    const char *mesh, const struct pki *ca, const struct pki *own);
struct tls_identities *duo_set(
    struct mesh_spec *m, const struct tls_identities *prev);

/* Settings for our client: names are exact; NULL ends them. */
struct tls_spec *duo_spec(const struct pki *ca, const char *sni, ...);
/* After a change in it. */
void duo_spec_seal(struct tls_spec *s);

#endif
