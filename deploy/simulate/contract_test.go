package main

import (
	"testing"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/journaltest"
)

// TestContract holds the journal in memory to what databases do.
func TestContract(t *testing.T) {
	journaltest.Test(t, func(*testing.T) logserver.Journal { return newJournal() })
}
