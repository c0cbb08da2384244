package trial

import "github.com/trialproof/trialproof/trial/smap"

// Grown returns a state of a log with other records.
func Grown(s *State, records []Record) *State {
	g := &State{genesis: s.genesis, size: s.size, time: s.time, records: map[smap.Hash]Record{}, dirty: map[smap.Hash]struct{}{},
		changed: map[smap.Hash]struct{}{}}
	for _, r := range records {
		key := r.RecordKey().Hash()
		g.records[key] = r
		g.dirty[key] = struct{}{}
	}
	g.rehash()
	g.Commit()
	return g
}
