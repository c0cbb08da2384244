package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
)

// screen is how many lines an answer about a pack may have, and maxStrangers how many of them are reports
// by organisations that neither have it nor hold its trial.
const (
	screen       = 24
	maxStrangers = 3
)

// A chain is what is known of a pack: its own history and, if it came in a case, the case's.
type chain struct {
	label labelled
	unit  *dossier.History
	box   *dossier.History
	pack  *custody.Account
	cased *custody.Account // nil if there is no case
}

// checkPack says where a pack is, who had it, and whether it may be given out: from the log, or from an
// export without a network.
func checkPack(ctx context.Context, e *env, args []string) error {
	c := &custodian{}
	var from string
	c.instead = &from
	rest, err := c.begin(ctx, e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&from, "in", "", "read an export, a ZIP `file` that trial custody export wrote, and use no network")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return frame.Usagef("one code must be given: what a scanner reads from the label")
	}
	source := pages{c.client}.Page
	if from != "" {
		z, err := openPacks(from)
		if err != nil {
			return err
		}
		defer z.Close()
		source = z.Page
		if c.id, err = z.trialOf(c.typed); err != nil {
			return err
		}
	} else if c.id, err = c.findTrial(ctx); err != nil {
		return err
	}
	label, err := c.label(rest[0])
	if err != nil {
		return frame.AsUsage(err)
	}
	x, err := c.chain(ctx, source, label, 0)
	if err != nil {
		return err
	}
	return c.printChain(x)
}

// A pageOf gives a page of a history, as dossier.Source does.
type pageOf func(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error)

func (f pageOf) Page(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error) {
	return f(ctx, key, size, from)
}

func (pageOf) Gone(err error) bool { return pages{}.Gone(err) }

// chain reads and checks the history of a pack, and of its case, of one tree.
func (c *custodian) chain(ctx context.Context, source pageOf, label labelled, size uint64) (*chain, error) {
	g := &dossier.Gatherer{Policy: c.policy, Source: source, Keep: c.keep}
	key := func(id trial.Hash) trial.RecordKey { return trial.RecordKey{Kind: "unit", ID: id.String()} }
	var err error
	for range dossier.Tries {
		x := &chain{label: label}
		if x.unit, err = g.History(ctx, key(label.unit), size); err != nil {
			return nil, err
		}
		if x.pack, err = custody.NewAccount(x.unit.Verdict); err != nil {
			return nil, err
		}
		box := x.pack.Case()
		if box.IsZero() {
			return x, nil
		}
		if x.box, err = g.History(ctx, key(box), x.unit.Checkpoint.Size); err != nil {
			if g.Source.Gone(err) {
				continue
			}
			return nil, err
		}
		if err = dossier.OneTree(x.unit, x.box); err != nil {
			return nil, err
		}
		x.cased, err = custody.NewAccount(x.box.Verdict)
		return x, err
	}
	return nil, dossier.ErrGrowing
}

// printChain answers in one screen.
func (c *custodian) printChain(x *chain) error {
	w := c.e.Stdout
	fmt.Fprintf(w, "%s, unit %s\n", frame.Printable(x.label.Serial), x.label.unit)
	replayed := x.unit.Replayed && (x.box == nil || x.box.Replayed)
	last := func() {
		complete := "complete: proven by replaying witnesses"
		if !replayed {
			complete = "complete as the operator states"
		}
		seen := ""
		if at, ok := x.unit.Checkpoint.ProvenTime(); ok {
			seen = ", seen by witnesses on " + trial.Moment(at)
		}
		fmt.Fprintf(w, "as of the tree of size %d%s; %s; policy %.16s...\n", x.unit.Checkpoint.Size, seen, complete, c.policy.Digest())
	}
	if x.pack.Record == nil {
		fmt.Fprintf(w, "NOT LOGGED for the trial %s: no unit with this label was issued to it, or it is in a case that nobody opened%s.\n", c.id,
			x.label.boxed(true))
		fmt.Fprintln(w, "Set it apart and ask the trial's holder: it may be a fake.")
		last()
		return negative{errors.New("no unit with this label is logged")}
	}
	fmt.Fprintf(w, "now: %s\n", x.pack.Where())
	for _, warning := range x.pack.Warnings() {
		fmt.Fprintln(w, warning)
	}
	may, why := x.pack.MayGiveOut()
	if may && x.label.expired(c.now()) {
		may, why = false, "it expired on "+x.label.Expiry
	}
	switch {
	case may:
		fmt.Fprintf(w, "MAY BE GIVEN OUT by %s, as far as its label and the tree named below tell: what was logged since, such as a recall, is not in it; "+
			"look at the seal yourself\n", x.pack.Record.Custodian)
	default:
		fmt.Fprintln(w, "NOT TO BE GIVEN OUT:", why)
	}
	var lines []string
	if x.cased != nil {
		for i := range x.cased.Acts {
			lines = append(lines, "in its case: "+x.cased.Acts[i].Line())
		}
		lines = lines[:len(lines)-1] // its opening is the pack's first act
	}
	strangers := 0
	for i := range x.pack.Acts {
		if x.pack.Acts[i].ByStranger() {
			if strangers++; strangers > maxStrangers { // whoever saw a label cannot hide handovers behind reports
				continue
			}
		}
		lines = append(lines, x.pack.Acts[i].Line())
	}
	if strangers > maxStrangers {
		lines = append(lines, fmt.Sprintf("... and %d more reports by others than its custodian and the trial's holder", strangers-maxStrangers))
	}
	if room := screen - 8; len(lines) > room {
		more := len(lines) - room + 1
		lines = append(append(lines[:2:2], fmt.Sprintf("... %d more: trial history unit:%.12s", more, x.label.unit)), lines[2+more:]...)
	}
	for _, line := range lines {
		fmt.Fprintln(w, frame.Printable(line))
	}
	last()
	if !may && custody.State(x.pack.Record) == "in stock" {
		return negative{errors.New("it is not to be given out")}
	}
	if !replayed {
		return errStated
	}
	return nil
}

