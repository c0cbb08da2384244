package trial

import (
	"errors"
	"fmt"

	"github.com/trialproof/trialproof/trial/dataset"
)

// Dataset commits to the tables of an extract of a trial's data, such as those that an analysis used.
// The log has their names, and how many rows, columns and participants each has; see package dataset.
// Its documents are named dataset: the files of the tables, in their order, and then define.xml; or
// the subject is the trial.
type Dataset struct {
	Common
	Analysis string               `json:"analysis,omitempty"` // the analysis that used it, see checkAnalysis
	Lock     Hash                 `json:"lock,omitzero"`      // identity of the milestone database-lock that it belongs to
	Results  Hash                 `json:"results,omitzero"`   // identity of the results drawn from it
	SAP      Hash                 `json:"sap,omitzero"`       // identity of the statistical analysis plan that was followed
	Tables   []dataset.Commitment `json:"tables"`             // sorted by name
	Trial    Hash                 `json:"trial"`
}

// MaxTables is how many tables a statement commits to.
const MaxTables = 60

func (*Dataset) Kind() string { return "dataset" }

func (p *Dataset) trialID() Hash { return p.Trial }

// allows says that the holder may delegate it and that a correction may empty it.
func (*Dataset) allows() allows { return allows{delegation: true, void: true} }

func (p *Dataset) describe([]Subject) string {
	rows := uint64(0)
	for _, c := range p.Tables {
		rows += c.RowCount
	}
	return fmt.Sprintf("dataset of trial %s%s: %s with %d rows", p.Trial, said(", analysis ", p.Analysis),
		Count(len(p.Tables), "table", "tables"), rows)
}

func (p *Dataset) check(subjects []Subject) error {
	if p.Analysis != "" {
		if err := checkAnalysis(p.Analysis); err != nil {
			return err
		}
	}
	if len(p.Tables) == 0 || len(p.Tables) > MaxTables {
		return fmt.Errorf("%d tables; a dataset has 1 to %d", len(p.Tables), MaxTables)
	}
	for i := range p.Tables {
		c := &p.Tables[i]
		if err := checkText("name", c.Name, dataset.MaxName); err != nil {
			return err
		}
		if err := c.Check(); err != nil {
			return err
		}
		if i > 0 && p.Tables[i-1].Name >= c.Name {
			return errors.New("the tables are not sorted by name, or one is named twice")
		}
		if c.Extract != p.Tables[0].Extract {
			return errors.New("the tables are of different extracts")
		}
	}
	return checkTrialOrDocuments(subjects, "dataset", p.Trial)
}

func (p *Dataset) apply(t *tx, s *Signed) *Refusal {
	return t.remembered(s, p.Trial, "dataset", "")
}
