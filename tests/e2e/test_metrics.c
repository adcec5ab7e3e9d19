/* SPDX-License-Identifier: Apache-2.0 */
/* /stats/prometheus: its form, its names, and that its values are true. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "e2e/fixture.h"

#define BODY_MOST (1 << 20)

/* A name may stand in one block only, and its type before its values. */
struct family {
	char name[128];
	char type[16];
};

#define FAMILIES 256

struct parsed {
	struct family families[FAMILIES];
	size_t n;
	size_t samples;
};

static const char *
read_name(const char *l, char *out, size_t cap)
{
	size_t n = strspn(l, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");

	cr_assert(n > 0 && n < cap, "no name: %s", l);
	(void)snprintf(out, cap, "%.*s", (int)n, l);
	return l + n;
}

static void
read_comment(struct parsed *p, const char *l)
{
	struct family *f = &p->families[p->n];
	char name[128];

	if (strncmp(l, "# HELP ", 7) == 0) {
		l = read_name(l + 7, name, sizeof(name));
		cr_expect(l[0] == ' ' && l[1] != '\0', "no help: %s", name);
		return;
	}
	cr_assert_eq(strncmp(l, "# TYPE ", 7), 0, "%s", l);
	l = read_name(l + 7, f->name, sizeof(f->name));
	(void)snprintf(f->type, sizeof(f->type), "%s", l + 1);
	cr_expect(strcmp(f->type, "counter") == 0 ||
		      strcmp(f->type, "gauge") == 0 ||
		      strcmp(f->type, "histogram") == 0,
	    "%s: type %s", f->name, f->type);
	for (size_t i = 0; i < p->n; i++)
		cr_expect_neq(strcmp(p->families[i].name, f->name), 0,
		    "%s stands there twice", f->name);
	p->n++;
	cr_assert_lt(p->n, FAMILIES);
}

/* name="value", without the marks that would end either. */
static const char *
read_labels(const char *l)
{
	char name[128];

	do {
		l = read_name(l + 1, name, sizeof(name));
		cr_assert_eq(strncmp(l, "=\"", 2), 0, "%s", l);
		for (l += 2; *l != '"'; l++) {
			cr_assert_neq(*l, '\0', "a label without an end");
			l += *l == '\\';
		}
		l++;
	} while (*l == ',');
	cr_assert_eq(*l, '}', "%s", l);
	return l + 1;
}

static void
read_sample(struct parsed *p, const char *l)
{
	const struct family *f = &p->families[p->n - 1];
	char name[128], *end;
	const char *suffix;

	cr_assert_gt(p->n, 0, "no type before %s", l);
	suffix = name + strlen(f->name);
	l = read_name(l, name, sizeof(name));
	cr_assert_eq(strncmp(name, f->name, strlen(f->name)), 0,
	    "%s in the block of %s", name, f->name);
	if (strcmp(f->type, "histogram") == 0)
		cr_expect(strcmp(suffix, "_bucket") == 0 ||
			      strcmp(suffix, "_sum") == 0 ||
			      strcmp(suffix, "_count") == 0,
		    "%s", name);
	else
		cr_expect_str_empty(suffix);
	if (*l == '{')
		l = read_labels(l);
	cr_assert_eq(*l, ' ', "%s", l);
	(void)strtod(l + 1, &end);
	cr_expect(end > l + 1 && *end == '\0', "no number: %s", l);
	p->samples++;
}

static void
parse(char *body, struct parsed *p)
{
	char *save = NULL;

	cr_assert(str_ends(str_of(body), STR("\n")));
	for (char *l = strtok_r(body, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save)) {
		if (*l == '#')
			read_comment(p, l);
		else
			read_sample(p, l);
	}
}

/* What Kuma's board for zone egresses asks for. */
static const char *const board[] = {
	"envoy_control_plane_connected_state",
	"envoy_server_uptime",
	"envoy_server_days_until_first_cert_expiring",
	"envoy_server_memory_heap_size",
	"envoy_server_watchdog_miss",
	"envoy_server_watchdog_mega_miss",
	"envoy_listener_downstream_cx_active",
	"envoy_listener_downstream_cx_total",
	"envoy_listener_downstream_cx_overflow",
	"envoy_listener_downstream_cx_overload_reject",
	"envoy_listener_ssl_handshake",
	"envoy_listener_ssl_fail_verify_error",
	"envoy_listener_ssl_connection_error",
	"envoy_listener_manager_lds_update_rejected",
	"envoy_listener_manager_lds_update_success",
	"envoy_control_plane_pending_requests",
	"envoy_cluster_upstream_rq_total",
	"envoy_cluster_upstream_rq_xx",
	"envoy_cluster_upstream_cx_total",
	"envoy_cluster_upstream_cx_active",
	"envoy_cluster_upstream_cx_connect_fail",
	"envoy_cluster_upstream_cx_connect_ms",
	"envoy_cluster_upstream_cx_tx_bytes_total",
	"envoy_cluster_upstream_cx_rx_bytes_total",
	"envoy_cluster_upstream_cx_destroy_remote_with_active_rq",
	"envoy_cluster_upstream_cx_pool_overflow",
	"envoy_cluster_upstream_rq_pending_overflow",
	"envoy_cluster_upstream_rq_retry",
	"envoy_cluster_upstream_rq_retry_success",
	"envoy_cluster_upstream_rq_timeout",
	"envoy_cluster_circuit_breakers_default_cx_open",
	"envoy_cluster_circuit_breakers_default_rq_open",
	"envoy_cluster_circuit_breakers_default_rq_pending_open",
	"envoy_cluster_circuit_breakers_default_rq_retry_open",
	"envoy_cluster_membership_healthy",
	"envoy_cluster_update_rejected",
	"envoy_cluster_update_success",
};

static bool
has_family(const struct parsed *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->families[i].name, name) == 0)
			return true;
	return false;
}

