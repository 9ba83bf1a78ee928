package sqlguard

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sql  string
		want Statement
	}{
		{"select 1", Statement{Kind: Query, Keyword: "SELECT", Text: "select 1", Head: "select 1"}},
		{" \ufeff"[1:] + "SELECT 1 ; -- end\n;", Statement{Kind: Query, Keyword: "SELECT", Text: "SELECT 1", Head: "SELECT 1", DataAt: 3}},
		{"SELECT/* ; /* nested ' */ */1 # x", Statement{Kind: Query, Keyword: "SELECT", Text: "SELECT 1", Head: "SELECT 1"}},
		{"SELECT 1 FORMAT JSON", Statement{Kind: Query, Keyword: "SELECT", Text: "SELECT 1 FORMAT JSON", Head: "SELECT 1", Format: "JSON"}},
		{"SELECT 1 format csv SETTINGS a = 1;", Statement{Kind: Query, Keyword: "SELECT", Text: "SELECT 1 format csv SETTINGS a = 1", Head: "SELECT 1", Format: "csv", Settings: "SETTINGS a = 1"}},
		{"SELECT format FROM (SELECT 'x' AS format FORMAT TSV)", Statement{Kind: Query, Keyword: "SELECT", Text: "SELECT format FROM (SELECT 'x' AS format FORMAT TSV)", Head: "SELECT format FROM (SELECT 'x' AS format FORMAT TSV)"}},
		{"SELECT ';--' || $a$ ; ' $a$ || `;` || \"a\"\"\\\";\"", Statement{Kind: Query, Keyword: "SELECT", Text: "SELECT ';--' || $a$ ; ' $a$ || `;` || \"a\"\"\\\";\"", Head: "SELECT ';--' || $a$ ; ' $a$ || `;` || \"a\"\"\\\";\""}},
		{"INSERT INTO t FORMAT TSV\nrest;'", Statement{Kind: Insert, Keyword: "INSERT", Text: "INSERT INTO t", Head: "INSERT INTO t", Format: "TSV", DataAt: 25}},
		{"insert into t (a, `b;`) settings x=1 format Native \r\n\n", Statement{Kind: Insert, Keyword: "INSERT", Text: "insert into t (a, `b;`) settings x=1", Head: "insert into t (a, `b;`)", Settings: "settings x=1", Format: "Native", DataAt: 53}},
		{"INSERT INTO t VALUES (1);", Statement{Kind: Insert, Keyword: "INSERT", Text: "INSERT INTO t", Head: "INSERT INTO t", Format: "Values", DataAt: 20}},
		{"INSERT INTO format (values) VALUES(1)", Statement{Kind: Insert, Keyword: "INSERT", Text: "INSERT INTO format (values)", Head: "INSERT INTO format (values)", Format: "Values", DataAt: 34}},
		{"INSERT INTO t WITH 1 AS x SELECT x;", Statement{Kind: Command, Keyword: "INSERT", Text: "INSERT INTO t WITH 1 AS x SELECT x"}},
		{"DROP TABLE t SYNC;", Statement{Kind: Command, Keyword: "DROP", Text: "DROP TABLE t"}},
		{"CREATE TABLE sync (sync UInt8) ENGINE = Memory", Statement{Kind: Command, Keyword: "CREATE", Text: "CREATE TABLE sync (sync UInt8) ENGINE = Memory"}},
	} {
		got, err := Parse(c.sql)
		require.NoError(t, err, c.sql)
		got.tokens = nil
		require.Equal(t, c.want, *got, c.sql)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"":                                   "Empty query",
		" -- nothing":                        "Empty query",
		"exit":                               "does not begin a statement",
		"\\i file":                           "unexpected character",
		"?? drop all":                        "does not begin a statement",
		"SELECT 1; SELECT 2":                 "Multi-statements are not allowed",
		"SELECT 1;;SELECT 2":                 "Multi-statements are not allowed",
		"SELECT '\\''; DROP TABLE t --'":     "Multi-statements are not allowed",
		"SELECT 1 INTO /**/ outfile 'x'":     "INTO OUTFILE is not allowed",
		"SELECT (SELECT 1 INTO OUTFILE 'x')": "INTO OUTFILE is not allowed",
		"INSERT INTO t FROM INFILE 'x'":      "FROM INFILE is not allowed",
		"INSERT INTO t":                      "neither FORMAT, VALUES nor SELECT",
		"INSERT INTO t FORMAT":               "names no format",
		"INSERT INTO t FORMAT TSV SETTINGS a=1\n":                                     "before FORMAT",
		"INSERT INTO t SELECT * FROM input('a String') FORMAT TSV\na\n\nDROP TABLE t": "not supported",
		"WITH 1 AS x INSERT INTO t VALUES (1)":                                        "INSERT must be the first word",
		"EXPLAIN INSERT INTO t VALUES (1)":                                            "INSERT must be the first word",
		"SELECT 1 PARALLEL WITH DROP TABLE t":                                         "PARALLEL WITH is not allowed",
		"SELECT 'open":                                                                "not closed",
		"SELECT `open":                                                                "not closed",
		"SELECT 1 /* open /* */":                                                      "not closed",
		"SELECT $a$ open":                                                             "no closed heredoc",
		"SELECT ‘1’":                                                                  "unexpected character '‘'",
		"SELECT \u00a01":                                                              "outside of quotes",
		"SELECT \x00":                                                                 "unexpected character",
		"SELECT (1":                                                                   "not closed",
		"SELECT 1)":                                                                   "unbalanced",
		"`SELECT` 1":                                                                  "does not begin a statement",
	} {
		_, err := Parse(sql)
		var refused *Error
		require.ErrorAs(t, err, &refused, sql)
		require.Contains(t, refused.Message, want, sql)
	}
}

// However a text is read: it never panics, what is accepted is one statement without comments, reading it again gives
// the same, and an appended second statement is refused.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"SELECT 1", "SELECT ';' /* x */ FORMAT TSV", "INSERT INTO t FORMAT TSV\n1\n\nDROP", "INSERT INTO t VALUES (1)", "SELECT $a$;$a$", "SELECT 1 -- x",
		"WITH x AS (SELECT 1) SELECT `;` FROM x", "DROP TABLE t SYNC", "SELECT 1//2", "SELECT x'41'", "SELECT 'a''b\\'c'", "\ufeffSELECT 1;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := Parse(sql)
		var refused *Error
		if err != nil {
			require.True(t, errors.As(err, &refused))
			return
		}
		if s.Kind == Insert {
			require.LessOrEqual(t, s.DataAt, len(sql))
			return
		}
		again, err := Parse(s.Text)
		require.NoError(t, err, "%q", s.Text)
		require.Equal(t, s.Text, again.Text)
		require.Equal(t, len(s.tokens), len(again.tokens))
		for _, token := range again.tokens {
			require.NotEqual(t, ";", token.text)
		}
		_, err = Parse(s.Text + "\n;\nDROP TABLE t")
		require.ErrorAs(t, err, &refused)
		require.True(t, strings.Contains(refused.Message, "Multi-statements") || strings.Contains(refused.Message, "Syntax error"))
	})
}
