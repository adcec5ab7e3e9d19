/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the real daemon for a test, in a directory of its own. */

#include "support/egress.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/wait.h"

static void
die(const char *what)
{
	perror(what);
	abort();
}

static bool
is_free(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ok = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	(void)close(fd);
	return ok;
}

/*
 * Between the choice of a port and its use another test may choose it too.  So
 * whoever chooses one holds a name for it as long as its process lives: other
 * programs take theirs from the kernel, which gives higher ones.
 */
static bool
is_reserved_by_us(uint16_t port)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int n;

	if (fd == -1)
		die("socket");
	/* In no folder: the first byte stays 0. */
	n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1,
	    "zegress-test-port-%u", port);
	if (bind(fd, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			    (size_t)n)) == 0)
		return true;
	(void)close(fd);
	return false;
}

uint16_t
free_port(void)
{
	uint16_t port;

	do {
		if (getrandom(&port, sizeof(port), 0) != sizeof(port))
			die("getrandom");
		port = (uint16_t)(12000 + port % 20000);
	} while (!is_reserved_by_us(port) || !is_free(port));
	return port;
}

static void
write_file(const char *path, const char *text)
{
	char temp[512];
	FILE *f;

	(void)snprintf(temp, sizeof(temp), "%s.new", path);
	f = fopen(temp, "we");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0 ||
	    rename(temp, path) != 0)
		die(path);
}

static void
make_dir(const char *base, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", base, name);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		die(path);
}

static size_t
add_listener(char *out, size_t cap, size_t n, uint16_t port, const char *role)
{
	return n +
	       (size_t)snprintf(out + n, cap - n,
		   "%s{ address = \"127.0.0.1\"; port = %u; role = \"%s\"; }",
		   n > 0 ? ", " : "", port, role);
}

static void
add_dns(char *out, size_t cap, const struct egress_options *o)
{
	if (o->dns_port == 0)
		return;
	(void)snprintf(out, cap,
	    "dns = { servers = [ \"127.0.0.1:%u\" ]; hosts_file = \"\"; "
	    "timeout_ms = 500; %s };\n",
	    o->dns_port, o->dns != NULL ? o->dns : "");
}

void
egress_configure(struct egress *e, const struct egress_options *o)
{
	char listeners[512] = "", dns[512] = "", allow[256] = "", text[8192];
	const char *allowed = o->allow != NULL ? o->allow : "127.0.0.0/8";
	const char *engine = getenv("ZEGRESS_TLS_RECORDS");
	char records[64] = "";
	size_t n = 0;

	/* make check with each engine. */
	if (engine != NULL &&
	    (o->config == NULL || strstr(o->config, "tls_records") == NULL))
		(void)snprintf(records, sizeof(records),
		    "tls_records = \"%s\";\n", engine);
	if (!o->no_egress)
		n = add_listener(
		    listeners, sizeof(listeners), n, e->port, "egress");
	if (o->has_ingress)
		n = add_listener(
		    listeners, sizeof(listeners), n, e->ingress, "ingress");
	add_dns(dns, sizeof(dns), o);
	if (*allowed != '\0')
		(void)snprintf(allow, sizeof(allow),
		    "allow_addresses = [ \"%s\" ];\n", allowed);
	(void)snprintf(text, sizeof(text),
	    "zone = \"%s\";\nresources = \"%s/resources\";\n"
	    "secrets = \"%s/secrets\";\nlisteners = ( %s );\n"
	    "admin = { address = \"127.0.0.1\"; port = %u; socket = \"%s\"; "
	    "};\n"
	    "access_log = \"%s\";\nworkers = %u;\n%s%s%s%s",
	    e->zone, e->dir, e->dir, listeners, e->admin, e->socket,
	    e->access_path, o->workers != 0 ? o->workers : 1, allow, dns,
	    records, o->config != NULL ? o->config : "");
	write_file(e->config_path, text);
}

