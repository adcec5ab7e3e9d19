# SPDX-License-Identifier: Apache-2.0
"""One way to write an answer down, so that answers can be compared.

What a caller sees is a short text: the table of services holds such texts, our
external servers tell what they saw in the same words, and a recorded answer is
turned into them too.  Nothing here asks anybody.
"""

import ast
import re

CONNECT_FAILED = "503 remote connection failure"
RETRIED = "503 remote connection failure, retried"
NO_UPSTREAM = "503 no healthy upstream"
DENIED = "403 RBAC: access denied"
PLAIN_TO_TLS = "400 from the server"
CLOSED = "closed"
GRPC = "200 gRPC hello"
GRPC_DENIED = "200 gRPC PERMISSION_DENIED: RBAC: access denied"
GRPC_UNAVAILABLE = "200 gRPC UNAVAILABLE: remote connection failure"
NO_SOCKET = "403"
NOT_ASKED = "not asked"

BODIES = {
    "upstream connect error or disconnect/reset before headers. "
    "reset reason: remote connection failure": "remote connection failure",
    "upstream connect error or disconnect/reset before headers. "
    "retried and the latest reset reason: remote connection failure":
        "remote connection failure, retried",
}

# The Host that our callers send; a gateway leaves it alone for an endpoint
# that has no name.
CALLERS_HOST = "caller.test:8000"
AS_SENT = "as-sent"


def web(at, host, tls=None, alpn=None, sni=None, peer=None, proto="HTTP/1.1"):
    """The answer of an external HTTP server that tells what reached it."""
    text = f"200 {proto} {at} host={host}"
    if tls:
        text += f" tls={tls} alpn={alpn or '-'} sni={sni or '-'}"
    if peer:
        text += f" cert={peer}"
    return text


def echo(at):
    return f"echo {at}"


def refused(status, body):
    """An answer that is not the external server's 200."""
    if status == 400:
        return PLAIN_TO_TLS
    return f"{status} {BODIES.get(body, body)}".strip()


def newer_tls(text):
    return text.replace(" tls=1.2 ", " tls=1.3 ")


def merge(texts):
    """Several answers of one service: words that differ are joined by +."""
    columns = zip(*(text.split(" ") for text in texts))
    if len({text.count(" ") for text in texts}) != 1:
        return " | ".join(sorted(set(texts)))
    return " ".join(join(sorted(set(words))) for words in columns)


def changes(before, after):
    """What is different in after, if both are of one form."""
    pairs = list(zip(before.split(" "), after.split(" ")))
    if before.count(" ") != after.count(" ") or pairs[0][0] != pairs[0][1]:
        return after
    return " ".join(["=", *(b for a, b in pairs if a != b)])


def join(words):
    first, *others = words
    return "+".join([first] + [w.partition("=")[2] or w for w in others])


RECORDED_WEB = re.compile(
    r"proto=(?P<proto>\S+) host=(?P<host>\S+) srv=(?P<at>\S+) "
    r"tls=(?:TLS )?(?P<tls>\S+) \S+ alpn=(?P<alpn>\S+) sni=(?P<sni>\S+) "
    r"peer=(?P<peer>.*)")


def recorded(line):
    """A line of a recorded traffic.txt as (service, answer)."""
    name, status, body = re.fullmatch(
        r"(\S+)\s+(?:HTTP/\S+ (\d+)[^']*?)?\s+\d+ms (.*)", line).groups()
    body = ast.literal_eval(body)
    seen = RECORDED_WEB.fullmatch(body)
    if status == "200" and seen:
        return name, recorded_web(seen.groupdict())
    if status == "200":
        return name, GRPC if body.endswith("\x05hello") else body
    if status:
        return name, refused(int(status), body)
    if body.startswith("echo "):
        return name, echo(body[5:].split(": ")[0])
    return name, CLOSED


def recorded_web(seen):
    seen = {k: None if v == "None" else v.strip("'") for k, v in seen.items()}
    if seen["host"].startswith("127.0.1.1:"):
        seen["host"] = AS_SENT
    seen["peer"] = seen["peer"].strip("[']").removeprefix("CN=")
    return web(**seen)
