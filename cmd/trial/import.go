package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

// importWindow is how many records are read before they are put in order, trial by trial;
// importFlight is how many trials are on their way to their receipts at once.
const (
	importWindow = 512
	importBytes  = 64 << 20 // of records that are held
	importFlight = 1024
)

// registers are those whose records are imported, by what is typed: the first part of
// the format of their records.
var registers = map[string]string{"ctgov": "ClinicalTrials.gov", study.ISRCTN: "ISRCTN", study.ICTRP: "WHO's ICTRP"}

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
	Notes      []string   `json:"notes,omitempty"`
	FactsFile  string     `json:"factsFile,omitempty"` // of facts that are too many for the entry, which has their digest
	Reason     string     `json:"reason,omitempty"`    // of a refusal, or why it is pending

	facts   *trial.Facts
	seen    string // day
	study   *study.Study
	aliases []string // other numbers of the registry that the record has
	bytes   []byte   // of the record, until it is logged
	waits   bool     // it is logged, and too few witnesses have cosigned that
	unsent  bool     // it could not be signed or kept
	only    bool     // it is the only one of its file
	done    int32    // atomic: not 0 once nothing more becomes of it
}

// What became of a record.
const (
	importNew         = "new"         // the first of its trial
	importChanged     = "changed"     // another version of a trial that is there
	importUnchanged   = "unchanged"   // these bytes are logged, or they differ in nothing but the day of the download
	importConflicting = "conflicting" // a record that declares the same day and says something else
	importRefused     = "refused"     // not logged, for the reason
	importPending     = "pending"     // logged, the receipt waits for witnesses; or not sent
)

var importStatuses = []string{importNew, importUnchanged, importChanged, importConflicting, importRefused, importPending}

// An importer logs records as observations.
type importer struct {
	*remote
	e        *env
	register string // whose records they are: ctgov, isrctn or ictrp
	seen     string // day, if it was given
	today    string
	out      string // folder of receipts
	dry      bool
	verifier *receipt.Verifier
	batcher  *client.Batcher
	receipts *receiptsFile
	sending  *sendingFile
	report   []*importRecord // of a page of a registry that is followed, and of a trial run
	telling  *importReport   // of files
	window   []*importRecord
	met      map[string]bool // trials and other numbers of theirs that this run has begun with
	flight   flight
	progress *frame.Progress
	mirror   *mirror // of a registry that is followed; nil for files

	mu   sync.Mutex        // guards left
	left map[string]*draft // signed by an earlier run and without a receipt, by the names of what is kept of them
}

func importCommand(ctx context.Context, e *env, args []string) error {
	m := &importer{remote: new(remote), e: e, progress: e.Progress("importing")}
	defer m.progress.End()
	var asJSON bool
	var f followFlags
	rest, err := m.begin(e, args, true, func(fs *flag.FlagSet) {
		fs.StringVar(&m.seen, "seen", "", "`day` on which the registry showed this (if not given, the day on which each record says it "+
			"was downloaded, or today)")
		fs.StringVar(&m.out, "out", "receipts", "`folder` for the file with the receipts, such as ctgov.receipts")
		fs.BoolVar(&m.dry, "n", false, "print exactly what would become public, and stop")
		fs.BoolVar(&asJSON, "json", false, "print the report as JSON; with -follow a line for each record")
		f.define(fs)
	})
	if err != nil {
		return err
	}
	if err := f.check(rest, m); err != nil {
		return err
	}
	if !f.follow && len(rest) < 2 || registers[rest[0]] == "" {
		return frame.Usagef("what is imported must be given: ctgov (ClinicalTrials.gov), isrctn or ictrp (WHO's portal), and one or " +
			"more files of it")
	}
	if m.keyFrom == fromConfiguration && !m.dry {
		return frame.Usagef("an import signs a statement for every record, and the key of your configuration (%s) signs only what you "+
			"were asked about, "+
			"one by one: name the key with -key or in %s", m.keyFile, keyVariable)
	}
	m.register = rest[0]
	m.batcher = m.client.NewBatcher()
	defer m.close()
	if f.follow {
		return m.followRegistry(ctx, f, asJSON)
	}
	if _, err := trial.ParseDate(m.seen); m.seen != "" && err != nil {
		return frame.Usagef("-seen: %w", err)
	}
	for _, name := range rest[1:] {
		if _, err := regular(name); err != nil {
			return err
		}
	}
	m.today = time.Now().UTC().Format(time.DateOnly)
	m.verifier = receipt.NewVerifier(m.policy)
	if !m.dry {
		if err := os.MkdirAll(m.out, 0o755); err != nil {
			return frame.AsUsage(err)
		}
		if err := m.sameLog(ctx); err != nil {
			return err
		}
		if err := m.open(); err != nil {
			return err
		}
		if err := m.resume(ctx); err != nil {
			return err
		}
	}
	if !m.dry {
		m.telling = newImportReport(m.e.Stdout, asJSON, m.progress.End)
	}
	for _, name := range rest[1:] {
		if err = m.file(ctx, name); err != nil {
			break
		}
	}
	if err == nil {
		err = m.flush(ctx)
	}
	err = errors.Join(err, m.flight.land())
	m.progress.End()
	switch {
	case !m.dry:
		return m.telling.end(err)
	case err != nil:
		return err
	}
	return m.refusals()
}

