package warehouse_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// A fault of the program ends what it is in, not the process, and says where it was.
func TestFaultsAreErrors(t *testing.T) {
	t.Parallel()
	err := warehouse.Guarded(func() error {
		var none []int
		return errors.New(string(rune(none[len(none)])))
	})
	require.ErrorContains(t, err, "a fault of the program: runtime error: index out of range")
	require.ErrorContains(t, err, "together_test.go")
	require.NoError(t, warehouse.Guarded(func() error { return nil }))
	own := errors.New("own")
	require.Equal(t, own, warehouse.Guarded(func() error { return own }))
}
