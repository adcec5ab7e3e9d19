# One source may have only so many relays, and so many dials, before it has proved an identity.
mesh default
config source_relays=2 source_dials=1
server 203.0.113.2:10001 accepts
server 203.0.113.3:10001 ignores
resources zones.yaml
type: ExternalService
mesh: default
name: far
tags: { kuma.io/service: far, kuma.io/protocol: tcp, kuma.io/zone: zone-2 }
networking: { address: "10.0.0.9:443" }
---
type: ExternalService
mesh: default
name: dark
tags: { kuma.io/service: dark, kuma.io/protocol: tcp, kuma.io/zone: zone-3 }
networking: { address: "10.0.0.9:443" }
---
type: ZoneIngress
name: z2
zone: zone-2
networking: { address: 203.0.113.2, port: 10001, advertisedAddress: 203.0.113.2, advertisedPort: 10001 }
---
type: ZoneIngress
name: z3
zone: zone-3
networking: { address: 203.0.113.3, port: 10001, advertisedAddress: 203.0.113.3, advertisedPort: 10001 }
end
caller a connects far{mesh=default} from 192.0.2.77
expect dial 203.0.113.2:10001
caller b connects far{mesh=default} from 192.0.2.77
expect dial 203.0.113.2:10001
caller c connects far{mesh=default} from 192.0.2.77
expect caller c fin
expect log outcome=source_limit source=192.0.2.77:*
# Others are not its concern.
caller d connects dark{mesh=default} from 192.0.2.78
expect dial 203.0.113.3:10001
caller e connects dark{mesh=default} from 192.0.2.78
expect caller e fin
expect log outcome=source_limit source=192.0.2.78:*
expect no dial
time +5100ms
expect caller d fin
caller f connects far{mesh=default} from 192.0.2.78
expect dial 203.0.113.2:10001
caller a closes
server 203.0.113.2:10001 closes
