package trial_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dataset"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func (s *scenario) id(name string) trial.Hash {
	if id, ok := s.names[name]; ok || name == "" {
		return id
	}
	return sha256.Sum256([]byte(name))
}

// signed builds, signs and checks what a line says.
func (s *scenario) signed(words []string) (*trial.Signed, error) {
	s.t.Helper()
	payload, err := s.payload(words)
	if err != nil {
		return nil, err
	}
	if n := len(words); words[n-2] == "as" {
		s.names[words[n-1]] = trial.StatementID(payload)
	}
	who := strings.TrimSuffix(words[0], ":")
	forger := who
	for _, w := range words {
		if name, ok := strings.CutPrefix(w, "forged="); ok {
			forger = name
		}
	}
	envelope, err := trial.Sign(payload, trialtest.Key(forger))
	if err != nil {
		s.t.Fatal(err)
	}
	ids := [2]string{trialtest.Public(forger).ID().String(), trialtest.Public(who).ID().String()}
	envelope = bytes.ReplaceAll(envelope, []byte(ids[0]), []byte(ids[1]))
	return trial.Check(envelope, trialtest.Public(who).SPKI())
}

// logKey returns the verifier key of a name for the log, and its proof by another.
func logKey(name, by string) (vkey, proof string) {
	public := func(name string) ed25519.PublicKey {
		return trialtest.Key("logkey " + name).Public().(ed25519.PublicKey)
	}
	data := append([]byte{1}, public(name)...)
	id := sha256.Sum256(append([]byte(trialtest.Origin+"\n"), data...))
	vkey = fmt.Sprintf("%s+%x+%s", trialtest.Origin, id[:4], base64.StdEncoding.EncodeToString(data))
	sig, err := trialtest.Key("logkey "+by).Sign(nil, trial.LogKeyMessage(trialtest.Origin, vkey), crypto.Hash(0))
	if err != nil {
		panic(err)
	}
	return vkey, base64.StdEncoding.EncodeToString(sig)
}

