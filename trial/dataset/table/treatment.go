package table

import (
	"regexp"
	"strings"
)

// A Treatment is a variable that tells which treatment a subject was given or was to be given: whoever
// sees it is no longer blind.
type Treatment struct {
	Dataset, Variable string
	From              string // the variable it is a copy of, as DATASET.VARIABLE; empty if its own name tells
}

// treatment matches the names that SDTM and ADaM have for treatments.
//
//   - SDTM: the arms of Demographics and Trial Arms (ARM, ARMCD, ACTARM, ACTARMCD, ACTARMUD), the treatment and
//     the dose of Exposure and of Exposure as Collected, and the set of SEND (SETCD).
//   - ADaM: TRTxxP, TRTxxA, TRTP, TRTA, TRTSEQP, TRTSEQA, their pooled groups TRxxPGy, TRxxAGy, TRTPGy,
//     TRTAGy, TSEQPGy, TSEQAGy, and the doses DOSExxP, DOSExxA, DOSEP, DOSEA; each with N at the end for
//     the number.
var treatment = regexp.MustCompile(`^(ARM|ARMCD|ARMN|ACTARM|ACTARMCD|ACTARMN|ACTARMUD|SETCD|` +
	`E[XC](TRT|DOSE|DOSTXT|DOSU|DOSTOT)|TRT([0-9][0-9])?[PA]N?|TRTSEQ[PA]N?|TR[0-9][0-9][PA]G[0-9]+N?|TRT[PA]G[0-9]+N?|` +
	`TSEQ[PA]G[0-9]+N?|DOSE([0-9][0-9])?[PA]N?)$`)

// Treatments returns the variables that tell the treatment, in the order of the file: those with a name that
// the standards reserve for it, and those that are copies of one, over any number of steps. Supplemental
// qualifiers and variables that a sponsor named and derived otherwise are not found.
func (d *Define) Treatments() []Treatment {
	from := map[string]string{}     // of each variable that is known, what it is a copy of
	copies := map[string][]string{} // of each variable, its copies
	var queue []string
	know := func(id, source string) {
		if _, known := from[id]; !known {
			from[id] = source
			queue = append(queue, id)
		}
	}
	for _, ds := range d.Datasets {
		for _, v := range ds.Variables {
			id := reference(ds, v)
			if treatment.MatchString(strings.ToUpper(v.Name)) {
				know(id, "")
				continue
			}
			for _, p := range v.Predecessors() {
				copies[p] = append(copies[p], id)
				if treatment.MatchString(p[strings.IndexByte(p, '.')+1:]) {
					know(id, p)
				}
			}
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, id := range copies[queue[0]] {
			know(id, queue[0])
		}
	}
	var list []Treatment
	for _, ds := range d.Datasets {
		for _, v := range ds.Variables {
			if source, known := from[reference(ds, v)]; known {
				list = append(list, Treatment{Dataset: ds.Name, Variable: v.Name, From: source})
			}
		}
	}
	return list
}

func reference(ds *Dataset, v *Variable) string { return strings.ToUpper(ds.Name + "." + v.Name) }