// exportPacks writes what an inspector takes away about packs: their histories, with those of their
// cases and of the trial.
func exportPacks(ctx context.Context, e *env, args []string) error {
	c := &custodian{}
	var out, scanned string
	rest, err := c.begin(ctx, e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "the ZIP `file` to write; never over another")
		fs.StringVar(&scanned, "scan", "", "`-` reads codes from the standard input")
	})
	if err != nil {
		return err
	}
	codes := rest
	if scanned == "-" {
		data, err := io.ReadAll(io.LimitReader(e.Stdin, 64<<20))
		if err != nil {
			return err
		}
		codes = append(codes, codesIn(data)...)
	} else if len(codes) == 0 {
		codes = sortedKeys(c.packing) // the export is the same every time
	}
	if out == "" || len(codes) == 0 {
		return frame.Usagef("-o FILE.zip, and codes, -scan - or -packing must be given")
	}
	if _, err := os.Lstat(out); err == nil {
		return frame.Usagef("%s is there already and is never overwritten", out)
	}
	c.keep = true
	if err := c.theTrial(ctx); err != nil {
		return err
	}
	for range dossier.Tries {
		err = c.exportTo(ctx, out, codes)
		if !errors.Is(err, dossier.ErrGrowing) {
			break
		}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s holds the histories of %s. It has no label, lot or treatment; whoever has a label checks the pack with trial custody "+
		"check -in %s\n", out, trial.Count(len(codes), "pack", "packs"), quoted(out))
	fmt.Fprintln(e.Stdout, out)
	return nil
}

func (c *custodian) exportTo(ctx context.Context, out string, codes []string) error {
	h, err := c.history(ctx, trial.RecordKey{Kind: "trial", ID: c.id.String()}, 0)
	if err != nil {
		return err
	}
	size := h.Checkpoint.Size
	z := newPacksArchive(h.Proof)
	z.record(h.Key, h.Proof)
	progress := c.e.Progress("exporting")
	defer progress.End()
	var keys []trial.RecordKey
	for i, code := range codes {
		label, err := c.label(code)
		if err != nil {
			return frame.Usagef("code %d: %w", i+1, err)
		}
		keys = append(keys, trial.RecordKey{Kind: "unit", ID: label.unit.String()})
	}
	boxes := map[trial.Hash]bool{}
	for at, end := 0, 0; at < len(keys); at = end { // keys grow meanwhile
		end = min(at+64, len(keys))
		progress.Show("%d of %d", at, len(keys))
		list, err := c.gatherer().All(ctx, keys[at:end], size)
		if err != nil {
			if (pages{}).Gone(err) {
				return dossier.ErrGrowing
			}
			return err
		}
		for _, x := range list {
			if err := dossier.OneTree(h, x); err != nil {
				return err
			}
			z.record(x.Key, x.Proof)
			a, err := custody.NewAccount(x.Verdict)
			if err != nil {
				return err
			}
			if box := a.Case(); !box.IsZero() && !boxes[box] {
				boxes[box] = true
				keys = append(keys, trial.RecordKey{Kind: "unit", ID: box.String()})
			}
		}
	}
	policy, err := readSmall(c.policyFile)
	if err != nil {
		return err
	}
	z.files.add("policy", policy)
	z.files.add("README.txt", fmt.Appendf(nil, packsReadme, c.id, size))
	data, err := z.close()
	if err != nil {
		return err
	}
	return writeNew(out, data, 0o644)
}

