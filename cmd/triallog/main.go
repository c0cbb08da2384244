// Triallog is what the operator of a log types. It is the one place where the
// log's parts are wired together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/trialproof/trialproof/cmd/frame"
)

func main() {
	if os.Getenv(demoWitness) != "" {
		os.Exit(runWitness())
	}
	signal.Ignore(syscall.SIGHUP) // a terminal that is closed ends nothing; files that change are read again without it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

type command struct {
	name, does, args, example string
	run                       func(ctx context.Context, e *env, args []string) error
}

var commands []command

func init() {
	commands = []command{
		{"demo", "tell the whole story on this machine: a log, three witnesses, a trial, receipts, and what an alteration looks like",
			"[-once] [-dir DIR]", "triallog demo", demo},
		{"init", "make a new log", "-dir DIR -origin NAME -registrar REG.pub [-mysql DSN]",
			"triallog init -dir log -origin log.example/trials -registrar registrar.pub", initLog},
		{"serve", "run the log", "-dir DIR [-listen ADDR] [-grpc ADDR] [-mysql DSN] [-unwitnessed]",
			"triallog serve -dir log", serve},
		{"fsck", "check that database, tiles, checkpoints and state agree, and put back what is damaged", "-dir DIR [-mysql DSN] [-repair [-from URL]]",
			"triallog fsck -dir log", fsck},
		{"restore", "make a lost database again from the log's tiles", "-from URL -dir DIR [-mysql DSN] [-unwitnessed]",
			"triallog restore -from https://mirror.example/log -dir log", restore},
		{"rotate", "change the log's key, or make a new operator's", "-dir DIR [-finish | -origin NAME]",
			"triallog rotate -dir log", rotate},
		{"version", "say what this program was built from, and on which systems it was tested", "", "triallog version", version},
	}
}

// env is what a command may touch besides files and the network.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	name           string
}

var errHelp = errors.New("help")

// usageError is an error of how the command was typed.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run returns 0 if all is well, 1 if something is not, 2 for wrong usage.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" || args[0] == "help" {
		overview(stderr)
		if len(args) == 0 {
			return 2
		}
		return 0
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, &env{stdin, stdout, stderr, c.name}, args[1:])
		switch {
		case err == nil, errors.Is(err, errHelp):
			return 0
		}
		fmt.Fprintf(stderr, "triallog %s: %v\n", c.name, err)
		if _, ok := errors.AsType[usageError](err); ok {
			fmt.Fprintf(stderr, "usage: triallog %s %s\n", c.name, c.args)
			return 2
		}
		return 1
	}
	fmt.Fprintf(stderr, "triallog: there is no command %q\n", args[0])
	overview(stderr)
	return 2
}

func overview(w io.Writer) {
	fmt.Fprintln(w, "usage: triallog COMMAND [flags]")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-7s %s\n", c.name, c.does)
	}
	fmt.Fprintln(w, "triallog COMMAND -h explains each.")
}

func (e *env) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("triallog "+e.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse parses the arguments, of which only flags are taken.
func (e *env) parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		for _, c := range commands {
			if c.name == e.name {
				fmt.Fprintf(e.stderr, "triallog %s: %s\n\nusage: triallog %s %s\n\nexample:\n  %s\n\nflags:\n", c.name, c.does, c.name, c.args, c.example)
			}
		}
		fs.SetOutput(e.stderr)
		fs.PrintDefaults()
		return errHelp
	}
	if err != nil {
		return usageError{err}
	}
	if fs.NArg() > 0 {
		return usagef("%q is no flag", fs.Arg(0))
	}
	return connectionString(fs)
}

func version(_ context.Context, e *env, args []string) error {
	if err := e.parse(e.flags(), args); err != nil {
		return err
	}
	fmt.Fprint(e.stdout, frame.Version("triallog"))
	return nil
}