// file reads one export. A record that cannot be read is refused; the others go on.
func (m *importer) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return frame.AsUsage(err)
	}
	defer f.Close()
	n, held := 0, 0
	var last *importRecord // is taken when it is known whether it is the file's only one
	var stop error
	take := func(r *importRecord) error {
		if r != nil {
			m.window = append(m.window, r)
			held += len(r.bytes)
		}
		if len(m.window) >= importWindow || held > importBytes {
			held = 0
			stop = m.flush(ctx)
		}
		return errors.Join(stop, ctx.Err())
	}
	err = study.Split(f, func(i int, record []byte) error {
		n = i
		err := take(last)
		last = &importRecord{File: name, Record: i, bytes: record}
		m.progress.Show("%s record %d", name, i)
		return err
	})
	if stop != nil || ctx.Err() != nil {
		return errors.Join(stop, ctx.Err())
	}
	if n == 1 {
		last.only = true
	}
	if err := take(last); err != nil {
		return err
	}
	if errors.Is(err, study.ErrMorePages) {
		m.progress.End()
		fmt.Fprintf(m.e.Stderr, "trial import: %s: %v: import them too\n", frame.Printable(name), err)
	} else if err != nil {
		return take(&importRecord{Status: importRefused, File: name, Record: n + 1, Reason: err.Error()})
	}
	return nil
}

// readAll parses records, as many at once as there are processors.
func (m *importer) readAll(list []*importRecord) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(list)); i = next.Add(1) - 1 {
				if list[i].Status == "" && list[i].study == nil {
					m.read(list[i])
				}
			}
		})
	}
	wg.Wait()
}

// read parses a record. Its digest is that of its bytes as they stand in the file.
func (m *importer) read(r *importRecord) {
	r.SHA256 = sha256.Sum256(r.bytes)
	s, err := study.Parse(r.bytes)
	if err == nil && !strings.HasPrefix(s.Format, m.register) {
		if register, _, _ := strings.Cut(s.Format, "-"); registers[register] != "" {
			err = fmt.Errorf("it is of %s, not of %s: import it with trial import %s", registers[register], registers[m.register], register)
		} else {
			err = fmt.Errorf("it is %s and no record of %s: log it with trial submit -facts", s.Format, registers[m.register])
		}
	}
	if err == nil {
		number := s.Number(study.RegistryNumber)
		if m.register == "ctgov" {
			number = s.Number("nct")
		}
		r.Identifier, err = trial.ParseIdentifier(number)
	}
	if err != nil {
		r.Status, r.Reason, r.bytes = importRefused, err.Error(), nil
		return
	}
	r.Dated, r.seen, r.study = s.Dated, cmp.Or(m.seen, s.Seen, m.today), s
	r.facts, r.Withheld = s.Facts()
	for _, id := range s.Identifiers {
		if alias, err := trial.ParseIdentifier(id.Value); err == nil && id.Type == "nct-alias" && alias != r.Identifier {
			r.aliases = append(r.aliases, alias)
		}
	}
	if s.Selected() {
		r.Notes = append(r.Notes, "it is "+study.SelectedOnly)
	}
	if why := s.ResultsElsewhere(); why != "" && s.Announced {
		r.Notes = append(r.Notes, "the record has results ("+why+"), and this copy does not")
	}
	if r.only {
		m.checkName(r)
	}
}

// inName finds the registry's numbers in a file's name: AACT is a database of the same
// registry. Eight digits behind other letters (PMC, pmid, ISRCTN) are other numbers.
var inName = regexp.MustCompile(`(?i)(?:NCT|(?:^|[^a-z])aact)[-_ ]?(\d{8})(?:\D|$)`)

