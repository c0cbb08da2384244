package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A session takes scans, one after the other, answers each at once, and logs what it took: to dispense
// and to take back each at once, other acts together at the end.
type session struct {
	*custodian
	like     scan // what every scan of the session says
	scanning bool // codes come one by one, until somebody ends them
	journal  *journal
	receipts *receiptsFile
	verifier *receipt.Verifier
	taken    map[trial.Hash]string // units of this session, and the participant of each
	silent   time.Time             // when the log was last not reached

	scanned, logged, statements, refused int
	earlier                              struct{ logged, statements, refused int } // of those, for scans of an earlier run
	last                                 *receipt.Verdict
}

// How long a scanner waits for the log, and how long it then does not ask again.
const (
	scanPatience = 5 * time.Second
	scanSilence  = 10 * time.Second
)

// begin opens the custodian's files, and logs what an earlier run could not.
func (s *session) begin(ctx context.Context) (err error) {
	if s.receipts, err = s.openOut(); err != nil {
		return err
	}
	if s.journal, err = openJournal(s.out); err != nil {
		return err
	}
	if s.record.Masked && s.like.Action == "dispense" && !s.like.Wait {
		s.warn("the trial is masked, and the log shows when each pack was given out: where the arms differ in the number of packs, use -wait, which " +
			"logs all in one statement at the end")
	}
	s.verifier, s.taken = receipt.NewVerifier(s.policy), map[trial.Hash]string{}
	n := len(s.journal.waiting(s.id))
	if others := len(s.journal.scans) - n; others > 0 {
		s.warn("%s of another trial kept in %s: the next run for that trial logs them", trial.Count(others, "scan is", "scans are"), s.out)
	}
	if n == 0 || s.offline() {
		return nil
	}
	err = s.flush(ctx)
	s.earlier.logged, s.earlier.statements, s.earlier.refused = s.logged, s.statements, s.refused
	s.warn("%s of an earlier run, not logged then: %d logged now and %d refused, in %s, with the time of the scan",
		trial.Count(n, "scan", "scans"), s.logged, s.refused, trial.Count(s.statements, "statement", "statements"))
	switch {
	case unavailable(err):
		s.silent = s.now()
		return nil
	case errors.Is(err, errMasked):
		s.warn("%s", err)
		return nil
	}
	return err
}

// An answer is what is said about a scan.
type answer struct {
	refused  string
	err      error // why what the log says cannot be used
	offline  bool
	unseen   bool       // offline, and the log was never asked or had nothing then
	unissued bool       // refused, because nothing is logged
	asOf     trial.Time // when the log was asked, if offline; 0: never
}

// take answers a line of the scanner, and keeps what it stands for.
func (s *session) take(ctx context.Context, line string) error {
	if subject, ok := strings.CutPrefix(line, "subject "); ok && s.like.Action == "dispense" {
		s.like.Subject = strings.TrimSpace(subject)
		s.tell("participant "+s.like.Subject, "what is scanned from here on is for this participant")
		return nil
	}
	s.scanned++
	l, err := s.label(line)
	if err != nil {
		s.no(line, err.Error())
		return nil
	}
	switch subject, taken := s.taken[l.unit]; {
	case taken && subject != s.like.Subject:
		s.no(l.Serial, "scanned already, for participant "+subject+". If this is another pack with the same label, set both apart and ask the "+
			"trial's holder: one of them is a fake")
		return nil
	case taken:
		s.tell(l.Serial, "scanned already, and counted once. Another pack with the same label would be a fake: set both apart then")
		return nil
	}
	x := s.scanOf(l)
	if why := s.forbids(&l, x); why != "" {
		s.no(l.Serial, why)
		return nil
	}
	if len(s.journal.waiting(s.id)) > 0 && !s.offline() && s.alone(x) { // what the network kept waiting goes first
		sent, cancel := context.WithTimeout(ctx, 2*scanPatience)
		err := s.flush(sent)
		cancel()
		if unavailable(err) {
			s.silent = s.now()
		} else if err != nil {
			return err
		}
	}
	a := s.judge(ctx, x)
	if a.err != nil {
		s.no(l.Serial, a.err.Error())
		return nil
	}
	if a.refused != "" {
		s.no(l.Serial, a.refused+l.boxed(a.unissued)+s.asOf(a))
		return nil
	}
	s.taken[l.unit] = x.Subject
	if a.offline || !s.alone(x) {
		if err := s.journal.add(journalLine{Scan: x}); err != nil {
			return err
		}
		s.kept(&l, x, a)
		return nil
	}
	return s.logNow(ctx, &l, x)
}

