package groundwork_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"groundwork"
)

// book is an audit of three seals with two entries each.
type book struct {
	key     []byte
	seals   []groundwork.AuditSeal
	entries [][]groundwork.AuditEntry
}

func newBook() *book {
	b := &book{key: []byte("a key of the tests")}
	at := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	var before *groundwork.AuditSeal
	for n := range int64(3) {
		batch := []groundwork.AuditEntry{
			{ID: 2*n + 1, Xid: uint64(10*n + 1), At: at, Actor: "li", Role: "DISPATCHER", Operation: "dispatch", Action: "INSERT", Noun: "issue_event", Affected: 1, Keys: []string{"a/1"}},
			{ID: 2*n + 2, Xid: uint64(10*n + 2), At: at, Actor: "wang", Role: "HANDLER", Operation: "accept", Action: "UPDATE", Noun: "issue", Affected: 1, Keys: []string{"a"}},
		}
		s := groundwork.NewAuditSeal(b.key, before, at, 7, uint64(10*n+10), batch)
		b.seals, b.entries, before = append(b.seals, s), append(b.entries, batch), &s
	}
	return b
}

func (b *book) check(noted ...groundwork.AuditHead) groundwork.AuditReport {
	c := groundwork.NewAuditCheck(b.key, noted...)
	for i, s := range b.seals {
		c.Seal(s, b.entries[i])
	}
	return c.Report()
}

func TestAuditIsComparedWithItsSeals(t *testing.T) {
	t.Parallel()
	changed := groundwork.AuditFault{Kind: groundwork.AuditChanged, Seal: 2, Entry: 3}
	for name, c := range map[string]struct {
		tamper func(*book)
		faults []groundwork.AuditFault
	}{
		"untouched":   {func(*book) {}, nil},
		"actor":       {func(b *book) { b.entries[1][0].Actor = "zhao" }, []groundwork.AuditFault{changed}},
		"time":        {func(b *book) { b.entries[1][0].At = b.entries[1][0].At.Add(time.Microsecond) }, []groundwork.AuditFault{changed}},
		"role":        {func(b *book) { b.entries[1][0].Role = "" }, []groundwork.AuditFault{changed}},
		"login":       {func(b *book) { b.entries[1][0].Login = "x" }, []groundwork.AuditFault{changed}},
		"unit":        {func(b *book) { b.entries[1][0].Unit = "x" }, []groundwork.AuditFault{changed}},
		"official":    {func(b *book) { b.entries[1][0].Official = "x" }, []groundwork.AuditFault{changed}},
		"request":     {func(b *book) { b.entries[1][0].Request = "x" }, []groundwork.AuditFault{changed}},
		"address":     {func(b *book) { b.entries[1][0].Address = "x" }, []groundwork.AuditFault{changed}},
		"operation":   {func(b *book) { b.entries[1][0].Operation = "x" }, []groundwork.AuditFault{changed}},
		"purpose":     {func(b *book) { b.entries[1][0].Purpose = "x" }, []groundwork.AuditFault{changed}},
		"action":      {func(b *book) { b.entries[1][0].Action = "DELETE" }, []groundwork.AuditFault{changed}},
		"noun":        {func(b *book) { b.entries[1][0].Noun = "x" }, []groundwork.AuditFault{changed}},
		"affected":    {func(b *book) { b.entries[1][0].Affected = 2 }, []groundwork.AuditFault{changed}},
		"keys":        {func(b *book) { b.entries[1][0].Keys = nil }, []groundwork.AuditFault{changed}},
		"transaction": {func(b *book) { b.entries[1][0].Xid++ }, []groundwork.AuditFault{changed}},
		"deleted":     {func(b *book) { b.entries[1] = b.entries[1][1:] }, []groundwork.AuditFault{{Kind: groundwork.AuditDeleted, Seal: 2, Entry: 3}}},
		"inserted": {func(b *book) { b.entries[1] = append(b.entries[1], groundwork.AuditEntry{ID: 99}) },
			[]groundwork.AuditFault{{Kind: groundwork.AuditInserted, Seal: 2, Entry: 99}}},
		"seal dropped, with what it covers": {func(b *book) {
			b.seals, b.entries = append(b.seals[:1], b.seals[2]), append(b.entries[:1], b.entries[2])
		},
			[]groundwork.AuditFault{{Kind: groundwork.AuditSealMissing, Seal: 2}, {Kind: groundwork.AuditSealForged, Seal: 3}}},
		"sealed anew without the key": {func(b *book) {
			b.entries[1][0].Actor = "zhao"
			b.seals[1] = groundwork.NewAuditSeal([]byte("guessed"), &b.seals[0], b.seals[1].At, 7, 20, b.entries[1])
		}, []groundwork.AuditFault{{Kind: groundwork.AuditOtherKey, Seal: 2}, {Kind: groundwork.AuditSealForged, Seal: 3}}},
		"sealed anew without the key, under its name": {func(b *book) {
			b.entries[1][0].Actor = "zhao"
			s := groundwork.NewAuditSeal([]byte("guessed"), &b.seals[0], b.seals[1].At, 7, 20, b.entries[1])
			s.KeyID = groundwork.AuditKeyID(b.key)
			b.seals[1] = s
		}, []groundwork.AuditFault{{Kind: groundwork.AuditSealForged, Seal: 2}, {Kind: groundwork.AuditSealForged, Seal: 3}}},
		"window of a seal widened": {func(b *book) { b.seals[1].Upto++ }, []groundwork.AuditFault{{Kind: groundwork.AuditSealForged, Seal: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			c.tamper(b)
			require.Equal(t, c.faults, b.check().Faults)
		})
	}
}

func TestAuditCountsWhatItCompared(t *testing.T) {
	t.Parallel()
	b := newBook()
	r := b.check()
	require.EqualValues(t, 3, r.Seals)
	require.EqualValues(t, 6, r.Entries)
	require.Equal(t, b.seals[2].Head(), r.Head)
}

// Whoever takes the last seals away with their entries, or has the key, leaves nothing to compare with but a head noted elsewhere.
func TestNotedHeadsMustStand(t *testing.T) {
	t.Parallel()
	b := newBook()
	head := b.seals[2].Head()
	require.Empty(t, b.check(head, b.seals[0].Head()).Faults)
	cut := newBook()
	cut.seals, cut.entries = cut.seals[:2], cut.entries[:2]
	require.Empty(t, cut.check().Faults, "the rest is sound by itself")
	require.Equal(t, []groundwork.AuditFault{{Kind: groundwork.AuditSealMissing, Seal: 3}}, cut.check(head).Faults)
	forged := newBook()
	forged.entries[2][0].Actor = "zhao"
	forged.seals[2] = groundwork.NewAuditSeal(forged.key, &forged.seals[1], forged.seals[2].At, 7, 30, forged.entries[2])
	require.Empty(t, forged.check().Faults, "made with the key")
	require.Equal(t, []groundwork.AuditFault{{Kind: groundwork.AuditSealForged, Seal: 3}}, forged.check(head).Faults)
}

func TestAuditFaultsAreNamed(t *testing.T) {
	t.Parallel()
	require.Equal(t, "entry 3 (seal 2): CHANGED", groundwork.AuditFault{Kind: groundwork.AuditChanged, Seal: 2, Entry: 3}.String())
	require.Equal(t, "seal 2: SEAL_FORGED", groundwork.AuditFault{Kind: groundwork.AuditSealForged, Seal: 2}.String())
}
