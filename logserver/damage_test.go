package logserver_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/tile"
)

// damaged is a sound log of some 600 entries, whose files a test damages.
type damaged struct {
	*fixture
	saved string
	size  uint64
	root  [32]byte
	ids   map[uint64]trial.Hash
}

func newDamaged(t *testing.T) *damaged {
	f := newFixture(t)
	f.create()
	l, stop := f.open()
	waitReady(t, l)
	id := f.enrol(l)
	f.grow(l, id, 600)
	d := &damaged{fixture: f, size: l.Size(), ids: map[uint64]trial.Hash{}}
	signed, err := l.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	cp, err := f.parsePolicy().Open(signed)
	if err != nil {
		t.Fatal(err)
	}
	d.root = cp.Root
	for i := range d.size {
		raw, err := l.Entry(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := trial.ParseEntry(raw); err == nil && e.Statement != nil {
			d.ids[i] = e.Statement.ID
		}
	}
	stop()
	return d
}

// with calls f with the stored tiles of a log that is not open.
func (d *damaged) with(f func(logserver.TileStore)) {
	d.t.Helper()
	cfg, closeAll, err := d.backends(d.t.Context(), false)
	if err != nil {
		d.t.Fatal(err)
	}
	defer closeAll()
	f(cfg.Tiles)
}

// sweep asks a running log for everything and returns the errors. Its answers must be correct.
func (d *damaged) sweep(l *logserver.Log) (said string) {
	t := d.t
	t.Helper()
	ctx := t.Context()
	note := func(err error) {
		if errors.Is(err, logserver.ErrNotFound) {
			t.Errorf("what was lost is said not to be there: %v", err)
		}
		said += err.Error() + "\n"
	}
	for i := range d.size {
		raw, err := l.Entry(ctx, i)
		if err != nil {
			note(err)
			continue
		}
		signed, path, err := l.Inclusion(ctx, i)
		if err != nil {
			note(err)
			continue
		}
		cp, err := d.parsePolicy().Open(signed)
		if err != nil {
			t.Fatal(err)
		}
		if err := cp.CheckInclusion(i, tlog.RecordHash(raw), path); err != nil {
			t.Fatalf("the log answers with a proof of entry %d that does not verify: %v", i, err)
		}
		if id := d.ids[i]; i%50 == 3 && !id.IsZero() {
			r, err := l.Receipt(ctx, id)
			if err != nil {
				note(err)
			} else if _, err := receipt.Verify(d.parsePolicy(), r); err != nil {
				t.Fatalf("the log answers with a receipt that does not verify: %v", err)
			}
		}
	}
	for _, path := range tilesOf(d.size) {
		n := 0
		if i := strings.Index(path, ".p/"); i >= 0 {
			fmt.Sscan(path[i+3:], &n)
		}
		data, err := l.Tile(ctx, path)
		if err != nil {
			note(err)
			continue
		}
		full, _, _ := strings.Cut(path, ".p/")
		want, err := os.ReadFile(d.saved + "/tiles/" + full)
		if d.mysql == "" && (err != nil || !bytes.HasPrefix(want, data)) {
			t.Fatalf("the log serves %s with other bytes than it signed (%v)", path, err)
		}
	}
	return said
}

func tilesOf(size uint64) []string {
	return []string{
		"tile/0/000", "tile/0/001", "tile/0/000.p/200", fmt.Sprintf("tile/0/002.p/%d", size-512), fmt.Sprintf("tile/0/002.p/%d",
			size-520), "tile/1/000.p/1", "tile/1/000.p/2",
		"tile/entries/000", "tile/entries/001", "tile/entries/001.p/7", fmt.Sprintf("tile/entries/002.p/%d", size-512),
	}
}

// TestFlippedBit flips bits of each sort of stored file, cuts it short and removes it, while
// the log runs and while it is stopped. No answer is wrong, the file is named, and only bytes
// that hash to the signed root repair it.
func TestFlippedBit(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	d := newDamaged(t)
	d.saved = t.TempDir()
	if d.mysql == "" {
		copyLog(t, d.saved, d.dir)
	}
	for _, path := range []string{
		"tile/0/000", "tile/0/001", // full
		"tile/0/002", // the edge
		"tile/1/000", // above them, an edge too
		"tile/entries/000", "tile/entries/001", "tile/entries/002",
	} {
		for _, how := range []string{"first bit", "middle bit", "last bit", "cut short", "missing"} {
			if how == "missing" && d.mysql != "" {
				continue // no row of a tile is lost alone
			}
			t.Run(path+" "+how, func(t *testing.T) {
				old := d.t
				d.t, d.fixture.t = t, t
				defer func() { d.t, d.fixture.t = old, old }()
				var good []byte
				d.with(func(s logserver.TileStore) {
					var err error
					if good, err = s.Get(t.Context(), path); err != nil {
						t.Fatal(err)
					}
				})
				damage := func() {
					bad := bytes.Clone(good)
					switch how {
					case "first bit":
						bad[0] ^= 0x80
					case "middle bit":
						bad[len(bad)/2] ^= 0x10
					case "last bit":
						bad[len(bad)-1] ^= 1
					case "cut short":
						bad = bad[:len(bad)-1]
					}
					d.with(func(s logserver.TileStore) {
						err := s.Replace(t.Context(), path, bad)
						if how == "missing" {
							err = os.Remove(d.path("tiles/" + path))
						}
						if err != nil {
							t.Fatal(err)
						}
					})
				}
				defer d.with(func(s logserver.TileStore) {
					if err := s.Replace(context.Background(), path, good); err != nil {
						t.Error(err)
					}
				})

				// While it runs.
				l, stop := d.open()
				waitReady(t, l)
				damage()
				said := d.sweep(l)
				inMemory := path == "tile/0/002" || path == "tile/1/000" || path == "tile/0/000" // edges, and what the start read
				if !inMemory && !strings.Contains(said, path+" is damaged") {
					t.Fatalf("running, it names nothing: %.300s", said)
				}
				if said != "" {
					if got := l.Damaged(); len(got) != 1 || got[0].Path != path || !strings.Contains(strings.Join(l.Warnings(), "\n"),
						path) {
						t.Fatalf("damaged: %v, %v", got, l.Warnings())
					}
				}
				if strings.Contains(strings.ReplaceAll(said, path+" is damaged", ""), " is damaged") {
					t.Fatalf("it blames another file: %.500s", said)
				}
				stop()

				// When it starts.
				l, stop, err := d.tryOpen()
				if err == nil {
					waitReady(t, l)
					said = d.sweep(l)
					stop()
				} else {
					said = err.Error()
				}
				if !strings.Contains(said, path+" is damaged") || strings.Contains(said, logserver.ErrRolledBack.Error()) {
					t.Fatalf("at the start it says: %.500s", said)
				}

				// fsck.
				if problems := d.check(); !strings.HasPrefix(problems, path+" is damaged: ") || strings.Count(problems, "\n") != 1 {
					t.Fatalf("fsck says:\n%s", problems)
				}
				var mends []logserver.Mend
				if problems := d.repair(nil, func(m logserver.Mend) error {
					mends = append(mends,
						m)
					return errors.New("not now")
				}); !strings.Contains(problems, "not now") {
					t.Fatalf("nothing may be written, and fsck says:\n%s", problems)
				}
				if problems := d.repair(nil, func(m logserver.Mend) error { mends = append(mends, m); return nil }); problems != "" {
					t.Fatalf("after the repair:\n%s", problems)
				}
				if len(mends) != 2 || mends[1].Path != path || !bytes.HasPrefix(good, mends[1].After) || mends[1].Tree.Root != d.root {
					t.Fatalf("it was repaired with %+v", mends)
				}
				if (mends[1].Before == nil) != (how == "missing") {
					t.Fatalf("what was there before: %d bytes", len(mends[1].Before))
				}
				if problems := d.check(); problems != "" {
					t.Fatalf("repaired, and fsck says:\n%s", problems)
				}
				l, stop = d.open()
				defer stop()
				waitReady(t, l)
				if said := d.sweep(l); said != "" || len(l.Damaged()) > 0 {
					t.Fatalf("repaired, and the log says: %.500s", said)
				}
			})
		}
	}
}

// repair checks, and calls mend with each damaged file.
func (f *fixture) repair(mirror tile.Source, mend func(logserver.Mend) error) (problems string) {
	f.t.Helper()
	cfg, closeAll, err := f.backends(f.t.Context(), false)
	if err != nil {
		f.t.Fatal(err)
	}
	defer closeAll()
	err = logserver.Check(f.t.Context(), cfg, logserver.Checking{Found: func(p string) { problems += p + "\n" }, Mirror: mirror,
		Repair: mend})
	if err != nil {
		f.t.Fatal(err)
	}
	return problems
}

// A lyingMirror has the tiles of a folder, with a flipped bit in each if it lies.
type lyingMirror struct {
	dir  string
	lies bool
}

func (m lyingMirror) Checkpoint(ctx context.Context) ([]byte, error) {
	return nil, errors.New("unused")
}

func (m lyingMirror) Tile(ctx context.Context, path string) ([]byte, error) {
	full, _, _ := strings.Cut(path, ".p/")
	data, err := os.ReadFile(m.dir + "/tiles/" + full)
	if m.lies && err == nil {
		data[100] ^= 1
	}
	return data, err
}

// TestRepairFromMirror: an entry was altered in the bundle and in the database, and its hash in
// the tile. Only a mirror has the entry, and only a mirror that does not lie repairs it.
func TestRepairFromMirror(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	d := newDamaged(t)
	if d.mysql != "" {
		t.Skip("the alterations are of SQLite's files")
	}
	d.saved = t.TempDir()
	copyLog(t, d.saved, d.dir)
	for _, path := range []string{"tile/entries/001", "tile/0/001"} {
		name := d.path("tiles/" + path)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data[100] ^= 1
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	alterLeaf(t, d.path("tree.db"), 256)
	none := func(m logserver.Mend) error { t.Errorf("put back: %s from %s", m.Path, m.Source); return nil }
	if problems := d.repair(nil, none); !strings.Contains(problems, "-from URL") {
		t.Fatalf("without a mirror:\n%s", problems)
	}
	if problems := d.repair(lyingMirror{d.saved, true}, none); !strings.Contains(problems, "-from URL") {
		t.Fatalf("by a mirror that lies:\n%s", problems)
	}
	var paths []string
	problems := d.repair(lyingMirror{d.saved, false}, func(m logserver.Mend) error {
		paths = append(paths,
			m.Path+" from "+m.Source)
		return nil
	})
	if want := "[tile/0/001 from the mirror tile/entries/001 from the mirror]"; fmt.Sprint(paths) != want {
		t.Fatalf("put back %v, want %s", paths, want)
	}
	if !strings.Contains(problems, "entry 256: the database holds other bytes") {
		t.Fatalf("the database cannot be repaired, and fsck says:\n%s", problems)
	}
	for _, path := range []string{"tile/entries/001", "tile/0/001"} {
		a, _ := os.ReadFile(d.path("tiles/" + path))
		b, _ := os.ReadFile(d.saved + "/tiles/" + path)
		if sha256.Sum256(a) != sha256.Sum256(b) {
			t.Errorf("%s is not what it was", path)
		}
	}
}
