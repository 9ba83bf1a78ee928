package warehouse_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

func TestReadCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int64{
		"[]": nil, "[0]": {0}, "[7,0,1500]": {7, 0, 1500}, "[-1,2]": {-1, 2}, "[900000000000000000]": {900_000_000_000_000_000},
	} {
		got, err := warehouse.ReadCounts(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got[:len(got):len(got)], text)
	}
	for _, text := range []string{"[a]", "[1,,2]", "[1;2]", "[-]", "[1,-]", "[1.5]", "[ 1]", "[9223372036854775807]", "[99999999999999999999]"} {
		_, err := warehouse.ReadCounts(text)
		require.ErrorContains(t, err, strconv.Quote(text))
	}
}

// What is read is what strconv reads, or an error.
func FuzzReadCounts(f *testing.F) {
	f.Add("[1,2,3]")
	f.Add("[-5,0]")
	f.Add("[9223372036854775807]")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := warehouse.ReadCounts(text)
		if err != nil {
			return
		}
		list := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
		for i, part := range strings.Split(list, ",") {
			if i == len(got) {
				require.Empty(t, part) // of an empty list, or after a last comma
				break
			}
			want, err := strconv.ParseInt(part, 10, 64)
			require.NoError(t, err, text)
			require.Equal(t, want, got[i], text)
			require.Less(t, want, int64(math.MaxInt64))
		}
	})
}
