# An ingress that stands alone hands what other zones send to this zone's egresses, and decrypts nothing.
mesh default
config ingress=alone
server 192.0.2.9:10002 accepts
resources zones.yaml
type: ExternalService
mesh: default
name: ours
tags: { kuma.io/service: ours, kuma.io/protocol: tcp, kuma.io/zone: zone-1 }
networking: { address: "10.0.0.1:443" }
---
type: ZoneEgress
name: e1
zone: zone-1
networking: { address: 192.0.2.9, port: 10002 }
end
caller web connects ours{mesh=default} zone zone-2 by ingress
expect dial 192.0.2.9:10002
expect server 192.0.2.9:10002 untouched web
server 192.0.2.9:10002 closes
expect caller web fin
caller web closes
expect log zone_path=ingress endpoint=192.0.2.9:10002 identity=
