"""What a statement may be: the forms of sections 1, 3, 4, 5 and 15 of docs/spec.md, as tables."""

import datetime
import json
import re

from signature import ED25519, H, need, spki, unbase64, verify_signature, vkey

# ---------------------------------------------------------------------------- 1 Conventions

def canonical(v):
    return json.dumps(v, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def parse(raw):
    """Canonical JSON. The forms below refuse floats, null and everything else that no table has."""
    v = json.loads(raw.decode())
    need(canonical(v) == raw, "JSON is not canonical")
    return v


def check(form, v, what):
    """A form is a set of words, a regular expression, a function, [form] for an array or a dictionary for an object."""
    if isinstance(form, (set, frozenset)):
        need(type(v) is str and v in form, what)
    elif isinstance(form, re.Pattern):
        need(type(v) is str and form.fullmatch(v), what)
    elif isinstance(form, list):
        need(type(v) is list and v, what)
        for x in v:
            check(form[0], x, what)
    elif isinstance(form, dict):
        need(type(v) is dict, what)
        for name in v:
            need(name in form or name + "?" in form, f"{what} has the unknown member {name}")
        for name, f in form.items():
            if name in v or not name.endswith("?"):
                need(name in v, f"{what} has no {name}")
                check(f, v[name], name)
            elif name[:-1] in v:
                check(f, v[name[:-1]], name[:-1])
                need(f is not HASH or v[name[:-1]] != "0" * 64, f"{name[:-1]} is optional and zero")
    else:
        need(form(v) is not False, what)
    return v


HIDDEN = re.compile("[" + "".join(
    "-".join(f"\\U{int(p, 16):08x}" for p in r.split("-")) for r in (
        "0000-001F 007F-009F 00AD 034F 0600-0605 061C 06DD 070F 0890-0891 08E2 115F-1160 17B4-17B5 180B-180F 200B-200F 2028-202E "
        "2060-206F 3164 D800-F8FF FDD0-FDEF FE00-FE0F FEFF FFA0 FFF0-FFFB FFFD-FFFF 110BD 110CD 13430-1343F 1BCA0-1BCA3 1D173-1D17A "
        "DFFFE-E0FFF EFFFE-10FFFF").split()) + "@\uFE6B\uFF20]")
SPACE = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def text(most):
    def form(v):
        need(type(v) is str and 1 <= len(v) <= most and not HIDDEN.search(v), "a text")
        need(not SPACE.match(v[0]) and not SPACE.match(v[-1]) and all(ord(c) & 0xFFFE != 0xFFFE for c in v), "a text")
    return form


def integer(least, most):
    return lambda v: type(v) is int and least <= v <= most


def day_exists(v):
    y, m, d = [int(p) for p in (v + "-01-01").split("-")[:3]]
    datetime.date(y, m, d)
    need(y >= 1900, "a year before 1900")


def date(v):
    need(type(v) is str and re.fullmatch("[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", v), "a date")
    day_exists(v)


def day(v):
    need(type(v) is str and len(v) == 10, "a day")
    date(v)


def month_or_year(v):
    need(type(v) is str and len(v) < 10, "a month or a year")
    date(v)


def milliseconds(v):
    """The form time; returns it since 1970."""
    m = type(v) is str and re.fullmatch(r"([0-9]{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", v, re.ASCII)
    need(m and m[1] >= "1970", "a time")
    t = datetime.datetime(*[int(p) for p in m.groups()[:6]], int(m[7]) * 1000)
    return (t - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)


def words(s):
    return set(s.split())


def several(form, most=10**9):
    """An array whose elements are sorted as text, none twice."""
    def check_array(v):
        check([form], v, "an array")
        need(len(v) <= most and v == sorted(set(v)), "an array is not sorted")
    return check_array


HASH = re.compile("[0-9a-f]{64}")
NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")
ORG = re.compile("[a-z0-9][a-z0-9.:_-]{1,63}")
COUNTRY = re.compile("[A-Z]{2}")
NUMBER = "[1-9][0-9]{0,2}"
ANALYSIS = re.compile(f"primary|final|interim-{NUMBER}|follow-up-{NUMBER}")
SCOPE = re.compile("global|[A-Z]{2}|[a-z0-9][a-z0-9.-]{2,39}")
INDEX = integer(0, 2**53)
GROUND = words("agreement court-order insolvency keys-lost merger registry-confirmed")
END = words("compromised contract-ended left lost misuse mistake role-changed superseded")
TRUE = lambda v: v is True  # noqa: E731
VOID = words("duplicate wrong-document wrong-trial")

# ---------------------------------------------------------------------------- 15 Identifiers

SCHEMES = {
    "nct": r"NCT\d{8}", "euct": r"20[2-9]\d-5\d{5}-\d\d", "eudract": r"20\d\d-0\d{5}-\d\d", "isrctn": r"ISRCTN\d{8}",
    "utn": r"U1111-\d{4}-\d{4}", "jrct": r"jRCT\d{10}|jRCTs\d{9}", "umin": r"UMIN\d{9}|C\d{9}", "japiccti": r"JapicCTI-\d{6}",
    "jma": r"JMA-IIA\d{5}", "actrn": r"ACTRN\d{14}", "chictr": r"ChiCTR\d{8,10}|ChiCTR-[A-Z]{2,4}-\d{8,10}",
    "ctri": r"CTRI/\d{4}/\d{2,3}/\d{6}", "drks": r"DRKS\d{8}", "kct": r"KCT\d{7}", "irct": r"IRCT\d{8,14}N\d{1,3}",
    "nl": r"(NL-OMON|NL|NTR)\d{1,6}", "pactr": r"PACTR\d{15,16}", "rebec": r"RBR-[0-9A-Z]{5,8}", "rpcec": r"RPCEC\d{8}",
    "slctr": r"SLCTR/\d{4}/\d{3}", "tctr": r"TCTR\d{11}", "repec": r"PER-\d{3}-\d\d", "lbctr": r"LBCTR\d{10}",
    "itmctr": r"ITMCTR\d{10}", "phrr": r"PHRR\d{6}-\d{6}", "snctp": r"SNCTP\d{9}", "ctr": r"CTR20\d{6}",
}
PLACEHOLDER = re.compile(r"[^0-9]*0+[^0-9]*|U1111-0000-0000|20..-[05]00000-..|(CTRI|SLCTR)/.*/0+")


def identifier(v):
    need(type(v) is str, "an identifier")
    scheme, _, value = v.partition(":")
    need(scheme in SCHEMES and re.fullmatch(SCHEMES[scheme], value, re.ASCII), "not in the canonical form of an identifier")
    need(not PLACEHOLDER.fullmatch(value), "a placeholder")


# ---------------------------------------------------------------------------- 3, 4 Statements

SALTED = {"trialproofSalted256": HASH}
COMMON = {"log": text(200), "meaning": words("author review approval responsibility"), "printedName?": HASH, "signedAt": milliseconds}
ENROLMENT = {"key": spki, "proof": unbase64}
WORD, YES, AMOUNT = re.compile("[a-z0-9][a-z0-9.-]{0,79}"), words("yes no"), words("actual planned")
LABELS, OUTCOMES = [{"label?": text(200), "type?": WORD}], [{"level": words("primary secondary other"), "measure?": text(200),
                                                            "timeFrame?": text(200)}]
FACTS = {"format": WORD, "dated?": date, "conditions?": [text(200)], "arms?": LABELS, "interventions?": LABELS, "outcomes?": OUTCOMES,
         "reported?": OUTCOMES, "amendments?": [{"number?": text(200), "reasons?": [WORD]}],
         "dates?": [{"date": date, "event": WORD, "kind?": AMOUNT}], "documents?": [{"date?": date, "kinds?": [WORD]}],
         "enrolment?": {"count": integer(0, 2**53), "kind?": AMOUNT}, "identifiers?": [{"type?": WORD, "value": text(200)}],
         "resultsReview?": [{"date?": date, "event": WORD}], "sponsor?": {"class?": WORD, "name?": text(200)}}
for names, form in (("acronym maximumAge minimumAge officialTitle title version", text(200)), ("masked phases", [WORD]),
                    ("allocation masking model purpose sex status type", WORD), ("results resultsElsewhere resultsWaived", TRUE),
                    ("dmc euSite fdaDevice fdaDrug fdaRegulated healthyVolunteers ppsd unapprovedDevice usExport usSite", YES)):
    FACTS.update({name + "?": form for name in names.split()})
CONTENT = {"elements?": HASH, "facts?": FACTS, "factsDigest?": HASH}
WITH_ANALYSIS = words("data-cut-off database-lock database-unlock unblinding")
WITHOUT = words("first-enrolment last-visit primary-completion halt restart early-termination withdrawn-before-enrolment end-of-trial")
CODE = re.compile("[A-Z]{2,10}:[0-9]{7}(/[A-Z]{2,10}:[0-9]{7})?")

UNIT = {"contents?": HASH, "handle?": HASH, "n?": integer(1, 2**53), "packs?": integer(1, 250), "unit": HASH}
COUNT = integer(0, 2**40 - 1)
TABLE = {"cells": lambda v: type(v) is bool, "columns": integer(1, 4096), "extract": re.compile("(?!0{32})[0-9a-f]{32}"), "header": HASH,
         "name": text(200), "private": lambda v: type(v) is bool, "rowCount": COUNT, "rows": HASH, "subject": integer(-1, 4095),
         "subjectCount": COUNT, "subjects": HASH}

KINDS = {
    "org": {"administrators": [ENROLMENT], "id": ORG, "name": text(200)},
    "key": {"action": words("enrol limit revoke"), "enrol?": ENROLMENT, "limit?": HASH, "limits?": None, "org": ORG, "reason?": END,
            "revoke?": HASH, "role?": words("registrar administrator signer")},
    "registration": {**CONTENT, "masked?": TRUE, "number": text(60), "org": ORG},
    "identifier": {"identifier": identifier, "trial": HASH},
    "protocol": {**CONTENT, "base?": HASH, "dated?": date, "previous?": HASH, "scope": SCOPE, "trial": HASH, "version": text(40)},
    "sap": {"analysis": ANALYSIS, "dated?": date, "trial": HASH, "version": text(40)},
    "milestone": {"analysis?": ANALYSIS, "country?": COUNTRY, "date": date, "event": WITH_ANALYSIS | WITHOUT, "trial": HASH},
    "results": {**CONTENT, "analysis": ANALYSIS, "dated?": date, "trial": HASH, "updates?": HASH, "version?": text(40)},
    "document": {**CONTENT, "dated?": date, "trial": HASH, "version?": text(40)},
    "observation": {**CONTENT, "dated?": date, "identifier": identifier, "previous?": HASH, "reason?": VOID, "seenAt?": date,
                    "source?": words("registry journal website other"), "withdraw?": HASH},
    "signature": {"statement": HASH, "trial": HASH},
    "delegation": {"end?": day, "kinds?": several(words("codebreak custody dataset document milestone protocol sap signature")), "reason?": END, "scope?": SCOPE,
                   "to?": ORG, "trial": HASH, "withdraw?": HASH},
    "transfer": {"action": words("offer accept withdraw order"), "ground?": GROUND, "offer?": HASH, "to": ORG, "trial": HASH},
    "ruling": {"ground": GROUND, "identifier": identifier, "trial": HASH},
    "correction": {"field?": words("version dated analysis date country"), "new?": text(40), "of": words(
        "protocol sap results document milestone identifier signature dataset"), "old?": text(40), "reason?": words("clerical source-corrected"),
        "statement": HASH, "trial": HASH, "void?": VOID},
    "seal": {"commitment": HASH, "org": ORG},
    "unseal": {"salt": HASH, "sealed": {"index": INDEX, "time": milliseconds}, "statement": unbase64},
    "logkey": {"action": words("add retire"), "proof?": unbase64, "vkey": text(4000)},
    "policy": {"policy": lambda v: 1 <= len(unbase64(v)) <= 30000, "previous?": HASH},
    "rules": {"from": INDEX, "set": integer(1, 10**6)},
    "recipient": {"action": words("add retire"), "org": ORG, "reason?": END,
                  "recipient?": re.compile("age1pq1[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{1952}"), "retire?": HASH},
    "consent": {"action": words("grant end"), "agents?": several(ORG, 2), "code?": re.compile("[0-9A-HJKMNP-TV-Z]{32}"), "consent?": HASH,
                "elements?": HASH, "erase?": TRUE, "lock?": HASH, "org?": ORG, "to?": ORG, "until?": month_or_year},
    "access": {"action": words("request decide release emergency disclose"), "basis?": words("law public-health waiver"),
               "consents?": [{"consent": HASH, "package": HASH}], "decision?": words("more approve refuse"), "elements?": HASH, "of?": ORG,
               "org?": ORG, "reason?": words("other overdose pregnancy reaction treatment"), "recipient?": HASH, "request?": HASH,
               "until?": day, "use?": several(CODE, 20)},
    "erasure": {"ground": words("asked court-order retention-over"), "of": HASH, "org": ORG,
                "what": several(words("file key openings"))},
    "custody": {"action": words("issue open ship cancel receive hold free lost dispense return destroy recall suspect"),
                "condition?": words("damaged excursion ok unknown"), "deviation?": words("benefit emergency error expired released-by-phone"),
                "packs?": several(HASH, 250), "reason?": words("duplicate seal wrong-hand"), "ship?": HASH, "to?": ORG, "trial": HASH,
                "units": [UNIT]},
    "codebreak": {"reason": words("analysis court-order emergency error pregnancy reaction recall supply"), "trial": HASH},
    "dataset": {"analysis?": ANALYSIS, "lock?": HASH, "results?": HASH, "sap?": HASH, "tables": [TABLE], "trial": HASH},
}
KINDS["key"]["limits?"] = {"kinds?": several(set(KINDS)), "trials?": several(HASH, 100), "until?": day}

# Which members come with which: member, the members that are there beside it, and whether they have to be.
ACTIONS = {
    "key": {"enrol": ("enrol role", "limits"), "limit": ("limit", "limits reason"), "revoke": ("revoke", "reason")},
    "transfer": {"offer": ("", ""), "accept": ("offer", ""), "withdraw": ("offer", ""), "order": ("ground", "")},
    "logkey": {"add": ("proof", ""), "retire": ("", "")},
    "recipient": {"add": ("recipient", ""), "retire": ("retire", "reason")},
    "consent": {"grant": ("agents elements lock org to", "until"), "end": ("consent", "code erase")},
    "access": {"request": ("of org use", ""), "decide": ("decision request", ""), "release": ("consents recipient", "request"),
               "emergency": ("consents reason recipient", ""), "disclose": ("basis elements org", "until")},
    "custody": {**dict.fromkeys("issue hold free lost return destroy recall".split(), ("", "")), "open": ("packs", ""), "ship": ("to", ""),
                "cancel": ("ship", ""), "receive": ("condition ship", ""), "dispense": ("", "deviation"), "suspect": ("reason", "")},
}
CORRECTED = {  # by kind and field: the form, and whether the member may be absent
    "protocol": {"version": (text(40), False), "dated": (date, True)},
    "sap": {"analysis": (ANALYSIS, False), "version": (text(40), False), "dated": (date, True)},
    "results": {"analysis": (ANALYSIS, False), "dated": (date, True), "version": (text(40), True)},
    "document": {"dated": (date, True), "version": (text(40), True)},
    "milestone": {"analysis": (ANALYSIS, False), "date": (date, False), "country": (COUNTRY, True)},
}


def check_enrolment(e, org):
    key = spki(e["key"])
    verify_signature(key, unbase64(e["proof"]), f"trialproof/enrolment/v1\n{org}\n{H(key).hex()}\n".encode())
    return H(key).hex()


def check_kind(kind, p, log):
    """The form of a predicate beyond its members; returns the digest of its one subject, if the kind has but one."""
    def either(condition, *names):
        for n in names:
            need((n in p) == bool(condition), f"{n} of {kind}")

    def only(condition, *names):
        need(condition or not any(n in p for n in names), f"{names} of {kind}")

    if kind in ACTIONS:
        required, optional = (x.split() for x in ACTIONS[kind][p["action"]])
        need(set(required) <= set(p), f"{kind} lacks a member")
        every = {n.rstrip("?") for n in KINDS[kind] if n.endswith("?")}
        need(not set(p) & every - set(required) - set(optional), f"{kind} has a member that its action does not take")
    need(not ("facts" in p and "factsDigest" in p), "facts and their digest")
    need(len(canonical(p.get("facts", 0))) <= 32000, "facts are too long")
    if kind == "org":
        need(p["id"] != "registrar" and len(p["administrators"]) <= 20, "org")
        ids = [check_enrolment(e, p["id"]) for e in p["administrators"]]
        need(len(set(ids)) == len(ids), "a key twice")
        return [(f"administrator-{i}", d) for i, d in enumerate(ids, 1)]
    if kind == "key":
        if p["action"] == "enrol":
            need((p["role"] == "registrar") == (p["org"] == "registrar"), "role of key")
            only(p["role"] == "signer", "limits")
            return [("key", check_enrolment(p["enrol"], p["org"]))]
        need("limits" not in p or p["limits"], "limits are empty")
        return [("key", p[p["action"]])]
    if kind == "protocol":
        either(p["scope"] != "global", "base")
    if kind == "milestone":
        either(p["event"] in WITH_ANALYSIS, "analysis")
    if kind == "observation":
        either("withdraw" not in p, "seenAt", "source")
        either("withdraw" in p, "reason")
        only("withdraw" not in p, *[n.rstrip("?") for n in CONTENT], "dated", "previous")
        return [("observation", p["withdraw"])] if "withdraw" in p else None
    if kind == "delegation":
        either("to" not in p, "withdraw")
        either("to" in p, "kinds")
        only("to" in p, "end", "scope")
        only("withdraw" in p, "reason")
        need("scope" not in p or set(p["kinds"]) <= {"milestone", "protocol"}, "kinds of a scope")
    if kind == "correction":
        either("void" not in p, "field", "reason")
        only("field" in p, "old", "new")
        if "field" in p:
            form, absent = CORRECTED.get(p["of"], {}).get(p["field"], (None, None))
            need(form and p.get("old") != p.get("new"), "what a correction names")
            for n in "old", "new":
                need(n in p or absent, f"{n} of correction")
                if n in p:
                    check(form, p[n], n)
    if kind == "unseal":
        need(p["salt"] != "0" * 64, "a salt of zeros")
        of, q, inner, _ = check_statement(unbase64(p["statement"]))
        need(of in words("document milestone protocol results sap") and q["log"] == log, "what is unsealed")
        return [(s["name"], s["digest"]) for s in inner]
    if kind == "logkey":
        if p["action"] == "add":
            name, alg, public, _ = vkey(p["vkey"], 1)
            need(name == log, "the name of a log key")
            verify_signature(ED25519 + public, unbase64(p["proof"]), f"trialproof/logkey/v1\n{log}\n{p['vkey']}\n".encode())
        return [("logkey", H(p["vkey"].encode()).hex())]
    if kind == "recipient":
        key = p.get("retire") or H(f"trialproof/recipient/v1\n{p['org']}\n{p['recipient']}".encode()).hex()
        return [("recipient", key)]
    if kind == "access":
        consents = p.get("consents", [])
        need(len(consents) <= (1 if p["action"] == "emergency" else 150), "consents")
        need([c["consent"] for c in consents] == sorted({c["consent"] for c in consents}), "consents are not sorted")
        return {"decide": [("request", p.get("request"))], "request": None, "disclose": None}.get(
            p["action"], [("release", H(canonical(consents)).hex())])
    if kind == "custody":
        return check_custody(p)
    if kind == "dataset":
        tables = p["tables"]
        need(len(tables) <= 60 and len({t["extract"] for t in tables}) == 1, "tables of a dataset")
        need([t["name"].encode() for t in tables] == sorted({t["name"].encode() for t in tables}), "tables are not sorted")
        for t in tables:
            need(t["subjectCount"] <= t["rowCount"] and t["subject"] < t["columns"], "a table's counts")
            need(t["subject"] >= 0 or t["subjectCount"] == 0, "a table's subjects")
            need(t["subjectCount"] <= 2**32 - 2 and len(t["name"].encode()) <= 200, "a table's limits")
    if kind in ("identifier", "delegation", "transfer", "ruling", "correction"):
        return [("trial", p["trial"])]
    if kind == "policy":
        return [("policy", H(unbase64(p["policy"])).hex())]
    if kind == "rules":
        return [("rules", H(str(p["set"]).encode()).hex())]
    if kind == "consent":
        return [("consent", p["consent"])] if p["action"] == "end" else None
    name, member = {"signature": ("statement", "statement"), "seal": ("sealed", "commitment"), "erasure": ("consent", "of")}.get(
        kind, (None, None))
    return [(name, p[member])] if name else None


def check_custody(p):
    """The units of a custody statement; returns its subjects if they are no documents: the names, and None for any salted digest."""
    action, units = p["action"], p["units"]
    need(len(units) <= {"open": 1, "dispense": 200}.get(action, 250), "too many units")
    need([u["unit"] for u in units] == sorted({u["unit"] for u in units}), "units are not sorted")
    for u in units:
        need("n" not in u if action == "issue" else "n" in u or action == "suspect", "n of a unit")
        need(("handle" in u) == (action == "suspect"), "handle of a unit")
        need(("contents" in u) == ("packs" in u) and ("packs" not in u or action == "issue"), "contents of a unit")
        if action == "suspect":
            commitment = H(bytes.fromhex(u["handle"]))
            want = H(b"trialproof/unit-id/v1\n" + bytes.fromhex(p["trial"]) + b"\n" + commitment).hex()
            need(u["unit"] == want, "the handle is of another unit")
    return [(f"subject-{i}", None) for i, _ in enumerate(units, 1)] if action == "dispense" else None


def check_statement(payload):
    """Returns kind, predicate, subjects and identity."""
    need(len(payload) <= 47000, "the statement is too long")
    s = parse(payload)
    prefix = "https://github.com/trialproof/trialproof/"
    check({"_type": {"https://in-toto.io/Statement/v1"}, "predicate": lambda v: type(v) is dict,
           "predicateType": {prefix + k + "@v1" for k in KINDS},
           "subject": [{"digest": {"sha256?": HASH, "trialproofSalted256?": HASH}, "name": NAME}]}, s, "statement")
    kind, p, subjects = s["predicateType"][len(prefix):-3], s["predicate"], s["subject"]
    check({**COMMON, **KINDS[kind]}, p, kind)
    names = [x["name"] for x in subjects]
    need(len(names) <= 200 and len(set(names)) == len(names), "too many subjects, or a name twice")
    need(all(len(x["digest"]) == 1 for x in subjects), "a subject has both digests")
    one = check_kind(kind, p, p["log"])
    if kind == "registration" and names == ["number"]:
        one = [("number", H(p["number"].encode()).hex())]
    if kind in ("milestone", "custody", "dataset") and names == ["trial"] and one is None:
        one = [("trial", p["trial"])]
    if one is not None:
        if kind == "custody" and p["action"] == "dispense":
            one = [(n, x["digest"] if "sha256" not in x["digest"] else None) for (n, _), x in zip(one, subjects)]
        want = [(n, d if type(d) is dict else {"sha256": d}) for n, d in one]
        need([(x["name"], x["digest"]) for x in subjects] == want, f"the subjects of {kind}")
    else:
        main = {"consent": "consent", "access": {"request": "request", "disclose": "disclosure"}.get(p.get("action"))}.get(kind, kind)
        need(names.count(main) == 1 and all(n == main or re.fullmatch("appendix-" + NUMBER, n) for n in names), f"the subjects of {kind}")
        need(kind not in ("consent", "access", "custody", "codebreak") or all("sha256" not in x["digest"] for x in subjects), "a subject is not salted")
    return kind, p, subjects, H(preauth(payload)).hex()


def preauth(payload):
    return b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
