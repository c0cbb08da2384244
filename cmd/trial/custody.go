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
	return runVerb(ctx, e, args, append(verbs, verb{"assess", assessTemperature}, verb{"check", checkPack}, verb{"export", exportPacks},
		verb{"sheet", subjectSheet})...)
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
	fs.StringVar(&c.typed, "trial", "", "the `trial`: its id, a number bound to it, or its sponsor's number")
	fs.StringVar(&c.list, "packing", "", "packing list, a CSV `file` with serial and token, for labels that have no token")
}

// outFlag names the folder of a custodian's own files.
func (c *custodian) outFlag(fs *flag.FlagSet) {
	fs.StringVar(&c.out, "out", "custody", "`folder` for receipts, and for scans that are not logged yet")
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
	if c.id, err = c.resolve(ctx, c.typed); err != nil {
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
		return l, fmt.Errorf("the label of %s has no token: give the packing list that came with it with -packing", l.Serial)
	}
	if l.Expiry == "" && l.pack != nil {
		l.Expiry = l.pack.Expiry
	}
	l.handle = trial.UnitHandle(l.Serial, *l.Token)
	l.unit = trial.UnitID(c.id, trial.UnitCommitment(l.handle))
	return l, nil
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
