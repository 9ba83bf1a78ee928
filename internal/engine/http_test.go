package engine

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, path := range []string{"/ping", "/replicas_status", "/"} {
		response, err := http.Get(f.URL + path)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, "200 Ok.\n", fmt.Sprintf("%d %s", response.StatusCode, text), path)
	}
	response, err := http.Get(f.URL + "/nothing")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNotFound, response.StatusCode)
}

func TestHeadersAndFormats(t *testing.T) {
	t.Parallel()
	f := setup(t)
	a := f.send(t, "SELECT number AS n FROM numbers(3)", "query_id", "my-id", "default_format", "JSONEachRow").ok(t)
	require.Equal(t, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n", a.body)
	require.Equal(t, "my-id", a.header.Get("X-ClickHouse-Query-Id"))
	require.Equal(t, "JSONEachRow", a.header.Get("X-ClickHouse-Format"))
	require.Equal(t, "UTC", a.header.Get("X-ClickHouse-Timezone"))
	require.Equal(t, displayName, a.header.Get("X-ClickHouse-Server-Display-Name"))
	require.Equal(t, "application/x-ndjson; charset=UTF-8", a.header.Get("Content-Type"))
	var summary map[string]string
	require.NoError(t, json.Unmarshal([]byte(a.header.Get("X-ClickHouse-Summary")), &summary))
	require.Equal(t, "3", summary["result_rows"])

	require.Equal(t, "0\n1", f.query(t, "SELECT number FROM numbers(2)"))
	require.Equal(t, "\"n\"\n0", f.query(t, "SELECT number AS n FROM numbers(1) FORMAT CSVWithNames SETTINGS max_threads = 1", "default_format", "JSON"))
	large := f.send(t, "SELECT number AS n, repeat('x', 20) AS s FROM numbers(100000) FORMAT JSON").ok(t)
	var document struct {
		Rows int
		Data []struct{ N json.Number }
	}
	require.NoError(t, json.Unmarshal([]byte(large.body), &document), "one document, however large")
	require.Equal(t, 100000, document.Rows)
	require.Equal(t, 1, strings.Count(f.send(t, "SELECT number AS n, repeat('x', 20) FROM numbers(100000) FORMAT TSVWithNames").body, "n\t"))
	require.True(t, strings.HasPrefix(f.send(t, "SELECT 1 FORMAT Parquet").body, "PAR1"))
	require.Equal(t, "", f.query(t, "SELECT 1 WHERE 0"))
	for _, sql := range []string{"SHOW TABLES", "EXISTS TABLE x", "DESCRIBE TABLE system.one", "EXPLAIN SELECT 1", "(SELECT 1)", "WITH 1 AS x SELECT x", "SELECT 1 -- end", "/* a /* nested */ one */ SELECT 1;", "SHOW CREATE DATABASE groundwork"} {
		f.send(t, sql).ok(t)
	}
}

func TestQueryInAddressAndBody(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE q (n UInt8, s String) ENGINE = MergeTree ORDER BY n")
	f.insert(t, "INSERT INTO q FORMAT TSV", "1\tone\n").ok(t)
	f.insert(t, "INSERT INTO q (s, n) SETTINGS max_insert_threads = 1 FORMAT JSONEachRow", `{"n":2,"s":"two"}`).ok(t)
	f.insert(t, "INSERT INTO q VALUES", "(3, upper('three'))").ok(t)
	f.send(t, "INSERT INTO q VALUES ({n:UInt8}, {s:String})", "param_n", "4", "param_s", "four").ok(t)
	written := f.insert(t, "INSERT INTO q FORMAT CSV", "5,five\n6,six\n").ok(t)
	require.Contains(t, written.header.Get("X-ClickHouse-Summary"), `"written_rows":"2"`)
	f.insert(t, "INSERT INTO q FORMAT CSV", "").ok(t)
	require.Equal(t, "one,two,THREE,four,five,six", f.query(t, "SELECT arrayStringConcat(groupArray(s), ',') FROM (SELECT s FROM q ORDER BY n)"))
	require.Equal(t, "3", f.insert(t, "SELECT 1", "+ 2").ok(t).body[:1])

	get := f.request(t, http.MethodGet, nil, nil, "database", f.database, "query", "SELECT count() FROM q")
	require.Equal(t, "6\n", get.ok(t).body)
	denied := f.request(t, http.MethodGet, nil, nil, "database", f.database, "query", "DROP TABLE q")
	require.Contains(t, denied.body, "Code: 164.")

	parquet := f.send(t, "SELECT n, s FROM q ORDER BY n FORMAT Parquet").ok(t).body
	for _, format := range []string{"Native", "RowBinary", "ArrowStream"} {
		f.insert(t, "INSERT INTO q FORMAT "+format, f.send(t, "SELECT n, s FROM q WHERE n < 7 FORMAT "+format).ok(t).body).ok(t)
	}
	f.insert(t, "INSERT INTO q FORMAT Parquet", parquet).ok(t)
	require.NotEqual(t, "6", f.query(t, "SELECT count() FROM q"))
}

func TestErrors(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, c := range []struct {
		sql    string
		code   string
		status int
	}{
		{"SELEC 1", "62", 400},
		{"SELECT * FROM nothing", "60", 404},
		{"SELECT nothing", "47", 404},
		{"SELECT 1 FORMAT Nothing", "73", 404},
		{"SELECT throwIf(1)", "395", 500},
		{"SELECT 'unclosed", "62", 400},
		{"", "62", 400},
		{"SELECT sleep(3) SETTINGS max_execution_time = 1, timeout_before_checking_execution_speed = 0", "159", 408},
	} {
		a := f.send(t, c.sql)
		require.Equal(t, c.code, a.header.Get("X-ClickHouse-Exception-Code"), "%s: %s", c.sql, a.body)
		require.Equal(t, c.status, a.status, c.sql)
		require.Regexp(t, `^Code: `+c.code+`\. DB::Exception: (?s).*\. \([A-Z_]+\) \(version \S+\)\n$`, a.body)
		require.Equal(t, 1, strings.Count(a.body, "DB::Exception"), a.body)
	}
	require.Equal(t, "115", f.send(t, "SELECT 1", "no_such_setting", "1").header.Get("X-ClickHouse-Exception-Code"))
	require.Contains(t, f.send(t, "SELECT 1", "session_id", "x").body, "sessions are not supported by the embedded engine")
	require.Equal(t, "81", f.process.send(t, "SELECT 1", "database", "nowhere").header.Get("X-ClickHouse-Exception-Code"))
	require.Contains(t, f.send(t, "SELECT '"+strings.Repeat("x", maxQueryBytes)+"'").body, "Max query size exceeded")
}

func TestLateErrorIsTold(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const sql = "SELECT number, throwIf(number = 2000000, 'late') FROM numbers(3000000)"
	a := f.send(t, sql)
	require.Equal(t, http.StatusOK, a.status)
	tag := a.header.Get("X-ClickHouse-Exception-Tag")
	require.Len(t, tag, 16)
	at := strings.Index(a.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395. DB::Exception: late")
	require.Positive(t, at)
	require.True(t, strings.HasSuffix(a.body, " "+tag+"\r\n__exception__\r\n"))
	waited := f.send(t, sql, "wait_end_of_query", "1")
	require.Equal(t, 500, waited.status)
	require.Equal(t, "3000000", f.query(t, "SELECT count() FROM (SELECT number FROM numbers(3000000))", "wait_end_of_query", "1"))
}

func TestCompression(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE z (s String) ENGINE = MergeTree ORDER BY s")
	for _, e := range contentEncodings {
		var packed bytes.Buffer
		w := e.writer(&packed)
		_, err := w.Write([]byte(e.name + "\n"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		f.request(t, http.MethodPost, &packed, http.Header{"Content-Encoding": {e.name}}, "database", f.database, "query", "INSERT INTO z FORMAT TSV").ok(t)

		header := http.Header{"Accept-Encoding": {e.name}}
		body := func(sql string) io.Reader { return strings.NewReader(sql) }
		a := f.request(t, http.MethodPost, body("SELECT repeat('x', 1000) FROM numbers(1000)"), header, "enable_http_compression", "1").ok(t)
		require.Equal(t, e.name, a.header.Get("Content-Encoding"))
		require.Less(t, len(a.body), 100_000)
		r, err := e.reader(strings.NewReader(a.body))
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, strings.Repeat(strings.Repeat("x", 1000)+"\n", 1000), string(text))
		require.Empty(t, f.request(t, http.MethodPost, body("SELECT 1"), header).ok(t).header.Get("Content-Encoding"), "only when asked for")
	}
	require.Equal(t, "br,deflate,gzip,lz4,zstd", f.query(t, "SELECT arrayStringConcat(groupArray(s), ',') FROM (SELECT s FROM z ORDER BY s)"))
	framed := f.send(t, "SELECT 'framed'", "compress", "1").ok(t)
	text, err := io.ReadAll(newBlockReader(strings.NewReader(framed.body)))
	require.NoError(t, err)
	require.Equal(t, "framed\n", string(text))
	f.insert(t, "INSERT INTO z FORMAT TSV", framed.body, "decompress", "1").ok(t)
	require.Equal(t, "1", f.query(t, "SELECT count() FROM z WHERE s = 'framed'"))
}

// What arrives broken or half inserts nothing.
func TestBrokenBodiesInsertNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.query(t, "CREATE TABLE h (s String) ENGINE = MergeTree ORDER BY s")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(strings.Repeat("row\n", 1000)))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	half := packed.Bytes()[:packed.Len()-10]
	a := f.request(t, http.MethodPost, bytes.NewReader(half), http.Header{"Content-Encoding": {"gzip"}}, "database", f.database, "query", "INSERT INTO h FORMAT TSV")
	require.Equal(t, 500, a.status, a.body)
	require.NotEqual(t, 200, f.insert(t, "INSERT INTO h FORMAT TSV", "garbage that is no frame, and long enough to hold a header", "decompress", "1").status)
	require.NotEqual(t, 200, f.request(t, http.MethodPost, strings.NewReader("x"), http.Header{"Content-Encoding": {"rot13"}}).status)
	require.NotEqual(t, 200, f.insert(t, "INSERT INTO h FORMAT JSONEachRow", "{\"s\":\"ok\"}\n{\"s\":").status)
	require.Equal(t, "0", f.query(t, "SELECT count() FROM h"))
}

// The library that reads ClickHouse's framing gives its last frame again when it is read beyond the end: rows doubled.
func TestFramedDataIsReadOnce(t *testing.T) {
	t.Parallel()
	var framed bytes.Buffer
	w, err := newBlockWriter(&framed, "ZSTD")
	require.NoError(t, err)
	_, err = w.Write([]byte("once"))
	require.NoError(t, err)
	r := newBlockReader(&framed)
	for _, want := range []string{"once", "", ""} {
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}
