package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A draft is a statement on its way: built, signed, kept in a file, sent, and
// its receipt checked and filed.
type draft struct {
	Envelope json.RawMessage `json:"envelope"`
	Key      trial.PublicKey `json:"key"`
	Openings *trial.Openings `json:"openings"`
	Receipts []string        `json:"receipts"`          // files that the receipt is written to
	Digests  []trial.Hash    `json:"digests,omitempty"` // of the documents, in the same order

	id        trial.Hash
	statement *trial.Statement // of an import
	at        *uint64          // the index that was asked for, if the statement was named by it
	file      string           // the .statement file
}

// common returns what every statement says. The signer's name is committed to
// with a salt that only the receipt holds.
func (r *remote) common(meaning string, o *trial.Openings) trial.Common {
	c := trial.Common{Log: r.log.Name(), Meaning: meaning, SignedAt: trial.TimeOf(time.Now())}
	if r.key.Name != "" {
		o.Name, o.NameSalt = r.key.Name, newSalt()
		c.PrintedName = trial.CommitName(o.NameSalt, o.Name)
	}
	return c
}

func newSalt() trial.Salt {
	var s trial.Salt
	rand.Read(s[:]) // never fails
	return s
}

// subjects names files by their role and, if private, commits to them with
// salts instead of showing their digests.
func subjects(kind string, files []file, private bool, o *trial.Openings) []trial.Subject {
	var list []trial.Subject
	for i, f := range files {
		s := trial.Subject{Name: kind, Digest: trial.Digest{SHA256: f.digest}}
		if i > 0 {
			s.Name = fmt.Sprintf("appendix-%d", i)
		}
		if private {
			salt := newSalt()
			if o.Salts == nil {
				o.Salts = map[string]trial.Salt{}
			}
			o.Salts[s.Name] = salt
			s.Digest = trial.Digest{Salted256: trial.Commit(salt, f.digest)}
		}
		list = append(list, s)
	}
	return list
}

// A sending is how a statement is to be sent.
type sending struct {
	outDir string // for receipts; empty: beside each file
	dry    bool   // print what would become public, and stop
	yes    bool   // it is meant, however odd it is

	confirmed bool // the key's owner has been asked
}

// send signs a statement and carries it to its receipt. It returns the id of
// the statement.
func (r *remote) send(ctx context.Context, e *env, how sending, st *trial.Statement, o *trial.Openings, files []file) (trial.Hash, error) {
	payload, err := st.Marshal()
	if err != nil {
		return trial.Hash{}, err
	}
	if _, err := o.Marshal(); err != nil { // before anything is sent: without openings there is no receipt
		return trial.Hash{}, frame.Usagef("%w: make a key whose -name can be shown", err)
	}
	if how.dry {
		fmt.Fprintf(e.Stdout, "%s\n", payload)
		fmt.Fprintf(e.Stderr, "this is all that would become public, with the key %s and its signature; nothing was sent\n",
			r.key.Public.ID())
		return trial.StatementID(payload), nil
	}
	d := &draft{Key: r.key.Public, Openings: o, id: trial.StatementID(payload)}
	if err := d.place(r, st, how.outDir, files); err != nil {
		if v := d.already(r.policy, st); v != nil {
			fmt.Fprintf(e.Stderr, "already logged as %s; nothing was sent; %s\n", loggedText(v), receiptsText(d.Receipts))
			return v.Entry.Statement.ID, nil
		}
		return d.id, err
	}
	if err := r.meant(ctx, e, how, st, files); err != nil {
		return d.id, err
	}
	if !how.confirmed {
		if err := r.confirm(ctx, e, st, files); err != nil {
			return d.id, err
		}
	}
	if d.Envelope, err = trial.Sign(payload, r.key.Signer); err != nil {
		return d.id, err
	}
	if err := d.keep(); err != nil {
		return d.id, err
	}
	if err := r.sameLog(ctx); errors.Is(err, errInvalid) {
		return d.id, errors.Join(err, os.Remove(d.file))
	} else if err != nil {
		return d.id, fmt.Errorf("%w; send the signed statement with %s", err, r.fetch(d.file))
	}
	res, err := r.client.Submit(ctx, d.Envelope, r.key.Public.SPKI())
	if errors.Is(err, client.ErrPending) {
		fmt.Fprintf(e.Stdout, "pending %s\n", d.id)
		return d.id, fmt.Errorf("%w; fetch its receipt later: %s", err, r.fetch(d.file))
	}
	if err != nil {
		if trial.RuleOf(err) != "" {
			return d.id, d.refused(r.advise(ctx, st.Predicate, err))
		}
		return d.id, fmt.Errorf("%w; it may have got through: send the same statement again with %s", err, r.fetch(d.file))
	}
	v, err := d.finish(r.policy, res)
	if err != nil {
		return d.id, err
	}
	fmt.Fprintf(e.Stderr, "logged as %s; %s\n", loggedText(v), receiptsText(d.Receipts))
	if len(o.Salts) > 0 {
		fmt.Fprintf(e.Stderr, "%s holds the only salt: keep it with the file. Without it nobody can show that the file is what was "+
			"logged, and the log cannot give it again\n", strings.Join(d.Receipts, ", "))
	}
	return d.id, nil
}

