package consent_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
)

const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// master is the code of SHA-256("a master").
const master = consent.Master("95FGSRJHDQFQKJS56SF3JWM756314ECW")

// TestCode compares codes and a lock with those that another program, in another language, made
// from docs/spec.md, section 21. Whatever is mistyped in a code is noticed.
func TestCode(t *testing.T) {
	for number, want := range map[int]string{1: "9NTASJEGCJ9ZZ9CN6JSK4Z5PGRBSJV9X", 2: "XT332RKM3S1NZN2HMKBGTAMAWDDJRM65",
		20: "MYQWR0B047MES6XVTBN8P31TA41ZRSRA"} {
		if got := master.Code(number); got != want || trial.CheckCode(got) != nil {
			t.Errorf("code %d is %s, want %s", number, got, want)
		}
	}
	if got := trial.ConsentLock(master.Code(1)).String(); got != "66099504fc0b34611cc37a9bb76fe646de6667bc2859f1d9cf6b0fc9565aca11" {
		t.Errorf("the lock is %s", got)
	}
	if _, err := consent.ParseCode(string(master)); err != nil {
		t.Error(err)
	}
	code := master.Code(1)
	grouped := consent.Grouped(code)
	if len(grouped) != 39 || strings.ReplaceAll(grouped, " ", "") != code {
		t.Errorf("printed as %s", grouped)
	}
	for name, typed := range map[string]string{
		"as it is": code, "in groups": grouped, "in lower case": strings.ToLower(grouped), "with dashes": strings.ReplaceAll(grouped, " ", "-"),
		"with the dashes of a telephone": strings.ReplaceAll(grouped, " ", "–"), "with other spaces": " " + strings.ReplaceAll(grouped, " ", "\u00a0") + "\n",
		"with I and O": strings.NewReplacer("1", "I", "0", "O").Replace(code), "with l and o": strings.NewReplacer("1", "l", "0", "o").Replace(code),
	} {
		if got, err := consent.ParseCode(typed); err != nil || got != code {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
	// Each letter for each other, each two that stand beside each other exchanged, each left out.
	for i := range code {
		for _, c := range codeLetters {
			typed := code[:i] + string(c) + code[i+1:]
			if got, err := consent.ParseCode(typed); (err == nil) != (typed == code) {
				t.Errorf("%s for %s is read as %s", typed, code, got)
			}
		}
		if i > 0 && code[i] != code[i-1] {
			if _, err := consent.ParseCode(code[:i-1] + code[i:i+1] + code[i-1:i] + code[i+1:]); err == nil {
				t.Errorf("letters %d and %d exchanged are not noticed", i-1, i)
			}
		}
		if _, err := consent.ParseCode(code[:i] + code[i+1:]); err == nil {
			t.Errorf("letter %d left out is not noticed", i)
		}
	}
	for _, typed := range []string{"", "U" + code[1:], code + code[:1], "ß" + code[1:], strings.Repeat("0", 1<<20)} {
		if _, err := consent.ParseCode(typed); err == nil {
			t.Errorf("%.40q is a code", typed)
		}
	}
	seen := map[consent.Master]bool{}
	for range 100 {
		m := consent.NewMaster()
		if _, err := consent.ParseCode(string(m)); err != nil || seen[m] {
			t.Errorf("a new secret %s: %v", m, err)
		}
		seen[m] = true
	}
}

func newSlip(language string) *consent.Slip {
	return &consent.Slip{Log: "https://log.example", Origin: "log.example/trials", Master: consent.NewMaster(), Consents: []trial.Hash{{1}, {2}},
		Relays: []string{"https://log.example", "http://127.0.0.1:8080/relay"}, Language: language}
}

// TestSlip reads slips from their file and their address, and notices what was changed.
func TestSlip(t *testing.T) {
	for _, language := range consent.Languages() {
		s := newSlip(language)
		address, err := s.URL()
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Page([]consent.OnSlip{{To: "A Lab", Org: "A Site", Agents: []string{"A Site", "An NGO"}, Until: "2027-06"}})
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"address": address, "with space": " " + address + "\n", "page": string(page)} {
			got, err := consent.ParseSlip(text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if fmt.Sprint(*got) != fmt.Sprint(*s) {
				t.Errorf("%s: %+v, want %+v", name, got, s)
			}
		}
		if host, _, _ := strings.Cut(address, "#"); host != "https://log.example/consent" {
			t.Errorf("what a browser sends is %s", host)
		}
		for i, h := range s.Held() {
			if h.Code != s.Master.Code(i+1) || h.Handle != s.Consents[i] || !bytes.Contains(page, []byte(consent.Grouped(h.Code))) {
				t.Errorf("consent %d is not on the slip with its code", i)
			}
		}
		start := strings.Index(address, "#")
		for i := start; i < len(address); i++ {
			for _, to := range []string{"", "A", "z", ".", ",", "%", "é"} {
				changed := address[:i] + to + address[i+1:]
				got, err := consent.ParseSlip(changed)
				if err != nil || changed == address {
					continue
				}
				// There is one encoding for each slip, so this is another one, with other consents, relays or log.
				if again, err := got.URL(); err != nil || again != changed || got.Master != s.Master {
					t.Fatalf("%s is read as %+v", changed, got)
				}
			}
			if got, err := consent.ParseSlip(address[:i]); err == nil && len(got.Relays) == len(s.Relays) && got.Relays[1] == s.Relays[1] {
				t.Fatalf("cut at %d it is read as %+v", i, got)
			}
		}
	}
}

// TestHostileSlip refuses what no site makes.
func TestHostileSlip(t *testing.T) {
	for name, change := range map[string]func(*consent.Slip){
		"a script":             func(s *consent.Slip) { s.Log = "javascript:alert(1)//x" },
		"a quotation mark":     func(s *consent.Slip) { s.Log = `https://log.example/"onclick="x` },
		"a file":               func(s *consent.Slip) { s.Log = "file:///etc" },
		"a password":           func(s *consent.Slip) { s.Log = "https://a:b@log.example" },
		"a query":              func(s *consent.Slip) { s.Log = "https://log.example/?x" },
		"a relay with a space": func(s *consent.Slip) { s.Relays = []string{"https://log.example/ x"} },
		"no origin":            func(s *consent.Slip) { s.Origin = "" },
		"no consent":           func(s *consent.Slip) { s.Consents = nil },
		"too many":             func(s *consent.Slip) { s.Consents = make([]trial.Hash, 21) },
		"no such language":     func(s *consent.Slip) { s.Language = "../en" },
		"a mistyped secret":    func(s *consent.Slip) { s.Master = s.Master[1:] + "0" },
	} {
		s := newSlip("en")
		change(s)
		if address, err := s.URL(); err == nil {
			t.Errorf("%s: %s", name, address)
		}
	}
	for _, text := range []string{"", "#", "https://log.example/consent#", "https://log.example/consent#1.en....", strings.Repeat("x", 1<<20),
		"https://log.example/consent#2" + strings.TrimPrefix(address(t, newSlip("en")), "https://log.example/consent#1"), "<html>",
		`<a href="https://log.example/consent#1.en">`} {
		if s, err := consent.ParseSlip(text); err == nil {
			t.Errorf("%.60q is read as %+v", text, s)
		}
	}
}

func address(t *testing.T, s *consent.Slip) string {
	t.Helper()
	a, err := s.URL()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestSlipPage has names in it that try to become more than text. The page has no script, loads
// nothing, and says what it is for.
func TestSlipPage(t *testing.T) {
	hostile := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{ORG}{UNTIL}`, "'; x='", "</li><li>", "\u202eevil", "&lt;b&gt;"}
	s := newSlip("en")
	var on []consent.OnSlip
	for _, h := range hostile {
		on = append(on, consent.OnSlip{To: h, Org: h, Agents: []string{h, h}, Until: h})
	}
	page, err := s.Page(on)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	items, links, inItem := []string{}, 0, false
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.CharData:
			if inItem {
				items[len(items)-1] += string(x)
			}
		case xml.EndElement:
			inItem = inItem && x.Name.Local != "li"
		case xml.StartElement:
			if name := x.Name.Local; name == "li" {
				items, inItem = append(items, ""), true
			} else if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "link", "form", "base"}, name) {
				t.Errorf("the page has <%s>", name)
			}
			for _, a := range x.Attr {
				key := a.Name.Local
				if strings.HasPrefix(key, "on") || key == "src" || key == "href" && a.Value != address(t, s) {
					t.Errorf("<%s %s=%q>", x.Name.Local, key, a.Value)
				}
				if key == "href" {
					links++
				}
			}
		}
	}
	if len(items) != len(hostile) || links != 1 {
		t.Fatalf("%d items, %d links: %q", len(items), links, items)
	}
	for i, h := range hostile {
		if want := fmt.Sprintf("You agreed that %s may receive your data. %s asked you. %s + %s hands it out. This ends at the latest with %s.",
			h, h, h, h, h); items[i] != want {
			t.Errorf("%q, want %q", items[i], want)
		}
	}
	for _, want := range []string{`http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"`, `name="referrer" content="no-referrer"`,
		`<html lang="en">`, "<svg "} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if got, err := consent.ParseSlip(string(page)); err != nil || got.Master != s.Master {
		t.Errorf("with these names the slip is not read any more: %v", err)
	}
}

// lacking names the entries that one language has and another does not, and those that have other
// names of values in them.
func lacking(all map[string]map[string]string) (list []string) {
	value := regexp.MustCompile(`\{[A-Z]+\}`)
	for _, language := range slices.Sorted(maps.Keys(all)) {
		for _, entry := range slices.Sorted(maps.Keys(all["en"])) {
			text := all[language][entry]
			want, got := value.FindAllString(all["en"][entry], -1), value.FindAllString(text, -1)
			slices.Sort(want)
			slices.Sort(got)
			switch {
			case strings.TrimSpace(text) == "":
				list = append(list, language+" lacks "+entry)
			case !slices.Equal(want, got):
				list = append(list, fmt.Sprintf("%s has %v in %s, not %v", language, got, entry, want))
			}
		}
		for entry := range all[language] {
			if all["en"][entry] == "" {
				list = append(list, language+" has "+entry+", which nobody else has")
			}
		}
	}
	return list
}

func allWords(t *testing.T) map[string]map[string]string {
	t.Helper()
	var all map[string]map[string]string
	if err := json.Unmarshal(consent.Words(), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWords: all languages have the same entries, and a missing one is named.
func TestWords(t *testing.T) {
	all := allWords(t)
	if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, []string{"de", "en", "es", "fr"}) || !slices.Equal(got, consent.Languages()) {
		t.Errorf("there are the languages %v", got)
	}
	for _, problem := range lacking(all) {
		t.Error(problem)
	}
	names := map[string]bool{}
	for code, name := range consent.LanguageNames() {
		if name == "" || names[name] {
			t.Errorf("the language %s is called %q", code, name)
		}
		names[name] = true
	}
	delete(all["fr"], "slip_lost")
	all["de"]["slip_until"] = "Das endet bald."
	all["es"]["slip_more"] = "más"
	if got := fmt.Sprint(lacking(all)); got != "[de has [] in slip_until, not [{UNTIL}] es has slip_more, which nobody else has fr lacks slip_lost]" {
		t.Errorf("what is missing is named as %s", got)
	}
}

// TestPlainWords: a patient reads no word of cryptography, and no long sentence.
func TestPlainWords(t *testing.T) {
	crypto := regexp.MustCompile(`(?i)crypt|chiffr|cifr|verschlüssel|hash|signatur|firma digital|merkle|kryptogr|witness|zeuge|testigo|témoin|` +
		`checkpoint|blockchain|token|public key|private key|token|empreinte`)
	for language, texts := range allWords(t) {
		for entry, text := range texts {
			if word := crypto.FindString(text); word != "" {
				t.Errorf("%s %s says %q: %s", language, entry, word, text)
			}
			for _, sentence := range regexp.MustCompile(`[.:?!] `).Split(text, -1) {
				if n := len(strings.Fields(sentence)); n > 24 {
					t.Errorf("%s %s has a sentence of %d words: %s", language, entry, n, sentence)
				}
			}
		}
	}
}

// FuzzParseSlip reads anything: what is read has one encoding.
func FuzzParseSlip(f *testing.F) {
	a, err := newSlip("en").URL()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a)
	f.Add(`<a href="` + a + `">`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := consent.ParseSlip(text)
		if err != nil {
			return
		}
		again, err := s.URL()
		if err != nil {
			t.Fatal(err)
		}
		if other, err := consent.ParseSlip(again); err != nil || fmt.Sprint(*other) != fmt.Sprint(*s) {
			t.Fatalf("%q is read as %+v, and that as %+v: %v", text, s, other, err)
		}
		if _, err := s.Page([]consent.OnSlip{{To: text, Org: text}}); err != nil && !strings.Contains(err.Error(), "too long") {
			t.Fatal(err)
		}
	})
}
