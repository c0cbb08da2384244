package main

import (
	"context"
	"crypto/sha256"
	"flag"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

// logKey announces a key that signs the log's checkpoints, or that one does no
// longer.
func logKey(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var retire string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&retire, "retire", "", "say that the key with this `vkey` signs no longer")
	})
	if err != nil {
		return err
	}
	if len(rest) > 1 || (len(rest) == 1) == (retire != "") {
		return frame.Usagef("the log.next.pub file that triallog rotate makes, or -retire VKEY, must be given")
	}
	var o trial.Openings
	k := &trial.LogKey{Common: r.common("responsibility", &o), Action: "retire", VKey: retire}
	if retire == "" {
		text, err := readSmall(rest[0])
		if err != nil {
			return err
		}
		m := trial.Members(string(text))
		if m["log"] != r.log.Name() {
			return frame.Usagef("%s is for the log %q, the policy is of %q", rest[0], m["log"], r.log.Name())
		}
		k.Action, k.VKey, k.Proof = "add", m["vkey"], m["proof"]
	}
	return r.say(ctx, e, how, k, trial.NamedSubject("logkey", sha256.Sum256([]byte(k.VKey))), &o)
}
