/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_SCALAR_H
#define MODEL_SCALAR_H

/*
 * What a word means: which type YAML's core schema gives a plain one, and
 * whether a text is a DNS name, an IP address, a tag, a duration.  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/node.h"

/* Of a plain scalar (YAML 1.2, 10.3.2): null, bool, number, else text. */
enum node_kind scalar_kind(struct str s);
/* true and false as any of YAML's dialects spells them. */
bool scalar_to_bool(struct str s, bool *out) MUST_CHECK;

bool is_ip_address(struct str s);
/* 127.0.0.0/8 or ::1. */
bool is_loopback_address(struct str s);
/* 0.0.0.0 or ::. */
bool is_any_address(struct str s);
/* Labels may hold _, as Kuma allows; an IP address is no name. */
bool is_dns_name(struct str s);
/* Lower-case letters, digits, - . and _, as Kuma wants names. */
bool is_plain_name(struct str s);
bool is_tag_key(struct str s);
bool is_tag_value(struct str s);
bool is_protocol(struct str s);
/* A token, and text without control bytes (RFC 9110, section 5). */
bool is_field_name(struct str s);
bool is_field_value(struct str s);
/*
 * Of the connection or of framing (RFC 9110, section 7.6.1; RFC 9112, section
 * 6), also where _ stands for -, as some servers read it.
 */
bool is_connection_field(struct str name);

/*
 * "host:port" into its two parts, an IPv6 host without its [].  False when
 * there is no port, or the host has colons outside [].
 */
bool split_host_port(
    struct str s, struct str *host, struct str *port) MUST_CHECK;

/* y w d h m s ms, in any order, each with a number: "1h30m", "10y". */
bool parse_duration_ms(struct str s, uint64_t *ms) MUST_CHECK;

#endif
