# SPDX-License-Identifier: Apache-2.0
"""
Reads what `differential --dump` writes, and holds it against llhttp (PyPI's
httptools): what we took it must take, and read alike.  See thorough.
"""

import json
import sys

import httptools

# Where we accept and it does not, and why that is right.
EXCEPTIONS = {
    "method": "RFC 9110, 9.1: any token is a method; it knows a list",
    "upgrade": "RFC 9110, 7.8: an Upgrade may be ignored; it stops there",
    "proxy": "RFC 9112, C.2.2: Proxy-Connection means nothing; it obeys it",
    "interim": "RFC 9112, 9.6: the final answer's close counts; it stops",
    "head": "it cannot be told that an answer is one to HEAD, or a 304",
}


class Message:
    def __init__(self):
        self.target = b""
        self.fields = []
        self.trailers = []
        self.body = b""
        self.has_head = False
        self.is_whole = False


class Reader:
    """What the parser tells, message by message."""

    def __init__(self, is_requests):
        self.messages = []
        kind = (httptools.HttpRequestParser if is_requests
                else httptools.HttpResponseParser)
        self.parser = kind(self)
        self.is_requests = is_requests

    @property
    def last(self):
        return self.messages[-1]

    def on_message_begin(self):
        self.messages.append(Message())

    def on_url(self, target):
        self.last.target += target

    def on_header(self, name, value):
        fields = self.last.trailers if self.last.has_head else self.last.fields
        fields.append((name, value.strip(b" \t")))

    def on_headers_complete(self):
        self.last.has_head = True
        self.last.method = (self.parser.get_method() if self.is_requests
                            else b"")
        self.last.status = (0 if self.is_requests
                            else self.parser.get_status_code())

    def on_body(self, data):
        self.last.body += data

    def on_message_complete(self):
        self.last.is_whole = True


def unhex(pairs):
    return [(bytes.fromhex(n), bytes.fromhex(v)) for n, v in pairs]


def excuse(reader, ours, error):
    if ours["status"] == 304:
        return "head"
    if isinstance(error, httptools.HttpParserUpgrade):
        return "upgrade"
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return "method"
    if "Connection: close" not in str(error):
        return None
    if 100 <= reader.last.status < 200:
        return "interim"
    if any(n.lower() == b"proxy-connection"
           for m in reader.messages for n, _ in m.fields):
        return "proxy"
    return None


def ends_with_connection(ours):
    names = {bytes.fromhex(n).lower() for n, v in ours["fields"]}
    return ours["status"] >= 200 and not names & {
        b"content-length", b"transfer-encoding"}


def differ(ours, theirs):
    if bytes.fromhex(ours["method"]) != theirs.method:
        return "the method"
    if bytes.fromhex(ours["target"]) != theirs.target:
        return "the target"
    if ours["status"] != theirs.status:
        return "the status"
    if unhex(ours["fields"]) != theirs.fields:
        return "the fields"
    body = bytes.fromhex(ours["body"])
    if not ours["whole"]:
        return None
    # It is not told of the end of the connection.
    if not theirs.is_whole and not ends_with_connection(ours):
        return "whether it is whole"
    if body != theirs.body:
        return "the body"
    if unhex(ours["trailers"]) != theirs.trailers:
        return "the trailers"
    return None


def compare(case, counts):
    """The message and the difference, or None."""
    reader = Reader(case["requests"])
    data = bytes.fromhex(case["bytes"])
    at = 0
    error = None
    for i, ours in enumerate(case["messages"]):
        end = ours["end"] if ours["whole"] else len(data)
        try:
            if error is None:
                reader.parser.feed_data(data[at:end])
        except Exception as e:
            error = e
        at = end
        # It must be there after its last byte, and not before.
        heads = [m for m in reader.messages if m.has_head]
        is_wrong = len(heads) <= i or (ours["whole"] and len(heads) > i + 1)
        if is_wrong or (error is not None and ours["whole"] and
                        not heads[i].is_whole and
                        not ends_with_connection(ours)):
            why = excuse(reader, ours, error)
            if why is None:
                return i, f"{len(heads)} messages, {error!r}"
            counts[why] = counts.get(why, 0) + 1
            return None
        bad = differ(ours, heads[i])
        if bad is not None:
            why = excuse(reader, ours, error)
            if why is None:
                return i, bad
            counts[why] = counts.get(why, 0) + 1
            return None
        counts["messages"] = counts.get("messages", 0) + ours["whole"]
        if error is not None:
            return None
    return None


def main():
    counts = {}
    cases = 0
    for line in sys.stdin:
        case = json.loads(line)
        if case["head"]:
            continue
        cases += 1
        bad = compare(case, counts)
        if bad is not None:
            print(bytes.fromhex(case["bytes"])[:2000])
            print(f"message {bad[0]} differs in: {bad[1]}")
            print(f"SEED={case['seed']} CASES=1")
            return 1
    print(f"llhttp: {cases} streams, {counts.pop('messages', 0)} messages "
          "read alike")
    for why, n in sorted(counts.items()):
        print(f"{n} times {why} ({EXCEPTIONS[why]})")
    return 0 if cases > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
