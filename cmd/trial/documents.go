package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trialproof/trialproof/cmd/frame"
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
