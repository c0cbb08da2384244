package vectors

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A forgery is an entry that no honest log admits, made of parts of which one is wrong.
type forgery struct {
	payload     string // the statement
	payloadType string
	keyID       string // "" for the id of spki
	sig         []byte // nil for a signature by signer
	sig64       string // "" for sig in base64
	payload64   string // "" for the payload in base64

	signer   string // whose key signs
	spki     []byte // nil for the signer's key
	enrolled string
	role     string
	change   func(entry string) string // nil for none
}

// entry returns the forged entry.
func (f forgery) entry(t *testing.T) []byte {
	t.Helper()
	if f.spki == nil {
		f.spki = trialtest.Public(f.signer).SPKI()
	}
	if f.keyID == "" {
		f.keyID = hexOf(sha256.Sum256(f.spki))
	}
	if f.sig == nil && f.sig64 == "" {
		var err error
		if f.sig, err = trial.SignBytes(trialtest.Key(f.signer), pae(f.payload)); err != nil {
			t.Fatal(err)
		}
	}
	if f.sig64 == "" {
		f.sig64 = b64.EncodeToString(f.sig)
	}
	if f.payload64 == "" {
		f.payload64 = b64.EncodeToString([]byte(f.payload))
	}
	text := fmt.Sprintf(`{"envelope":{"payload":%q,"payloadType":%q,"signatures":[{"keyid":%q,"sig":%q}]},`+
		`"signer":{"enrolled":%s,"key":%q,"org":"acme","role":%q},"time":"2026-03-01T09:00:00.100Z","type":"statement"}`,
		f.payload64, f.payloadType, f.keyID, f.sig64, f.enrolled, b64.EncodeToString(f.spki), f.role)
	if f.change != nil {
		text = f.change(text)
	}
	return []byte(text)
}

// forgedEntries are entries that a dishonest log put into its tree. Checkpoint, cosignatures and
// inclusion proof are right.
func (v *vectors) forgedEntries(l *smallLog) {
	statement := string(trialtest.Payload(v.t, &trial.Document{Common: trialtest.Common(), Trial: l.trial, Version: "1.0", Dated: "2026-02"},
		subjects("document", "protocol.txt")))
	good := forgery{payload: statement, payloadType: trial.PayloadType, signer: "ada", enrolled: "2", role: "administrator"}
	receiptOf := func(f forgery) []byte {
		more := l.with(f.entry(v.t))
		return more.at(l.Size()).Marshal()
	}
	isGood := func(name, shows string, f forgery) {
		e, err := trial.ParseEntry(f.entry(v.t))
		if err != nil {
			v.t.Fatalf("%s: %v", name, err)
		}
		v.good(name, shows, "two-of-three", receiptOf(f), facts{Index: l.Size(), Origin: trialtest.Origin, Size: l.Size() + 1,
			Kind: e.Statement.Statement.Predicate.Kind(), ID: e.Statement.ID, ProvenTime: "2027-01-15T08:00:30Z", Saw: 2, Replayed: 1,
			Subjects: []string{"document"}, Missing: []string{}}, "protocol.txt")
	}
	isBad := func(name, shows string, f forgery) {
		v.bad(name, shows, "two-of-three", receiptOf(f), "entry", "protocol.txt")
	}
	isGood("entry", "an entry made as the bad ones below are, without fault", good)
	v.forgedEnvelopes(l.Size(), good, isGood, isBad)
	v.forgedKeys(good, isGood, isBad)
	v.forgedECDSA(good, isGood, isBad)
	v.forgedStatements(l, good, isGood, isBad)
}

type judge func(name, shows string, f forgery)

