package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

// A logged is an observation of one's own that is logged or about to be.
type logged struct {
	id     trial.Hash
	digest trial.Hash
	dated  string
	facts  *trial.Facts
	index  uint64
	study  *study.Study // if it was read in this run
}

// finish says that nothing more becomes of a record, and forgets what the report does not need.
func (r *importRecord) finish() {
	r.bytes, r.facts, r.study = nil, nil, nil
	atomic.StoreInt32(&r.done, 1)
}

// trial logs the records of one trial. absent says that the log has nothing of it.
func (m *importer) trial(ctx context.Context, group []*importRecord, absent bool) error {
	var known []logged
	if !m.dry && !absent {
		var err error
		if known, err = m.observed(ctx, group[0].Identifier); err != nil {
			return err
		}
	}
	defer func() { // the report does not need them
		for _, r := range group {
			r.finish()
		}
	}()
	slices.SortStableFunc(group, func(a, b *importRecord) int { return strings.Compare(a.Dated, b.Dated) })
	for _, r := range group {
		i := slices.IndexFunc(known, func(l logged) bool { return l.digest == r.SHA256 })
		if i < 0 {
			if i = sameButDay(known, r); i >= 0 {
				r.Notes = append(r.Notes, fmt.Sprintf("it differs from the record of %s (sha256 %s) in the day of its download alone, "+
					"and is not logged again", known[i].dated, known[i].digest))
			}
		} else if m.dry {
			r.Notes = append(r.Notes, "these bytes stand before it")
		}
		if m.mirror != nil && (i < 0 || known[i].digest == r.SHA256) {
			if err := m.keepBytes(r); err != nil {
				return err
			}
		}
		r.bytes = nil
		if i >= 0 {
			r.Status, r.ID, r.Index = importUnchanged, known[i].id, known[i].index
			if known[i].digest == r.SHA256 && !m.dry {
				if err := m.keepReceipt(ctx, r); err != nil {
					return err
				}
				if m.mirror != nil { // a follow may have been ended between the two
					if err := m.alias(ctx, r); err != nil {
						return err
					}
				}
			}
			continue
		}
		if m.mirror.refusedBefore(r, m.kept(r.Identifier, r.SHA256)) {
			continue
		}
		previous := m.compare(r, known)
		if err := m.submit(ctx, r, previous); err != nil {
			r.Status = "" // it is not known what became of it
			return err
		}
		if r.Status != importRefused {
			known = append(known, logged{r.ID, r.SHA256, r.Dated, r.facts, r.Index, r.study})
			if err := m.alias(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// alias sees to it that who asks for an obsolete number of a record finds it: the
// record is logged under that number too, where nothing of one's own stands there.
func (m *importer) alias(ctx context.Context, r *importRecord) error {
	for _, number := range r.aliases {
		if !m.dry {
			known, err := m.observed(ctx, number)
			if err != nil {
				return err
			}
			if len(known) > 0 {
				continue
			}
		}
		a := *r
		a.Identifier, a.Status, a.Reason = number, importNew, ""
		if m.mirror.refusedBefore(&a, m.kept(number, r.SHA256)) {
			continue
		}
		if err := m.submit(ctx, &a, trial.Hash{}); err != nil {
			return err
		}
		r.waits = r.waits || a.waits
		switch a.Status {
		case importNew:
			r.Notes = append(r.Notes, fmt.Sprintf("%s is an obsolete number of it: it is logged under that number too, so that whoever "+
				"asks for it finds this trial", strings.TrimPrefix(number, "nct:")))
		default:
			r.Notes = append(r.Notes, fmt.Sprintf("%s is an obsolete number of it, and could not be logged under that: %s",
				strings.TrimPrefix(number, "nct:"), a.Reason))
		}
	}
	return nil
}

// compare says what a record is beside those that are known, and returns the one
// that it follows: the last of an earlier day. Who follows a registry sees versions in
// their order, so that one of the same day is before it too.
func (m *importer) compare(r *importRecord, known []logged) trial.Hash {
	r.Status = importNew
	var before, beside *logged
	for i := range known {
		k := &known[i]
		if k.dated == r.Dated && k.facts != nil && k.facts.Format == r.facts.Format {
			if beside == nil {
				beside = k
			}
			if !k.same(r) {
				r.Conflicts = append(r.Conflicts, k.digest.String())
				beside = k
			}
		}
		if (k.dated < r.Dated || m.mirror != nil && k.dated == r.Dated) && (before == nil || k.dated >= before.dated) {
			before = k
		}
	}
	if len(known) > 0 {
		r.Status = importChanged
	}
	if len(r.Conflicts) > 0 {
		r.Status = importConflicting
	}
	// What is different is told from the version of the same day, else from the last.
	if beside == nil {
		beside = before
	}
	if beside != nil && beside.facts != nil {
		for _, c := range study.Diff(study.FromFacts(beside.facts), study.FromFacts(r.facts)) {
			r.Changes = append(r.Changes, c.String())
		}
		if len(r.Changes) == 0 {
			r.Changes = []string{onlyUnread}
		}
	}
	if before == nil {
		return trial.Hash{}
	}
	return before.id
}

// onlyUnread is what is said of two versions whose bytes differ and whose facts do not.
const onlyUnread = "no change in what is read: the bytes differ in something else"

// observed returns the observations of a number by one's own organisation. That
// these are all is the log's word: one that it keeps back is logged again.
func (m *importer) observed(ctx context.Context, identifier string) ([]logged, error) {
	about, err := m.client.Record(ctx, "identifier", identifier)
	if errors.Is(err, client.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []logged
	for _, x := range about.Entries {
		entry, err := trial.ParseEntry([]byte(x.Entry))
		if err == nil {
			err = entry.Verify()
		}
		if err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", errInvalid, x.Index, err)
		}
		if entry.Statement == nil || entry.Signer.Org != m.key.Org && entry.Signer.Key.ID() != m.key.Public.ID() {
			continue
		}
		o, ok := entry.Statement.Statement.Predicate.(*trial.Observation)
		switch {
		case !ok || o.Identifier != identifier:
		case !o.Withdraw.IsZero(): // what was taken back may be imported again
			list = slices.DeleteFunc(list, func(l logged) bool { return l.id == o.Withdraw })
		default:
			l := logged{entry.Statement.ID, entry.Statement.Statement.Subjects[0].Digest.SHA256, o.Dated, o.Facts, x.Index, nil}
			if l.facts == nil {
				l.facts = m.keptFacts(identifier, l.digest, o.FactsDigest)
			}
			list = append(list, l)
		}
	}
	return list, nil
}

// keptFacts returns the facts that an earlier import has kept beside a receipt,
// nil if they are not there.
func (m *importer) keptFacts(identifier string, record, digest trial.Hash) *trial.Facts {
	data, err := os.ReadFile(m.kept(identifier, record) + ".facts.json")
	if err != nil || sha256.Sum256(data) != digest {
		return nil
	}
	f, err := trial.ParseFacts(data)
	if err != nil {
		return nil
	}
	return f
}

// submit signs the observation of a record and carries it to its receipt.
func (m *importer) submit(ctx context.Context, r *importRecord, previous trial.Hash) error {
	o := &trial.Observation{
		Common:     trial.Common{Log: m.remote.log.Name(), Meaning: "author", SignedAt: trial.TimeOf(time.Now())},
		Dated:      r.Dated,
		Identifier: r.Identifier,
		Previous:   previous,
		SeenAt:     r.seen,
		Source:     "registry",
	}
	apart, err := o.SetFacts(r.facts)
	if err != nil {
		r.Status, r.Reason = importRefused, err.Error()
		return nil
	}
	st := &trial.Statement{Predicate: o, Subjects: []trial.Subject{{Name: "observation", Digest: trial.Digest{SHA256: r.SHA256}}}}
	payload, err := st.Marshal()
	if err != nil {
		r.Status, r.Reason = importRefused, err.Error()
		return nil
	}
	r.ID = trial.StatementID(payload)
	if m.dry {
		fmt.Fprintf(m.e.Stdout, "%s\n", payload)
		return nil
	}
	if apart != nil {
		r.FactsFile = m.kept(r.Identifier, r.SHA256) + ".facts.json"
		if err := keepFacts(r.FactsFile, apart); err != nil {
			return err
		}
	}
	d, err := m.draft(r, st, payload)
	if err != nil { // of this record; the others go on
		r.unsent = true
		r.Status, r.Reason = importPending, err.Error()
		return nil
	}
	return m.post(ctx, r, d)
}

// post sends the signed observation of a record and files its receipt.
func (m *importer) post(ctx context.Context, r *importRecord, d *draft) error {
	res, err := m.batcher.Submit(ctx, d.Envelope, d.Key.SPKI())
	if refusal, refused := errors.AsType[*trial.Refusal](err); refused {
		if m.mirror != nil && !aboutRecord(refusal) {
			m.keepLeft(d)
			return err
		}
		kept, kerr := m.aside(d, "refused")
		if kerr != nil {
			return errors.Join(err, kerr)
		}
		r.Status, r.Reason = importRefused, fmt.Sprintf("%v; the statement is kept as %s", err, kept)
		m.mirror.refuse(kept)
		return nil
	}
	if err != nil {
		m.keepLeft(d)
	}
	if errors.Is(err, client.ErrPending) {
		r.Status, r.Reason, r.waits = importPending, "the statement is kept in "+m.sending.name, true
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; the statement is kept in %s: import again to go on", err, m.sending.name)
	}
	r.Index = res.Index
	return m.filed(r, m.fileReceipt(d, res))
}

// aside takes a statement out of those that are sent again, and keeps it in a file of its own.
func (m *importer) aside(d *draft, why string) (string, error) {
	name := fmt.Sprintf("%s.statement.%s-%.12s", strings.TrimSuffix(d.Receipts[0], ".tlog-proof"), why, d.id)
	d.file = name
	if err := d.keep(); err != nil && !exists(name) {
		return "", err
	}
	m.sending.done(d.id)
	return name, nil
}

// fileReceipt checks a receipt and adds it to the import's.
func (m *importer) fileReceipt(d *draft, res client.Result) error {
	full, _, err := d.check(m.verifier, res)
	if err != nil {
		return err
	}
	if err := m.receipts.add(receipt.Filed{ID: d.id, Document: d.Digests[0], Receipt: full}); err != nil {
		return fmt.Errorf("the statement is logged, its receipt is not filed: %w", err)
	}
	m.sending.done(d.id)
	return nil
}

// filed returns an error of filing a receipt. Who follows a registry goes on with other
// records if only the folder is at fault: the statement is logged, and kept in its file.
func (m *importer) filed(r *importRecord, err error) error {
	if err == nil || m.mirror == nil || isInvalid(err) {
		return err
	}
	r.Status, r.Reason = importPending, err.Error()
	return nil
}

// kept is the name of the files kept with a record, without their extensions.
func (m *importer) kept(identifier string, record trial.Hash) string {
	return filepath.Join(m.out, fmt.Sprintf("%s-%.16s", strings.NewReplacer("nct:", "", ":", "-", "/", "-").Replace(identifier), record))
}

// draft returns the statement that is kept until its receipt is there: the one that an earlier
// run has signed, if there is one, so that it is never logged twice.
func (m *importer) draft(r *importRecord, st *trial.Statement, payload []byte) (*draft, error) {
	kept := m.kept(r.Identifier, r.SHA256)
	if d := m.takeLeft(kept); d != nil {
		r.ID = d.id
		return d, nil
	}
	envelope, err := trial.Sign(payload, m.key.Signer)
	if err != nil {
		return nil, err
	}
	d := &draft{Envelope: envelope, Key: m.key.Public, Openings: new(trial.Openings), Receipts: []string{kept + ".tlog-proof"},
		Digests: []trial.Hash{r.SHA256}, id: r.ID, statement: st}
	return d, m.sending.add(d)
}

// own holds a receipt to a record, and to being of an observation by one's own
// organisation.
func (m *importer) own(data []byte, r *importRecord) error {
	v, err := m.verifier.Verify(data, receipt.Document{Name: r.File, Digest: r.SHA256})
	if err == nil && v.Entry.Signer.Org != m.key.Org && v.Entry.Signer.Key.ID() != m.key.Public.ID() {
		err = fmt.Errorf("it is for an observation by %s", v.Entry.Signer.Org)
	}
	return err
}

// keepReceipt sees to it that the receipt of a record that is logged is there.
func (m *importer) keepReceipt(ctx context.Context, r *importRecord) error {
	if m.receipts.holds(r.ID) {
		return nil
	}
	res, err := m.client.Receipt(ctx, r.ID)
	if errors.Is(err, client.ErrPending) {
		r.Status, r.Reason, r.waits = importPending, "it is logged, too few witnesses have cosigned yet", true
		return nil
	}
	if err != nil {
		return err
	}
	if err := m.own([]byte(res.Receipt), r); err != nil {
		return fmt.Errorf("%w: the log says that %s stands there by your organisation, and its receipt: %w", errInvalid, r.Identifier, err)
	}
	d := &draft{Openings: new(trial.Openings), Receipts: []string{m.kept(r.Identifier, r.SHA256) + ".tlog-proof"},
		Digests: []trial.Hash{r.SHA256}, id: r.ID}
	m.takeLeft(m.kept(r.Identifier, r.SHA256))
	return m.filed(r, m.fileReceipt(d, res))
}