static void
make_home(struct egress *e, const struct egress_options *o)
{
	const char *temp = getenv("TMPDIR");

	if (o->dir != NULL) {
		(void)snprintf(e->dir, sizeof(e->dir), "%s", o->dir);
		if (mkdir(e->dir, 0755) != 0)
			die(e->dir);
		return;
	}
	(void)snprintf(e->dir, sizeof(e->dir), "%s/zegress.XXXXXX",
	    temp != NULL ? temp : "/tmp");
	if (mkdtemp(e->dir) == NULL || chmod(e->dir, 0755) != 0)
		die(e->dir);
}

void
egress_init(struct egress *e, const struct egress_options *o)
{
	memset(e, 0, sizeof(*e));
	make_home(e, o);
	(void)snprintf(e->zone, sizeof(e->zone), "%s",
	    o->zone != NULL ? o->zone : "zone-1");
	(void)snprintf(e->socket, sizeof(e->socket), "%s/ctl.sock", e->dir);
	(void)snprintf(
	    e->config_path, sizeof(e->config_path), "%s/zegressd.conf", e->dir);
	(void)snprintf(e->log_path, sizeof(e->log_path), "%s/log", e->dir);
	(void)snprintf(
	    e->access_path, sizeof(e->access_path), "%s/access.log", e->dir);
	make_dir(e->dir, "resources");
	make_dir(e->dir, "secrets");
	e->port = free_port();
	e->ingress = free_port();
	e->admin = free_port();
	egress_configure(e, o);
}

void
egress_write(struct egress *e, const char *name, const char *text)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/resources/%s", e->dir, name);
	write_file(path, text);
}

void
egress_writef(struct egress *e, const char *name, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	egress_write(e, name, text);
	free(text);
}

void
egress_secret(
    struct egress *e, const char *mesh, const char *name, const char *bytes)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "secrets/%s", mesh);
	make_dir(e->dir, path);
	(void)snprintf(
	    path, sizeof(path), "%s/secrets/%s/%s", e->dir, mesh, name);
	write_file(path, bytes);
}

void
egress_remove(struct egress *e, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/resources/%s", e->dir, name);
	if (unlink(path) != 0)
		die(path);
}

const char *
egress_program(const char *name)
{
	static __thread char path[512];
	const char *top = getenv("TOP_BUILDDIR");

	(void)snprintf(
	    path, sizeof(path), "%s/%s", top != NULL ? top : "..", name);
	return path;
}

/* False while it runs; it is forgotten when it does not. */
static bool
has_ended(struct egress *e, int *status)
{
	if (e->pid > 0 && waitpid(e->pid, status, WNOHANG) != e->pid)
		return false;
	e->pid = 0;
	return true;
}

static bool
is_up(struct egress *e)
{
	char body[256];
	int status;

	return has_ended(e, &status) ||
	       egress_get(e, "/ready", body, sizeof(body)) == 200;
}

