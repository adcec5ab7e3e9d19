/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MLBS_HASH_H
#define MODEL_MLBS_HASH_H

/*
 * loadBalancer and hashPolicies of a MeshLoadBalancingStrategy, for its rows.
 * Main thread.
 */

#include "model/bind.h"
#include "model/policy_value.h"

extern const struct bind mlbs_balancer_rows[];
VALUE_READER(mlbs_read_hashes);

#endif
