package engine

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"groundwork/internal/engine/sqlguard"
)

// The engine knows one user only, so the gateway keeps its own two.
type user string

const (
	owner  user = "groundwork" // may do everything that the engine's grants allow
	reader user = "bi"         // may read what is published
)

// authenticate takes user and password from X-ClickHouse-User and -Key, from basic authentication, or from the address.
// No user, or ClickHouse's `default`, means the owner.
func (s *Server) authenticate(r *http.Request) (user, error) {
	args := r.URL.Query()
	name, password := r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	if basicName, basicPassword, ok := r.BasicAuth(); ok && name == "" {
		name, password = basicName, basicPassword
	} else if name == "" {
		name, password = args.Get("user"), firstOf(password, args.Get("password"))
	}
	u, want := owner, s.config.Password
	switch name {
	case "", "default", string(owner):
	case string(reader):
		u, want = reader, s.config.BIPassword
	default:
		return "", authenticationFailed(name)
	}
	if want != "" && !equalSecret(want, password) {
		return "", authenticationFailed(name)
	}
	return u, nil
}

func authenticationFailed(name string) error {
	return throw(codeAuthentication, "%.80s: Authentication failed: password is incorrect, or there is no user with such name", firstOf(name, "default"))
}

func equalSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// readerSettings are those that a reader may set: how the answer looks and less work than allowed, nothing that lifts a
// limit or opens a door.
var readerSettings = []string{
	"date_time_output_format", "extremes", "final", "join_use_nulls", "max_block_size", "max_result_rows", "max_result_bytes",
	"max_threads", "result_overflow_mode", "session_timezone", "use_uncompressed_cache", "async_insert", "wait_for_async_insert",
}

const readerSeconds = 300

// restrict makes a reader's request read only: settings outside the list are refused, and the engine's own readonly mode
// sees that the statement neither writes nor changes settings.
func (q *request) restrict(c Config) error {
	seconds := readerSeconds
	var kept []setting
	for _, set := range q.settings {
		asked, err := strconv.Atoi(set.value)
		switch {
		case set.name == "max_execution_time" && err == nil && asked > 0:
			seconds = min(seconds, asked)
		case set.name == "max_execution_time", set.name == "readonly":
		case slices.Contains(readerSettings, set.name), strings.HasPrefix(set.name, "output_format_"):
			kept = append(kept, set)
		default:
			return throw(codeReadonly, "Cannot modify '%s' setting in readonly mode", set.name)
		}
	}
	if !slices.Contains([]string{"", "default", c.Database, "information_schema", "INFORMATION_SCHEMA"}, q.database) {
		return throw(codeAccessDenied, "this user may not use the database %.80q", q.database)
	}
	q.settings = append(kept,
		setting{"max_execution_time", strconv.Itoa(seconds)},
		setting{"max_memory_usage", strconv.FormatUint(c.MaxMemory/2, 10)},
		setting{"readonly", "1"})
	return nil
}

// checkReader judges a reader's statement against the tables that exist now.
func (s *Server) checkReader(h *handle, statement *sqlguard.Statement) error {
	names, err := h.strings("SELECT DISTINCT name FROM system.tables WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') AND NOT startsWith(name, 'pub_')")
	if err != nil {
		return err
	}
	return statement.CheckReadOnly(sqlguard.Catalog{Private: asSet(names), TableFunctions: s.tableFunctions})
}

func asSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}