const packsReadme = `Histories of packs of the trial %s, as of the tree of size %d.

policy           the log's key and its witnesses', as whoever made this file had them: trust your own
tree.json        the checkpoint, and the state entry that ends its tree
record/KIND-ID   the record, the proof that it is the log's, and the indexes of all entries about it
entry/INDEX      an entry with its inclusion proof

To check a pack, with no network, with what a scanner reads from its label:

  trial custody check -policy policy -trial TRIAL -in THIS.zip CODE

Whoever has no label learns from this which units had which acts, and not which pack a unit is.
`

// A packsArchive is an export of many histories of one tree. Entries that several have are there once.
type packsArchive struct {
	files   archive
	entries map[uint64]bool
}

// packsTree is what all histories of one tree have in common.
type packsTree struct {
	Checkpoint string        `json:"checkpoint"`
	State      history.Entry `json:"state"`
}

// A packsRecord is a history without what others have too.
type packsRecord struct {
	Kind    string      `json:"kind"`
	ID      string      `json:"id"`
	Map     history.Map `json:"map"`
	Record  string      `json:"record,omitempty"`
	Entries []uint64    `json:"entries"`
}

func newPacksArchive(h *history.History) *packsArchive {
	z := &packsArchive{entries: map[uint64]bool{}}
	z.json("tree.json", packsTree{h.Checkpoint, h.State})
	return z
}

func (z *packsArchive) json(name string, v any) {
	data, err := json.Marshal(v)
	if err != nil && z.files.err == nil {
		z.files.err = err
	}
	z.files.add(name, data)
}

func (z *packsArchive) record(key trial.RecordKey, h *history.History) {
	x := packsRecord{Kind: key.Kind, ID: key.ID, Map: h.Map, Record: h.Record, Entries: []uint64{}}
	for _, entry := range h.Entries {
		x.Entries = append(x.Entries, entry.Index)
		if !z.entries[entry.Index] {
			z.entries[entry.Index] = true
			z.json(fmt.Sprintf("entry/%d", entry.Index), entry)
		}
	}
	if name := "record/" + key.Kind + "-" + key.ID; !z.files.names[strings.ToLower(name)] {
		z.json(name, x)
	}
}

func (z *packsArchive) close() ([]byte, error) { return z.files.close() }

// A packsReader reads an export. Nothing in it is trusted: each history is checked under the policy.
type packsReader struct {
	*zip.ReadCloser
	name string
	tree packsTree
}

func openPacks(name string) (*packsReader, error) {
	r, err := zip.OpenReader(name)
	if err != nil {
		return nil, frame.Usagef("%s is no export of packs: %w", name, err)
	}
	z := &packsReader{ReadCloser: r, name: name}
	if err := z.json("tree.json", &z.tree); err != nil {
		r.Close()
		return nil, err
	}
	return z, nil
}

func (z *packsReader) json(name string, v any) error {
	f, err := z.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no %s: it was made without that pack, or it is damaged: %w", z.name, name, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", z.name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(data) > maxSmall {
		err = fmt.Errorf("%s has more than %d bytes", name, maxSmall)
	}
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(data)).Decode(v)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %s: %w", errInvalid, z.name, name, err)
	}
	return nil
}

// trialOf returns the id of the trial that an export is of, if it is the one that was typed.
func (z *packsReader) trialOf(typed string) (trial.Hash, error) {
	for _, f := range z.File {
		id, ok := strings.CutPrefix(f.Name, "record/trial-")
		if !ok {
			continue
		}
		h, err := trial.ParseHash(id)
		if err != nil || h.String() != typed && !(trial.IsShort(typed) && h.Named(typed)) {
			return h, frame.Usagef("%s is of the trial %s, not of %s: without a network a trial is named by its id", z.name, id, typed)
		}
		return h, nil
	}
	return trial.Hash{}, frame.Usagef("%s is of no trial", z.name)
}

// Page returns a history of the export, whole.
func (z *packsReader) Page(_ context.Context, key trial.RecordKey, _, _ uint64) (*history.History, error) {
	var x packsRecord
	if err := z.json("record/"+key.Kind+"-"+key.ID, &x); err != nil {
		return nil, err
	}
	h := &history.History{Kind: x.Kind, ID: x.ID, Checkpoint: z.tree.Checkpoint, State: z.tree.State, Map: x.Map, Record: x.Record,
		Entries: make([]history.Entry, len(x.Entries))}
	if len(x.Entries) > history.MaxPage {
		return nil, fmt.Errorf("%w: %s: a unit with %d entries", errInvalid, z.name, len(x.Entries))
	}
	for i, index := range x.Entries {
		if err := z.json(fmt.Sprintf("entry/%d", index), &h.Entries[i]); err != nil {
			return nil, err
		}
	}
	return h, nil
}
