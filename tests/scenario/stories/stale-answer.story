# While the resolver fails the last good answer serves, for max_stale_s beyond its time, and no longer.
config max_stale_s=7200
mesh default
dns bank.example -> 10.0.0.1 ttl 10
server 10.0.0.1:443 accepts
server 10.0.0.2:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "bank.example:443" }
---
type: MeshTrafficPermission
mesh: default
name: callers
spec:
  targetRef: { kind: Mesh }
  from:
  - targetRef: { kind: MeshSubset, tags: { kuma.io/service: web } }
    default: { action: Allow }
end
caller a connects bank{mesh=default} as web
expect query bank.example
expect dial 10.0.0.1:443
dns bank.example fails
time +11s
caller b connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect asked bank.example from 4 to 6
time +1h
# Nobody used it, so nobody asked for it.
expect asked bank.example from 2 to 10
caller c connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect asked bank.example from 2 to 2
dns bank.example silent
time +6s
caller d connects bank{mesh=default} as web
expect dial 10.0.0.1:443

# It is back, with another answer.
time +30s
dns bank.example -> 10.0.0.2 ttl 10
time +30s
caller e connects bank{mesh=default} as web
expect dial 10.0.0.2:443

# And gone for good.
dns bank.example fails
time +119m
caller f connects bank{mesh=default} as web
expect dial 10.0.0.2:443
time +1m
time +10s
caller g connects bank{mesh=default} as web
expect log outcome=dns_error service=bank
expect no dial
