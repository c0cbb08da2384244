package logserver

// A turn is a lock that is held while something else is waited for: a database, a witness. It is
// a channel, because a mutex is for moments: under testing/synctest no time passes while a mutex
// is waited for.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take() { t <- struct{}{} }

// try takes the turn if nobody has it.
func (t turn) try() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t turn) end() { <-t }
