# A relay without a byte is closed after an hour, in order on both sides, and each byte begins the hour anew.
mesh default
server 10.0.0.1:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
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
time +50m
caller web sends "up"
expect server 10.0.0.1:443 receives "up"
time +50m
server 10.0.0.1:443 sends "down"
expect caller web receives "down"
time +59m
expect caller web open
expect server 10.0.0.1:443 open
time +61s
expect caller web fin
expect server 10.0.0.1:443 fin
expect log outcome=idle bytes_in=2 bytes_out=4
