package etl

import (
	"os"
	"testing"

	"groundwork/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(playReplicator) != "" {
		os.Exit(playReplicate())
	}
	embeddedtest.Main(m)
}
