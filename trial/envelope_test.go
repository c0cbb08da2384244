package trial_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
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

var b64 = base64.StdEncoding

func document(t testing.TB, version string) []byte {
	return trialtest.Payload(t, &trial.Document{Common: trialtest.Common(), Trial: trial.Hash{1}, Version: version},
		trialtest.Documents("document", "a"))
}

// envelope returns the JSON of an envelope with the parts given, in order.
func envelope(payload, payloadType string, signatures ...[2]string) []byte {
	sigs := []string{}
	for _, s := range signatures {
		sigs = append(sigs, `{"keyid":"`+s[0]+`","sig":"`+s[1]+`"}`)
	}
	return []byte(`{"payload":"` + payload + `","payloadType":"` + payloadType + `","signatures":[` + strings.Join(sigs, ",") + `]}`)
}

func TestEnvelope(t *testing.T) {
	// A payload whose base64 has one padding character and two spare bits, and a
	// signature with two and four.
	var payload []byte
	for version := "a"; len(payload)%3 != 2; version += "a" {
		payload = document(t, version)
	}
	signed, err := trial.Sign(payload, trialtest.Key("ada"))
	if err != nil {
		t.Fatal(err)
	}
	var e trial.Envelope
	if err := json.Unmarshal(signed, &e); err != nil {
		t.Fatal(err)
	}
	key := trialtest.Public("ada")
	id, sig, pay := key.ID().String(), e.Signatures[0].Sig, e.Payload
	if got := envelope(pay, e.PayloadType, [2]string{id, sig}); !bytes.Equal(got, signed) {
		t.Fatalf("Sign writes %s, not %s", signed, got)
	}
	if !strings.HasSuffix(pay, "=") || strings.HasSuffix(pay, "==") || !strings.HasSuffix(sig, "==") {
		t.Fatal("the sample has not the padding that the test is about")
	}
	other, err := trial.Sign(payload, trialtest.Key("bob"))
	if err != nil {
		t.Fatal(err)
	}
	var eo trial.Envelope
	json.Unmarshal(other, &eo)
	bob := [2]string{eo.Signatures[0].KeyID.String(), eo.Signatures[0].Sig}
	ada := [2]string{id, sig}

	spare := func(s string) string { // sets the lowest spare bit
		i := len(strings.TrimRight(s, "=")) - 1
		alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		return s[:i] + string(alphabet[strings.IndexByte(alphabet, s[i])|1]) + s[i+1:]
	}
	url := strings.NewReplacer("+", "-", "/", "_")
	for what, c := range map[string]struct {
		envelope []byte
		rule     trial.Rule
	}{
		"genuine":                   {envelope(pay, trial.PayloadType, ada), ""},
		"payload with spare bits":   {envelope(spare(pay), trial.PayloadType, ada), trial.RuleMalformed},
		"payload unpadded":          {envelope(strings.TrimRight(pay, "="), trial.PayloadType, ada), trial.RuleMalformed},
		"payload with a line break": {envelope(pay[:4]+`\n`+pay[4:], trial.PayloadType, ada), trial.RuleMalformed},
		"payload with a CR":         {envelope(pay+`\r`, trial.PayloadType, ada), trial.RuleMalformed},
		"payload with bytes behind": {envelope(pay+"AAAA", trial.PayloadType, ada), trial.RuleMalformed},
		"payload empty":             {envelope("", trial.PayloadType, ada), trial.RuleMalformed},
		"sig with spare bits":       {envelope(pay, trial.PayloadType, [2]string{id, spare(sig)}), trial.RuleMalformed},
		"sig unpadded":              {envelope(pay, trial.PayloadType, [2]string{id, sig[:len(sig)-2]}), trial.RuleMalformed},
		"sig with a line break":     {envelope(pay, trial.PayloadType, [2]string{id, sig[:8] + `\n` + sig[8:]}), trial.RuleMalformed},
		"sig empty":                 {envelope(pay, trial.PayloadType, [2]string{id, ""}), trial.RuleSignature},
		"sig cut short":             {envelope(pay, trial.PayloadType, [2]string{id, sig[:84]}), trial.RuleSignature},
		"sig too long": {envelope(pay, trial.PayloadType, [2]string{id, b64.EncodeToString(append(decode64(t, sig), 0))}),
			trial.RuleSignature},
		"another's signature":          {envelope(pay, trial.PayloadType, [2]string{id, bob[1]}), trial.RuleSignature},
		"another's keyid":              {envelope(pay, trial.PayloadType, [2]string{bob[0], sig}), trial.RuleSignature},
		"another's both":               {envelope(pay, trial.PayloadType, bob), trial.RuleSignature},
		"keyid in upper case":          {envelope(pay, trial.PayloadType, [2]string{strings.ToUpper(id), sig}), trial.RuleMalformed},
		"keyid empty":                  {envelope(pay, trial.PayloadType, [2]string{"", sig}), trial.RuleMalformed},
		"no signature":                 {envelope(pay, trial.PayloadType), trial.RuleMalformed},
		"two signatures":               {envelope(pay, trial.PayloadType, ada, bob), trial.RuleMalformed},
		"the same signature twice":     {envelope(pay, trial.PayloadType, ada, ada), trial.RuleMalformed},
		"a bad one behind":             {envelope(pay, trial.PayloadType, ada, [2]string{id, "AAAA"}), trial.RuleMalformed},
		"another payloadType":          {envelope(pay, "application/json", ada), trial.RuleMalformed},
		"payloadType in another case":  {envelope(pay, "application/vnd.in-toto+JSON", ada), trial.RuleMalformed},
		"payloadType empty":            {envelope(pay, "", ada), trial.RuleMalformed},
		"no envelope":                  {nil, trial.RuleMalformed},
		"an envelope over the limit":   {envelope(pay, strings.Repeat("a", trial.MaxEntry), ada), trial.RuleLimit},
		"a payload that was not meant": {envelope(b64.EncodeToString([]byte("{}")), trial.PayloadType, ada), trial.RuleMalformed},
	} {
		_, err := trial.Check(c.envelope, key.SPKI())
		if got := trial.RuleOf(err); got != c.rule {
			t.Errorf("%s: want %q, got %v", what, c.rule, err)
		}
	}
	if u := url.Replace(sig); u != sig {
		if _, err := trial.Check(envelope(pay, trial.PayloadType, [2]string{id, u}), key.SPKI()); trial.RuleOf(err) != trial.RuleMalformed {
			t.Errorf("sig in the URL alphabet: %v", err)
		}
	} else {
		t.Error("the signature has no character that the URL alphabet spells differently")
	}
	// Every bit of payload and signature counts.
	for i := range payload {
		altered := slices.Clone(payload)
		altered[i] ^= 1
		if s, err := trial.Check(envelope(b64.EncodeToString(altered), trial.PayloadType, ada), key.SPKI()); err == nil {
			t.Fatalf("payload byte %d altered and taken: %+v", i, s)
		}
	}
	raw := decode64(t, sig)
	for i := range raw {
		for bit := range 8 {
			altered := slices.Clone(raw)
			altered[i] ^= 1 << bit
			if _, err := trial.Check(envelope(pay, trial.PayloadType, [2]string{id, b64.EncodeToString(altered)}),
				key.SPKI()); trial.RuleOf(err) != trial.RuleSignature {
				t.Fatalf("signature byte %d bit %d altered: %v", i, bit, err)
			}
		}
	}
}

