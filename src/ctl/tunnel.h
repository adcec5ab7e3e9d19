/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_TUNNEL_H
#define CTL_TUNNEL_H

/*
 * One connection of a mesh caller: mutual TLS to an egress, and bytes both
 * ways.
 */

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/wire.h"

/* Outlives the tunnels. */
struct tunnel_config {
	struct loop *loop;
	struct addr egress;
	struct str sni;
	struct str ca_pem;
	struct str cert_pem;
	struct str key_pem;
	struct str spiffe; /* whom we expect */
};

/*
 * Takes local over.  done is called once, never before this returns; error is
 * NULL when both directions ended in order.
 */
void tunnel_start(const struct tunnel_config *c, struct wire *local,
    void (*done)(void *arg, const char *error), void *arg);

#endif
