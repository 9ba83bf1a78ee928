package etl

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestConfigFaultsAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Slot: "Bad Slot", Publication: "x'y", FlushRows: -1})
	for _, text := range []string{"Postgres: connection string is empty", "ClickHouse: no connection", `Slot "Bad Slot"`, `Publication "x'y"`, "FlushRows -1"} {
		require.ErrorContains(t, err, text)
	}
}

func TestAssess(t *testing.T) {
	t.Parallel()
	c := checkpoint{epoch: 3, applied: 100, systemID: "s", timeline: 1, slot: "slot"}
	s := slotState{exists: true, confirmed: 90, walStatus: "reserved"}
	sys := system{id: "s", timeline: 1, position: 120}
	require.Equal(t, verdict{}, assess(c, s, sys, "slot"), "all agree: resume")
	for name, change := range map[string]func(c *checkpoint, s *slotState, sys *system){
		"is missing":           func(_ *checkpoint, s *slotState, _ *system) { *s = slotState{} },
		"has lost its WAL":     func(_ *checkpoint, s *slotState, _ *system) { s.walStatus = "lost" },
		"the warehouse only":   func(_ *checkpoint, s *slotState, _ *system) { s.confirmed = 101 },
		"another Postgres":     func(_ *checkpoint, _ *slotState, sys *system) { sys.id = "t" },
		"does not come from":   func(_ *checkpoint, _ *slotState, sys *system) { sys.timeline = 2 },
		"promoted or restored": func(_ *checkpoint, _ *slotState, sys *system) { sys.timeline, sys.history = 2, history{1: 99} },
		"Postgres only at":     func(_ *checkpoint, _ *slotState, sys *system) { sys.position = 99 },
		"through slot other":   func(c *checkpoint, _ *slotState, _ *system) { c.slot = "other" },
	} {
		c, s, sys := c, s, sys
		change(&c, &s, &sys)
		v := assess(c, s, sys, "slot")
		require.True(t, v.load && v.gap, name)
		require.Contains(t, v.reason, name)
	}
	promoted := system{id: "s", timeline: 3, position: 120, history: history{1: 100, 2: 110}}
	require.Equal(t, verdict{}, assess(c, s, promoted, "slot"), "promoted where the warehouse had nothing beyond: resume")
	require.Equal(t, verdict{load: true, reason: "first load"}, assess(checkpoint{}, slotState{}, sys, "slot"))
	unfinished := checkpoint{epoch: 1, systemID: "s", timeline: 1, slot: "slot"}
	require.Equal(t, verdict{load: true, reason: "the last load did not finish"}, assess(unfinished, s, sys, "slot"))
}

func TestHistoriesOfTimelines(t *testing.T) {
	t.Parallel()
	h, err := parseHistory([]byte("1\t0/5000148\tno recovery target specified\n\n# a remark\n2\t1A/BEEF\tbefore 2025-01-01 00:00:00+00\n"))
	require.NoError(t, err)
	require.Equal(t, history{1: 0x5000148, 2: 0x1A0000BEEF}, h)
	for _, broken := range []string{"1", "one\t0/1\tx", "1\tx\ty"} {
		_, err := parseHistory([]byte(broken))
		require.Error(t, err, broken)
	}
}

func TestVersionsSortAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := version{commit: 1 << 40, ordinal: rapid.Uint64().Draw(t, "a")}
		b := version{commit: 1<<40 + 1, ordinal: rapid.Uint64().Draw(t, "b")}
		require.True(t, a.less(b))
		require.Equal(t, a, readVersion(a.appendTo(nil)))
	})
}

// COPY's stream may be cut anywhere.
func TestCopyReaderTakesAnyCut(t *testing.T) {
	t.Parallel()
	stream := []byte(copySignature + "\x00\x00\x00\x00\x00\x00\x00\x02ab")
	for range 3 {
		stream = append(stream, "\x00\x02\x00\x00\x00\x03one\xff\xff\xff\xff"...)
	}
	stream = append(stream, 0xff, 0xff)
	rapid.Check(t, func(t *rapid.T) {
		rows := 0
		r := &copyReader{row: func(f []field) error {
			rows++
			require.Len(t, f, 2)
			require.Equal(t, "one", string(f[0].data))
			require.EqualValues(t, fieldNull, f[1].kind)
			return nil
		}}
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			_, err := r.Write(append([]byte(nil), rest[:n]...))
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.Equal(t, 3, rows)
		require.True(t, r.ended)
	})
}

