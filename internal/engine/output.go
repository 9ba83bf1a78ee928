package engine

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"groundwork/internal/engine/chdb"
)

// output is the answer to one request. Its beginning is held back, so that a statement that fails early gets the status
// of its error; what fails later is told at the end of the stream, in the form that ClickHouse's clients look for.
type output struct {
	w         http.ResponseWriter
	request   *request
	format    string
	started   time.Time
	held      bytes.Buffer
	committed bool
	body      io.WriteCloser
	tag       string
	stats     chdb.Stats // where they are known before the first byte
}

const (
	holdBytes    = 256 << 10
	stallTimeout = 2 * time.Minute // of a client that does not read on
)

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if !o.committed {
		if o.held.Len()+len(p) <= holdBytes {
			return o.held.Write(p)
		}
		if err := o.commit(o.stats); err != nil {
			return 0, err
		}
	}
	return o.send(p)
}

func (o *output) send(p []byte) (int, error) {
	// A recorder in a test has no deadlines; a connection that has lost its own fails in the write below.
	_ = http.NewResponseController(o.w).SetWriteDeadline(time.Now().Add(stallTimeout))
	return o.body.Write(p)
}

// commit sends status and headers, and what was held back.
func (o *output) commit(stats chdb.Stats) error {
	o.committed = true
	header := o.w.Header()
	header.Set("Content-Type", contentType(o.format))
	header.Set("X-ClickHouse-Format", o.format)
	o.tag = newTag()
	header.Set("X-ClickHouse-Exception-Tag", o.tag)
	setSummary(header, stats, o.started)
	if err := o.openBody(); err != nil {
		return err
	}
	o.w.WriteHeader(http.StatusOK)
	if o.held.Len() == 0 {
		return nil
	}
	_, err := o.send(o.held.Bytes())
	o.held = bytes.Buffer{}
	return err
}

func (o *output) openBody() (err error) {
	o.body = plainBody{o.w}
	if o.request.blockFrames {
		o.body, err = newBlockWriter(o.w, o.request.frameMethod)
		return err
	}
	if name, encoder := encodeContent(o.request.acceptEncoding, o.w); encoder != nil {
		o.body = encoder
		o.w.Header().Set("Content-Encoding", name)
	}
	return nil
}

// finish ends a successful answer.
func (o *output) finish(stats chdb.Stats) error {
	if !o.committed {
		if o.held.Len() == 0 {
			// Clients know "no result" by the length; an encoder would write its frame even around nothing.
			o.request.blockFrames, o.request.acceptEncoding = false, ""
			o.w.Header().Set("Content-Length", "0")
		}
		if err := o.commit(stats); err != nil {
			return err
		}
	}
	return o.body.Close()
}

// fail ends an answer with an exception: as status and text where nothing was sent yet, else at the end of the stream.
func (o *output) fail(e *exception, version string) {
	if !o.committed {
		writeException(o.w, e, version)
		return
	}
	text := e.Error() + " (version " + version + ")"
	// Clients look for the exception at the end of a piece as it arrives, so it travels in a piece of its own.
	if encoder, ok := o.body.(interface{ Flush() error }); ok {
		_ = encoder.Flush() // the write below fails as well
	}
	_ = http.NewResponseController(o.w).Flush() // so here
	block := fmt.Sprintf("\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", o.tag, text, len(text)+1, o.tag)
	if _, err := o.send([]byte(block)); err == nil {
		_ = o.body.Close() // the client is told already, or gone
	}
}

func writeException(w http.ResponseWriter, e *exception, version string) {
	text := e.Error() + " (version " + version + ")\n"
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	header.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Del("Content-Encoding")
	w.WriteHeader(httpStatus(e.code))
	_, _ = io.WriteString(w, text) // a client that is gone hears nothing
}

func setSummary(header http.Header, s chdb.Stats, started time.Time) {
	header.Set("X-ClickHouse-Summary", fmt.Sprintf(
		`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"0","result_rows":"%d","result_bytes":"%d","elapsed_ns":"%d"}`,
		s.ReadRows, s.ReadBytes, s.WrittenRows, s.WrittenBytes, s.ResultRows, s.ResultBytes, time.Since(started).Nanoseconds()))
}

// newTag is unguessable, so that data cannot pass for an exception.
func newTag() string { return strings.ToLower(rand.Text()[:16]) }

type plainBody struct{ io.Writer }

func (plainBody) Close() error { return nil }

// contentType is what ClickHouse names for a format.
func contentType(format string) string {
	f := strings.ToLower(format)
	has := func(part string) bool { return strings.Contains(f, part) }
	switch {
	case has("eachrow") || f == "jsonlines" || f == "ndjson":
		return "application/x-ndjson; charset=UTF-8"
	case has("json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(f, "csvwithnames"):
		return "text/csv; charset=UTF-8; header=present"
	case strings.HasPrefix(f, "csv"):
		return "text/csv; charset=UTF-8; header=absent"
	case strings.HasPrefix(f, "tsv"), strings.HasPrefix(f, "tabseparated"):
		return "text/tab-separated-values; charset=UTF-8"
	case f == "xml":
		return "application/xml; charset=UTF-8"
	case f == "markdown":
		return "text/markdown; charset=UTF-8"
	case f == "native", has("binary"), f == "parquet", has("arrow"), f == "orc", f == "avro", f == "bsoneachrow", has("protobuf"), f == "msgpack", f == "rawblob", f == "npy":
		return "application/octet-stream"
	default:
		return "text/plain; charset=UTF-8"
	}
}
