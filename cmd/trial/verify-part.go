package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A shownPart is a disclosure that was verified.
type shownPart struct {
	*element.Disclosure
	checked
}

func verifyPart(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	var policyFile string
	policyFlag(fs, &policyFile)
	policies := fs.String("policies", "", "`file` with the log's own history (trial history -json log), for receipts older than the policy")
	asJSON := fs.Bool("json", false, "print the verdict as JSON")
	names, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(names) != 1 && len(names) != 2 {
		return frame.Usagef("one file that trial disclose made must be given, or two to compare")
	}
	trust, err := readTrust(e, policyFile, *policies)
	if err != nil {
		return err
	}
	var parts []shownPart
	for _, name := range names {
		p, err := readPart(trust, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		parts = append(parts, p)
	}
	var c *partChange
	if len(parts) == 2 {
		if parts[1].Index < parts[0].Index { // whatever order they were given in
			parts[0], parts[1] = parts[1], parts[0]
		}
		if c, err = compareParts(parts[0], parts[1]); err != nil {
			return err
		}
	}
	if *asJSON {
		var verdicts []any
		for _, p := range parts {
			verdicts = append(verdicts, map[string]any{"path": p.Path, "absent": p.Absent, "text": p.Disclosure.Text,
				"statement": p.Summary(p.earlier != "")})
		}
		return json.NewEncoder(e.Stdout).Encode(map[string]any{"valid": true, "parts": verdicts, "change": c})
	}
	for _, p := range parts {
		if p.earlier != "" {
			fmt.Fprintf(e.Stdout, "%s\n", p.earlier)
		}
		if p.Absent {
			fmt.Fprintf(e.Stdout, "valid: the document has no %s\n", p.Path)
		} else {
			fmt.Fprintf(e.Stdout, "valid: this stands as %s in what was logged:\n", p.Path)
			for line := range strings.SplitSeq(p.Disclosure.Text, "\n") {
				fmt.Fprintf(e.Stdout, "    %s\n", frame.Printable(line))
			}
		}
		fmt.Fprint(e.Stdout, p.Details())
		fmt.Fprintln(e.Stdout, "That this is what the document says is its signer's word, until the document itself is shown.")
	}
	if c != nil {
		fmt.Fprintf(e.Stdout, "%s: %s %s\n", c.Change, c.Path, c.Says)
	}
	return nil
}

func readPart(t *trust, name string) (p shownPart, err error) {
	st, err := regular(name)
	if err != nil {
		return p, err
	}
	if st.Size() > element.MaxSize {
		return p, frame.Usagef("it has %d bytes, far more than such a file can have", st.Size())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return p, frame.AsUsage(err)
	}
	if p.Disclosure, err = element.Parse(data); err != nil {
		return p, &receipt.Problem{Part: "element", Detail: err.Error()}
	}
	v, earlier, err := t.verify([]byte(p.Receipt))
	if err != nil {
		return p, err
	}
	p.checked = checked{v, earlier}
	return p, p.Check(trial.ElementsOf(v.Entry))
}

// A partChange says what became of a part from one version to another.
type partChange struct {
	Path    string `json:"path"`
	Change  string `json:"change"`  // changed, unchanged, added, removed or absent from both
	Follows bool   `json:"follows"` // the later statement names the earlier as the one it follows
	Says    string `json:"-"`
}

func compareParts(a, b shownPart) (*partChange, error) {
	earlier, before := a.Entry.Statement.Effective()
	later, after := b.Entry.Statement.Effective()
	x, y := memberStrings(before.Predicate), memberStrings(after.Predicate)
	switch {
	case a.Path != b.Path:
		return nil, frame.Usagef("one file shows %s and the other %s: disclose the same part of both versions", a.Path, b.Path)
	case earlier == later:
		return nil, frame.Usagef("both files are of one statement, %s", later)
	case a.Checkpoint.Origin != b.Checkpoint.Origin:
		return nil, frame.Usagef("the files are of two logs, %s and %s", a.Checkpoint.Origin, b.Checkpoint.Origin)
	case x["trial"] != y["trial"] || x["identifier"] != y["identifier"]:
		return nil, &receipt.Problem{Part: "expectation", Detail: fmt.Sprintf("the files are of two trials, %s and %s", cmp.Or(x["trial"],
			x["identifier"]), cmp.Or(y["trial"], y["identifier"]))}
	}
	c := &partChange{Path: a.Path, Follows: cmp.Or(y["previous"], y["updates"]) == earlier.String()}
	switch {
	case a.Absent && b.Absent:
		c.Change = "absent from both"
	case a.Absent:
		c.Change = "added"
	case b.Absent:
		c.Change = "removed"
	case a.Disclosure.Text == b.Disclosure.Text:
		c.Change = "unchanged"
	default:
		c.Change = "changed"
	}
	from, to := fmt.Sprintf("entry %d (%s, by %s)", a.Index, trial.Describe(before),
		a.Entry.Signer.Org), fmt.Sprintf("entry %d (%s, by %s)", b.Index, trial.Describe(after), b.Entry.Signer.Org)
	c.Says = fmt.Sprintf("from %s to %s, which names it as the version that it follows", from, to)
	if !c.Follows {
		c.Says = fmt.Sprintf("from %s to %s; there may be versions between them", from, to)
	}
	return c, nil
}
