// Package frame has what the three programs share. It knows nothing of what they do.
package frame

import (
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// qualified lists the systems that releases are tested on: the whole test suite and the
// test vectors. For others the programs are built and not tested.
var qualified = []string{"linux/amd64"}

// A build is what a program was made from.
type build struct {
	version, commit, compiler string
	release                   bool // of a version, and of nothing but its commit
}

func (b build) String() string {
	return fmt.Sprintf("version %s, commit %s, %s", b.version, b.commit, b.compiler)
}

// untagged matches the versions that Go gives to commits without a tag.
var untagged = regexp.MustCompile(`\d{14}-[0-9a-f]{12}(\+|$)`)

func of(info *debug.BuildInfo) build {
	b := build{version: info.Main.Version, commit: "unknown", compiler: info.GoVersion, release: true}
	if b.version == "" || b.version == "(devel)" {
		b.version, b.release = "unreleased", false
	}
	if untagged.MatchString(b.version) {
		b.release = false
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed, b.release = " with changes", false
		}
	}
	b.commit += changed
	return b
}

func running() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return of(info)
}

// Build names the version, the commit and the Go release that this program was made from.
func Build() string { return running().String() }

// Version returns what the command version of a program prints: what it was made from,
// the system, and whether releases are tested on that system.
func Version(program string) string {
	b := running()
	return fmt.Sprintf("%s %s\n%s\n", program, b, b.on(runtime.GOOS+"/"+runtime.GOARCH))
}

func (b build) on(system string) string {
	tested := strings.Join(qualified, ", ")
	switch {
	case !b.release:
		return fmt.Sprintf("%s: not qualified here: this build is no release; releases are tested on %s", system, tested)
	case !slices.Contains(qualified, system):
		return fmt.Sprintf("%s: not qualified here: releases are tested on %s alone", system, tested)
	}
	return system + ": releases are tested on this system"
}
