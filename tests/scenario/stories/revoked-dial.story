# A permission that goes while the server is being dialled ends the attempt, and whatever it would have come to.
mesh default
server 10.0.0.1:443 ignores
server 10.0.0.2:443 accepts
resources bank.yaml
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
end
resources allow.yaml
type: MeshTrafficPermission
mesh: default
name: all
spec:
  targetRef: { kind: Mesh }
  from:
  - targetRef: { kind: Mesh }
    default: { action: Allow }
end
caller web connects bank{mesh=default}
expect dial 10.0.0.1:443
drop allow.yaml
reload
expect caller web fin
expect log outcome=revoked service=bank address=
time +10s
expect no dial
expect conns 0
