# A service of another zone is handed to that zone's ingress untouched, and its TLS ends there, not here.
mesh default
server 203.0.113.2:10001 accepts
resources zones.yaml
type: ExternalService
mesh: default
name: far
tags: { kuma.io/service: far, kuma.io/protocol: tcp, kuma.io/zone: zone-2 }
networking: { address: "10.0.0.9:443" }
---
type: ZoneIngress
name: z2
zone: zone-2
networking: { address: 203.0.113.2, port: 10001, advertisedAddress: 203.0.113.2, advertisedPort: 10001 }
end
caller web connects far{mesh=default}
expect dial 203.0.113.2:10001
expect server 203.0.113.2:10001 untouched web
server 203.0.113.2:10001 sends "whatever"
server 203.0.113.2:10001 finishes
expect caller web fin
caller web closes
expect log outcome=ok zone_path=relay service=far endpoint=203.0.113.2:10001 bytes_out=8 identity= tls_in= rule=
