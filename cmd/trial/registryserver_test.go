package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/trialproof/trialproof/trial/study"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A registryServer answers as ClinicalTrials.gov's API does. Its tokens are places in the list,
// so that whatever moves while pages are read moves others over their edges.
type registryServer struct {
	t    *testing.T
	url  string
	most int // records on a page

	mu      sync.Mutex // guards what follows
	data    string     // time of the data
	records map[string]string
	days    map[string][2]string                                            // records as they were last looked at, with their days
	asked   int                                                             // requests for pages
	before  func(w http.ResponseWriter, r *http.Request, n int) (done bool) // answers the nth instead
}

func newRegistryServer(t *testing.T, records map[string]string) *registryServer {
	s := &registryServer{t: t, most: 40, data: "2026-08-12T09:00:05", records: records}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.url = server.URL + "/api/v2"
	return s
}

// realRegistry serves the real records of the API's version 2, the last of each number.
func realRegistry(t *testing.T) *registryServer {
	t.Helper()
	files, err := filepath.Glob("../../../shared/data/ctgov-v2/[cs][ot]*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		trialtest.Skip(t, "the real input files are not here")
	}
	records := map[string]string{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		err = study.Split(f, func(_ int, record []byte) error {
			if n, day := aboutRecordOf(record); n != "" && day != "" {
				records[n] = strings.TrimSpace(string(record))
			}
			return nil
		})
		f.Close()
		if err != nil && err != study.ErrMorePages {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if len(records) < 100 {
		t.Fatalf("only %d records", len(records))
	}
	return newRegistryServer(t, records)
}

// generatedRegistry serves generated records.
func generatedRegistry(t *testing.T, n int) *registryServer {
	records := map[string]string{}
	for i := range n {
		var b bytes.Buffer
		if err := json.Compact(&b, generated(i)); err != nil {
			t.Fatal(err)
		}
		records[fmt.Sprintf("NCT%08d", 10_000_000+i)] = dailyCopy(b.String(), "2026-08-12")
	}
	return newRegistryServer(t, records)
}

// aboutRecordOf returns a record's number and day of update.
func aboutRecordOf(record []byte) (number, day string) {
	var r struct {
		ProtocolSection struct {
			IdentificationModule struct{ NCTID string }
			StatusModule         struct{ LastUpdatePostDateStruct struct{ Date string } }
		}
	}
	if json.Unmarshal(record, &r) != nil {
		return "", ""
	}
	return r.ProtocolSection.IdentificationModule.NCTID, r.ProtocolSection.StatusModule.LastUpdatePostDateStruct.Date
}

var (
	holder  = regexp.MustCompile(`("versionHolder": ?)"[^"]*"`)
	updated = regexp.MustCompile(`("lastUpdatePostDateStruct": ?\{\s*"date": ?)"[^"]*"`)
	titled  = regexp.MustCompile(`("briefTitle": ?)"`)
)

// dailyCopy returns a record as the registry shows it on a day.
func dailyCopy(record, day string) string {
	if !holder.MatchString(record) {
		return strings.TrimSuffix(strings.TrimSpace(record), "}") + `,"derivedSection":{"miscInfoModule":{"versionHolder":"` + day + `"}}}`
	}
	return holder.ReplaceAllString(record, `${1}"`+day+`"`)
}

// update has a record say something else from a day on.
func (s *registryServer) update(number, day string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updateLocked(number, day)
}

// updateLocked is update for a function before, which is called while the server answers.
func (s *registryServer) updateLocked(number, day string) {
	r := updated.ReplaceAllString(s.records[number], `${1}"`+day+`"`)
	s.records[number] = titled.ReplaceAllString(r, `${1}"Amended: `)
}

// next begins the registry's next day: every record says that it is of that day.
func (s *registryServer) next(day string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = day + "T09:00:05"
	for n, r := range s.records {
		s.records[n] = dailyCopy(r, day)
	}
}

// numbers returns the numbers of its records in their order.
func (s *registryServer) numbers() []string { return sortedKeys(s.records) }

var ranged = regexp.MustCompile(`^AREA\[LastUpdatePostDate\]RANGE\[([0-9-]{10}),([0-9-]{10}|MAX)\]$`)

func (s *registryServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(r.UserAgent(), "Trialproof") {
		s.t.Errorf("the program says that it is %q", r.UserAgent())
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/api/v2/version" {
		fmt.Fprintf(w, `{"apiVersion":"2.0.5","dataTimestamp":%q}`, s.data)
		return
	}
	s.asked++
	if s.before != nil && s.before(w, r, s.asked) {
		return
	}
	q := r.URL.Query()
	days := ranged.FindStringSubmatch(q.Get("filter.advanced"))
	size, err := strconv.Atoi(q.Get("pageSize"))
	if days == nil || err != nil || r.URL.Path != "/api/v2/studies" || q.Get("sort") != "LastUpdatePostDate:asc" {
		s.t.Errorf("asked for %s", r.URL)
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	defer z.Close()
	fmt.Fprint(z, s.page(days[1], days[2], q.Get("pageToken"), min(size, s.most), q.Get("countTotal") == "true"))
}

// page returns an answer.
func (s *registryServer) page(from, to, token string, size int, count bool) string {
	type place struct{ day, number string }
	var list []place
	if s.days == nil {
		s.days = map[string][2]string{}
	}
	for n, r := range s.records {
		if s.days[n][0] != r {
			_, day := aboutRecordOf([]byte(r))
			s.days[n] = [2]string{r, day}
		}
		if day := s.days[n][1]; day >= from && (to == "MAX" || day <= to) {
			list = append(list, place{day, n})
		}
	}
	slices.SortFunc(list, func(x, y place) int {
		return cmp.Or(strings.Compare(x.day, y.day), strings.Compare(x.number, y.number))
	})
	at, _ := strconv.Atoi(strings.TrimPrefix(token, "at-"))
	var b strings.Builder
	b.WriteString("{")
	if count {
		fmt.Fprintf(&b, `"totalCount":%d,`, len(list))
	}
	b.WriteString(`"studies":[`)
	for i, p := range list[min(at, len(list)):min(at+size, len(list))] {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString(s.records[p.number])
	}
	b.WriteString("]")
	if at+size < len(list) {
		fmt.Fprintf(&b, `,"nextPageToken":"at-%d"`, at+size)
	}
	b.WriteString("}")
	return b.String()
}
