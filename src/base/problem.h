/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PROBLEM_H
#define BASE_PROBLEM_H

/*
 * What is wrong with what an operator wrote, each with its place and, in the
 * message, the remedy.  Printed as "file:line: path: message".  Loading
 * collects them and goes on.  One thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum problem_level {
	PROBLEM_WARNING, /* served all the same */
	PROBLEM_ERROR    /* the object it names is refused */
};

struct problem {
	enum problem_level level;
	char *file;    /* NULL: no file */
	unsigned line; /* 0: unknown */
	char *path;    /* field path, e.g. networking.tls.caCert; may be NULL */
	char *message;
};

struct problems {
	struct problem *v;
	size_t n;
	size_t cap;
	size_t errors;
};

#define PROBLEMS_NONE ((struct problems){ .v = NULL })

void problems_free(struct problems *pr);
void problem_add(struct problems *pr, enum problem_level level,
    const char *file, unsigned line, const char *path, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
/* Append copies of all of from's. */
void problems_append(struct problems *pr, const struct problems *from);
/* One line, without its end; "warning: " before the message of a warning. */
void problem_print(const struct problem *p, struct text *out);

#endif
