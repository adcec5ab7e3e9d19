/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_CASE_H
#define GOLDEN_CASE_H

/*
 * A case is a directory: settings, resources (*.yaml), optionally a second
 * state of them in reload/, and the text they lead to in expected.txt.  The
 * services section is that of a zegressd.conf beside settings, if there is
 * one; what else that file says counts for nothing.
 */

#include "base/problem.h"
#include "base/str.h"
#include "model/store.h"
#include "policy/snapshot.h"

struct config;

/*
 * PEM in cases is a few plain words.  A CA is good unless it holds "bad"; a
 * certificate and a key go together when their last words are equal.
 */
extern const struct tls_ops case_tls;
extern const struct tls_ops case_tls_without_system;

struct case_settings {
	struct build_settings set;
	const struct tls_ops *tls;
	struct given_identity identity;
	char *text; /* what the views above point into */
	struct config *config;
};

/* The whole of a file; false when there is none. */
bool read_whole(const char *path, struct text *out);
void case_settings_read(const char *path, struct case_settings *out);
/* Takes services of DIR/zegressd.conf; without that file they stay. */
void case_services_read(
    const char *dir, struct case_settings *c, struct problems *pr);
void case_settings_free(struct case_settings *c);
/* Every *.yaml of dir, under its bare name; an empty file is taken out. */
bool case_load(struct store *st, const char *dir);
/* Problems, then the snapshot. */
void case_print(const struct store *st, const struct problems *pr,
    const struct snapshot *s, struct text *out);

#endif
