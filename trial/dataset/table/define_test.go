package table_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/dataset/table"
)

// TestDefineFiles reads every shared define.xml.
func TestDefineFiles(t *testing.T) {
	for _, pattern := range []string{"define-xml/*.xml", "dataset-json/*/define.xml"} {
		for _, path := range glob(t, pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := table.ParseDefine(bytes.NewReader(data))
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			n, pre := 0, 0
			for _, ds := range d.Datasets {
				n += len(ds.Variables)
				for _, v := range ds.Variables {
					pre += len(v.Predecessors())
				}
			}
			t.Logf("%s: %s %s %s, %d datasets %d vars %d pre notes %d %q", filepath.Base(filepath.Dir(path))+filepath.Base(path), d.Version, d.Standard, d.Study, len(d.Datasets), n, pre, len(d.Notes), d.Notes[:min(len(d.Notes), 5)])
			for _, ds := range d.Datasets[:3] {
				t.Logf("  %+v", *ds)
				t.Logf("  %s keys %s", ds.Name, strings.Join(ds.Keys(), " "))
			}
			t.Logf("%+v", d.Treatments())
			t.Logf("%+v", *d.Datasets[0].Variables[6])
		}
	}
}
