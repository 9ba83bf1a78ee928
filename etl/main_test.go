package etl

import (
	"os"
	"testing"

	"groundwork/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) {
	spoilDone = true
	if os.Getenv(playReplicator) != "" {
		os.Exit(playReplicate())
	}
	embeddedtest.Main(m)
}
