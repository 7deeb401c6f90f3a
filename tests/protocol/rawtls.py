"""A TLS client (RFC 5246, RFC 8446) that seals its own records after a handshake of Python's: any record, right or wrong.

    with Records(port, ssl.TLSVersion.TLSv1_3) as tls:
        tls.handshake()
        tls.send(ALERT, bytes([1, 90]))
        assert tls.is_ended()
"""

import _ssl
import ctypes
import hashlib
import hmac
import os
import socket
import ssl
import struct
import tempfile

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CCS = bytes([CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1])

crypto = ctypes.CDLL(_ssl.__file__)  # and with it the library that Python's own TLS uses
for name in "EVP_CIPHER_CTX_new", "EVP_aes_128_gcm", "EVP_aes_256_gcm":
    getattr(crypto, name).restype = ctypes.c_void_p


def seal(key, nonce, additional, text):
    """AES-GCM: the ciphertext and its tag."""
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(crypto.EVP_aes_128_gcm() if len(key) == 16 else crypto.EVP_aes_256_gcm())
    out, tag, n = ctypes.create_string_buffer(len(text) + 16), ctypes.create_string_buffer(16), ctypes.c_int()
    crypto.EVP_EncryptInit_ex(context, cipher, None, key, nonce)
    crypto.EVP_EncryptUpdate(context, None, ctypes.byref(n), additional, len(additional))
    crypto.EVP_EncryptUpdate(context, out, ctypes.byref(n), text, len(text))
    crypto.EVP_EncryptFinal_ex(context, None, ctypes.byref(n))
    crypto.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, tag)  # EVP_CTRL_AEAD_GET_TAG
    crypto.EVP_CIPHER_CTX_free(context)
    return out.raw[:len(text)] + tag.raw


def expand_label(secret, label, size, digest):
    """HKDF-Expand-Label (RFC 8446 section 7.1), of no more than one block."""
    label = b"tls13 " + label
    info = struct.pack("!HB", size, len(label)) + label + b"\0"
    return hmac.digest(secret, info + b"\1", digest)[:size]


def prf(secret, seed, size, digest):
    """P_hash (RFC 5246 section 5)."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, digest)
        out += hmac.digest(secret, a + seed, digest)
    return out[:size]


class Records:
    """One connection to localhost."""

    def __init__(self, port, version):
        self.version = version
        self.keylog = tempfile.NamedTemporaryFile(mode="r")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.keylog_filename = self.keylog.name
        context.set_ciphers("ECDHE+AESGCM")
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""  # all that the server has said in the handshake
        self.sequence = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.keylog.close()

    def hello(self):
        """The ClientHello's record, not sent yet."""
        try:
            self.ssl.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def hear(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.heard += data
        self.incoming.write(data)

    def handshake(self):
        self.socket.sendall(self.hello())
        while True:
            try:
                self.ssl.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                self.hear()
        self.socket.sendall(self.outgoing.read())
        self.find_keys()

    def find_keys(self):
        secrets = {line.split()[0]: line.split()[1:] for line in self.keylog.read().splitlines() if not line.startswith("#")}
        size = 32 if "256" in self.ssl.cipher()[0].split("SHA")[0] else 16
        digest = "sha384" if self.ssl.cipher()[0].endswith("SHA384") else "sha256"
        if self.version == TLS13:
            secret = bytes.fromhex(secrets["CLIENT_TRAFFIC_SECRET_0"][1])
            self.key, self.iv = expand_label(secret, b"key", size, digest), expand_label(secret, b"iv", 12, digest)
            return
        client_random, master = map(bytes.fromhex, secrets["CLIENT_RANDOM"])
        at = self.heard.index(b"\x16\x03\x03") + 11  # past the record's and the ServerHello's head
        block = prf(master, b"key expansion" + self.heard[at:at + 32] + client_random, 2 * size + 8, digest)
        self.key, self.iv = block[:size], block[2 * size:2 * size + 4]
        self.sequence = 1  # the Finished was 0

    def record(self, kind, content):
        """A sealed record of that type, the next one in the sequence."""
        number = struct.pack("!Q", self.sequence)
        self.sequence += 1
        if self.version == TLS13:
            head = struct.pack("!BHH", APPLICATION_DATA, 0x303, len(content) + 17)
            nonce = bytes(a ^ b for a, b in zip(self.iv, bytes(4) + number))
            return head + seal(self.key, nonce, head, content + bytes([kind]))
        sealed = seal(self.key, self.iv + number, number + struct.pack("!BHH", kind, 0x303, len(content)), content)
        return struct.pack("!BHH", kind, 0x303, len(sealed) + 8) + number + sealed

    def send(self, kind, content=b""):
        self.socket.sendall(self.record(kind, content))

    def ask(self, path="/healthz"):
        """The head of the answer to a GET, decrypted."""
        self.send(APPLICATION_DATA, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        while True:
            try:
                return self.ssl.read(65536)
            except ssl.SSLWantReadError:
                self.hear()

    def is_ended(self, seconds=5):
        """Whether the server ends the connection by then, whatever it says before."""
        self.socket.settimeout(seconds)
        try:
            while True:
                self.hear()
        except TimeoutError:
            return False
        except (EOFError, OSError):
            return True
