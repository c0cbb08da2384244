package consent

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// A Slip is what a patient holds. Who has it can see every access and end the consents, as with
// a key.
type Slip struct {
	Log      string       // URL of the log
	Origin   string       // of the log
	Master   Master       // gives the codes
	Consents []trial.Hash // handles; the code of the first is Master.Code(1)
	Relays   []string     // URLs of logs that sign the end for who has a code; the first is asked first
	Language string       // of Languages
}

// A Held is a consent of a slip, with its code.
type Held struct {
	Handle trial.Hash
	Code   string
}

// Held returns the consents with their codes.
func (s *Slip) Held() (list []Held) {
	for i, h := range s.Consents {
		list = append(list, Held{h, s.Master.Code(i + 1)})
	}
	return list
}

const (
	slipVersion  = "1"
	maxSlip      = 8 << 10 // of the URL, in bytes
	maxOnSlip    = 20      // consents, and relays
	slipPagePath = "/consent"
)

var b64url = base64.RawURLEncoding.Strict()

// URL returns the slip as the address of the patient's page. Everything is in the fragment, which
// no browser sends: version, language, origin, master, handles and relays, with full stops
// between them, commas between handles, and each text percent-encoded.
func (s *Slip) URL() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	var handles, relays []string
	for _, h := range s.Consents {
		handles = append(handles, b64url.EncodeToString(h[:]))
	}
	for _, r := range s.Relays {
		relays = append(relays, b64url.EncodeToString([]byte(r)))
	}
	fields := []string{slipVersion, s.Language, b64url.EncodeToString([]byte(s.Origin)), string(s.Master), strings.Join(handles, ","),
		strings.Join(relays, ",")}
	return strings.TrimSuffix(s.Log, "/") + slipPagePath + "#" + strings.Join(fields, "."), nil
}

// plainURL is an address that stands in a page and in a square code as it is.
var plainURL = regexp.MustCompile(`^https?://[][A-Za-z0-9.:-]+(/[A-Za-z0-9._~%/-]*)?$`)

func (s *Slip) check() error {
	for _, address := range append([]string{s.Log}, s.Relays...) {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "" ||
			u.RawQuery != "" || u.User != nil || !plainURL.MatchString(address) {
			return fmt.Errorf("%.80q is not the address of a log", address)
		}
	}
	if code, err := ParseCode(string(s.Master)); err != nil || code != string(s.Master) {
		return errors.New("the slip's secret is mistyped")
	}
	if len(s.Consents) == 0 || len(s.Consents) > maxOnSlip || len(s.Relays) > maxOnSlip {
		return fmt.Errorf("a slip has 1 to %d consents and at most as many relays", maxOnSlip)
	}
	if !slices.Contains(Languages(), s.Language) {
		return fmt.Errorf("there are no words in the language %.20q: there are %s", s.Language, strings.Join(Languages(), ", "))
	}
	if s.Origin == "" || len(s.Origin) > 200 {
		return errors.New("the slip does not name the log")
	}
	return nil
}

var inPage = regexp.MustCompile(`href="(https?://[^"]+` + slipPagePath + `#[^"]+)"`)

// ParseSlip reads a slip: the file slip.html, or the address in its square code. There is one
// encoding of a slip, so nothing in it can be changed unnoticed but for what it says itself.
func ParseSlip(text string) (*Slip, error) {
	if m := inPage.FindStringSubmatch(text); m != nil {
		text = strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(m[1])
	}
	text = strings.TrimSpace(text)
	if len(text) > maxSlip {
		return nil, fmt.Errorf("a slip's address has at most %d characters", maxSlip)
	}
	address, fragment, ok := strings.Cut(text, "#")
	log, ok2 := strings.CutSuffix(address, slipPagePath)
	fields := strings.Split(fragment, ".")
	if !ok || !ok2 || len(fields) != 6 || fields[0] != slipVersion {
		return nil, errors.New("this is no slip of a consent: give the file slip.html, or the address that its square code has")
	}
	s := &Slip{Log: log, Language: fields[1], Master: Master(fields[3])}
	origin, err := b64url.DecodeString(fields[2])
	if err != nil {
		return nil, errors.New("the slip is damaged: the log's name")
	}
	s.Origin = string(origin)
	for _, part := range strings.Split(fields[4], ",") {
		h, err := b64url.DecodeString(part)
		if err != nil || len(h) != len(trial.Hash{}) {
			return nil, errors.New("the slip is damaged: a consent")
		}
		s.Consents = append(s.Consents, trial.Hash(h))
	}
	if fields[5] != "" {
		for _, part := range strings.Split(fields[5], ",") {
			r, err := b64url.DecodeString(part)
			if err != nil {
				return nil, errors.New("the slip is damaged: a relay")
			}
			s.Relays = append(s.Relays, string(r))
		}
	}
	if again, err := s.URL(); err != nil || again != text {
		return nil, errors.Join(errors.New("the slip is damaged or mistyped"), err)
	}
	return s, nil
}
