# A service of a zone that has no ingress, and one without a zone that another zone asks for, are closed and named.
mesh default
config remote_sources=198.51.100.0/24
server 10.0.0.1:443 accepts
server 10.0.0.2:443 accepts
resources all.yaml
type: ExternalService
mesh: default
name: nowhere
tags: { kuma.io/service: nowhere, kuma.io/protocol: tcp, kuma.io/zone: zone-9 }
networking: { address: "10.0.0.8:443" }
---
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
---
type: ExternalService
mesh: default
name: ours
tags: { kuma.io/service: ours, kuma.io/protocol: tcp, kuma.io/zone: zone-1 }
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
caller a connects nowhere{mesh=default} as web
expect caller a fin
expect log outcome=no_zone_ingress service=nowhere
caller b connects bank{mesh=default} as web zone zone-2 from 198.51.100.7
expect caller b fin
expect log outcome=not_zoned service=bank source=198.51.100.7:*
expect no dial

# What is tagged with this zone it may have.
caller c connects ours{mesh=default} as web zone zone-2 from 198.51.100.7
expect dial 10.0.0.2:443
caller c sends "hello"
expect server 10.0.0.2:443 receives "hello"