// forgedEnvelopes have a fault in the entry or in its envelope. The entry's index is size.
func (v *vectors) forgedEnvelopes(size uint64, good forgery, isGood, isBad judge) {
	changed := func(name, shows, old, with string) {
		f := good
		f.change = func(text string) string { return string(alter(v.t, []byte(text), old, with)) }
		isBad("entry-"+name, "entry: "+shows, f)
	}
	changed("space", "a space behind a colon", `"signer":`, `"signer": `)
	changed("unknown-member", "a member that no entry has", `"time":`, `"tim":"","time":`)
	changed("member-twice", "a member that is there twice", `"type":"statement"`, `"type":"statement","type":"statement"`)
	changed("member-missing", "no role of the signer", `,"role":"administrator"`, ``)
	changed("capital-member", "a member whose name begins with a capital letter", `"type":`, `"Type":`)
	changed("escape", "a letter written as an escape", `"acme"`, `"\u0061cme"`)
	changed("null", "null for a member", `"acme"`, `null`)
	changed("enrolled-text", "a number that is a text", `"enrolled":2`, `"enrolled":"2"`)
	changed("enrolled-float", "2.0 for 2", `"enrolled":2`, `"enrolled":2.0`)
	changed("enrolled-exponent", "2e0 for 2", `"enrolled":2`, `"enrolled":2e0`)
	changed("enrolled-negative", "a negative number", `"enrolled":2`, `"enrolled":-2`)
	changed("enrolled-bool", "true for a number", `"enrolled":2`, `"enrolled":true`)
	changed("time-microseconds", "a time with six digits of a second's fraction", `.100Z`, `.100000Z`)
	changed("time-offset", "a time that is not in UTC", `.100Z`, `.100+00:00`)
	changed("time-leap-second", "a leap second", `T09:00:00`, `T23:59:60`)
	changed("time-no-day", "a day that does not exist", `"time":"2026-03-01`, `"time":"2026-02-29`)
	changed("org-capital", "an organisation's id with a capital letter", `"org":"acme"`, `"org":"Acme"`)
	changed("role", "an unknown role", `"role":"administrator"`, `"role":"owner"`)
	changed("type", "a type that no statement entry has", `"type":"statement"`, `"type":"state"`)
	changed("payload-type", "another payload type", "vnd.in-toto+json", "json")
	changed("no-signature", "no signature", good.signatures(), "")
	changed("two-signatures", "two signatures", good.signatures(), good.signatures()+","+good.signatures())
	f := good
	f.keyID = trialtest.Public("p256-bob").ID().String()
	isBad("keyid", "keyid is that of another key", f)
	f = good
	f.keyID = strings.ToUpper(trialtest.Public("ada").ID().String())
	isBad("keyid-capitals", "keyid in capital letters", f)
	f = good
	f.payload64 = spare(b64.EncodeToString([]byte(f.payload)) + "\n")
	f.payload64 = strings.TrimSpace(f.payload64)
	isBad("payload-spare-bits", "the spare bits of the statement's base64 are not zero", f)
	f.payload64 = b64.EncodeToString([]byte(f.payload))
	f.payload64 = f.payload64[:76] + "\n" + f.payload64[76:]
	isBad("payload-broken", "a line feed within the statement's base64", f)
	sig, err := trial.SignBytes(trialtest.Key("ada"), pae(good.payload))
	if err != nil {
		v.t.Fatal(err)
	}
	f = good
	f.sig64 = strings.TrimSpace(spare(b64.EncodeToString(sig) + "\n"))
	isBad("signature-spare-bits", "the spare bits of the signature's base64 are not zero", f)
	f.sig64 = strings.NewReplacer("+", "-", "/", "_").Replace(b64.EncodeToString(sig))
	if !strings.ContainsAny(f.sig64, "-_") {
		v.t.Fatal("the signature has neither + nor /")
	}
	isBad("signature-url-safe", "the signature is in the URL-safe alphabet", f)
	f.sig64 = strings.TrimRight(b64.EncodeToString(sig), "=")
	isBad("signature-unpadded", "the signature's base64 is not padded", f)
	f = good
	if f.sig, err = trial.SignBytes(trialtest.Key("ada"), []byte(good.payload)); err != nil {
		v.t.Fatal(err)
	}
	isBad("signature-over-statement", "the signature is over the statement and not over its pre-authentication encoding", f)
	f = good
	if f.sig, err = trial.SignBytes(trialtest.Key("carol"), pae(good.payload)); err != nil {
		v.t.Fatal(err)
	}
	isBad("signature-by-another", "the signature is by another key", f)
	f = good
	f.enrolled = fmt.Sprint(size)
	isBad("enrolled-itself", "the signer was enrolled by the entry itself", f)
	f.enrolled = "9007199254740992"
	isBad("enrolled-after", "the signer was enrolled by an entry far behind", f)
	f.enrolled = "9007199254740993"
	isBad("enrolled-above-2-to-53", "enrolled is over 2^53", f)
	f.enrolled = fmt.Sprint(size - 1)
	isGood("enrolled-just-before", "the signer was enrolled by the entry before, as the log says", f)
}

