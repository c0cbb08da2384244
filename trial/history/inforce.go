package history

import "github.com/trialproof/trialproof/trial"

// InForce returns the protocol version of a scope that was in force at a moment,
// by the log's clock: the last one admitted by then. Where the scope had none of
// its own yet, the global one holds there. It is false if there was none.
func (v *Verdict) InForce(scope string, at trial.Time) (Located, *trial.Protocol, bool) {
	var found Located
	var version *trial.Protocol
	for _, e := range v.Entries {
		if e.Statement == nil || e.Time > at {
			continue
		}
		p, ok := e.Statement.Statement.Predicate.(*trial.Protocol)
		if !ok || p.Scope != scope && (p.Scope != trial.ScopeGlobal || version != nil && version.Scope == scope) {
			continue
		}
		found, version = e, p
	}
	return found, version, version != nil
}
