# A caller that no rule allows is closed before anything is dialled, or asked of the resolver.
mesh default
dns bank.example -> 10.0.0.1
server 10.0.0.1:443 accepts
resources bank.yaml
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
caller thief connects bank{mesh=default}
expect caller thief connected
expect caller thief fin
expect no dial
expect no query
expect log kind=connection outcome=denied identity=spiffe://default/thief service=bank rule="no rule matches" endpoint=
expect conns 0

# The same service, and one who may.
caller web connects bank{mesh=default}
expect query bank.example
expect dial 10.0.0.1:443
