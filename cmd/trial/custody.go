package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/receipt"
)

// custodyCommand says who has which pack of the investigational product.
func custodyCommand(ctx context.Context, e *env, args []string) error {
	verbs := []verb{{"issue", issuePacks}}
	for _, action := range []string{"ship", "receive", "dispense", "return", "destroy", "open", "cancel", "hold", "free", "lost", "recall",
		"suspect"} {
		verbs = append(verbs, verb{action, func(ctx context.Context, e *env, args []string) error { return handlePacks(ctx, e, action, args) }})
	}
	verbs = append(verbs, verb{"assess", assessTemperature}, verb{"check", checkPack}, verb{"export", exportPacks}, verb{"sheet", subjectSheet})
	for _, h := range custodyHelp {
		if len(args) > 0 && args[0] == h.verb {
			usage := h.verb + " " + h.args
			if h.packs {
				usage += " [-key FILE] [-packing FILE] [-out DIR] -scan -|CODE..."
			}
			e.Narrow(h.does, usage, "trial custody "+h.example)
		}
	}
	return runVerb(ctx, e, args, verbs...)
}

// custodyHelp explains each verb by itself.
var custodyHelp = []struct {
	verb, does, args, example string
	packs                     bool // it takes the codes of packs
}{
	{"issue", "log the packs of a list, and make their tokens and labels (for the trial's holder, or the depot that it delegated custody to)",
		"-trial T -list packs.csv [-key FILE] [-out DIR]", "issue -key depot.key -trial 3f5c... -list packs.csv", false},
	{"ship", "say that you sent packs to another organisation, which then receives them",
		"-trial T -to ORG|-epcis FILE -org GLN=ORG [-sensor FILE]", "ship -key depot.key -trial 3f5c... -to site-a -sensor logger.csv -scan -", true},
	{"receive", "say that packs that were sent to you have arrived, and in which condition",
		"-trial T -condition ok|damaged|excursion|unknown | -sensor FILE -profile FILE [-tz ZONE] [-unit C]",
		"receive -key site.key -trial 3f5c... -condition ok -scan -", true},
	{"open", "open a case, so that its packs can be given out", "-trial T",
		"open -key site.key -trial 3f5c... -packing tokens.csv C-1", true},
	{"dispense", "give packs out to a participant; the answer says at once if a pack must not be given out", "-trial T -subject NUMBER",
		"dispense -key site.key -trial 3f5c... -subject 1001 -scan -", true},
	{"return", "take packs back from a participant, to count them; they stay on hold for ever", "-trial T",
		"return -key site.key -trial 3f5c... -scan -", true},
	{"destroy", "say that packs that you have were destroyed", "-trial T", "destroy -key depot.key -trial 3f5c... -scan -", true},
	{"hold", "put packs on hold, so that nobody gives them out", "-trial T", "hold -key site.key -trial 3f5c... -scan -", true},
	{"free", "end the hold on packs (for the trial's holder, or whom it delegated custody to)", "-trial T",
		"free -key sponsor.key -trial 3f5c... -packing tokens.csv K-0003", true},
	{"lost", "say that packs that you should have cannot be found", "-trial T", "lost -key site.key -trial 3f5c... -packing tokens.csv K-0003", true},
	{"cancel", "take back a shipment, or some of its packs, that was not received", "-trial T", "cancel -key depot.key -trial 3f5c... -scan -", true},
	{"recall", "recall packs, so that nobody gives them out (for the trial's holder)", "-trial T [-unblinds REASON]",
		"recall -key sponsor.key -trial 3f5c... -packing tokens.csv -scan -", true},
	{"suspect", "report packs that may be fakes; to report one shows that you saw its label", "-trial T -reason duplicate|seal|wrong-hand",
		"suspect -key site.key -trial 3f5c... -reason seal -scan -", true},
	{"assess", "say how long a medicine stood at which temperature, by the files of loggers, and in which condition it is",
		"-profile FILE [-tz ZONE] [-unit C] FILE...", "assess -profile profile.json -tz Europe/Berlin -unit C logger.csv", false},
	{"check", "say where a pack is, who had it, and whether it may be given out", "-trial T [-packing FILE] [-in ZIP] CODE",
		"check -trial 3f5c... -packing tokens.csv K-0003", false},
	{"export", "write the histories of packs to a file, to check them with no network", "-trial T -o ZIP -packing FILE|-scan -|CODE...",
		"export -trial 3f5c... -packing tokens.csv -o packs.zip", false},
	{"sheet", "print the accountability form of a participant: what was given out and taken back, by your own receipts",
		"-trial T -subject NUMBER [-packing FILE] [-out DIR]", "sheet -trial 3f5c... -subject 1001", false},
}

// A custodian is somebody who has packs of a trial, or wants to know about them.
type custodian struct {
	remote
	e       *env
	typed   string // the trial
	list    string // packing list
	out     string // folder of receipts and scans
	id      trial.Hash
	record  *trial.TrialRecord
	packing map[string]*custody.Pack // by serial
	now     func() time.Time
}

func (c *custodian) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.typed, "trial", "", "the `trial`: its id, a registry's number bound to it, or sponsor:ORG/NUMBER")
	fs.StringVar(&c.list, "packing", "", "the packing list or tokens `file` from the depot (CSV), for labels that have no token and to open a case")
}

// outFlag names the folder of a custodian's own files.
func (c *custodian) outFlag(fs *flag.FlagSet) {
	fs.StringVar(&c.out, "out", "custody", "`folder` of your receipts, and of scans that are not logged yet: keep it and back it up")
}