// advised is a refusal that says itself what to do next.
type advised struct{ error }

func (a advised) Unwrap() error { return a.error }

// advise says the next step that is right where the signer's key may not sign this: it
// needs a registrar's key, or its organisation is not enrolled.
func (r *remote) advise(ctx context.Context, p trial.Predicate, err error) error {
	rule := trial.RuleOf(err)
	if rule != trial.RuleNotEnrolled && rule != trial.RuleRole {
		return err
	}
	if command, ok := registrars[p.Kind()]; ok {
		return advised{&trial.Refusal{Rule: rule, Detail: fmt.Sprintf("only a registrar may log this, and key %s is no registrar's key "+
			"of %s: "+
			"give the registrar's key file with -key, or ask the registrar to run trial %s",
			r.key.Public.ID(), r.log.Name(), command)}}
	}
	if rule != trial.RuleNotEnrolled || r.key.Org == "" {
		return err
	}
	about, aerr := r.client.Record(ctx, "org", r.key.Org)
	if aerr != nil || len(about.Entries) > 0 {
		return err
	}
	return advised{&trial.Refusal{Rule: rule, Detail: fmt.Sprintf("the organisation %s of this key is not enrolled in %s yet: "+
		"send the .pub file of its administrator's key to the log's registrar, who enrols it with trial org", r.key.Org, r.log.Name())}}
}

// registrars are the commands that log what a registrar alone may log.
var registrars = map[string]string{"org": "org", "ruling": "ruling", "logkey": "logkey", "policy": "policy publish", "rules": "rules"}

// refused renames the statement file, so that another try can be made. Only the log says that
// the statement was refused, so the file is kept in case it was logged all the same.
func (d *draft) refused(err error) error {
	name := fmt.Sprintf("%s.refused-%.12s", d.file, d.id)
	if rerr := os.Rename(d.file, name); rerr != nil {
		return errors.Join(err, rerr)
	}
	return fmt.Errorf("%w; the statement is kept as %s", err, name)
}

// fetch returns the command that continues with a statement file.
func (r *remote) fetch(file string) string {
	return fmt.Sprintf("trial receipt -log %s -policy %s %s", quoted(r.url), quoted(r.policyFile), quoted(file))
}

// sameLog checks, before anything is sent, that the log is one of the policy's.
func (r *remote) sameLog(ctx context.Context) error {
	signed, err := r.client.Checkpoint(ctx)
	if errors.Is(err, client.ErrNotFound) {
		return nil // nothing is published yet
	}
	if err != nil {
		return fmt.Errorf("%w; nothing was sent", err)
	}
	if _, err := r.policy.Open(signed); err != nil {
		return fmt.Errorf("%w: %w; nothing was sent", errInvalid, err)
	}
	return nil
}

// beside returns the name that the files kept with a file begin with: the file's own, or the
// same name in another folder.
func beside(name, dir string) string {
	if dir == "" {
		return name
	}
	return filepath.Join(dir, filepath.Base(name))
}

