# Permission is each ExternalService's own: a caller is sent only to those that let it in, and loses only these by a reload.
mesh default
server 10.0.0.1:443 accepts
server 10.0.0.2:443 accepts
resources bank.yaml
type: ExternalService
mesh: default
name: bank-a
tags: { kuma.io/service: bank, kuma.io/protocol: tcp, tier: a }
networking: { address: "10.0.0.1:443" }
---
type: ExternalService
mesh: default
name: bank-b
tags: { kuma.io/service: bank, kuma.io/protocol: tcp, tier: b }
networking: { address: "10.0.0.2:443" }
end
resources a.yaml
type: TrafficPermission
mesh: default
name: tier-a
sources: [ { match: { kuma.io/service: web } } ]
destinations: [ { match: { kuma.io/service: bank, tier: a } } ]
end
resources b.yaml
type: TrafficPermission
mesh: default
name: tier-b
sources: [ { match: { kuma.io/service: web } } ]
destinations: [ { match: { kuma.io/service: bank, tier: b } } ]
end
caller a connects bank{mesh=default} as web
expect dial 10.0.0.1:443
caller b connects bank{mesh=default} as web
expect dial 10.0.0.2:443
drop b.yaml
reload
expect caller b fin
expect log outcome=revoked endpoint=10.0.0.2:443
expect caller a open
caller c connects bank{mesh=default} as web
expect dial 10.0.0.1:443
caller d connects bank{mesh=default} as web
expect dial 10.0.0.1:443
