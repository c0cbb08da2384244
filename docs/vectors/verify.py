#!/usr/bin/env python3
"""A second verifier of Trialproof receipts, written from docs/spec.md alone.

    verify.py -policy POLICY -receipt RECEIPT [DOCUMENT...]    prints one verdict as JSON
    verify.py -vectors FOLDER                                  judges the receipts of FOLDER/vectors.json

The exit status is 0 if the receipt is valid (or every verdict is as the vectors say), 1 if it is not, and 3 if that
cannot be checked. It needs Python 3.9, and the package `cryptography` or the program `openssl` 3.0; -openssl takes the
program even where the package is. This file has sections 9 to 11; the modules beside it have the rest.
"""

import argparse
import base64
import datetime
import json
import os
import re
import sys

import mldsa44
import signature
from signature import ED25519, H, Unknown, need, spki, unbase64, verify_signature, vkey
from statement import HASH, INDEX, ORG, check, check_statement, milliseconds, parse, preauth, text, words


class Invalid(Exception):
    """A step of section 11 fails: the part, and why."""


# ---------------------------------------------------------------------------- 9, 10 Checkpoints and policies

class Policy:
    def __init__(self, raw):
        need(len(raw) <= 1 << 20 and not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", raw), "a byte that is not allowed")
        self.logs, self.witnesses, self.members, self.quorum = [], {}, {}, None
        grouped, keys = set(), set()
        for line in raw.decode("utf-8", "surrogateescape").split("\n"):
            w = re.findall("[^ \t]+", line)
            if not w or w[0].startswith("#"):
                continue
            if w[0] == "log" and len(w) in (2, 3):
                self.logs.append(vkey(w[1], 1, 6))
                new = ("log",) + self.logs[-1][1:3]
            elif w[0] == "witness" and len(w) in (3, 4):
                self.new(w[1], 0)
                self.witnesses[w[1]] = vkey(w[2], 4, 6)
                new = ("witness",) + self.witnesses[w[1]][1:3]
            elif w[0] == "group" and 4 <= len(w) <= 256:
                of = w[3:]
                k = {"all": len(of), "any": 1}.get(w[2]) or int(re.fullmatch("[0-9]+", w[2])[0])
                need(1 <= k <= len(of) and len(set(of)) == len(of) and not grouped & set(of), "a group")
                need(all(n in self.members for n in of), "a group has a member that is not defined above")
                depth = 1 + max(self.members[n][2] for n in of)
                need(depth <= 64, "groups are nested too deeply")
                self.new(w[1], k, of, depth)
                grouped |= set(of)
                continue
            else:
                need(w[0] == "quorum" and len(w) == 2 and self.quorum is None, "a line that is none")
                need(w[1] == "none" or w[1] in self.members, "a quorum that is not defined above")
                self.quorum = w[1]
                continue
            need(new not in keys, "a key twice")
            keys.add(new)
        need(self.quorum, "no quorum line")

    def new(self, name, k, of=(), depth=0):
        need(name not in self.members and name != "none", "a name twice")
        self.members[name] = (k, of, depth)

    def satisfied(self, cosigned, name=None):
        name = name or self.quorum
        if name == "none" or name in self.witnesses:
            return name == "none" or name in cosigned
        k, of, _ = self.members[name]
        return sum(self.satisfied(cosigned, n) for n in of) >= k


def decimal(s):
    need(re.fullmatch("0|[1-9][0-9]*", s) and len(s) < 20 and int(s) < 2**62, "not a decimal below 2^62")
    return int(s)


def hash64(s):
    raw = unbase64(s)
    need(len(raw) == 32, "not 32 bytes")
    return raw


def note_signature(key, sig, body, tree):
    """Whether a signature of a note verifies, by its type."""
    name, alg, public, _ = key
    if alg == 6:
        origin = tree[0].encode()
        if len(origin) > 255:
            return False
        message = b"subtree/v1\n\0" + bytes([len(name.encode())]) + name.encode() + sig[:8] + bytes([len(origin)]) + origin + bytes(8)
        return mldsa44.verify(public, message + tree[1].to_bytes(8, "big") + tree[2], sig[8:])
    if alg == 4:
        body, sig = b"cosignature/v1\ntime %d\n%s" % (int.from_bytes(sig[:8], "big"), body), sig[8:]
    return len(sig) == 64 and signature.engine(ED25519 + public, sig, body)


def open_checkpoint(policy, raw):
    """Returns origin, size, root, the times of cosignatures by the names of witnesses, and the number of ignored lines."""
    need(b"\r" not in raw and not re.search(rb"[\x00-\x09\x0b-\x1f]", raw), "a control character")
    whole = raw.decode()
    body, blank, lines = whole.rpartition("\n\n")
    need(blank and lines.endswith("\n"), "it has no signatures, or its end is missing")
    body += "\n"
    origin, size, root, end = body.split("\n")
    need(origin and not end, "the text is not origin, size and root")
    tree = origin, decimal(size), hash64(root)
    lines = lines[:-1].split("\n")
    need(len(lines) <= 100, "more than 100 signatures")
    by_log, times, ignored, seen = False, {}, set(), set()
    for line in lines:
        m = re.fullmatch(r"— ([^\s+]+) ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)", line)
        need(m, "a line that is no signature")
        sig = base64.b64decode(m[2])
        need(len(sig) >= 5, "a signature that is too short")
        name, key_id = m[1], sig[:4].hex()
        logs = [k for k in policy.logs if (k[0], k[3]) == (name, key_id)]
        witnesses = {w: k for w, k in policy.witnesses.items() if (k[0], k[3]) == (name, key_id)}
        if (name, key_id) in seen:
            continue
        unbase64(m[2])
        if not logs and not witnesses:
            ignored.add(line)
            continue
        seen.add((name, key_id))
        for k in logs + list(witnesses.values()):
            need(note_signature(k, sig[4:], body.encode(), tree), f"the signature of {name} does not verify")
        by_log = by_log or (logs and name == origin)
        for w in witnesses:
            times[w] = int.from_bytes(sig[4:12], "big")
            need(1 <= times[w] <= 253402300799, "the time of a cosignature")
    need(by_log, "no key of the policy signed it as the log")
    return tree + (times, len(ignored))


def root_of(index, size, leaf, path):
    """RFC 9162, 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn, "the proof is too long")
        if fn & 1 or fn == sn:
            r = H(b"\1" + p + r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = H(b"\1" + r + p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "the proof is too short")
    return r


# ---------------------------------------------------------------------------- 11 Receipt

def parse_receipt(raw):
    """Returns entry, openings, index, path and checkpoint."""
    need(len(raw) <= 1 << 20, "the receipt is too long")
    if raw[:3] == b"\xef\xbb\xbf" or raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\r\n" in raw:
        raise Unknown("an editor or a transfer changed the receipt")
    head, blank, checkpoint = raw.partition(b"\n\n")
    need(blank, "it is cut short")
    first, extra, index, *path = head.decode().split("\n")
    need(first == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), "not a receipt")
    entry, line_feed, openings = unbase64(extra[6:]).partition(b"\n")
    need(line_feed and len(path) <= 63, "no line feed behind the entry, or too many hashes")
    return entry, openings, decimal(index[6:]), [hash64(h) for h in path], checkpoint


def parse_entry(raw):
    """Returns the entry, its statement as check_statement does, and a function that verifies its signature."""
    need(len(raw) <= 65535, "the entry is too long")
    e = parse(raw)
    check({"envelope": {"payload": unbase64, "payloadType": {"application/vnd.in-toto+json"},
                        "signatures": [{"keyid": HASH, "sig": unbase64}]},
           "signer": {"enrolled": INDEX, "key": spki, "org": ORG, "role": words("registrar administrator signer")},
           "time": milliseconds, "type": {"statement"}}, e, "entry")
    need(len(e["envelope"]["signatures"]) == 1, "not one signature")
    payload, sig, key = unbase64(e["envelope"]["payload"]), e["envelope"]["signatures"][0], spki(e["signer"]["key"])

    def verify():
        need(sig["keyid"] == H(key).hex(), "keyid is not that of the key")
        verify_signature(key, unbase64(sig["sig"]), preauth(payload))
    return e, check_statement(payload), verify


def parse_openings(raw, predicate, subjects):
    if not raw:
        return {}
    o = check({"name?": text(200), "nameSalt?": HASH, "salts?": lambda v: type(v) is dict and v != {}}, parse(raw), "openings")
    need(o and ("name" in o) == ("nameSalt" in o), "no member, or a name without its salt")
    if "name" in o:
        commitment = H(bytes.fromhex(o["nameSalt"]) + H(o["name"].encode())).hex()
        need(commitment == predicate.get("printedName"), "the name is not the one that was signed")
    salted = {s["name"] for s in subjects if "trialproofSalted256" in s["digest"]}
    for name, salt in o.get("salts", {}).items():
        check(HASH, salt, "a salt")
        need(name in salted, "a salt for what is no salted subject")
    return o


def judge(policy, raw, documents):
    """The verdict on a receipt under a policy; documents are pairs of name and contents."""
    def step(part, f, *args):
        try:
            return f(*args)
        except (ValueError, TypeError, RecursionError) as e:
            raise Invalid(part, str(e))

    entry, openings, index, path, checkpoint = step("receipt", parse_receipt, raw)
    e, (kind, predicate, subjects, identity), verify = step("entry", parse_entry, entry)
    origin, size, root, times, ignored = step("checkpoint", open_checkpoint, policy, checkpoint)
    try:
        need(index < size and root_of(index, size, H(b"\0" + entry), path) == root, "it does not lead to the root")
    except ValueError as why:
        step("entry", verify)
        raise Invalid("inclusion proof", str(why))
    step("entry", verify)
    step("entry", need, predicate["log"] == origin, "the statement is for another log")
    step("quorum", need, policy.satisfied(times), "too few witnesses cosigned")
    step("entry", need, e["signer"]["enrolled"] < index, "the signer was enrolled by an entry that does not come before")
    o = step("openings", parse_openings, openings, predicate, subjects)
    salts, found, named = o.get("salts", {}), set(), []
    lacking = [s["name"] for s in subjects if "trialproofSalted256" in s["digest"] and s["name"] not in salts]
    for name, contents in documents:
        digest = H(contents)
        are = [s["name"] for s in subjects if s["digest"].get("sha256") == digest.hex() or s["name"] in salts and
               H(bytes.fromhex(salts[s["name"]]) + digest).hex() == s["digest"].get("trialproofSalted256")]
        if not are and lacking:
            raise Unknown(f"{name} may be {', '.join(lacking)}, whose salt the receipt does not have")
        step("file", need, are, f"{name} is not what was logged")
        found |= set(are)
        named.append(are[0])
    witnessed = policy.quorum != "none"
    replaying = {w for w in times if policy.witnesses[w][0].endswith("/replay")}
    proven = min((t for t in times.values() if policy.satisfied({w for w in times if times[w] <= t})), default=None) if witnessed else None
    return {
        "index": index, "origin": origin, "size": size, "kind": kind, "id": identity,
        "provenTime": "" if proven is None else (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=proven)).isoformat() + "Z",
        "saw": len(times) if witnessed else 0, "replayed": len(replaying) if witnessed else 0,
        "replayQuorum": witnessed and policy.satisfied(replaying), "ignored": ignored,
        "clockAhead": proven is not None and milliseconds(e["time"]) - 1000 * proven > 300000, "name": o.get("name", ""),
        "subjects": named, "missing": [s["name"] for s in subjects if s["name"] not in found],
    }


def verdict(policy_file, receipt_file, document_files):
    def read(name):
        with open(name, "rb") as f:
            return f.read()
    try:
        try:
            policy = Policy(read(policy_file))
            need(policy.logs, "it names no log")
        except (ValueError, TypeError) as e:
            raise Unknown(f"the policy is refused: {e}")
        return {"verdict": "valid", "facts": judge(policy, read(receipt_file), [(n, read(n)) for n in document_files])}
    except Invalid as e:
        return {"verdict": "invalid", "part": e.args[0], "why": e.args[1]}
    except Unknown as e:
        return {"verdict": "cannot be checked", "why": str(e)}


def vectors(folder):
    with open(os.path.join(folder, "vectors.json"), encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    receipts, wrong = [c for c in cases if c["kind"] == "receipt"], 0
    for c in receipts:
        policy, receipt, *documents = (os.path.join(folder, f) for f in [c["policy"], c["receipt"], *c.get("documents", [])])
        got = verdict(policy, receipt, documents)
        if any(got.get(k) != c.get(k) for k in ("verdict", "part", "facts")):
            wrong += 1
            print(json.dumps({"case": c["name"], "got": got, "want": {k: c.get(k) for k in ("verdict", "part", "facts")}}))
    print(f"{len(receipts)} receipts, {wrong} judged otherwise; {len(cases) - len(receipts)} histories and pieces of evidence left out")
    return 1 if wrong or not receipts else 0


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("-policy")
    a.add_argument("-receipt")
    a.add_argument("-vectors")
    a.add_argument("-openssl", action="store_true")
    a.add_argument("documents", nargs="*")
    args = a.parse_args()
    signature.openssl_alone = signature.openssl_alone or args.openssl
    if args.vectors:
        return vectors(args.vectors)
    if not args.policy or not args.receipt:
        a.error("-policy and -receipt must be given, or -vectors")
    v = verdict(args.policy, args.receipt, args.documents)
    print(json.dumps(v, ensure_ascii=False))
    return {"valid": 0, "invalid": 1}.get(v["verdict"], 3)


if __name__ == "__main__":
    sys.exit(main())