Test(metrics, are_well_formed_and_have_the_names_of_the_board)
{
	static struct parsed p;
	struct world w;
	char *body = calloc(1, BODY_MOST);

	world_start_two(&w, NULL);
	world_use_two(&w);
	cr_assert_eq(
	    egress_get(w.e, "/stats/prometheus", body, BODY_MOST), 200);
	parse(body, &p);
	cr_expect_gt(p.samples, 100);
	for (size_t i = 0; i < sizeof(board) / sizeof(board[0]); i++)
		cr_expect(has_family(&p, board[i]), "no %s", board[i]);
	free(body);
	world_end(&w);
}

static void
check_values(struct world *w, const char *what, const char *label,
    const char *const (*rows)[2], size_t n)
{
	char line[256];

	for (size_t i = 0; i < n; i++) {
		double want = strtod(rows[i][1], NULL);

		(void)snprintf(line, sizeof(line), "%s{%s", rows[i][0], label);
		cr_expect(WAIT_UNTIL(5000, egress_metric(w->e, line) == want),
		    "%s: %s is %f, not %s", what, line,
		    egress_metric(w->e, line), rows[i][1]);
	}
}

#define CHECK_VALUES(w, what, label, rows) \
	check_values(w, what, label, rows, sizeof(rows) / sizeof((rows)[0]))

Test(metrics, of_a_tcp_service)
{
	static const char *const rows[][2] = {
		{ "envoy_cluster_upstream_cx_total", "2" },
		{ "envoy_cluster_upstream_cx_active", "1" },
		{ "envoy_cluster_upstream_rq_total", "2" },
		{ "envoy_cluster_upstream_rq_active", "1" },
		{ "envoy_cluster_upstream_cx_connect_fail", "0" },
		{ "envoy_cluster_upstream_cx_connect_ms_count", "2" },
		{ "envoy_cluster_upstream_cx_tx_bytes_total", "12" },
		{ "envoy_cluster_upstream_cx_rx_bytes_total", "32" },
		{ "envoy_cluster_membership_healthy", "1" },
		{ "envoy_cluster_membership_total", "1" },
		{ "zegress_service_allowed", "2" },
		{ "zegress_service_denied", "0" },
	};
	static const char *const listener[][2] = {
		{ "envoy_listener_downstream_cx_total", "2" },
		{ "envoy_listener_downstream_cx_active", "1" },
		{ "envoy_listener_ssl_handshake", "2" },
		{ "envoy_listener_no_filter_chain_match", "0" },
	};
	struct world w;
	struct mesh_client open, closed;

	world_start_two(&w, NULL);
	call(&w, &open, "raw");
	check_echo(&open, "ext");
	call(&w, &closed, "raw");
	check_echo(&closed, "ext");
	mesh_close(&closed);
	CHECK_VALUES(&w, "tcp", "envoy_cluster_name=\"default_raw\"", rows);
	CHECK_VALUES(
	    &w, "listener", "envoy_listener_address=\"127.0.0.1:", listener);
	cr_expect_eq(
	    egress_metric(w.e,
		"envoy_cluster_upstream_cx_connect_ms_bucket{envoy_cluster_"
		"name=\"default_raw\",le=\"+Inf\"}"),
	    2);
	cr_expect_eq(
	    egress_metric(w.e,
		"envoy_cluster_upstream_cx_connect_ms_bucket{envoy_cluster_"
		"name=\"default_raw\",le=\"5000\"}"),
	    2);
	cr_expect_eq(ended(w.e, "ok"), 1);
	cr_expect_eq(egress_metric(w.e, "zegress_services"), 2);
	/* The mesh's CA: what is minted renews itself. */
	cr_expect_geq(
	    egress_metric(w.e, "envoy_server_days_until_first_cert_expiring"),
	    3640);
	cr_expect_gt(
	    egress_metric(w.e, "envoy_server_memory_heap_size"), 1 << 20);
	mesh_close(&open);
	world_end(&w);
}

