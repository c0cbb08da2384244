package trial

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// ScopeGlobal is the scope of the protocol on which all others are based.
const ScopeGlobal = "global"

// Protocol is one version of the trial's protocol; an amendment is the next version. The
// versions of one scope form a chain without branches.
type Protocol struct {
	Common
	Content
	Base     Hash   `json:"base,omitzero"`     // the global version that it is based on; only outside global
	Dated    string `json:"dated,omitempty"`   // the document's own date, as claimed
	Previous Hash   `json:"previous,omitzero"` // the version before it in the same scope; empty for the first
	Scope    string `json:"scope"`             // global, a country (DE) or a named sub-protocol
	Trial    Hash   `json:"trial"`
	Version  string `json:"version"` // as printed on the document
}

// CheckScope checks a scope: global, a country or the name of a sub-protocol.
func CheckScope(s string) error {
	if !scope.MatchString(s) {
		return fmt.Errorf("scope %.60q is not global, a country such as DE, or a sub-protocol's name in lower case", s)
	}
	return nil
}

var scope = regexp.MustCompile(`^(global|[A-Z]{2}|[a-z0-9][a-z0-9.-]{2,39})$`)

func (*Protocol) Kind() string { return "protocol" }

func (p *Protocol) trialID() Hash { return p.Trial }

func (*Protocol) allows() allows {
	return allows{delegation: true, scope: true, seal: true, void: true}
}

func (p *Protocol) members() map[string]member {
	return map[string]member{"dated": {p.Dated, checkDated}, "version": {p.Version, versionText}}
}

func (p *Protocol) form() Form {
	return Form{Trial: &p.Trial, Flags: []Flag{
		versionFlag.to(&p.Version).needed("a protocol has a version: give it with -version, as it is printed on the document"),
		{Name: "scope", Default: ScopeGlobal, Text: &p.Scope,
			Help: "of a protocol: global, a country such as DE, or a sub-protocol's `name`"},
		previousFlag.naming(&p.Previous),
		{Name: "base", Help: "outside the global scope: `receipt` of the global version that this one is based on", Statement: &p.Base},
		datedFlag.to(&p.Dated),
	}}
}

func (p *Protocol) describe([]Subject) string {
	return fmt.Sprintf("protocol version %s (%s) of trial %s%s", p.Version, p.Scope, p.Trial, following(p.Previous))
}

func (p *Protocol) check(subjects []Subject) error {
	if err := checkVersion(p.Version, true); err != nil {
		return err
	}
	if err := CheckScope(p.Scope); err != nil {
		return err
	}
	if (p.Scope == ScopeGlobal) != p.Base.IsZero() {
		return errors.New("the member base, the global version that this one is based on, is for protocols of other scopes only, " +
			"and they must have it")
	}
	if err := checkDated(p.Dated); err != nil {
		return err
	}
	if err := p.Content.check(); err != nil {
		return err
	}
	return checkDocuments(subjects, "protocol")
}

func (p *Protocol) apply(t *tx, s *Signed) *Refusal {
	tr, r := t.entitled(p.Trial, "protocol", p.Scope)
	if r != nil {
		return r
	}
	if tr.Shares.acted(voidAct("protocol", s.ID)) {
		return voided(s.ID)
	}
	versions := tr.Scopes[p.Scope]
	switch {
	case len(versions) == 0 && !p.Previous.IsZero():
		return refuse(RulePredecessor, "%s has no version yet, so none can be named as previous", p.Scope)
	case len(versions) > 0 && p.Previous.IsZero():
		head := versions[len(versions)-1]
		return refuse(RulePredecessor, "version %q (%s) is in force in %s: name it as previous", head.Version, head.ID, p.Scope)
	case len(versions) > 0 && p.Previous != versions[len(versions)-1].ID:
		head := versions[len(versions)-1]
		return refuse(RulePredecessor, "previous is %s, but version %q (%s) is in force in %s", p.Previous, head.Version, head.ID, p.Scope)
	}
	for _, v := range versions {
		if v.Version == p.Version {
			return refuse(RuleTaken, "%s has a version %q already, logged as %s", p.Scope, v.Version, v.ID)
		}
	}
	n := 0
	for _, list := range tr.Scopes {
		for _, v := range list {
			if v.Org == t.signer.Org {
				n++
			}
		}
	}
	if n >= maxPerTrial {
		return tooMany("protocol versions by "+t.signer.Org, n)
	}
	if p.Scope != ScopeGlobal {
		found := false
		for _, v := range tr.Scopes[ScopeGlobal] {
			found = found || v.ID == p.Base
		}
		if !found {
			return refuse(RuleUnknown, "the base %s is not a global version of this trial", p.Base)
		}
	}
	scopes := make(map[string][]Version, len(tr.Scopes)+1)
	for k, v := range tr.Scopes {
		scopes[k] = v
	}
	scopes[p.Scope] = appended(versions, Version{s.ID, t.signer.Org, p.Version})
	tr.Scopes = scopes
	return nil
}

func (*Protocol) author(tr *TrialRecord, id Hash) string {
	for _, versions := range tr.Scopes {
		for _, v := range versions {
			if v.ID == id {
				return v.Org
			}
		}
	}
	return ""
}

func (*Protocol) empty(_ *tx, tr *TrialRecord, id Hash) *Refusal {
	for name, versions := range tr.Scopes {
		i := slices.IndexFunc(versions, func(v Version) bool { return v.ID == id })
		if i < 0 {
			continue
		}
		if i < len(versions)-1 {
			return refuse(RulePredecessor, "version %q of %s is based on it: void that one first", versions[i+1].Version, name)
		}
		scopes := maps.Clone(tr.Scopes)
		if scopes[name] = versions[:i:i]; i == 0 {
			delete(scopes, name)
		}
		tr.Scopes = scopes
		return nil
	}
	return refuse(RuleUnknown, "no protocol %s of this trial is in force", id)
}
