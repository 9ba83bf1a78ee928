package importer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func opinion(id, user, subject, text string, day int, place ...string) Record {
	return Record{Source: SourceMessageBoard, ExternalID: id, ReporterKey: user, Subject: subject, Text: text,
		ReceivedAt: testNow.AddDate(0, 0, day), Place: place}
}

func TestRepeatsRule(t *testing.T) {
	t.Parallel()
	const long = "我们小区门口的工地每天晚上施工到凌晨两点，噪音很大，老人孩子都无法休息，多次打电话没有人管。"
	base := opinion("1", "U1", "投诉A3区工地夜间施工", long, 0, "西地省", "A市", "A3区")
	for name, c := range map[string]struct {
		other Record
		want  bool
	}{
		"same subject":           {opinion("2", "U1", "投诉Ａ3区工地，夜间施工！", "又来了", 3, base.Place...), true},
		"same text":              {opinion("2", "U1", "没有人管吗", long, 3, base.Place...), true},
		"similar":                {opinion("2", "U1", "再次投诉", long+"请尽快处理。", 3, base.Place...), true},
		"unlike":                 {opinion("2", "U1", "咨询A3区落户政策", "请问大专学历能否落户，需要什么材料。", 3, base.Place...), false},
		"another user":           {opinion("2", "U2", base.Subject, long, 3, base.Place...), false},
		"half a year later":      {opinion("2", "U1", base.Subject, long, 181, base.Place...), false},
		"within half a year":     {opinion("2", "U1", base.Subject, long, 180, base.Place...), true},
		"another county":         {opinion("2", "U1", base.Subject, long, 3, "西地省", "A市", "A5区"), false},
		"the county's city":      {opinion("2", "U1", base.Subject, long, 3, "西地省", "A市"), true},
		"no place named":         {opinion("2", "U1", base.Subject, long, 3), true},
		"a subject too short":    {opinion("2", "U1", "投诉", "别的事情完全不同", 3, base.Place...), false},
		"earlier, imported late": {opinion("2", "U1", base.Subject, long, -3, base.Place...), true},
	} {
		want := 2
		if c.want {
			want = 1
		}
		require.Len(t, GroupRepeats([]Record{base, c.other}), want, name)
	}
	anonymous := opinion("1", "匿名", base.Subject, long, 0)
	require.Len(t, GroupRepeats([]Record{anonymous, anonymous}), 2, "anonymous authors cannot be told apart")
}

func TestLinkKeepsAndExtends(t *testing.T) {
	t.Parallel()
	subject := "投诉A3区工地夜间施工"
	existing := []Linked{
		{"issue-late", opinion("1", "U1", subject, "a", 10)},
		{"issue-early", opinion("2", "U1", subject, "b", 5)},
	}
	got := Link(existing, []Record{
		opinion("1", "U1", subject, "a", 10),
		opinion("3", "U1", subject, "c", 20),
		opinion("4", "U1", "咨询A3区落户政策材料", "d", 1),
		opinion("5", "U1", "咨询A3区落户政策材料", "e", 2),
		opinion("6", "", subject, "e", 2),
	})
	require.Equal(t, []Assignment{
		{Issue: "issue-late", Lead: -1, Known: true, Score: 1},
		{Issue: "issue-early", Lead: -1, Score: 1},
		{Lead: 2},
		{Lead: 2, Score: 1},
		{Lead: 4},
	}, got)
}

// records draws a set in which repeats of every kind are common.
func records(t *rapid.T) []Record {
	subjects := []string{"投诉工地夜间施工扰民严重", "投诉工地夜间施工扰民", "咨询公交线路调整的时间", "Street lamp broken on Willow Road", "咨询"}
	places := []Place{nil, {"西地省"}, {"西地省", "A市"}, {"西地省", "A市", "A3区"}, {"西地省", "B市"}}
	n := rapid.IntRange(0, 25).Draw(t, "n")
	out := make([]Record, n)
	for i := range out {
		out[i] = Record{
			Source: SourceMessageBoard, ExternalID: fmt.Sprint(i),
			ReporterKey: rapid.SampledFrom([]string{"", "U1", "U1", "U2"}).Draw(t, "user"),
			Subject:     rapid.SampledFrom(subjects).Draw(t, "subject"),
			Text:        rapid.SampledFrom(subjects).Draw(t, "text"),
			Place:       rapid.SampledFrom(places).Draw(t, "place"),
			ReceivedAt:  testNow.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "day")) * 24 * time.Hour),
		}
	}
	return out
}

func externalGroups(rs []Record, groups [][]int) [][]string {
	var out [][]string
	for _, group := range groups {
		var names []string
		for _, i := range group {
			names = append(names, rs[i].ExternalID)
		}
		out = append(out, names)
	}
	return out
}

func TestGroupingIgnoresOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := records(t)
		want := externalGroups(rs, GroupRepeats(rs))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(rs), func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
		require.Equal(t, want, externalGroups(rs, GroupRepeats(rs)))
		require.Len(t, slices.Concat(GroupRepeats(rs)...), len(rs), "each record once")
	})
}

// store plays the part of a database: it keeps links for ever and names issues by the record that opened them.
func store(existing []Linked, fresh []Record, as []Assignment) []Linked {
	for i, a := range as {
		switch {
		case a.Known:
		case a.Issue != "":
			existing = append(existing, Linked{a.Issue, fresh[i]})
		default:
			existing = append(existing, Linked{"by " + fresh[a.Lead].ExternalID, fresh[i]})
		}
	}
	return existing
}

func issues(ls []Linked) map[string]string {
	out := map[string]string{}
	for _, l := range ls {
		out[l.Record.ExternalID] = l.Issue
	}
	return out
}

func TestImportsInPartsAreStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := records(t)
		cut := rapid.IntRange(0, len(rs)).Draw(t, "cut")
		first := store(nil, rs[:cut], Link(nil, rs[:cut]))
		again := Link(first, rs)
		for i, a := range again[:cut] {
			require.True(t, a.Known)
			require.Equal(t, first[i].Issue, a.Issue, "an existing link stays")
		}
		both := store(first, rs, again)
		require.Len(t, both, len(rs))
		repeated := Link(both, rs)
		require.Equal(t, issues(both), issues(store(both, rs, repeated)), "the same file twice changes nothing")
		for _, a := range repeated {
			require.True(t, a.Known)
		}
	})
}

func TestFileGrownAtItsEndLinksLikeTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rs := records(t)
		slices.SortStableFunc(rs, func(a, b Record) int { return compareRecords(&a, &b) })
		cut := rapid.IntRange(0, len(rs)).Draw(t, "cut")
		parts := store(nil, rs[:cut], Link(nil, rs[:cut]))
		parts = store(parts, rs[cut:], Link(parts, rs[cut:]))
		require.Equal(t, issues(store(nil, rs, Link(nil, rs))), issues(parts))
	})
}
