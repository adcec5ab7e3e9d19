/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_NAME_SERVERS_H
#define NET_NAME_SERVERS_H

/*
 * Which name server is asked, and what is known of each.  They are asked in
 * the order in which they are given; one that is silent stands behind the
 * others for a while, the longer the more often.  Pure: time is an argument.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

#define NAME_SERVERS_MOST 16
#define NAME_SERVER_TEXT 64

struct name_server {
	char text[NAME_SERVER_TEXT]; /* "10.0.0.53:5353" */
	uint64_t queries;
	uint64_t answers;
	uint64_t failures; /* said that it cannot, or something malformed */
	uint64_t timeouts; /* nothing, or a refused connection */
	unsigned silent;   /* in a row */
	uint64_t behind_until_ms;
};

struct name_servers {
	struct name_server v[NAME_SERVERS_MOST];
	size_t n;
};

/* An address, with or without a port. */
bool name_server_is_valid(struct str s);
/* False: too many, or too long. */
bool name_servers_add(struct name_servers *s, const char *text) MUST_CHECK;
/* The best one that is not in the mask `without`, or NULL. */
struct name_server *name_servers_pick(
    struct name_servers *s, unsigned without, uint64_t now_ms);

enum name_server_result {
	NAME_SERVER_ANSWERED,
	NAME_SERVER_FAILED,
	NAME_SERVER_SILENT
};
void name_server_note(
    struct name_server *s, enum name_server_result r, uint64_t now_ms);
bool name_server_is_behind(const struct name_server *s, uint64_t now_ms);

#endif
