package frame

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	errGone := errors.New("it is gone\x1b[2J")
	p := &Program{
		Name: "tool", Does: "Tools.", Ends: "Ends so.",
		Status: func(error) int { return 3 },
		Hint:   func(err error) string { return "look again" },
		Commands: []Command{
			{Name: "copy", Does: "copy files", Args: "[-to DIR] FILE...", Example: "tool copy -to d a", Notes: "It is careful.",
				Run: func(_ context.Context, e *Env, args []string) error {
					fs := e.Flags()
					to := fs.String("to", "here", "the `DIR`")
					var tags Words
					fs.Var(&tags, "tag", "a `TAG`")
					rest, err := e.Parse(fs, args)
					if err == nil {
						fmt.Fprintf(e.Stdout, "%s %s %q", *to, rest, tags)
					}
					return err
				}},
			{Name: "fail", Run: func(context.Context, *Env, []string) error { return errGone }},
			{Name: "quiet", Run: func(context.Context, *Env, []string) error { return Said(7) }},
			VersionCommand("tool"),
		},
	}
	for _, c := range []struct {
		args        string
		status      int
		out, errOut string // what they have in them; "" is nothing at all
	}{
		{"", 2, "", "usage: tool COMMAND"},
		{"-h", 0, "Ends so.", ""},
		{"nonsense", 2, "", `tool: there is no command "nonsense"`},
		{"copy -to d a -tag x b -tag y", 0, `d [a b] ["x" "y"]`, ""},
		{"copy a -- -to d", 0, `here [a -to d] []`, ""},
		{"copy - a", 0, `here [- a] []`, ""},
		{"copy -to= a", 2, "", "-to is given with nothing behind it\nusage: tool copy [-to DIR] FILE..."},
		{"copy -nonsense", 2, "", "not defined: -nonsense"},
		{"copy -h", 0, "usage: tool copy [-to DIR] FILE...\n\nIt is careful.\n\nexample:\n  tool copy -to d a\n\nflags:\n", ""},
		{"fail", 3, "", "tool fail: it is gone\\x1b[2J\ntool fail: look again\n"},
		{"quiet", 7, "", ""},
		{"version", 0, "tool version ", ""},
		{"version x", 2, "", "takes no arguments"},
	} {
		var out, errOut bytes.Buffer
		status := p.Run(t.Context(), strings.Fields(c.args), nil, &out, &errOut)
		has := func(got, want string) bool { return (got == "") == (want == "") && strings.Contains(got, want) }
		if status != c.status || !has(out.String(), c.out) || !has(errOut.String(), c.errOut) {
			t.Errorf("%q: status %d, %q, %q", c.args, status, &out, &errOut)
		}
	}
	p.EmptyFlags = true
	if status := p.Run(t.Context(), []string{"copy", "-to="}, nil, new(bytes.Buffer), new(bytes.Buffer)); status != 0 {
		t.Error("an empty flag is refused where it may be")
	}
}
