package study

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// This file searches the published facts of real records for the names in them. The search
// shares nothing with the code that withholds names: it reads the files as trees, and compares
// names in its own way.

// namesIn returns the names of people in the members or elements of a record that are meant for
// them.
func namesIn(t *testing.T, record []byte) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	add := func(name string) {
		name = strings.Join(strings.Fields(name), " ")
		if name != "" && !strings.HasPrefix(name, "[") {
			found[name] = true
		}
	}
	if bytes.HasPrefix(bytes.TrimSpace(record), []byte("<")) {
		d := xml.NewDecoder(bytes.NewReader(record))
		var path []string
		for {
			tok, err := d.Token()
			if err != nil {
				return found
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				path = append(path, tok.Name.Local)
			case xml.EndElement:
				path = path[:len(path)-1]
			case xml.CharData:
				if n := len(path); n > 0 && slices.Contains([]string{"last_name", "investigator_full_name", "surname"}, path[n-1]) {
					add(string(tok))
				}
			}
		}
	}
	var tree any
	if err := json.Unmarshal(record, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case map[string]any:
			for k, e := range x {
				name, isText := e.(string)
				switch {
				case isText && slices.Contains([]string{"investigatorFullName", "ResponsiblePartyInvestigatorFullName",
					"CentralContactName", "OverallOfficialName", "LocationContactName", "familyName"}, k):
					add(name)
				case slices.Contains([]string{"overallOfficials", "centralContacts", "contacts"}, k):
					if list, ok := e.([]any); ok {
						for _, c := range list {
							if m, ok := c.(map[string]any); ok {
								if name, ok := m["name"].(string); ok {
									add(name)
								}
							}
						}
					}
				}
				walk(e)
			}
		}
	}
	walk(tree)
	return found
}

var latin = strings.NewReplacer("ß", "ss", "ø", "oe", "Ø", "Oe", "ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "ł",
	"l", "Ł", "L", "æ", "ae", "å", "aa", "đ", "d", "ı", "i")

// spellings returns a text in lower case, with its accents dropped and written out.
func spellings(s string) [2]string {
	drop := func(s string) string {
		return strings.ToLower(strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFKD.String(s)))
	}
	return [2]string{drop(strings.NewReplacer("ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "æ", "ae", "đ", "d", "ı",
		"i").Replace(s)), drop(latin.Replace(s))}
}

// lastName returns the last name in a name as registries write them, or "" for a desk or a name
// of under four letters.
func lastName(name string) string {
	name, _, _ = strings.Cut(name, ",")
	name = regexp.MustCompile(`\(.*?\)|\b(MD|PhD|Dr|Prof|M\.D\.?|Ph\.?D\.?|MSc|Professor|RN|MPH|MBBS|PharmD)\b\.?`).ReplaceAllString(name,
		" ")
	words := strings.Fields(name)
	if len(words) < 2 || len(words) > 5 ||
		regexp.MustCompile(`(?i)\b(trials?|call|center|centre|study|clinical|director|contact|office|pharma\w*|inc|department|site|sponsor|manager|coordinator|company|group|gmbh|ltd|hospital|university|medical|research|information|disclosure|transparency|registry|desk|team|patient|investigator|care|services|recruitment|oncology|institute|associate|lecturer|nordisk|monitor|email|toll|number)\b`).MatchString(name) {
		return ""
	}
	last := strings.Trim(words[len(words)-1], ".;:'’")
	if n := len([]rune(last)); n < 4 {
		return ""
	}
	return last
}

