package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"strconv"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// rules announces another rule set.
func rules(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	p := new(trial.Rules)
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.IntVar(&p.Set, "set", 0, "`number` of the rule set")
		fs.Uint64Var(&p.From, "from", 0, "`index` of the first entry that it judges")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 || p.Set == 0 || p.From == 0 {
		return frame.Usagef("-set and -from must be given")
	}
	var o trial.Openings
	p.Common = r.common("responsibility", &o)
	return r.say(ctx, e, how, p, trial.NamedSubject("rules", sha256.Sum256([]byte(strconv.Itoa(p.Set)))), &o)
}
