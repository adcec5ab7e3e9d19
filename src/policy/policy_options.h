/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_POLICY_OPTIONS_H
#define POLICY_POLICY_OPTIONS_H

/*
 * Options of a service that come from mesh policies, each with the policy that
 * it is of.  What zegressd.conf says goes before them: who runs the host has
 * the last word.  Main thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "policy/service_options.h"

struct compile;
struct policy_conf;
struct policy_use;

struct policy_options {
	bool given[SERVICE_OPTION_N];
	struct service_options options;
	const struct policy_use *from[SERVICE_OPTION_N];
};

/*
 * A number, a bool, or which of the words, from value i of conf.  What is out
 * of the option's range becomes the nearest that is in it, and is told.
 */
void give_number(struct policy_options *p, struct compile *c,
    const struct policy_conf *conf, size_t i, enum service_option o,
    uint64_t number);
/* The same with the value as it stands; nothing, if it is not given. */
void give_value(struct policy_options *p, struct compile *c,
    const struct policy_conf *conf, size_t i, enum service_option o);
void give_str(struct policy_options *p, const struct policy_conf *conf,
    size_t i, enum service_option o, struct str text);
void give_strs(struct policy_options *p, const struct policy_conf *conf,
    size_t i, enum service_option o, struct str_list list);

#endif