func TestBrokenMessagesAreErrors(t *testing.T) {
	t.Parallel()
	whole := []byte("U\x00\x00\x00\x07K\x00\x01b\x00\x00\x00\x01kN\x00\x02b\x00\x00\x00\x01ku")
	var c change
	require.NoError(t, parseChange(whole, &c))
	require.Len(t, c.old, 1)
	require.Len(t, c.new, 2)
	require.EqualValues(t, fieldToast, c.new[1].kind)
	for n := range whole {
		require.Error(t, parseChange(whole[:n], &c), "cut at %d", n)
	}
	require.Error(t, parseChange(append(whole, 0), &c))
	rapid.Check(t, func(t *rapid.T) { // whatever comes, no panic
		_ = parseChange(rapid.SliceOf(rapid.Byte()).Draw(t, "message"), &c)
	})
}

// FuzzParseChange: whatever comes, parsing ends without a panic, and what it took for a change has fields that lie inside the message.
func FuzzParseChange(f *testing.F) {
	for _, seed := range []string{
		"U\x00\x00\x00\x07K\x00\x01b\x00\x00\x00\x01kN\x00\x02b\x00\x00\x00\x01ku", "I\x00\x00\x00\x07N\x00\x01n", "D\x00\x00\x00\x07O\x00\x02b\x00\x00\x00\x00n",
		"I\x00\x00\x00\x07N\x00\x01b\xff\xff\xff\xff", "U\x00\x00\x00\x07N\xff\xffu",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		var c change
		if parseChange(message, &c) != nil {
			return
		}
		total := 0
		for _, field := range append(append([]field(nil), c.old...), c.new...) {
			total += len(field.data)
		}
		require.LessOrEqual(t, total, len(message))
	})
}

func TestEncodersRefuseWhatWouldChange(t *testing.T) {
	t.Parallel()
	date := func(v int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
	micros := func(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
	for name, c := range map[string]struct {
		encode encoder
		src    []byte
		want   string // hex, or the reason
	}{
		"first day":               {encodeDate, date(-36524), "219cffff"},
		"day before":              {encodeDate, date(-36525), "outside"},
		"last day":                {encodeDate, date(109572), "d1d60100"},
		"day after":               {encodeDate, date(109573), "outside"},
		"date infinity":           {encodeDate, date(math.MaxInt32), "infinity"},
		"date -infinity":          {encodeDate, date(math.MinInt32), "infinity"},
		"first microsecond":       {encodeTimestamp, micros(-36524 * 86400_000000), "006043b7ef26f8ff"},
		"microsecond before":      {encodeTimestamp, micros(-36524*86400_000000 - 1), "outside"},
		"microsecond after":       {encodeTimestamp, micros(109573 * 86400_000000), "outside"},
		"time infinity":           {encodeTimestamp, micros(math.MaxInt64), "infinity"},
		"uuid":                    {encodeUUID, unhex(t, "00112233445566778899aabbccddeeff"), "7766554433221100ffeeddccbbaa9988"},
		"ltree":                   {encodeLtree, []byte("\x01a.b"), "03612e62"},
		"ltree of another format": {encodeLtree, []byte("\x02a.b"), "unexpected binary form"},
		"no elements":             {encodeTextArray, unhex(t, "000000000000000000000019"), "00"},
		"two dimensions":          {encodeTextArray, unhex(t, "000000020000000000000019"), "2 dimensions"},
		"null element":            {encodeTextArray, unhex(t, "0000000100000001000000190000000100000001ffffffff"), "null inside"},
		"short int":               {encodeInt32, []byte{1}, "unexpected binary form"},
	} {
		got, err := c.encode([]byte{}, c.src)
		if err != nil {
			require.ErrorContains(t, err, c.want, name)
			continue
		}
		require.Equal(t, c.want, hex.EncodeToString(got), name)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestTypeTableIsDocumented(t *testing.T) {
	t.Parallel()
	doc := typesDoc
	for pair := range encoders {
		bare := strings.ReplaceAll(strings.TrimPrefix(pair.postgres, "_"), ",", ", ")
		name := map[string]string{"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision", "bool": "boolean"}[bare]
		if name == "" {
			name = bare
		}
		require.Contains(t, doc, "`"+name, "TYPES.md lacks %s", pair.postgres)
		require.Contains(t, doc, "`"+strings.ReplaceAll(pair.clickhouse, ",", ", ")+"`", "TYPES.md lacks %s", pair.clickhouse)
		require.NotEmpty(t, zeros[pair.clickhouse])
	}
}
