# SPDX-License-Identifier: Apache-2.0
#
# Lines "SCENARIO PEER ROUND key=value..." become the tables of bench/run.
#   awk -f table.awk -v limits=NAMES -v order=NAMES -v what=all|short|recorded \
#       goals RECORDED results
# CPU is of the proxy, per unit of work: microseconds a request or handshake,
# milliseconds a gigabyte.  A ratio is the median of the rounds' own ratios.
# Load and server share a core: where that is nearly used up, the row says so,
# and no goal is judged by it.

function sort_into(n,    i, j, x) {
	for (i = 2; i <= n; i++) {
		x = list[i]
		for (j = i - 1; j > 0 && list[j] > x; j--)
			list[j + 1] = list[j]
		list[j + 1] = x
	}
}

function median(n) {
	sort_into(n)
	if (n == 0)
		return 0
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# The values of figure for a scenario and a peer, into list.
function gather(figure, scenario, peer,    round, n) {
	n = 0
	for (round = 1; round <= rounds; round++)
		if ((figure, scenario, peer, round) in value)
			list[++n] = value[figure, scenario, peer, round]
	return n
}

function middle(figure, scenario, peer) {
	return median(gather(figure, scenario, peer))
}

# Median over the rounds of the figure of a in scenario s by that of b in t.
function ratio(figure, s, a, t, b,    round, n) {
	n = 0
	for (round = 1; round <= rounds; round++)
		if ((figure, s, a, round) in value &&
		    (figure, t, b, round) in value)
			list[++n] = value[figure, s, a, round] / \
			    value[figure, t, b, round]
	return median(n)
}

# The same by the sum of b in s and zegressd in t.
function ratio_to_sum(figure, s, b, t,    round, n) {
	n = 0
	for (round = 1; round <= rounds; round++)
		if ((figure, s, us, round) in value &&
		    (figure, s, b, round) in value &&
		    (figure, t, us, round) in value)
			list[++n] = value[figure, s, us, round] / \
			    (value[figure, s, b, round] + \
			    value[figure, t, us, round])
	return median(n)
}

function is_bulk(scenario) {
	return scenario ~ /^(down|up|pass)\./
}

# Who has the lowest figure, of the peers, the limits or both ("any").
function find_best(figure, scenario, kind,    p, x, least, best) {
	best = ""
	for (p = 1; p <= peers; p++) {
		if (peer[p] ~ /^zegressd/ || \
		    (kind == "best" && peer[p] in is_limit) || \
		    (kind == "limit" && !(peer[p] in is_limit)))
			continue
		x = middle(figure, scenario, peer[p])
		if (x > 0 && (best == "" || x < least)) {
			best = peer[p]
			least = x
		}
	}
	return best
}

# With two workers everybody shares both cores, so there is no such mark.
function is_bound(scenario, peer) {
	return scenario !~ /\.w2$/ && \
	    middle("outside", scenario, peer) > outside_max
}

function print_ratio(scenario, peer, to) {
	return to == "" ? "" : sprintf("%.2f",
	    ratio("cpu", scenario, peer, scenario, to))
}

function print_outside(scenario, peer,    most) {
	most = middle("outside", scenario, peer)
	if (!is_bound(scenario, peer))
		return sprintf("%.0f %%", most * 100)
	marked = 1
	return sprintf("**%.0f %% (!)**", most * 100)
}

function print_times(scenario, peer,    p50) {
	if (is_bulk(scenario))
		return ""
	p50 = middle("p50", scenario, peer)
	return sprintf("%.0f, %.0f", p50, middle("p99", scenario, peer))
}

function print_name(scenario, peer) {
	if (scenario ~ /^resumed/ && middle("resumed", scenario, peer) < 0.9) {
		some_full = 1
		return peer " (f)"
	}
	return peer in is_limit ? peer " (limit)" : peer
}

function print_row(scenario, peer, best, limit,    n, cpu, least, most, rate) {
	n = gather("cpu", scenario, peer)
	if (n == 0)
		return
	cpu = median(n)
	least = list[1]
	most = list[n]
	rate = middle("rate", scenario, peer)
	printf "| %s | %s | %d | %.1f / **%.1f** / %.1f | %s | %s | %s | %s | %s | %.0f %% | %s |\n",
	    scenario, print_name(scenario, peer), n, least, cpu, most,
	    print_ratio(scenario, peer, best),
	    print_ratio(scenario, peer, gather("cpu", scenario, "envoy") ? \
		"envoy" : ""),
	    print_ratio(scenario, peer, limit),
	    is_bulk(scenario) ? sprintf("%.2f Gbit/s", rate * 8) : \
	    sprintf("%.0f /s", rate), print_times(scenario, peer),
	    middle("busy", scenario, peer) * 100, print_outside(scenario, peer)
}

function print_table(    s, p, best, limit) {
	print "| scenario | peer | runs | CPU: µs each, ms/GB (min / med / max) | × best peer | × Envoy | × limit | rate | µs p50, p99 | CPU used | by load and server |"
	print "|---|---|---|---|---|---|---|---|---|---|---|"
	for (s = 1; s <= scenarios; s++) {
		best = find_best("cpu", scenario[s], "best")
		limit = find_best("cpu", scenario[s], "limit")
		for (p = 1; p <= peers; p++)
			print_row(scenario[s], peer[p], best, limit)
	}
	print ""
	if (marked)
		printf "(!) Generator-bound: load and server used more than %.0f %% of their core, so the proxy may have waited for them.\n\n",
		    outside_max * 100
	if (some_full)
		printf "(f) Less than 90 %% of the handshakes were resumed.\n\n"
}

function verdict(r, most, s, t, other) {
	if (r == 0)
		return "not measured"
	if (is_bound(s, us))
		return "no goal (generator-bound)"
	if (other != "" && is_bound(t, other))
		return "no goal (" other " generator-bound)"
	return r <= most ? "met" : "**not met**"
}

function print_goal(line,    f, s, figure, to, t, other, r) {
	split(line, f)
	s = f[1]
	figure = f[2]
	to = f[3]
	t = s
	if (!(s in seen_scenario))
		return
	if (to ~ /^@/) {
		t = substr(to, 2)
		other = us
		r = ratio(figure, s, us, t, us)
	} else if (to ~ /\+/) {
		other = substr(to, 1, index(to, "+") - 1)
		r = ratio_to_sum(figure, s, other, substr(to, index(to, "+") + 1))
	} else {
		other = to ~ /^(best|limit|any)$/ ? find_best(figure, s, to) : to
		r = ratio(figure, s, us, s, other)
		if (other != to && other != "")
			to = to " (" other ")"
	}
	printf "| %s | %s | %s | %.2f | %s | %s |\n", s, figure, to, r, f[4],
	    verdict(r, f[4], s, t, other)
}

function print_goals(    g) {
	print "| goal: scenario | figure | zegressd by | is | at most | |"
	print "|---|---|---|---|---|---|"
	for (g = 1; g <= goals; g++)
		print_goal(goal[g])
}

# What CI compares: ratios to each limit.
function print_recorded(    s, p, r) {
	print "# SPDX-License-Identifier: Apache-2.0"
	print "#"
	print "# CPU of zegressd by that of a limit, when RESULTS.md was recorded."
	for (s = 1; s <= scenarios; s++)
		for (p = 1; p <= peers; p++) {
			r = ratio("cpu", scenario[s], us, scenario[s], peer[p])
			if (peer[p] in is_limit && r > 0)
				printf "%s %s %.2f\n", scenario[s], peer[p], r
		}
}

function print_short(    s, p, r) {
	for (s = 1; s <= scenarios; s++)
		for (p = 1; p <= peers; p++) {
			r = ratio("cpu", scenario[s], us, scenario[s], peer[p])
			if (!(peer[p] in is_limit) || r == 0)
				continue
			printf "%s: %.2f of the CPU of %s, recorded %s\n",
			    scenario[s], r, peer[p],
			    (scenario[s], peer[p]) in recorded ? \
			    recorded[scenario[s], peer[p]] : "nothing"
		}
}

BEGIN {
	us = "zegressd"
	outside_max = 0.9
	peers = split(order, peer)
	split(limits, names)
	for (i in names)
		is_limit[names[i]]
}

/^(#|$)/ {
	next
}

FILENAME ~ /goals$/ {
	goal[++goals] = $0
	next
}

FILENAME ~ /RECORDED$/ {
	recorded[$1, $2] = $3
	next
}

{
	for (i = 4; i <= NF; i++) {
		split($i, pair, "=")
		field[pair[1]] = pair[2]
	}
	if ($3 > rounds)
		rounds = $3
	if (field["units"] == 0)
		next
	if (!($1 in seen_scenario)) {
		seen_scenario[$1]
		scenario[++scenarios] = $1
	}
	scale = is_bulk($1) ? 1000 : 1000000
	value["cpu", $1, $2, $3] = field["cpu"] / field["units"] * scale
	value["rate", $1, $2, $3] = field["units"] / field["seconds"]
	value["busy", $1, $2, $3] = field["cpu"] / field["seconds"]
	value["outside", $1, $2, $3] = \
	    (field["load"] + field["backend"]) / field["seconds"]
	value["p50", $1, $2, $3] = field["p50_us"]
	value["p99", $1, $2, $3] = field["p99_us"]
	if (field["opened"] > 0)
		value["resumed", $1, $2, $3] = \
		    field["resumed"] / field["opened"]
}

END {
	if (what == "recorded")
		print_recorded()
	else if (what == "short")
		print_short()
	else {
		print_table()
		print_goals()
	}
}
