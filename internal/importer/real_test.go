package importer

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// realData is the folder of real sources beside the repository; tests on it skip where it is not handed out.
func realData(t *testing.T, parts ...string) []byte {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "data"}, parts...)...)
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("no real data: %s is absent", path)
	}
	require.NoError(t, err)
	return data
}

func TestRealMessages(t *testing.T) {
	t.Parallel()
	answered, err := ReadMessages(realData(t, "messages", "answered.csv"), "answered.csv", Options{})
	require.NoError(t, err)
	open, err := ReadMessages(realData(t, "messages", "open.csv"), "open.csv", Options{})
	require.NoError(t, err)

	require.Empty(t, answered.Rejects)
	require.Empty(t, open.Rejects)
	require.Len(t, answered.Records, 1408)
	require.Len(t, open.Records, 2163)

	s := Summarise(answered, open)
	require.Equal(t, 1408, s.Answered)
	require.Zero(t, s.Closed)
	require.GreaterOrEqual(t, float64(s.Placed)/float64(s.Records), 0.93)
	require.Equal(t, 3571-62, s.Issues, "62 messages repeat an earlier one")
	levels := map[string]int{}
	for _, r := range append(slices.Clone(answered.Records), open.Records...) {
		levels[r.Place.Level()]++
	}
	require.Equal(t, map[string]int{"COUNTY": 2348, "PREFECTURE": 1047, "PROVINCE": 72, "": 104}, levels)

	days := 0
	for _, r := range answered.Records {
		require.False(t, r.Reply.At.Before(r.ReceivedAt), "message %s", r.ExternalID)
		if r.Reply.Precision == Day {
			days++
		}
	}
	require.Equal(t, 1, days)

	codes := map[string]string{}
	for _, region := range Regions(append(answered.Records, open.Records...)) {
		require.Len(t, region.Code, 12)
		require.NotContains(t, codes, region.Code)
		codes[region.Code] = region.Name
	}
}

// The files are cut anywhere a quote may be lost; what stays readable must be read.
func TestRealMessagesSurviveDamage(t *testing.T) {
	t.Parallel()
	data := realData(t, "messages", "open.csv")
	whole, err := ReadMessages(data, "open.csv", Options{})
	require.NoError(t, err)
	for _, at := range []int{len(data) / 5, len(data) / 2, len(data) * 4 / 5} {
		damaged := append(append(append([]byte{}, data[:at]...), '"'), data[at:]...)
		got, err := ReadMessages(damaged, "open.csv", Options{})
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(got.Records), len(whole.Records)-2, "a stray quote at byte %d", at)
		require.NotEmpty(t, got.Rejects)
	}
}

func TestRealOpen311(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Los_Angeles")
	require.NoError(t, err)
	f, err := ReadOpen311(realData(t, "open311", "requests.json"), "requests.json", Options{Location: zone, Source: "open311:sf"})
	require.NoError(t, err)
	require.Empty(t, f.Rejects)
	require.Len(t, f.Records, 500)
	closed, located, due := 0, 0, 0
	for _, r := range f.Records {
		require.Equal(t, "open311:sf", r.Source)
		require.Equal(t, Day, r.ReceivedPrecision, "this export lost its AM/PM")
		if r.Closed {
			closed++
			require.False(t, r.Reply.At.Before(r.ReceivedAt))
		}
		if r.Lat != nil {
			located++
		}
		if r.DueAt != nil {
			due++
		}
	}
	require.Equal(t, []int{371, 474, 322}, []int{closed, located, due})
	require.Equal(t, "2011-07-08 04:46:00", f.ObservedUntil.In(zone).Format(time.DateTime))
}

func TestRealCategories(t *testing.T) {
	t.Parallel()
	table, err := ReadCategories(realData(t, "messages", "categories.csv"), "categories.csv")
	require.NoError(t, err)
	require.Empty(t, table.Rejects)
	require.Equal(t, 517, table.Read)
	require.Len(t, table.Rows, 517-table.Duplicates)
}
