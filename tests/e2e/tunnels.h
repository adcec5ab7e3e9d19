/* SPDX-License-Identifier: Apache-2.0 */
#ifndef E2E_TUNNELS_H
#define E2E_TUNNELS_H

/* zegressctl connect, as the caller web of a world. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "e2e/fixture.h"

#define LISTEN "--listen 127.0.0.1:0"

struct tunnel {
	pid_t pid;
	uint16_t port;
	char errors[160]; /* a file */
};

/* Its certificate, key and CA, as files. */
void tunnels_prepare(const struct world *w);

/*
 * With a listener of its own; more: words beside those that every call has,
 * which it may say again.
 */
struct tunnel tunnel_start(const struct world *w, const char *more);
void tunnel_stop(struct tunnel *t);
bool tunnel_has_said(const struct tunnel *t, const char *text);
void tunnel_dial(const struct tunnel *t, struct mesh_client *m);

/*
 * One run behind what comes before it (a pipe, or nothing): its status, and
 * what it prints.
 */
int connect_run(struct world *w, const char *before, const char *more,
    char *out, size_t cap);

#endif
