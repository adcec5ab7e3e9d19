# Servers that do not answer cost their caller 5 seconds in all, and each of them gets its share of these.
mesh default
server 10.0.0.1:443 ignores
server 10.0.0.2:443 ignores
resources all.yaml
type: ExternalService
mesh: default
name: bank-1
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
---
type: ExternalService
mesh: default
name: bank-2
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.2:443" }
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
caller web connects bank{mesh=default}
expect dial 10.0.0.1:443
expect no dial
time +2400ms
expect no dial
time +200ms
expect dial 10.0.0.2:443
time +2300ms
expect caller web open
time +200ms
expect caller web fin
expect log outcome=connection_timeout service=bank duration_ms=5000 detail="bank-2: connecting to 10.0.0.2:443*"
