"""Verifies ML-DSA-44 signatures (FIPS 204) with Python's standard library alone.

Libraries that have ML-DSA are newer than the ones that many systems come with. This file signs
nothing and keeps no secret, so that it need not run in constant time. It is slow.
"""

import hashlib

Q = 8380417
GAMMA1 = 1 << 17
GAMMA2 = (Q - 1) // 88
TAU, BETA, OMEGA = 39, 78, 80
K = L = 4
PUBLIC, SIGNATURE = 32 + 320 * K, 32 + 576 * L + OMEGA + K  # lengths in bytes

ZETAS = [pow(1753, int(f"{i:08b}"[::-1], 2), Q) for i in range(256)]


def ntt(w):
    """Algorithm 41."""
    w, m, size = list(w), 0, 128
    while size >= 1:
        for start in range(0, 256, 2 * size):
            m += 1
            for j in range(start, start + size):
                t = ZETAS[m] * w[j + size] % Q
                w[j + size], w[j] = (w[j] - t) % Q, (w[j] + t) % Q
        size //= 2
    return w


def inverse_ntt(w):
    """Algorithm 42."""
    w, m, size = list(w), 256, 1
    while size < 256:
        for start in range(0, 256, 2 * size):
            m -= 1
            for j in range(start, start + size):
                t = w[j]
                w[j], w[j + size] = (t + w[j + size]) % Q, ZETAS[m] * (w[j + size] - t) % Q
        size *= 2
    return [x * 8347681 % Q for x in w]


def unpack(data, bits):
    """The numbers of a byte string, each of so many bits, the lowest first."""
    n = int.from_bytes(data, "little")
    return [n >> i & (1 << bits) - 1 for i in range(0, 8 * len(data), bits)]


def expand(rho, r, s):
    """Algorithm 30: the polynomial in row r and column s of the matrix."""
    out, length = [], 1000
    while len(out) < 256:
        stream, out = hashlib.shake_128(rho + bytes([s, r])).digest(length), []
        for i in range(0, length - 2, 3):
            n = int.from_bytes(stream[i:i + 3], "little") & 0x7FFFFF
            if n < Q and len(out) < 256:
                out.append(n)
        length *= 2
    return out


def challenge(seed):
    """Algorithm 29."""
    stream = hashlib.shake_256(seed).digest(2000)
    signs, at, c = int.from_bytes(stream[:8], "little"), 8, [0] * 256
    for i in range(256 - TAU, 256):
        while stream[at] > i:
            at += 1
        j = stream[at]
        at += 1
        c[i], c[j] = c[j], Q - 1 if signs & 1 else 1
        signs >>= 1
    return c


def hints(data):
    """Algorithm 21: the places of the hints in each polynomial, or None."""
    at, out = 0, []
    for end in data[OMEGA:]:
        places = data[at:end]
        if end < at or end > OMEGA or any(a >= b for a, b in zip(places, places[1:])):
            return None
        out.append(set(places))
        at = end
    return None if any(data[at:OMEGA]) else out


def use_hint(hint, r):
    """Algorithm 40."""
    low = r % (2 * GAMMA2)
    if low > GAMMA2:
        low -= 2 * GAMMA2
    high, low = (0, low - 1) if r - low == Q - 1 else ((r - low) // (2 * GAMMA2), low)
    return (high + (1 if low > 0 else -1)) % 44 if hint else high


def verify(public, message, signature):
    """Whether a signature of a message verifies, with an empty context (algorithm 3)."""
    if len(public) != PUBLIC or len(signature) != SIGNATURE:
        return False
    rho, seed = public[:32], signature[:32]
    z = [[GAMMA1 - n for n in unpack(signature[32 + 576 * i:608 + 576 * i], 18)] for i in range(L)]
    h = hints(signature[32 + 576 * L:])
    if h is None or any(abs(n) >= GAMMA1 - BETA for p in z for n in p):
        return False
    mu = hashlib.shake_256(hashlib.shake_256(public).digest(64) + b"\0\0" + message).digest(64)
    c, z = ntt(challenge(seed)), [ntt(p) for p in z]
    encoded = b""
    for r in range(K):
        t = ntt([n << 13 for n in unpack(public[32 + 320 * r:352 + 320 * r], 10)])
        row = [expand(rho, r, s) for s in range(L)]
        w = inverse_ntt([(sum(row[s][i] * z[s][i] for s in range(L)) - c[i] * t[i]) % Q for i in range(256)])
        n = sum(use_hint(i in h[r], x) << 6 * i for i, x in enumerate(w))
        encoded += n.to_bytes(192, "little")
    return hashlib.shake_256(mu + encoded).digest(32) == seed
