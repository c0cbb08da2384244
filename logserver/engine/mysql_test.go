package engine

import (
	"os"
	"sync"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestConnections: however much is asked at once, a pool opens no more connections than it may, and
// those that found none free are answered later.
func TestConnections(t *testing.T) {
	dsn := os.Getenv(mysqlEnv)
	if dsn == "" {
		trialtest.Skip(t, mysqlEnv+" is not set: MySQL is not tested")
	}
	db, err := OpenMySQL(t.Context(), newDatabase(t, dsn))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const askers = 3 * maxConns
	var holding, done sync.WaitGroup
	holding.Add(maxConns)
	release := make(chan struct{})
	for range askers {
		done.Go(func() {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			select {
			case <-release:
			default:
				holding.Done()
				<-release
			}
			if err := conn.PingContext(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	holding.Wait() // a further one would make this go below zero, which panics
	if n := db.Stats().OpenConnections; n != maxConns {
		t.Errorf("%d connections are open, wanted %d", n, maxConns)
	}
	close(release)
	done.Wait()
}
