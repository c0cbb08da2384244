package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/vault"
)

// An institution of the demo signs with a key and receives with an identity.
type institution struct {
	id        string
	signer    crypto.Signer
	identity  *age.HybridIdentity
	recipient string
}

const labResult = `{"resourceType":"Observation","status":"final","code":{"text":"HbA1c"},"valueString":"7.9 %"}` + "\n"

// consents is the chapter of a patient whose laboratory result is released, as long as she
// agrees.
func (s *story) consents(ctx context.Context) error {
	s.say("A hospital, a patients' trust and two laboratories join. Each has a key to which data is encrypted for it.")
	parties := map[string]*institution{}
	for _, id := range []string{"hospital", "trust", "lab-one", "lab-two"} {
		p, err := s.join(ctx, id)
		if err != nil {
			return err
		}
		parties[id] = p
	}
	hospital, trust, one, two := parties["hospital"], parties["trust"], parties["lab-one"], parties["lab-two"]

	s.say("A patient's laboratory result is encrypted to her. Hospital and trust each hold a part of its key: neither can open it alone.")
	owner, err := age.GenerateHybridIdentity()
	if err != nil {
		return err
	}
	var sealed bytes.Buffer
	protected, _, err := vault.Protect(&sealed, strings.NewReader(labResult), vault.Options{Owner: owner.Recipient().String(),
		Org:     hospital.id,
		Subject: "patient-17", Data: []string{"Observation"}, Agents: []vault.Agent{{Org: hospital.id, Recipient: hospital.recipient},
			{Org: trust.id, Recipient: trust.recipient}}})
	if err != nil {
		return err
	}
	s.detail("%d bytes became %d; they may travel any way", len(labResult), sealed.Len())

	s.say("She agrees that lab-one may have it for health research. The log sees no name, no kind of data, no purpose.")
	master := consent.NewMaster()
	handle, err := s.grant(ctx, hospital, one, []string{hospital.id, trust.id}, master.Code(1))
	if err != nil {
		return err
	}
	s.detail("consent %s; her slip has the code that ends it", handle)

	s.say("lab-one asks for data, and the hospital approves.")
	request, err := s.request(ctx, one, hospital)
	if err != nil {
		return err
	}

	s.say("Hospital and trust release. Each release is logged before anything is handed out: the log is asked whether consent stands.")
	var packages []*vault.Package
	for _, agent := range []*institution{hospital, trust} {
		opened, err := protected.Open(agent.id, vault.Identities{agent.identity})
		if err != nil {
			return err
		}
		asked := trial.Hash{}
		if agent == hospital {
			asked = request
		}
		data, err := s.release(ctx, agent, one, handle, asked, opened)
		if err != nil {
			return err
		}
		p, err := vault.OpenPackage(data, vault.Identities{one.identity})
		if err != nil {
			return err
		}
		packages = append(packages, p)
	}
	var plain bytes.Buffer
	if err := vault.OpenFile(&bytes.Buffer{}, bytes.NewReader(sealed.Bytes()), packages[:1]); err == nil {
		return errors.New("the hospital's package opens the file alone")
	}
	if err := vault.OpenFile(&plain, bytes.NewReader(sealed.Bytes()), packages); err != nil || plain.String() != labResult {
		return fmt.Errorf("the file does not open: %w", err)
	}
	s.detail("lab-one opens it with both packages, and with neither alone")

	s.say("lab-two gets nothing: the consent is for somebody else.")
	opened, err := protected.Open(hospital.id, vault.Identities{hospital.identity})
	if err != nil {
		return err
	}
	if err := s.refusedRelease(ctx, hospital, two, handle, opened); err != nil {
		return err
	}

	s.say("The patient ends her consent with the code of her slip. She has no key; the log's relay signs.")
	if _, err := s.client.End(ctx, handle, master.Code(1), false); err != nil && !errors.Is(err, client.ErrPending) {
		return fmt.Errorf("end by code: %w", err)
	}
	if err := s.refusedRelease(ctx, hospital, one, handle, opened); err != nil {
		return err
	}

	s.say("What the patient sees, proven complete:")
	return s.account(ctx, handle)
}

// join enrols an institution, and adds its recipient.
func (s *story) join(ctx context.Context, id string) (*institution, error) {
	_, signer, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, err
	}
	p := &institution{id, signer, identity, identity.Recipient().String()}
	if _, err := s.enrol(ctx, s.registrar, id, "The "+id, signer); err != nil {
		return nil, err
	}
	r := &trial.Recipient{Common: s.common("approval"), Action: "add", Org: id, Recipient: p.recipient}
	v, _, err := s.submit(ctx, signer, &trial.Statement{Subjects: trial.NamedSubject("recipient", r.ID()), Predicate: r})
	if err != nil {
		return nil, err
	}
	s.detail("entry %d: recipient %.12s of %s", v.Index, r.ID(), id)
	return p, nil
}

