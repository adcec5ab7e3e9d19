# The resolver is gone for five minutes under load: no connect fails, and a name costs it less than a query a second.
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
expect dial 10.0.0.1:443
expect asked bank.example from 2 to 2
dns bank.example silent
load web connects bank{mesh=default} at 10.0.0.1:443 every 2s for 5m
expect asked bank.example from 16 to 40
# It answers again, and that is noticed.
dns bank.example -> 10.0.0.2 ttl 10
time +40s
load web connects bank{mesh=default} at 10.0.0.2:443 every 2s for 10s
