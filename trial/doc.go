// Package trial is the trial model: statements and their envelopes, the entries
// of the log, and the rules by which an entry is admitted, as a deterministic
// state machine. The server admits by it, auditors replay it, the page runs it.
//
// It is pure: no clock, no randomness in judging, no I/O. docs/spec.md gives
// the same in prose, byte by byte.
//
// A sponsor builds a Statement, marshals it to its canonical payload and signs
// it with Sign. Check holds the envelope to its form and its signature, without
// state. State.Admit judges it against everything logged before and makes the
// Entry; State.Close ends a tree with a state entry. A replay parses leaves with
// ParseEntry, verifies them and hands them to State.Apply in order.
//
// A refusal is always a *Refusal with a Rule, the stable id that docs/spec.md,
// the API, the auditor and the page share.
package trial