func decode64(t testing.TB, s string) []byte {
	t.Helper()
	data, err := b64.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestStatementID: the identity of a statement does not depend on who signs it.
func TestStatementID(t *testing.T) {
	payload := document(t, "a")
	// SPEC: PAE(type, body) = "DSSEv1" + SP + LEN(type) + SP + type + SP + LEN(body) + SP + body
	pae := fmt.Sprintf("DSSEv1 28 application/vnd.in-toto+json %d %s", len(payload), payload)
	if got := trial.StatementID(payload); got != sha256.Sum256([]byte(pae)) {
		t.Errorf("the identity is %s", got)
	}
	seen := map[trial.Hash]bool{}
	for _, who := range []string{"ada", "bob", "p256-ada"} {
		env, err := trial.Sign(payload, trialtest.Key(who))
		if err != nil {
			t.Fatal(err)
		}
		s, err := trial.Check(env, trialtest.Public(who).SPKI())
		if err != nil {
			t.Fatal(err)
		}
		seen[s.ID] = true
	}
	if len(seen) != 1 || !seen[trial.StatementID(payload)] {
		t.Errorf("one statement has the identities %v", seen)
	}
	if trial.StatementID(document(t, "b")) == trial.StatementID(payload) {
		t.Error("two statements share an identity")
	}
}

// TestECDSA: ECDSA has two signatures for every signature. Only the one with the smaller s, in
// DER, is accepted.
func TestECDSA(t *testing.T) {
	payload := document(t, "a")
	key := trialtest.Public("p256-bob")
	id := key.ID().String()
	env, err := trial.Sign(payload, trialtest.Key("p256-bob"))
	if err != nil {
		t.Fatal(err)
	}
	var e trial.Envelope
	json.Unmarshal(env, &e)
	sig := decode64(t, e.Signatures[0].Sig)
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &v); err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	half := new(big.Int).Rsh(n, 1)
	if v.S.Cmp(half) > 0 {
		t.Fatal("Sign made the larger s")
	}
	try := func(sig []byte) error {
		_, err := trial.Check(envelope(e.Payload, trial.PayloadType, [2]string{id, b64.EncodeToString(sig)}), key.SPKI())
		return err
	}
	if err := try(sig); err != nil {
		t.Fatal(err)
	}
	high, err := asn1.Marshal(struct{ R, S *big.Int }{v.R, new(big.Int).Sub(n, v.S)})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.ParsePKIXPublicKey(key.SPKI())
	if err != nil {
		t.Fatal(err)
	}
	if digest := trial.StatementID(payload); !ecdsa.VerifyASN1(pub.(*ecdsa.PublicKey), digest[:], high) {
		t.Fatal("the larger s is a valid signature, and does not verify: the test is off")
	}
	if err := try(high); trial.RuleOf(err) != trial.RuleSignature || !strings.Contains(err.Error(), "larger") {
		t.Errorf("the larger s: %v", err)
	}
	low, err := trial.LowS(high)
	if err != nil || !bytes.Equal(low, sig) {
		t.Errorf("LowS returns %x (%v), not %x", low, err, sig)
	}
	r, s := v.R.Bytes(), v.S.Bytes()
	integer := func(b []byte) []byte {
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	seq := func(parts ...[]byte) []byte {
		body := slices.Concat(parts...)
		return append([]byte{0x30, byte(len(body))}, body...)
	}
	if !bytes.Equal(seq(integer(r), integer(s)), sig) {
		t.Fatal("the test's own DER is off")
	}
	body := sig[2:]
	for what, sig := range map[string][]byte{
		"a long-form length":    append([]byte{0x30, 0x81, byte(len(body))}, body...),
		"an indefinite length":  slices.Concat([]byte{0x30, 0x80}, body, []byte{0, 0}),
		"bytes behind":          append(slices.Clone(sig), 0),
		"bytes in the sequence": seq(integer(r), integer(s), []byte{5, 0}),
		"a padded r":            seq(append([]byte{2, byte(len(r) + 2)}, append([]byte{0, 0}, r...)...), integer(s)),
		"a negative s":          seq(integer(r), append([]byte{2, byte(len(s))}, append([]byte{s[0] | 0x80}, s[1:]...)...)),
		"r and s plain":         append(v.R.FillBytes(make([]byte, 32)), v.S.FillBytes(make([]byte, 32))...),
		"r zero":                seq([]byte{2, 1, 0}, integer(s)),
		"s zero":                seq(integer(r), []byte{2, 1, 0}),
		"s plus n":              seq(integer(r), integer(new(big.Int).Add(v.S, n).Bytes())),
		"r and s swapped":       seq(integer(s), integer(r)),
		"a set":                 append([]byte{0x31}, sig[1:]...),
		"empty":                 {},
	} {
		if err := try(sig); trial.RuleOf(err) != trial.RuleSignature {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestEd25519: only the canonical encoding of an Ed25519 signature is accepted: s is below the
// order of the group, and R is as it is computed.
func TestEd25519(t *testing.T) {
	payload := document(t, "a")
	key := trialtest.Public("ada")
	env, err := trial.Sign(payload, trialtest.Key("ada"))
	if err != nil {
		t.Fatal(err)
	}
	var e trial.Envelope
	json.Unmarshal(env, &e)
	sig := decode64(t, e.Signatures[0].Sig)
	le := slices.Clone(sig[32:])
	slices.Reverse(le)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := new(big.Int).Add(new(big.Int).SetBytes(le), order).FillBytes(make([]byte, 32))
	slices.Reverse(s)
	malleable := append(slices.Clone(sig[:32]), s...)
	if _, err := trial.Check(envelope(e.Payload, trial.PayloadType, [2]string{key.ID().String(), b64.EncodeToString(malleable)}),
		key.SPKI()); trial.RuleOf(err) != trial.RuleSignature {
		t.Errorf("s plus the order: %v", err)
	}
}

func TestPublicKeys(t *testing.T) {
	for _, who := range []string{"ada", "p256-bob"} {
		key := trialtest.Public(who)
		again, err := trial.ParsePublicKey(key.SPKI())
		if err != nil || again.ID() != key.ID() {
			t.Errorf("%s: %v", who, err)
		}
		for i := range key.SPKI() {
			if _, err := trial.ParsePublicKey(key.SPKI()[:i]); err == nil {
				t.Errorf("%s cut to %d bytes is taken", who, i)
			}
		}
		if _, err := trial.ParsePublicKey(append(key.SPKI(), 0)); err == nil {
			t.Errorf("%s with a byte behind is taken", who)
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for what, key := range map[string]any{"P-384": &p384.PublicKey, "RSA": &rsaKey.PublicKey, "nothing": nil, "a private key": rsaKey} {
		if _, err := trial.NewPublicKey(key); err == nil {
			t.Errorf("%s is taken", what)
		}
		if spki, err := x509.MarshalPKIXPublicKey(key); err == nil {
			if _, err := trial.ParsePublicKey(spki); err == nil {
				t.Errorf("%s is taken", what)
			}
		}
	}
	if _, err := trial.Sign(document(t, "a"), p384); err == nil {
		t.Error("Sign signs by P-384")
	}
	p := trialtest.Public("p256-bob").SPKI()
	point := p[len(p)-65:]
	compressed := append([]byte{2 + point[64]&1}, point[1:33]...)
	der := func(alg, bits []byte) []byte {
		body := slices.Concat(alg, []byte{3, byte(len(bits) + 1), 0}, bits)
		return append([]byte{0x30, byte(len(body))}, body...)
	}
	alg := p[2:23]
	if !bytes.Equal(der(alg, point), p) {
		t.Fatalf("the test's own SPKI is off: % x", p)
	}
	hybrid := append([]byte{6 + point[64]&1}, point[1:]...)
	off := slices.Clone(point)
	off[64] ^= 1
	ed := trialtest.Public("ada").SPKI()
	for what, spki := range map[string][]byte{
		"a compressed point":          der(alg, compressed),
		"a hybrid point":              der(alg, hybrid),
		"a point off the curve":       der(alg, off),
		"the point at infinity":       der(alg, []byte{0}),
		"a long-form length":          append([]byte{0x30, 0x81, p[1]}, p[2:]...),
		"Ed25519 with NULL":           append([]byte{0x30, 0x2c, 0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0}, ed[9:]...),
		"Ed25519 with a spare bit":    slices.Concat(ed[:11], []byte{1}, ed[12:43], []byte{ed[43] &^ 1}), // the key shifted by one
		"X25519":                      slices.Concat(ed[:8], []byte{0x6e}, ed[9:]),
		"Ed25519 in upper bits of 33": append(slices.Concat([]byte{0x30, 0x2b}, ed[2:9], []byte{3, 0x22, 0}, ed[12:]), 0),
	} {
		if _, err := trial.ParsePublicKey(spki); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// TestWeakKeys: under an Ed25519 key of small order one signature is valid for many messages,
// and anyone can make it.
func TestWeakKeys(t *testing.T) {
	identity := make(ed25519.PublicKey, 32)
	identity[0] = 1
	sig := make([]byte, 64)
	sig[0] = 1
	if !ed25519.Verify(identity, []byte("whatever"), sig) || !ed25519.Verify(identity, []byte("something else"), sig) {
		t.Fatal("package ed25519 refuses the identity now: the check may go")
	}
	for _, y := range []string{ // little-endian
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = 3 in a non-canonical encoding
	} {
		key, err := hex.DecodeString(y)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trial.NewPublicKey(ed25519.PublicKey(key)); err == nil {
			t.Errorf("the key %s is taken", y)
		}
	}
}

// TestKeysCompare: keys are equal by == however they were read, so structs with keys can be
// compared too.
func TestKeysCompare(t *testing.T) {
	for _, who := range []string{"ada", "p256-bob"} {
		a := trialtest.Public(who)
		b, err := trial.ParsePublicKey(a.SPKI())
		if err != nil || a != b || any(a) != any(b) {
			t.Errorf("%s: %v, equal %v", who, err, a == b)
		}
		if a == trialtest.Public("eve") {
			t.Errorf("%s is eve", who)
		}
	}
	if err := (trial.PublicKey{}).Verify(nil, nil); err == nil {
		t.Error("no key verifies")
	}
}
