package fetch

import (
	"net/url"
	"strings"
	"testing"
)

// TestDrive: a folder's URL on Windows names its drive.
func TestDrive(t *testing.T) {
	for _, c := range []struct{ goos, base, root, from string }{
		{"linux", "file:///backup/tiles", "/", "file:///backup/tiles"},
		{"linux", "file:///C:/tiles", "/", "file:///C:/tiles"},
		{"windows", "file:///C:/backup/my%20tiles/", "C:/", "file:///backup/my%20tiles"},
		{"windows", `file:///d:\backup\tiles`, "d:/", "file:///backup/tiles"},
		{"windows", "file:///C:", "C:/", "file:///"},
		{"windows", "file:///backup/tiles", "/", "file:///backup/tiles"},
	} {
		u, err := url.Parse(c.base)
		if err != nil {
			t.Fatal(err)
		}
		if root, from := local(c.goos, u, strings.TrimRight(c.base, "/")); root != c.root || from != c.from {
			t.Errorf("%s on %s: %s below %s", c.base, c.goos, from, root)
		}
	}
	for _, base := range []string{"file://C:/backup", "file:", "file://server/share", "C:\\backup"} {
		if _, err := New(base, Options{}); err == nil || !strings.Contains(err.Error(), "file:///C:/backup/tiles") {
			t.Errorf("%s: %v", base, err)
		}
	}
}
