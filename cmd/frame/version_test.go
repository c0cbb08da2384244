package frame

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	vcs := func(commit, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: modified}}
	}
	const linux, windows = "linux/amd64", "windows/amd64"
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		system   string
		want     string
		on       string
	}{
		{"", nil, linux, "version unreleased, commit unknown, go1.26.0", "not qualified here: this build is no release"},
		{"(devel)", vcs("abc", "false"), linux, "version unreleased, commit abc, go1.26.0", "not qualified here: this build is no release"},
		{"v0.9.0", vcs("abc", "false"), linux, "version v0.9.0, commit abc, go1.26.0", "linux/amd64: releases are tested on this system"},
		{"v0.0.0-20261127142839-47a741e09e15", vcs("abc", "false"), linux,
			"version v0.0.0-20261127142839-47a741e09e15, commit abc, go1.26.0",
			"not qualified here: this build is no release"},
		{"v0.9.0", vcs("abc", "true"), linux, "version v0.9.0, commit abc with changes, go1.26.0",
			"not qualified here: this build is no release"},
		{"v0.9.0", vcs("abc", "false"), windows, "version v0.9.0, commit abc, go1.26.0",
			"windows/amd64: not qualified here: releases are tested on linux/amd64 alone"},
	} {
		b := of(&debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: c.version}, Settings: c.settings})
		if b.String() != c.want || !strings.Contains(b.on(c.system), c.on) {
			t.Errorf("%s; %s", b, b.on(c.system))
		}
	}
	if got := Version("trial"); !strings.HasPrefix(got, "trial version ") || strings.Count(got, "\n") != 2 {
		t.Error(got)
	}
}
