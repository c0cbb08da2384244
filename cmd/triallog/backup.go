package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/tile"
)

// backupName is the file, in the log's folder and in the backup, that says when a backup last
// finished: TIME ORIGIN size N root HEX.
const backupName = "last-backup"

// backup copies what a log has published into another folder. It reads nothing that is secret:
// of the log's folder it opens the files in backedUp and no other, and the rest it reads as
// anyone does, from the log's address.
func backup(ctx context.Context, e *frame.Env, args []string) (err error) {
	var f folder
	fs := e.Flags()
	fs.StringVar(&f.dir, "dir", "", "`folder` of the log, or one with its "+policyName+" alone; "+backupName+" is written to it")
	to := fs.String("to", "", "`folder` of the backup, on another disk; it is made, or brought up to date")
	from := fs.String("from", "", "`URL` of the log or of a mirror; default: the one in the policy's log line")
	every := fs.Duration("every", 0, "go on, and bring the backup up to date after each such `time`, such as 1m, until stopped")
	if err := parse(e, fs, args); err != nil {
		return err
	}
	if f.dir == "" || *to == "" {
		return frame.Usagef("-dir and -to must be given")
	}
	if *every < 0 {
		return frame.Usagef("-every is a time such as 1m")
	}
	if err := f.apart(*to); err != nil {
		return err
	}
	policy, source, err := f.published(*from)
	if err != nil {
		return err
	}
	lock, err := sqlite.LockDir(*to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	b, err := logserver.OpenBackup(ctx, policy, *to)
	if err != nil {
		return err
	}
	for {
		err := f.backUp(ctx, e, b, source, *to)
		if *every == 0 {
			return err
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(e.Stderr, "triallog backup: %v; it is tried again in %v\n", err, *every)
		}
		select {
		case <-time.After(*every):
		case <-ctx.Done():
			return nil
		}
	}
}

// apart refuses a backup within the log's folder: it would be lost with it.
func (f *folder) apart(to string) error {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return err
	}
	abs, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(dir, abs); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return frame.Usagef("-to %s is in the log's folder, and would be lost with it: name a folder on another disk", to)
	}
	return nil
}

// published returns the folder's policy and where the log is read.
func (f *folder) published(from string) (*checkpoint.Policy, tile.Source, error) {
	text, err := os.ReadFile(f.path(policyName))
	if err != nil {
		return nil, nil, frame.AsUsage(err)
	}
	policy, err := checkpoint.ParsePolicy(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.path(policyName), err)
	}
	for _, l := range policy.Logs {
		if from == "" {
			from = l.URL
		}
	}
	if from == "" {
		return nil, nil, frame.Usagef("%s has no URL in its log line: add it, or name one with -from", f.path(policyName))
	}
	source, err := mirrorAt(from)
	return policy, source, err
}

// backedUp are the files of the log's folder that belong in a backup. A key never does.
var backedUp = []string{policyName, vkeyName, repairsName}

// backUp brings a backup up to date once.
func (f *folder) backUp(ctx context.Context, e *frame.Env, b *logserver.Backup, source tile.Source, to string) error {
	before := b.Size()
	tree, err := b.Update(ctx, source)
	if err != nil {
		return err
	}
	for _, name := range backedUp {
		data, err := readOptional(f.path(name))
		if err == nil && data != nil {
			err = durable.ReplaceAlone(filepath.Join(to, name), data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	line := fmt.Sprintf("%s size %d root %x\n", tree.Origin, tree.Size, tree.Root)
	done := []byte(time.Now().UTC().Format(time.RFC3339) + " " + line)
	for _, name := range []string{filepath.Join(to, backupName), f.path(backupName)} {
		if err := durable.ReplaceAlone(name, done, 0o644); err != nil {
			return fmt.Errorf("the backup is complete, but that could not be noted: %w", err)
		}
	}
	if added := tree.Size - before; added > 0 || before == 0 {
		fmt.Fprintf(e.Stderr, "backed up %d more entries\n", added)
	}
	_, err = fmt.Fprint(e.Stdout, line)
	return err
}

// lastBackup returns the time that a file of that name says, or the zero time.
func lastBackup(name string) time.Time {
	data, _ := os.ReadFile(name)
	first, _, _ := strings.Cut(string(data), " ")
	t, _ := time.Parse(time.RFC3339, first) // the zero time, if there is none
	return t
}
