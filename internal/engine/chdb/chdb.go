// Package chdb binds the few C functions of libchdb (the ClickHouse engine as a library) that the engine process needs,
// without cgo: the library is opened at run time, so that the program builds and starts where it is absent.
//
// The engine allows one data directory per process, at most one statement at a time per connection, and any number of
// connections to that directory side by side.
package chdb

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Library is an opened libchdb.
type Library struct {
	connect       func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn     func(conn unsafe.Pointer)
	query         func(conn unsafe.Pointer, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	destroyResult func(result unsafe.Pointer)
	resultError   func(result unsafe.Pointer) string
	resultBuffer  func(result unsafe.Pointer) unsafe.Pointer
	resultLength  func(result unsafe.Pointer) uintptr
	rowsRead      func(result unsafe.Pointer) uint64
	bytesRead     func(result unsafe.Pointer) uint64
	scannedRows   func(result unsafe.Pointer) uint64
	scannedBytes  func(result unsafe.Pointer) uint64
	rowsWritten   func(result unsafe.Pointer) uint64
	bytesWritten  func(result unsafe.Pointer) uint64
}

// opening serialises what changes the state of the whole process: loading the library and the signal handlers that a
// connect replaces.
var opening sync.Mutex

// Open loads the library at path. The library stays loaded until the process ends: the engine's threads live in it.
func Open(path string) (lib *Library, err error) {
	opening.Lock()
	defer opening.Unlock()
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the engine library: %w", err)
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("open the engine library: %w", err)
	}
	lib = &Library{}
	for _, f := range []struct {
		target any
		name   string
	}{
		{&lib.connect, "chdb_connect"},
		{&lib.closeConn, "chdb_close_conn"},
		{&lib.query, "chdb_query_with_params_n"},
		{&lib.destroyResult, "chdb_destroy_query_result"},
		{&lib.resultError, "chdb_result_error"},
		{&lib.resultBuffer, "chdb_result_buffer"},
		{&lib.resultLength, "chdb_result_length"},
		{&lib.rowsRead, "chdb_result_rows_read"},
		{&lib.bytesRead, "chdb_result_bytes_read"},
		{&lib.scannedRows, "chdb_result_storage_rows_read"},
		{&lib.scannedBytes, "chdb_result_storage_bytes_read"},
		{&lib.rowsWritten, "chdb_result_rows_written"},
		{&lib.bytesWritten, "chdb_result_bytes_written"},
	} {
		symbol, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("open the engine library %s: %w", path, err)
		}
		purego.RegisterFunc(f.target, symbol)
	}
	return lib, nil
}

// Conn is one connection to the engine. It runs one statement at a time; callers see to that.
type Conn struct {
	lib *Library
	ptr unsafe.Pointer // chdb_connection*
}

// ErrConnect tells that the engine refused the connection; it prints its reason on standard error.
var ErrConnect = errors.New("the engine refused the connection")

// Connect opens a connection. The arguments are those of clickhouse-local, such as --path=DIR; the first connection of
// the process starts the engine on that directory, later ones share it.
//
// The engine installs signal handlers of its own (SIGSEGV and others); under them a nil dereference in Go hangs the
// process for minutes instead of panicking. So they are put back as they were.
func (l *Library) Connect(args ...string) (*Conn, error) {
	opening.Lock()
	defer opening.Unlock()
	argv, keep := cStrings(append([]string{"clickhouse"}, args...))
	saved := saveSignals()
	ptr := l.connect(int32(len(argv)), unsafe.Pointer(&argv[0]))
	saved.restore()
	runtime.KeepAlive(keep)
	if ptr == nil || *(*unsafe.Pointer)(ptr) == nil {
		return nil, ErrConnect
	}
	return &Conn{lib: l, ptr: ptr}, nil
}

// Close ends the connection; closing the last one of the process stops the engine. Close twice is safe.
func (c *Conn) Close() {
	if c.ptr != nil {
		opening.Lock()
		defer opening.Unlock()
		c.lib.closeConn(c.ptr)
		c.ptr = nil
	}
}

// Param is a query parameter for {name:Type}; the value is in the escaped text form that the HTTP interface takes.
type Param struct{ Name, Value string }

// Stats tells what a statement read and wrote.
type Stats struct {
	ReadRows, ReadBytes       uint64
	WrittenRows, WrittenBytes uint64
	ResultRows, ResultBytes   uint64
}

// Query runs one statement to its end and returns its output in the format, all of it in memory. Errors of the engine
// are returned with its text, "Code: N. DB::Exception: …". After an error the connection may hold leftovers of the
// failed statement that would come out with the next one: close it.
func (c *Conn) Query(sql, format string, params ...Param) (output []byte, stats Stats, err error) {
	var names, values []string
	for _, p := range params {
		names, values = append(names, p.Name), append(values, p.Value)
	}
	cNames, keepNames := cStrings(names)
	cValues, keepValues := cStrings(values)
	nameLens, valueLens := lengths(names), lengths(values)
	sqlBytes, formatBytes := []byte(sql+"\x00"), []byte(format+"\x00")
	result := c.lib.query(*(*unsafe.Pointer)(c.ptr), &sqlBytes[0], uintptr(len(sql)), &formatBytes[0], uintptr(len(format)),
		first(cNames), first(nameLens), first(cValues), first(valueLens), uintptr(len(params)))
	runtime.KeepAlive(keepNames)
	runtime.KeepAlive(keepValues)
	if result == nil {
		return nil, stats, errors.New("the engine returned no result")
	}
	defer c.lib.destroyResult(result)
	if text := c.lib.resultError(result); text != "" {
		return nil, stats, errors.New(text)
	}
	if n := c.lib.resultLength(result); n > 0 {
		output = append(output, unsafe.Slice((*byte)(c.lib.resultBuffer(result)), n)...)
	}
	stats = Stats{
		ReadRows: c.lib.scannedRows(result), ReadBytes: c.lib.scannedBytes(result),
		WrittenRows: c.lib.rowsWritten(result), WrittenBytes: c.lib.bytesWritten(result),
		ResultRows: c.lib.rowsRead(result), ResultBytes: c.lib.bytesRead(result),
	}
	return output, stats, nil
}

// cStrings returns pointers to NUL-terminated copies; keep holds the copies alive for the garbage collector.
func cStrings(in []string) (pointers []unsafe.Pointer, keep [][]byte) {
	for _, s := range in {
		b := append([]byte(s), 0)
		keep = append(keep, b)
		pointers = append(pointers, unsafe.Pointer(&b[0]))
	}
	return pointers, keep
}

func lengths(in []string) (out []uintptr) {
	for _, s := range in {
		out = append(out, uintptr(len(s)))
	}
	return out
}

func first[T any](s []T) unsafe.Pointer {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Pointer(&s[0])
}
