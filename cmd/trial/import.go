package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

// importWindow is how many records are held at once, importWorkers how many
// trials are sent at once.
const (
	importWindow  = 512
	importWorkers = 32
)

// An importRecord is one record of an export on its way, and its line in the report.
type importRecord struct {
	Status     string     `json:"status"` // one of importStatuses
	Identifier string     `json:"identifier,omitempty"`
	Dated      string     `json:"dated,omitempty"` // as the record declares
	SHA256     trial.Hash `json:"sha256,omitzero"` // of the record's bytes
	ID         trial.Hash `json:"id,omitzero"`     // of the statement
	Index      uint64     `json:"index,omitempty"`
	File       string     `json:"file"`
	Record     int        `json:"record"` // number in the file, from 1
	Changes    []string   `json:"changes,omitempty"`
	Conflicts  []string   `json:"conflicts,omitempty"` // digests of others of the same day and format
	Withheld   []string   `json:"withheld,omitempty"`  // facts that name a person
	FactsFile  string     `json:"factsFile,omitempty"` // of facts that are too many for the entry, which has their digest
	Reason     string     `json:"reason,omitempty"`    // of a refusal, or why it is pending

	facts *trial.Facts
}

// What became of a record.
const (
	importNew         = "new"         // the first of its trial
	importChanged     = "changed"     // another version of a trial that is there
	importUnchanged   = "unchanged"   // these bytes are logged
	importConflicting = "conflicting" // other bytes that declare the same day
	importRefused     = "refused"     // not logged, for the reason
	importPending     = "pending"     // logged, the receipt waits for witnesses; or not sent
)

var importStatuses = []string{importNew, importUnchanged, importChanged, importConflicting, importRefused, importPending}

// An importer logs records as observations.
type importer struct {
	*remote
	e        *env
	seen     string // day
	out      string // folder of receipts
	dry      bool
	verifier *receipt.Verifier
	report   []*importRecord
	window   []*importRecord
	progress *progress
}

func importCommand(ctx context.Context, e *env, args []string) error {
	m := &importer{remote: new(remote), e: e, progress: e.progress("importing")}
	defer m.progress.end()
	var asJSON bool
	rest, err := m.begin(e, args, true, func(fs *flag.FlagSet) {
		fs.StringVar(&m.seen, "seen", time.Now().UTC().Format(time.DateOnly), "`day` on which the registry showed this")
		fs.StringVar(&m.out, "out", "receipts", "`folder` for receipts")
		fs.BoolVar(&m.dry, "n", false, "print exactly what would become public, and stop")
		fs.BoolVar(&asJSON, "json", false, "print the report as JSON")
	})
	if err != nil {
		return err
	}
	if len(rest) < 2 || rest[0] != "ctgov" {
		return usagef("what is imported must be given: ctgov and one or more files of ClinicalTrials.gov")
	}
	for _, name := range rest[1:] {
		if _, err := regular(name); err != nil {
			return err
		}
	}
	m.verifier = receipt.NewVerifier(m.policy)
	if !m.dry {
		if err := os.MkdirAll(m.out, 0o755); err != nil {
			return usageError{err}
		}
		if err := m.sameLog(ctx); err != nil {
			return err
		}
	}
	for _, name := range rest[1:] {
		if err := m.file(ctx, name); err != nil {
			return err
		}
	}
	if err := m.flush(ctx); err != nil {
		return err
	}
	m.progress.end()
	if m.dry {
		return nil
	}
	return m.finish(asJSON)
}

// file reads one export. A record that cannot be read is refused; the others go on.
func (m *importer) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return usageError{err}
	}
	defer f.Close()
	n := 0
	var stop error
	err = study.Split(f, func(i int, record []byte) error {
		n = i
		m.window = append(m.window, m.read(name, i, record))
		if len(m.window) >= importWindow {
			stop = m.flush(ctx)
		}
		m.progress.show("%s record %d", name, i)
		return errors.Join(stop, ctx.Err())
	})
	if stop != nil || ctx.Err() != nil {
		return errors.Join(stop, ctx.Err())
	}
	if err != nil {
		m.window = append(m.window, &importRecord{Status: importRefused, File: name, Record: n + 1, Reason: err.Error()})
	} else if n == 1 {
		m.checkName(m.window[len(m.window)-1])
	}
	return nil
}

// read parses a record. Its digest is that of its bytes as they stand in the file.
func (m *importer) read(name string, n int, record []byte) *importRecord {
	r := &importRecord{File: name, Record: n, SHA256: sha256.Sum256(record)}
	s, err := study.Parse(record)
	if err == nil && !strings.HasPrefix(s.Format, "ctgov-") {
		err = fmt.Errorf("it is %s and no record of ClinicalTrials.gov: log it with trial submit -facts", s.Format)
	}
	if err == nil {
		r.Identifier, err = trial.ParseIdentifier(s.Number("nct"))
	}
	if err != nil {
		r.Status, r.Reason = importRefused, err.Error()
		return r
	}
	r.Dated = s.Dated
	r.facts, r.Withheld = s.Facts()
	return r
}

