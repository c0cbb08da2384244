package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
)

const (
	keyHeader    = "trialproof signing key: keep it to yourself"
	enrolCommand = "trial enrol (or, for a new organisation, the registrar with trial org)"
)

// readKey reads a .key file, or any PEM file with a PKCS #8 key.
func readKey(name string) (*trial.KeyFile, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	k, err := trial.ParseKeyFile(data)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	return k, nil
}

// private warns of a key file that others than its owner can use, or refuses it if asked to.
func (e *env) private(name string, strict bool) error {
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	err = fmt.Errorf("%s has mode %04o: others than its owner can sign with it: chmod 600 %s", name, info.Mode().Perm(), name)
	if strict {
		return fmt.Errorf("%w key file: %w", errInvalid, err)
	}
	fmt.Fprintf(e.Stderr, "trial %s: warning: %v\n", e.Command(), err)
	return nil
}

// readRequest reads a .pub file.
func readRequest(name string) (trial.Request, error) {
	data, err := readSmall(name)
	if err != nil {
		return trial.Request{}, err
	}
	r, err := trial.ParseRequest(data)
	if err != nil {
		return trial.Request{}, frame.Usagef("%s: %w", name, err)
	}
	return r, nil
}

// writeNew writes a file that must not be there yet, whole or not at all.
func writeNew(name string, data []byte, perm os.FileMode) error {
	err := durable.Create(name, data, perm)
	if errors.Is(err, os.ErrExist) {
		return frame.Usagef("%s is there already and is not overwritten", name)
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return frame.AsUsage(err)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
