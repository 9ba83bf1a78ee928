// Package postgres keeps the system of record in Postgres: it implements groundwork.Store and groundwork.Importer. One exported
// method is one transaction; every refusal is a *groundwork.Error. The rules themselves stand in package groundwork and, for
// certainty, as constraints in the migrations.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"groundwork"
)

// Options tune a DB. The zero value is the default.
type Options struct {
	Logger           *slog.Logger         // default: nothing is logged
	MaxConns         int32                // default: that of pgxpool, or pool_max_conns in the DSN
	StatementTimeout time.Duration        // default: 30 s
	Now              func() time.Time     // default: time.Now
	Role             string               // role of the database to act as, such as RoleApp; default: the login's own
	AuditKey         []byte               // with which the audit is sealed and verified; default: neither is done
	SecretKey        []byte               // with which the secrets of opinions are made; default: they are drawn, and told once
	VaultKeys        groundwork.VaultKeys // encrypt identities; default: none are kept

	Evidence groundwork.EvidenceContents // where retention deletes files of evidence; default: it refuses to
}

// DB is the system of record. It is safe for use by several goroutines.
type DB struct {
	pool     *pgxpool.Pool
	log      *slog.Logger
	now      func() time.Time
	auditKey []byte
	bound    bool // row-level security narrows what it sees to what whoever asks may see

	secretKey groundwork.SecretKey
	vaultKeys groundwork.VaultKeys
	evidence  groundwork.EvidenceContents
}

var (
	_ groundwork.Store    = (*DB)(nil)
	_ groundwork.Importer = (*DB)(nil)
)

const defaultStatementTimeout = 30 * time.Second

// Open connects to the database and checks that it answers. The schema is Migrate's task.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	cfg, err := poolConfig(dsn, o)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, unreachable(err)
	}
	db := &DB{pool: pool, log: o.Logger, now: o.Now, auditKey: o.AuditKey, secretKey: o.SecretKey, vaultKeys: o.VaultKeys, evidence: o.Evidence, bound: o.Role == RoleApp}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.now == nil {
		db.now = time.Now
	}
	if err := db.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return db, nil
}

// Close returns the connections; it waits for those in use.
func (db *DB) Close() { db.pool.Close() }

// Ping checks that the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.pool.Ping(ctx); err != nil {
		return unreachable(err)
	}
	return nil
}

func poolConfig(dsn string, o Options) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, badDSN(err)
	}
	timeout := o.StatementTimeout
	if timeout == 0 {
		timeout = defaultStatementTimeout
	}
	params := cfg.ConnConfig.RuntimeParams
	setDefault(params, "application_name", "groundwork")
	setDefault(params, "statement_timeout", fmt.Sprint(timeout.Milliseconds()))
	// Lists with optional filters are planned for the filters that are there; a generic plan is many times slower.
	setDefault(params, "plan_cache_mode", "force_custom_plan")
	params["timezone"] = "UTC"
	if o.Role != "" {
		params["role"] = o.Role // what RESET ROLE comes back to
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	return cfg, nil
}

// ActAs returns the connection string with a role of the database to act as.
func ActAs(dsn, role string) (string, error) {
	if _, err := pgx.ParseConfig(dsn); err != nil {
		return "", badDSN(err)
	}
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		query := u.Query()
		query.Set("role", role)
		u.RawQuery = query.Encode()
		return u.String(), nil
	}
	return dsn + " role=" + role, nil // key=value
}

func setDefault(params map[string]string, key, value string) {
	if params[key] == "" {
		params[key] = value
	}
}

func badDSN(err error) error {
	return &groundwork.Error{
		Code:    groundwork.CodeInvalid,
		Message: "the Postgres address is malformed; give GROUNDWORK_POSTGRES as postgres://user:password@host:port/database",
		Err:     err,
	}
}

// unreachable says why there is no connection, and what to do. Neither host nor password enters the message.
func unreachable(err error) error {
	message := "Postgres cannot be reached; check that it runs and that GROUNDWORK_POSTGRES names it"
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "28P01", "28000":
			message = "Postgres refuses the user or password; correct them in GROUNDWORK_POSTGRES"
		case "3D000":
			message = "Postgres has no such database; create it, or name another in GROUNDWORK_POSTGRES"
		case "42501":
			message = "this user of Postgres is no member of the role that it is to act as; as a superuser run GRANT groundwork_app, groundwork_jobs, groundwork_etl TO the user in GROUNDWORK_POSTGRES"
		case "22023":
			message = "Postgres lacks a role or setting (" + pg.Message + "); bring it up to date with `groundwork migrate`"
		case "53300":
			message = "Postgres has no connection left; raise max_connections or lower pool_max_conns in GROUNDWORK_POSTGRES"
		}
	}
	return &groundwork.Error{Code: groundwork.CodeUnavailable, Message: message, Err: err}
}
