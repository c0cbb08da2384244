"""Keys and signatures: section 2 of docs/spec.md, and the keys of logs and witnesses of section 10.

Ed25519 and ECDSA are the package `cryptography`'s or, without it, those of the program `openssl` 3.0. ML-DSA-44 is in
mldsa44.py.
"""

import base64
import hashlib
import os
import re
import subprocess
import tempfile

import mldsa44


class Unknown(Exception):
    """Nothing can be said of what was given."""


def need(holds, why):
    if not holds:
        raise ValueError(why)


def H(data):
    return hashlib.sha256(data).digest()


def unbase64(s):
    raw = base64.b64decode(s, validate=True)
    need(base64.b64encode(raw).decode() == s, "base64 is not canonical")
    return raw


ED25519, P256 = bytes.fromhex("302a300506032b6570032100"), bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
FIELD = 2**255 - 19
SMALL = {0, 1, FIELD - 1, 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826,
         0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7}
P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def spki(v):
    need(type(v) is str, "a key")
    raw = unbase64(v)
    if raw.startswith(ED25519) and len(raw) == 44:
        y = int.from_bytes(raw[12:], "little") & (1 << 255) - 1
        need(y < FIELD and y not in SMALL, "a key of small order or not in its canonical encoding")
    else:
        need(raw.startswith(P256 + b"\x04") and len(raw) == 91, "not a key that counts")
        x, y = int.from_bytes(raw[27:59], "big"), int.from_bytes(raw[59:], "big")
        need(x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0, "not on the curve")
    return raw


def der_integer(der):
    need(len(der) > 2 and der[0] == 2 and 0 < der[1] < 128 and len(der) >= 2 + der[1], "DER")
    raw = der[2:2 + der[1]]
    need(raw[0] < 128 and (len(raw) == 1 or raw[0] or raw[1] >= 128), "an integer is negative or not in its shortest form")
    return int.from_bytes(raw, "big"), der[2 + der[1]:]


def verify_signature(key, sig, message):
    """Section 2: key is an SPKI."""
    if key.startswith(ED25519):
        need(len(sig) == 64, "an Ed25519 signature has 64 bytes")
    else:
        need(len(sig) > 2 and sig[0] == 0x30 and sig[1] < 128 and sig[1] == len(sig) - 2, "DER")
        r, rest = der_integer(sig[2:])
        s, rest = der_integer(rest)
        need(not rest and 1 <= r < N and 1 <= s <= (N - 1) // 2, "r or s is out of its range")
    need(engine(key, sig, message), "the signature does not verify")


def by_cryptography(key, sig, message):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    try:
        public = serialization.load_der_public_key(key)
        public.verify(sig, message) if key.startswith(ED25519) else public.verify(sig, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def by_openssl(key, sig, message):
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, data in ("key", key), ("sig", sig), ("message", message):
            files[name] = os.path.join(folder, name)
            with open(files[name], "wb") as f:
                f.write(data)
        args = ["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", files["key"], "-rawin", "-sigfile", files["sig"],
                "-in", files["message"]]
        if not key.startswith(ED25519):
            args += ["-digest", "sha256"]
        try:
            return subprocess.run(["openssl"] + args, capture_output=True).returncode == 0
        except OSError as e:
            raise Unknown(f"neither the package cryptography nor the program openssl is here: {e}")


def engine(key, sig, message):
    return by_openssl(key, sig, message) if openssl_alone else by_cryptography(key, sig, message)


openssl_alone = False
try:
    import cryptography  # noqa: F401
except ImportError:
    openssl_alone = True


def vkey(v, *algs):
    name, key_id, key = v.split("+", 2)
    raw = unbase64(key)
    need(name and not re.search(r"\s", name) and raw and raw[0] in algs, "not a key of a type that is allowed here")
    need(len(raw) == 1 + (mldsa44.PUBLIC if raw[0] == 6 else 32), "the key has another length")
    need(raw[0] != 6 or len(name.encode()) <= 255, "the name is too long")
    need(H(name.encode() + b"\n" + raw)[:4].hex() == key_id, "the key ID does not belong to name and key")
    return name, raw[0], raw[1:], key_id
