package study

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// A ReviewEvent is one step of the results on their way into the register, which a record shows
// until they are posted. The order in a record is that of the steps.
type ReviewEvent struct {
	Event string // one of those below, or a word that is not known here
	Date  string // "" if the register does not know it
}

// Steps of the review.
const (
	ReviewSubmitted = "submitted" // the sponsor sent results (RELEASE)
	ReviewReturned  = "returned"  // the register sent them back with comments (RESET)
	ReviewCanceled  = "canceled"  // the sponsor withdrew them (UNRELEASE)
)

// addReview appends a step in the words of a register.
func (s *Study) addReview(event, date string, unknown bool) {
	event = word(event)
	switch event {
	case "release", "submitted":
		event = ReviewSubmitted
	case "reset", "returned":
		event = ReviewReturned
	case "unrelease", "submission-canceled", "submission-cancelled", "canceled":
		event = ReviewCanceled
	}
	if unknown || strings.HasPrefix(word(date), "unknown") {
		date = ""
	}
	s.Review = append(s.Review, ReviewEvent{event, registryDate(day(text(date)))})
}

// checkReview refuses steps whose dates are not dates.
func (s *Study) checkReview() error {
	for _, e := range s.Review {
		if _, err := trial.ParseDate(e.Date); e.Date != "" && err != nil {
			return fmt.Errorf("the date on which results were %s: %w", e.Event, err)
		}
	}
	return nil
}

// ReviewWords returns the steps of a review for people.
func ReviewWords(list []ReviewEvent) string {
	var words []string
	for _, e := range list {
		date := e.Date
		if date == "" {
			date = "on an unknown day"
		}
		words = append(words, e.Event+" "+date)
	}
	return strings.Join(words, ", ")
}

// TellsResults reports whether the document is of a form that shows results which were sent to
// the register, so that their absence means something. A selection of fields, and the forms of
// other registers, are not.
func (s *Study) TellsResults() bool {
	return slices.Contains([]string{CTGovV1, CTGovV2, CTGovXML}, s.Format) && !s.Selected()
}

// A Submission is what a record says about results that were sent to the register. Days are
// YYYY-MM-DD.
type Submission struct {
	Stands   bool   // results were sent and not withdrawn since
	First    string // they were sent on or after this day; "" if that is not known
	Last     string // and no later than this day
	Canceled bool   // results were sent and withdrawn, and none were sent since
	Until    string // the last day on which they may have been withdrawn
	Unclear  string // why the record does not tell; "" if it does
}

// span returns the first and last day that a date may mean, as text.
func span(date string) (first, last string, ok bool) {
	d, err := trial.ParseDate(date)
	return d.First.Format(time.DateOnly), d.Last.Format(time.DateOnly), err == nil
}

// Submission returns what the record, shown on one day, says about results as of another day.
// What is dated later has not happened yet.
func (s *Study) Submission(shown, day string) (sub Submission) {
	end := min(shown, day)
	known := ""                           // the day on or after which the next step was taken
	next := make([]string, len(s.Review)) // by which a step had been taken, from those behind it
	for i := len(s.Review) - 1; i >= 0; i-- {
		if _, b, ok := span(s.Review[i].Date); ok {
			next[i] = b
		} else if i+1 < len(s.Review) {
			next[i] = next[i+1]
		}
	}
	for i, e := range s.Review {
		first, last := known, end
		if a, b, ok := span(e.Date); ok {
			if a > day {
				continue
			}
			if b < known {
				sub.Unclear = fmt.Sprintf("the steps of the review of results are not in the order of their dates: %s",
					ReviewWords(s.Review))
			}
			first, last = max(a, known), b
		} else if next[i] != "" {
			last = min(last, next[i])
		}
		if last < first { // the record is younger than the day that is given for it
			last = day
		}
		switch e.Event {
		case ReviewSubmitted:
			if !sub.Stands {
				sub = Submission{Stands: true, First: first, Last: last, Unclear: sub.Unclear}
			}
		case ReviewReturned: // so they had been sent
			if !sub.Stands {
				sub = Submission{Stands: true, First: known, Last: last, Unclear: sub.Unclear}
			}
		case ReviewCanceled:
			sub = Submission{Canceled: true, Until: last, Unclear: sub.Unclear}
		default:
			sub.Unclear = fmt.Sprintf("the record has a step of the review of results that is not known here: %s", ReviewWords(s.Review))
		}
		known = first
	}
	posted := s.Results || s.Announced
	if a, b, ok := span(s.Date(ResultsPosted).Date); ok && a <= day {
		posted, end = true, min(end, b)
		if sub.Canceled && b <= known { // what was posted by then is not what was taken back
			sub, known = Submission{Unclear: sub.Unclear}, ""
		}
	}
	a, b, stated := span(s.Date(ResultsSubmitted).Date)
	stated = stated && a <= day && s.Date(ResultsSubmitted).Kind != Planned
	switch {
	case stated && !(sub.Canceled && a <= known):
		if !sub.Stands || b > sub.Last {
			sub = Submission{Stands: true, First: a, Last: b, Unclear: sub.Unclear}
		}
	case posted && !sub.Stands: // sent again on a day that the record does not give
		sub = Submission{Stands: true, First: known, Last: max(end, known), Unclear: sub.Unclear}
	}
	return sub
}
