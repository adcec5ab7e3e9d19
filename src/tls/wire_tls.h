/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_WIRE_TLS_H
#define TLS_WIRE_TLS_H

/*
 * TLS on a wire.  OpenSSL never owns the descriptor: records are read from the
 * socket into the loop's scratch and handed to it whole, and what it writes is
 * gathered and sent in one call.  After the handshake the wire reads and
 * writes plaintext through the same calls as a plain one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "net/wire.h"
#include "policy/identity.h"
#include "policy/tls_spec.h"
#include "tls/identity_store.h"

enum tls_failure {
	TLS_FAIL_NONE,
	TLS_FAIL_NO_CERT,       /* the peer showed none */
	TLS_FAIL_CHAIN,         /* does not chain to the CA set */
	TLS_FAIL_EXPIRED,       /* or not yet valid */
	TLS_FAIL_PURPOSE,       /* extended key usage */
	TLS_FAIL_NAME,          /* no SAN is among the expected names */
	TLS_FAIL_SAN,           /* no spiffe://<mesh>/, or a bad SAN */
	TLS_FAIL_VERSION,       /* no common version, cipher or ALPN */
	TLS_FAIL_NOT_TLS,       /* the peer does not speak TLS */
	TLS_FAIL_ALERT,         /* the peer sent an alert; see the text */
	TLS_FAIL_RENEGOTIATION, /* asked for, and not allowed */
	TLS_FAIL_CLOSED,        /* the peer closed during the handshake */
	TLS_FAIL_OTHER
};

/* What a server context may select: none unless the caller offers it. */
enum tls_alpn { TLS_ALPN_NONE, TLS_ALPN_HTTP11, TLS_ALPN_H2 };

/*
 * Server side of a mesh on w (plain; bytes that were only peeked at are still
 * to be read).  Client certificate required.  m is kept alive by the wire.
 */
void wire_tls_accept(struct wire *w, struct tls_identities *set,
    const struct tls_mesh *m, enum tls_alpn alpn, struct str sni);

/* Per-worker cache of client contexts by spec digest, and of their sessions. */
struct tls_clients;
struct tls_clients *tls_clients_new(void) MUST_CHECK;
void tls_clients_free(struct tls_clients *c);
/* Forget contexts that nothing used for this long. */
void tls_clients_sweep(struct tls_clients *c, uint64_t idle_ms);
/* Forget that of these settings, if nothing uses it. */
void tls_clients_forget(struct tls_clients *c, const struct tls_spec *spec);

/*
 * Client side to an external server; session_key (endpoint key and address)
 * says which earlier session may be resumed.  spec is kept by reference.
 * False: the context cannot be made; why says so.
 */
bool wire_tls_connect(struct wire *w, struct tls_clients *c,
    struct tls_spec *spec, struct str session_key, struct text *why) MUST_CHECK;

/* A mesh caller's side (zegressctl connect, tests): expects spiffe. */
bool wire_tls_connect_mesh(struct wire *w, struct str sni, struct str ca_pem,
    struct str cert_pem, struct str key_pem, struct str expect_spiffe,
    struct text *why) MUST_CHECK;

/* Go on with the handshake.  IO_FAIL: the alert is sent, ask tls_failure(). */
enum io wire_tls_handshake(struct wire *w) MUST_CHECK;

enum tls_failure wire_tls_failure(const struct wire *w);
/* One sentence: expected names, presented names, depth, expiry, alert. */
struct str wire_tls_failure_text(const struct wire *w);
/*
 * A client's handshake failed because of ALPN: the server chose what it was not
 * offered, or accepts nothing of it.
 */
bool wire_tls_is_alpn_wrong(const struct wire *w);
/* Earliest notAfter of what a server showed that failed; 0: it did not. */
int64_t wire_tls_chain_end_s(const struct wire *w);

/* After the handshake. */
struct tls_info {
	const char *version; /* "TLSv1.3" */
	const char *cipher;
	const char *group; /* or NULL */
	bool is_resumed;
	struct str sni;         /* sent or received */
	struct str alpn;        /* selected; empty: none */
	char peer_subject[128]; /* of the leaf, for the log; may be empty */
	int64_t peer_not_after_s;
	/* The earliest of its chain; 0: it showed none, but resumed. */
	int64_t chain_end_s;
};
void wire_tls_info(const struct wire *w, struct tls_info *out);

/* Server side: the caller's identity, owned by the wire; NULL before. */
const struct identity *wire_tls_identity(const struct wire *w);

#endif
