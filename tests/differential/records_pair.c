/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */

#include "differential/records_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "policy/tls_spec_seal.h"
#include "tls/tls_records.h"

#define TURNS 2000
#define PART_MOST ((size_t)40000)

static const struct {
	const char *name;
	unsigned id;
	enum record_version version;
} kinds[RECORD_KINDS] = {
	{ "TLS_AES_128_GCM_SHA256", 0x1301, RECORD_TLS_1_3 },
	{ "TLS_AES_256_GCM_SHA384", 0x1302, RECORD_TLS_1_3 },
	{ "TLS_CHACHA20_POLY1305_SHA256", 0x1303, RECORD_TLS_1_3 },
	{ "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b, RECORD_TLS_1_2 },
	{ "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c, RECORD_TLS_1_2 },
	{ "ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9, RECORD_TLS_1_2 },
};

static void
must(bool is_fine, const char *what)
{
	if (is_fine)
		return;
	fprintf(stderr, "records: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

/* OpenSSL keeps a pointer to it for us. */
static int
on_session(SSL *ssl, SSL_SESSION *s)
{
	struct pair *p = SSL_get_app_data(ssl);

	SSL_SESSION_free(p->world->sessions[p->kind]);
	p->world->sessions[p->kind] = s;
	return 1;
}

static SSL_CTX *
new_ctx(size_t kind, const SSL_METHOD *method, const struct pki *cert)
{
	bool is_1_3 = kinds[kind].version == RECORD_TLS_1_3;
	int version = is_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_CTX *ctx = SSL_CTX_new(method);
	int r;

	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	r = is_1_3 ? SSL_CTX_set_ciphersuites(ctx, kinds[kind].name)
		   : SSL_CTX_set_cipher_list(ctx, kinds[kind].name);
	must(r == 1 && SSL_CTX_use_certificate(ctx, cert->cert) == 1 &&
		 SSL_CTX_use_PrivateKey(ctx, cert->key) == 1 &&
		 SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1,
	    "a context");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	return ctx;
}

static void
make_contexts(struct record_world *w, size_t kind)
{
	static const unsigned char sid[] = "records";

	w->servers[kind] = new_ctx(kind, TLS_server_method(), w->server_cert);
	SSL_CTX_set_session_id_context(w->servers[kind], sid, sizeof(sid));
	SSL_CTX_set_num_tickets(w->servers[kind], 1);
	w->callers[kind] = new_ctx(kind, TLS_client_method(), w->caller);
	SSL_CTX_set_session_cache_mode(w->callers[kind],
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(w->callers[kind], on_session);
}

static struct tls_spec *
make_spec(const struct pki *ca)
{
	struct digest none = { .b = { 0 } };
	struct tls_spec draft = {
		.sni = STR("api.example.com"),
		.verify_chain = true,
		.ca = blob_new(str_of(ca->cert_pem)),
		.min_version = TLS1_2_VERSION,
		.max_version = TLS1_3_VERSION,
	};
	struct tls_spec *s = tls_spec_new(&draft, &none);

	blob_unref(draft.ca);
	return s;
}

static struct mesh_spec *
make_mesh(const struct pki *ca)
{
	struct mesh_spec *m = xcalloc(1, sizeof(*m));

	ref_init(&m->ref);
	m->mesh = xstrdup("default");
	m->origin = xstrdup("records");
	m->ca = blob_new(str_of(ca->cert_pem));
	m->ca_cert = blob_new(str_of(ca->cert_pem));
	m->ca_key = blob_new(str_of(ca->key_pem));
	m->leaf_life_s = 86400;
	return m;
}

void
record_world_init(struct record_world *w)
{
	struct problems pr = PROBLEMS_NONE;
	size_t i;

	*w = (struct record_world){ .loop = loop_new() };
	tls_records_choose(TLS_RECORDS_OWN);
	w->ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	w->server_cert = pki_server(w->ca, "api.example.com");
	w->mesh_ca = pki_mesh_ca("default");
	w->caller = pki_sidecar(w->mesh_ca, "default", "web", NULL);
	for (i = 0; i < RECORD_KINDS; i++)
		make_contexts(w, i);
	w->clients = tls_clients_new();
	w->spec = make_spec(w->ca);
	w->mesh = make_mesh(w->mesh_ca);
	w->set = tls_identities_new(&w->mesh, 1, NULL, clock_wall_s(), &pr);
	must(pr.n == 0, "an identity");
}

void
record_world_fini(struct record_world *w)
{
	size_t i;

	for (i = 0; i < RECORD_KINDS; i++) {
		SSL_CTX_free(w->servers[i]);
		SSL_CTX_free(w->callers[i]);
		SSL_SESSION_free(w->sessions[i]);
	}
	tls_identities_unref(w->set);
	mesh_spec_unref(w->mesh);
	tls_spec_unref(w->spec);
	tls_clients_free(w->clients);
	pki_free(w->ca);
	pki_free(w->server_cert);
	pki_free(w->mesh_ca);
	pki_free(w->caller);
	loop_free(w->loop);
}

bool
pair_is_1_3(const struct pair *p)
{
	return kinds[p->kind].version == RECORD_TLS_1_3;
}

const char *
pair_name(const struct pair *p)
{
	return kinds[p->kind].name;
}

/* Of the alert that ends a connection the first one counts. */
static void
note_alert(struct heard *h, const uint8_t *p, size_t n)
{
	if (n == 2 && p[1] != SSL_AD_CLOSE_NOTIFY && h->alert == -1)
		h->alert = p[1];
}

static void
on_peer_message(int is_ours, int version, int type, const void *p, size_t n,
    SSL *ssl, void *arg)
{
	struct pair *pair = arg;

	(void)version;
	(void)ssl;
	if (!is_ours && type == SSL3_RT_ALERT)
		note_alert(&pair->ours, p, n);
}

static void
on_twin_message(int is_ours, int version, int type, const void *p, size_t n,
    SSL *ssl, void *arg)
{
	struct pair *pair = arg;

	(void)version;
	(void)ssl;
	if (is_ours && type == SSL3_RT_ALERT)
		note_alert(&pair->theirs, p, n);
	else if (type == SSL3_RT_ALERT)
		pair->has_twin_read_alert = true;
}

static void
start_peer(struct pair *p, bool may_resume)
{
	struct record_world *w = p->world;
	SSL_SESSION *s = w->sessions[p->kind];

	p->peer =
	    SSL_new(p->is_server ? w->callers[p->kind] : w->servers[p->kind]);
	SSL_set_app_data(p->peer, p);
	SSL_set_bio(p->peer, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_msg_callback(p->peer, on_peer_message);
	SSL_set_msg_callback_arg(p->peer, p);
	if (!p->is_server) {
		SSL_set_accept_state(p->peer);
		return;
	}
	SSL_set_tlsext_host_name(p->peer, "a{mesh=default}");
	if (may_resume && s != NULL)
		must(SSL_set_session(p->peer, s) == 1, "a session");
	SSL_set_connect_state(p->peer);
}

static void
start_ours(struct pair *p, bool may_resume)
{
	struct record_world *w = p->world;
	struct text why = TEXT_EMPTY;
	char key[32];
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		 fds) == 0,
	    "a socket pair");
	p->fd = fds[1];
	p->wire = wire_new(w->loop, fds[0]);
	if (p->is_server) {
		wire_tls_accept(p->wire, w->set,
		    tls_identities_find(w->set, STR("default")), TLS_ALPN_NONE,
		    STR("a{mesh=default}"));
	} else {
		snprintf(key, sizeof(key), "%s%zu", may_resume ? "host" : "",
		    p->kind);
		must(wire_tls_connect(p->wire, w->clients, w->spec,
			 may_resume ? str_of(key) : STR_NONE, &why),
		    "a client");
	}
	p->tls = p->wire->impl;
	p->twin = p->tls->ssl;
	SSL_up_ref(p->twin);
}

void
pair_collect(struct pair *p)
{
	char b[16384];
	int n;

	while ((n = BIO_read(SSL_get_wbio(p->peer), b, sizeof(b))) > 0)
		text_add(
		    &p->on_the_way, (struct str){ .p = b, .len = (size_t)n });
}

/* Until the socket is empty, what came to the peer; false: nothing came. */
static bool
fetch(struct pair *p, size_t most)
{
	char b[16384];
	ssize_t n;

	n = recv(p->fd, b, most < sizeof(b) ? most : sizeof(b), 0);
	if (n <= 0)
		return false;
	must(BIO_write(SSL_get_rbio(p->peer), b, (int)n) == n, "a memory BIO");
	return true;
}

/* How much of the front of what is on the way the socket took. */
static size_t
put(struct pair *p, size_t at, size_t n)
{
	ssize_t r = send(p->fd, p->on_the_way.p + at, n, MSG_NOSIGNAL);

	return r > 0 ? (size_t)r : 0;
}

static void
shake(struct pair *p)
{
	enum io io = IO_AGAIN;
	size_t at;
	int i, r = 0;

	for (i = 0; i < TURNS && (r != 1 || io == IO_AGAIN); i++) {
		ERR_clear_error();
		r = SSL_do_handshake(p->peer);
		p->on_the_way.len = 0;
		pair_collect(p);
		for (at = 0; at < p->on_the_way.len;)
			at += put(p, at, p->on_the_way.len - at);
		loop_turn(p->world->loop);
		if (io == IO_AGAIN)
			io = wire_tls_handshake(p->wire);
		while (fetch(p, SIZE_MAX))
			;
	}
	if (r != 1 || io != IO_DONE)
		fprintf(stderr, "%s, our %s: %.*s\n", pair_name(p),
		    p->is_server ? "server" : "client",
		    STR_ARG(wire_tls_failure_text(p->wire)));
	must(r == 1 && io == IO_DONE, "a handshake");
	must(tls_own_is_on(p->tls), "the wire took its records over");
	p->on_the_way.len = 0;
}

/* A client's tickets: as long as they come, its twin is shown them. */
static void
take_tickets(struct pair *p)
{
	struct span in;
	char b[1];

	loop_turn(p->world->loop);
	must(wire_read(p->wire, &in) == IO_AGAIN, "nothing but tickets");
	ERR_clear_error();
	must(SSL_read(p->peer, b, 1) <= 0, "nothing but tickets of ours");
	ERR_clear_error();
	tls_own_drop_ssl(p->tls);
}

static void
start_twin(struct pair *p)
{
	SSL_set_shutdown(p->twin, 0);
	SSL_set_bio(p->twin, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_msg_callback(p->twin, on_twin_message);
	SSL_set_msg_callback_arg(p->twin, p);
}

void
pair_init(struct pair *p, struct record_world *w, size_t kind, bool is_server,
    bool may_resume)
{
	*p = (struct pair){ .world = w, .kind = kind, .is_server = is_server };
	p->ours = p->theirs = p->peers =
	    (struct heard){ .end = IO_AGAIN, .alert = -1 };
	start_peer(p, may_resume);
	start_ours(p, may_resume);
	shake(p);
	take_tickets(p);
	start_twin(p);
}

void
pair_fini(struct pair *p)
{
	/* Its callbacks look for what belongs to the wire. */
	SSL_set_shutdown(p->twin, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->twin);
	wire_free(p->wire);
	SSL_set_shutdown(p->peer, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->peer);
	close(p->fd);
	loop_turn(p->world->loop);
	record_key_fini(&p->forging);
	text_free(&p->ours.bytes);
	text_free(&p->theirs.bytes);
	text_free(&p->peers.bytes);
	text_free(&p->on_the_way);
	text_free(&p->twin_in);
}

static void
forge_1_2(struct pair *p, const struct record_suite *s)
{
	uint8_t master[RECORD_MASTER], client[RECORD_RANDOM];
	uint8_t server[RECORD_RANDOM];
	struct record_key unused = { .seq = 0 };

	SSL_SESSION_get_master_key(
	    SSL_get_session(p->twin), master, sizeof(master));
	SSL_get_client_random(p->twin, client, sizeof(client));
	SSL_get_server_random(p->twin, server, sizeof(server));
	must(record_keys_from_master(p->is_server ? &p->forging : &unused,
		 p->is_server ? &unused : &p->forging, s, master, client,
		 server, !p->is_server),
	    "keys of TLS 1.2");
	record_key_fini(&unused);
}

void
pair_forge(struct pair *p)
{
	const struct record_suite *s =
	    record_suite_find(kinds[p->kind].id, kinds[p->kind].version);

	if (p->forging.suite != NULL)
		return;
	p->forging.seq = p->tls->own->in.seq;
	if (pair_is_1_3(p))
		must(record_key_from_secret(
			 &p->forging, s, p->tls->own->in.secret, true),
		    "keys of TLS 1.3");
	else
		forge_1_2(p, s);
	p->forging.seq = p->tls->own->in.seq;
}

static void
peer_read(struct pair *p)
{
	char b[16384];
	int n;

	ERR_clear_error();
	while ((n = SSL_read(p->peer, b, sizeof(b))) > 0)
		text_add(
		    &p->peers.bytes, (struct str){ .p = b, .len = (size_t)n });
	switch (SSL_get_error(p->peer, n)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_ZERO_RETURN:
		p->peers.end = IO_EOF;
		break;
	default:
		p->peers.end = IO_FAIL;
		break;
	}
	ERR_clear_error();
}

void
pair_hear(struct pair *p, struct dice *d)
{
	int quiet;

	for (quiet = 0; quiet < 2; quiet++) {
		loop_turn(p->world->loop);
		if (wire_unsent(p->wire) > 0)
			(void)wire_flush(p->wire);
		while (fetch(p, 1 + dice_below(d, PART_MOST)))
			quiet = 0;
		peer_read(p);
	}
}

static void
our_read(struct pair *p)
{
	struct span in;
	enum io io;

	loop_turn(p->world->loop);
	while ((io = wire_read(p->wire, &in)) == IO_DONE)
		text_add(&p->ours.bytes,
		    (struct str){ .p = (const void *)in.p, .len = in.len });
	p->ours.end = io;
}

void
pair_deliver(struct pair *p, struct dice *d)
{
	size_t at = 0, n, left, most = PART_MOST;

	if (dice_one_in(d, 3))
		most = 1 + dice_below(d, 700);
	while (at < p->on_the_way.len) {
		left = p->on_the_way.len - at;
		n = 1 + dice_below(d, most);
		n = put(p, at, n < left ? n : left);
		at += n;
		if (n == 0 || dice_one_in(d, 2))
			our_read(p);
		/* Nobody reads the rest of it. */
		if (n == 0 && p->ours.end != IO_AGAIN)
			break;
		if (dice_one_in(d, 4))
			pair_hear(p, d);
	}
	our_read(p);
	pair_hear(p, d);
}