// inName finds registry numbers in a file's name: eight digits behind a letter.
var inName = regexp.MustCompile(`[A-Za-z](\d{8})(\D|$)`)

// checkName refuses the one record of a file that is named for another trial.
func (m *importer) checkName(r *importRecord) {
	if r.Status == importRefused {
		return
	}
	for _, x := range inName.FindAllStringSubmatch(filepath.Base(r.File), -1) {
		if own := strings.TrimPrefix(r.Identifier, "nct:"); own != "NCT"+x[1] {
			r.Status = importRefused
			r.Reason = fmt.Sprintf("the file's name says NCT%s and the record in it is %s: name the file for its record if that is meant", x[1], own)
			return
		}
	}
}

// flush logs the records of the window, each trial's in the order of their days,
// several trials at once.
func (m *importer) flush(ctx context.Context) error {
	window := m.window
	m.window = nil
	m.report = append(m.report, window...)
	groups := map[string][]*importRecord{}
	for _, r := range window {
		if r.Status == "" {
			groups[r.Identifier] = append(groups[r.Identifier], r)
		}
	}
	work := make(chan []*importRecord)
	workers := importWorkers
	if m.dry {
		workers = 1 // what is printed keeps its order
	}
	errs := make([]error, workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for group := range work {
				if errs[w] != nil || ctx.Err() != nil {
					continue
				}
				if errs[w] = m.trial(ctx, group); errs[w] != nil {
					cancel()
				}
			}
		})
	}
	for _, id := range sortedKeys(groups) {
		work <- groups[id]
	}
	close(work)
	wg.Wait()
	return errors.Join(errs...)
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// A logged is an observation of one's own that is logged or about to be.
type logged struct {
	id     trial.Hash
	digest trial.Hash
	dated  string
	facts  *trial.Facts
	index  uint64
}

// trial logs the records of one trial.
func (m *importer) trial(ctx context.Context, group []*importRecord) error {
	var known []logged
	if !m.dry {
		var err error
		if known, err = m.observed(ctx, group[0].Identifier); err != nil {
			return err
		}
	}
	slices.SortStableFunc(group, func(a, b *importRecord) int { return strings.Compare(a.Dated, b.Dated) })
	for _, r := range group {
		if i := slices.IndexFunc(known, func(l logged) bool { return l.digest == r.SHA256 }); i >= 0 {
			r.Status, r.ID, r.Index = importUnchanged, known[i].id, known[i].index
			if err := m.keepReceipt(ctx, r); err != nil {
				return err
			}
			continue
		}
		previous := m.compare(r, known)
		if err := m.log(ctx, r, previous); err != nil {
			return err
		}
		if r.Status != importRefused {
			known = append(known, logged{r.ID, r.SHA256, r.Dated, r.facts, r.Index})
		}
		r.facts = nil // the report does not need them
	}
	return nil
}