// scanOf returns the scan of a label.
func (s *session) scanOf(l labelled) *scan {
	x := s.like
	x.Key, x.At, x.Trial, x.Serial, x.Unit = rand.Text(), trial.TimeOf(s.now()), s.id, l.Serial, l.unit
	if x.Action == "suspect" {
		x.Handle = l.handle
	}
	if x.Action == "open" && l.pack != nil {
		for _, pack := range l.pack.Inside() {
			x.Packs = append(x.Packs, pack.String())
		}
	}
	return &x
}

// forbids says why the program itself refuses a scan, before the log is asked.
func (s *session) forbids(l *labelled, x *scan) string {
	switch {
	case x.Action == "dispense" && x.Subject == "":
		return "no participant is named: give -subject, or a line such as: subject 1001"
	case x.Action == "dispense" && x.Deviation == "" && l.expired(s.now()):
		return fmt.Sprintf("it expired on %s: do not give it out", l.Expiry)
	case x.Action == "open" && l.pack != nil && len(x.Packs) == 0:
		return "by the packing list it is a pack and no case: it needs no opening"
	case x.Action == "open" && len(x.Packs) == 0:
		return "which packs are in it is in the packing list: give it with -packing"
	}
	return ""
}

// alone reports whether a scan is logged by itself, at once.
func (s *session) alone(x *scan) bool { return !s.grouped(x) }

func (s *session) grouped(x *scan) bool {
	return x.Wait || x.Action != "dispense" && x.Action != "return" && x.Action != "open"
}

// offline reports whether the log could not be reached a moment ago.
func (s *session) offline() bool { return s.now().Sub(s.silent) < scanSilence }

// judge looks a unit up, and says whether the rules would refuse what is scanned.
func (s *session) judge(ctx context.Context, x *scan) answer {
	if !s.offline() {
		asked, cancel := context.WithTimeout(ctx, scanPatience)
		account, _, _, err := s.account(asked, x.Unit)
		cancel()
		if err == nil {
			return s.judgeRecord(x, s.remember(x, account.Record), answer{})
		}
		if !unavailable(err) {
			return answer{err: err}
		}
		s.silent = s.now()
	}
	a := answer{offline: true}
	if old := s.journal.seen[x.Unit]; old != nil {
		a.asOf = old.At
	}
	r := s.journal.record(x.Unit)
	if r == nil { // what was not logged then may be logged by now
		a.unseen = true
		return a
	}
	a = s.judgeRecord(x, r, a)
	if a.refused == "" {
		s.expect(x)
	}
	x.n, x.Ship = 0, s.shipOf(x) // looked up when it is logged
	return a
}

// expect notes what a scan that is kept makes of a unit: the next scan of the unit finds it so.
func (s *session) expect(x *scan) {
	r := s.journal.record(x.Unit)
	p, err := predicateOf([]*scan{x})
	if err != nil || r == nil || x.Action == "suspect" {
		return
	}
	if data, err := trial.MarshalRecord(p.After(r, r.N, trial.Hash{}, s.key.Org)); err == nil {
		s.journal.remember(&seen{At: s.journal.seen[x.Unit].At, Serial: x.Serial, Unit: x.Unit, Record: data})
	}
}

// remember notes what the log said.
func (s *session) remember(x *scan, r *trial.UnitRecord) *trial.UnitRecord {
	old := &seen{At: trial.TimeOf(s.now()), Serial: x.Serial, Unit: x.Unit}
	if r != nil {
		if data, err := trial.MarshalRecord(r); err == nil {
			old.Record = data
		}
	}
	s.journal.remember(old)
	return r
}