static void
become_daemon(struct egress *e)
{
	int fd = open(e->log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	/* A test that dies takes it along. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(fd, STDERR_FILENO);
	(void)dup2(fd, STDOUT_FILENO);
	(void)execl(
	    egress_program("zegressd"), "zegressd", "-f", e->config_path, NULL);
	_exit(127);
}

bool
egress_start(struct egress *e)
{
	e->pid = fork();
	if (e->pid == -1)
		die("fork");
	if (e->pid == 0)
		become_daemon(e);
	return WAIT_UNTIL(20000, is_up(e)) && e->pid != 0;
}

void
egress_signal(struct egress *e, int number)
{
	if (e->pid > 0 && kill(e->pid, number) != 0)
		die("kill");
}

int
egress_wait(struct egress *e, unsigned ms)
{
	int status = -1;

	if (e->pid <= 0)
		return -1;
	if (WAIT_UNTIL(ms, has_ended(e, &status)))
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	(void)kill(e->pid, SIGKILL);
	(void)waitpid(e->pid, NULL, 0);
	e->pid = 0;
	return -1;
}

int
egress_stop(struct egress *e, unsigned ms)
{
	egress_signal(e, SIGTERM);
	return egress_wait(e, ms);
}

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;
	char *text = NULL;

	if (f == NULL)
		return calloc(1, 1);
	for (;;) {
		text = realloc(text, n + 65537);
		size_t got = fread(text + n, 1, 65536, f);
		n += got;
		if (got < 65536)
			break;
	}
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

void
egress_remove_tree(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	char sub[1024];

	if (d == NULL) {
		(void)unlink(path);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(sub, sizeof(sub), "%s/%s", path, entry->d_name);
		egress_remove_tree(sub);
	}
	(void)closedir(d);
	(void)rmdir(path);
}

void
egress_fini(struct egress *e, bool failed)
{
	char *text;

	(void)egress_stop(e, 500);
	if (failed) {
		text = read_file(e->log_path);
		(void)fprintf(stderr, "--- log of %s\n%s", e->zone, text);
		free(text);
		text = read_file(e->access_path);
		(void)fprintf(
		    stderr, "--- access log of %s\n%s", e->zone, text);
		free(text);
	}
	egress_remove_tree(e->dir);
}

int
egress_ctl_status(struct egress *e, const char *words, char *out, size_t n)
{
	char command[1024];
	size_t got;
	int status;
	FILE *f;

	(void)snprintf(command, sizeof(command), "%s -s %s %s 2>&1",
	    egress_program("zegressctl"), e->socket, words);
	f = popen(command, "re");
	if (f == NULL)
		die("popen");
	got = fread(out, 1, n - 1, f);
	out[got] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *
egress_ctl(struct egress *e, const char *words)
{
	static __thread char out[65536];

	(void)egress_ctl_status(e, words, out, sizeof(out));
	return out;
}

struct sink {
	char *p;
	size_t n, cap;
};

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct sink *s = arg;
	size_t room = s->cap - 1 - s->n, take = n < room ? n : room;

	(void)size;
	memcpy(s->p + s->n, p, take);
	s->n += take;
	return n;
}

long
egress_get(struct egress *e, const char *path, char *out, size_t cap)
{
	struct sink s = { out, 0, cap };
	CURL *c = curl_easy_init();
	char url[512];
	long status = 0;

	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u%s", e->admin, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 5000L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &s);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	out[s.n] = '\0';
	return status;
}

#define STATS_MOST (4 << 20)

static double
find_metric(const char *body, const char *line_start)
{
	size_t n = strlen(line_start);

	for (const char *l = body; l != NULL && *l != '\0';) {
		if (strncmp(l, line_start, n) == 0)
			return strtod(l + n + strcspn(l + n, " "), NULL);
		l = strchr(l, '\n');
		l = l == NULL ? NULL : l + 1;
	}
	return -1;
}

double
egress_metric(struct egress *e, const char *line_start)
{
	char *body = calloc(1, STATS_MOST);
	double value;

	(void)egress_get(e, "/stats/prometheus", body, STATS_MOST);
	value = find_metric(body, line_start);
	free(body);
	return value;
}

unsigned
egress_logged(struct egress *e, const char *a, const char *b)
{
	char *text = read_file(e->access_path), *save = NULL;
	unsigned n = 0;

	for (char *l = strtok_r(text, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save))
		if ((a == NULL || strstr(l, a) != NULL) &&
		    (b == NULL || strstr(l, b) != NULL))
			n++;
	free(text);
	return n;
}

static bool
find_line(struct egress *e, const char *a, const char *b, char *out, size_t cap)
{
	char *text = read_file(e->access_path), *save = NULL;
	bool found = false;

	for (char *l = strtok_r(text, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save))
		if ((a == NULL || strstr(l, a) != NULL) &&
		    (b == NULL || strstr(l, b) != NULL)) {
			(void)snprintf(out, cap, "%s", l);
			found = true;
		}
	free(text);
	return found;
}

const char *
egress_log_line(struct egress *e, const char *a, const char *b)
{
	static __thread char line[8192];

	return WAIT_UNTIL(5000, find_line(e, a, b, line, sizeof(line))) ? line
									: NULL;
}

bool
egress_said(struct egress *e, const char *text)
{
	char *log = read_file(e->log_path);
	bool found = strstr(log, text) != NULL;

	free(log);
	return found;
}

size_t
egress_rss(const struct egress *e)
{
	char path[64];
	unsigned long pages = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)e->pid);
	f = fopen(path, "re");
	if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		(void)fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}