// signatures returns the one element of the entry's array of signatures.
func (f forgery) signatures() string {
	sig, err := trial.SignBytes(trialtest.Key(f.signer), pae(f.payload))
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"keyid":%q,"sig":%q}`, trialtest.Public(f.signer).ID().String(), b64.EncodeToString(sig))
}

func pae(payload string) []byte {
	return fmt.Appendf(nil, "DSSEv1 28 application/vnd.in-toto+json %d %s", len(payload), payload)
}

// ed25519Prefix is what stands before the 32 bytes of a key in an SPKI.
var ed25519Prefix = fromHex("302a300506032b6570032100")

var (
	fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	order, _   = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
)

// forgedKeys are Ed25519 keys and signatures that implementations differ about.
func (v *vectors) forgedKeys(good forgery, isGood, isBad judge) {
	// With a key of small order anyone can make signatures.
	for _, c := range []struct{ name, shows, y string }{
		{"identity", "the key is the identity, for which one signature is valid for every message", "1"},
		{"identity-not-canonical", "the same, in an encoding that is not canonical",
			"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffee"},
		{"order-2", "the key is a point of order 2", "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"},
		{"order-4", "the key is a point of order 4", "0"},
		{"order-8", "the key is a point of order 8", "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"},
		{"another-order-8", "the key is another point of order 8", "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"},
		{"order-8-sign", "the same with the sign bit", "fa03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"},
	} {
		f := good
		y, _ := new(big.Int).SetString(c.y, 16)
		f.spki = append(slices.Clone(ed25519Prefix), little(y)...)
		for i := 0; f.sig == nil; i++ { // until [k]A is the identity, so that [r]B and r verify
			nonce := sha256.Sum256(fmt.Appendf(nil, "nonce %d", i))
			r := ed25519.NewKeyFromSeed(nonce[:]).Public().(ed25519.PublicKey)
			if k := challenge(r, little(y), f.payload); new(big.Int).And(k, big.NewInt(7)).Sign() == 0 {
				f.sig = append(slices.Clone(r), little(new(big.Int).Mod(scalar(nonce), order))...)
			}
		}
		isBad("ed25519-"+c.name, c.shows+"; the signature verifies", f)
	}
	f := good
	f.spki = append(slices.Clone(ed25519Prefix), little(new(big.Int).Add(fieldPrime, big.NewInt(5)))...)
	f.sig = make([]byte, 64)
	isBad("ed25519-not-canonical", "the y of the key is above the field's prime", f)

	sig, err := trial.SignBytes(trialtest.Key("ada"), pae(good.payload))
	if err != nil {
		v.t.Fatal(err)
	}
	f = good
	f.sig = append(slices.Clone(sig[:32]), little(new(big.Int).Add(fromLittle(sig[32:]), order))...)
	isBad("ed25519-s-plus-order", "the order of the group is added to S", f)
	f.sig = sig[:63]
	isBad("ed25519-63-bytes", "the signature lacks a byte", f)
	f.sig = append(slices.Clone(sig), 0)
	isBad("ed25519-65-bytes", "a byte behind the signature", f)

	// A' = A + (0, -1) has a part of order 2. A signature for it by the secret scalar of A holds
	// with the cofactor, and without it if k is even.
	seed := sha256.Sum256([]byte("a key of mixed order"))
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	y := fromLittle(append(slices.Clone(public[:31]), public[31]&0x7f))
	mixed := little(new(big.Int).Sub(fieldPrime, y))
	mixed[31] |= ^public[31] & 0x80
	f = good
	f.spki = append(slices.Clone(ed25519Prefix), mixed...)
	for i, done := 0, [2]bool{}; !done[0] || !done[1]; i++ {
		nonce := sha256.Sum256(fmt.Appendf(nil, "nonce %d", i))
		r := ed25519.NewKeyFromSeed(nonce[:]).Public().(ed25519.PublicKey)
		k := challenge(r, mixed, f.payload)
		if done[k.Bit(0)] {
			continue
		}
		done[k.Bit(0)] = true
		s := new(big.Int).Mul(k, scalar(seed))
		f.sig = append(slices.Clone(r), little(s.Mod(s.Add(s, scalar(nonce)), order))...)
		if k.Bit(0) == 0 {
			isGood("ed25519-mixed-order", "the key has a part of order 2, and the signature verifies without the cofactor", f)
		} else {
			isBad("ed25519-cofactor", "the key has a part of order 2, and the signature verifies with the cofactor alone", f)
		}
	}
}

// challenge returns the k of an Ed25519 signature.
func challenge(r, key []byte, payload string) *big.Int {
	h := sha512.Sum512(slices.Concat(r, key, pae(payload)))
	return new(big.Int).Mod(fromLittle(h[:]), order)
}

// forgedECDSA are keys and signatures on P-256, and keys on another curve.
func (v *vectors) forgedECDSA(good forgery, isGood, isBad judge) {
	good.signer, good.enrolled, good.role = "p256-bob", "3", "signer"
	sig, err := trial.SignBytes(trialtest.Key("p256-bob"), pae(good.payload))
	if err != nil {
		v.t.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &rs); err != nil {
		v.t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	encode := func(r, s *big.Int) []byte {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			v.t.Fatal(err)
		}
		return der
	}
	isGood("ecdsa-entry", "an entry with an ECDSA signature, made as the bad ones below are, without fault", good)
	for _, c := range []struct {
		name, shows string
		sig         []byte
	}{
		{"high-s", "the larger of the two values of s", encode(rs.R, new(big.Int).Sub(n, rs.S))},
		{"s-plus-n", "n is added to s", encode(rs.R, new(big.Int).Add(rs.S, n))},
		{"r-zero", "r is 0", encode(big.NewInt(0), rs.S)},
		{"s-zero", "s is 0", encode(rs.R, big.NewInt(0))},
		{"raw", "r and s as 64 bytes without DER", append(rs.R.FillBytes(make([]byte, 32)), rs.S.FillBytes(make([]byte, 32))...)},
		{"long-length", "a length in more bytes than it needs", append([]byte{0x30, 0x81}, sig[1:]...)},
		{"bytes-behind", "a byte behind the signature", append(slices.Clone(sig), 0)},
		{"padded-r", "r with a zero byte more than it needs", padded(sig)},
	} {
		f := good
		f.sig = c.sig
		isBad("ecdsa-"+c.name, "ECDSA: "+c.shows, f)
	}
	f := good
	spki := trialtest.Public("p256-bob").SPKI()
	x, y := new(big.Int).SetBytes(spki[27:59]), spki[59:]
	f.spki = append(fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200"), append([]byte{2 + y[31]&1},
		x.FillBytes(make([]byte, 32))...)...)
	isBad("ecdsa-compressed", "the key is a compressed point", f)
	f.spki = slices.Clone(spki)
	f.spki[90] ^= 1
	isBad("ecdsa-not-on-curve", "the key is not a point of the curve", f)
	f.spki = append(slices.Clone(spki), 0)
	isBad("ecdsa-key-behind", "a byte behind the key", f)
	d := new(big.Int).SetBytes([]byte("a key on P-384"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), d.FillBytes(make([]byte, 48)))
	if err != nil {
		v.t.Fatal(err)
	}
	digest := sha256.Sum256(pae(good.payload))
	if f.sig, err = key.Sign(nil, digest[:], crypto.SHA256); err != nil {
		v.t.Fatal(err)
	}
	if f.spki, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		v.t.Fatal(err)
	}
	isBad("ecdsa-p384", "the key is on P-384", f)
}

// forgedStatements are statements that a key signed and that are not in form.
func (v *vectors) forgedStatements(l *smallLog, good forgery, isGood, isBad judge) {
	changed := func(name, shows, old, with string) {
		f := good
		f.payload = string(alter(v.t, []byte(f.payload), old, with))
		isBad("statement-"+name, "statement: "+shows, f)
	}
	changed("other-log", "it is for another log", `"log":"log.example/trials"`, `"log":"other.example/trials"`)
	changed("space", "a space behind a comma", `,"predicate":`, `, "predicate":`)
	changed("line-feed", "a line feed behind it", `}]}`, "}]}\n")
	changed("order", "members that are not in order", `"dated":"2026-02","log":"log.example/trials"`,
		`"log":"log.example/trials","dated":"2026-02"`)
	changed("unknown-member", "a member that the kind does not have", `"meaning":`, `"mail":"x","meaning":`)
	changed("member-of-another-kind", "a member that another kind has", `"signedAt":`, `"scope":"global","signedAt":`)
	changed("member-twice", "a member that is there twice", `"dated":"2026-02"`, `"dated":"2026-02","dated":"2026-02"`)
	changed("member-missing", "no meaning", `"meaning":"author",`, ``)
	changed("empty-member", "an optional member that is empty", `"dated":"2026-02"`, `"dated":""`)
	changed("null-member", "an optional member that is null", `"dated":"2026-02"`, `"dated":null`)
	changed("zero-hash", "an optional hash of 64 zeros", `"log":`, `"elements":"`+strings.Repeat("0", 64)+`","log":`)
	changed("meaning", "an unknown meaning", `"meaning":"author"`, `"meaning":"reading"`)
	changed("kind", "an unknown kind", "/document@v1", "/letter@v1")
	changed("kind-version", "a kind of a version that there is not", "/document@v1", "/document@v2")
	changed("in-toto-version", "another version of in-toto's statement", "Statement/v1", "Statement/v2")
	changed("date-no-day", "a day that does not exist", `"dated":"2026-02"`, `"dated":"2026-02-30"`)
	changed("date-before-1900", "a year before 1900", `"dated":"2026-02"`, `"dated":"1899"`)
	changed("hash-capitals", "a hash in capital letters", l.trial.String(), strings.ToUpper(l.trial.String()))
	changed("text-mail", "a text with @", `"version":"1.0"`, `"version":"a@b"`)
	changed("text-reordered", "a text with a character that reorders what is read", `"version":"1.0"`, "\"version\":\"1\u202e0\"")
	changed("text-escape", "a text with a line feed, written as an escape", `"version":"1.0"`, `"version":"1\n0"`)
	changed("text-space", "a text that ends with a no-break space", `"version":"1.0"`, "\"version\":\"1.0\u00a0\"")
	changed("text-long", "a text of 41 characters where 40 are the most", `"version":"1.0"`, `"version":"`+strings.Repeat("ü", 41)+`"`)
	changed("text-not-utf-8", "a text that is not UTF-8", `"version":"1.0"`, "\"version\":\"1\xff\"")
	changed("text-surrogate", "half of a surrogate pair, written as an escape", `"version":"1.0"`, `"version":"\ud800"`)
	changed("text-noncharacter", "a noncharacter of a high plane", `"version":"1.0"`, "\"version\":\"\U0005fffe\"")
	changed("subject-name", "a subject of another kind's name", `"name":"document"`, `"name":"protocol"`)
	changed("subject-two-digests", "a subject with both digests", `"},"name":"document"`,
		`","trialproofSalted256":"`+strings.Repeat("ab", 32)+`"},"name":"document"`)
	changed("subject-sha1", "a subject with a digest of another sort", `"sha256":`, `"sha1":`)
	changed("no-subject", "no subject", statementSubject(good.payload), "")
	changed("subject-twice", "two subjects of one name", statementSubject(good.payload),
		statementSubject(good.payload)+","+statementSubject(good.payload))
	changed("appendix-0", "an appendix with the number 0", statementSubject(good.payload), statementSubject(good.payload)+","+
		strings.Replace(statementSubject(good.payload), `"document"`, `"appendix-0"`, 1))
	changed("appendix-1000", "an appendix with a number over 999", statementSubject(good.payload), statementSubject(good.payload)+","+
		strings.Replace(statementSubject(good.payload), `"document"`, `"appendix-1000"`, 1))
	f := good
	f.payload = string(alter(v.t, []byte(f.payload), `"version":"1.0"`, `"version":"`+strings.Repeat("ü", 40)+`"`))
	isGood("text-40", "a text of 40 characters, which are 80 bytes", f)
	f.payload = string(alter(v.t, []byte(good.payload), statementSubject(good.payload), statementSubject(good.payload)+","+
		strings.Replace(statementSubject(good.payload), `"document"`, `"appendix-999"`, 1)))
	e, err := trial.ParseEntry(f.entry(v.t))
	if err != nil {
		v.t.Fatal(err)
	}
	more := l.with(f.entry(v.t))
	more.named = map[string]uint64{"it": l.Size()}
	more.IDs[l.Size()] = e.Statement.ID
	v.good("appendix-999", "an appendix with the number 999", "two-of-three", more.of("it").Marshal(),
		more.facts("it", nil, "document"), "protocol.txt")

	// Statements of other kinds, each with one fault.
	c := trialtest.Common()
	about := trial.NamedSubject("trial", l.trial)
	for _, k := range []struct {
		name, shows string
		predicate   trial.Predicate
		subjects    []trial.Subject
		old, with   string
	}{
		{"milestone-no-analysis", "a database lock without an analysis", &trial.Milestone{Common: c, Trial: l.trial, Date: "2026-02",
			Event: "database-lock", Analysis: "primary"}, about, `"analysis":"primary",`, ``},
		{"milestone-country", "a country in small letters", &trial.Milestone{Common: c, Trial: l.trial, Date: "2026-02", Event: "halt",
			Country: "DE"}, about, `"DE"`, `"de"`},
		{"milestone-trial", "a milestone whose subject is another trial", &trial.Milestone{Common: c, Trial: l.trial, Date: "2026-02",
			Event: "halt"}, about, `"sha256":"` + l.trial.String(), `"sha256":"` + strings.Repeat("ab", 32)},
		{"identifier-form", "a registry's number with a digit too few", &trial.Identifier{Common: c, Trial: l.trial,
			Identifier: "nct:NCT01234567"}, about, "NCT01234567", "NCT0123456"},
		{"identifier-placeholder", "a registry's number of zeros alone", &trial.Identifier{Common: c, Trial: l.trial,
			Identifier: "nct:NCT01234567"}, about, "NCT01234567", "NCT00000000"},
		{"registration-number", "a registration whose subject is not its number", &trial.Registration{Common: c, Number: "X-2", Org: "acme"},
			trial.NumberSubject("X-2"), `"number":"X-2"`, `"number":"X-3"`},
		{"protocol-base", "a protocol of a country without the global one that it rests on", &trial.Protocol{Common: c, Trial: l.trial,
			Scope: "DE", Base: l.trial, Version: "1"}, subjects("protocol", "protocol.txt"), `"base":"` + l.trial.String() + `",`, ``},
		{"sap-analysis", "an analysis with a leading zero", &trial.SAP{Common: c, Trial: l.trial, Analysis: "interim-1", Version: "1"},
			subjects("sap", "sap.txt"), "interim-1", "interim-01"},
	} {
		f := good
		f.payload = string(trialtest.Payload(v.t, k.predicate, k.subjects))
		f.payload = string(alter(v.t, []byte(f.payload), k.old, k.with))
		isBad(k.name, "a statement of another kind: "+k.shows, f)
	}
	v.forgedEnrolment(good, isBad)
}