// begin parses the flags and finds the trial.
func (c *custodian) begin(ctx context.Context, e *env, args []string, key bool, define func(*flag.FlagSet)) ([]string, error) {
	rest, err := c.remote.begin(e, args, key, func(fs *flag.FlagSet) {
		c.flags(fs)
		if define != nil {
			define(fs)
		}
	})
	if err != nil {
		return nil, err
	}
	return rest, c.ready(e)
}

// ready reads the packing list, if one is given.
func (c *custodian) ready(e *env) error {
	c.e, c.now, c.packing = e, time.Now, map[string]*custody.Pack{}
	if c.typed == "" {
		return frame.Usagef("-trial must be given")
	}
	if c.list == "" {
		return nil
	}
	list, err := readPackingList(c.list)
	if err != nil {
		return err
	}
	for _, p := range list.All() {
		c.packing[p.Serial] = p
	}
	return nil
}

func readPackingList(name string) (*custody.Packing, error) {
	data, err := readAtMost(name, maxLarge)
	if err != nil {
		return nil, err
	}
	list, err := custody.ParsePacking(data)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	return list, nil
}

// theTrial finds the trial and reads its record, whose history is checked.
func (c *custodian) theTrial(ctx context.Context) (err error) {
	if c.id, err = c.findTrial(ctx); err != nil {
		return err
	}
	h, err := c.history(ctx, trial.RecordKey{Kind: "trial", ID: c.id.String()}, 0)
	if err != nil {
		return err
	}
	rec, ok := h.Record.(*trial.TrialRecord)
	if !ok {
		return fmt.Errorf("%w: no trial %s is logged up to size %d", errInvalid, c.id, h.Checkpoint.Size)
	}
	c.record = rec
	return nil
}

// findTrial returns the id of the trial that was typed.
func (c *custodian) findTrial(ctx context.Context) (trial.Hash, error) {
	id, err := c.resolve(ctx, c.typed)
	if errors.Is(err, client.ErrNotFound) && !strings.Contains(c.typed, ":") {
		err = fmt.Errorf("%w. Another organisation's number is typed as sponsor:ORG/%s; the trial's id always works", err, c.typed)
	}
	return id, err
}

// A labelled is a label that was read: what the log calls the unit.
type labelled struct {
	custody.Code
	handle trial.Hash
	unit   trial.Hash // id
	pack   *custody.Pack
}

// label reads the line of a scanner. A label without a token is looked up in the packing list.
func (c *custodian) label(line string) (labelled, error) {
	code, err := custody.Parse(line, c.now().Year())
	if err != nil {
		return labelled{}, err
	}
	l := labelled{Code: code, pack: c.packing[code.Serial]}
	switch {
	case l.pack != nil && l.pack.Token != nil && l.Token != nil && *l.pack.Token != *l.Token:
		return l, fmt.Errorf("the label of %s has another token than the packing list: it is no label of that pack. Set the pack apart and "+
			"ask the trial's holder", l.Serial)
	case l.Token == nil && l.pack != nil && l.pack.Token != nil:
		l.Token = l.pack.Token
	case l.Token == nil && c.list != "":
		return l, fmt.Errorf("%s is not in the packing list %s, and its label has no token: it cannot be told which pack it is", l.Serial, c.list)
	case l.Token == nil:
		return l, fmt.Errorf("the label of %s has no token: give the tokens file or the packing list of the depot with -packing", l.Serial)
	}
	if l.Expiry == "" && l.pack != nil {
		l.Expiry = l.pack.Expiry
	}
	l.handle = trial.UnitHandle(l.Serial, *l.Token)
	l.unit = trial.UnitID(c.id, trial.UnitCommitment(l.handle))
	return l, nil
}

// boxed says in which case a pack of which nothing is logged is by the packing list.
func (l *labelled) boxed(unissued bool) string {
	if !unissued || l.pack == nil || l.pack.Case == "" {
		return ""
	}
	return fmt.Sprintf(". By the packing list it is in the case %s: if that has arrived, scan it with trial custody open", l.pack.Case)
}

// expired reports whether the last day of a label is over.
func (l *labelled) expired(now time.Time) bool {
	return l.Expiry != "" && now.Format(time.DateOnly) > l.Expiry
}

// account reads and checks what the log has about a unit. Its record is nil if there is nothing.
func (c *custodian) account(ctx context.Context, unit trial.Hash) (*custody.Account, uint64, bool, error) {
	h, err := c.history(ctx, trial.RecordKey{Kind: "unit", ID: unit.String()}, 0)
	if err != nil {
		return nil, 0, false, err
	}
	a, err := custody.NewAccount(h.Verdict)
	return a, h.Checkpoint.Size, h.Replayed, err
}

// openOut opens the file of receipts in the custodian's folder. It is locked until it is closed.
func (c *custodian) openOut() (*receiptsFile, error) {
	if err := os.MkdirAll(c.out, 0o700); err != nil {
		return nil, frame.AsUsage(err)
	}
	org := c.key.Org
	if org == "" {
		return nil, frame.Usagef("the key %s names no organisation: make one with trial keygen -org", c.keyFile)
	}
	return openReceipts(filepath.Join(c.out, "custody.receipts"), receipt.FileHead{Log: c.log.Name(), Org: org}, 0o600, c.warn)
}

func (c *custodian) warn(format string, args ...any) {
	fmt.Fprintf(c.e.Stderr, "trial %s: %s\n", c.e.Command(), frame.Printable(fmt.Sprintf(format, args...)))
}

// codesIn returns the codes that a text has, one a line.
func codesIn(data []byte) (list []string) {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			list = append(list, line)
		}
	}
	return list
}

var errRefusedUnits = errors.New("some units were refused")
