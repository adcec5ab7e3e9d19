/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_WIRE_TLS_KERNEL_H
#define TLS_WIRE_TLS_KERNEL_H

/*
 * A TLS wire whose records the kernel handles, once our own have taken over.
 * Each direction goes by itself, between two records; what the kernel does not
 * take goes on as before.  What a record means is said in wire_tls_own.c for
 * both.  For the files of wire_tls only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire.h"
#include "tls/record.h"

struct tls_wire;

/* The longest is a KeyUpdate. */
#define KERNEL_MESSAGE_MOST 5

struct tls_kernel {
	bool is_wanted; /* it takes what it does not have yet */
	bool has_in;
	bool has_out;
	bool is_woken; /* from a pause, with no record since */
	/* Records since their number was known, at most. */
	uint64_t in_since;
	uint64_t out_since;
	/* Alert or message behind what is unsent; len 0: none. */
	struct {
		uint8_t type;
		size_t len;
		uint8_t b[KERNEL_MESSAGE_MOST];
	} said;
};

/* If this is the moment; else they go on as they are. */
void tls_kernel_take_in(struct tls_wire *t);
void tls_kernel_take_out(struct tls_wire *t);
/* The moment would be between two records. */
bool tls_kernel_wants_in(const struct tls_wire *t);
bool tls_kernel_has_in(const struct tls_wire *t);
bool tls_kernel_has_out(const struct tls_wire *t);

/*
 * The next record, or data of several, to plain, which has room for most >=
 * RECORD_PLAIN bytes; *n of them are for the reader.
 */
enum io tls_kernel_read(
    struct tls_wire *t, uint8_t *plain, size_t most, size_t *n) MUST_CHECK;
/* False: too much waits.  That sending failed is in ends.sent. */
bool tls_kernel_write(
    struct tls_wire *t, const struct str *v, size_t n) MUST_CHECK;
/* Behind what was written; false: its key could not be changed after it. */
bool tls_kernel_say(struct tls_wire *t, enum record_type type, const uint8_t *p,
    size_t n) MUST_CHECK;
bool tls_kernel_is_saying(const struct tls_wire *t);
enum io tls_kernel_flush(struct tls_wire *t) MUST_CHECK;

/* The number of the next record in own->in and out, near enough. */
void tls_kernel_count(struct tls_wire *t);
/* Of what the kernel has. */
bool tls_kernel_can_renew(const struct tls_wire *t);
/* The key that cannot be renewed has no records left; why is noted. */
bool tls_kernel_is_worn(struct tls_wire *t);
/* own->in is a new key; false: the kernel cannot, and why is noted. */
bool tls_kernel_renew_in(struct tls_wire *t) MUST_CHECK;

#endif
