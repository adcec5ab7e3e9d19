/* SPDX-License-Identifier: Apache-2.0 */
/* Configures, starts and reads HAProxy and nginx. */

#include "e2e/odd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
odd_init(struct odd *o, struct world *w)
{
	memset(o, 0, sizeof(*o));
	o->port = free_port();
	(void)snprintf(
	    o->log, sizeof(o->log), "%s/%u.log", w->home, (unsigned)o->port);
}

static FILE *
create(const char *path)
{
	FILE *f = fopen(path, "we");

	cr_assert_not_null(f, "%s", path);
	return f;
}

void
odd_certify(struct odd *o, struct world *w, const char *name)
{
	struct pki *p = pki_server(w->external_ca, name);
	FILE *f;

	(void)snprintf(
	    o->cert, sizeof(o->cert), "%s/%u.pem", w->home, (unsigned)o->port);
	(void)snprintf(
	    o->ca, sizeof(o->ca), "%s/%u.ca", w->home, (unsigned)o->port);
	f = create(o->cert);
	(void)fprintf(f, "%s%s", p->cert_pem, p->key_pem);
	(void)fclose(f);
	pki_write(w->external_ca, o->ca, NULL);
	pki_free(p);
	world_name(w, name, "127.0.0.1");
}

static void
start(struct odd *o, const char *const *argv)
{
	char out[160];

	(void)snprintf(out, sizeof(out), "%s.said", o->log);
	/* What HAProxy says is its log. */
	o->pid =
	    program_start(strcmp(argv[0], NGINX) == 0 ? out : o->log, argv);
	cr_assert(WAIT_UNTIL(10000, program_answers(o->port)),
	    "%s does not start, see %s", argv[0], o->log);
}

/* One process, so that it ends with the test; all its files are ours. */
static void
write_nginx(FILE *f, const struct odd *o, const struct world *w)
{
	static const char *const temps[] = { "client_body", "proxy", "fastcgi",
		"uwsgi", "scgi" };

	(void)fprintf(f,
	    "daemon off;\nmaster_process off;\npid %s/%u.pid;\n"
	    "events { worker_connections 256; }\nhttp {\n"
	    "log_format odd '$request_method $uri $status "
	    "$connection_requests';\naccess_log %s odd;\n",
	    w->home, (unsigned)o->port, o->log);
	for (size_t i = 0; i < sizeof(temps) / sizeof(temps[0]); i++)
		(void)fprintf(f, "%s_temp_path %s/temp;\n", temps[i], w->home);
}

void
odd_run_nginx(
    struct odd *o, struct world *w, const char *listen, const char *fmt, ...)
{
	char path[128], said[160];
	FILE *f;
	va_list ap;

	(void)snprintf(
	    path, sizeof(path), "%s/%u.conf", w->home, (unsigned)o->port);
	(void)snprintf(said, sizeof(said), "%s.errors", o->log);
	f = create(path);
	write_nginx(f, o, w);
	(void)fprintf(f, "server {\nlisten 127.0.0.1:%u %s;\n",
	    (unsigned)o->port, listen);
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	(void)fputs("\n}\n}\n", f);
	(void)fclose(f);
	start(o, (const char *const[]){
		     NGINX, "-p", w->home, "-e", said, "-c", path, NULL });
}

void
odd_run_haproxy(
    struct odd *o, struct world *w, const char *bind, const char *fmt, ...)
{
	char path[128];
	FILE *f;
	va_list ap;

	(void)snprintf(
	    path, sizeof(path), "%s/%u.conf", w->home, (unsigned)o->port);
	f = create(path);
	(void)fprintf(f,
	    "global\n maxconn 100\n nbthread 1\ndefaults\n mode http\n"
	    " log stdout format raw local0\n log-format \"%%HM %%HP %%ST \"\n"
	    " timeout client 20s\nfrontend f\n bind 127.0.0.1:%u %s\n",
	    (unsigned)o->port, bind);
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	(void)fputc('\n', f);
	(void)fclose(f);
	start(o, (const char *const[]){ HAPROXY, "-db", "-f", path, NULL });
}

unsigned
odd_count(const struct odd *o, const char *text)
{
	FILE *f = fopen(o->log, "re");
	char line[512];
	unsigned n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strncmp(line, text, strlen(text)) == 0;
	if (f != NULL)
		(void)fclose(f);
	return n;
}

unsigned
odd_saw(const struct odd *o, const char *text)
{
	(void)WAIT_UNTIL(5000, odd_count(o, text) > 0);
	return odd_count(o, text);
}

void
odd_end(struct odd *o)
{
	program_stop(o->pid);
}
