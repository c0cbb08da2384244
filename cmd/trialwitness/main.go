// Trialwitness is the witness's program: a small daemon that cosigns the
// checkpoints of the logs it is told of, each only if the log has grown from
// the one before, and the tools to make its key and to read the evidence it
// keeps. What it does and refuses is package witness.
//
// Exit status: 0 done; 1 refused, failed, or a fork was found (by forks) or not
// proven (by checkfork); 2 wrong usage; 3 the folder or file to look at could
// not be read.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/witness"
)

var program = frame.Program{
	Name: "trialwitness",
	Does: `Trialwitness cosigns transparency log checkpoints (c2sp.org/tlog-witness). A first run:

	trialwitness keygen -name witness.example/w1 -key w1.key >w1.vkey
	trialwitness serve -key w1.key -dir w1 -listen :8090 -log "$(cat log.vkey)"
`,
	Commands: []frame.Command{
		{Name: "keygen", Does: "make a witness's key, and print the vkey for those who are to trust it",
			Args:    "-name NAME [-replay] [-mldsa] -key FILE",
			Example: "trialwitness keygen -name witness.example/w1 -key w1.key", Run: keygen},
		{Name: "serve", Does: "cosign checkpoints of the logs named, until it is interrupted",
			Args: "-key FILE -dir DIR [-listen ADDR] [-bastion HOST:PORT] -log VKEY[=URL]", Notes: serveNotes,
			Example: `trialwitness serve -key w1.key -dir w1 -listen :8090 -log "$(cat log.vkey)"`, Run: serve},
		{Name: "forks", Does: "print the evidence kept of logs that signed two roots for one size, and exit 1 if there is any",
			Args:    "-dir DIR",
			Notes:   "The evidence is a line of JSON each, as trialwitness checkfork and trial evidence take it.",
			Example: "trialwitness forks -dir w1 >evidence", Run: forks},
		{Name: "checkfork", Does: "check each line of evidence against the log's key and nothing else", Args: "-log VKEY FILE",
			Notes: "FILE is what trialwitness forks prints, - for standard input. Exits 0 if every line proves that the log\nsigned " +
				"two roots for one size, 1 if not.",
			Example: `trialwitness checkfork -log "$(cat log.vkey)" evidence`, Run: checkfork},
		frame.VersionCommand("trialwitness"),
	},
	Ends:   "Exit status: 0 done, 1 failed or a fork was found, 2 wrong usage, 3 could not be read.",
	Status: exitStatus,
}

// Exit statuses of errors that are none of usage.
const (
	failed = 1
	unread = 3
)

// An unreadError is of a file or folder that could not be looked at.
type unreadError struct{ error }

func exitStatus(err error) int {
	if _, ok := errors.AsType[unreadError](err); ok {
		return unread
	}
	return failed
}

func main() {
	signal.Ignore(syscall.SIGHUP) // a terminal that is closed ends nothing; files that change are read again without it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := program.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// parse parses a command's flags, behind which a number of operands stands.
func parse(e *frame.Env, f *flag.FlagSet, args []string, operands int) ([]string, error) {
	rest, err := e.Parse(f, args)
	if err == nil && len(rest) != operands {
		err = frame.Usagef("it takes %d operands, not %d", operands, len(rest))
	}
	return rest, err
}

func keygen(_ context.Context, e *frame.Env, args []string) error {
	f := e.Flags()
	name := f.String("name", "", "the witness's `NAME`: a URL without its scheme, such as witness.example/w1")
	path := f.String("key", "", "`FILE` to write the key to; it must not exist")
	replay := f.Bool("replay", false, "make a key for a witness that replays entries; its name ends in /replay")
	mldsa := f.Bool("mldsa", false, "make an ML-DSA-44 key (type 0x06) instead of an Ed25519 key (type 0x04)")
	if _, err := parse(e, f, args, 0); err != nil {
		return err
	}
	if *name == "" || *path == "" {
		return frame.Usagef("keygen needs -name and -key: for example -name witness.example/w1 -key w1.key")
	}
	alg := witness.Ed25519
	if *mldsa {
		alg = witness.MLDSA44
	}
	key, err := witness.NewKey(*name, alg)
	if err != nil {
		return frame.AsUsage(err)
	}
	// A key's name tells verifiers whether its cosignature says that entries
	// were replayed, so neither is made by mistake.
	if *replay && !key.Replays() {
		return frame.Usagef("the name of a replaying key ends in /replay: use -name %s/replay", strings.TrimSuffix(*name, "/"))
	}
	if !*replay && key.Replays() {
		return frame.Usagef("a name that ends in /replay promises that entries are replayed: add -replay, or choose another name")
	}
	if err := key.Save(*path); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.Stdout, key.VKey())
	return err
}

func forks(_ context.Context, e *frame.Env, args []string) error {
	f := e.Flags()
	dir := f.String("dir", "", "the witness's folder `DIR`; it may be in use")
	if _, err := parse(e, f, args, 0); err != nil {
		return err
	}
	if *dir == "" {
		return frame.Usagef("forks needs -dir: the folder given to `trialwitness serve`")
	}
	lines, err := witness.Forks(*dir)
	if err != nil {
		return unreadError{err}
	}
	for _, line := range lines {
		fmt.Fprintf(e.Stdout, "%s\n", line)
	}
	if len(lines) > 0 {
		return frame.Said(failed) // the evidence is there
	}
	return nil
}

func checkfork(_ context.Context, e *frame.Env, args []string) error {
	f := e.Flags()
	var vkeys frame.Words
	f.Var(&vkeys, "log", "the log's `VKEY`; repeat it for a log with several keys")
	rest, err := parse(e, f, args, 1)
	if err != nil {
		return err
	}
	if len(vkeys) == 0 {
		return frame.Usagef("checkfork needs -log: the vkey of the log that the evidence is about")
	}
	data, err := readOperand(rest[0], e.Stdin)
	if err != nil {
		return unreadError{err}
	}
	lines, proven := 0, 0
	for line := range bytes.Lines(data) {
		lines++
		if err := witness.CheckFork(vkeys, line); err != nil {
			fmt.Fprintf(e.Stderr, "trialwitness checkfork: line %d proves nothing: %v\n", lines, err)
			continue
		}
		proven++
		fmt.Fprintf(e.Stdout, "line %d: fork proven\n", lines)
	}
	if lines == 0 {
		return fmt.Errorf("%s is empty, and proves nothing", rest[0])
	}
	if proven < lines {
		return fmt.Errorf("of %d lines %d prove a fork", lines, proven)
	}
	return nil
}

func readOperand(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}