// grant logs a consent for to, and returns its handle.
func (s *story) grant(ctx context.Context, site, to *institution, agents []string, code string) (trial.Hash, error) {
	var secret element.Secret
	var salt trial.Salt
	rand.Read(secret[:]) // never fails
	rand.Read(salt[:])
	terms := &consent.Terms{Data: []string{"Observation"}, Recipient: to.id, Subject: "patient-17", Use: []string{"DUO:0000006"}}
	tree, digest, err := terms.Tree(secret)
	if err != nil {
		return trial.Hash{}, err
	}
	slices.Sort(agents)
	p := &trial.Consent{Common: s.common("responsibility"), Action: "grant", Agents: agents, Elements: tree.Root(),
		Lock: trial.ConsentLock(code),
		Org:  site.id, To: to.id}
	v, _, err := s.submit(ctx, site.signer, &trial.Statement{Predicate: p,
		Subjects: []trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: trial.Commit(salt, digest)}}}})
	if err != nil {
		return trial.Hash{}, err
	}
	return v.Entry.Statement.ID, nil
}

// request logs a request of from, and its approval.
func (s *story) request(ctx context.Context, from, of *institution) (trial.Hash, error) {
	var salt trial.Salt
	rand.Read(salt[:]) // never fails
	p := &trial.Access{Common: s.common("author"), Action: "request", Of: of.id, Org: from.id, Use: []string{"DUO:0000006"}}
	v, _, err := s.submit(ctx, from.signer, &trial.Statement{Predicate: p, Subjects: []trial.Subject{{Name: "request",
		Digest: trial.Digest{Salted256: trial.Commit(salt, sha256.Sum256([]byte("the plan of the research")))}}}})
	if err != nil {
		return trial.Hash{}, err
	}
	id := v.Entry.Statement.ID
	s.detail("entry %d: %s", v.Index, trial.Describe(v.Entry.Statement.Statement))
	d := &trial.Access{Common: s.common("approval"), Action: "decide", Decision: "approve", Request: id}
	v, _, err = s.submit(ctx, of.signer, &trial.Statement{Subjects: trial.NamedSubject("request", id), Predicate: d})
	if err != nil {
		return trial.Hash{}, err
	}
	s.detail("entry %d: %s", v.Index, trial.Describe(v.Entry.Statement.Statement))
	return id, nil
}

// release logs the release of an agent's share, and returns the package.
func (s *story) release(ctx context.Context, agent, to *institution, handle, request trial.Hash, share *vault.Opened) ([]byte, error) {
	data, err := (&vault.Package{Consent: handle, Org: agent.id, Files: []vault.Opened{*share}}).Seal(to.recipient)
	if err != nil {
		return nil, err
	}
	p := &trial.Access{Common: s.common("responsibility"), Action: "release", Recipient: trial.RecipientID(to.id, to.recipient),
		Request:  request,
		Consents: []trial.Released{{Consent: handle, Package: sha256.Sum256(data)}}}
	v, _, err := s.submit(ctx, agent.signer, &trial.Statement{Subjects: trial.NamedSubject("release", trial.ReleaseDigest(p.Consents)),
		Predicate: p})
	if err != nil {
		return nil, err
	}
	if !v.Checkpoint.ReplayQuorum() {
		return nil, errors.New("too few replaying witnesses cosigned a release")
	}
	s.detail("entry %d: %s releases to %s; %s", v.Index, agent.id, to.id, v.Witnesses())
	return data, nil
}

// refusedRelease wants the log to refuse a release because consent is not in force.
func (s *story) refusedRelease(ctx context.Context, agent, to *institution, handle trial.Hash, share *vault.Opened) error {
	_, err := s.release(ctx, agent, to, handle, trial.Hash{}, share)
	if trial.RuleOf(err) != trial.RuleNotInForce {
		return fmt.Errorf("a release to %s was not refused by R18: %w", to.id, err)
	}
	s.detail("%v", err)
	return nil
}

// account shows who had access, from the consent's proven history.
func (s *story) account(ctx context.Context, handle trial.Hash) error {
	page, err := s.client.HistoryPage(ctx, "consent", handle.String(), 0, 0)
	if err != nil {
		return err
	}
	h, err := history.ParsePage(page)
	if err != nil {
		return err
	}
	r, err := history.NewReader(s.policy, h)
	if err != nil {
		return err
	}
	v, err := r.Verdict()
	if err != nil {
		return err
	}
	a, err := consent.NewAccount(v)
	if err != nil {
		return err
	}
	if !v.Replayed || len(a.Accesses) != 2 || a.Ended == nil {
		return fmt.Errorf("the account has %d accesses, ended %v, proven complete %v", len(a.Accesses), a.Ended != nil, v.Replayed)
	}
	for _, x := range a.Accesses {
		s.detail("%s: %s handed the data out to %s (entry %d)", x.Time, x.Org, x.To, x.Index)
	}
	s.detail("%s: ended (entry %d)", a.Ended.Time, a.Ended.Index)
	return nil
}
