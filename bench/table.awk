# SPDX-License-Identifier: Apache-2.0
#
# Lines "SCENARIO PEER ROUND key=value..." become the tables of bench/run.
# CPU is of the proxy, per unit of work: microseconds a request or handshake,
# milliseconds a gigabyte.  A ratio is the median of the rounds' own ratios.
# Load and server share a core: where that is nearly used up, the row says so.

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
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# The values of column for a scenario and a peer, into list.
function gather(column, scenario, peer,    round, n) {
	n = 0
	for (round = 1; round <= rounds; round++)
		if ((column, scenario, peer, round) in value)
			list[++n] = value[column, scenario, peer, round]
	return n
}

# Median over the rounds of cost of a by cost of b.
function ratio(scenario, a, b,    round, n) {
	n = 0
	for (round = 1; round <= rounds; round++)
		if (("cost", scenario, a, round) in value &&
		    ("cost", scenario, b, round) in value)
			list[++n] = value["cost", scenario, a, round] / \
			    value["cost", scenario, b, round]
	return n ? median(n) : 0
}

function is_bulk(scenario) {
	return scenario ~ /^(down|up)\./
}

function print_outside(scenario, peer,    most) {
	most = median(gather("outside", scenario, peer))
	if (most <= outside_max)
		return sprintf("%.0f %%", most * 100)
	marked = 1
	return sprintf("**%.0f %% (!)**", most * 100)
}

function print_row(scenario, peer,    n, cost, rate, p50, p99, busy, least, most) {
	n = gather("cost", scenario, peer)
	if (n == 0)
		return
	cost = median(n)
	least = list[1]
	most = list[n]
	rate = median(gather("rate", scenario, peer))
	p50 = median(gather("p50", scenario, peer))
	p99 = median(gather("p99", scenario, peer))
	busy = median(gather("busy", scenario, peer))
	printf "| %s | %s | %d | %s | %.1f / **%.1f** / %.1f | %.2f | %s | %.0f %% | %s |\n",
	    scenario, peer, n,
	    is_bulk(scenario) ? sprintf("%.2f Gbit/s", rate * 8) : \
	    sprintf("%.0f /s", rate), least, cost, most,
	    ratio(scenario, peer, "zegressd"),
	    is_bulk(scenario) ? "" : sprintf("%.0f, %.0f", p50, p99), \
	    busy * 100, print_outside(scenario, peer)
}

function judge(scenario, peer, most,    r) {
	r = ratio(scenario, "zegressd", peer)
	if (r == 0)
		return
	printf "%s: %.2f of %s's CPU (goal: at most %.2f): %s\n", scenario, r,
	    peer, most, r <= most ? "met" : "NOT met"
}

BEGIN {
	outside_max = 0.9
}

{
	for (i = 4; i <= NF; i++) {
		split($i, pair, "=")
		field[pair[1]] = pair[2]
	}
	if ($3 > rounds)
		rounds = $3
	if (!($1 in seen_scenario)) {
		seen_scenario[$1]
		scenario[++scenarios] = $1
	}
	if (!($2 in seen_peer)) {
		seen_peer[$2]
		peer[++peers] = $2
	}
	scale = is_bulk($1) ? 1000 : 1000000
	value["cost", $1, $2, $3] = field["cpu"] / field["units"] * scale
	value["rate", $1, $2, $3] = field["units"] / field["seconds"]
	value["busy", $1, $2, $3] = field["cpu"] / field["seconds"]
	value["outside", $1, $2, $3] = \
	    (field["load"] + field["backend"]) / field["seconds"]
	value["p50", $1, $2, $3] = field["p50_us"]
	value["p99", $1, $2, $3] = field["p99_us"]
}

END {
	print "| scenario | peer | runs | rate | CPU: µs each, ms/GB (min / med / max) | × zegressd | µs p50, p99 | CPU used | by load and server |"
	print "|---|---|---|---|---|---|---|---|---|"
	for (s = 1; s <= scenarios; s++)
		for (p = 1; p <= peers; p++)
			print_row(scenario[s], peer[p])
	print ""
	if (marked)
		printf "(!) Load and server used more than %.0f %% of their core: the proxy may have waited for them.\n\n",
		    outside_max * 100
	for (s = 1; s <= scenarios; s++) {
		if (scenario[s] == "http.c64")
			judge(scenario[s], "envoy", 0.5)
		if (is_bulk(scenario[s]))
			judge(scenario[s], "haproxy", 1)
	}
}
