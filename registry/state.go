package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/trialproof/trialproof/durable"
)

// A State is where a follow stands. It is all that a follow needs to go on: a page token is
// good for one paging alone, and is not kept.
type State struct {
	Format   string `json:"format"`
	Registry string `json:"registry"` // such as ctgov
	API      string `json:"api"`
	Log      string `json:"log"`    // origin of the log that the records go to
	Org      string `json:"org"`    // that logs them
	Since    string `json:"since"`  // every record that was last updated before this day is taken
	Expect   int    `json:"expect"` // records updated since then that the registry had at least
	Data     string `json:"data"`   // time of the registry's data when all was taken; "" if that was never
	Sum      string `json:"sha256"` // of the state with an empty sum
}

const (
	stateFormat = "trialproof-follow-1"
	maxState    = 64 << 10
	stamp       = "2006-01-02T15:04:05"
)

// A StateError says why a follow cannot go on from a file.
type StateError struct{ error }

func (s *State) sum() string {
	c := *s
	c.Sum = ""
	data, _ := json.Marshal(c) // of texts and a number: never fails
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

// ReadState returns the state in a file. It is of the same registry, log and organisation as
// another, or the error is a *StateError. The error wraps fs.ErrNotExist if there is no file.
func ReadState(name string, like State) (*State, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	damaged := func(why string) (*State, error) {
		return nil, &StateError{fmt.Errorf("%s is damaged, or no state of a follow (%s): remove it and begin again with -since DAY. "+
			"Nothing is logged twice by that", name, why)}
	}
	if !info.Mode().IsRegular() || info.Size() > maxState {
		return damaged("it is no small file")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s := new(State)
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return damaged(notJSON(err).Error())
	}
	if s.Format != stateFormat || s.Sum != s.sum() {
		return damaged("its sum does not fit")
	}
	if err := s.check(); err != nil {
		return damaged(err.Error())
	}
	for _, m := range []struct{ what, has, want string }{
		{"registry", s.Registry, like.Registry}, {"API", s.API, like.API}, {"log", s.Log, like.Log}, {"organisation", s.Org, like.Org},
	} {
		if m.has != m.want {
			return nil, &StateError{fmt.Errorf("%s is of the %s %s, and this follow is of %s: give another file with -state", name, m.what, m.has,
				m.want)}
		}
	}
	return s, nil
}

func (s *State) check() error {
	if _, err := time.Parse(time.DateOnly, s.Since); err != nil {
		return errors.New("its day is none")
	}
	if _, err := time.Parse(stamp, s.Data); s.Data != "" && err != nil {
		return errors.New("its time is none")
	}
	if s.Expect < 0 {
		return errors.New("its count is below zero")
	}
	return nil
}

// Write writes the state to a file, durably, for its only writer.
func (s *State) Write(name string) error {
	s.Format = stateFormat
	s.Sum = s.sum()
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return durable.ReplaceAlone(name, append(data, '\n'), 0o666)
}

// Lock locks a state file against other follows until unlock is called or the process ends.
// The error is durable.ErrLocked if another has locked it.
func Lock(name string) (unlock func() error, err error) {
	f, err := os.OpenFile(name+".lock", os.O_RDWR|os.O_CREATE, fs.FileMode(0o666))
	if err != nil {
		return nil, err
	}
	if err := durable.TryLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
