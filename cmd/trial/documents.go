package main

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/study"
)

// errEnough ends a walk that needs no more.
var errEnough = errors.New("enough")

// documentsIn returns the records in files and folders.
func documentsIn(files []string) dossier.Documents {
	return func(yield func([]byte, error) bool) {
		for _, name := range files {
			err := filepath.WalkDir(name, func(name string, entry fs.DirEntry, err error) error {
				if err != nil || !entry.Type().IsRegular() {
					return err
				}
				f, err := os.Open(name)
				if err != nil {
					return err
				}
				defer f.Close()
				err = study.Split(f, func(_ int, record []byte) error {
					if !yield(record, nil) {
						return errEnough
					}
					return nil
				})
				if _, ok := errors.AsType[*fs.PathError](err); ok || errors.Is(err, errEnough) {
					return err
				}
				return nil // a file that is no export is no document of this trial
			})
			if errors.Is(err, errEnough) {
				return
			}
			if err != nil {
				yield(nil, frame.AsUsage(err))
				return
			}
		}
	}
}

// A trusted is what a reader trusts besides what the trial's holder and the registrar logged:
// the reader's own documents, and organisations that the reader names.
type trusted struct {
	files frame.Words
	from  orgs
}

func (t *trusted) flags(fs *flag.FlagSet) {
	fs.Var(&t.files, "files", "`file` or folder with documents of the trial, which are read in place of their logged facts; what they "+
		"say decides, whoever logged them; may be repeated")
	fs.Var(&t.from, "from", "trust these `organisations` (ids, separated by commas) like the trial's holder about what a registry showed")
}

// orgs collects the organisations of a flag, sorted and without repetition.
type orgs []string

func (o *orgs) String() string { return strings.Join(*o, ",") }

func (o *orgs) Set(typed string) error {
	for _, org := range strings.Split(typed, ",") {
		if err := trial.CheckOrgID(org); err != nil {
			return err
		}
		*o = append(*o, org)
	}
	slices.Sort(*o)
	*o = slices.Compact(*o)
	return nil
}
