package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

// answer is a table of a measure and its counts, by regions of these codes.
func answer(codes []string, n []int64) (t, counts *warehouse.Table) {
	keys := make([]warehouse.Key, len(codes))
	for i, code := range codes {
		keys[i] = warehouse.Key{ID: "id of " + code, Code: code}
	}
	dims := []warehouse.Dim{{Dimension: warehouse.ByRegion, Keys: keys}}
	flags := func() map[string][]bool {
		return map[string][]bool{"unstable": make([]bool, len(n)), "provisional": make([]bool, len(n)), "suppressed": make([]bool, len(n))}
	}
	reporters := make([]*float64, len(n))
	for i := range n {
		reporters[i] = new(float64(n[i]))
	}
	t = &warehouse.Table{Dims: dims, N: append([]int64{}, n...), Flags: flags()}
	return t, &warehouse.Table{Dims: dims, N: n, Flags: flags(), Nums: []warehouse.Num{{Name: "reporters", Value: reporters}}}
}

func number(name, unit string, values ...float64) warehouse.Num {
	n := warehouse.Num{Name: name, Unit: unit}
	for _, v := range values {
		n.Value, n.Lo, n.Hi = append(n.Value, new(v)), append(n.Lo, new(v-0.01)), append(n.Hi, new(v+0.01))
	}
	return n
}

func shown(n warehouse.Num) (all []string) {
	for i, v := range n.Value {
		text := "-"
		if v != nil {
			text = fmt.Sprint(*v)
		}
		if (v == nil) != (n.Lo[i] == nil) || (v == nil) != (n.Hi[i] == nil) {
			text += " but its interval not"
		}
		all = append(all, text)
	}
	return all
}

func TestProtect(t *testing.T) {
	t.Parallel()
	codes := []string{"990101000000", "990102000000", "990103000000", "990201000000", "990202000000"}
	table, counts := answer(codes, []int64{4, 200, 100, 90, 80})
	table.Nums = []warehouse.Num{
		number("within7d", "share", 0.5, 0.5, 0.5, 0.5, 0.97), // 0.97 of 80 leaves 2
		number("medianDays", "d", 0.2, 3.2, 31.5, 40, 2),
	}
	table.Flags["unstable"][0] = true
	require.NoError(t, table.Protect(counts))
	require.Equal(t, []bool{true, false, true, false, false}, table.Flags["suppressed"], "4, and the smallest of the same prefecture, whose total is known")
	require.Equal(t, []int64{0, 200, 0, 90, 80}, table.N)
	require.Equal(t, []bool{false, false, false, true, true}, table.Flags["partsSuppressed"], "2 of 80, and another of the same prefecture")
	require.Equal(t, []string{"-", "0.5", "-", "-", "-"}, shown(table.Nums[0]))
	require.Equal(t, []string{"-", "4", "-", "42", "2"}, func() (all []string) {
		for _, v := range table.Nums[1].Value {
			if v == nil {
				all = append(all, "-")
			} else {
				all = append(all, fmt.Sprint(*v))
			}
		}
		return all
	}(), "times stay, in whole days and weeks")
	require.False(t, table.Flags["unstable"][0])
}

func TestProtectCountsReporters(t *testing.T) {
	t.Parallel()
	table, counts := answer([]string{"990101000000", "990102000000", "990103000000"}, []int64{60, 200, 100})
	counts.Nums[0].Value[0] = new(1.0) // one person wrote 60 times
	require.NoError(t, table.Protect(counts))
	require.Equal(t, []bool{true, false, true}, table.Flags["suppressed"])
}

// Counts that make up n together are hidden together: one of them alone could be got from the others.
func TestProtectHidesPartsTogether(t *testing.T) {
	t.Parallel()
	table, counts := answer([]string{"990101000000", "990102000000"}, []int64{100, 100})
	table.Nums = []warehouse.Num{number("open", "issues", 97, 50), number("closed", "issues", 3, 50), number("inflow", "issues", 300, 40), number("ratio", "ratio", 1, 1)}
	require.NoError(t, table.Protect(counts))
	require.Equal(t, []bool{true, true}, table.Flags["partsSuppressed"])
	for _, n := range table.Nums {
		require.Equal(t, []string{"-", "-"}, shown(n), n.Name)
	}
	require.Equal(t, []int64{100, 100}, table.N)
}

// A share near 1 everywhere leaves little everywhere: only that all of it is hidden, the total too, leaves room. Of 12 no share is shown.
func TestProtectWhatIsNearlyAll(t *testing.T) {
	t.Parallel()
	table, counts := answer([]string{"990101000000", "990102000000"}, []int64{100, 100})
	table.Nums = []warehouse.Num{number("nearlyAll", "share", 0.98, 0.98)}
	require.NoError(t, table.Protect(counts))
	require.Equal(t, []string{"-", "-"}, shown(table.Nums[0]))

	table, counts = answer([]string{"990101000000", "990102000000", "990103000000"}, []int64{100, 110, 12})
	table.Nums = []warehouse.Num{number("half", "share", 0.5, 0.5, 0.5)}
	require.NoError(t, table.Protect(counts))
	require.Equal(t, []bool{true, false, true}, table.Flags["suppressed"], "and another must join it")
}

// A column that nothing protects is left out: where all others are known to be all of theirs, what two small cells have is nearly known.
func TestProtectLeavesOutWhatNothingProtects(t *testing.T) {
	t.Parallel()
	table, counts := answer([]string{"990101000000", "990102000000", "990103000000", "990104000000"}, []int64{500, 600, 6, 8})
	table.Nums = []warehouse.Num{number("nearlyAll", "share", 1, 1, 0.5, 0.875), number("half", "share", 0.5, 0.5, 0.5, 0.5)}
	require.NoError(t, table.Protect(counts))
	require.Equal(t, []bool{false, false, true, true}, table.Flags["suppressed"])
	require.Equal(t, []string{"-", "-", "-", "-"}, shown(table.Nums[0]))
	require.Contains(t, table.Notes[0], "nearlyAll is left out")
	require.Contains(t, shown(table.Nums[1]), "0.5")
}

func TestProtectRefusesATruncatedTable(t *testing.T) {
	t.Parallel()
	table, counts := answer([]string{"990101000000"}, []int64{100})
	table.Truncated = true
	var refused *warehouse.InputError
	require.ErrorAs(t, table.Protect(counts), &refused)
	require.Equal(t, "Limit", refused.Field)
}
