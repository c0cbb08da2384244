package registry

import (
	"fmt"
	"hash"
)

// A watch sees the pages of a window and says what may have moved between them.
type watch struct {
	from, to string // days of the window; to "" is without end
	total    int    // records that the first page speaks of; -1 if it does not

	numbers map[string]bool // of the records
	unread  int             // records without a number
	twice   int             // records whose number came before
	days    []string        // of the records
	last    string          // of the days
	sum     hash.Hash       // of all records
}

func (w *watch) add(p *Page) {
	for _, r := range p.Records {
		fmt.Fprintf(w.sum, "%d ", len(r.Bytes))
		w.sum.Write(r.Bytes)
		switch {
		case r.Number == "":
			w.unread++
		case w.numbers[r.Number]:
			w.twice++
			continue
		default:
			w.numbers[r.Number] = true
		}
		w.days = append(w.days, r.Day)
		w.last = max(w.last, r.Day)
	}
}

// count returns how many records there were.
func (w *watch) count() int { return len(w.numbers) + w.unread }

// since returns how many of them were updated on a day or later.
func (w *watch) since(day string) int {
	n := 0
	for _, d := range w.days {
		if d >= day {
			n++
		}
	}
	return n
}

// doubts says what cannot be while nothing moves: a record that is updated while pages are read
// goes from its page to the last, is seen twice, and draws another over the edge of a page.
func (w *watch) doubts() []string {
	var list []string
	if w.twice > 0 {
		list = append(list, fmt.Sprintf("it gave %d records twice", w.twice))
	}
	if n := w.count(); n < w.total {
		list = append(list, fmt.Sprintf("it spoke of %d records and gave %d", w.total, n))
	}
	return list
}
