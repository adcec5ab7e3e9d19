/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * COMMAND(name, function, arguments, what it does): the commands of the
 * control socket; no guard; undefined again.
 */
COMMAND("status", run_status, "", "State, listeners, meshes, what is refused, and what is accepted but not used.")
COMMAND("services", run_services, "[-v] [NAME]", "Services in force, with their server names; -v: endpoints, TLS, options that are not the default, and rules.")
COMMAND("conns", run_conns, "[N]", "Open connections, at most N (1000) of each worker.")
COMMAND("callers", run_callers, "[N]", "Who has limits by caller_limits, of which service, how much of each is used, and left; at most N (1000). \"(others)\" are those that limits.callers has no room for.")
COMMAND("clusters", run_clusters, "", "Endpoints, what is known of their health, and the load that is theirs.")
COMMAND("dns", run_dns, "[N | flush [NAME]]", "Name servers, and names with their addresses, age and failures, at most N (1000) of each worker; flush: forget one name or all, last good answers too.")
COMMAND("explain", run_explain, "CALLER SERVICE [NAME]", "What would be decided now, and by which rule. CALLER is a service of the mesh, or the URIs of a certificate with commas between them; NAME is the server name, if the service has several, and may stand for SERVICE.")
COMMAND("ledger", run_ledger, "[top [bytes|connections] [N] | unused [DAYS] | suggest | --csv | --json]", "Who used what: the N (20) largest uses; services and permissions that nobody used for DAYS (30); MeshTrafficPermissions for exactly what was used; or all of it.")
COMMAND("check", run_check, "", "Everything that is wrong with the resources at present; fails if any is refused.")
COMMAND("dump", run_dump, "", "Services, rules, meshes and listeners in force as JSON, secrets masked.")
COMMAND("grant", run_grant, "--for TIME --reason TEXT [--mesh MESH] CALLER SERVICE | --revoke ID", "Let a caller use a service for a time, as 2h30m or 7d (or --until, as 2030-12-31T18:00:00Z), beside all permissions but denials of the rules form; or end that. It survives a restart.")
COMMAND("grants", run_grants, "", "Grants in force, with reason, end, and who gave them.")
COMMAND("reload", run_reload, "", "Read configuration, identities and resources again, and say which connections and requests that ended; fails if any is refused.")
COMMAND("drain", run_drain, "", "Accept nothing any more, let what is open end, and exit.")
COMMAND("help", run_help, "", "This list.")
#undef COMMAND
/* clang-format on */
