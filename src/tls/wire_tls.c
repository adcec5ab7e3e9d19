/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of TLS on a wire, both roles, and the handshake.  Bytes of the
 * open wire are in wire_tls_io.c, what people and policy ask about it is in
 * wire_tls_info.c.  Thread of the wire.
 */

#include "tls/wire_tls.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/tls_spec_seal.h"
#include "tls/client_context.h"
#include "tls/library.h"
#include "tls/resume.h"
#include "tls/tls_mesh.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"

static struct tls_wire *
tls_wire_new(struct wire *w, SSL_CTX *ctx)
{
	struct tls_wire *t = xcalloc(1, sizeof(*t));
	BIO *bio;

	t->ssl = SSL_new(ctx);
	if (t->ssl == NULL)
		abort();
	t->ends = (struct bio_ends){ .wire = w, .sent = IO_DONE };
	bio = bio_new(&t->ends);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, &t->peer);
	SSL_set_msg_callback(t->ssl, tls_wire_on_message);
	SSL_set_msg_callback_arg(t->ssl, t);
	t->end = IO_DONE;
	tls_engine_add(TLS_ENGINE_OPENSSL);
	/* What was peeked at is read here first. */
	t->cipher = w->in;
	w->in = (struct wire_buf){ .p = NULL };
	w->peeked = 0;
	w->ops = &tls_wire_ops;
	w->is_dry = false;
	w->impl = t;
	return t;
}

void
tls_wire_free(struct tls_wire *t)
{
	tls_engine_remove(tls_kernel_has_out(t) ? TLS_ENGINE_KERNEL
			  : tls_own_is_on(t)    ? TLS_ENGINE_OWN
						: TLS_ENGINE_OPENSSL);
	if (t->peer.failure == TLS_FAIL_NONE)
		tls_own_drop_ssl(t);
	SSL_free(t->ssl);
	tls_own_free(t->own);
	wire_buf_free(&t->cipher);
	if (t->held.p != NULL)
		OPENSSL_cleanse(t->held.p, t->held.cap);
	wire_buf_free(&t->held);
	client_context_unref(t->peer.client);
	tls_identities_unref(t->set);
	peer_fini(&t->peer);
	free(t->sni);
	free(t->session_key);
	free(t);
}

static void
set_sni(struct tls_wire *t, struct str sni)
{
	t->sni = str_dup(sni);
	t->peer.sni = (struct str){ .p = t->sni, .len = sni.len };
}

/* The wire may take its records over once it is open. */
static void
prepare_own(struct tls_wire *t, bool is_server)
{
	if (!tls_records_may_be_own())
		return;
	t->own = tls_own_new(is_server);
	t->peer.own = t->own;
}

void
wire_tls_accept(struct wire *w, struct tls_identities *set,
    const struct tls_mesh *m, enum tls_alpn alpn, struct str sni)
{
	struct tls_wire *t = tls_wire_new(w, m->ctx);

	prepare_own(t, true);
	t->set = tls_identities_ref(set);
	t->has_input = true;
	t->peer.mesh = m;
	t->peer.alpn = alpn;
	set_sni(t, sni);
	SSL_set_accept_state(t->ssl);
}

static void
start_client(struct wire *w, struct client_context *c, struct str session_key)
{
	struct tls_wire *t = tls_wire_new(w, client_context_ssl(c));
	struct tls_peer *p = &t->peer;

	p->client = c;
	p->spec = client_context_spec(c);
	/* Else the server may ask for things that only OpenSSL can do. */
	if (!p->spec->allow_renegotiation)
		prepare_own(t, false);
	else
		library_allow_late(t->ssl, p->spec->cert != NULL);
	if (p->spec->no_resumption)
		session_key = STR_NONE;
	t->session_key = str_dup(session_key);
	p->session_key =
	    (struct str){ .p = t->session_key, .len = session_key.len };
	set_sni(t, p->spec->sni);
	if (p->sni.len > 0 && SSL_set_tlsext_host_name(t->ssl, t->sni) != 1)
		peer_fail(p, TLS_FAIL_OTHER,
		    "the server name cannot be sent: it is longer than 255 "
		    "bytes");
	SSL_set_connect_state(t->ssl);
	t->is_offering =
	    client_context_resume(c, session_key, t->ssl, &p->session_end_s);
}

