package frame

import (
	"runtime"
	"strings"
)

// Quoted quotes a file's name or a URL for a command that is suggested, where the shells of
// this system need that. A name that begins like a flag is written so that it is none.
func Quoted(name string) string { return quotedOn(runtime.GOOS, name) }

func quotedOn(goos, name string) string {
	if goos == "windows" {
		return quotedOnWindows(name)
	}
	if strings.HasPrefix(name, "-") {
		name = "./" + name
	}
	if isPlain(name, "._-/+,:@%") {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// quotedOnWindows quotes for cmd and for PowerShell alike. Both take double quotes, which no
// name has in it. What PowerShell would act on within them ($ and `) it leaves alone within
// single quotes, which cmd does not know: such names can be pasted into PowerShell alone.
func quotedOnWindows(name string) string {
	if strings.HasPrefix(name, "-") {
		name = `.\` + name
	}
	switch {
	case isPlain(name, `._-/+:\`):
		return name
	case strings.ContainsAny(name, "$`\""):
		return "'" + strings.ReplaceAll(name, "'", "''") + "'"
	}
	end := len(name) - len(strings.TrimRight(name, `\`)) // or the last backslash would quote the quote
	return `"` + name + strings.Repeat(`\`, end) + `"`
}

// isPlain reports whether a name is of letters and digits of ASCII and of others that a shell
// leaves as they are.
func isPlain(name, others string) bool {
	special := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(others, r)
	}
	return name != "" && strings.IndexFunc(name, special) < 0
}
