/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TRAFFIC_PRINT_H
#define POLICY_TRAFFIC_PRINT_H

/* Rates and faults of a service in words, a part of service_print(). */

struct text;
struct traffic_policy;

/* t may be NULL. */
void traffic_print(const struct traffic_policy *t, struct text *out);

#endif
