// Outcomes measures trial/outcome on outcomes that people have paired:
//
//	go run ./deploy/outcomes [-json] DIR
//
// Each *.json of DIR is one trial: the primary outcomes of its registration, those of its
// article, which of them people consider the same, and whether they see a switch. The threshold
// is judged by leaving one trial out: it is chosen on the pairs of all others and applied to
// those of the one.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("outcomes", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false, "print JSON")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: outcomes [-json] DIR")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return 2
	}
	trials, err := readTrials(flags.Arg(0))
	if err != nil {
		fmt.Fprintln(stderr, "outcomes:", err)
		return 1
	}
	report := measure(trials)
	if *asJSON {
		out := json.NewEncoder(stdout)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		err = out.Encode(report)
	} else {
		err = report.print(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "outcomes: write the report:", err)
		return 1
	}
	return 0
}
