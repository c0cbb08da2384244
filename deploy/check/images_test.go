package check

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestImages makes the images where docker, podman or buildah works, and runs each program in
// its own image, as its user. It always checks that the programs need nothing of a system.
func TestImages(t *testing.T) {
	dir := t.TempDir()
	for _, program := range []string{"trial", "triallog", "trialwitness"} {
		cmd := exec.Command("go", "build", "-o", dir, "./cmd/"+program)
		cmd.Dir, cmd.Env = filepath.Join(deploy, ".."), append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		f, err := elf.Open(filepath.Join(dir, program))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s is not static", program)
			}
		}
		f.Close()
		text := read(t, "container/"+program+".Containerfile")
		for _, want := range []string{"\nFROM scratch\n", "\nUSER 65532:65532\n", "\nCOPY " + program + " /" + program + "\n",
			`ENTRYPOINT ["/` + program + `"]`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s.Containerfile has no %q", program, want)
			}
		}
	}

	// buildah gets a store of its own, so that nothing is left on this machine.
	conf := filepath.Join(dir, "storage.conf")
	text := fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", filepath.Join(dir, "root"), filepath.Join(dir, "run"))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "BUILDAH_ISOLATION=chroot", "CONTAINERS_STORAGE_CONF="+conf)
	build := func(args ...string) (said string, status int) {
		t.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	said, status := build("sh", filepath.Join(deploy, "container", "build.sh"), "checked")
	if status == 3 {
		t.Skip("none of docker, podman and buildah works here: no image is made")
	}
	if status != 0 {
		t.Fatalf("build.sh: status %d: %s", status, said)
	}
	builder := said[strings.LastIndex(strings.TrimSpace(said), " ")+1:]
	builder = strings.TrimSpace(builder)
	for _, program := range []string{"trial", "triallog", "trialwitness"} {
		image := "trialproof/" + program + ":checked"
		if builder != "buildah" {
			said, status := build(builder, "run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", image, "version")
			if status != 0 || !strings.Contains(said, program) {
				t.Errorf("%s in its image: status %d: %s", program, status, said)
			}
			continue
		}
		container, status := build("buildah", "from", "--pull-never", image)
		if status != 0 {
			t.Fatalf("buildah from: %s", container)
		}
		container = strings.TrimSpace(container)
		root, status := build("buildah", "mount", container)
		if root = strings.TrimSpace(root); status != 0 {
			t.Fatalf("buildah mount: %s", root)
		}
		want := []string{"etc/ssl/certs/ca-certificates.crt", program}
		var files []string
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(root, name)
				files = append(files, rel)
			}
			return err
		})
		if err != nil || !slices.Equal(files, want) {
			t.Errorf("the image of %s has the files %v, want %v: %v", program, files, want, err)
		}
		said, status := build("chroot", "--userspec=65532:65532", root, "/"+program, "version")
		if status != 0 || !strings.Contains(said, program) {
			t.Errorf("%s in its image: status %d: %s", program, status, said)
		}
		user, _ := build("buildah", "inspect", "--format", "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}", container)
		if want := "65532:65532 [/" + program + "]"; strings.TrimSpace(user) != want {
			t.Errorf("the image of %s runs as %s, want %s", program, user, want)
		}
		for _, name := range []string{"tmp", "var/lib/" + program} {
			info, err := os.Stat(filepath.Join(root, name))
			if name != "var/lib/trial" && (err != nil || info.Sys().(*syscall.Stat_t).Uid != 65532) {
				t.Errorf("the user of the image of %s does not own /%s: %v", program, name, err)
			}
		}
		if said, status := build("buildah", "rm", container); status != 0 {
			t.Errorf("buildah rm: %s", said)
		}
	}
}
