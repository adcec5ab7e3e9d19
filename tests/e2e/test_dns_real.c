/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With a name server that others wrote: dnsmasq (Debian: dnsmasq-base), which
 * is told to answer, to refuse and to lie, and is stopped and continued to be
 * late or silent.  Skipped where it is not installed.  DNS_SOAK_S in the
 * environment is for how long it is silent under load (make dns-soak).
 */

#include <criterion/logging.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "e2e/zones.h"

#define DNSMASQ "/usr/sbin/dnsmasq"
#define MANY 100
#define SOAK_S 6

struct real {
	struct world w;
	pid_t pid;
	uint16_t port;
	char hosts[128];
	char log[128];
};

static void
write_hosts(struct real *r)
{
	FILE *f = fopen(r->hosts, "we");

	cr_assert_not_null(f);
	(void)fputs("127.0.0.1 one.example\n169.254.169.254 meta.example\n", f);
	/* More than a packet holds. */
	for (int i = 1; i <= MANY; i++)
		(void)fprintf(f, "127.0.1.%d long.example\n", i);
	(void)fclose(f);
}

static void
run_server(const struct real *r)
{
	char port[32], hosts[160], log[160];

	/* A test that fails leaves nothing behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(port, sizeof(port), "--port=%u", r->port);
	(void)snprintf(hosts, sizeof(hosts), "--addn-hosts=%s", r->hosts);
	(void)snprintf(log, sizeof(log), "--log-facility=%s", r->log);
	(void)execl(DNSMASQ, DNSMASQ, "--keep-in-foreground",
	    "--conf-file=/dev/null",
	    "--pid-file=", "--user=", "--group=", "--listen-address=127.0.0.1",
	    "--bind-interfaces", "--no-resolv", "--no-hosts", "--local-ttl=2",
	    "--local=/none.example/", "--cname=alias.example,one.example",
	    "--srv-host=_db._tcp.example,one.example,1,1", "--log-queries",
	    port, hosts, log, (char *)NULL);
	_exit(127);
}

static unsigned
count_queries(const struct real *r, const char *name)
{
	FILE *f = fopen(r->log, "re");
	char line[512], want[128];
	unsigned n = 0;

	(void)snprintf(want, sizeof(want), "] %s from", name);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, "query[") != NULL &&
		     strstr(line, want) != NULL;
	if (f != NULL)
		(void)fclose(f);
	return n;
}

static bool
has_started(const struct real *r)
{
	FILE *f = fopen(r->log, "re");
	char line[512];
	bool is_there = false;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		is_there |= strstr(line, "read ") != NULL;
	if (f != NULL)
		(void)fclose(f);
	return is_there;
}

static void
open_real(struct real *r, unsigned workers)
{
	char config[512];

	if (access(DNSMASQ, X_OK) != 0)
		cr_skip_test("no " DNSMASQ " (Debian: dnsmasq-base)");
	world_init(&r->w, NULL);
	r->port = free_port();
	(void)snprintf(r->hosts, sizeof(r->hosts), "%s/names", r->w.home);
	(void)snprintf(r->log, sizeof(r->log), "%s/dnsmasq.log", r->w.home);
	write_hosts(r);
	r->pid = fork();
	cr_assert_neq(r->pid, -1);
	if (r->pid == 0)
		run_server(r);
	cr_assert(WAIT_UNTIL(10000, has_started(r)), "dnsmasq does not start");
	(void)snprintf(config, sizeof(config),
	    "dns = { servers = [ \"127.0.0.1:%u\" ]; hosts_file = \"\"; "
	    "min_ttl_s = 1; negative_ttl_s = 1; timeout_ms = 1000; };\n"
	    "services = ( { match = { service = \"srv\"; }; srv = true; } );",
	    r->port);
	egress_configure(r->w.e,
	    &(struct egress_options){ .config = config, .workers = workers });
}

static void
close_real(struct real *r)
{
	(void)kill(r->pid, SIGCONT);
	(void)kill(r->pid, SIGKILL);
	(void)waitpid(r->pid, NULL, 0);
	world_end(&r->w);
}

static void
serve(struct real *r, const char *service, const char *host, uint16_t port)
{
	write_es(r->w.e,
	    &(struct es){ .name = service, .host = host, .port = port });
}

Test(dns_real, answers_of_every_kind)
{
	struct real r;
	uint16_t port;

	open_real(&r, 1);
	port = ext_port(world_serve(
	    &r.w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" }));
	serve(&r, "one", "ONE.example", port);
	serve(&r, "alias", "alias.example", port);
	serve(&r, "none", "none.example", port);
	serve(&r, "refused", "elsewhere.test", port);
	serve(&r, "meta", "meta.example", port);
	world_start(&r.w);
	cr_expect_str_eq(who_serves(&r.w, "one"), "ext");
	cr_expect_str_eq(who_serves(&r.w, "alias"), "ext");
	cr_expect_str_eq(who_serves(&r.w, "none"), "");
	cr_expect(has_outcome(r.w.e, "dns_error", "no such name"));
	cr_expect_str_eq(who_serves(&r.w, "refused"), "");
	cr_expect(has_outcome(r.w.e, "dns_error", "the name server failed"));
	cr_expect_str_eq(who_serves(&r.w, "meta"), "");
	cr_expect(
	    has_outcome(r.w.e, "destination_ip_prohibited", "169.254.169.254"));
	close_real(&r);
}

/* A hundred addresses: the answer is cut, and asked for over TCP. */
Test(dns_real, a_long_answer)
{
	const char *said;
	struct real r;
	uint16_t port;

	open_real(&r, 1);
	port = ext_port(world_serve(
	    &r.w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" }));
	serve(&r, "long", "long.example", port);
	world_start(&r.w);
	(void)who_serves(&r.w, "long");
	said = egress_ctl(r.w.e, "dns");
	cr_expect_not_null(strstr(said, "long.example 127.0.1."), "%s", said);
	/* A over UDP and over TCP, AAAA once. */
	cr_expect_eq(count_queries(&r, "long.example"), 3);
	close_real(&r);
}

/* The port of the record is 1, where nobody is. */
Test(dns_real, srv)
{
	struct real r;

	open_real(&r, 1);
	serve(&r, "srv", "_db._tcp.example", 443);
	world_start(&r.w);
	cr_expect_str_eq(who_serves(&r.w, "srv"), "");
	cr_expect_not_null(egress_log_line(r.w.e, "127.0.0.1:1 ", NULL));
	close_real(&r);
}

/* It is slow for a second: callers wait, and are served. */
Test(dns_real, a_late_answer_is_waited_for)
{
	struct mesh_options o;
	struct mesh_client m;
	struct real r;

	open_real(&r, 1);
	serve(&r, "one", "one.example",
	    ext_port(world_serve(&r.w,
		&(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" })));
	world_start(&r.w);
	(void)kill(r.pid, SIGSTOP);
	o = caller(&r.w, "one");
	cr_assert(mesh_open(&m, &o));
	(void)poll(NULL, 0, 700);
	(void)kill(r.pid, SIGCONT);
	check_echo(&m, "ext");
	mesh_close(&m);
	close_real(&r);
}

static unsigned
soak_s(void)
{
	const char *text = getenv("DNS_SOAK_S");

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : SOAK_S;
}

/*
 * It is stopped under load, with answers that live for two seconds: no connect
 * fails, and what it finds in its socket later is less than a query a second.
 */
Test(dns_real, an_outage_costs_no_connection, .timeout = 900)
{
	unsigned before, asked, calls = 0, bad = 0, s = soak_s();
	uint64_t until;
	struct real r;

	open_real(&r, 2);
	serve(&r, "one", "one.example",
	    ext_port(world_serve(&r.w,
		&(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" })));
	world_start(&r.w);
	/* Both workers know the name. */
	for (unsigned i = 0; i < 50; i++)
		cr_expect_str_eq(who_serves(&r.w, "one"), "ext");
	before = count_queries(&r, "one.example");
	(void)kill(r.pid, SIGSTOP);
	for (until = clock_ms() + s * 1000ull; clock_ms() < until; calls++)
		bad += strcmp(who_serves(&r.w, "one"), "ext") != 0;
	cr_expect_gt(egress_metric(r.w.e, "zegress_dns_stale_served"), 0);
	(void)kill(r.pid, SIGCONT);
	/* It takes what lay in its socket at once, and logs it. */
	(void)poll(NULL, 0, 300);
	asked = count_queries(&r, "one.example") - before;
	cr_expect_geq(asked, 4);
	cr_expect_leq(asked, s + 1, "%u queries in %u s", asked, s);
	/* That it is back is noticed by who needs it. */
	cr_expect(WAIT_UNTIL(
	    60000, *who_serves(&r.w, "one") != '\0' &&
		       egress_metric(r.w.e, "zegress_dns_failing_names") == 0));
	cr_log_info("%u connections in %u s, %u failed, %u queries", calls, s,
	    bad, asked);
	cr_expect_eq(bad, 0, "%u of %u failed", bad, calls);
	cr_expect_gt(calls, 10 * s);
	close_real(&r);
}
