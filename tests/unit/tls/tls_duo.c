/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */

#include "unit/tls/tls_duo.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "net/sock.h"
#include "policy/tls_spec_seal.h"
#include "tls/hello.h"
#include "tls/tls_init.h"
#include "tls/tls_records.h"
#include "unit/net/pair.h"

#define TURNS 5000

/* ZEGRESS_TLS_RECORDS=openssl, or =kernel, runs all that use this so. */
__attribute__((constructor)) static void
choose_records(void)
{
	const char *word = getenv("ZEGRESS_TLS_RECORDS");

	if (word != NULL && strcmp(word, "openssl") == 0)
		tls_records_choose(TLS_RECORDS_OPENSSL);
	if (word != NULL && strcmp(word, "kernel") == 0)
		tls_records_choose(TLS_RECORDS_KERNEL);
}

void
duo_world_init(struct duo_world *w, enum tls_records records)
{
	tls_records_choose(records);
	w->ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	w->server_cert = pki_server(w->ca, "api.example.com");
	w->clients = tls_clients_new();
}

void
duo_world_fini(struct duo_world *w)
{
	tls_clients_free(w->clients);
	pki_free(w->ca);
	pki_free(w->server_cert);
}

bool
duo_is_openssl(void)
{
	return strstr(tls_library_version(), "OpenSSL") != NULL;
}

static void
start(struct duo *d, const int fds[2])
{
	*d = (struct duo){ .alert = -1, .io = IO_AGAIN };
	d->loop = loop_new();
	d->wire = wire_new(d->loop, fds[0]);
	d->fd = fds[1];
}

void
duo_init(struct duo *d)
{
	int fds[2];

	if (tls_records_may_be_kernel()) {
		duo_init_tcp(d);
		return;
	}
	cr_assert_eq(socketpair(AF_UNIX,
			 SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	start(d, fds);
}

void
duo_init_tcp(struct duo *d)
{
	int fds[2];

	pair_tcp_fds(fds);
	cr_assert_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	/* Else small records wait for others to be acknowledged. */
	sock_no_delay(fds[1]);
	start(d, fds);
}

void
duo_fini(struct duo *d)
{
	SSL_free(d->ssl);
	SSL_CTX_free(d->ctx);
	SSL_SESSION_free(d->session);
	wire_free(d->wire);
	loop_free(d->loop);
	if (d->fd != -1)
		close(d->fd);
}

static void
on_info(const SSL *ssl, int where, int code)
{
	struct duo *d = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT)
		return;
	/* The end of the stream is no news. */
	if ((code & 0xff) == SSL_AD_CLOSE_NOTIFY)
		return;
	d->alert = code & 0xff;
	if (code >> 8 == SSL3_AL_WARNING)
		d->warnings++;
}

static int
on_session(SSL *ssl, SSL_SESSION *s)
{
	struct duo *d = SSL_get_app_data(ssl);

	SSL_SESSION_free(d->session);
	d->session = s;
	return 1;
}

static unsigned
alpn_wire(const char *list, unsigned char out[64])
{
	unsigned n = 0;
	size_t len;

	for (; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		out[n] = (unsigned char)len;
		memcpy(out + n + 1, list, len);
		n += (unsigned)len + 1;
	}
	return n;
}

static void
set_versions(SSL_CTX *ctx, const struct duo_peer *o)
{
	SSL_CTX_set_security_level(ctx, 0);
	if (o->min_version != 0)
		SSL_CTX_set_min_proto_version(ctx, o->min_version);
	if (o->max_version != 0)
		SSL_CTX_set_max_proto_version(ctx, o->max_version);
	if (o->ciphers != NULL)
		cr_assert_eq(SSL_CTX_set_cipher_list(ctx, o->ciphers), 1);
	if (o->groups != NULL)
		cr_assert_eq(SSL_CTX_set1_groups_list(ctx, o->groups), 1);
}

static void
set_cert(SSL_CTX *ctx, const struct duo_peer *o)
{
	BIO *b;
	X509 *x;

	if (o->cert != NULL) {
		SSL_CTX_use_certificate(ctx, o->cert->cert);
		SSL_CTX_use_PrivateKey(ctx, o->cert->key);
	}
	if (o->chain_pem != NULL) {
		b = BIO_new_mem_buf(o->chain_pem, -1);
		x = PEM_read_bio_X509(b, NULL, NULL, NULL);
		SSL_CTX_add_extra_chain_cert(ctx, x);
		BIO_free(b);
	}
	if (o->ca != NULL)
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), o->ca->cert);
}

static void
start_peer(struct duo *d)
{
	d->ssl = SSL_new(d->ctx);
	SSL_set_app_data(d->ssl, d);
	SSL_set_info_callback(d->ssl, on_info);
	SSL_set_fd(d->ssl, d->fd);
}