// judgeRecord judges a scan by the unit's record, and fills in what the statement takes from it.
func (s *session) judgeRecord(x *scan, r *trial.UnitRecord, a answer) answer {
	if r == nil {
		a.refused = fmt.Sprintf("no unit with this label is logged for the trial %s: it was not issued, or it is in a case that nobody opened. "+
			"Set it apart and ask the trial's holder: it may be a fake", s.record.Number)
		a.unissued = true
		return a
	}
	x.n = r.N
	if (x.Action == "receive" || x.Action == "cancel") && r.Offer != nil {
		x.Ship = r.Offer.ID
	}
	x.holder = s.key.Org == r.Custodian || s.key.Org == s.record.Holder
	if x.Action == "suspect" {
		return a
	}
	p, err := predicateOf([]*scan{x})
	if err == nil {
		err = p.Judge(r, s.key.Org, s.record.Holder)
	}
	switch {
	case err != nil:
		a.refused = custody.Plain(err, x.Unit)
	case x.Action == "dispense" && x.Deviation == "":
		// Reports of others warn and stop nothing: a rival could make them.
		for _, org := range []string{s.key.Org, s.record.Holder} {
			if slices.Contains(r.Reports, org) {
				a.refused = org + " reported it as suspicious: do not give it out. If the trial's holder has since allowed it, say so with -deviation " +
					"released-by-phone"
			}
		}
	}
	return a
}

// logNow logs one scan, and answers with its entry. Without a network it is kept.
func (s *session) logNow(ctx context.Context, l *labelled, x *scan) error {
	k, err := s.sign([]*scan{x})
	if err == nil {
		err = s.journal.add(journalLine{Scan: x}, journalLine{Kept: k})
	}
	if err != nil {
		return err
	}
	before := s.refused
	sent, cancel := context.WithTimeout(ctx, 6*scanPatience)
	defer cancel()
	switch err = s.carry(sent, k); {
	case errors.Is(err, client.ErrPending):
		s.answer("KEPT   ", l.Serial, wasDone[x.Action]+"; it is logged, and too few witnesses have cosigned it yet: its receipt is fetched later", false)
		return nil
	case unavailable(err):
		s.silent = s.now()
		s.expect(x)
		s.kept(l, x, answer{offline: true, asOf: trial.TimeOf(s.now())})
		return nil
	case err == nil && s.refused == before:
		s.tell(l.Serial, fmt.Sprintf("%s, entry %d%s", wasDone[x.Action], s.last.Index, s.warned(x)))
	case err != nil:
		s.answer("KEPT   ", l.Serial, "it may be logged or not, and is tried again by the next run: "+err.Error(), true)
	}
	return err
}

// What was done, by action.
var wasDone = map[string]string{
	"cancel": "no longer under way", "destroy": "destroyed", "dispense": "GIVEN OUT", "free": "no longer on hold", "hold": "ON HOLD",
	"lost": "reported lost", "open": "opened", "recall": "RECALLED", "receive": "received", "return": "taken back", "ship": "shipped",
	"suspect": "reported",
}

// warned says what somebody should know who has just had a good answer.
func (s *session) warned(x *scan) string {
	r := s.journal.record(x.Unit)
	if r == nil || x.Action == "free" {
		return ""
	}
	a := &custody.Account{Record: r}
	if list := a.Warnings(); len(list) > 0 {
		return "; " + strings.Join(list, "; ")
	}
	return ""
}

// kept answers for a scan that is logged later.
func (s *session) kept(l *labelled, x *scan, a answer) {
	switch {
	case !a.offline:
		end := ""
		if s.scanning {
			end = " with the others when you end this with Ctrl-D"
		}
		s.tell(l.Serial, fmt.Sprintf("%s, to be logged%s%s", wasDone[x.Action], end, s.warned(x)))
	case a.unseen:
		s.answer("KEPT   ", l.Serial, "NOT CHECKED: the log cannot be reached, and has not told anything of this pack before"+s.asOf(a)+". It is "+
			"logged with its true time once the log can be reached", true)
	default:
		s.answer("KEPT   ", l.Serial, wasDone[x.Action]+"; the log cannot be reached, and this is logged with its true time once it can"+s.asOf(a)+
			s.warned(x), false)
	}
}

