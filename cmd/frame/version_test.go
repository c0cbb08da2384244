package frame

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	for _, c := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{GoVersion: "go1.26.0"}, "version unreleased, commit unknown, go1.26.0"},
		{debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v0.9.0"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}},
			"version v0.9.0, commit abc, go1.26.0"},
		{debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}},
			"version unreleased, commit abc with changes, go1.26.0"},
	} {
		if got := describe(&c.info); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestSystem(t *testing.T) {
	if got := system("linux/amd64"); strings.Contains(got, "not qualified") {
		t.Error(got)
	}
	if got := system("windows/amd64"); !strings.Contains(got, "windows/amd64: not qualified here") || !strings.Contains(got, "linux/amd64") {
		t.Error(got)
	}
	if got := Version("trial"); !strings.HasPrefix(got, "trial version ") || strings.Count(got, "\n") != 2 {
		t.Error(got)
	}
}
