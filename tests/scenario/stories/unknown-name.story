# Who asks for a name that nobody has, for none, or speaks no TLS is reset, and sees no alert of TLS.
mesh default
resources all.yaml
type: ExternalService
mesh: default
name: bank
tags: { kuma.io/service: bank, kuma.io/protocol: tcp }
networking: { address: "10.0.0.1:443" }
end
caller lost connects nobody{mesh=default}
expect caller lost reset
expect caller lost alert -1
expect log outcome=no_service sni=nobody{mesh=default}
caller plain opens
caller plain sends "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
expect caller plain reset
expect log outcome=not_tls sni=
# The names of Kuma are folded.
caller loud stalls BANK{mesh=default}
expect caller loud open
expect conns 1
expect no dial