// place decides the names of the files to be written, none of which may be
// there yet: a receipt is never written over another.
func (d *draft) place(r *remote, st *trial.Statement, dir string, files []file) error {
	for _, f := range files {
		d.Receipts = append(d.Receipts, beside(f.stem(), dir)+".tlog-proof")
		d.Digests = append(d.Digests, f.digest)
	}
	if len(files) == 0 {
		kind := st.Predicate.Kind()
		d.Receipts = []string{filepath.Join(dir, fmt.Sprintf("%s-%.12s.tlog-proof", kind, d.id))}
		if left, _ := matching(dir, kind+"-*.statement"); len(left) > 0 {
			return frame.Usagef("%s is signed, perhaps sent, and has no receipt yet: go on with %s, or remove it", left[0],
				r.fetch(left[0]))
		}
	}
	for i, name := range d.Receipts { // whatever folder trial receipt is run in
		if abs, err := filepath.Abs(name); err == nil {
			d.Receipts[i] = abs
		}
	}
	for i, name := range d.Receipts {
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			return frame.Usagef("%s is there already and is never overwritten: give another folder with -out DIR", name)
		}
		for _, other := range d.Receipts[:i] {
			if other == name {
				return frame.Usagef("two files would have the receipt %s: submit them from one folder, without -out", name)
			}
		}
	}
	d.file = d.Receipts[0][:len(d.Receipts[0])-len(".tlog-proof")] + ".statement"
	if _, err := os.Lstat(d.file); err == nil {
		return frame.Usagef("%s is signed, perhaps sent, and has no receipt yet: go on with %s, or remove it", d.file, r.fetch(d.file))
	}
	return nil
}

// keep writes the statement to a file before it is sent: it holds the salts,
// which exist nowhere else.
func (d *draft) keep() error {
	data, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.file), 0o755); err != nil {
		return frame.AsUsage(err)
	}
	return writeNew(d.file, append(data, '\n'), 0o600)
}

// readDraft reads a .statement file.
func readDraft(name string) (*draft, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	d := &draft{file: name}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil || len(d.Receipts) == 0 || len(d.Digests) != 0 && len(d.Digests) != len(d.Receipts) {
		return nil, frame.Usagef("%s is no statement kept by trial submit, or it was altered", name)
	}
	s, err := trial.Check(d.envelope(), d.Key.SPKI())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.id = s.ID
	return d, nil
}

// envelope returns the envelope without the indentation of the file.
func (d *draft) envelope() []byte {
	var b bytes.Buffer
	if json.Compact(&b, d.Envelope) != nil {
		return d.Envelope
	}
	return b.Bytes()
}

// finish checks the receipt that the log made, files it, and then forgets the statement file.
func (d *draft) finish(p *checkpoint.Policy, res client.Result) (*receipt.Verdict, error) {
	full, v, err := d.check(receipt.NewVerifier(p), res)
	if err != nil {
		return nil, err
	}
	return v, d.write(full, v)
}

// check adds the openings to the receipt that the log made, and checks it as anyone would.
func (d *draft) check(verifier *receipt.Verifier, res client.Result) (full []byte, v *receipt.Verdict, err error) {
	if full, err = d.open(res); err != nil {
		return nil, nil, err
	}
	var docs []receipt.Document
	for i, digest := range d.Digests {
		docs = append(docs, receipt.Document{Name: strings.TrimSuffix(d.Receipts[min(i, len(d.Receipts)-1)], ".tlog-proof"),
			Digest: digest})
	}
	v, err = verifier.Verify(full, docs...)
	if err != nil {
		return nil, nil, fmt.Errorf("the receipt does not hold%s: %w", d.kept(), err)
	}
	if v.Entry.Statement.ID != d.id {
		return nil, nil, fmt.Errorf("%w: the log's receipt is for another statement%s", errInvalid, d.kept())
	}
	if d.at != nil && v.Index != *d.at {
		return nil, nil, fmt.Errorf("%w: the log gives the statement of entry %d as that of entry %d", errInvalid, v.Index, *d.at)
	}
	if key := v.Entry.Signer.Key; !d.Key.IsZero() && key.ID() != d.Key.ID() {
		return nil, nil, fmt.Errorf("%w: the statement stands in the log by another's signature, with key %s%s", errInvalid, key.ID(), d.kept())
	}
	return full, v, nil
}

