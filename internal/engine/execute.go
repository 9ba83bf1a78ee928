package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"groundwork/internal/engine/chdb"
	"groundwork/internal/engine/sqlguard"

	"golang.org/x/sys/unix"
)

// run executes one parsed statement and writes its result.
func (s *Server) run(ctx context.Context, q *request, statement *sqlguard.Statement, out *output) (stats chdb.Stats, err error) {
	var data *spool
	if statement.Kind == sqlguard.Insert {
		if data, err = s.receive(q, statement); err != nil {
			return stats, err
		}
		defer data.Close()
	}
	h, err := s.pool.acquire(ctx)
	if err != nil {
		return stats, err
	}
	clean := false
	defer func() { s.pool.release(h, clean) }()
	if q.user == reader {
		if err := s.checkReader(h, statement); err != nil {
			return stats, err
		}
	}
	id := s.statementID()
	if err := h.prepare(q, id, s.config.Database); err != nil {
		return stats, err
	}
	call := engineCall{server: s, handle: h, id: id, params: q.params}
	switch statement.Kind {
	case sqlguard.Insert:
		_, stats, err = call.query(ctx, insertSQL(statement, data), out.format)
	case sqlguard.Query:
		stats, err = call.rows(ctx, statement, out, q.waitForEnd)
	default:
		stats, err = call.command(ctx, statement.Text, out)
	}
	// A session that a command or a setting may have changed serves no other request.
	clean = err == nil && len(q.settings) == 0 && statement.Kind != sqlguard.Command
	return stats, err
}

// receive spools the data of an INSERT until it is complete.
func (s *Server) receive(q *request, statement *sqlguard.Statement) (*spool, error) {
	data, err := newMemorySpool(s.files.spool, s.config.MaxInsertBytes)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(data, io.MultiReader(strings.NewReader(q.sql[statement.DataAt:]), q.rest)); err != nil {
		data.Close()
		if errors.Is(err, errSpoolFull) {
			return nil, throw(codeTooManyBytes, "the data of the INSERT is too large (%v): send it in several", err)
		}
		return nil, bodyError(err)
	}
	return data, nil
}

// insertSQL makes the engine read the data from the spool. Never inline: there the engine takes an empty line for the
// end of the data, and runs what follows as SQL.
func insertSQL(s *sqlguard.Statement, data *spool) string {
	return fmt.Sprintf("%s FROM INFILE '%s' COMPRESSION 'none' %s FORMAT %s", s.Head, data.path(), s.Settings, s.Format)
}

// prepare sets the session up for one request.
func (h *handle) prepare(q *request, id, defaultDatabase string) error {
	if database := firstOf(q.database, defaultDatabase); h.database != database {
		if _, _, err := h.conn.Query("USE "+quoteName(database), "Null"); err != nil {
			return err
		}
		h.database = database
	}
	_, _, err := h.conn.Query(q.settingsSQL(id), "Null")
	return err
}

func quoteName(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

// strings runs a query of text columns, whose values come one after the other.
func (h *handle) strings(sql string) ([]string, error) {
	output, _, err := h.conn.Query(sql, "JSONCompactEachRow")
	if err != nil {
		return nil, err
	}
	var all []string
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var row []string
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the engine's answer: %w", err)
		}
		all = append(all, row...)
	}
}

// engineCall runs a statement on a handle, and stops it when its context ends.
type engineCall struct {
	server *Server
	handle *handle
	id     string
	params []chdb.Param
}

// query runs a statement whose output is small. No call of the library stops a running statement, so another connection
// kills it by the id in its settings, again and again: a KILL that comes before the engine has registered the statement
// finds nothing.
func (c engineCall) query(ctx context.Context, sql, format string) (output []byte, stats chdb.Stats, err error) {
	if err := ctx.Err(); err != nil {
		return nil, stats, err
	}
	returned := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		for {
			c.server.kill(c.id)
			select {
			case <-returned:
				return
			case <-time.After(killInterval):
			}
		}
	})
	output, stats, err = c.handle.conn.Query(sql, format, c.params...)
	close(returned)
	if !stop() && err != nil {
		err = ctx.Err()
	}
	return output, stats, err
}

const killInterval = 20 * time.Millisecond

func (c engineCall) command(ctx context.Context, sql string, out *output) (chdb.Stats, error) {
	rows, stats, err := c.query(ctx, sql, out.format)
	if err == nil {
		_, err = out.Write(rows)
	}
	return stats, err
}

// rows runs a query whose result may be large: the engine writes it into a pipe, as one document in any format, and
// waits while the client does not read. With waitForEnd all of it is taken in first, so that an error always has its
// status and the answer its statistics.
func (c engineCall) rows(ctx context.Context, statement *sqlguard.Statement, out *output, waitForEnd bool) (chdb.Stats, error) {
	if !waitForEnd {
		return c.pipe(ctx, statement, out.format, out)
	}
	result, err := newMemorySpool(c.server.files.spool, math.MaxInt64)
	if err != nil {
		return chdb.Stats{}, err
	}
	defer result.Close()
	stats, err := c.pipe(ctx, statement, out.format, result)
	if err != nil {
		return stats, err
	}
	out.stats = stats
	if _, err := result.file.Seek(0, io.SeekStart); err != nil {
		return stats, fmt.Errorf("read the result back: %w", err)
	}
	_, err = io.Copy(out, result.file)
	return stats, err
}

// pipe copies a query's result as the engine writes it. A destination that fails stops the query.
func (c engineCall) pipe(ctx context.Context, statement *sqlguard.Statement, format string, destination io.Writer) (chdb.Stats, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result, sink, err := os.Pipe()
	if err != nil {
		return chdb.Stats{}, fmt.Errorf("open a pipe for the result: %w", err)
	}
	defer result.Close()
	_, _ = unix.FcntlInt(sink.Fd(), unix.F_SETPIPE_SZ, pipeBytes) // a smaller pipe is only slower

	copied := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{destination}, struct{ io.Reader }{result}, make([]byte, pipeBytes))
		if err != nil {
			cancel()
			_, _ = io.Copy(io.Discard, result) // the engine may be waiting to write
		}
		copied <- err
	}()
	_, stats, err := c.query(ctx, rowsSQL(statement, fdPath(sink), format), format)
	sink.Close()
	if copyErr := <-copied; copyErr != nil {
		err = copyErr // it stopped the query, whatever that says
	}
	return stats, err
}

const pipeBytes = 256 << 10

func rowsSQL(s *sqlguard.Statement, path, format string) string {
	return fmt.Sprintf("%s INTO OUTFILE '%s' TRUNCATE FORMAT %s %s", s.Head, path, format, s.Settings)
}

// kill stops the statement with this id, if it runs.
func (s *Server) kill(id string) {
	if err := s.command("KILL QUERY WHERE Settings['log_comment'] = " + quote(id) + " ASYNC"); err != nil {
		s.config.Logger.Warn("engine: kill a statement", "error", err)
	}
}

// command runs a statement beside the requests; after Close it does nothing.
func (s *Server) command(sql string) error {
	s.controlMu.Lock()
	defer s.controlMu.Unlock()
	if s.control == nil {
		return nil
	}
	_, _, err := s.control.Query(sql, "Null")
	return err
}

func (s *Server) statementID() string {
	return fmt.Sprintf("groundwork-%d", atomic.AddUint64(&s.statements, 1))
}
