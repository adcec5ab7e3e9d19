/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCENARIO_STORY_H
#define SCENARIO_STORY_H

/*
 * A story: one file of tests/scenario/stories, which begins with the sentence
 * that it proves.  One step a line, words apart by spaces or in "quotes" (with
 * \r \n \t \" \\ \xHH); # begins a comment.  Steps and what may be expected:
 * see README in that folder.
 *
 * Time stands still but for `time`.  What a step causes is waited for; what a
 * story expects not to happen is given a moment to happen all the same.
 */

#include <stdbool.h>

#include "scenario/actor.h"
#include "scenario/gateway.h"

#define STORY_WORDS 40
#define STORY_CALLERS 32
#define STORY_SERVERS 64

struct caller {
	char name[32];
	struct actor actor;
};

struct server {
	struct addr at;
	struct actor actor;
};

/* What the servers at an address are like. */
struct server_kind {
	struct addr at;
	struct pki *cert; /* TLS; NULL: plain */
};

struct story {
	const char *path;
	unsigned line;
	char *text;
	char *rest; /* of text, not read yet */
	char *words[STORY_WORDS];
	size_t lengths[STORY_WORDS]; /* a word may have NULs in it */
	size_t n_words;
	struct gateway g;
	struct caller callers[STORY_CALLERS];
	size_t n_callers;
	struct server servers[STORY_SERVERS]; /* the newest last */
	size_t n_servers;
	struct server_kind kinds[STORY_SERVERS];
	size_t n_kinds;
	uint64_t now_ms;
	int64_t wall_ms;
	unsigned asked;  /* queries that were expected */
	struct text why; /* it went otherwise */
};

/* True: all went as told.  Else out says where it did not, and how. */
bool story_run(const char *path, struct text *out) MUST_CHECK;

/* For steps.c and expect.c. */

/* Sets why; false, always. */
bool story_fail(struct story *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Word i, whatever bytes it has; p NULL: there is none. */
struct str story_bytes(const struct story *s, size_t i);
/* The next line without its end; NULL after the last one. */
char *story_next_line(struct story *s);
/* Let everything happen that is due. */
void story_turn(struct story *s);
/* A little more than any of it can take. */
void story_settle(struct story *s);
void story_pass(struct story *s, uint64_t ms);
/* The time is not moved; false: it did not come true. */
#define STORY_UNTIL(s, cond)                                \
	({                                                  \
		unsigned left_ = 2000;                      \
		bool is_true_;                              \
		while (!(is_true_ = (cond)) && left_-- > 0) \
			story_turn(s);                      \
		is_true_;                                   \
	})

bool story_address(struct story *s, const char *word, struct addr *out);
struct caller *story_caller(struct story *s, const char *name);
/* The newest connection to it. */
struct server *story_server(struct story *s, const struct addr *at);

/* steps.c: the first word says which. */
bool step_run(struct story *s);
/* expect.c: `expect …`. */
bool expect_run(struct story *s);
/* Dials that the story did not expect, at its end. */
bool expect_no_more_dials(struct story *s);

#endif
