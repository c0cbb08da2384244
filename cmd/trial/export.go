package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// export writes what an inspector takes away: the trial's history and those of its
// numbers, its organisations and the log, a receipt for every statement, the policy, and
// how to check them without a network.
func export(ctx context.Context, e *env, args []string) error {
	var r remote
	var out string
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "the ZIP `file` to write; never over another")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || out == "" {
		return frame.Usagef("one trial and -o FILE.zip must be given")
	}
	if _, err := os.Lstat(out); err == nil {
		return frame.Usagef("%s is there already and is never overwritten", out)
	}
	r.keep = true
	all, err := r.theTrial(ctx, rest[0], true)
	if err != nil {
		return err
	}
	h, s := all.Trial.Proof, all.Standing(r.policy)
	policy, err := readSmall(r.policyFile)
	if err != nil {
		return err
	}
	var b archive
	b.add("policy", policy)
	for i, record := range all.All() {
		data, err := json.Marshal(record.Proof)
		if err != nil {
			return err
		}
		if i == 0 {
			b.add("history.json", data)
		} else {
			b.addRecord(record.Key, data)
		}
	}
	for i, entry := range h.Entries {
		proof, err := receiptOf(h, entry)
		if err != nil {
			return err
		}
		b.add(fmt.Sprintf("receipts/%d-%s.tlog-proof", entry.Index, kindOf(all.Trial.Entries[i].Entry)), proof)
	}
	var text bytes.Buffer
	printStanding(&text, s)
	fmt.Fprintf(&text, "policy SHA-256 %s\n", r.policy.Digest())
	b.add("status.txt", text.Bytes())
	b.add("README.txt", []byte(readme(s)))
	zipped, err := b.close()
	if err != nil {
		return err
	}
	if err := writeNew(out, zipped, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s holds %d statements with their receipts; the documents themselves, and the salts of private ones, are "+
		"the sponsor's\n", out, len(h.Entries))
	fmt.Fprintln(e.Stdout, out)
	return stated(all)
}

// receiptOf returns the receipt that a history holds for one of its entries.
func receiptOf(h *history.History, e history.Entry) ([]byte, error) {
	path, err := history.Hashes(e.Path)
	if err != nil {
		return nil, err
	}
	r := receipt.Receipt{Entry: []byte(e.Entry), Index: e.Index, Path: path, Checkpoint: []byte(h.Checkpoint)}
	return r.Marshal(), nil
}

// An archive is a ZIP being made, the same every time from the same files.
type archive struct {
	buf   bytes.Buffer
	zip   *zip.Writer
	names map[string]bool // that are taken, in lower case: some systems see no difference
	err   error
}

// addRecord adds the history of a record under a name made of its kind and id. Two
// ids that lead to one name differ in what is behind it.
func (a *archive) addRecord(key trial.RecordKey, data []byte) {
	name := safe(key.Kind + "-" + key.ID)
	if a.names[strings.ToLower(name+".json")] {
		name += fmt.Sprintf("-%.12x", sha256.Sum256([]byte(key.ID)))
	}
	a.add(name+".json", data)
}

func (a *archive) add(name string, data []byte) {
	if a.zip == nil {
		a.zip = zip.NewWriter(&a.buf)
	}
	if a.err != nil {
		return
	}
	if a.names[strings.ToLower(name)] {
		a.err = fmt.Errorf("two files of the export would be named %s", name)
		return
	}
	if a.names == nil {
		a.names = map[string]bool{}
	}
	a.names[strings.ToLower(name)] = true
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err == nil {
		_, err = w.Write(data)
	}
	a.err = err
}

func (a *archive) close() ([]byte, error) {
	if a.err != nil {
		return nil, a.err
	}
	err := a.zip.Close()
	return a.buf.Bytes(), err
}

// safe makes a file's name of an id.
func safe(id string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, id)
}

func readme(s *dossier.Standing) string {
	complete := "Under this policy, it is proven that nothing is left out: replaying witnesses satisfy the quorum by themselves."
	if !s.Replayed {
		complete = "Under this policy, completeness is only the operator's signed claim; trial audit proves it to whoever runs it."
	}
	return fmt.Sprintf(`Everything logged about trial %s up to the tree of size %d.

policy            the log's key, the witnesses' keys and how many must agree, as whoever made this
                  file had them. Compare its SHA-256 with one from elsewhere:
                  %s
history.json      the trial's complete history with its proofs
org-*.json        those of its holder and of the others that signed for it: keys enrolled and revoked, seals
identifier-*.json those of its registry numbers: who claims them, what was observed
log-*.json        that of the log: its keys, policies and rule sets
receipts/         one for each entry of history.json
status.txt        where the trial stands, computed from these by whoever made this file

To check, with no network:

  trial verify-history -policy policy history.json
  trial verify -policy policy -proof receipts/INDEX-KIND.tlog-proof DOCUMENT

%s
Not in here: the documents, and what opens commitments to private ones.
`, s.Trial, s.Size, s.Policy, complete)
}
