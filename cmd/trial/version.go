package main

import (
	"context"
	"fmt"

	"github.com/trialproof/trialproof/cmd/frame"
)

// version says what this program was built from.
func version(_ context.Context, e *env, args []string) error {
	rest, err := e.parse(e.flags(), args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("trial version takes no arguments")
	}
	fmt.Fprint(e.stdout, frame.Version("trial"))
	return nil
}
