package frame

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// A Program is one of the programs: its commands, and what their errors mean.
type Program struct {
	Name     string
	Does     string // what the program is for, and what follows its usage line; "" for nothing
	Commands []Command
	Ends     string // what the exit statuses mean, in a sentence
	// EmptyFlags says that flags may be given with nothing behind them. Else that is
	// refused: it is an unset variable in somebody's script, never meant.
	EmptyFlags bool
	// Status returns the exit status of an error that is none of how the command was
	// typed; nil stands for 1.
	Status func(error) int
	// Hint returns what to type after an error, "" for nothing; nil for none at all.
	Hint func(error) string
}

// A Command is one command of a program.
type Command struct {
	Name    string
	Does    string // in a few words
	Args    string // what stands behind the name
	Example string // one line, or several
	Notes   string // further paragraphs of its -h; "" for none
	Run     func(ctx context.Context, e *Env, args []string) error
}

// An Env is what a command may touch besides files and the network.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	program *Program
	command *Command
}

// A UsageError is an error of how a command was typed. Its exit status is 2.
type UsageError struct{ error }

func (e UsageError) Unwrap() error { return e.error }

// AsUsage returns err as an error of how the command was typed.
func AsUsage(err error) error { return UsageError{err} }

// Usagef is fmt.Errorf for errors of how the command was typed.
func Usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// ErrHelp says that a command was asked to explain itself, and has.
var ErrHelp = errors.New("help")

// Said is an exit status for which the command has said all there is to say.
type Said int

func (s Said) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// Misused is the exit status of wrong usage.
const Misused = 2

// Run runs the command that the arguments name and returns the exit status. It says what
// went wrong, once.
func (p *Program) Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		p.overview(stderr)
		return Misused
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		p.overview(stdout)
		return 0
	}
	for i := range p.Commands {
		c := &p.Commands[i]
		if c.Name != args[0] {
			continue
		}
		e := &Env{Stdin: stdin, Stdout: stdout, Stderr: stderr, program: p, command: c}
		return p.status(e, c.Run(ctx, e, args[1:]))
	}
	fmt.Fprintf(stderr, "%s: there is no command %q\n", p.Name, args[0])
	p.overview(stderr)
	return Misused
}

func (p *Program) overview(w io.Writer) {
	fmt.Fprintf(w, "usage: %s COMMAND [flags] ...\n", p.Name)
	if p.Does != "" {
		fmt.Fprintf(w, "\n%s\n", p.Does)
	}
	width := 0
	for _, c := range p.Commands {
		width = max(width, len(c.Name))
	}
	for _, c := range p.Commands {
		fmt.Fprintf(w, "  %-*s %s\n", width, c.Name, c.Does)
	}
	fmt.Fprintf(w, "%s COMMAND -h explains each. %s\n", p.Name, p.Ends)
}

func (p *Program) status(e *Env, err error) int {
	if err == nil || errors.Is(err, ErrHelp) {
		return 0
	}
	if s, ok := errors.AsType[Said](err); ok {
		return int(s)
	}
	fmt.Fprintf(e.Stderr, "%s %s: %s\n", p.Name, e.command.Name, Printable(err.Error()))
	if _, ok := errors.AsType[UsageError](err); ok {
		fmt.Fprintf(e.Stderr, "usage: %s %s\n", p.Name, strings.TrimSpace(e.command.Name+" "+e.command.Args))
		return Misused
	}
	if p.Hint != nil {
		if hint := p.Hint(err); hint != "" {
			fmt.Fprintf(e.Stderr, "%s %s: %s\n", p.Name, e.command.Name, hint)
		}
	}
	if p.Status == nil {
		return 1
	}
	return p.Status(err)
}

// Narrow makes what -h explains, and what wrong usage shows, that of one of the command's verbs.
func (e *Env) Narrow(does, args, example string) {
	c := *e.command
	c.Does, c.Args, c.Example = does, args, example
	e.command = &c
}

// Command returns the name of the command that runs, "" where none does.
func (e *Env) Command() string {
	if e.command == nil {
		return ""
	}
	return e.command.Name
}

// Flags returns an empty flag set for the command.
func (e *Env) Flags() *flag.FlagSet {
	fs := flag.NewFlagSet(e.Command(), flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// Parse parses arguments, where flags may stand between and behind others, and returns
// the others. On -h it explains the command, and returns ErrHelp.
func (e *Env) Parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			e.explain(fs)
			return nil, ErrHelp
		}
		if err != nil {
			return nil, UsageError{err}
		}
		fs.Visit(func(f *flag.Flag) {
			if f.Value.String() == "" && !e.program.EmptyFlags {
				err = Usagef("-%s is given with nothing behind it", f.Name)
			}
		})
		if err != nil {
			return nil, err
		}
		args = fs.Args()
		if len(args) == 0 {
			return rest, nil
		}
		if strings.HasPrefix(args[0], "-") && args[0] != "-" {
			return append(rest, args...), nil // after --
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// Words collect the values of a flag that may be given several times.
type Words []string

// String implements flag.Value.
func (w *Words) String() string { return strings.Join(*w, ",") }

// Set implements flag.Value.
func (w *Words) Set(s string) error {
	*w = append(*w, s)
	return nil
}

// explain prints what a command does and takes.
func (e *Env) explain(fs *flag.FlagSet) {
	name, c := e.program.Name, e.command
	fmt.Fprintf(e.Stdout, "%s %s: %s\n\nusage: %s\n", name, c.Name, c.Does, strings.TrimSpace(name+" "+c.Name+" "+c.Args))
	if c.Notes != "" {
		fmt.Fprintf(e.Stdout, "\n%s\n", strings.TrimSpace(c.Notes))
	}
	if c.Example != "" {
		fmt.Fprintf(e.Stdout, "\nexample:\n  %s\n", strings.ReplaceAll(c.Example, "\n", "\n  "))
	}
	any := false
	fs.VisitAll(func(*flag.Flag) { any = true })
	if any {
		fmt.Fprint(e.Stdout, "\nflags:\n")
		fs.SetOutput(e.Stdout)
		fs.PrintDefaults()
	}
}

// VersionCommand returns the command that says what a program was built from.
func VersionCommand(program string) Command {
	return Command{
		Name: "version", Does: "say what this program was built from, and on which systems it was tested", Example: program + " version",
		Run: func(_ context.Context, e *Env, args []string) error {
			rest, err := e.Parse(e.Flags(), args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return Usagef("version takes no arguments")
			}
			_, err = fmt.Fprint(e.Stdout, Version(program))
			return err
		},
	}
}
