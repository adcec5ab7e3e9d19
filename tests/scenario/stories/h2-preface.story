# Half a preface of HTTP/2 has the time of a request's head; silence has that of an idle connection.
mesh default
resources api.yaml
type: ExternalService
mesh: default
name: api
tags: { kuma.io/service: api, kuma.io/protocol: http2 }
networking: { address: "10.0.0.1:80" }
end
caller half connects api{mesh=default}
caller silent connects api{mesh=default}
time +1m
caller half sends "PRI * HTTP/2.0"
time +14s
expect caller half open
time +2s
expect caller half fin
expect log outcome=http_request_timeout
time +3m
expect caller silent open
time +1m
expect caller silent fin
expect log outcome=idle requests=0
expect no dial