// compare says what a record is beside those that are known, and returns the one
// that it follows: the last of an earlier day.
func (m *importer) compare(r *importRecord, known []logged) trial.Hash {
	r.Status = importNew
	var before *logged
	for i := range known {
		k := &known[i]
		if k.dated == r.Dated && k.facts != nil && k.facts.Format == r.facts.Format {
			r.Conflicts = append(r.Conflicts, k.digest.String())
		}
		if k.dated < r.Dated && (before == nil || k.dated >= before.dated) {
			before = k
		}
	}
	if len(known) > 0 {
		r.Status = importChanged
	}
	if len(r.Conflicts) > 0 {
		r.Status = importConflicting
	}
	if before == nil {
		return trial.Hash{}
	}
	if before.facts != nil {
		for _, c := range study.Diff(study.FromFacts(before.facts), study.FromFacts(r.facts)) {
			r.Changes = append(r.Changes, c.String())
		}
	}
	return before.id
}

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
		if err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", errInvalid, x.Index, err)
		}
		if entry.Statement == nil || entry.Signer.Org != m.key.org && entry.Signer.Key.ID() != m.key.public.ID() {
			continue
		}
		if o, ok := entry.Statement.Statement.Predicate.(*trial.Observation); ok && o.Identifier == identifier {
			l := logged{entry.Statement.ID, entry.Statement.Statement.Subjects[0].Digest.SHA256, o.Dated, o.Facts, x.Index}
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

// log signs the observation of a record and carries it to its receipt.
func (m *importer) log(ctx context.Context, r *importRecord, previous trial.Hash) error {
	o := &trial.Observation{
		Common:     trial.Common{Log: m.remote.log.Name(), Meaning: "author", SignedAt: trial.TimeOf(time.Now())},
		Dated:      r.Dated,
		Identifier: r.Identifier,
		Previous:   previous,
		SeenAt:     m.seen,
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
		fmt.Fprintf(m.e.stdout, "%s\n", payload)
		return nil
	}
	if apart != nil {
		r.FactsFile = m.kept(r.Identifier, r.SHA256) + ".facts.json"
		if err := keepFacts(r.FactsFile, apart); err != nil {
			return err
		}
	}
	d, err := m.draft(r, payload)
	if err != nil {
		return err
	}
	res, err := m.client.Submit(ctx, d.envelope(), d.Key.SPKI())
	if _, refused := errors.AsType[*trial.Refusal](err); refused {
		r.Status, r.Reason = importRefused, d.refused(err).Error()
		return nil
	}
	if errors.Is(err, client.ErrPending) {
		r.Status, r.Reason = importPending, "the statement is kept in "+d.file
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; the statement is kept in %s: import again to go on", err, d.file)
	}
	r.Index = res.Index
	return d.finishWith(m.verifier, res)
}

// kept is the name of the files kept with a record, without their extensions.
func (m *importer) kept(identifier string, record trial.Hash) string {
	return filepath.Join(m.out, fmt.Sprintf("%s-%.16s", strings.TrimPrefix(identifier, "nct:"), record))
}

// draft returns the statement as it is kept until its receipt is there: the one
// that an earlier import has sent, if there is one, so that it is never logged
// twice.
func (m *importer) draft(r *importRecord, payload []byte) (*draft, error) {
	file := m.kept(r.Identifier, r.SHA256) + ".statement"
	if _, err := os.Lstat(file); err == nil {
		d, err := readDraft(file)
		if err == nil {
			r.ID = d.id
		}
		return d, err
	}
	envelope, err := trial.Sign(payload, m.key.signer)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Abs(m.kept(r.Identifier, r.SHA256) + ".tlog-proof")
	if err != nil {
		return nil, err
	}
	d := &draft{Envelope: envelope, Key: m.key.public, Openings: new(trial.Openings), Receipts: []string{name}, Digests: []trial.Hash{r.SHA256}, id: r.ID, file: file}
	return d, d.keep()
}

// keepReceipt sees to it that the receipt of a record that is logged is there.
func (m *importer) keepReceipt(ctx context.Context, r *importRecord) error {
	name := m.kept(r.Identifier, r.SHA256) + ".tlog-proof"
	data, err := os.ReadFile(name)
	if err == nil {
		if _, err := m.verifier.Verify(data, receipt.Document{Name: r.File, Digest: r.SHA256}); err != nil {
			return fmt.Errorf("%s: %w: remove it to have it fetched again", name, err)
		}
		return nil
	}
	res, err := m.client.Receipt(ctx, r.ID)
	if err != nil {
		return err
	}
	d := &draft{Openings: new(trial.Openings), Receipts: []string{name}, Digests: []trial.Hash{r.SHA256}, id: r.ID}
	if file := m.kept(r.Identifier, r.SHA256) + ".statement"; exists(file) {
		d.file = file
	}
	return d.finishWith(m.verifier, res)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// finish prints the reconciliation report.
func (m *importer) finish(asJSON bool) error {
	counts := map[string]int{}
	for _, r := range m.report {
		counts[r.Status]++
	}
	if asJSON {
		enc := json.NewEncoder(m.e.stdout)
		enc.SetIndent("", " ")
		if err := enc.Encode(struct {
			Records int             `json:"records"`
			Counts  map[string]int  `json:"counts"`
			List    []*importRecord `json:"list"`
		}{len(m.report), counts, m.report}); err != nil {
			return err
		}
	} else {
		m.print(counts)
	}
	switch {
	case counts[importPending] > 0:
		return fmt.Errorf("%w: %d receipts: import again to fetch them", client.ErrPending, counts[importPending])
	case counts[importRefused] > 0:
		return fmt.Errorf("%w: %d of %d records are refused", errInvalid, counts[importRefused], len(m.report))
	}
	return nil
}

func (m *importer) print(counts map[string]int) {
	for _, r := range m.report {
		where := fmt.Sprintf("%s record %d", r.File, r.Record)
		if r.Status == importRefused {
			fmt.Fprintf(m.e.stdout, "refused %s: %s\n", printable(where), printable(r.Reason))
			continue
		}
		fmt.Fprintf(m.e.stdout, "%s %s of %s sha256 %s entry %d, %s\n", r.Status, r.Identifier, dated(r.Dated), r.SHA256, r.Index, printable(where))
		for _, c := range r.Conflicts {
			fmt.Fprintf(m.e.stdout, "  conflicts with sha256 %s, which declares the same day: both stand\n", c)
		}
		for _, c := range r.Changes {
			fmt.Fprintf(m.e.stdout, "  %s\n", printable(c))
		}
		if r.FactsFile != "" {
			fmt.Fprintf(m.e.stdout, "  facts of over %d bytes: the entry has their digest, they are in %s\n", trial.MaxFacts, printable(r.FactsFile))
		}
		if len(r.Withheld) > 0 {
			fmt.Fprintf(m.e.stdout, "  withheld, for they name a person or hold an address: %s\n", strings.Join(r.Withheld, ", "))
		}
	}
	fmt.Fprintf(m.e.stdout, "records %d:", len(m.report))
	for i, s := range importStatuses {
		fmt.Fprintf(m.e.stdout, "%s %d %s", map[bool]string{true: ",", false: ""}[i > 0], counts[s], s)
	}
	fmt.Fprintln(m.e.stdout)
}

func dated(day string) string {
	if day == "" {
		return "no declared day"
	}
	return day
}