// checkName refuses the one record of a file that is named for another trial.
func (m *importer) checkName(r *importRecord) {
	for _, x := range inName.FindAllStringSubmatch(filepath.Base(r.File), -1) {
		named := "nct:NCT" + x[1]
		if !strings.HasPrefix(r.Identifier, "nct:") {
			return
		}
		if named != r.Identifier && !slices.Contains(r.aliases, named) {
			r.Status = importRefused
			r.Reason = fmt.Sprintf("the file's name says NCT%s and the record in it is %s: name the file for its record if that is meant",
				x[1], strings.TrimPrefix(r.Identifier, "nct:"))
			return
		}
	}
}

// flush sends the records of the window on their way, each trial's in the order of their days,
// several trials at once. It need not wait for their receipts.
func (m *importer) flush(ctx context.Context) error {
	window := m.window
	m.window = nil
	m.readAll(window)
	groups := map[string][]*importRecord{}
	for _, r := range window {
		if r.Status == "" {
			groups[r.Identifier] = append(groups[r.Identifier], r)
		} else {
			r.done = 1
		}
	}
	for id, group := range groups {
		if m.filedBefore(group) {
			delete(groups, id)
		}
	}
	if m.telling == nil {
		m.report = append(m.report, window...)
	} else if err := m.telling.add(window); err != nil {
		return err
	}
	absent, err := m.absent(ctx, groups)
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(groups) {
		if m.dry { // what is printed keeps its order
			if err := m.trial(ctx, groups[id], false); err != nil {
				return err
			}
			continue
		}
		if err := m.flight.start(ctx, id, func(ctx context.Context) error { return m.trial(ctx, groups[id], absent[id]) }); err != nil {
			return err
		}
	}
	return nil
}

// filedBefore reports whether the receipts of all records of a trial were filed by an earlier
// import, and says so in the records. The log is not asked about them again.
func (m *importer) filedBefore(group []*importRecord) bool {
	if m.receipts == nil || m.mirror != nil || slices.ContainsFunc(group, func(r *importRecord) bool {
		return m.receipts.done[r.SHA256].id.IsZero() || len(r.aliases) > 0
	}) {
		return false
	}
	for _, r := range group {
		l := m.receipts.done[r.SHA256]
		r.Status, r.ID, r.Index = importUnchanged, l.id, l.index
		r.finish()
	}
	return true
}

// absent returns the trials of which the log has nothing, asked for together, so that not each is asked
// for. Of a trial that this run has logged before, that is not known until its turn comes.
func (m *importer) absent(ctx context.Context, groups map[string][]*importRecord) (map[string]bool, error) {
	absent := map[string]bool{}
	if m.dry {
		return absent, nil
	}
	var ids []string
	for id := range groups {
		if !m.met[id] {
			ids = append(ids, id)
		}
	}
	for list := range slices.Chunk(ids, client.MaxFound) {
		found, err := m.client.Found(ctx, "identifier", list)
		if err != nil {
			return nil, err
		}
		for _, id := range list {
			absent[id] = !found[id]
		}
	}
	if m.met == nil {
		m.met = map[string]bool{}
	}
	for id, group := range groups {
		m.met[id] = true
		for _, r := range group {
			for _, alias := range r.aliases {
				m.met[alias] = true
				delete(absent, alias) // it may be logged before its turn comes
			}
		}
	}
	return absent, nil
}

// A flight is work on several trials at once, on each trial one piece after the other. The zero
// flight is ready. One goroutine starts work and lands it.
type flight struct {
	slots  chan struct{}
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex               // guards the fields below
	busy map[string]chan struct{} // by trial; closed at the end of the work on it
	err  error                    // the first
}

// start begins work as soon as there is room and the work on the same trial has ended. After the
// first error it only returns that.
func (f *flight) start(ctx context.Context, trial string, work func(context.Context) error) error {
	if f.cancel == nil {
		f.ctx, f.cancel = context.WithCancel(ctx)
		f.slots, f.busy, f.err = make(chan struct{}, importFlight), map[string]chan struct{}{}, nil
	}
	f.mu.Lock()
	before := f.busy[trial]
	f.mu.Unlock()
	if before != nil {
		<-before
	}
	f.slots <- struct{}{}
	done := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil || f.ctx.Err() != nil {
		<-f.slots
		return errors.Join(f.err, ctx.Err())
	}
	f.busy[trial] = done
	f.wg.Go(func() {
		err := work(f.ctx)
		f.mu.Lock()
		defer f.mu.Unlock()
		if err != nil && f.err == nil {
			f.err = err
			f.cancel()
		}
		delete(f.busy, trial)
		close(done)
		<-f.slots
	})
	return nil
}

// land waits until all work has ended and returns its first error.
func (f *flight) land() error {
	f.wg.Wait()
	if f.cancel != nil {
		f.cancel()
		f.cancel = nil
	}
	err := f.err
	f.err = nil
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
