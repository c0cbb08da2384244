package main

import (
	"errors"
	"os"
	"sync"
)

// An appendFile is a file that is only added to. What several goroutines add at the same time is
// written and made durable together.
type appendFile struct {
	file   *os.File
	before func() error // called before each writing, if it is set; it may replace the file

	mu      sync.Mutex // guards the fields below
	data    []byte
	spare   []byte // memory for data
	waiting []chan error
	writing bool
	err     error // of writing: the file may end with a part of what was added, and takes nothing more
}

// add appends data and returns once it is durable. If it fails, it is not known what of the data
// is there.
func (a *appendFile) add(data []byte) error {
	a.mu.Lock()
	if a.err != nil {
		a.mu.Unlock()
		return a.err
	}
	done := make(chan error, 1)
	a.data, a.waiting = append(a.data, data...), append(a.waiting, done)
	if !a.writing {
		a.writing = true
		go a.write()
	}
	a.mu.Unlock()
	return <-done
}

func (a *appendFile) write() {
	for {
		a.mu.Lock()
		data, waiting := a.data, a.waiting
		a.data, a.spare, a.waiting = a.spare, nil, nil
		if len(waiting) == 0 {
			a.data, a.writing = data, false
			a.mu.Unlock()
			return
		}
		err := a.err
		a.mu.Unlock()
		if err == nil && a.before != nil {
			err = a.before()
		}
		if err == nil {
			_, err = a.file.Write(data)
			err = errors.Join(err, a.file.Sync())
		}
		a.mu.Lock()
		a.err, a.spare = err, data[:0]
		a.mu.Unlock()
		for _, done := range waiting {
			done <- err
		}
	}
}
