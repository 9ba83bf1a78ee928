package engine

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The engine keeps the output of a failed statement in its connection and puts it before the next result. Rows would
// cross requests.
func TestOutputOfAFailedStatementNeverReachesTheNextRequest(t *testing.T) {
	t.Parallel()
	p := start(t, Config{MaxStatements: 1}) // all requests share the one connection
	for i := range 20 {
		p.send(t, "SELECT number, throwIf(number = 3) FROM numbers(10) SETTINGS max_block_size = 1")
		p.send(t, "SELECT * FROM no_such_table")
		require.Equal(t, "clean", p.query(t, "SELECT 'clean'"), "round %d", i)
		failed := p.send(t, "KILL QUERY WHERE throwIf(1) = 1")
		require.NotEqual(t, http.StatusOK, failed.status)
		require.Equal(t, "clean", p.query(t, "SELECT 'clean'"), "round %d", i)
	}
}

// Inline data ends for the engine at the first empty line, and what follows runs as SQL.
func TestInsertDataIsNeverRunAsSQL(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, c := range []struct{ format, data, want string }{
		{"RowBinary", "\x04AAAA\x10\n\nDROP TABLE b;;", "2"},
		{"TSV", "a\n\nDROP TABLE b\n\n", "4"},
		{"CSV", "a\n\nDROP TABLE b\n", "3"},
		{"JSONEachRow", "{\"s\":\"a\"}\n\n{\"s\":\"DROP TABLE b\"}\n", "2"},
		{"LineAsString", "\n\nDROP TABLE b;\n\nSELECT 1", "5"},
		{"Values", "('a'),\n\n('; DROP TABLE b')", "2"},
	} {
		for _, inBody := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s inBody=%v", c.format, inBody), func(t *testing.T) {
				f.query(t, "DROP TABLE IF EXISTS b SYNC")
				f.query(t, "CREATE TABLE b (s String) ENGINE = MergeTree ORDER BY tuple()")
				if inBody {
					f.send(t, "INSERT INTO b FORMAT "+c.format+"\n"+c.data).ok(t)
				} else {
					f.insert(t, "INSERT INTO b FORMAT "+c.format, c.data).ok(t)
				}
				require.Equal(t, c.want, f.query(t, "SELECT count() FROM b"))
			})
		}
	}
}

func TestValuesEndAtTheirSemicolon(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE v (n UInt8) ENGINE = MergeTree ORDER BY n")
	f.send(t, "INSERT INTO v VALUES (1), (2);\n").ok(t)
	for _, attack := range []string{"INSERT INTO v VALUES (3); DROP TABLE v", "INSERT INTO v VALUES (3)\n\n; DROP TABLE v", "INSERT INTO v VALUES (3)\n\nDROP TABLE v"} {
		f.send(t, attack)
		require.Equal(t, "1", f.query(t, "EXISTS TABLE v"), attack)
	}
	require.Equal(t, "0", f.query(t, "SELECT countIf(n NOT IN (1, 2, 3)) FROM v"))
}

// The engine's client runs several statements, reads and writes files of this machine, and has commands of its own.
func TestOnlyOneStatementThatStaysInside(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE keep (n UInt8) ENGINE = MergeTree ORDER BY n")
	secret := filepath.Join(t.TempDir(), "secret.tsv")
	require.NoError(t, os.WriteFile(secret, []byte("7\n"), 0o600))
	target := filepath.Join(t.TempDir(), "out.tsv")
	for _, sql := range []string{
		"SELECT 1; DROP TABLE keep",
		"SELECT 1 /* ; */; -- x\nDROP TABLE keep",
		"INSERT INTO keep SELECT 1; DROP TABLE keep",
		"SELECT 1 PARALLEL WITH DROP TABLE keep",
		"SELECT 1 INTO OUTFILE '" + target + "'",
		"SELECT 1 into/**/outfile '" + target + "' FORMAT TSV",
		"INSERT INTO keep FROM INFILE '" + secret + "' FORMAT TSV",
		"WITH 1 AS x INSERT INTO keep FORMAT TSV\n1\n\nDROP TABLE keep",
		"EXPLAIN SYNTAX INSERT INTO keep FORMAT TSV\n1\n\nDROP TABLE keep",
		"exit", "quit", "\\i " + secret, "q", ":q", "?? drop it", "help", "1+1",
		"SELECT * FROM file('" + secret + "', TSV, 'n UInt8')",
		"INSERT INTO FUNCTION file('" + target + "', TSV, 'n UInt8') VALUES (1)",
		"INSERT INTO FUNCTION file('" + target + "', TSV, 'n UInt8') SELECT 1",
		"SELECT * FROM url('" + f.URL + "/?query=SELECT+1', TSV, 'n UInt8')",
		"SELECT * FROM executable('cat', TSV, 'n UInt8')",
		"SELECT * FROM remote('127.0.0.1:1', system.one)",
		"SELECT * FROM s3('http://127.0.0.1:1/x', TSV, 'n UInt8')",
		"CREATE TABLE u (n UInt8) ENGINE = URL('" + f.URL + "', TSV)",
		"CREATE TABLE u (n UInt8) ENGINE = File(TSV, '" + secret + "')",
		"SYSTEM SHUTDOWN",
	} {
		a := f.send(t, sql)
		require.NotEqual(t, http.StatusOK, a.status, "%s: %s", sql, a.body)
		require.Contains(t, a.body, "DB::Exception", sql)
	}
	require.NoFileExists(t, target)
	require.Equal(t, "0", f.query(t, "SELECT count() FROM keep"))
}

// A request never sees what another one set in the session that it got.
func TestSessionsDoNotLeak(t *testing.T) {
	t.Parallel()
	p := start(t, Config{MaxStatements: 2})
	p.query(t, "CREATE DATABASE other ENGINE = Atomic")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				p.query(t, "SELECT getSetting('max_block_size')", "max_block_size", "7")
				p.query(t, "USE other")
				p.query(t, "SET max_block_size = 8")
				p.query(t, "CREATE TEMPORARY TABLE mine (n UInt8)")
				if got := p.query(t, "SELECT getSetting('max_block_size'), currentDatabase()"); !strings.HasSuffix(got, "\tgroundwork") || strings.HasPrefix(got, "7") || strings.HasPrefix(got, "8\t") {
					t.Errorf("the session of another request: %q", got)
				}
			}
		})
	}
	all.Wait()
}