// forgedEnrolment has an enrolment whose proof is by another key.
func (v *vectors) forgedEnrolment(good forgery, isBad judge) {
	p, s := trialtest.Enrol("acme", "dora", "signer")
	good.payload = string(trialtest.Payload(v.t, p, s))
	proof, err := trial.NewEnrolment("beta", trialtest.Key("dora"))
	if err != nil {
		v.t.Fatal(err)
	}
	right, err := trial.NewEnrolment("acme", trialtest.Key("dora"))
	if err != nil {
		v.t.Fatal(err)
	}
	good.payload = string(alter(v.t, []byte(good.payload), proofOf(v.t, right), proofOf(v.t, proof)))
	isBad("enrolment-proof", "an enrolment whose proof was made for another organisation", good)
}

func proofOf(t *testing.T, e trial.Enrolment) string {
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m["proof"]
}

// statementSubject returns the one element of a statement's array of subjects.
func statementSubject(payload string) string {
	_, after, _ := strings.Cut(payload, `"subject":[`)
	return strings.TrimSuffix(after, "]}")
}

// repay replaces the statement of an entry and leaves everything else, the signature too.
func repay(t *testing.T, entry []byte, change func([]byte) []byte) []byte {
	t.Helper()
	_, after, _ := bytes.Cut(entry, []byte(`"payload":"`))
	old, _, _ := bytes.Cut(after, []byte(`"`))
	payload, err := b64.DecodeString(string(old))
	if err != nil {
		t.Fatal(err)
	}
	return alter(t, entry, string(old), b64.EncodeToString(change(payload)))
}