Test(metrics, of_an_http_service)
{
	static const char *const rows[][2] = {
		{ "envoy_cluster_upstream_cx_total", "1" },
		{ "envoy_cluster_upstream_rq_total", "4" },
		{ "envoy_cluster_upstream_rq_active", "0" },
		{ "envoy_cluster_upstream_cx_connect_ms_count", "1" },
		{ "zegress_service_allowed", "4" },
	};
	static const char *const classes[] = { "2", "3", "4", "5" };
	struct world w;
	struct mesh_client m;

	world_start_two(&w, NULL);
	call(&w, &m, "api");
	for (int status = 200; status <= 500; status += 100) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/status/%d", status);
		cr_expect_eq(status_of(ask_get(&m, path)), status);
	}
	CHECK_VALUES(&w, "http", "envoy_cluster_name=\"default_api\"", rows);
	for (size_t i = 0; i < 4; i++) {
		char line[128];

		(void)snprintf(line, sizeof(line),
		    "envoy_cluster_upstream_rq_xx{envoy_cluster_name=\"default_"
		    "api\",envoy_response_code_class=\"%s\"}",
		    classes[i]);
		cr_expect_eq(egress_metric(w.e, line), 1, "%s", line);
	}
	mesh_close(&m);
	world_end(&w);
}

static double
value_of(struct world *w, const char *metric, const char *label)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "%s{%s", metric, label);
	return egress_metric(w->e, line);
}

#define LISTENER "envoy_listener_address=\"127.0.0.1:"

/* Callers that fail, each in its counter and in no other. */
Test(metrics, of_callers_that_fail)
{
	static const char *const counters[] = {
		"envoy_listener_ssl_fail_verify_error",
		"envoy_listener_ssl_fail_verify_san",
		"envoy_listener_ssl_fail_verify_no_cert",
		"envoy_listener_ssl_connection_error",
		"envoy_listener_no_filter_chain_match",
	};
	struct world w;
	struct pki *other, *liar, *stranger;

	world_start_two(&w, NULL);
	other = pki_mesh_ca("default");
	liar = pki_sidecar(other, "default", "web", NULL);
	stranger = pki_sidecar(w.mesh_ca, "elsewhere", "web", NULL);
	for (size_t i = 0; i < 5; i++) {
		struct mesh_options o = caller(&w, "raw");
		const struct pki *p = i == 0 ? liar : stranger;
		struct mesh_client m;

		if (i < 2) {
			o.cert_pem = p->cert_pem;
			o.key_pem = p->key_pem;
		}
		if (i == 2)
			o.cert_pem = NULL;
		if (i == 3)
			o.max_version = TLS1_1_VERSION;
		if (i == 4)
			o.sni = sni_of("nobody");
		(void)mesh_open(&m, &o);
		(void)mesh_wait_end(&m, 5000);
		mesh_close(&m);
		for (size_t j = 0; j < 5; j++)
			cr_expect(WAIT_UNTIL(2000, value_of(&w, counters[j],
						       LISTENER) == (j <= i)),
			    "case %zu: %s is %f", i, counters[j],
			    value_of(&w, counters[j], LISTENER));
	}
	cr_expect_eq(value_of(&w, "envoy_listener_ssl_handshake", LISTENER), 0);
	world_end(&w);
	pki_free(other);
	pki_free(liar);
	pki_free(stranger);
}

