package warehouse_test

import (
	"testing"

	"groundwork/internal/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }
