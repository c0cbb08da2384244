package trial

// Grown returns a state of a log with other records, which all differ.
func Grown(s *State, records []Record) *State {
	g := &State{genesis: s.genesis, size: s.size, time: s.time}
	if err := g.fill(records); err != nil {
		panic(err)
	}
	g.Commit()
	return g
}
