// Trial is what sponsors, regulators and auditors type. It speaks HTTP to a log
// and needs neither a database nor gRPC.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
)

// Exit statuses of every command.
const (
	exitDone    = 0 // valid, or done
	exitInvalid = 1 // refused, or invalid
	exitUsage   = 2
	exitPending = 3 // could not be checked or finished
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal kills
		time.Sleep(5 * time.Second)
		os.Exit(exitPending) // whatever does not listen
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// env is what a command may touch besides files.
type env struct {
	*frame.Env
	stdinRead  bool   // as a document
	policyFrom string // how the policy came to be chosen
}

// command returns a command of this program.
func command(name, does, args, example string, run func(context.Context, *env, []string) error) frame.Command {
	return frame.Command{
		Name: name, Does: does, Args: args, Example: example,
		Run: func(ctx context.Context, e *frame.Env, args []string) error { return run(ctx, &env{Env: e}, args) },
	}
}

// noted adds paragraphs to what a command says of itself.
func noted(notes string, c frame.Command) frame.Command {
	c.Notes = notes
	return c
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &frame.Program{
		Name: "trial", Commands: commands, Status: exitStatus, Hint: hintFor,
		Ends: "Exit status: 0 valid or done, 1 refused or invalid, 2 wrong usage, 3 could not be checked or finished.",
	}
	return p.Run(ctx, args, stdin, stdout, stderr)
}

// exitStatus returns what an error means for the exit status.
func exitStatus(err error) int {
	if _, ok := errors.AsType[frame.UsageError](err); ok {
		return exitUsage
	}
	if isInvalid(err) {
		return exitInvalid
	}
	return exitPending
}

// errInvalid is wrapped by verdicts that are neither a refusal nor a problem of
// a receipt.
var errInvalid = dossier.ErrInvalid

// A negative is an answer of no, with the exit status of what is invalid and without
// that word: nothing was found to be false.
type negative struct{ error }

func (negative) Is(target error) bool { return target == errInvalid }
func (n negative) Unwrap() error      { return n.error }

// hintFor says what to type next.
func hintFor(err error) string {
	switch {
	case errors.Is(err, client.ErrPending):
		return "nothing is lost: the receipt is there once enough witnesses have cosigned"
	}
	if _, ok := errors.AsType[advised](err); ok {
		return ""
	}
	switch trial.RuleOf(err) {
	case trial.RuleNotEnrolled:
		return "send your .pub file to an administrator of your organisation, who runs trial enrol"
	case trial.RulePredecessor:
		return "name the receipt of the version in force with -previous RECEIPT"
	case trial.RuleUnknown:
		return "see what the log has with trial show URL/INDEX"
	}
	return ""
}
