// Package ssetest follows event streams in tests, as the EventSource of a browser does: https://html.spec.whatwg.org/multipage/server-sent-events.html.
package ssetest

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Event is one event. An event without data is told to nobody, but its id counts.
type Event struct{ Name, ID, Data string }

// Stream is an open event stream.
type Stream struct {
	Response    *http.Response
	LastEventID string // of the last event, or of a position after it
	lines       *bufio.Scanner
}

// Open sends a request, which has to be answered by an event stream, and closes it after the test.
func Open(t testing.TB, req *http.Request) *Stream {
	t.Helper()
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream; charset=utf-8", res.Header.Get("Content-Type"))
	return &Stream{Response: res, lines: bufio.NewScanner(res.Body)}
}

// Block reads up to the next empty line; false at the end of the stream. A comment is an empty block.
func (s *Stream) Block() (e Event, ok bool) {
	for s.lines.Scan() {
		line := s.lines.Text()
		if line == "" {
			if e.ID != "" {
				s.LastEventID = e.ID
			}
			return e, true
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.Name = value
		case "id":
			e.ID = value
		case "data":
			e.Data = value
		}
	}
	return Event{}, false
}

// Next reads the next event that is told to anybody; false at the end of the stream.
func (s *Stream) Next() (Event, bool) {
	for {
		if e, ok := s.Block(); !ok || e.Name != "" {
			return e, ok
		}
	}
}

// Close ends the stream, as a client does that goes away.
func (s *Stream) Close() { _ = s.Response.Body.Close() }
