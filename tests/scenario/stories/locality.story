# With locality awareness other zones serve only while none of our endpoints is left, and ours again 10 seconds after their last failure.
mesh default locality-aware
server 10.0.0.1:443 accepts
server 203.0.113.2:10001 accepts
resources all.yaml
type: ExternalService
mesh: default
name: bank-here
tags: { kuma.io/service: bank, kuma.io/protocol: tcp, kuma.io/zone: zone-1 }
networking: { address: "10.0.0.1:443" }
---
type: ExternalService
mesh: default
name: bank-there
tags: { kuma.io/service: bank, kuma.io/protocol: tcp, kuma.io/zone: zone-2 }
networking: { address: "10.0.0.9:443" }
---
type: ZoneIngress
name: z2
zone: zone-2
networking: { address: 203.0.113.2, port: 10001, advertisedAddress: 203.0.113.2, advertisedPort: 10001 }
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
caller b connects bank{mesh=default} as web
expect dial 10.0.0.1:443

# The one that finds out is lost: it was promised to this zone.
server 10.0.0.1:443 refuses
caller c connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect caller c fin
expect log outcome=connection_refused service=bank

caller d connects bank{mesh=default} as web
expect dial 203.0.113.2:10001
expect server 203.0.113.2:10001 untouched d
caller e connects bank{mesh=default} as web
expect dial 203.0.113.2:10001
server 10.0.0.1:443 accepts
time +9800ms
caller f connects bank{mesh=default} as web
expect dial 203.0.113.2:10001
time +300ms
caller g connects bank{mesh=default} as web
expect dial 10.0.0.1:443
expect caller g connected
