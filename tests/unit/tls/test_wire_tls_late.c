/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server may ask of our client side after the handshake: to
 * renegotiate, for a certificate, for new keys; and how often.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "unit/tls/tls_duo.h"

static struct pki *ca, *other_ca, *caller_ca, *server_cert, *caller;
static struct tls_clients *clients;

static void
setup(void)
{
	struct pki_options mine = { .subject = "CN=test CA" };
	struct pki_options other = { .subject = "CN=other CA" };

	ca = pki_ca_new(NULL, &mine);
	other_ca = pki_ca_new(NULL, &other);
	caller_ca = pki_mesh_ca("default");
	server_cert = pki_server(ca, "api.example.com");
	caller = pki_sidecar(caller_ca, "default", "egress", NULL);
	clients = tls_clients_new();
}

static void
teardown(void)
{
	tls_clients_free(clients);
	pki_free(ca);
	pki_free(other_ca);
	pki_free(caller_ca);
	pki_free(server_cert);
	pki_free(caller);
}

TestSuite(wire_tls_late, .init = setup, .fini = teardown);

static void
expect_text(struct duo *d, const char *what, const char *part)
{
	struct str t = wire_tls_failure_text(d->wire);

	cr_expect(t.p != NULL && strstr(t.p, part) != NULL,
	    "%s: \"%s\" lacks \"%s\"", what, t.p, part);
}

static void
give_cert(struct tls_spec *spec)
{
	spec->cert = blob_new(str_of(caller->cert_pem));
	spec->key = blob_new(str_of(caller->key_pem));
	duo_spec_seal(spec);
}

static void
pump(struct duo *d, int turns, struct text *got)
{
	struct span in;
	char b[4096];
	enum io io;
	int n;

	while (turns-- > 0) {
		loop_turn(d->loop);
		do {
			io = wire_read(d->wire, &in);
			if (io == IO_DONE && got != NULL)
				text_add(
				    got, (struct str){ .p = (const void *)in.p,
					     .len = in.len });
		} while (io == IO_DONE);
		(void)wire_flush(d->wire);
		ERR_clear_error();
		n = SSL_read(d->ssl, b, sizeof(b));
		if (n > 0 && got != NULL)
			text_add(got, (struct str){ .p = b, .len = (size_t)n });
	}
}

static struct tls_spec *
late_spec(bool may)
{
	struct tls_spec *spec = duo_spec(ca, "a.example", NULL);

	spec->allow_renegotiation = may;
	give_cert(spec);
	return spec;
}

