// Package pgtest gives tests a fresh, migrated system of record: a clone of a template database, in milliseconds.
//
// It uses the server of GROUNDWORK_TEST_POSTGRES, a superuser's DSN, or else the embedded Postgres of package embeddedtest; a
// package that uses it says
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m) }
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"groundwork/internal/embedded/embeddedtest"
	"groundwork/postgres"
)

// template is the migrated database that the clones are made of, one for each test binary.
var template struct {
	mu   sync.Mutex
	name string
}

// New returns the DSN of a fresh migrated database, which is dropped after the test.
func New(t testing.TB) (dsn string) {
	t.Helper()
	server := Server(t)
	template.mu.Lock()
	defer template.mu.Unlock() // a template being cloned must have no other connection
	if template.name == "" {
		name := Empty(t, server)
		_, err := postgres.Migrate(context.WithoutCancel(t.Context()), named(t, server, name))
		require.NoError(t, err)
		template.name = name
	}
	name := newName("test")
	run(t, server, "CREATE DATABASE "+name+" TEMPLATE "+template.name)
	t.Cleanup(func() { drop(t, server, name) })
	return named(t, server, name)
}

// NewDB returns an open system of record on a fresh database. It is closed after the test.
func NewDB(t testing.TB) *postgres.DB {
	t.Helper()
	return Open(t, New(t), postgres.Options{})
}

// Open opens the system of record and closes it after the test.
func Open(t testing.TB, dsn string, o postgres.Options) *postgres.DB {
	t.Helper()
	if o.MaxConns == 0 {
		o.MaxConns = 4 // many tests run side by side on one server
	}
	db, err := postgres.Open(t.Context(), dsn, o)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// Server returns the DSN of a database of the test server, as superuser.
func Server(t testing.TB) (dsn string) {
	if dsn := os.Getenv("GROUNDWORK_TEST_POSTGRES"); dsn != "" {
		return dsn
	}
	return embeddedtest.Postgres(t)
}

// Empty makes an empty database on the server and returns its name. It is not dropped: it goes with the server, or is the template.
func Empty(t testing.TB, server string) (name string) {
	t.Helper()
	name = newName("template")
	run(t, server, "CREATE DATABASE "+name)
	return name
}

func newName(kind string) string {
	return "groundwork_" + kind + "_" + strings.ReplaceAll(uuid.NewString(), "-", "")
}

func named(t testing.TB, server, database string) string {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + database
	return u.String()
}

func run(t testing.TB, server, statement string) {
	t.Helper()
	require.NoError(t, execute(context.WithoutCancel(t.Context()), server, statement))
}

func drop(t testing.TB, server, name string) {
	if err := execute(context.Background(), server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
		t.Errorf("drop the test's database: %v", err)
	}
}

func execute(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// Unmigrated returns the DSN of an empty database, which is dropped after the test.
func Unmigrated(t testing.TB) (dsn string) {
	t.Helper()
	server := Server(t)
	name := Empty(t, server)
	t.Cleanup(func() { drop(t, server, name) })
	return named(t, server, name)
}
