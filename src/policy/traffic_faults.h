/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TRAFFIC_FAULTS_H
#define POLICY_TRAFFIC_FAULTS_H

/* The part of traffic_merge.h that is about faults.  Main thread. */

struct traffic_merge;
struct traffic_policy;

void merge_faults(const struct traffic_merge *m, struct traffic_policy *draft);

#endif