bool
wire_tls_connect(struct wire *w, struct tls_clients *c, struct tls_spec *spec,
    struct str session_key, struct text *why)
{
	struct client_context *ctx = client_context_get(c, spec, why);

	if (ctx == NULL)
		return false;
	start_client(w, ctx, session_key);
	return true;
}

bool
wire_tls_connect_mesh(struct wire *w, struct str sni, struct str ca_pem,
    struct str cert_pem, struct str key_pem, struct str expect_spiffe,
    struct text *why)
{
	struct tls_name name = { .value = expect_spiffe };
	struct tls_spec draft = {
		.sni = sni,
		.verify_chain = true,
		.verify_names = true,
		.ca = blob_new(ca_pem),
		.names = &name,
		.n_names = 1,
		.min_version = TLS1_2_VERSION,
		.max_version = TLS1_3_VERSION,
		.alpn = STR("kuma"),
	};
	struct digest unused = { .b = { 0 } };
	struct client_context *ctx;
	struct tls_spec *spec;

	if (cert_pem.len > 0) {
		draft.cert = blob_new(cert_pem);
		draft.key = blob_new(key_pem);
	}
	spec = tls_spec_new(&draft, &unused);
	blob_unref(draft.ca);
	blob_unref(draft.cert);
	blob_unref(draft.key);
	ctx = client_context_new(spec, why);
	tls_spec_unref(spec);
	if (ctx == NULL)
		return false;
	start_client(w, ctx, STR_NONE);
	return true;
}

static enum io
finish_handshake(struct tls_wire *t)
{
	bool is_known;

	tls_wire_stash(t);
	library_flush(t->ssl);
	bio_send(&t->ends);
	t->stage = TLS_OPEN;
	if (!SSL_is_server(t->ssl)) {
		tls_own_start(t);
		return IO_DONE;
	}
	is_known = SSL_session_reused(t->ssl) == 1
		       ? resume_adopt(t->ssl, &t->peer)
		       : t->peer.identity != NULL;
	tls_identities_unref(t->set);
	t->set = NULL;
	t->peer.mesh = NULL;
	if (is_known) {
		tls_own_start(t);
		return IO_DONE;
	}
	/* Cannot happen; and if it does, nobody gets in. */
	peer_fail(&t->peer, TLS_FAIL_NO_CERT, "the caller has no identity");
	return IO_FAIL;
}

/* The secrets that it comes upon are for whoever may take over. */
static int
shake(struct tls_wire *t)
{
	int r;

	secret_watch_set(t->own != NULL ? &t->own->watch : NULL);
	r = SSL_do_handshake(t->ssl);
	secret_watch_set(NULL);
	return r;
}

static void
explain_end(struct wire *w, struct tls_peer *p, enum io io)
{
	if (io == IO_EOF)
		peer_fail(p, TLS_FAIL_CLOSED,
		    "the peer closed the connection during the handshake");
	else
		peer_fail(p, TLS_FAIL_CLOSED,
		    "the connection broke during the handshake: %s",
		    strerror(w->error));
}

static enum io
fail_handshake(struct tls_wire *t)
{
	if (t->is_offering)
		client_context_forget(t->peer.client, t->peer.session_key);
	t->end = IO_FAIL;
	return IO_FAIL;
}

enum io
wire_tls_handshake(struct wire *w)
{
	struct tls_wire *t = w->impl;
	enum io sent, io;
	int r;

	if (t->stage == TLS_OPEN)
		return t->end == IO_FAIL ? IO_FAIL : IO_DONE;
	if (wire_unsent(w) > 0)
		(void)wire_sock_flush(w);
	while (t->peer.failure == TLS_FAIL_NONE) {
		ERR_clear_error();
		r = shake(t);
		if (r == 1 && t->peer.failure == TLS_FAIL_NONE)
			return finish_handshake(t);
		/* OpenSSL did not mind what we do. */
		if (r == 1)
			break;
		if (SSL_get_error(t->ssl, r) != SSL_ERROR_WANT_READ) {
			tls_wire_fail(t);
			break;
		}
		tls_wire_stash(t);
		sent = bio_send(&t->ends);
		io = tls_wire_fill(w, t, tls_wire_read_most(w));
		/* If sending failed, the reason may still be read. */
		if (io == IO_AGAIN && sent != IO_FAIL)
			return IO_AGAIN;
		if (io != IO_DONE)
			explain_end(w, &t->peer, io);
	}
	return fail_handshake(t);
}
