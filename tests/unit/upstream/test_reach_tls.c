/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS to the external server as a part of reaching it: what is verified and
 * sent comes from the settings, what fails is told, and what is tried next
 * depends on whether another address could be any different.
 */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "upstream_rig.h"

static struct rig g;
static struct pki *ca, *other_ca, *good, *expired, *other_name;

static void
setup(void)
{
	const struct pki_options root = { .subject = "CN=root" };
	const struct pki_options old = { .subject = "CN=old",
		.sans = "DNS:api.example.com",
		.from_s = -7200,
		.to_s = -3600 };

	rig_init(&g);
	rig_start(&g);
	ca = pki_ca_new(NULL, &root);
	other_ca = pki_ca_new(NULL, &root);
	good = pki_server(ca, "api.example.com");
	other_name = pki_server(ca, "www.example.com");
	expired = pki_leaf_new(ca, &old);
}

static void
teardown(void)
{
	pki_free(ca);
	pki_free(other_ca);
	pki_free(good);
	pki_free(expired);
	pki_free(other_name);
	rig_fini(&g);
}

TestSuite(reach_tls, .init = setup, .fini = teardown, .timeout = 60);

static struct ext_server *
tls_server(const struct pki *cert, enum ext_fault fault, const char *address,
    uint16_t port)
{
	const struct ext_config c = {
		.protocol = EXT_ECHO,
		.fault = fault,
		.name = "x",
		.address = address,
		.port = port,
		.cert_pem = cert->cert_pem,
		.key_pem = cert->key_pem,
	};

	return ext_start(&c);
}

static void
reach_one(const char *host, uint16_t port, struct tls_spec *tls,
    struct rig_reached *r)
{
	struct service *s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = host, .port = port, .tls = tls },
		{ .key = NULL } });

	rig_reach(&g, s, &RIG_ANY, r);
	service_unref(s);
}

Test(reach_tls, a_verified_server)
{
	struct ext_server *x = tls_server(good, EXT_FINE, NULL, 0);
	struct ext_seen seen;
	struct rig_reached r;

	reach_one("127.0.0.1", ext_port(x),
	    rig_tls(ca, "api.example.com", "api.example.com"), &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect(r.r.has_tls);
	cr_expect_str_eq(r.r.tls.version, "TLSv1.3");
	cr_expect(str_eq(r.r.tls.sni, STR("api.example.com")));
	cr_expect_gt(r.r.connect_us, 0);
	cr_expect(RIG_UNTIL(&g, (ext_get(x, &seen), seen.handshakes == 1)));
	cr_expect_str_eq(seen.sni, "api.example.com");
	rig_hang_up(&r);
	ext_stop(x);
}

Test(reach_tls, without_a_server_name)
{
	struct ext_server *x = tls_server(good, EXT_FINE, NULL, 0);
	struct ext_seen seen;
	struct rig_reached r;

	reach_one(
	    "127.0.0.1", ext_port(x), rig_tls(ca, "", "api.example.com"), &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect(RIG_UNTIL(&g, (ext_get(x, &seen), seen.handshakes == 1)));
	cr_expect_str_eq(seen.sni, "");
	rig_hang_up(&r);
	ext_stop(x);
}

Test(reach_tls, bytes_go_through)
{
	struct ext_server *x = tls_server(good, EXT_FINE, NULL, 0);
	struct text got = TEXT_EMPTY;
	struct rig_reached r;
	struct span span;

	reach_one("127.0.0.1", ext_port(x), rig_tls(ca, "", NULL), &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_assert_eq(wire_write(r.r.wire, STR("hello\n")), IO_DONE);
	cr_assert_eq(wire_flush(r.r.wire), IO_DONE);
	while (got.len < strlen("echo x: hello\n")) {
		enum io io = IO_AGAIN;

		cr_assert(RIG_UNTIL(
		    &g, (io = wire_read(r.r.wire, &span)) != IO_AGAIN));
		cr_assert_eq(io, IO_DONE);
		text_add(&got,
		    (struct str){ .p = (const void *)span.p, .len = span.len });
	}
	cr_expect(str_eq(text_str(&got), STR("echo x: hello\n")));
	text_free(&got);
	rig_hang_up(&r);
	ext_stop(x);
}

Test(reach_tls, what_is_wrong_is_told)
{
	const struct {
		const char *what;
		const struct pki *cert; /* NULL: plain */
		enum ext_fault fault;
		const struct pki *ca;
		enum reach_status status;
		enum tls_failure failure;
	} rows[] = {
		{ "wrong CA", good, EXT_FINE, other_ca, REACH_TLS,
		    TLS_FAIL_CHAIN },
		{ "wrong name", other_name, EXT_FINE, ca, REACH_TLS,
		    TLS_FAIL_NAME },
		{ "expired", expired, EXT_FINE, ca, REACH_TLS,
		    TLS_FAIL_EXPIRED },
		{ "plain", NULL, EXT_FINE, ca, REACH_TLS, TLS_FAIL_NOT_TLS },
		{ "closes", good, EXT_CLOSES, ca, REACH_TLS, TLS_FAIL_CLOSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ext_config plain = { .protocol = EXT_RAW,
			.name = "x",
			.greeting = "220 welcome\r\n" };
		struct ext_server *x =
		    rows[i].cert == NULL
			? ext_start(&plain)
			: tls_server(rows[i].cert, rows[i].fault, NULL, 0);
		struct rig_reached r;

		reach_one("127.0.0.1", ext_port(x),
		    rig_tls(rows[i].ca, "api.example.com", "api.example.com"),
		    &r);
		cr_expect(r.r.status == rows[i].status ||
			      (rows[i].fault == EXT_CLOSES &&
				  r.r.status == REACH_RESET),
		    "%s: %s", rows[i].what, reach_status_text(r.r.status));
		if (r.r.status == REACH_TLS)
			cr_expect_eq(r.r.tls_failure, rows[i].failure, "%s: %s",
			    rows[i].what, r.r.detail);
		cr_expect_not_null(strstr(r.r.detail, "a: TLS with 127.0.0.1:"),
		    "%s: %s", rows[i].what, r.r.detail);
		cr_expect_not(r.r.has_tls, "%s", rows[i].what);
		cr_expect_str_eq(r.endpoint, "a");
		cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0, "%s",
		    rows[i].what);
		ext_stop(x);
	}
	cr_expect_eq(
	    rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), ARRAY_LEN(rows));
}

Test(reach_tls, a_server_without_a_hello_is_late)
{
	struct ext_server *x = tls_server(good, EXT_SILENT, NULL, 0);
	struct rig_reached r;

	g.limits.connect_ms = 300;
	reach_one("127.0.0.1", ext_port(x), rig_tls(ca, "", NULL), &r);
	cr_expect_eq(r.r.status, REACH_LATE, "%s", r.r.detail);
	cr_expect_not_null(strstr(r.r.detail, "TLS"));
	cr_expect_geq(r.took_ms, 290);
	cr_expect_lt(r.took_ms, 700);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_TIMEOUT), 1);
	ext_stop(x);
}