// spare returns a line of base64 with spare bits that are not zero.
func spare(line string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	text := strings.TrimRight(line, "=\n")
	if len(text) >= len(line)-1 {
		panic("this base64 has no spare bits: " + line)
	}
	last := strings.IndexByte(alphabet, text[len(text)-1])
	return text[:len(text)-1] + string(alphabet[last+1]) + line[len(text):]
}

// line returns a signature line of a note.
func line(name string, keyID uint32, sig []byte) string {
	return "— " + name + " " + b64.EncodeToString(append(binary.BigEndian.AppendUint32(nil, keyID), sig...)) + "\n"
}

// cosigner returns a cosigner at another time.
func cosigner(c trialtest.Cosigner, at uint64) trialtest.Cosigner {
	c.Time = at
	return c
}

func sign(t *testing.T, c trialtest.Cosigner, text string) []byte {
	t.Helper()
	sig, err := c.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func saltOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }

func hexOf(h [32]byte) string { return hex.EncodeToString(h[:]) }

func fromHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// little returns a number as 32 bytes, the lowest first.
func little(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func fromLittle(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// scalar returns the secret scalar of an Ed25519 seed (RFC 8032, 5.1.5).
func scalar(seed [32]byte) *big.Int {
	h := sha512.Sum512(seed[:])
	h[0] &= 248
	h[31] = h[31]&127 | 64
	return fromLittle(h[:32])
}

// padded returns a DER signature with a zero byte more before r.
func padded(sig []byte) []byte {
	out := slices.Clone(sig)
	out[1]++
	out[3]++
	return slices.Insert(out, 4, 0)
}
