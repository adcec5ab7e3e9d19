/* SPDX-License-Identifier: Apache-2.0 */
#ifndef E2E_ODD_H
#define E2E_ODD_H

/*
 * Servers that others wrote, HAProxy and nginx, where Debian's are installed:
 * configured by the test in the home of its world, one process each.
 */

#include "e2e/peers.h"
#include "support/program.h"

#define NGINX "/usr/sbin/nginx"
#define HAPROXY "/usr/sbin/haproxy"

struct odd {
	pid_t pid;
	uint16_t port;
	char log[128];  /* "METHOD PATH STATUS " begins a line a request */
	char cert[128]; /* with its key; of odd_certify() */
	char ca[128];
};

/* Skips the test where the program is not installed. */
#define ODD_NEEDS(program)                           \
	do {                                         \
		if (access(program, X_OK) != 0)      \
			cr_skip_test("no " program); \
	} while (0)

/* A port for it; nothing runs yet. */
void odd_init(struct odd *o, struct world *w);
/* A certificate of the external CA for name, which is a name from then on. */
void odd_certify(struct odd *o, struct world *w, const char *name);
/* listen: more words of that line; fmt: the rest of the server's block. */
void odd_run_nginx(struct odd *o, struct world *w, const char *listen,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* bind: more words of that line; fmt: the rest of the frontend. */
void odd_run_haproxy(struct odd *o, struct world *w, const char *bind,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Lines of its log that begin with this. */
unsigned odd_count(const struct odd *o, const char *text);
/* Likewise, waiting for the first. */
unsigned odd_saw(const struct odd *o, const char *text);
void odd_end(struct odd *o);

#endif
