package warehouse_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
	"groundwork/warehouse/stats"
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

// Whether a cell's numbers have rows of their own or a map tells where they are, from the beginning or after a while, the life table is that of an addition by number.
func TestCountsOfACell(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		want := map[int64]*stats.LifeRow{}
		ends := make([]warehouse.NumberedCounts, 5)
		for end := range ends {
			size := []int{0, 1, 40, 900, 2500}[rnd.IntN(5)]
			for range size {
				number, n := rnd.Int64N(3000), rnd.Int64N(9)-2 // what went is counted off
				ends[end].Numbers, ends[end].Counts = append(ends[end].Numbers, number), append(ends[end].Counts, n)
				if want[number] == nil {
					want[number] = &stats.LifeRow{Time: warehouse.DaysByHour(number)}
				}
				want[number].Events[end] += float64(n)
			}
		}
		got := map[float64]stats.LifeRow{}
		rows := warehouse.CountByHour(ends)
		for _, row := range rows {
			require.NotZero(t, row.Events, "seed %d", seed)
			got[row.Time] = row
		}
		require.Len(t, got, len(rows), "seed %d", seed)
		require.True(t, slices.IsSortedFunc(rows, func(a, b stats.LifeRow) int { return int(math.Copysign(1, a.Time-b.Time)) }), "seed %d", seed)
		maps.DeleteFunc(want, func(_ int64, row *stats.LifeRow) bool { return row.Events == [len(row.Events)]float64{} })
		require.Len(t, rows, len(want), "seed %d", seed)
		for number, row := range want {
			require.Equal(t, *row, got[row.Time], "number %d, seed %d", number, seed)
		}
	}
}
