# Who connects and says nothing is shown the door in order, after 15 seconds.
mesh default
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
end
caller silent opens
time +14900ms
expect caller silent open
time +200ms
expect caller silent fin
expect log outcome=no_bytes sni= service=