Test(reach_tls, each_endpoint_has_its_own_settings)
{
	struct pki *second = pki_server(other_ca, "second.example.com");
	struct ext_server *x = tls_server(other_name, EXT_FINE, NULL, 0);
	struct ext_server *y = tls_server(second, EXT_FINE, NULL, 0);
	struct rig_reached r;
	struct service *s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a",
		    .host = "127.0.0.1",
		    .port = ext_port(x),
		    .tls = rig_tls(ca, "", "api.example.com") },
		{ .key = "b",
		    .host = "127.0.0.1",
		    .port = ext_port(y),
		    .tls = rig_tls(
			other_ca, "second.example.com", "second.example.com") },
		{ .key = NULL } });

	rig_reach(&g, s, &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(r.endpoint, "b");
	cr_expect_eq(r.r.attempts, 2);
	cr_expect_eq(r.r.tls_failure, TLS_FAIL_NONE);
	rig_hang_up(&r);
	service_unref(s);
	ext_stop(x);
	ext_stop(y);
	pki_free(second);
}

/* Two addresses of one name: what a certificate says holds for both. */
Test(reach_tls, another_address_only_when_it_may_differ)
{
	static const char *const addrs[] = { "127.0.0.1", "127.0.0.2", NULL };
	const struct dns_server_answer two = { .a = addrs, .ttl_s = 60 };
	const struct {
		const char *what;
		const struct pki *cert;
		enum ext_fault fault;
		enum reach_status status;
		unsigned attempts;
	} rows[] = {
		{ "wrong name", other_name, EXT_FINE, REACH_TLS, 1 },
		{ "closed early", good, EXT_CLOSES, REACH_OK, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ext_server *x =
		    tls_server(rows[i].cert, rows[i].fault, NULL, 0);
		struct ext_server *y =
		    tls_server(good, EXT_FINE, "127.0.0.2", ext_port(x));
		struct rig_reached r = { .calls = 0 };
		char name[32];

		snprintf(name, sizeof(name), "n%zu.example.com", i);
		dns_server_set(g.names, name, &two);
		/* Ask until the faulty one is the first. */
		do {
			rig_hang_up(&r);
			reach_one(name, ext_port(x),
			    rig_tls(ca, "", "api.example.com"), &r);
		} while (r.r.status == REACH_OK && r.r.attempts == 1);
		cr_expect_eq(r.r.status, rows[i].status, "%s: %s", rows[i].what,
		    r.r.detail);
		cr_expect_eq(
		    r.r.attempts, rows[i].attempts, "%s", rows[i].what);
		rig_hang_up(&r);
		ext_stop(x);
		ext_stop(y);
	}
}

Test(reach_tls, a_session_is_resumed_at_the_same_endpoint)
{
	struct ext_server *x = tls_server(good, EXT_FINE, NULL, 0);
	struct service *s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a",
		    .host = "127.0.0.1",
		    .port = ext_port(x),
		    .tls = rig_tls(ca, "api.example.com", NULL) },
		{ .key = NULL } });
	struct rig_reached r;
	struct span span;

	for (unsigned i = 0; i < 2; i++) {
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
		cr_expect_eq(r.r.tls.is_resumed, i == 1, "reach %u", i);
		/* The tickets come with the first bytes. */
		cr_assert_eq(wire_write(r.r.wire, STR("hi\n")), IO_DONE);
		cr_assert(
		    RIG_UNTIL(&g, wire_read(r.r.wire, &span) != IO_AGAIN));
		rig_hang_up(&r);
	}
	service_unref(s);
	ext_stop(x);
}

Test(reach_tls, a_relay_does_no_tls)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	struct service *s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "zi",
		    .host = "127.0.0.1",
		    .port = ext_port(x),
		    .is_remote = true,
		    .tls = rig_tls(ca, "api.example.com", NULL) },
		{ .key = NULL } });
	struct rig_reached r;

	rig_reach(&g, s,
	    &(struct reach_want){ .is_relay = true, .rulesets = UINT64_MAX },
	    &r);
	cr_expect_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_not(r.r.has_tls);
	rig_hang_up(&r);
	service_unref(s);
	ext_stop(x);
}
