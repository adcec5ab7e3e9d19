/* SPDX-License-Identifier: Apache-2.0 */
/* Wires that handle their records, are idle for long, and go on. */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_state.h"
#include "unit/tls/tls_duo.h"

#define ENGINES ((int)TLS_ENGINE_IPSEC_MB + 1)

static struct duo_world world;

static void
setup(void)
{
	duo_world_init(&world, TLS_RECORDS_OWN);
}

static void
teardown(void)
{
	duo_world_fini(&world);
}

TestSuite(wire_tls_own_rest, .init = setup, .fini = teardown);

static struct tls_wire *
open_client(struct duo *d, int version, bool has_tickets)
{
	struct tls_spec *spec = duo_spec(world.ca, "api.example.com", NULL);
	struct duo_peer o = { .max_version = version,
		.cert = world.server_cert };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct text why = TEXT_EMPTY;
	struct span in;

	SSL_CTX_set_num_tickets(ctx, has_tickets ? 2 : 0);
	duo_init(d);
	duo_peer_server_of(d, ctx);
	SSL_CTX_free(ctx);
	cr_assert(wire_tls_connect(
	    d->wire, world.clients, spec, STR("host:443"), &why));
	tls_spec_unref(spec);
	cr_assert_eq(duo_shake(d), IO_DONE);
	loop_turn(d->loop);
	cr_assert_eq(wire_read(d->wire, &in), IO_AGAIN);
	return d->wire->impl;
}

static void
receive(struct duo *d)
{
	struct span in;

	cr_assert_eq(SSL_write(d->ssl, "ping", 4), 4);
	cr_assert_eq(duo_read(d, &in), IO_DONE, "%.*s",
	    STR_ARG(wire_tls_failure_text(d->wire)));
	cr_assert_eq(in.len, 4);
	cr_assert_eq(memcmp(in.p, "ping", 4), 0);
}

static void
send_some(struct duo *d)
{
	char b[16];
	int i, n = -1;

	cr_assert_eq(wire_write(d->wire, STR("pong")), IO_DONE);
	for (i = 0; i < 50 && n <= 0; i++)
		n = duo_peer_read(d, b, sizeof(b));
	cr_assert_eq(n, 4);
	cr_assert_eq(memcmp(b, "pong", 4), 0);
}

static void
pass(struct duo *d, uint64_t ms)
{
	clock_fake(clock_ms() + ms, clock_wall_ms() + (int64_t)ms);
	loop_turn(d->loop);
}

static void
expect_awake(const struct tls_wire *t, bool in, bool out, const char *what)
{
	cr_expect_eq(t->own->in.cipher != NULL, in, "%s, in", what);
	cr_expect_eq(t->own->out.cipher != NULL, out, "%s, out", what);
}

static void
check_rest(int version)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, version, true);

	cr_assert(tls_own_is_on(t));
	for (int i = 0; i < 3; i++) {
		receive(&d);
		send_some(&d);
		pass(&d, 9000);
		expect_awake(t, true, true, "nine seconds");
		receive(&d);
		pass(&d, 9000);
		expect_awake(t, true, true, "since it received");
		pass(&d, 4000);
		expect_awake(t, false, false, "after a rest");
		receive(&d);
		expect_awake(t, true, false, "received again");
		send_some(&d);
		expect_awake(t, true, true, "sent again");
		pass(&d, 12000);
		expect_awake(t, false, false, "after another rest");
	}
	duo_fini(&d);
	clock_unfake();
}

Test(wire_tls_own_rest, ciphers_are_made_again)
{
	check_rest(TLS1_3_VERSION);
	check_rest(TLS1_2_VERSION);
}

/* Own keys are renewed from what is kept, whether or not there is a cipher. */
Test(wire_tls_own_rest, keys_are_renewed_after_it)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, TLS1_3_VERSION, true);
	uint8_t out[RECORD_SECRET_MOST];

	send_some(&d);
	pass(&d, 12000);
	memcpy(out, t->own->out.secret, sizeof(out));
	t->own->update_at = 1;
	send_some(&d);
	receive(&d);
	cr_expect_neq(memcmp(out, t->own->out.secret, 32), 0);
	duo_fini(&d);
	clock_unfake();
}

/* A server that gives none would have us keep the SSL object for ever. */
Test(wire_tls_own_rest, tickets_are_not_waited_for_any_longer)
{
	struct duo d;
	struct tls_wire *t = open_client(&d, TLS1_3_VERSION, false);

	cr_assert_not_null(t->ssl);
	pass(&d, 12000);
	cr_expect_null(t->ssl);
	receive(&d);
	cr_assert_eq(SSL_new_session_ticket(d.ssl), 1);
	receive(&d);
	send_some(&d);
	duo_fini(&d);
	clock_unfake();
}

Test(wire_tls_own_rest, engines_are_counted_as_before)
{
	uint64_t before[ENGINES];
	struct duo d;

	for (int i = 0; i < ENGINES; i++)
		before[i] = tls_engine_wires((enum tls_engine)i);
	(void)open_client(&d, TLS1_3_VERSION, true);
	send_some(&d);
	pass(&d, 12000);
	duo_fini(&d);
	for (int i = 0; i < ENGINES; i++)
		cr_expect_eq(tls_engine_wires((enum tls_engine)i), before[i],
		    "engine %d", i);
	clock_unfake();
}
