/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching a server behind a Unix socket of this host.  Over real sockets. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/service_option.h"
#include "upstream_rig.h"

static struct rig g;
static struct service_options o;
static struct service *s;
static char file[96];

static void
setup(void)
{
	rig_init(&g);
	rig_start(&g);
	o = *service_options_standard();
	(void)snprintf(file, sizeof(file), "/tmp/reach_unix.%d", getpid());
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
	(void)unlink(file);
}

TestSuite(reach_unix, .init = setup, .fini = teardown, .timeout = 60);

static void
reach_at(const char *host, uint16_t port, struct rig_reached *r)
{
	if (s == NULL)
		s = rig_service_with(&o, PROTO_HTTP, "s", "r0",
		    (const struct rig_endpoint[]){
			{ .key = "a", .host = host, .port = port },
			{ .key = NULL } });
	rig_reach(&g, s, &RIG_ANY, r);
}

Test(reach_unix, a_unix_socket)
{
	const struct ext_config c = {
		.protocol = EXT_ECHO, .greeting = "hello\n", .unix_path = file
	};
	struct ext_server *x = ext_start(&c);
	struct rig_reached r;

	reach_at(file, 0, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_expect_text(&g, &r, "hello\n");
	cr_expect_eq(r.r.addr.len, 0);
	cr_expect(rig_says(&g, file));
	rig_hang_up(&r);
	ext_stop(x);
	reach_at(file, 0, &r);
	cr_expect_eq(r.r.status, REACH_REFUSED, "%s", r.r.detail);
	rig_hang_up(&r);
	(void)unlink(file);
	reach_at(file, 0, &r);
	cr_expect_eq(r.r.status, REACH_UNREACHABLE, "%s", r.r.detail);
	cr_expect_not_null(strstr(r.r.detail, file), "%s", r.r.detail);
	rig_hang_up(&r);
}

/* By an option, in place of what the endpoints say; no name is asked for. */
Test(reach_unix, a_unix_socket_in_place_of_a_name)
{
	const struct ext_config c = {
		.protocol = EXT_ECHO, .greeting = "hello\n", .unix_path = file
	};
	struct ext_server *x = ext_start(&c);
	char dial[112];
	struct rig_reached r;

	(void)snprintf(dial, sizeof(dial), "unix:%s", file);
	o.dial = str_of(dial);
	reach_at("bank.example", 443, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_expect_text(&g, &r, "hello\n");
	cr_expect_eq(dns_server_count(g.names, "bank.example"), 0);
	rig_hang_up(&r);
	ext_stop(x);
}
