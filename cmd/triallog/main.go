// Triallog is what the operator of a log types. It is the one place where the
// log's parts are wired together.
package main

import (
	"context"
	"flag"
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

var program = frame.Program{Name: "triallog", EmptyFlags: true, Ends: "Exit status: 0 done, 1 not done or damaged, 2 wrong usage."}

func init() {
	program.Commands = []frame.Command{
		{Name: "demo", Does: "tell the whole story on this machine: a log, three witnesses, a trial, receipts, and what an alteration " +
			"looks like",
			Args: "[-once] [-dir DIR]", Example: "triallog demo", Run: demo},
		{Name: "quickstart", Does: "make a log with three witnesses, a policy and a registrar's key on this machine to try out, and " +
			"serve until Ctrl-C",
			Args: "-dir DIR [-listen ADDR]", Example: "triallog quickstart -dir try", Run: quickstart},
		{Name: "init", Does: "make a new log",
			Args: "-dir DIR -origin NAME -registrar REG.pub [-mysql DSN]", Example: "triallog init -dir log -origin log.example/trials " +
				"-registrar registrar.pub", Run: initLog},
		{Name: "serve", Does: "run the log",
			Args: "-dir DIR [-listen ADDR] [-grpc ADDR] [-mysql DSN] [-unwitnessed]", Example: "triallog serve -dir log", Run: serve},
		{Name: "fsck", Does: "check that database, tiles, checkpoints and state agree, and put back what is damaged",
			Args: "-dir DIR [-mysql DSN] [-repair [-from URL]]", Example: "triallog fsck -dir log", Run: fsck},
		{Name: "backup", Does: "copy what the log has published, and no key, to another folder",
			Args: "-dir DIR -to BACKUP [-from URL] [-every TIME]", Example: "triallog backup -dir log -to /mnt/backup/log", Run: backup},
		{Name: "restore", Does: "make a lost database again from the log's tiles",
			Args: "-from URL -dir DIR [-mysql DSN] [-unwitnessed]", Example: "triallog restore -from https://mirror.example/log -dir " +
				"log", Run: restore},
		{Name: "upgrade", Does: "bring the tables of an earlier release up to this one, with an account that may make tables",
			Args: "-dir DIR [-mysql DSN]", Example: "triallog upgrade -dir log -mysql-file owner.dsn", Run: upgrade},
		{Name: "rotate", Does: "change the log's key, or make a new operator's",
			Args: "-dir DIR [-finish | -origin NAME]", Example: "triallog rotate -dir log", Run: rotate},
		frame.VersionCommand("triallog"),
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return program.Run(ctx, args, stdin, stdout, stderr)
}

// parse parses the arguments, of which only flags are taken.
func parse(e *frame.Env, fs *flag.FlagSet, args []string) error {
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return frame.Usagef("%q is no flag", rest[0])
	}
	return connectionString(fs)
}
