/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_OPTION_H
#define DAEMON_CONFIG_OPTION_H

/*
 * The rows of config.tbl.h, and one value: from what libconfig read, from the
 * text of a default, and back to text.  What options mean together is not
 * here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "net/addr.h"

struct arena;
struct config_setting_t;
struct problems;

/* Number of rows. */
enum {
	CONFIG_OPTIONS = 0
#define OPTION(...) +1
#define LISTENER_OPTION(...) +1
#define IDENTITY_OPTION(...) +1
#define SERVICE_OPTION(...) +1
#define GRANT_OPTION(...) +1
#include "daemon/config.tbl.h"
};

enum option_type {
	OPTION_TEXT,    /* const char * */
	OPTION_UINT,    /* unsigned */
	OPTION_SIZE,    /* size_t */
	OPTION_BOOL,    /* bool */
	OPTION_CHOICE,  /* bool: one of two words */
	OPTION_ONE_OF,  /* unsigned: which of several words */
	OPTION_TEXTS,   /* struct option_texts */
	OPTION_STR,     /* struct str */
	OPTION_STRS,    /* struct str_list */
	OPTION_NETWORKS /* struct option_networks */
};

/* Which struct a row's value is in. */
enum option_scope {
	OPTION_IN_CONFIG,
	OPTION_IN_LISTENER,
	OPTION_IN_IDENTITY,
	OPTION_IN_SERVICE,
	OPTION_IN_GRANT
};

struct option_texts {
	const char **v;
	size_t n;
};

struct option_networks {
	struct cidr *v;
	size_t n;
};

/* Where it was given. */
struct option_place {
	const char *file;
	unsigned line; /* 0: it was not */
};

struct option_row {
	enum option_scope scope;
	const char *name; /* with the groups it is in: "limits.idle_ms" */
	enum option_type type;
	size_t offset;
	const char *standard; /* the default, as text; of a list its words */
	const char *unit;     /* NULL: none; the words of a choice */
	size_t least;
	size_t most;
	bool is_reloadable;
	const char *help;
};

extern const struct option_row option_rows[CONFIG_OPTIONS];

/* CONFIG_OPTIONS when there is none of this name. */
size_t option_find(const char *name);
/* Whether name is a group of options, e.g. "limits". */
bool option_is_group(const char *name);
/*
 * The known name that is nearest to name in the same group, to free(); NULL
 * when none is near.
 */
char *option_nearest(const char *name) MUST_CHECK;

/* base: the struct of the row's scope.  Memory is of a. */
void option_set_default(
    const struct option_row *r, void *base, struct arena *a);
/* False: not a value for this option; pr says why. */
bool option_set(const struct option_row *r, void *base, struct arena *a,
    const struct config_setting_t *s, struct problems *pr) MUST_CHECK;
void option_print(
    const struct option_row *r, const void *base, struct text *out);

#endif
