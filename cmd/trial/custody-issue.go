package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/receipt"
)

// issuePacks makes tokens and labels, and logs the packs of a list. The packing list with the tokens
// is written before anything is logged; run again, it goes on where it ended.
func issuePacks(ctx context.Context, e *env, args []string) error {
	var c custodian
	var list string
	rest, err := c.begin(ctx, e, args, true, func(fs *flag.FlagSet) {
		c.outFlag(fs)
		fs.StringVar(&list, "list", "", "the packs: a CSV `file` with the column serial, or gtin and serial, and expiry, lot, arm and case "+
			"where they are known")
	})
	if err != nil {
		return err
	}
	if list == "" || len(rest) > 0 {
		return frame.Usagef("-list packs.csv must be given, and nothing else")
	}
	if err := c.theTrial(ctx); err != nil {
		return err
	}
	receipts, err := c.openOut()
	if err != nil {
		return err
	}
	defer receipts.close()
	packing, name, err := c.withTokens(list)
	if err != nil {
		return err
	}
	if err := c.writeLabels(packing); err != nil {
		return err
	}
	files, err := e.finishedFiles(ctx, machine, 0, []string{name})
	if err != nil {
		return err
	}
	// In the order of their commitments, which is random: what is issued together says nothing of lots
	// and arms.
	units := make([]trial.Unit, 0, len(packing.Packs))
	for i := range packing.Packs {
		units = append(units, packing.Packs[i].Unit())
	}
	sortUnits(units)
	missing, err := c.notIssued(ctx, units)
	if err != nil {
		return err
	}
	if len(missing) < len(units) {
		fmt.Fprintf(e.Stderr, "%s issued already\n", trial.Count(len(units)-len(missing), "unit is", "units are"))
	}
	progress := e.Progress("issuing")
	defer progress.End()
	verifier := receipt.NewVerifier(c.policy)
	done := 0
	for chunk := range slices.Chunk(missing, trial.MaxCustodyUnits) {
		d, err := c.draft(&trial.Custody{Action: "issue", Trial: c.id, Units: chunk}, c.now(), files, nil)
		if err != nil {
			return err
		}
		if _, err := c.submit(ctx, d, verifier, receipts); err != nil {
			return fmt.Errorf("%d of %d units are issued: run the same command again to go on: %w", len(units)-len(missing)+done, len(units), err)
		}
		done += len(chunk)
		progress.Show("%d of %d", done, len(missing))
	}
	progress.End()
	fmt.Fprintf(e.Stdout, "%s issued, with %s; the packing list is %s\n", trial.Count(len(packing.Packs), "unit", "units"),
		trial.Count(len(packing.All()), "label", "labels"), name)
	return nil
}

// withTokens returns the packs with their tokens, and the name of the packing list that has them. An
// earlier run's list of the same packs is taken up.
func (c *custodian) withTokens(list string) (*custody.Packing, string, error) {
	stem := filepath.Join(c.out, strings.TrimSuffix(filepath.Base(list), filepath.Ext(list)))
	name := stem + ".packing.csv"
	wanted, err := readPackingList(list)
	if err != nil {
		return nil, "", err
	}
	if slices.ContainsFunc(wanted.All(), func(p *custody.Pack) bool { return p.Token != nil }) {
		return nil, "", frame.Usagef("%s has tokens already: issue makes them", list)
	}
	if _, err := os.Lstat(name); err == nil {
		there, err := readPackingList(name)
		if err != nil {
			return nil, "", err
		}
		if !samePacks(wanted, there) {
			return nil, "", frame.Usagef("%s is of other packs than %s: give another folder with -out", name, list)
		}
		return there, name, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	for _, p := range wanted.All() {
		if err := c.readable(p); err != nil {
			return nil, "", frame.Usagef("%s: %w", list, err)
		}
	}
	if err := wanted.MakeTokens(rand.Reader); err != nil {
		return nil, "", frame.Usagef("%s: %w", list, err)
	}
	if err := durable.Create(name, wanted.Marshal(true), 0o600); err != nil {
		return nil, "", err
	}
	return wanted, name, durable.Create(stem+".tokens.csv", wanted.Marshal(false), 0o600)
}

// readable checks that a label says a pack's expiry as it is meant: it has two digits for the year.
func (c *custodian) readable(p *custody.Pack) error {
	if p.Expiry == "" {
		return nil
	}
	read, err := custody.Parse(p.Human(), c.now().Year())
	if err == nil && read.Expiry != p.Expiry {
		err = fmt.Errorf("the expiry %s of %s would be read as %s: a label has two digits for the year, which reach 50 years back and ahead",
			p.Expiry, p.Serial, read.Expiry)
	}
	return err
}

// samePacks reports whether two lists are the same but for their tokens.
func samePacks(a, b *custody.Packing) bool {
	list := b.All()
	return slices.EqualFunc(a.All(), list, func(x, y *custody.Pack) bool {
		return x.Serial == y.Serial && x.Expiry == y.Expiry && x.Lot == y.Lot && x.Arm == y.Arm && x.Case == y.Case
	})
}

// writeLabels writes what each label carries, and its symbol. In a masked trial, and in any other, a
// label has no arm; the lot is printed where the list has it.
func (c *custodian) writeLabels(packing *custody.Packing) error {
	dir := filepath.Join(c.out, "labels")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return frame.AsUsage(err)
	}
	var text bytes.Buffer
	for _, p := range packing.All() {
		code := p.Code
		if c.record.Masked {
			code.Lot = "" // who reads two labels could see that they are of one lot
		}
		svg, err := custody.LabelSVG(code, []string{c.record.Number})
		if err != nil {
			return fmt.Errorf("label of %s: %w", p.Serial, err)
		}
		if err := os.WriteFile(filepath.Join(dir, safe(p.Serial)+".svg"), svg, 0o600); err != nil {
			return err
		}
		fmt.Fprintln(&text, code.Human())
	}
	return durable.Replace(filepath.Join(dir, "labels.txt"), text.Bytes(), 0o600)
}

func sortUnits(units []trial.Unit) {
	slices.SortFunc(units, func(a, b trial.Unit) int { return bytes.Compare(a.Unit[:], b.Unit[:]) })
}

// notIssued returns the units of which the log has no record.
func (c *custodian) notIssued(ctx context.Context, units []trial.Unit) (missing []trial.Unit, err error) {
	for chunk := range slices.Chunk(units, client.MaxFound/4) {
		var ids []string
		for _, u := range chunk {
			ids = append(ids, trial.UnitID(c.id, u.Unit).String())
		}
		found, err := c.client.Found(ctx, "unit", ids)
		if err != nil {
			return nil, err
		}
		for i, u := range chunk {
			if !found[ids[i]] {
				missing = append(missing, u)
			}
		}
	}
	return missing, nil
}