// write files a receipt, and then forgets the statement file.
func (d *draft) write(full []byte, v *receipt.Verdict) error {
	for _, name := range d.Receipts {
		if there, err := os.ReadFile(name); err == nil && bytes.Equal(there, full) {
			continue // written by an earlier try
		}
		perm := os.FileMode(0o644)
		switch v.Entry.Statement.Statement.Predicate.(type) {
		case *trial.Consent, *trial.Access:
			perm = 0o600 // its salt would let somebody confirm guessed terms
		}
		if err := writeNew(name, full, perm); err != nil {
			return fmt.Errorf("the statement is logged, its receipt is not filed%s: %s", d.kept(), err)
		}
	}
	if d.file == "" {
		return nil
	}
	return os.Remove(d.file)
}

// filed reports whether a valid receipt of a document's statement lies where it would be
// written: it was filed first, so it may have what the log cannot give again.
func (d *draft) filed(p *checkpoint.Policy) bool {
	if d.file != "" || len(d.Receipts) != 1 || len(d.Digests) != 1 {
		return false
	}
	data, err := readReceipt(d.Receipts[0])
	if err != nil {
		return false
	}
	v, err := receipt.Verify(p, data, receipt.Document{Name: d.Receipts[0], Digest: d.Digests[0]})
	return err == nil && v.Entry.Statement.ID == d.id
}

// saltless warns of a receipt that was fetched without the salts of its private files.
func (d *draft) saltless(e *env) error {
	data, err := readSmall(d.Receipts[0])
	if err != nil {
		return err
	}
	r, err := receipt.Parse(data)
	if err != nil {
		return err
	}
	entry, err := trial.ParseEntry(r.Entry)
	if err != nil {
		return err
	}
	o, err := trial.ParseOpenings(r.Openings, entry.Statement.Statement)
	if err != nil {
		return err
	}
	for _, s := range entry.Statement.Statement.Subjects {
		if _, ok := o.Salts[s.Name]; !ok && !s.Digest.Salted256.IsZero() {
			fmt.Fprintf(e.Stderr, "the file was submitted as private, and this receipt has no salt: no file can be compared with it. "+
				"The receipt that was filed first holds the only salt\n")
			break
		}
	}
	return nil
}

// kept says where the statement is, if it is in a file.
func (d *draft) kept() string {
	if d.file == "" {
		return ""
	}
	return "; the statement is kept in " + d.file
}

func (d *draft) open(res client.Result) ([]byte, error) {
	r, err := receipt.Parse([]byte(res.Receipt))
	if err != nil {
		return nil, fmt.Errorf("%w: the log's receipt: %w", errInvalid, err)
	}
	had := r.Openings
	if r.Openings, err = d.Openings.Marshal(); err != nil {
		return nil, err
	}
	if bytes.Equal(r.Openings, had) { // there is nothing to add
		return []byte(res.Receipt), nil
	}
	return r.Marshal(), nil
}

// say sends a statement about no document and prints its identity.
func (r *remote) say(ctx context.Context, e *env, how sending, p trial.Predicate, subjects []trial.Subject, o *trial.Openings) error {
	id, err := r.send(ctx, e, how, &trial.Statement{Subjects: subjects, Predicate: p}, o, nil)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.Stdout, id)
	return nil
}

// list splits what is typed with commas, sorted and without repetition.
func list(typed string) []string {
	if typed == "" {
		return nil
	}
	parts := strings.Split(typed, ",")
	slices.Sort(parts)
	return slices.Compact(parts)
}

// reasonFlag asks why authority ends.
func reasonFlag(fs *flag.FlagSet, reason *string) {
	fs.StringVar(reason, "reason", "", "why: `one` of "+strings.Join(trial.EndReasons, ", "))
}

// unstated warns that the history will show no reason.
func (e *env) unstated(reason string) {
	if reason == "" {
		fmt.Fprintf(e.Stderr, "no reason is stated, and the history will say so: -reason takes one of %s\n",
			strings.Join(trial.EndReasons, ", "))
	}
}
