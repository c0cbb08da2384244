package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/receipt"
)

// subjectSheet prints the accountability form of a participant: what was given out and taken back. The
// receipts of the site say which packs those were.
func subjectSheet(ctx context.Context, e *env, args []string) error {
	c := &custodian{}
	var subject string
	rest, err := c.begin(ctx, e, args, false, func(fs *flag.FlagSet) {
		c.outFlag(fs)
		fs.StringVar(&subject, "subject", "", "the participant's `number`")
	})
	if err != nil {
		return err
	}
	if subject == "" || len(rest) > 0 {
		return frame.Usagef("-subject must be given, and nothing else")
	}
	if err := c.theTrial(ctx); err != nil {
		return err
	}
	units, damaged, err := c.unitsOf(subject)
	if err != nil {
		return err
	}
	serials, err := c.serials()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stdout, "Accountability of the investigational product\ntrial %s (%s), participant %s\n\n", c.record.Number, c.id,
		frame.Printable(subject))
	w := tabwriter.NewWriter(e.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "pack\tgiven out\tby\ttaken back\tdestroyed\tdoses back\tchecked by")
	out, back := 0, 0
	for _, unit := range units {
		a, _, _, err := c.account(ctx, unit)
		if err != nil {
			return err
		}
		if a.Record == nil {
			return fmt.Errorf("%w: the log does not show unit %s, of which there is a receipt", errInvalid, unit)
		}
		given, returned, gone := a.Last("dispense"), a.Last("return"), a.Last("destroy")
		if given != nil {
			out++
		}
		if returned != nil {
			back++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t______\t______\n", cmp.Or(serials[unit], "unit "+unit.String()[:12]), day(given), by(given),
			day(returned), day(gone))
	}
	w.Flush()
	fmt.Fprintf(e.Stdout, "\n%d given out, %d taken back, %d with the participant\n", out, back, out-back)
	if damaged > 0 {
		return fmt.Errorf("%d receipts in %s cannot be read: the sheet may lack packs", damaged, c.out)
	}
	return nil
}

func day(a *custody.Act) string {
	if a == nil {
		return "-"
	}
	return a.SignedAt.Std().Format("2006-01-02 15:04")
}

func by(a *custody.Act) string {
	if a == nil {
		return "-"
	}
	return a.Org + " key " + a.Key[:8]
}

// unitsOf returns the units that were given out to a participant, by the receipts in the folder, whose
// openings say so. It returns how many receipts cannot be read, too.
func (c *custodian) unitsOf(subject string) (units []trial.Hash, damaged int, err error) {
	digest := subjectDigest(subject)
	name := filepath.Join(c.out, "custody.receipts")
	p, err := pickReceipts(name, func(f receipt.Filed) bool { return f.Document == c.id })
	if err != nil {
		return nil, 0, fmt.Errorf("%w: -out names the folder with your receipts", err)
	}
	damaged = len(p.damaged)
	for _, f := range p.list {
		r, err := receipt.Parse(f.Receipt)
		if err != nil {
			damaged++
			continue
		}
		entry, err := trial.ParseEntry(r.Entry)
		if err != nil || entry.Statement == nil {
			damaged++
			continue
		}
		st := entry.Statement.Statement
		said, ok := st.Predicate.(*trial.Custody)
		if !ok || said.Action != "dispense" {
			continue
		}
		o, err := trial.ParseOpenings(r.Openings, st)
		if err != nil {
			damaged++
			continue
		}
		for i, s := range st.Subjects {
			if o.Matches(s, digest) && !slices.Contains(units, said.Units[i].Unit) {
				units = append(units, said.Units[i].Unit)
			}
		}
	}
	return units, damaged, nil
}

// serials returns what is printed on packs: as far as this folder has seen them, or the packing list.
func (c *custodian) serials() (map[trial.Hash]string, error) {
	serials := map[trial.Hash]string{}
	for _, p := range c.packing {
		if p.Token != nil {
			serials[trial.UnitID(c.id, p.Commitment())] = p.Serial
		}
	}
	data, err := os.ReadFile(filepath.Join(c.out, "custody.scans"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if x, err := parseJournalLine([]byte(line)); err == nil && x.Seen != nil && x.Seen.Serial != "" {
			serials[x.Seen.Unit] = x.Seen.Serial
		}
	}
	return serials, nil
}
