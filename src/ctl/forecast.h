/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_FORECAST_H
#define CTL_FORECAST_H

/* What the daemon of a control socket decides about a mesh caller. */

#include <stdbool.h>

#include "base/str.h"

/* The names of the certificate's URIs, with commas between them. */
bool forecast_caller(
    struct str cert_pem, struct text *out, struct text *why) MUST_CHECK;

/*
 * "decision: denied; rule: no rule matches", as `zegressctl explain` has it;
 * why it is not known, if the daemon does not say: then false.
 */
bool forecast(const char *socket_path, struct str caller, struct str sni,
    struct text *out);

#endif
