/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SERVICE_OPTION_H
#define POLICY_SERVICE_OPTION_H

/*
 * The rows of service_option.tbl.h, and what can be done with one option
 * without knowing which it is.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/service_options.h"

struct fingerprint;
struct pack;

enum service_value {
	SERVICE_VALUE_STR,   /* struct str */
	SERVICE_VALUE_STRS,  /* struct str_list */
	SERVICE_VALUE_UINT,  /* unsigned */
	SERVICE_VALUE_BOOL,  /* bool */
	SERVICE_VALUE_ONE_OF /* an enum: which of the words */
};

enum service_whom {
	SERVICE_FOR_ANY,
	SERVICE_FOR_REQUESTS,
	SERVICE_FOR_CONNECTIONS
};

struct service_option_row {
	const char *name; /* below services; with dots: in groups */
	enum service_value type;
	size_t offset;
	const char *standard;
	const char *words; /* of a ONE_OF; else the unit, or NULL */
	enum service_whom whom;
	uint64_t least;
	uint64_t most;
};

extern const struct service_option_row service_option_rows[SERVICE_OPTION_N];

void service_option_copy(enum service_option i,
    const struct service_options *from, struct service_options *to);
bool service_option_eq(enum service_option i, const struct service_options *a,
    const struct service_options *b);
/* The word of a ONE_OF. */
struct str service_option_word(
    enum service_option i, const struct service_options *o);
/* As people read it: "keep", "[a,b]", "two words" in quotes. */
void service_option_print(
    enum service_option i, const struct service_options *o, struct text *out);
/* The member, by type; NULL if it is of another one. */
const struct str *service_option_str(
    enum service_option i, const struct service_options *o);
const struct str_list *service_option_strs(
    enum service_option i, const struct service_options *o);
const unsigned *service_option_uint(
    enum service_option i, const struct service_options *o);
const bool *service_option_bool(
    enum service_option i, const struct service_options *o);

/* For share.h: fills in digest and key of a value, … */
void service_options_digest(struct service_options *o, struct fingerprint *f);
/* … and makes the counted object of it. */
struct service_options *service_options_new(
    const struct service_options *value) MUST_CHECK;
/* Both in one, where nothing is shared. */
struct service_options *service_options_seal(
    const struct service_options *value, struct fingerprint *f) MUST_CHECK;

#endif
