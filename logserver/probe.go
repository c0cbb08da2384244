package logserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/trialproof/trialproof/trial/checkpoint"
)

// A probe asks the database for what it must have, so that the log knows whether it is ready
// while nobody submits.
type probe struct {
	asking turn // held while asking; guards the fields below
	asked  time.Time
	err    error
}

const (
	probeEvery = time.Second
	probeWait  = 2 * time.Second
)

func (p *probe) ask(l *Log) error {
	p.asking.take()
	defer p.asking.end()
	if time.Since(p.asked) < probeEvery {
		return p.err
	}
	ctx, cancel := context.WithTimeout(l.work, probeWait)
	defer cancel()
	size := l.signedSize()
	signed, _, err := l.journal.Newest(ctx)
	if err == nil && signed == nil {
		err = errors.New("it no longer has a log")
	}
	if err == nil {
		var cp *checkpoint.Checkpoint
		if cp, err = l.cfg.Policy.Open(signed); err == nil && cp.Size < size {
			err = fmt.Errorf("its newest checkpoint is of size %d, though %d was stored", cp.Size, size)
		}
	}
	if p.err = err; err != nil {
		p.err = fmt.Errorf("the database: %w", err)
	}
	p.asked = time.Now()
	return p.err
}

// files are watched for changes that no program makes to a database in use. A database that was
// cut short continues from memory for a while, and loses what it stores.
type files struct {
	mu   sync.Mutex // guards list
	list []watched
}

type watched struct {
	name string
	info os.FileInfo // as it was when it was largest
}

func (f *files) watch(names []string) error {
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		f.list = append(f.list, watched{name, info})
	}
	return nil
}

// check says which file was cut short, removed or replaced.
func (f *files) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.list {
		w := &f.list[i]
		info, err := os.Stat(w.name)
		const what = "while the log ran: stop the log, and make its database again by triallog restore"
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%s was removed %s", w.name, what)
		case err != nil:
			return err
		case !os.SameFile(info, w.info):
			return fmt.Errorf("%s was replaced by another file %s", w.name, what)
		case info.Size() < w.info.Size():
			return fmt.Errorf("%s was cut short from %d to %d bytes %s", w.name, w.info.Size(), info.Size(), what)
		}
		w.info = info
	}
	return nil
}
