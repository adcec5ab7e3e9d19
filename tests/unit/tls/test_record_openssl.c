/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our records against OpenSSL's: for each suite and each engine a connection
 * over memory, of which we know the secrets.  What one of its ends seals we
 * open, and what we seal the other end reads; random streams, random cuts, key
 * updates, and now and then a record that was changed on its way.
 * RECORD_STREAMS in the environment makes it longer.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/xalloc.h"
#include "support/pki.h"
#include "tls/record.h"

#define STREAMS 3000
#define WRITES_MOST 6

struct end {
	SSL_CTX *ctx;
	SSL *ssl;
	struct record_key sends; /* as this end does */
	struct record_key reads; /* what it reads */
};

struct couple {
	struct end client, server;
	uint8_t secrets[2][RECORD_SECRET_MOST];
	uint64_t random;
};

static const struct {
	const char *name;
	unsigned id;
	enum record_version version;
	bool is_ecdsa;
} suites[] = {
	{ "TLS_AES_128_GCM_SHA256", 0x1301, RECORD_TLS_1_3, true },
	{ "TLS_AES_256_GCM_SHA384", 0x1302, RECORD_TLS_1_3, true },
	{ "TLS_CHACHA20_POLY1305_SHA256", 0x1303, RECORD_TLS_1_3, true },
	{ "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b, RECORD_TLS_1_2, true },
	{ "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c, RECORD_TLS_1_2, true },
	{ "ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9, RECORD_TLS_1_2, true },
	{ "ECDHE-RSA-AES128-GCM-SHA256", 0xc02f, RECORD_TLS_1_2, false },
	{ "ECDHE-RSA-AES256-GCM-SHA384", 0xc030, RECORD_TLS_1_2, false },
	{ "ECDHE-RSA-CHACHA20-POLY1305", 0xcca8, RECORD_TLS_1_2, false },
};

static struct couple *logging;

static void
on_keylog(const SSL *ssl, const char *line)
{
	const char *hex = strrchr(line, ' ') + 1;
	bool is_server = strncmp(line, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0;
	size_t i;
	unsigned b;

	(void)ssl;
	if (!is_server && strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) != 0)
		return;
	for (i = 0; hex[2 * i] != '\0'; i++) {
		cr_assert_eq(sscanf(hex + 2 * i, "%2x", &b), 1);
		logging->secrets[is_server][i] = (uint8_t)b;
	}
}

/* xorshift: a failure can be had again. */
static uint64_t
roll(struct couple *c, uint64_t most)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random % (most + 1);
}

static void
make_end(struct end *e, size_t suite, bool is_server, const struct pki *cert)
{
	bool is_1_3 = suites[suite].version == RECORD_TLS_1_3;
	int version = is_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

	e->ctx =
	    SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
	SSL_CTX_set_min_proto_version(e->ctx, version);
	SSL_CTX_set_max_proto_version(e->ctx, version);
	SSL_CTX_set_num_tickets(e->ctx, 0);
	SSL_CTX_set_keylog_callback(e->ctx, on_keylog);
	SSL_CTX_set_options(e->ctx, SSL_OP_NO_TICKET);
	if (is_1_3)
		cr_assert(SSL_CTX_set_ciphersuites(e->ctx, suites[suite].name));
	else
		cr_assert(SSL_CTX_set_cipher_list(e->ctx, suites[suite].name));
	if (is_server) {
		cr_assert(SSL_CTX_use_certificate(e->ctx, cert->cert));
		cr_assert(SSL_CTX_use_PrivateKey(e->ctx, cert->key));
	}
	e->ssl = SSL_new(e->ctx);
	SSL_set_bio(e->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (is_server)
		SSL_set_accept_state(e->ssl);
	else
		SSL_set_connect_state(e->ssl);
}

/* What one has written is given to the other. */
static void
carry(struct end *from, struct end *to)
{
	char b[8192];
	int n;

	while ((n = BIO_read(SSL_get_wbio(from->ssl), b, sizeof(b))) > 0)
		cr_assert_eq(BIO_write(SSL_get_rbio(to->ssl), b, n), n);
}

static void
derive(struct couple *c, size_t suite)
{
	const struct record_suite *s =
	    record_suite_find(suites[suite].id, suites[suite].version);
	uint8_t master[48], client[32], server[32];

	cr_assert_not_null(s);
	if (s->version == RECORD_TLS_1_3) {
		cr_assert(record_key_from_secret(
		    &c->client.sends, s, c->secrets[0], false));
		cr_assert(record_key_from_secret(
		    &c->client.reads, s, c->secrets[1], true));
		cr_assert(record_key_from_secret(
		    &c->server.sends, s, c->secrets[1], false));
		cr_assert(record_key_from_secret(
		    &c->server.reads, s, c->secrets[0], true));
		return;
	}
	SSL_SESSION_get_master_key(
	    SSL_get_session(c->client.ssl), master, sizeof(master));
	SSL_get_client_random(c->client.ssl, client, sizeof(client));
	SSL_get_server_random(c->client.ssl, server, sizeof(server));
	/* As a server would: it opens the client's and seals its own. */
	cr_assert(record_keys_from_master(&c->client.sends, &c->client.reads, s,
	    master, client, server, true));
	cr_assert(record_keys_from_master(&c->server.reads, &c->server.sends, s,
	    master, client, server, false));
	/* The two Finished came under these keys. */
	c->client.sends.seq = c->client.reads.seq = 1;
	c->server.sends.seq = c->server.reads.seq = 1;
}

static void
connect_couple(struct couple *c, size_t suite, const struct pki *cert)
{
	int i;

	logging = c;
	make_end(&c->client, suite, false, cert);
	make_end(&c->server, suite, true, cert);
	for (i = 0; i < 10; i++) {
		(void)SSL_do_handshake(c->client.ssl);
		carry(&c->client, &c->server);
		(void)SSL_do_handshake(c->server.ssl);
		carry(&c->server, &c->client);
	}
	ERR_clear_error();
	cr_assert(SSL_is_init_finished(c->client.ssl));
	cr_assert(SSL_is_init_finished(c->server.ssl));
	cr_assert_str_eq(
	    SSL_get_cipher_name(c->client.ssl), suites[suite].name);
	derive(c, suite);
}

static void
end_free(struct end *e)
{
	record_key_fini(&e->sends);
	record_key_fini(&e->reads);
	SSL_free(e->ssl);
	SSL_CTX_free(e->ctx);
}

static uint8_t sent[WRITES_MOST * 40000], wire[2 * sizeof(sent)];
static uint8_t got[2 * sizeof(sent)];

static size_t
fill(struct couple *c, uint8_t *p)
{
	/* Small ones, those about a record's size, and large ones. */
	static const size_t most[] = { 3, 200, 16383, 40000 };
	size_t n = 1 + roll(c, most[roll(c, 3)] - 1), i;

	if (roll(c, 7) == 0)
		n = 16383 + roll(c, 2);
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(c->random >> (i % 56));
	return n;
}

static void
open_one(
    struct couple *c, struct end *from, const uint8_t *p, size_t n, size_t *at)
{
	struct record r;
	uint8_t *bad;

	if (roll(c, 15) == 0) {
		bad = xmalloc(n);
		memcpy(bad, p, n);
		bad[roll(c, n - 1)] ^= (uint8_t)(1 << roll(c, 7));
		if (record_len(bad) == n)
			cr_assert_not(
			    record_open(&from->sends, bad, n, got + *at, &r));
		free(bad);
	}
	cr_assert(record_open(&from->sends, p, n, got + *at, &r),
	    "number %llu: alert %d", (unsigned long long)from->sends.seq,
	    r.alert);
	if (r.type == RECORD_DATA) {
		*at += r.len;
		return;
	}
	cr_assert_eq(r.type, RECORD_HANDSHAKE);
	cr_assert_eq(got[*at], SSL3_MT_KEY_UPDATE);
	cr_assert(record_key_update(&from->sends));
}

/* OpenSSL writes a stream and we read it. */
static void
they_seal(struct couple *c, struct end *from, bool is_1_3)
{
	size_t n = 0, len, at = 0, i, writes = 1 + roll(c, WRITES_MOST - 1);
	int total;

	for (i = 0; i < writes; i++) {
		len = fill(c, sent + n);
		if (is_1_3 && roll(c, 9) == 0)
			cr_assert(SSL_key_update(
			    from->ssl, SSL_KEY_UPDATE_NOT_REQUESTED));
		cr_assert_eq(SSL_write(from->ssl, sent + n, (int)len), len);
		n += len;
	}
	total = BIO_read(SSL_get_wbio(from->ssl), wire, sizeof(wire));
	cr_assert_gt(total, 0);
	for (i = 0; i < (size_t)total; i += len) {
		len = record_len(wire + i);
		cr_assert_leq(i + len, total);
		open_one(c, from, wire + i, len, &at);
	}
	cr_assert_eq(at, n);
	cr_assert_eq(memcmp(sent, got, n), 0);
}

static void
give(struct end *to, const uint8_t *p, size_t n)
{
	cr_assert_gt(n, 0);
	cr_assert_eq(BIO_write(SSL_get_rbio(to->ssl), p, (int)n), n);
}

/* We write a stream and OpenSSL reads it. */
static void
we_seal(struct couple *c, struct end *to, bool is_1_3)
{
	const uint8_t update[] = { SSL3_MT_KEY_UPDATE, 0, 0, 1, 0 };
	static uint8_t record[RECORD_PLAIN + RECORD_OVERHEAD_MOST];
	size_t n = fill(c, sent), at, len, part;
	int r;

	for (at = 0; at < n; at += part) {
		part = 1 + roll(c, RECORD_PLAIN - 1);
		if (part > n - at)
			part = n - at;
		if (is_1_3 && roll(c, 9) == 0) {
			len = record_seal(&to->reads, RECORD_HANDSHAKE, update,
			    sizeof(update), record);
			give(to, record, len);
			cr_assert(record_key_update(&to->reads));
		}
		len = record_seal(
		    &to->reads, RECORD_DATA, sent + at, part, record);
		give(to, record, len);
		if (roll(c, 3) == 0) {
			len = record_seal(
			    &to->reads, RECORD_DATA, sent, 0, record);
			give(to, record, len);
		}
	}
	for (at = 0; at < n; at += (size_t)r) {
		r = SSL_read(to->ssl, got + at, (int)(sizeof(got) - at));
		cr_assert_gt(r, 0, "OpenSSL says %s",
		    ERR_reason_error_string(ERR_peek_error()));
	}
	cr_assert_eq(at, n);
	cr_assert_eq(memcmp(sent, got, n), 0);
	/* Empty records behind the last byte are read next time. */
	cr_assert_leq(SSL_read(to->ssl, got, 1), 0);
	ERR_clear_error();
}

static void
run_suite(size_t suite, const struct pki *cert, size_t streams,
    const struct record_engine *e)
{
	bool is_1_3 = suites[suite].version == RECORD_TLS_1_3;
	struct couple c = { .random = 0x9e3779b97f4a7c15U + suite };
	size_t i;

	c.client.sends.engine = c.client.reads.engine = e;
	c.server.sends.engine = c.server.reads.engine = e;
	connect_couple(&c, suite, cert);
	for (i = 0; i < streams; i++) {
		switch (roll(&c, 3)) {
		case 0:
			they_seal(&c, &c.client, is_1_3);
			break;
		case 1:
			they_seal(&c, &c.server, is_1_3);
			break;
		case 2:
			we_seal(&c, &c.server, is_1_3);
			break;
		default:
			we_seal(&c, &c.client, is_1_3);
			break;
		}
	}
	end_free(&c.client);
	end_free(&c.server);
}

static enum record_aead
aead_of(size_t suite)
{
	return record_suite_find(suites[suite].id, suites[suite].version)->aead;
}

Test(record_openssl, random_streams_of_all_suites)
{
	const char *word = getenv("RECORD_STREAMS");
	size_t streams = word != NULL ? strtoul(word, NULL, 10) : STREAMS, i, k;
	const struct record_engine *e;
	struct pki *ca, *ecdsa, *rsa;

	ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	ecdsa = pki_server(ca, "a.example");
	rsa = pki_leaf_new(ca, &(struct pki_options){ .sans = "DNS:a.example",
				   .key = PKI_RSA2048 });
	for (i = 0; i < ARRAY_LEN(suites); i++)
		for (k = 0; (e = record_engine_at(k)) != NULL; k++)
			if (e->can(aead_of(i)))
				run_suite(i, suites[i].is_ecdsa ? ecdsa : rsa,
				    streams / ARRAY_LEN(suites) + 1, e);
	pki_free(ca);
	pki_free(ecdsa);
	pki_free(rsa);
}