#define CLUSTER(name) "envoy_cluster_name=\"default_" name "\""

/* Servers that cannot be reached. */
Test(metrics, of_servers_that_fail)
{
	static const char *const refused[][2] = {
		{ "envoy_cluster_upstream_cx_connect_fail", "1" },
		{ "envoy_cluster_upstream_cx_connect_timeout", "0" },
		{ "envoy_cluster_upstream_cx_active", "0" },
		{ "envoy_cluster_upstream_rq_active", "0" },
		{ "envoy_cluster_membership_healthy", "0" },
		{ "envoy_cluster_membership_total", "1" },
	};
	static const char *const late[][2] = {
		{ "envoy_cluster_upstream_cx_connect_fail", "1" },
		{ "envoy_cluster_upstream_cx_connect_timeout", "1" },
		{ "envoy_cluster_upstream_rq_active", "0" },
	};
	struct world w;
	struct mesh_client m;
	struct ext_server *s;

	world_start_two(&w, "limits = { connect_ms = 200; };");
	s = world_serve(&w, &(struct ext_config){ .fault = EXT_SILENT });
	write_es(w.e, &(struct es){ .name = "late",
			  .port = ext_port(s),
			  .tls = "caCert: { secret: ext-ca }" });
	write_es(w.e, &(struct es){ .name = "refused", .port = free_port() });
	cr_assert(in_force(w.e, "ES/late "));
	cr_assert(in_force(w.e, "ES/refused "));
	call(&w, &m, "refused");
	(void)mesh_wait_end(&m, 5000);
	mesh_close(&m);
	call(&w, &m, "late");
	(void)mesh_wait_end(&m, 5000);
	mesh_close(&m);
	CHECK_VALUES(&w, "refused", CLUSTER("refused"), refused);
	CHECK_VALUES(&w, "late", CLUSTER("late"), late);
	cr_expect_eq(ended(w.e, "connection_refused"), 1);
	cr_expect_eq(ended(w.e, "connection_timeout"), 1);
	world_end(&w);
}

/* Answers of ours are counted as such, not as the server's. */
Test(metrics, of_requests_that_fail)
{
	static const char *const rows[][2] = {
		{ "envoy_cluster_upstream_rq_total", "3" },
		{ "envoy_cluster_upstream_rq_active", "0" },
		{ "envoy_cluster_upstream_rq_timeout", "1" },
		{ "envoy_cluster_upstream_cx_destroy_remote_with_active_rq",
		    "1" },
		{ "zegress_service_denied", "1" },
	};
	struct world w;
	struct mesh_client m;

	world_start_two(&w, "limits = { stream_idle_ms = 300; };");
	cr_expect_eq(status_of(get_once(&w, "api", "/none")), 503);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	call(&w, &m, "api");
	(void)ask_get(&m, "/hang");
	mesh_close(&m);
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v api"), "no rule") != NULL));
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 403);
	CHECK_VALUES(&w, "requests", CLUSTER("api"), rows);
	cr_expect_eq(value_of(&w, "envoy_cluster_upstream_rq_xx",
			 CLUSTER("api") ","
					"envoy_response_code_class=\"5\""),
	    0);
	world_end(&w);
}

/* Over all workers, and never twice. */
Test(metrics, are_sums_over_all_workers)
{
	enum { CALLS = 40 };
	struct world w;

	world_init_with(&w, &(struct egress_options){ .workers = 4 });
	write_es(w.e, &(struct es){ .name = "raw",
			  .port = ext_port(world_serve(
			      &w, &(struct ext_config){ .protocol = EXT_ECHO,
				      .name = "ext" })) });
	world_start(&w);
	for (int i = 0; i < CALLS; i++) {
		struct mesh_client m;

		call(&w, &m, "raw");
		check_echo(&m, "ext");
		mesh_close(&m);
	}
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "ok") == CALLS));
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_rq_total", "raw"),
	    CALLS);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_cx_active", "raw"), 0);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_membership_total", "raw"), 1);
	cr_expect_eq(
	    value_of(&w, "envoy_listener_downstream_cx_total", LISTENER),
	    CALLS);
	cr_expect_eq(
	    value_of(&w, "envoy_listener_downstream_cx_active", LISTENER), 0);
	world_end(&w);
}
