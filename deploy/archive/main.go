// Archive packs the folders of a release, each into FOLDER.tar.gz, or FOLDER.zip for Windows,
// and writes SHA256SUMS over them:
//
//	archive OUT UNIXTIME FOLDER...
//
// The bytes depend on the names and the content of the files, on the time given, and on the
// Go release.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("a folder for the archives, a time in seconds and the folders to pack must be given")
	}
	seconds, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("the time: %w", err)
	}
	made := time.Unix(seconds, 0).UTC()
	var sums strings.Builder
	for _, dir := range args[2:] {
		name, sum, err := pack(args[0], dir, made)
		if err != nil {
			return fmt.Errorf("pack %s: %w", dir, err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, name)
	}
	return os.WriteFile(filepath.Join(args[0], "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// pack writes the archive of a folder, and returns its name and SHA-256.
func pack(out, dir string, made time.Time) (name string, sum []byte, err error) {
	base := filepath.Base(dir)
	windows := strings.Contains(base, "-windows-")
	if name = base + ".tar.gz"; windows {
		name = base + ".zip"
	}
	f, err := os.OpenFile(filepath.Join(out, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", nil, err
	}
	hash := sha256.New()
	w := io.MultiWriter(f, hash)
	if windows {
		err = zipped(w, dir, base, made)
	} else {
		err = tarred(w, dir, base, made)
	}
	return name, hash.Sum(nil), errors.Join(err, f.Close())
}

// files calls do with each file of a folder, in the order of the names. Those whose names begin
// with trial are programs.
func files(dir string, do func(name string, mode int64, data []byte) error) error {
	list, err := os.ReadDir(dir) // sorted
	if err != nil {
		return err
	}
	for _, f := range list {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if strings.HasPrefix(f.Name(), "trial") {
			mode = 0o755
		}
		if err := do(f.Name(), mode, data); err != nil {
			return err
		}
	}
	return nil
}

func tarred(w io.Writer, dir, base string, made time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	err = files(dir, func(name string, mode int64, data []byte) error {
		h := &tar.Header{Name: base + "/" + name, Mode: mode, Size: int64(len(data)), ModTime: made, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(data)
		return err
	})
	return errors.Join(err, t.Close(), z.Close())
}

func zipped(w io.Writer, dir, base string, made time.Time) error {
	z := zip.NewWriter(w)
	err := files(dir, func(name string, mode int64, data []byte) error {
		h := &zip.FileHeader{Name: base + "/" + name, Method: zip.Deflate, Modified: made}
		h.SetMode(os.FileMode(mode))
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	})
	return errors.Join(err, z.Close())
}
