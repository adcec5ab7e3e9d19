# A failed connect tries the next endpoint at once, and is remembered for 10 seconds.
mesh default
server 10.0.0.1:443 refuses
server 10.0.0.2:443 accepts
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
caller a connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect dial 10.0.0.2:443
expect server 10.0.0.2:443 open

# Nobody goes there again, though it would be its turn.
caller b connects bank{mesh=default} as web
expect dial 10.0.0.2:443
caller c connects bank{mesh=default} as web
expect dial 10.0.0.2:443

# Later it has its turn once more.
server 10.0.0.1:443 accepts
time +10100ms
caller d connects bank{mesh=default} as web
caller e connects bank{mesh=default} as web
caller d sends "d"
caller e sends "e"
expect server 10.0.0.1:443 open
expect server 10.0.0.2:443 open
expect dial 10.0.0.2:443
expect dial 10.0.0.1:443
expect conns 5
