"""JSON Web Tokens for the tests here, and requests with them."""

import base64
import hashlib
import hmac
import http.client
import json
import time

SECRET = "a secret of the tests, long enough to be one"
PUBLISH = "publish-key-of-the-tests-long-enough"
AUTH = {"keys": [{"algorithm": "HS256", "secret": SECRET}], "cookie": "session", "leeway_seconds": 0,
        "publish_keys": [{"name": "bot", "secret": PUBLISH}]}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(name, seconds=60, secret=SECRET, **claims):
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": name, "exp": int(time.time()) + seconds, **claims}]
    text = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return text + "." + encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def bearer(text):
    return ("Authorization", f"Bearer {text}")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


def request(daemon, method, path, body=None, *headers):
    """One request; body is sent as JSON. Returns an Answer."""
    if daemon.tls:
        connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=10, context=daemon.tls)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    fields = dict(headers)
    if body is not None:
        fields.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    connection.request(method, path, body, fields)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer
