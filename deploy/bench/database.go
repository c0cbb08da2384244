package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
)

// A database is a MariaDB in a folder, with the settings that it has by itself: each commit is
// on disk when it returns.
type database struct {
	*process
	dir string
}

func (d *database) dsn(name string) string {
	return "root@unix(" + filepath.Join(d.dir, "s") + ")/" + name
}

func (b *bench) startDatabase(ctx context.Context, dir string) (*database, error) {
	if _, err := exec.LookPath("mariadbd"); err != nil {
		if _, err := os.Stat("/usr/sbin/mariadbd"); err != nil {
			return nil, fmt.Errorf("no MariaDB: install mariadb-server")
		}
		os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	}
	who := "root"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	// A database that starts removes the temporary tables of all others in the same folder.
	if _, err := b.runWith(ctx, dir, []string{"TMPDIR=" + dir}, "mariadb-install-db", "--no-defaults", "--user="+who, "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db"); err != nil {
		return nil, err
	}
	p, err := b.start("mariadb", dir, "mariadbd", "--no-defaults", "--user="+who, "--datadir="+filepath.Join(dir, "data"),
		"--socket="+filepath.Join(dir, "s"), "--pid-file="+filepath.Join(dir, "pid"), "--tmpdir="+dir, "--skip-networking", "--max-connections=1000")
	if err != nil {
		return nil, err
	}
	d := &database{p, dir}
	if err := p.await(ctx, func() bool { _, err := d.run(ctx, b, "", "SELECT 1"); return err == nil }); err != nil {
		return nil, err
	}
	_, err = d.run(ctx, b, "", "CREATE DATABASE trialproof; CREATE DATABASE trillian")
	return d, err
}

// run runs statements by MariaDB's own client.
func (d *database) run(ctx context.Context, b *bench, name, statements string) (string, error) {
	return b.run(ctx, d.dir, "mariadb", "--no-defaults", "--user=root", "--socket="+filepath.Join(d.dir, "s"), "--execute="+statements, name)
}
