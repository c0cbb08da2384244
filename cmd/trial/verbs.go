package main

import (
	"context"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
)

// A verb is the word behind a command's name, such as add in trial recipient add.
type verb struct {
	name string
	run  func(ctx context.Context, e *env, args []string) error
}

// runVerb runs the verb that the first argument names.
func runVerb(ctx context.Context, e *env, args []string, verbs ...verb) error {
	var names []string
	for _, v := range verbs {
		if len(args) > 0 && args[0] == v.name {
			return v.run(ctx, e, args[1:])
		}
		names = append(names, v.name)
	}
	fs := e.Flags()
	if _, err := e.Parse(fs, args); err != nil {
		return err
	}
	last := len(names) - 1
	return frame.Usagef("%s or %s must be given", strings.Join(names[:last], ", "), names[last])
}
