/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_GUESS_H
#define MODEL_GUESS_H

/*
 * What a document that cannot be parsed seems to be, by the starts of its
 * lines.  Only for reports, and to let permissions fail closed.  Pure.
 */

#include "base/str.h"

/* Views into the text; p is NULL where no line says so. */
struct guess {
	struct str kind;
	struct str mesh;
	struct str name;
};

struct guess guess_from_text(struct str text);

#endif