// eachRealRecord calls f with every record of the real files.
func eachRealRecord(t *testing.T, f func(name string, record []byte, s *Study)) {
	t.Helper()
	if _, err := os.Stat(realData); err != nil {
		trialtest.Skip(t, "the real input files are not here")
	}
	for _, dir := range []string{"ctgov-v1-fullstudies", "ctgov-v2", "ctgov-xml", "ctgov-xml-versions", "fhir-r4", "fhir-r5",
		"fhir-r6-ebm", "usdm"} {
		err := filepath.WalkDir(filepath.Join(realData, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".json", ".xml"}, filepath.Ext(name)) {
				return err
			}
			file, err := os.Open(name)
			if err != nil {
				return err
			}
			defer file.Close()
			_ = Split(file, func(n int, record []byte) error { // others test what is refused
				if s, err := Parse(record); err == nil {
					f(fmt.Sprintf("%s record %d", filepath.Base(name), n), record, s)
				}
				return nil
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// texts returns every text in a JSON value.
func texts(v any) (list []string) {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		for _, e := range x {
			list = append(list, texts(e)...)
		}
	case map[string]any:
		for _, e := range x {
			list = append(list, texts(e)...)
		}
	}
	return list
}

// holds reports whether a text contains a last name, as a word. If the text is a number, or the
// name has six letters or more, it may also be within a word.
func holds(text, last string) bool {
	number := !strings.Contains(text, " ") && strings.ContainsAny(text, "0123456789")
	for _, l := range spellings(last) {
		for _, in := range spellings(text) {
			if (number || len([]rune(l)) >= 6) && strings.Contains(in, l) {
				return true
			}
			for _, w := range strings.FieldsFunc(in, func(r rune) bool { return !unicode.IsLetter(r) }) {
				if w == l {
					return true
				}
			}
		}
	}
	return false
}

// TestPublishedNames searches what is published of every real record for the last names of the
// people in it, and counts what is withheld without need.
func TestPublishedNames(t *testing.T) {
	trialtest.Long(t)
	records, names, outcomes, lost := 0, 0, 0, 0
	found, sponsors, hidden, members := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	eachRealRecord(t, func(name string, record []byte, s *Study) {
		records++
		facts, withheld := s.Facts()
		data, err := facts.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(data, &tree); err != nil {
			t.Fatal(err)
		}
		published := texts(tree)
		for person := range namesIn(t, record) {
			last := lastName(person)
			if last == "" {
				continue
			}
			names++
			for _, text := range published {
				if holds(text, last) {
					found[fmt.Sprintf("%q of %s: %q", person, name, text)] = true
				}
			}
		}
		for _, m := range withheld {
			members[m]++
		}
		for i, o := range slices.Concat(s.Outcomes, s.Reported) {
			outcomes++
			if slices.Concat(facts.Outcomes, facts.Reported)[i].Measure == Withheld {
				lost++
				t.Logf("withheld of %s: outcome %q", name, o.Measure)
			}
		}
		if s.Sponsor.Name != "" {
			sponsors[s.Sponsor.Name] = true
			if n := facts.Sponsor.Name; n == Withheld || n == Individual {
				hidden[s.Sponsor.Name] = true
			}
		}
	})
	// The sponsor itself, which is in the member for an official.
	own := 0
	for f := range found {
		if !strings.HasPrefix(f, `"Bristol-Myers Squibb"`) && !strings.HasPrefix(f, `"Boehringer Ingelheim"`) {
			t.Errorf("published: the last name of %s", f)
			continue
		}
		own++
	}
	harmless := 0
	for name := range hidden {
		if regexp.MustCompile(`(?i)hospital|universi|inc\b|institut|foundation|fundaci|pharma|health|centre|center`).MatchString(name) {
			harmless++
			t.Logf("an organisation is withheld: %s", name)
		}
	}
	t.Logf("%d records with %d names of people: %d are published, and %d times that of a company which lists itself as a person; of %d "+
		"sponsors %d are persons, %d harmless organisations are "+
		"withheld", records, names, len(found)-own, own, len(sponsors), len(hidden)-harmless, harmless)
	t.Logf("of %d outcomes %d are withheld; members of which some text is withheld, by records: %v", outcomes, lost, members)
	if records < 400 || names < 1000 || harmless > 2 || lost > outcomes/200 || len(hidden)-harmless < 9 {
		t.Errorf("%d records, %d names, %d harmless organisations, %d outcomes and %d persons withheld", records, names, harmless, lost,
			len(hidden)-harmless)
	}
}

// TestInjectedNames writes the names of people in real records into an outcome and a number of
// the record, in spellings that the record does not have. None is published.
func TestInjectedNames(t *testing.T) {
	trialtest.Long(t)
	tried, shown := 0, map[string][]string{}
	eachRealRecord(t, func(file string, record []byte, s *Study) {
		p := s.privacy()
		n := 0
		for _, person := range slices.Sorted(maps.Keys(namesIn(t, record))) {
			last := lastName(person)
			bare, _, _ := strings.Cut(person, ",")
			bare = regexp.MustCompile(`\(.*?\)|\b(MD|PhD|Dr|Prof|M\.D\.?|Ph\.?D\.?|MSc|Professor|RN|MPH|MBBS|PharmD)\b\.?`).ReplaceAllString(bare, " ")
			words := strings.Fields(bare)
			if last == "" || len([]rune(words[0])) < 3 || words[0] == last || strings.HasPrefix(person, "Bristol") ||
				strings.HasPrefix(person, "Boehringer") {
				continue
			}
			if n++; n > 12 {
				break
			}
			first := words[0]
			both := spellings(first + " " + last)
			texts := map[string]string{
				"as it is": "Pain, rated by " + bare, "first and last": "Pain, rated by " + first + " " + last, "last first": "Pain (" +
					last + ", " + first + ")", "capitals": strings.ToUpper(first+" "+last) + " SCORE",
				"lower case": "pain rated by " + both[0], "written out": "PAIN BY " + strings.ToUpper(both[1]), "run together": "Rated" +
					first + last, "initial": "Pain, rated by " + first[:1] + ". " + last,
				"title": "Pain, rated by Dr " + last, "professor": "Prof. " + last + "'s index", "PubMed": "Pain, " + last + " " +
					first[:1], "middle name": first + " Quux " + last + " rated it", "far apart": first +
					", who is the chief investigator here, Dr " + last,
				"no spaces": strings.ReplaceAll(both[0], " ", ""), "particle": "Pain, " + first + " van der " + last,
			}
			numbers := map[string]string{
				"number": first + last + "2020", "number, last": last + "-2020-01", "number, spaces": first + " " + last +
					" 00379", "number, lower": strings.ReplaceAll(both[0], " ", "") + "01",
				"number, written out": strings.ReplaceAll(both[1], " ", "_"), "number, initial": "REC/" + first[:1] + last + "/12",
			}
			if r := []rune(last); len(r) > 5 {
				numbers["number, misspelt"] = first + " " + string(r[:2]) + string(r[3:]) + " 00379"
			}
			for how, text := range texts {
				tried++
				if got, ok := p.text(text); ok {
					shown[how] = append(shown[how], fmt.Sprintf("%q of %s: %q", person, file, got))
				}
			}
			for how, text := range numbers {
				tried++
				if got, ok := p.number(text); ok {
					shown[how] = append(shown[how], fmt.Sprintf("%q of %s: %q", person, file, got))
				}
			}
		}
	})
	for how, list := range shown {
		t.Errorf("%s: %d are published, such as %s", how, len(list), strings.Join(list[:min(len(list), 8)], "\n\t"))
	}
	t.Logf("%d texts and numbers with names were tried", tried)
}
