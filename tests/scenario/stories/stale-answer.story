# While the resolver fails the last good answer serves, for as long as it takes.
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
expect query bank.example
expect dial 10.0.0.1:443
time +1h
caller c connects bank{mesh=default} as web
expect query bank.example
expect dial 10.0.0.1:443
dns bank.example silent
time +6s
caller d connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect query bank.example

# It is back, with another answer.
time +10s
dns bank.example -> 10.0.0.2 ttl 10
time +10s
caller e connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect query bank.example
caller f connects bank{mesh=default} as web
expect dial 10.0.0.2:443