static void
ask_late_12(struct duo *d)
{
	static unsigned char n;

	/* Another scope each time, or the session would be resumed. */
	n++;
	SSL_set_session_id_context(d->ssl, &n, 1);
	SSL_set_verify(
	    d->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	cr_assert_eq(SSL_renegotiate(d->ssl), 1);
	(void)SSL_do_handshake(d->ssl);
}

Test(wire_tls_late, renegotiation_is_refused)
{
	struct duo_peer o = { .cert = server_cert,
		.ca = caller_ca,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(false);
	struct span in;
	struct duo d;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	ask_late_12(&d);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	cr_expect_eq(wire_read(d.wire, &in), IO_FAIL, "and stays so");
	cr_expect_eq(wire_write(d.wire, STR("x")), IO_FAIL);
	cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_RENEGOTIATION);
	expect_text(&d, "refused", "set allowRenegotiation: true");
	pump(&d, 3, NULL);
	cr_expect_eq(d.alert, SSL_AD_NO_RENEGOTIATION, "alert %d", d.alert);
	cr_expect_null(SSL_get0_peer_certificate(d.ssl));
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_late, bytes_before_a_refused_renegotiation_arrive)
{
	struct duo_peer o = { .cert = server_cert,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(false);
	struct span in;
	struct duo d;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	cr_expect_eq(SSL_write(d.ssl, "hello", 5), 5);
	ask_late_12(&d);
	cr_assert_eq(duo_read(&d, &in), IO_DONE);
	cr_expect_eq(in.len, 5);
	cr_expect_eq(wire_read(d.wire, &in), IO_FAIL);
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_late, renegotiation_is_allowed_three_times)
{
	struct duo_peer o = { .cert = server_cert,
		.ca = caller_ca,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(true);
	struct text got = TEXT_EMPTY;
	struct span in;
	struct duo d;
	int i;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	for (i = 0; i < 3; i++) {
		ask_late_12(&d);
		/* Half of a renegotiation has passed when this is written. */
		loop_turn(d.loop);
		(void)wire_read(d.wire, &in);
		cr_expect_eq(wire_write(d.wire, STR("while")), IO_DONE);
		pump(&d, 10, &got);
		cr_expect_eq(SSL_renegotiate_pending(d.ssl), 0);
		cr_expect_not_null(SSL_get0_peer_certificate(d.ssl));
		cr_expect_eq(SSL_write(d.ssl, "+", 1), 1);
		pump(&d, 3, &got);
	}
	cr_expect_str_eq(got.p, "while+while+while+");
	ask_late_12(&d);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	expect_text(&d, "fourth", "more than 3 times");
	text_free(&got);
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_late, a_finish_waits_for_the_renegotiation)
{
	struct duo_peer o = { .cert = server_cert,
		.ca = caller_ca,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(true);
	struct text got = TEXT_EMPTY;
	struct span in;
	struct duo d;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	ask_late_12(&d);
	loop_turn(d.loop);
	(void)wire_read(d.wire, &in);
	cr_expect_eq(wire_write(d.wire, STR("last words")), IO_DONE);
	cr_expect_eq(wire_finish(d.wire), IO_AGAIN);
	pump(&d, 10, &got);
	cr_expect_str_eq(got.p, "last words");
	cr_expect(SSL_get_shutdown(d.ssl) & SSL_RECEIVED_SHUTDOWN);
	text_free(&got);
	duo_fini(&d);
	tls_spec_unref(spec);
}

/* The last of the server's handshake may come in one read with its data. */
Test(wire_tls_late, what_waited_leaves_with_the_read_that_ends_the_wait)
{
	struct duo_peer o = { .cert = server_cert,
		.ca = caller_ca,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(true);
	struct span in;
	struct duo d;
	char b[64];
	int i, n = 0;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	ask_late_12(&d);
	loop_turn(d.loop);
	cr_assert_eq(wire_read(d.wire, &in), IO_AGAIN);
	cr_assert_eq(wire_write(d.wire, STR("while")), IO_DONE);
	for (i = 0; i < 50; i++) {
		cr_assert_eq(SSL_read(d.ssl, b, sizeof(b)), -1);
		if (SSL_is_init_finished(d.ssl) &&
		    SSL_get0_peer_certificate(d.ssl) != NULL)
			break;
		loop_turn(d.loop);
		cr_assert_eq(wire_read(d.wire, &in), IO_AGAIN);
	}
	/* Its Finished is out, and nothing has read it yet. */
	cr_assert_eq(SSL_write(d.ssl, "+", 1), 1);
	loop_turn(d.loop);
	cr_assert_eq(wire_read(d.wire, &in), IO_DONE);
	cr_expect_eq(in.len, 1);
	/* Nobody touches the wire any more, and the peer has it all. */
	for (i = 0; i < 50 && n <= 0; i++)
		n = SSL_read(d.ssl, b, sizeof(b));
	cr_assert_eq(n, 5, "%d", n);
	cr_expect_eq(memcmp(b, "while", 5), 0);
	duo_fini(&d);
	tls_spec_unref(spec);
}

static void
count_call(void *arg)
{
	unsigned *n = arg;

	(*n)++;
}

/* Who writes is told to stop, and told when it goes on. */
Test(wire_tls_late, a_renegotiation_is_backpressure)
{
	struct duo_peer o = { .cert = server_cert,
		.ca = caller_ca,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(true);
	struct text got = TEXT_EMPTY;
	struct span in;
	struct duo d;
	unsigned calls = 0;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	cr_assert_eq(wire_write(d.wire, STR("before ")), IO_DONE);
	cr_expect_eq(wire_unsent(d.wire), 0);
	ask_late_12(&d);
	loop_turn(d.loop);
	(void)wire_read(d.wire, &in);
	cr_assert_eq(wire_write(d.wire, STR("while")), IO_DONE);
	cr_expect_eq(wire_unsent(d.wire), 5, "%zu", wire_unsent(d.wire));
	cr_expect_eq(wire_flush(d.wire), IO_AGAIN);
	pump(&d, 10, &got);
	cr_expect_str_eq(got.p, "before while");
	cr_expect_eq(wire_unsent(d.wire), 0);
	cr_expect_eq(wire_flush(d.wire), IO_DONE);

	/* The call that ends it comes from a read, so a kick follows. */
	ask_late_12(&d);
	loop_turn(d.loop);
	(void)wire_read(d.wire, &in);
	cr_assert_eq(wire_write(d.wire, STR("again")), IO_DONE);
	while (wire_unsent(d.wire) > 0) {
		char b[64];

		loop_turn(d.loop);
		(void)wire_read(d.wire, &in);
		(void)SSL_read(d.ssl, b, sizeof(b));
	}
	wire_set_owner(d.wire, count_call, &calls);
	loop_turn(d.loop);
	cr_expect_geq(calls, 1);
	text_free(&got);
	duo_fini(&d);
	tls_spec_unref(spec);
}

/* A server that changes its certificate must be one we would have let in. */
Test(wire_tls_late, renegotiation_verifies_again)
{
	struct pki *stranger = pki_server(other_ca, "api.example.com");
	struct duo_peer o = { .cert = server_cert,
		.max_version = TLS1_2_VERSION };
	struct tls_spec *spec = late_spec(true);
	struct span in;
	struct duo d;
	char b[16];
	enum io io;
	int i;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	cr_assert_eq(SSL_use_certificate(d.ssl, stranger->cert), 1);
	cr_assert_eq(SSL_use_PrivateKey(d.ssl, stranger->key), 1);
	ask_late_12(&d);
	for (i = 0, io = IO_AGAIN; i < 50 && io == IO_AGAIN; i++) {
		loop_turn(d.loop);
		io = wire_read(d.wire, &in);
		(void)SSL_read(d.ssl, b, sizeof(b));
	}
	cr_expect_eq(io, IO_FAIL);
	cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_CHAIN);
	duo_fini(&d);
	tls_spec_unref(spec);
	pki_free(stranger);
}

Test(wire_tls_late, a_late_request_of_tls_1_3)
{
	struct duo_peer o = { .cert = server_cert, .ca = caller_ca };
	struct tls_spec *spec;
	struct text got = TEXT_EMPTY;
	struct span in;
	struct duo d;
	int i;

	if (!duo_is_openssl())
		cr_skip("TLS 1.2 is offered, where there is no such request");
	spec = late_spec(true);
	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	SSL_set_verify(
	    d.ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	for (i = 0; i < 3; i++) {
		cr_assert_eq(SSL_verify_client_post_handshake(d.ssl), 1);
		(void)SSL_do_handshake(d.ssl);
		pump(&d, 5, &got);
		cr_expect_not_null(SSL_get0_peer_certificate(d.ssl));
		cr_expect_eq(wire_write(d.wire, STR("x")), IO_DONE);
		pump(&d, 3, &got);
	}
	cr_expect_str_eq(got.p, "xxx");
	cr_assert_eq(SSL_verify_client_post_handshake(d.ssl), 1);
	(void)SSL_do_handshake(d.ssl);
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_RENEGOTIATION);
	text_free(&got);
	duo_fini(&d);
	tls_spec_unref(spec);

	/* Not allowed: it is not offered, so the server cannot even ask. */
	spec = late_spec(false);
	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	SSL_set_verify(d.ssl, SSL_VERIFY_PEER, NULL);
	cr_expect_eq(SSL_verify_client_post_handshake(d.ssl), 0);
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_late, handshake_messages_without_end)
{
	struct duo_peer o = { .cert = server_cert };
	struct tls_spec *spec = duo_spec(ca, "a.example", NULL);
	struct span in;
	struct duo d;
	int i;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	/* Between data they are fine. */
	for (i = 0; i < 100; i++) {
		cr_assert_eq(
		    SSL_key_update(d.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		cr_assert_eq(SSL_write(d.ssl, "x", 1), 1);
		cr_assert_eq(duo_read(&d, &in), IO_DONE, "update %d", i);
		cr_expect_eq(wire_write(d.wire, STR("y")), IO_DONE);
		pump(&d, 1, NULL);
	}
	for (i = 0; i < 40; i++) {
		SSL_key_update(d.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		(void)SSL_do_handshake(d.ssl);
	}
	cr_expect_eq(duo_read(&d, &in), IO_FAIL);
	expect_text(&d, "updates", "without end");
	duo_fini(&d);
	tls_spec_unref(spec);
}
