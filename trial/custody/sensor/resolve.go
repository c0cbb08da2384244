package sensor

import (
	"fmt"
	"time"
)

// resolve returns the moments of the rows, which are in the order in which they were recorded.
// Rows in the hour that occurs twice, when clocks go back, are resolved if the local time steps
// back once among them: those before the step are in the first hour, the others in the second.
func resolve(rows []row, zone *time.Location) ([]time.Time, error) {
	times := make([]time.Time, len(rows))
	for i := 0; i < len(rows); i++ {
		if rows[i].clock.offset == nil && zone == nil {
			_, err := rows[i].clock.only(nil)
			return nil, fmt.Errorf("line %d: %w", rows[i].line, err)
		}
		list := rows[i].clock.in(zone)
		if len(list) == 1 {
			times[i] = list[0]
			continue
		}
		// The rows that occur twice and follow one another.
		end, steps, step := i, 0, 0
		for end < len(rows) && len(list) == 2 && rows[end].clock.offset == nil && len(rows[end].clock.in(zone)) == 2 &&
			rows[end].clock.wall.Sub(rows[i].clock.wall).Abs() < 24*time.Hour {
			if end > i && !rows[end].clock.wall.After(rows[end-1].clock.wall) {
				steps, step = steps+1, end
			}
			end++
		}
		if steps != 1 {
			_, err := rows[i].clock.only(zone)
			return nil, fmt.Errorf("line %d: %w", rows[i].line, err)
		}
		for j := i; j < end; j++ {
			both := rows[j].clock.in(zone)
			if times[j] = both[0]; j >= step {
				times[j] = both[1]
			}
		}
		i = end - 1
	}
	return times, nil
}