func (s *session) asOf(a answer) string {
	if !a.offline {
		return ""
	}
	if a.asOf == 0 {
		return "; never checked"
	}
	at := a.asOf.Std().Local()
	day := ""
	if at.Format(time.DateOnly) != s.now().Format(time.DateOnly) {
		day = at.Format(time.DateOnly) + " "
	}
	return fmt.Sprintf("; checked as of %s%s", day, at.Format("15:04"))
}

func (s *session) tell(serial, text string) { s.answer("ok     ", serial, text, false) }

// no answers a scan that is refused, so that it is seen and heard.
func (s *session) no(what, why string) {
	s.refused++
	s.answer("REFUSED", what, why, true)
}

func (s *session) answer(word, what, text string, heard bool) {
	bell := ""
	if heard {
		bell = "\a"
	}
	fmt.Fprintf(s.e.Stdout, "%s %s: %s%s\n", word, frame.Printable(what), frame.Printable(text), bell)
}

// refuse answers a scan that was taken before and is refused now. What was done stays in a file.
func (s *session) refuse(x *scan, why string) error {
	s.no(x.Serial, fmt.Sprintf("%s (scanned %s to %s)", why, x.At, x.Action))
	delete(s.taken, x.Unit)
	if err := s.journal.refused(x, why); err != nil {
		return err
	}
	delete(s.journal.seen, x.Unit) // it may be what the scan was expected to make of it
	return s.journal.done([]*scan{x})
}

// run takes the lines of a scanner until they end or the program is interrupted, and then logs the
// rest.
func (s *session) run(ctx context.Context, lines <-chan scannedLine) error {
	for {
		select {
		case <-ctx.Done():
			return s.end(ctx)
		case read, more := <-lines:
			if read.err != nil {
				s.no("a line of the scanner", "it cannot be read, and what follows neither: "+read.err.Error())
			}
			if !more || read.err != nil {
				return s.end(ctx)
			}
			line := read.text
			if strings.TrimSpace(line) == "" {
				continue
			}
			if err := s.take(ctx, line); err != nil {
				return err
			}
		}
	}
}

// end logs what is not logged yet. After Ctrl-C there are four seconds for it; what is not logged then
// is kept for the next run.
func (s *session) end(ctx context.Context) error {
	interrupted := ctx.Err() != nil
	if interrupted {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 4*time.Second)
		defer cancel()
	}
	var err error
	s.silent = time.Time{} // tried once more
	if len(s.journal.waiting(s.id)) > 0 {
		err = s.flush(ctx)
	}
	left := len(s.journal.waiting(s.id))
	text := fmt.Sprintf("%d scanned: %d logged in %s, %d refused, %d kept", s.scanned, s.logged-s.earlier.logged,
		trial.Count(s.statements-s.earlier.statements, "statement", "statements"), s.refused-s.earlier.refused, left)
	if s.last != nil {
		text += fmt.Sprintf("; the last is %s", loggedText(s.last))
	}
	fmt.Fprintln(s.e.Stderr, text)
	switch {
	case errors.Is(err, errMasked):
		return negative{err}
	case err != nil && !unavailable(err):
		return err
	case left > 0:
		why := "the log cannot be reached"
		if err != nil {
			why = err.Error()
		}
		return fmt.Errorf("%s kept in %s and logged by the next run of trial custody with the same -out: %s", trial.Count(left, "scan is", "scans are"),
			s.out, why)
	case s.refused > 0:
		return negative{errRefusedUnits}
	}
	return nil
}

// close ends the use of the custodian's files.
func (s *session) close() {
	if s.journal != nil {
		s.journal.close()
	}
	if s.receipts != nil {
		s.receipts.close()
	}
}