// payload builds what a line says.
func (s *scenario) payload(words []string) ([]byte, error) {
	s.t.Helper()
	who := strings.TrimSuffix(words[0], ":")
	verb, args := words[1], words[2:]
	if n := len(args); n > 1 && args[n-2] == "as" {
		args = args[:n-2]
	}
	option := map[string]string{"files": "1", "signed": "0s", "log": trialtest.Origin, "meaning": "author", "for": s.orgs[who],
		"scope": "global"}
	var plain []string
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			option[k] = v
		} else {
			plain = append(plain, a)
		}
	}
	arg := func(i int) string {
		if i < len(plain) {
			return plain[i]
		}
		return ""
	}
	list := func(text string) []string {
		if text == "" {
			return nil
		}
		return strings.Split(text, ",")
	}
	limits := func() *trial.KeyLimits {
		l := &trial.KeyLimits{Kinds: list(option["kinds"]), Until: option["until"]}
		for _, name := range list(option["trials"]) {
			l.Trials = append(l.Trials, s.id(name))
		}
		if len(l.Kinds)+len(l.Trials) == 0 && l.Until == "" && option["limits"] == "" {
			return nil
		}
		return l
	}
	c := trial.Common{Log: option["log"], Meaning: option["meaning"], SignedAt: s.now + s.duration(option["signed"])}
	org := option["for"]
	var p trial.Predicate
	var subjects []trial.Subject
	switch verb {
	case "org":
		o := &trial.Org{Common: c, ID: arg(0), Name: "The organisation " + arg(0)}
		for _, a := range plain[1:] {
			o.Administrators = append(o.Administrators, trialtest.Enrolment(o.ID, a))
			if s.orgs[a] == "" {
				s.orgs[a] = o.ID
			}
		}
		p, subjects = o, trial.OrgSubjects(o)
	case "enrol":
		e := trialtest.Enrolment(org, arg(0))
		if by, ok := option["proof"]; ok { // the proof of another key
			e.Proof = trialtest.Enrolment(org, by).Proof
		}
		p, subjects = &trial.Key{Common: c, Action: "enrol", Enrol: &e, Org: org, Role: arg(1),
			Limits: limits()}, trial.NamedSubject("key", e.Key.ID())
		if s.orgs[arg(0)] == "" {
			s.orgs[arg(0)] = org
		}
	case "limit":
		id := trialtest.Public(arg(0)).ID()
		p, subjects = &trial.Key{Common: c, Action: "limit", Org: org, Limit: id, Limits: limits()}, trial.NamedSubject("key", id)
	case "revoke":
		id := trialtest.Public(arg(0)).ID()
		p, subjects = &trial.Key{Common: c, Action: "revoke", Org: org, Revoke: id}, trial.NamedSubject("key", id)
	case "register":
		p, subjects = &trial.Registration{Common: c, Number: arg(0), Masked: option["masked"] != "", Org: org}, trial.NumberSubject(arg(0))
	case "identify":
		p, subjects = &trial.Identifier{Common: c, Trial: s.id(arg(0)), Identifier: arg(1)}, trial.NamedSubject("trial", s.id(arg(0)))
	case "protocol":
		p = &trial.Protocol{Common: c, Trial: s.id(arg(0)), Version: arg(1), Scope: option["scope"], Previous: s.id(option["previous"]),
			Base: s.id(option["base"]), Dated: option["dated"]}
	case "sap":
		p = &trial.SAP{Common: c, Trial: s.id(arg(0)), Version: arg(1), Analysis: arg(2), Dated: option["dated"]}
	case "milestone":
		p, subjects = &trial.Milestone{Common: c, Trial: s.id(arg(0)), Event: arg(1), Date: arg(2), Analysis: option["analysis"],
			Country: option["country"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "results":
		p = &trial.Results{Common: c, Trial: s.id(arg(0)), Analysis: arg(1), Updates: s.id(option["updates"]), Dated: option["dated"]}
	case "document":
		p = &trial.Document{Common: c, Trial: s.id(arg(0)), Version: arg(1), Dated: option["dated"]}
	case "dataset":
		d := &trial.Dataset{Common: c, Trial: s.id(arg(0)), Analysis: option["analysis"], Lock: s.id(option["lock"])}
		for _, name := range plain[1:] {
			d.Tables = append(d.Tables, table(name, option["extract"]))
		}
		if option["mixed"] != "" {
			d.Tables[0].Extract[1] = 1
		}
		p = d
	case "observe":
		p, subjects = &trial.Observation{Common: c, Identifier: arg(0), SeenAt: "2026-03-01",
			Source: "registry"}, trialtest.Documents("observation", "x")
	case "unobserve":
		p, subjects = &trial.Observation{Common: c, Identifier: arg(0), Withdraw: s.id(arg(1)), Reason: cmp.Or(option["reason"],
			"wrong-document")}, trial.NamedSubject("observation", s.id(arg(1)))
	case "cosign":
		p, subjects = &trial.CoSignature{Common: c, Trial: s.id(arg(0)), Statement: s.id(arg(1))}, trial.NamedSubject("statement",
			s.id(arg(1)))
	case "delegate":
		p, subjects = &trial.Delegation{Common: c, Trial: s.id(arg(0)), To: arg(1), Kinds: list(arg(2)), Scope: option["in"],
			End: option["end"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "withdraw":
		p, subjects = &trial.Delegation{Common: c, Trial: s.id(arg(0)), Withdraw: s.id(arg(1)),
			End: option["end"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "offer", "accept", "retract", "order":
		action := map[string]string{"retract": "withdraw"}[verb]
		p, subjects = &trial.Transfer{Common: c, Action: cmp.Or(action, verb), Trial: s.id(arg(0)), To: arg(1), Offer: s.id(arg(2)),
			Ground: option["ground"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "rule":
		p, subjects = &trial.Ruling{Common: c, Trial: s.id(arg(0)), Identifier: arg(1),
			Ground: option["ground"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "correct":
		p, subjects = &trial.Correction{Common: c, Trial: s.id(arg(0)), Statement: s.id(arg(1)), Of: arg(2), Field: arg(3),
			Old: option["old"], New: option["new"], Reason: cmp.Or(option["reason"], "clerical")}, trial.NamedSubject("trial", s.id(arg(0)))
	case "void":
		p, subjects = &trial.Correction{Common: c, Trial: s.id(arg(0)), Statement: s.id(arg(1)), Of: arg(2), Void: arg(3),
			Reason: option["reason"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "seal":
		payload, err := s.payload(append([]string{words[0]}, words[4:]...))
		if err != nil {
			return nil, err
		}
		s.sealed[arg(0)], s.names[arg(0)] = payload, trial.StatementID(payload)
		commitment := trial.CommitStatement(sha256.Sum256([]byte(arg(0))), trial.StatementID(payload))
		p, subjects = &trial.Seal{Common: trial.Common{Log: trialtest.Origin, Meaning: "author", SignedAt: s.now}, Commitment: commitment,
			Org: org}, trial.NamedSubject("sealed", commitment)
	case "unseal":
		commitment := trial.CommitStatement(sha256.Sum256([]byte(arg(0))), trial.StatementID(s.sealed[arg(0)]))
		at := trial.SealRef{Index: 7, Time: s.now}
		if rec, ok := s.log.State.Record(trial.RecordKey{Kind: "seal", ID: commitment.String()}).(*trial.SealRecord); ok {
			at = trial.SealRef{Index: rec.Index, Time: rec.Time - s.duration(cmp.Or(option["earlier"], "0s"))}
		}
		u, inner, err := trial.NewUnseal(c, s.sealed[arg(0)], sha256.Sum256([]byte(cmp.Or(option["salt"], arg(0)))), at)
		if err != nil {
			return nil, err
		}
		p, subjects = u, inner
	case "logkey":
		vkey, proof := logKey(arg(1), cmp.Or(option["proof"], arg(1)))
		if arg(0) != "add" && option["proof"] == "" {
			proof = ""
		}
		p, subjects = &trial.LogKey{Common: c, Action: arg(0), VKey: vkey, Proof: proof}, trial.NamedSubject("logkey",
			sha256.Sum256([]byte(vkey)))
	case "policy":
		p, subjects = &trial.Policy{Common: c, Policy: base64.StdEncoding.EncodeToString([]byte(arg(0))),
			Previous: s.id(option["previous"])}, trial.NamedSubject("policy", sha256.Sum256([]byte(arg(0))))
	case "rules":
		set, err := strconv.Atoi(arg(0))
		if err != nil {
			s.fatalf("%v", err)
		}
		ahead, err := strconv.Atoi(option["ahead"])
		if err != nil {
			s.fatalf("%v", err)
		}
		p, subjects = &trial.Rules{Common: c, Set: set, From: s.log.State.Size() + uint64(ahead)}, trial.NamedSubject("rules",
			sha256.Sum256([]byte(arg(0))))
	case "recipient":
		key := trialtest.Recipient(arg(1))
		r := &trial.Recipient{Common: c, Action: arg(0), Org: org, Reason: option["reason"]}
		if r.Action == "retire" {
			r.Retire = trial.RecipientID(cmp.Or(option["of"], org), key)
		} else {
			r.Recipient = key
		}
		p, subjects = r, trial.NamedSubject("recipient", r.ID())
	case "grant":
		p = &trial.Consent{Common: c, Action: "grant", Agents: list(arg(1)), Elements: sha256.Sum256([]byte(option["terms"])),
			Lock: trial.ConsentLock(consentCode(cmp.Or(option["code"], "a"))), Org: org, To: arg(0), Until: option["until"]}
		subjects = salted(trialtest.Documents("consent", fmt.Sprint(s.number)))
	case "end":
		code := ""
		if name, ok := option["code"]; ok {
			code = consentCode(name)
		}
		p, subjects = &trial.Consent{Common: c, Action: "end", Consent: s.id(arg(0)), Code: code, Erase: option["erase"] != ""},
			trial.NamedSubject("consent", s.id(arg(0)))
	case "erased":
		p, subjects = &trial.Erasure{Common: c, Of: s.id(arg(0)), Org: org, Ground: cmp.Or(option["ground"], "asked"),
			What: list(cmp.Or(option["what"], "file,key"))}, trial.NamedSubject("consent", s.id(arg(0)))
	case "request":
		p = &trial.Access{Common: c, Action: "request", Of: arg(0), Org: org, Use: list(cmp.Or(option["use"], "DUO:0000006"))}
		subjects = salted(trialtest.Documents("request", fmt.Sprint(s.number)))
	case "decide":
		p, subjects = &trial.Access{Common: c, Action: "decide", Request: s.id(arg(0)), Decision: arg(1)},
			trial.NamedSubject("request", s.id(arg(0)))
	case "release", "emergency":
		a := &trial.Access{Common: c, Action: verb, Recipient: trial.RecipientID(arg(0), trialtest.Recipient(arg(1))),
			Reason: option["reason"]}
		if name, ok := option["request"]; ok {
			a.Request = s.id(name)
		}
		for _, name := range plain[2:] {
			a.Consents = append(a.Consents, trial.Released{Consent: s.id(name), Package: sha256.Sum256([]byte("package of " + name))})
		}
		slices.SortFunc(a.Consents, func(a, b trial.Released) int { return bytes.Compare(a.Consent[:], b.Consent[:]) })
		if option["reversed"] != "" {
			slices.Reverse(a.Consents)
		}
		p, subjects = a, trial.NamedSubject("release", trial.ReleaseDigest(a.Consents))
	case "disclose":
		p = &trial.Access{Common: c, Action: "disclose", Basis: arg(0), Elements: sha256.Sum256([]byte("terms")), Org: org,
			Until: option["until"]}
		subjects = salted(trialtest.Documents("disclosure", fmt.Sprint(s.number)))
	case "custody":
		p, subjects = s.custody(c, arg(0), s.id(arg(1)), plain[2:], option)
	case "break":
		p, subjects = &trial.CodeBreak{Common: c, Trial: s.id(arg(0)), Reason: cmp.Or(option["reason"], "emergency")},
			salted(trialtest.Documents("codebreak", fmt.Sprint(s.number)))
	default:
		s.fatalf("no verb %q", verb)
	}
	if subjects == nil {
		n, err := strconv.Atoi(option["files"])
		if err != nil {
			s.fatalf("%v", err)
		}
		contents := make([]string, n)
		for i := range contents {
			contents[i] = fmt.Sprint(s.number, i)
			if c, ok := option["contents"]; ok {
				contents[i] = c
			}
		}
		subjects = trialtest.Documents(p.Kind(), contents...)
	}
	if name, ok := option["subject"]; ok {
		subjects[0].Name = name
	}
	if option["plain"] != "" {
		subjects[0].Digest = trial.Digest{SHA256: trial.Hash{1}}
	}
	return (&trial.Statement{Subjects: subjects, Predicate: p}).Marshal()
}

// table returns a commitment to a table of three rows of a name.
func table(name, extract string) dataset.Commitment {
	return dataset.Commitment{Columns: 2, Extract: dataset.Extract{1}, Header: sha256.Sum256([]byte("header")), Name: name, RowCount: 3, Rows: sha256.Sum256([]byte(extract)),
		Subject: 0, SubjectCount: 2, Subjects: sha256.Sum256([]byte("subjects"))}
}

// consentCode returns the code of a consent by a name.
func consentCode(name string) string { return strings.Repeat(strings.ToUpper(name), 32)[:32] }

// salted returns subjects with commitments in place of their digests.
func salted(subjects []trial.Subject) []trial.Subject {
	for i, s := range subjects {
		subjects[i].Digest = trial.Digest{Salted256: trial.Commit(trial.Salt{1}, s.Digest.SHA256)}
	}
	return subjects
}
