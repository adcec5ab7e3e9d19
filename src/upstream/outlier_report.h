/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_OUTLIER_REPORT_H
#define UPSTREAM_OUTLIER_REPORT_H

/* How connecting and requests went, told to the outlier detection. */

#include "upstream/outlier.h"

struct cluster;
struct shared_endpoint;

/* Nothing happens where no detector is on.  Own thread. */
void outlier_report(
    struct cluster *c, struct shared_endpoint *k, enum outlier_result r);

#endif
