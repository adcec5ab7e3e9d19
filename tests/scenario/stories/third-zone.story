# A connection from another zone for a service of a third one ends here: never a third hop, and nothing is dialled.
mesh default
server 203.0.113.3:10001 accepts
resources zones.yaml
type: ExternalService
mesh: default
name: far
tags: { kuma.io/service: far, kuma.io/protocol: tcp, kuma.io/zone: zone-3 }
networking: { address: "10.0.0.9:443" }
---
type: ZoneIngress
name: z3
zone: zone-3
networking: { address: 203.0.113.3, port: 10001, advertisedAddress: 203.0.113.3, advertisedPort: 10001 }
---
type: ZoneIngress
name: own
zone: zone-1
networking: { address: 192.0.2.5, port: 10001, advertisedAddress: 192.0.2.5, advertisedPort: 10001 }
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
# By this zone's ZoneIngress, and by an ingress listener of ours.
caller web connects far{mesh=default} from 192.0.2.5
expect caller web fin
expect log outcome=third_zone source=192.0.2.5:* zone_path=
caller web2 connects far{mesh=default} as web by ingress
expect caller web2 fin
expect log outcome=third_zone listener=192.0.2.1:10001
expect no dial

# One of this zone goes there.
caller web3 connects far{mesh=default} as web
expect dial 203.0.113.3:10001
