/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_EGRESS_H
#define SUPPORT_EGRESS_H

/*
 * The real zegressd in a directory of its own: configuration and resources are
 * written there, its log is kept and shown when a test fails.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct egress_options {
	const char *dir;    /* made; NULL: a new one below TMPDIR or /tmp */
	const char *zone;   /* NULL: zone-1 */
	const char *config; /* more of zegressd.conf; may be NULL */
	const char *allow;  /* allow_addresses; NULL: loopback; "": none */
	/* Roles: an egress listener, an ingress listener. */
	bool no_egress;
	bool has_ingress;
	uint16_t dns_port; /* of the fake resolver; 0: none */
	const char *dns;   /* more of the dns section; may be NULL */
	unsigned workers;  /* 0: 1 */
};

struct egress {
	char dir[96];
	char socket[128];
	char config_path[128];
	char log_path[128];
	char access_path[128];
	pid_t pid;
	uint16_t port;    /* egress listener */
	uint16_t ingress; /* ingress listener */
	uint16_t admin;
	char zone[64];
};

/* Makes the directory and picks ports; resources can be written then. */
void egress_init(struct egress *e, const struct egress_options *o);
/* Writes zegressd.conf anew. */
void egress_configure(struct egress *e, const struct egress_options *o);
/* Rename into place, as an operator's tools do. */
void egress_write(struct egress *e, const char *name, const char *text);
void egress_writef(struct egress *e, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void egress_secret(
    struct egress *e, const char *mesh, const char *name, const char *bytes);
void egress_remove(struct egress *e, const char *name);
/* Starts and waits for /ready; false when it does not come up. */
bool egress_start(struct egress *e);
void egress_signal(struct egress *e, int number);
/* Its exit status once it has ended; SIGKILL and -1 after ms. */
int egress_wait(struct egress *e, unsigned ms);
/* SIGTERM, and egress_wait(). */
int egress_stop(struct egress *e, unsigned ms);
/* Ends whatever still runs, shows logs if failed, removes the directory. */
void egress_fini(struct egress *e, bool failed);

/* zegressctl with these words; its output (static per thread, 64 KiB). */
const char *egress_ctl(struct egress *e, const char *words);
/* And its exit status; -1: a signal. */
int egress_ctl_status(struct egress *e, const char *words, char *out, size_t n);
/* GET of the admin address; status, and the body in out. */
long egress_get(struct egress *e, const char *path, char *out, size_t cap);
/* The value of a metric line that begins with this text; -1: no such line. */
double egress_metric(struct egress *e, const char *line_start);
/* Lines of the access log that contain both texts (either may be NULL). */
unsigned egress_logged(struct egress *e, const char *a, const char *b);
/* Waits up to 5 s for such a line; the last one, or NULL (static). */
const char *egress_log_line(struct egress *e, const char *a, const char *b);
/* Does its own log contain this? */
bool egress_said(struct egress *e, const char *text);
/* Resident memory, bytes. */
size_t egress_rss(const struct egress *e);

/* Path of a program of the build (static per thread). */
const char *egress_program(const char *name);
/* Removes a directory and all that is below. */
void egress_remove_tree(const char *path);

/*
 * A port of 127.0.0.1 that nobody listens on now: below those that the kernel
 * gives out, so that nobody takes it meanwhile.
 */
uint16_t free_port(void);

#endif
