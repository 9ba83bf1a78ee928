package engine

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	p := start(t, Config{Password: ownerPassword, BIPassword: biPassword})
	basic := func(user, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	keys := func(user, password string) http.Header {
		return http.Header{"X-Clickhouse-User": {user}, "X-Clickhouse-Key": {password}}
	}
	for _, c := range []struct {
		header http.Header
		params []string
		ok     bool
	}{
		{basic("groundwork", ownerPassword), nil, true},
		{basic("bi", biPassword), nil, true},
		{keys("groundwork", ownerPassword), nil, true},
		{keys("default", ownerPassword), nil, true},
		{nil, []string{"user", "groundwork", "password", ownerPassword}, true},
		{nil, []string{"password", ownerPassword}, true},
		{nil, nil, false},
		{basic("groundwork", biPassword), nil, false},
		{basic("groundwork", ""), nil, false},
		{keys("bi", ownerPassword), nil, false},
		{keys("nobody", ""), nil, false},
		{nil, []string{"user", "bi"}, false},
	} {
		a := p.request(t, http.MethodPost, strings.NewReader("SELECT 1"), c.header, c.params...)
		if c.ok {
			require.Equal(t, "1\n", a.ok(t).body)
			continue
		}
		require.Equal(t, http.StatusForbidden, a.status)
		require.Equal(t, "516", a.header.Get("X-ClickHouse-Exception-Code"))
		require.Contains(t, a.body, "AUTHENTICATION_FAILED")
		require.NotContains(t, a.body, biPassword)
	}
}

func TestReaderReadsWhatIsPublishedOnly(t *testing.T) {
	t.Parallel()
	p := start(t, Config{})
	p.query(t, "CREATE TABLE f_issue (n UInt8, secret String) ENGINE = MergeTree ORDER BY n")
	p.query(t, "INSERT INTO f_issue VALUES (1, 'hidden'), (2, 'hidden')")
	p.query(t, "CREATE VIEW pub_issue AS SELECT n AS id FROM f_issue")
	p.query(t, "CREATE DICTIONARY d_names (n UInt8, secret String) PRIMARY KEY n SOURCE(CLICKHOUSE(TABLE 'f_issue')) LAYOUT(FLAT) LIFETIME(0)")
	uuid := p.query(t, "SELECT uuid FROM system.tables WHERE name = 'f_issue'")

	for _, sql := range []string{
		"SELECT count() FROM pub_issue",
		"SELECT count() FROM groundwork.pub_issue",
		"WITH x AS (SELECT id FROM pub_issue) SELECT count() FROM x",
		"SELECT a.id, b.id FROM pub_issue a JOIN pub_issue AS b ON a.id = b.id ORDER BY 1 FORMAT JSON",
		"SELECT id FROM pub_issue WHERE id IN (SELECT number FROM numbers(5))",
		"SELECT name FROM system.tables WHERE database = 'groundwork'",
		"SHOW TABLES", "DESCRIBE TABLE pub_issue", "SHOW CREATE TABLE pub_issue", "EXPLAIN SELECT * FROM pub_issue",
		"SELECT table_name FROM information_schema.tables", "SELECT 'f_issue'",
	} {
		p.query(t, sql, "user", "bi")
	}
	require.Equal(t, "2", p.query(t, "SELECT count() FROM pub_issue", "user", "bi", "max_threads", "1", "output_format_json_quote_64bit_integers", "1"))

	for _, sql := range []string{
		"SELECT * FROM f_issue", "SELECT * FROM groundwork.f_issue", "SELECT * FROM `f_issue`", "SELECT * FROM \"groundwork\".\"f_issue\"",
		"SELECT * FROM `f\\x5fissue`", "SELECT * FROM `groundwork.f_issue`", "SELECT * FROM/**/f_issue",
		"SELECT (SELECT any(secret) FROM f_issue)", "SELECT 1 IN f_issue", "SELECT id FROM pub_issue WHERE id IN (SELECT n FROM f_issue)",
		"WITH f_issue AS (SELECT 1) SELECT * FROM f_issue",
		"SELECT * FROM merge('groundwork', 'f_')", "SELECT * FROM Merge(currentDatabase(), '^f')", "SELECT * FROM remote('localhost', 'groundwork', 'f_' || 'issue')",
		"SELECT * FROM cluster('default', 'groundwork', 'f_' || 'issue')", "SELECT * FROM loop('groundwork', concat('f_', 'issue'))",
		"SELECT * FROM mergeTreeIndex('groundwork', 'f_' || 'issue')", "SELECT * FROM dictionary('d_' || 'names')",
		"SELECT dictGet('d_' || 'names', 'secret', 1)", "SELECT dictGetOrDefault('d_names', 'secret', 1, '')", "SELECT * FROM d_names",
		"SELECT joinGet('f_' || 'issue', 'secret', 1)", "SELECT file('x')", "SELECT * FROM file('x')", "SELECT hasColumnInTable('groundwork', 'f_' || 'issue', 'secret')",
		"SELECT * FROM {t:Identifier}", "SELECT * FROM groundwork.{ t : Identifier }", "SELECT * FROM pub_issue UUID '" + uuid + "'", "SELECT * FROM x UUID '" + uuid + "'",
		"SELECT * FROM system.processes", "SELECT * FROM system.`processes`", "SELECT * FROM `system.processes`", "SELECT * FROM SYSTEM.processes",
		"SHOW PROCESSLIST", "SHOW CREATE TABLE f_issue", "DESCRIBE TABLE f_issue", "CHECK TABLE pub_issue",
		"INSERT INTO pub_issue VALUES (1)", "INSERT INTO x SELECT 1", "CREATE TABLE pub_x (n UInt8) ENGINE = Memory", "DROP VIEW pub_issue", "SET readonly = 0",
		"SELECT 1 SETTINGS readonly = 0", "SELECT * FROM pub_issue SETTINGS max_execution_time = 0", "SELECT 1; DROP VIEW pub_issue", "KILL QUERY WHERE 1",
		"SYSTEM RELOAD DICTIONARIES", "CREATE TEMPORARY TABLE t (n UInt8)", "USE system", "OPTIMIZE TABLE pub_issue", "GRANT ALL ON *.* TO default",
	} {
		a := p.send(t, sql, "user", "bi", "param_t", "f_issue")
		require.NotEqual(t, http.StatusOK, a.status, "%s: %s", sql, a.body)
		require.NotContains(t, a.body, "hidden", sql)
	}
	for _, params := range [][]string{
		{"readonly", "0", "allow_ddl", "1"}, {"max_memory_usage", "0"}, {"database", "system"}, {"allow_introspection_functions", "1"},
	} {
		a := p.send(t, "SELECT 1", append(params, "user", "bi")...)
		require.NotEqual(t, http.StatusOK, a.status, "%v", params)
	}
	require.Equal(t, "2", p.query(t, "SELECT count() FROM f_issue"))
}
