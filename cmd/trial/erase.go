package main

import (
	"context"
	"flag"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// erase logs the claim that the organisation has erased the data of a consent.
func erase(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var of, ground, what string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&of, "of", "", "`handle` of the consent")
		fs.StringVar(&ground, "ground", "", "why: `one` of "+strings.Join(trial.ErasureGrounds, ", "))
		fs.StringVar(&what, "what", strings.Join(trial.ErasureParts, ","), "what was erased: `parts` with commas: the file, the key that "+
			"opens it, the openings (salts and terms)")
	})
	if err != nil {
		return err
	}
	if of == "" || ground == "" || len(rest) > 0 {
		return frame.Usagef("-of and -ground must be given")
	}
	var o trial.Openings
	p := &trial.Erasure{Common: r.common("responsibility", &o), Ground: ground, Org: r.key.Org, What: list(what)}
	if p.Of, err = r.statementOf(ctx, of); err != nil {
		return err
	}
	return r.say(ctx, e, how, p, trial.NamedSubject("consent", p.Of), &o)
}
