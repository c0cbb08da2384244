package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose loads compose.yaml as docker compose does, with its library.
func compose(t *testing.T) *types.Project {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(deploy, "compose"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: dir, Environment: types.Mapping{"ORIGIN": "log.example/trials", "LOG_VKEY": "x.example+00000000+AAAA"},
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml"), Content: []byte(read(t, "compose/compose.yaml"))}},
	}, func(o *loader.Options) { o.Profiles = []string{"*"} })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCompose: the file is what docker compose reads, its commands are ours, its containers can
// do little, and a backup has no secret.
func TestCompose(t *testing.T) {
	p := compose(t)
	replicas := 0
	for name, s := range p.Services {
		program, ours := strings.CutPrefix(s.Image, "trialproof/")
		program, _, _ = strings.Cut(program, ":")
		for _, v := range s.Volumes {
			if v.Type == "bind" && v.ReadOnly && !strings.HasSuffix(v.Source, "registrar.pub") {
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if v.Type == "volume" {
				if _, ok := p.Volumes[v.Source]; !ok {
					t.Errorf("%s: there is no volume %s", name, v.Source)
				}
			}
		}
		for _, secret := range s.Secrets {
			if _, ok := p.Secrets[secret.Source]; !ok {
				t.Errorf("%s: there is no secret %s", name, secret.Source)
			}
		}
		if !ours {
			continue
		}
		commandLine(t, "compose "+name, program, s.Command)
		if s.User != "65532:65532" || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s may do more than it needs", name)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to all", name, port.Published)
			}
		}
		keys := slices.ContainsFunc(s.Secrets, func(x types.ServiceSecretConfig) bool { return x.Source == "log_key" })
		serves := program == "triallog" && s.Command[0] == "serve"
		if serves != keys {
			t.Errorf("%s: it serves: %v, and it has the log's key: %v", name, serves, keys)
		}
		if !serves {
			continue
		}
		replicas++
		if want := fmt.Sprintf("http://%s:8080", name); !slices.Contains(s.Command, want) || !slices.Contains(s.Command, "-replica") {
			t.Errorf("%s does not say where it is: %v", name, s.Command)
		}
		if len(s.Volumes) != 1 || s.Volumes[0].Source != name || s.Volumes[0].Target != "/var/lib/triallog" {
			t.Errorf("%s has no folder of its own: %+v", name, s.Volumes)
		}
		for _, x := range s.Secrets {
			if x.Source == "owner_dsn" || x.Source == "mariadb_root" {
				t.Errorf("%s has %s", name, x.Source)
			}
		}
	}
	if replicas < 2 {
		t.Errorf("%d servers", replicas)
	}
	b := p.Services["backup"]
	for _, x := range b.Secrets {
		if x.Source != "policy" && x.Source != "log_vkey" {
			t.Errorf("the backup has %s", x.Source)
		}
	}
	// The metric of its age is read from the folder of the server that it shares.
	if len(b.Volumes) == 0 || b.Volumes[0].Source != "triallog-1" {
		t.Errorf("the backup shares no server's folder: %+v", b.Volumes)
	}
}

// TestSecrets: the script makes what compose.yaml names, and writes over nothing.
func TestSecrets(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the script gives files to the containers' user, which only root can")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secrets.sh"), []byte(read(t, "compose/secrets.sh")), 0o755); err != nil {
		t.Fatal(err)
	}
	if said, err := run(t, dir, "sh", "secrets.sh"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	seen := map[string]bool{}
	for _, s := range compose(t).Secrets {
		rel, err := filepath.Rel(filepath.Join(deploy, "compose"), s.File)
		if abs, aerr := filepath.Abs(filepath.Join(deploy, "compose")); filepath.IsAbs(s.File) && aerr == nil {
			rel, err = filepath.Rel(abs, s.File)
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(rel, "made") {
			continue // triallog init makes it
		}
		data, err := os.ReadFile(filepath.Join(dir, rel))
		if err != nil || len(data) < 48 || seen[string(data)] {
			t.Errorf("%s: %q, %v", rel, data, err)
		}
		seen[string(data)] = true
		if info, err := os.Stat(filepath.Join(dir, rel)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", rel, info.Mode(), err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d secrets", len(seen))
	}
	if said, err := run(t, dir, "sh", "secrets.sh"); err == nil || !strings.Contains(said, "is there already") {
		t.Errorf("a second time: %v: %s", err, said)
	}
}
