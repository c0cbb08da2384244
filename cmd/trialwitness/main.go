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

const usage = `Trialwitness cosigns transparency log checkpoints (c2sp.org/tlog-witness).

	trialwitness keygen -name NAME [-replay] [-mldsa] -key FILE
	trialwitness serve -key FILE -dir DIR -listen ADDR -log VKEY[=URL]
	trialwitness serve -key FILE -dir DIR -bastion HOST:PORT -log VKEY[=URL]
	trialwitness forks -dir DIR
	trialwitness checkfork -log VKEY FILE
	trialwitness version

A first run:

	trialwitness keygen -name witness.example/w1 -key w1.key >w1.vkey
	trialwitness serve -key w1.key -dir w1 -listen :8090 -log "$(cat log.vkey)"

` + "`trialwitness COMMAND -h` explains a command.\n"

// Exit statuses.
const (
	ok       = 0
	failed   = 1
	misused  = 2
	unread   = 3
	program  = "trialwitness"
	seeUsage = "run `trialwitness -h` to see the commands"
)

func main() {
	signal.Ignore(syscall.SIGHUP) // a terminal that is closed ends nothing; files that change are read again without it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return misused
	}
	command, args := args[0], args[1:]
	switch command {
	case "keygen":
		return keygen(args, stdout, stderr)
	case "serve":
		return serve(ctx, args, stderr)
	case "forks":
		return forks(args, stdout, stderr)
	case "checkfork":
		return checkfork(args, stdin, stdout, stderr)
	case "version":
		if len(args) > 0 {
			return misuse(stderr, "version takes no arguments")
		}
		fmt.Fprint(stdout, frame.Version(program))
		return ok
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return ok
	}
	return misuse(stderr, "unknown command %q: %s", command, seeUsage)
}

func misuse(stderr io.Writer, format string, args ...any) int {
	fmt.Fprintf(stderr, program+": "+format+"\n", args...)
	return misused
}

func fail(stderr io.Writer, status int, err error) int {
	fmt.Fprintf(stderr, "%s: %v\n", program, err)
	return status
}

// parse parses a command's flags; done says that the command ends with status.
func parse(f *flag.FlagSet, args []string, stderr io.Writer, help string, operands int) (status int, done bool) {
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, help+"\n")
		f.PrintDefaults()
	}
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return ok, true
	case err != nil:
		return misused, true
	case f.NArg() != operands:
		return misuse(stderr, "%s takes %d operands, not %d: run `trialwitness %s -h`", f.Name(), operands, f.NArg(), f.Name()), true
	}
	return ok, false
}

func keygen(args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("keygen", flag.ContinueOnError)
	name := f.String("name", "", "the witness's `NAME`: a URL without its scheme, such as witness.example/w1")
	path := f.String("key", "", "`FILE` to write the key to; it must not exist")
	replay := f.Bool("replay", false, "make a key for a witness that replays entries; its name ends in /replay")
	mldsa := f.Bool("mldsa", false, "make an ML-DSA-44 key (type 0x06) instead of an Ed25519 key (type 0x04)")
	status, done := parse(f, args, stderr, `Makes a witness's key, and prints the vkey for those who are to trust it.

	trialwitness keygen -name witness.example/w1 -key w1.key
`, 0)
	if done {
		return status
	}
	if *name == "" || *path == "" {
		return misuse(stderr, "keygen needs -name and -key: for example -name witness.example/w1 -key w1.key")
	}
	alg := witness.Ed25519
	if *mldsa {
		alg = witness.MLDSA44
	}
	key, err := witness.NewKey(*name, alg)
	if err != nil {
		return fail(stderr, misused, err)
	}
	// A key's name tells verifiers whether its cosignature says that entries
	// were replayed, so neither is made by mistake.
	if *replay && !key.Replays() {
		return misuse(stderr, "the name of a replaying key ends in /replay: use -name %s/replay", strings.TrimSuffix(*name, "/"))
	}
	if !*replay && key.Replays() {
		return misuse(stderr, "a name that ends in /replay promises that entries are replayed: add -replay, or choose another name")
	}
	if err := key.Save(*path); err != nil {
		return fail(stderr, failed, err)
	}
	fmt.Fprintln(stdout, key.VKey())
	return ok
}

func forks(args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("forks", flag.ContinueOnError)
	dir := f.String("dir", "", "the witness's folder `DIR`; it may be in use")
	status, done := parse(f, args, stderr, `Prints the evidence kept of logs that signed two roots for one size, a line of
JSON each, as "trialwitness checkfork" and "trial evidence" take it. Exits 1 if
there is any.

	trialwitness forks -dir w1 >evidence
`, 0)
	if done {
		return status
	}
	if *dir == "" {
		return misuse(stderr, "forks needs -dir: the folder given to `trialwitness serve`")
	}
	lines, err := witness.Forks(*dir)
	if err != nil {
		return fail(stderr, unread, err)
	}
	for _, line := range lines {
		fmt.Fprintf(stdout, "%s\n", line)
	}
	if len(lines) > 0 {
		return failed
	}
	return ok
}

func checkfork(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("checkfork", flag.ContinueOnError)
	var vkeys []string
	f.Func("log", "the log's `VKEY`; repeat it for a log with several keys", func(s string) error {
		vkeys = append(vkeys, s)
		return nil
	})
	status, done := parse(f, args, stderr, `Checks each line of FILE (- for standard input), as printed by "trialwitness
forks", against the log's key and nothing else. Exits 0 if every line proves
that the log signed two roots for one size, 1 if not.

	trialwitness checkfork -log "$(cat log.vkey)" evidence
`, 1)
	if done {
		return status
	}
	if len(vkeys) == 0 {
		return misuse(stderr, "checkfork needs -log: the vkey of the log that the evidence is about")
	}
	data, err := readOperand(f.Arg(0), stdin)
	if err != nil {
		return fail(stderr, unread, err)
	}
	status = ok
	lines := 0
	for line := range bytes.Lines(data) {
		lines++
		if err := witness.CheckFork(vkeys, line); err != nil {
			fmt.Fprintf(stderr, "%s: line %d proves nothing: %v\n", program, lines, err)
			status = failed
			continue
		}
		fmt.Fprintf(stdout, "line %d: fork proven\n", lines)
	}
	if lines == 0 {
		return fail(stderr, failed, fmt.Errorf("%s is empty, and proves nothing", f.Arg(0)))
	}
	return status
}

func readOperand(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}
