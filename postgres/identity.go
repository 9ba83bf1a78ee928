package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"groundwork"
)

// identitySQL tells the database who asks and for what, for as long as the transaction lasts: row-level security, rules of the rows and the
// audit read it.
const identitySQL = `
	SELECT set_config('groundwork.actor', @actor, true), set_config('groundwork.role', @role, true),
		set_config('groundwork.unit', @unit, true), set_config('groundwork.regions', @regions, true),
		set_config('groundwork.everywhere', @everywhere, true), set_config('groundwork.official', @official, true),
		set_config('groundwork.request', @request, true), set_config('groundwork.address', @address, true),
		set_config('groundwork.purpose', @purpose, true), set_config('groundwork.operation', @operation, true)`

func identity(by groundwork.Actor, op string) pgx.NamedArgs {
	regions := make([]string, len(by.RegionIDs))
	for i, id := range by.RegionIDs {
		regions[i] = id.String()
	}
	return pgx.NamedArgs{"actor": by.ID, "role": string(by.Role), "unit": textOf(by.UnitID), "regions": strings.Join(regions, ","),
		"everywhere": onOff(by.Everywhere), "official": textOf(by.OfficialID), "request": by.Via.ID, "address": by.Via.Address,
		"purpose": by.Via.Purpose, "operation": op}
}

func textOf(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return ""
}

// beginAs is the text that begins a transaction as by: one message, which the parameters of identitySQL would make two.
func beginAs(conn *pgx.Conn, by groundwork.Actor, op string) (string, error) {
	settings := identity(by, op)
	calls := make([]string, 0, len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value, err := conn.PgConn().EscapeString(settings[name].(string))
		if err != nil {
			return "", fmt.Errorf("set %s of the transaction: %w", name, err)
		}
		calls = append(calls, fmt.Sprintf("set_config('groundwork.%s', '%s', true)", name, value))
	}
	return "begin; SELECT " + strings.Join(calls, ", "), nil
}

func identify(ctx context.Context, tx pgx.Tx, by groundwork.Actor, op string) error {
	_, err := tx.Exec(ctx, identitySQL, identity(by, op))
	return err
}

// prove shows the database the secret of an opinion: until the transaction ends, the opinion is the actor's own.
func prove(ctx context.Context, tx pgx.Tx, secret string) error {
	if secret == "" {
		return nil
	}
	_, err := tx.Exec(ctx, "SELECT set_config('groundwork.secret', @secret, true)", pgx.NamedArgs{"secret": hex.EncodeToString(groundwork.SecretDigest(secret))})
	return err
}

// follows does what follows by itself of a step that was permitted: it reaches what the actor may not.
func follows(ctx context.Context, tx pgx.Tx, f func() error) error {
	if _, err := tx.Exec(ctx, "SELECT set_config('groundwork.follows', 'on', true)"); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "SELECT set_config('groundwork.follows', '', true)")
	return err
}

// reads is what reads go through: each sees what whoever asks, by the context, may see.
func (db *DB) reads() querier {
	if !db.bound {
		return db.pool
	}
	return narrowed{db: db}
}

// readsAs is reads by somebody that the context does not know yet.
func (db *DB) readsAs(by groundwork.Actor) querier {
	if !db.bound {
		return db.pool
	}
	return narrowed{db: db, by: &by}
}

// readsWith is reads by somebody who shows the secret of an opinion.
func (db *DB) readsWith(secret string) querier {
	if !db.bound {
		return db.pool
	}
	return narrowed{db: db, secret: secret}
}

// narrowed runs each query in a transaction that knows who asks, in one round trip: both statements go out together, and what is sent
// together is one transaction.
type narrowed struct {
	db     *DB
	by     *groundwork.Actor // nil = whom the context names
	secret string
}

// Query implements querier.
func (n narrowed) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := n.db.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	by := n.by
	if by == nil {
		by = new(groundwork.ActorFrom(ctx))
	}
	batch := &pgx.Batch{}
	batch.Queue(identitySQL, identity(*by, ""))
	if n.secret != "" {
		batch.Queue("SELECT set_config('groundwork.secret', @secret, true)", pgx.NamedArgs{"secret": hex.EncodeToString(groundwork.SecretDigest(n.secret))})
	}
	batch.Queue(sql, args...)
	results := conn.SendBatch(ctx, batch)
	for range batch.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			return nil, giveUp(conn, results, err)
		}
	}
	rows, err := results.Query()
	if err != nil {
		return nil, giveUp(conn, results, err)
	}
	return &narrowedRows{Rows: rows, conn: conn, results: results}, nil
}

func giveUp(conn *pgxpool.Conn, results pgx.BatchResults, err error) error {
	_ = results.Close() // says err again
	conn.Release()
	return err
}

// narrowedRows give the connection back when they are closed, which reading them to the end does.
type narrowedRows struct {
	pgx.Rows
	conn    *pgxpool.Conn
	results pgx.BatchResults
	err     error
}

// Next implements pgx.Rows.
func (r *narrowedRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close implements pgx.Rows.
func (r *narrowedRows) Close() {
	r.Rows.Close()
	if r.conn == nil {
		return
	}
	r.err = r.results.Close()
	r.conn.Release()
	r.conn = nil
}

// Err implements pgx.Rows.
func (r *narrowedRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}