void
duo_peer_client(struct duo *d, const struct duo_peer *o)
{
	unsigned char alpn[64];

	d->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(
	    d->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(d->ctx, on_session);
	set_versions(d->ctx, o);
	set_cert(d->ctx, o);
	if (o->ca != NULL)
		SSL_CTX_set_verify(d->ctx, SSL_VERIFY_PEER, NULL);
	start_peer(d);
	if (o->sni != NULL)
		SSL_set_tlsext_host_name(d->ssl, o->sni);
	if (o->alpn != NULL)
		SSL_set_alpn_protos(d->ssl, alpn, alpn_wire(o->alpn, alpn));
	if (o->session != NULL)
		SSL_set_session(d->ssl, o->session);
	SSL_set_connect_state(d->ssl);
}

static int
pick_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned n, void *arg)
{
	const char *want = arg;

	(void)ssl;
	if (n != strlen(want) + 1 || memcmp(in + 1, want, n - 1) != 0)
		return SSL_TLSEXT_ERR_NOACK;
	*out = in + 1;
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static int
give_staple(SSL *ssl, void *arg)
{
	const struct duo_peer *o = arg;
	unsigned char *copy;

	if (o->staple == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	/* OpenSSL frees it. */
	copy = OPENSSL_memdup(o->staple, o->staple_len);
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)o->staple_len);
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *
duo_server_ctx(const struct duo_peer *o)
{
	static const unsigned char sid[] = "duo";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char *alpn;

	set_versions(ctx, o);
	set_cert(ctx, o);
	SSL_CTX_set_session_id_context(ctx, sid, sizeof(sid));
	if (o->wants_cert)
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	/* o has to last as long as the handshakes. */
	SSL_CTX_set_tlsext_status_cb(ctx, give_staple);
	SSL_CTX_set_tlsext_status_arg(ctx, (void *)(uintptr_t)o);
	if (o->sigalgs != NULL)
		cr_assert_eq(SSL_CTX_set1_sigalgs_list(ctx, o->sigalgs), 1);
	if (o->alpn != NULL) {
		memcpy(&alpn, &o->alpn, sizeof(alpn));
		SSL_CTX_set_alpn_select_cb(ctx, pick_alpn, alpn);
	}
	return ctx;
}

void
duo_peer_server_of(struct duo *d, SSL_CTX *ctx)
{
	SSL_CTX_up_ref(ctx);
	d->ctx = ctx;
	start_peer(d);
	SSL_set_accept_state(d->ssl);
}

void
duo_peer_server(struct duo *d, const struct duo_peer *o)
{
	SSL_CTX *ctx = duo_server_ctx(o);

	duo_peer_server_of(d, ctx);
	SSL_CTX_free(ctx);
}

void
duo_accept(struct duo *d, struct tls_identities *set, const char *mesh,
    enum tls_alpn alpn)
{
	const struct tls_mesh *m = tls_identities_find(set, str_of(mesh));
	struct str seen = STR_NONE;
	struct hello h;
	int i;

	cr_assert_not_null(m, "mesh %s has an identity", mesh);
	for (i = 0; i < TURNS; i++) {
		ERR_clear_error();
		(void)SSL_do_handshake(d->ssl);
		loop_turn(d->loop);
		if (wire_peek(d->wire, HELLO_MAX, &seen) == IO_DONE &&
		    hello_parse(seen, &h) == HELLO_OK)
			break;
	}
	cr_assert(i < TURNS, "the peer's hello came");
	wire_tls_accept(d->wire, set, m, alpn,
	    (struct str){ .p = h.sni, .len = h.sni_len });
}

static bool
move_peer(struct duo *d)
{
	int r, e;

	if (d->is_peer_done || d->ssl == NULL)
		return true;
	ERR_clear_error();
	r = SSL_do_handshake(d->ssl);
	e = SSL_get_error(d->ssl, r);
	d->is_peer_done =
	    r == 1 || (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE);
	return d->is_peer_done;
}

void
duo_connect(struct duo *d, struct tls_clients *clients, struct tls_spec *spec)
{
	struct text why = TEXT_EMPTY;

	cr_assert(
	    wire_tls_connect(d->wire, clients, spec, STR("host:443"), &why),
	    "%s", why.p);
	text_free(&why);
}

enum io
duo_shake(struct duo *d)
{
	char b[16];
	int i, e, r;

	for (i = 0; i < TURNS; i++) {
		loop_turn(d->loop);
		if (d->io == IO_AGAIN)
			d->io = wire_tls_handshake(d->wire);
		if (move_peer(d) && d->io != IO_AGAIN)
			break;
	}
	cr_assert(i < TURNS, "the handshake came to an end");
	/* Tickets, and in TLS 1.3 the alert, come after the handshake. */
	ERR_clear_error();
	r = SSL_peek(d->ssl, b, sizeof(b));
	e = SSL_get_error(d->ssl, r);
	(void)e;
	return d->io;
}

int
duo_peer_read(struct duo *d, void *out, int n)
{
	loop_turn(d->loop);
	ERR_clear_error();
	return SSL_read(d->ssl, out, n);
}

enum io
duo_read(struct duo *d, struct span *out)
{
	enum io io = IO_AGAIN;
	int i;

	for (i = 0; i < TURNS && io == IO_AGAIN; i++) {
		loop_turn(d->loop);
		io = wire_read(d->wire, out);
	}
	return io;
}

struct mesh_spec *
duo_mesh(const char *mesh, const struct pki *ca, const struct pki *own)
{
	struct mesh_spec *m = xcalloc(1, sizeof(*m));
	struct digester *d = digester_new();

	ref_init(&m->ref);
	m->mesh = xstrdup(mesh);
	m->origin = xasprintf("mesh.yaml:1 Mesh/%s", mesh);
	m->ca = blob_new(str_of(ca->cert_pem));
	m->leaf_life_s = 86400;
	digester_add(d, str_of(mesh));
	digester_add(d, str_of(ca->cert_pem));
	if (own != NULL) {
		m->cert = blob_new(str_of(own->cert_pem));
		m->key = blob_new(str_of(own->key_pem));
		digester_add(d, str_of(own->cert_pem));
	} else {
		m->ca_cert = blob_new(str_of(ca->cert_pem));
		m->ca_key = blob_new(str_of(ca->key_pem));
	}
	m->digest = digester_take(d);
	digester_free(d);
	return m;
}

struct tls_identities *
duo_set(struct mesh_spec *m, const struct tls_identities *prev)
{
	struct problems pr = PROBLEMS_NONE;
	struct tls_identities *t;

	t = tls_identities_new(&m, 1, prev, clock_wall_s(), &pr);
	cr_assert_eq(pr.n, 0, "no problems");
	return t;
}

void
duo_spec_seal(struct tls_spec *s)
{
	struct digester *d = digester_new();
	size_t i;

	digester_add(d, s->sni);
	digester_add_u64(d, s->verify_chain);
	digester_add_u64(d, s->verify_names);
	digester_add_u64(d, s->allow_renegotiation);
	digester_add_u64(d, s->no_resumption);
	digester_add_u64(d, s->crl_whole_chain);
	digester_add_u64(d, s->ocsp);
	digester_add(d, blob_str(s->crl));
	for (i = 0; i < TLS_CHOICE_N; i++)
		digester_add(d, tls_spec_choice(s, (enum tls_choice)i));
	digester_add(d, blob_str(s->ca));
	digester_add(d, blob_str(s->cert));
	for (i = 0; i < s->n_names; i++)
		digester_add(d, s->names[i].value);
	s->digest = digester_take(d);
	digester_free(d);
}

struct tls_spec *
duo_spec(const struct pki *ca, const char *sni, ...)
{
	struct tls_name names[8];
	struct digest none = { .b = { 0 } };
	struct tls_spec draft = {
		.sni = str_of(sni),
		.verify_chain = ca != NULL,
		.names = names,
		.min_version = TLS1_2_VERSION,
		.max_version = TLS1_3_VERSION,
	};
	const char *name;
	struct tls_spec *s;
	va_list ap;

	va_start(ap, sni);
	while ((name = va_arg(ap, const char *)) != NULL)
		names[draft.n_names++] =
		    (struct tls_name){ .value = str_of(name) };
	va_end(ap);
	draft.verify_names = draft.n_names > 0;
	if (ca != NULL)
		draft.ca = blob_new(str_of(ca->cert_pem));
	s = tls_spec_new(&draft, &none);
	blob_unref(draft.ca);
	duo_spec_seal(s);
	return s;
}

void
duo_answer(struct duo *d, const char *what, int turns)
{
	struct span in;
	char b[16];
	int i, n = -1;

	cr_assert_eq(SSL_write(d->ssl, "ping", 4), 4, "%s", what);
	cr_assert_eq(duo_read(d, &in), IO_DONE, "%s: %.*s", what,
	    STR_ARG(wire_tls_failure_text(d->wire)));
	cr_assert_eq(in.len, 4, "%s", what);
	cr_assert_eq(memcmp(in.p, "ping", 4), 0, "%s", what);
	cr_assert_eq(wire_write(d->wire, STR("pong")), IO_DONE, "%s", what);
	for (i = 0; i < turns && n <= 0; i++)
		n = duo_peer_read(d, b, sizeof(b));
	cr_assert_eq(n, 4, "%s", what);
	cr_assert_eq(memcmp(b, "pong", 4), 0, "%s", what);
}
