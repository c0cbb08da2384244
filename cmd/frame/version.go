// Package frame has what the three programs share. It knows nothing of what they do.
package frame

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// qualified lists the systems on which the test suite and the test vectors of this version
// were run. On others the programs are built and not tested.
var qualified = []string{"linux/amd64"}

// Build names the version, the commit and the Go release that a program was built from.
func Build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "version unknown"
	}
	return describe(info)
}

func describe(info *debug.BuildInfo) string {
	version, commit := info.Main.Version, "unknown"
	if version == "" || version == "(devel)" {
		version = "unreleased"
	}
	modified := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " with changes"
		}
	}
	return fmt.Sprintf("version %s, commit %s%s, %s", version, commit, modified, info.GoVersion)
}

// Version returns what the command version of a program prints: what it was built from,
// the system, and whether this version was tested on that system.
func Version(program string) string {
	return program + " " + Build() + "\n" + system(runtime.GOOS+"/"+runtime.GOARCH) + "\n"
}

func system(name string) string {
	if slices.Contains(qualified, name) {
		return name + ": the tests and test vectors of this version were run on this system"
	}
	return fmt.Sprintf("%s: not qualified here: the tests and test vectors of this version were run on %s alone", name, strings.Join(qualified, ", "))
}
