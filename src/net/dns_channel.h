/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_CHANNEL_H
#define NET_DNS_CHANNEL_H

/*
 * Questions to one name server, each sent once; cut answers are asked for over
 * TCP.  Own thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "net/loop.h"

struct dns_channel;

enum dns_sent {
	SENT_ANSWERED, /* with whatever bytes */
	SENT_FAILED,   /* it could not be asked, or broke off */
	SENT_LATE,
	SENT_REFUSED /* nobody is there */
};

/* NULL, and a line in the log, when the address makes no sense. */
struct dns_channel *dns_channel_new(
    struct loop *l, const char *server, uint32_t timeout_ms) MUST_CHECK;
/* Questions that are open are dropped without a call. */
void dns_channel_free(struct dns_channel *c);

/* name is folded.  fn is called once, perhaps before this returns. */
void dns_channel_send(struct dns_channel *c, const char *name, uint16_t type,
    void (*fn)(void *arg, enum dns_sent s, struct str bytes), void *arg);

/* Those of /etc/resolv.conf, as "10.0.0.53:53", one call each. */
void dns_channel_system(void (*fn)(void *arg, const char *server), void *arg);

#endif
