// Package trial is the trial model: statements and their envelopes, the entries of the log, and
// the rules by which an entry is admitted, as a deterministic state machine. The server admits
// entries with it, auditors replay logs with it, and it runs in a browser.
//
// It is pure: it reads no clock, judges without randomness, and does no I/O. docs/spec.md says
// the same in prose, byte by byte.
//
// A sponsor builds a Statement, marshals it to its canonical payload and signs it with Sign.
// Check checks the form and the signature of the envelope, which needs no state. State.Admit
// judges the statement against everything logged before it and makes the Entry. State.Close
// ends a tree with a state entry. A replay parses leaves with ParseEntry, verifies them and
// gives them to State.Apply in order.
//
// A refusal is always a *Refusal with a Rule. The rule's id is the same in docs/spec.md, in the
// API's answers and in an auditor's report.
package trial
