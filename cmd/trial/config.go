package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
)

// A configuration is what a user has set for every use of trial, in a file of their own:
// lines such as "policy: /home/ada/policy". Other users of the machine and whoever hands
// over evidence have no part in it.
type configuration struct {
	file  string // empty: this user has no folder for configuration
	paths map[string]string
}

// The defaults that a user can set, by the flag that they are for.
var configurable = []struct{ flag, variable, is string }{
	{"policy", policyVariable, "the policy file that verdicts are under"},
	{"key", keyVariable, "the signing key file"},
}

const byteOrderMark = "\ufeff"

// parseConfiguration parses the file that trial config set writes, which people also edit:
// line ends of Windows, empty lines and lines that begin with # are allowed.
func parseConfiguration(text string) (map[string]string, error) {
	paths := map[string]string{}
	for i, line := range strings.Split(strings.TrimPrefix(text, byteOrderMark), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, path, _ := strings.Cut(line, ":")
		path = strings.TrimSpace(path)
		switch {
		case !isConfigurable(name):
			return nil, fmt.Errorf("line %d is not `policy: PATH` or `key: PATH`", i+1)
		case paths[name] != "":
			return nil, fmt.Errorf("line %d sets %s a second time", i+1, name)
		case !filepath.IsAbs(path):
			return nil, fmt.Errorf("line %d: %q must be a whole path, from the root, or it would name another file in another folder",
				i+1, path)
		}
		paths[name] = path
	}
	return paths, nil
}

func isConfigurable(name string) bool {
	for _, c := range configurable {
		if c.flag == name {
			return true
		}
	}
	return false
}

// configured reads the user's configuration. There need be none.
func configured() (*configuration, error) {
	dir, err := os.UserConfigDir()
	if err != nil || !filepath.IsAbs(dir) {
		return &configuration{}, nil // such as a service's user has none
	}
	c := &configuration{file: filepath.Join(dir, "trialproof", "config")}
	if _, err := os.Stat(c.file); errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	data, err := readSmall(c.file)
	if err != nil {
		return nil, err
	}
	if c.paths, err = parseConfiguration(string(data)); err != nil {
		return nil, frame.Usagef("your configuration %s: %w", c.file, err)
	}
	return c, nil
}

// write replaces the file, which its owner alone can use.
func (c *configuration) write() error {
	var b strings.Builder
	for _, x := range configurable {
		if path := c.paths[x.flag]; path != "" {
			fmt.Fprintf(&b, "%s: %s\n", x.flag, path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(c.file), 0o700); err != nil {
		return frame.AsUsage(err)
	}
	return durable.Replace(c.file, []byte(b.String()), 0o600)
}

// configCommand shows what -policy and -key default to, or sets it.
func configCommand(ctx context.Context, e *env, args []string) error {
	rest, err := e.Parse(e.Flags(), args)
	if err != nil {
		return err
	}
	c, err := configured()
	if err != nil {
		return err
	}
	switch {
	case len(rest) == 0:
		return c.show(e)
	case len(rest) == 3 && rest[0] == "set" && isConfigurable(rest[1]):
		return c.set(e, rest[1], rest[2])
	case len(rest) == 2 && rest[0] == "unset" && isConfigurable(rest[1]):
		return c.set(e, rest[1], "")
	}
	return frame.Usagef("set policy PATH, set key PATH, unset policy, unset key, or nothing must be given")
}

func (c *configuration) show(e *env) error {
	file := c.file
	if file == "" {
		file = "none: this user has no folder for configuration"
	}
	fmt.Fprintf(e.Stdout, "configuration: %s\n", frame.Printable(file))
	for _, x := range configurable {
		path, from := chosen("", x.flag, x.variable, c)
		if path == "" {
			fmt.Fprintf(e.Stdout, "-%s: no default (set it with trial config set %s PATH or with %s)\n", x.flag, x.flag, x.variable)
			continue
		}
		fmt.Fprintf(e.Stdout, "-%s: %s, %s\n", x.flag, frame.Printable(path), from)
		if set := c.paths[x.flag]; set != "" && from != fromConfiguration {
			fmt.Fprintf(e.Stdout, "  %s is set in the configuration and does not count while %s is set\n", frame.Printable(set), x.variable)
		}
	}
	return nil
}

// set sets a path, or none. What the path names must be what the flag takes.
func (c *configuration) set(e *env, flag, path string) error {
	if c.file == "" {
		return frame.Usagef("this user has no folder for configuration: set %s or %s instead", policyVariable, keyVariable)
	}
	if path == "" {
		delete(c.paths, flag)
		return c.write()
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return frame.AsUsage(err)
	}
	if strings.ContainsAny(path, "\r\n") || strings.TrimSpace(path) != path {
		return frame.Usagef("%q has a line end or a space at its end: give the file another name", path)
	}
	said := ""
	if flag == "policy" {
		p, err := readPolicy(path)
		if err != nil {
			return err
		}
		said = "SHA-256 " + p.Digest() + "; verdicts are under this policy where no other is given"
	} else {
		k, err := readKey(path)
		if err != nil {
			return err
		}
		said = "key " + k.Public.ID().String() + "; trial asks on the terminal before it signs with this key"
		if err := e.private(path, false); err != nil {
			return err
		}
	}
	if c.paths == nil {
		c.paths = map[string]string{}
	}
	c.paths[flag] = path
	if err := c.write(); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s is set in %s: %s, %s\n", flag, frame.Printable(c.file), frame.Printable(path), said)
	return nil
}
